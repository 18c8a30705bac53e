import { describe, expect, it } from "vitest";
import { parseNetwork } from "../standards/dns/address.ts";
import { clientIpOf, directionOf } from "./direction.ts";

const network = parseNetwork("10.0.0.0/8");
if (!network.ok) throw new Error(network.problem);
const RULES = { authenticated: true, networks: [network.value], daemons: ["ORIGINATING"] };

describe("the direction of mail", () => {
  it.each<[string | undefined, Record<string, string>, boolean, string, string]>([
    ["192.0.2.1", {}, false, "client", "a stranger"],
    ["192.0.2.1", { auth_authen: "ann" }, true, "login", "a stranger who has logged in"],
    ["192.0.2.1", { auth_authen: "" }, false, "client", "an empty login is none"],
    ["192.0.2.1", { daemon_name: "ORIGINATING" }, true, "daemon", "a listener for own users"],
    ["192.0.2.1", { daemon_name: "originating" }, false, "client", "another listener"],
    ["10.1.2.3", {}, true, "network", "an own network"],
    ["::ffff:10.1.2.3", {}, true, "network", "the same address as IPv6 writes it"],
    [undefined, {}, true, "local", "the sendmail command of this host"],
    ["unknown", {}, true, "local", "no address at all"],
  ])("%s %j", (address, macros, isOutgoing, by) => {
    const connection = { hostName: "x", address, port: 1, macros: new Map<string, string>() };
    const direction = directionOf(
      connection,
      clientIpOf(connection),
      { macros: new Map(Object.entries(macros)) },
      RULES,
    );
    expect(direction).toMatchObject({ isOutgoing, by });
  });

  it.each<[string, number, boolean, string, string]>([
    ["127.0.0.1", 0, true, "local", "Postfix' word for its sendmail command"],
    ["127.0.0.1", 4000, false, "client", "a client on loopback, where that is no own network"],
    ["192.0.2.1", 0, false, "client", "a proxy that hides the port"],
  ])("%s port %i is outgoing: %s, by %s (%s)", (address, port, isOutgoing, by) => {
    const connection = { hostName: "x", address, port, macros: new Map<string, string>() };
    expect(directionOf(connection, clientIpOf(connection), { macros: new Map() }, RULES)).toMatchObject({
      isOutgoing,
      by,
    });
  });

  it("is not decided by a login where that does not count", () => {
    const connection = { hostName: "x", address: "192.0.2.1", port: 1, macros: new Map<string, string>() };
    const rules = { ...RULES, authenticated: false };
    const macros = new Map([["auth_authen", "ann"]]);
    expect(directionOf(connection, clientIpOf(connection), { macros }, rules).isOutgoing).toBe(false);
  });
});
