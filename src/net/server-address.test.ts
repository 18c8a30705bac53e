import { describe, expect, it } from "vitest";
import { formatServerAddress, parseServerAddress } from "./server-address.ts";
import { parseResolvConf } from "./system-resolvers.ts";

describe("server addresses", () => {
  const good: [string, string, number, string][] = [
    ["192.0.2.53", "192.0.2.53", 53, "192.0.2.53"],
    ["192.0.2.53:5353", "192.0.2.53", 5353, "192.0.2.53:5353"],
    ["2001:DB8::53", "2001:db8::53", 53, "2001:db8::53"],
    ["[2001:db8::53]", "2001:db8::53", 53, "2001:db8::53"],
    ["[2001:db8::53]:5353", "2001:db8::53", 5353, "[2001:db8::53]:5353"],
  ];
  it.each(good)("reads %s", (text, address, port, formatted) => {
    expect(parseServerAddress(text)).toEqual({ ok: true, value: { address, port } });
    expect(formatServerAddress({ address, port })).toBe(formatted);
  });

  const bad: [string, string][] = [
    ["", "nothing"],
    ["resolver.example.org", "a name"],
    ["192.0.2.53:0", "port 0"],
    ["192.0.2.53:65536", "a port beyond 16 bits"],
    ["192.0.2.53:", "a colon without a port"],
    ["[192.0.2.53]:53", "brackets around IPv4"],
    ["[2001:db8::53", "an open bracket"],
    ["fe80::1%eth0", "a scope"],
    ["192.0.2.53 ", "a space"],
  ];
  it.each(bad)("refuses %j: %s", (text) => {
    expect(parseServerAddress(text).ok).toBe(false);
  });
});

describe("resolv.conf", () => {
  const rows: [string, string[], string][] = [
    ["nameserver 192.0.2.1\nnameserver\t2001:db8::1\n", ["192.0.2.1", "2001:db8::1"], "both families"],
    ["# nameserver 192.0.2.1\n; nameserver 192.0.2.2\n", [], "comments"],
    ["nameserver 192.0.2.1 # office\r\n", ["192.0.2.1"], "a remark behind it"],
    [" nameserver 192.0.2.1\n", [], "the keyword must start the line"],
    ["nameservers 192.0.2.1\nsearch example.org\noptions edns0\n", [], "other words"],
    ["nameserver fe80::1%eth0\nnameserver 192.0.2.1\n", ["192.0.2.1"], "a scoped address is passed over"],
    [
      [1, 2, 3, 4].map((n) => `nameserver 192.0.2.${n}`).join("\n"),
      ["192.0.2.1", "192.0.2.2", "192.0.2.3"],
      "three at most",
    ],
  ];
  it.each(rows)("%j names %j: %s", (text, addresses) => {
    expect(parseResolvConf(text).map(({ address }) => address)).toEqual(addresses);
  });
});
