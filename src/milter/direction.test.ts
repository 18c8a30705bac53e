/** Which mail is signed, and which is authenticated. */
import { expect, it } from "vitest";
import { parseNetwork } from "../standards/dns/address.ts";
import { directionOf } from "./direction.ts";

const network = parseNetwork("192.0.2.0/24");
if (!network.ok) throw new Error(network.problem);
const RULES = { authenticated: true, networks: [network.value], daemons: ["ORIGINATING"] };

interface Row {
  readonly address?: string;
  readonly port?: number;
  readonly connection?: Readonly<Record<string, string>>;
  readonly message?: Readonly<Record<string, string>>;
  readonly rules?: Partial<typeof RULES>;
}

it.each<[row: Row, isOutgoing: boolean, by: string, reason: string]>([
  [{ address: "198.51.100.1", port: 4000 }, false, "client", "anybody"],
  [{ address: "198.51.100.1", message: { auth_authen: "alice" } }, true, "login", "who has logged in"],
  [
    { address: "198.51.100.1", message: { auth_authen: "alice" }, rules: { authenticated: false } },
    false,
    "client",
    "who has logged in, where that does not count",
  ],
  [{ address: "198.51.100.1", message: { auth_authen: "" } }, false, "client", "an empty name is none"],
  [
    { address: "198.51.100.1", connection: { daemon_name: "ORIGINATING" } },
    true,
    "daemon",
    "a listener for users",
  ],
  [{ address: "198.51.100.1", connection: { daemon_name: "smtpd" } }, false, "client", "another listener"],
  [{ address: "192.0.2.9", port: 4000 }, true, "network", "in a network of one's own"],
  [{ address: "::ffff:192.0.2.9", port: 4000 }, true, "network", "the same, as IPv6 writes it"],
  [{}, true, "local", "Sendmail's word for its own command: no address"],
  [{ address: "127.0.0.1", port: 0 }, true, "local", "Postfix' word for its sendmail command"],
  [{ address: "127.0.0.1", port: 4000 }, false, "client", "a client on loopback, which is in no network"],
  [{ address: "198.51.100.1", port: 0 }, false, "client", "a proxy that hides the port"],
])("%j is outgoing: %s, by %s (%s)", ({ address, port, connection, message, rules }, isOutgoing, by) => {
  const macros = (values = {}) => new Map(Object.entries<string>(values));
  const asked = { hostName: "client", address, port, macros: macros(connection) };
  expect(directionOf(asked, { macros: macros(message) }, { ...RULES, ...rules })).toMatchObject({
    isOutgoing,
    by,
  });
});
