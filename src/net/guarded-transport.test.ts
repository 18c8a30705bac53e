import { expect, it } from "vitest";
import { specialPurpose } from "../standards/dns/address.ts";
import { domainName } from "../standards/dns/name.ts";
import type { DnsTransport } from "./dns-transport.ts";
import { createGuardedTransport } from "./guarded-transport.ts";

it.each([
  ["198.41.0.4", true, "a root server"],
  ["2001:500:9f::42", true, "another"],
  ["127.0.0.1", false, "this machine"],
  ["10.1.2.3", false, "the network behind it"],
  ["169.254.169.254", false, "the cloud's own"],
  ["::ffff:10.0.0.1", false, "IPv4 in other clothes"],
  ["64:ff9b::a00:1", false, "10.0.0.1 behind a translator"],
])("%s is asked: %s (%s)", async (address, isAsked) => {
  const asked: string[] = [];
  const transport: DnsTransport = {
    async exchange(server) {
      asked.push(server.address);
      return { ok: false, cause: "timeout", detail: "" };
    },
    strayCount: 0,
    sentCount: 0,
    close() {},
  };
  const guarded = createGuardedTransport(transport, (each) => specialPurpose(each) === undefined);
  const query = {
    name: domainName("example.org"),
    type: "A",
    recursionDesired: false,
    dnssecOk: false,
  } as const;
  const reply = await guarded.exchange({ address, port: 53 }, query, {
    firstTimeoutMilliseconds: 1,
    attempts: 1,
    deadline: 1,
  });
  expect(asked).toEqual(isAsked ? [address] : []);
  expect(reply).toMatchObject({ ok: false, cause: isAsked ? "timeout" : "network" });
});
