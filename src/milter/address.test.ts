import { describe, expect, it } from "vitest";
import { formatMilterAddress, parseMilterAddress } from "./address.ts";

describe("addresses of milters", () => {
  it.each([
    ["unix:/run/zonepost/milter.sock", "unix:/run/zonepost/milter.sock"],
    ["local:/run/x.sock", "unix:/run/x.sock"],
    ["inet:8891@127.0.0.1", "inet:8891@127.0.0.1"],
    ["inet:8891", "inet:8891@127.0.0.1"],
    ["inet:8891@localhost", "inet:8891@127.0.0.1"],
    ["inet6:8891@::1", "inet6:8891@::1"],
    ["inet6:8891@[2001:DB8::1]", "inet6:8891@2001:db8::1"],
    ["inet6:8891", "inet6:8891@::1"],
  ])("%s is %s", (text, formatted) => {
    const address = parseMilterAddress(text);
    expect(address.ok && formatMilterAddress(address.value)).toBe(formatted);
  });

  it.each([
    ["", "is no address of a milter", "nothing"],
    ["/run/x.sock", "is no address of a milter", "a path alone"],
    ["unix:run/x.sock", "needs a path from the root on", "Postfix would take it from its own folder"],
    ["unix:/run/", "names no file", "a folder"],
    [`unix:/${"x".repeat(107)}`, "108 octets", "longer than a socket's path"],
    ["inet:127.0.0.1:8891", "needs a port and an address", "the other way round"],
    ["inet:0@127.0.0.1", "port 0", "no port"],
    ["inet:65536@127.0.0.1", "port 65536", "no port either"],
    ["inet:8891@mail.example.org", "where an IP address belongs", "a name may stand for anything"],
    ["inet:8891@::1", 'write it with "inet6:"', "the other family"],
    ["inet6:8891@192.0.2.1", 'write it with "inet:"', "the other family"],
  ])("%j: %s (%s)", (text, problem) => {
    expect(parseMilterAddress(text)).toEqual({ ok: false, problem: expect.stringContaining(problem) });
  });
});
