import ipaddr from "ipaddr.js";
import { describe, expect, it } from "vitest";
import { octets } from "../../../test/support/arbitrary-records.ts";
import { fc } from "../../../test/support/random-inputs.ts";
import {
  addressFromOctets,
  contains,
  type IpAddress,
  parseAddress,
  parseNetwork,
  parseReverseName,
  reverseName,
  specialPurpose,
  unmapped,
} from "./address.ts";
import { domainName } from "./name.ts";

function address(text: string): IpAddress {
  const parsed = parseAddress(text);
  if (!parsed.ok) throw new Error(parsed.problem);
  return parsed.value;
}

/** Octets with runs of zeros, where the "::" of RFC 5952 §4.2 is decided. */
const sparse = (size: number) =>
  fc.array(fc.constantFrom(0, 0, 0, 0, 1, 0xff), { minLength: size, maxLength: size });
const anyAddress = fc
  .oneof(octets(4, 4), octets(16, 16), sparse(4), sparse(16))
  .map((value) => addressFromOctets(Uint8Array.from(value)));

const inFull = ({ parts }: ipaddr.IPv6) => parts.map((part) => part.toString(16).padStart(4, "0")).join(":");

describe("addresses, against ipaddr.js", () => {
  it("are written as RFC 5952 asks", () => {
    fc.assert(
      fc.property(anyAddress, ({ text, octets: value }) => {
        const theirs = ipaddr.fromByteArray([...value]);
        expect(text).toBe(
          theirs.kind() === "ipv6" ? (theirs as ipaddr.IPv6).toRFC5952String() : theirs.toString(),
        );
        expect(parseAddress(text)).toEqual({ ok: true, value: addressFromOctets(value) });
      }),
      { numRuns: 2000 },
    );
  });

  it("are read in every form", () => {
    fc.assert(
      fc.property(octets(16, 16), (value) => {
        const theirs = ipaddr.fromByteArray([...value]) as ipaddr.IPv6;
        const quad = [...value.subarray(12)].join(".");
        const mixed = `${inFull(theirs).split(":").slice(0, 6).join(":")}:${quad}`;
        for (const text of [inFull(theirs), theirs.toNormalizedString().toUpperCase(), mixed]) {
          expect(address(text).octets).toEqual(value);
        }
      }),
    );
  });

  it("lie in networks", () => {
    fc.assert(
      fc.property(anyAddress, anyAddress, fc.nat(128), fc.boolean(), (base, other, bits, near) => {
        const prefixLength = Math.min(bits, base.family === 4 ? 32 : 128);
        const probe = near ? flipBit(base, bits) : other;
        const parsed = parseNetwork(`${base.text}/${prefixLength}`);
        if (!parsed.ok) throw new Error(parsed.problem);
        const [theirBase, theirProbe] = [base, probe].map(({ octets: o }) =>
          ipaddr.fromByteArray([...o]),
        ) as [ipaddr.IPv4, ipaddr.IPv4];
        const expected = theirBase.kind() === theirProbe.kind() && theirProbe.match(theirBase, prefixLength);
        expect(contains(parsed.value, probe)).toBe(expected);
      }),
      { numRuns: 2000 },
    );
  });

  it("text that only looks like an address is refused by both, or by us alone for a reason", () => {
    const digits = fc.string({ unit: fc.constantFrom(..."0123:::..af"), maxLength: 20 });
    fc.assert(
      fc.property(digits, (text) => {
        if (parseAddress(text).ok) expect(ipaddr.isValid(text)).toBe(true);
      }),
      { numRuns: 5000 },
    );
  });
});

function flipBit(base: IpAddress, bit: number): IpAddress {
  const value = base.octets.slice();
  const at = bit % (8 * value.length);
  value[at >> 3]! ^= 0x80 >> (at & 7);
  return addressFromOctets(value);
}

it.each<[string, string, string]>([
  ["192.0.2.01", '"192.0.2.01" is not an IPv4 address', "octal to some readers"],
  ["192.0.2", '"192.0.2" is not an IPv4 address', "three parts"],
  ["192.0.2.256", '"192.0.2.256" is not an IPv4 address', "beyond an octet"],
  ["0xc0.0.2.1", '"0xc0.0.2.1" is not an IPv4 address', "hexadecimal"],
  ["fdeb:37d7:ef39:e063", '"fdeb:37d7:ef39:e063" is an incomplete IPv6 address: 4 of 8 groups', "E5"],
  ["1::2::3", '"1::2::3" is not an IPv6 address', "two gaps"],
  ["1:2:3:4:5:6:7:8::", '"1:2:3:4:5:6:7:8::" is not an IPv6 address', "a gap for no group"],
  ["12345::", '"12345::" is not an IPv6 address', "a group of five digits"],
  ["fe80::1%eth0", '"fe80::1%eth0" is not an IPv6 address', "a zone index"],
  ["::192.0.2.1:1", '"::192.0.2.1:1" is not an IPv6 address', "a dotted quad in the middle"],
  [":1:2:3:4:5:6:7", '":1:2:3:4:5:6:7" is not an IPv6 address', "a lone colon first"],
  ["1:2:3:4:5:6:7:", '"1:2:3:4:5:6:7:" is not an IPv6 address', "a lone colon last"],
  [":::", '":::" is not an IPv6 address', "three colons"],
])("refuses %s", (text, problem, _why) => {
  expect(parseAddress(text)).toEqual({ ok: false, problem });
});

it.each<[string, string]>([
  ["192.0.2.0/33", '"/33" is not a prefix length of 0 to 32'],
  ["2001:db8::/129", '"/129" is not a prefix length of 0 to 128'],
  ["192.0.2.0/", '"/" is not a prefix length of 0 to 32'],
  ["192.0.2.0/08", '"/08" is not a prefix length of 0 to 32'],
  ["192.0.2.0/-1", '"/-1" is not a prefix length of 0 to 32'],
])("refuses the network %s", (text, problem) => {
  expect(parseNetwork(text)).toEqual({ ok: false, problem });
});

describe("reverse names", () => {
  it.each<[string, string, string]>([
    ["1.2.3.4", "4.3.2.1.in-addr.arpa", "R25"],
    ["192.168.1.5", "5.1.168.192.in-addr.arpa", "R24"],
    ["2001:db8::1", "1.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.8.b.d.0.1.0.0.2.ip6.arpa", "R26"],
  ])("%s is %s", (text, name, _why) => {
    expect(reverseName(address(text))).toBe(name);
  });

  it("agree with an independent way to make them, and lead back (R26)", () => {
    fc.assert(
      fc.property(anyAddress, (any) => {
        const theirs = ipaddr.fromByteArray([...any.octets]);
        const expected =
          theirs.kind() === "ipv4"
            ? `${theirs.toString().split(".").reverse().join(".")}.in-addr.arpa`
            : `${[...inFull(theirs as ipaddr.IPv6).replaceAll(":", "")].reverse().join(".")}.ip6.arpa`;
        expect(reverseName(any)).toBe(expected);
        expect(parseReverseName(reverseName(any))).toEqual({ ok: true, value: any });
      }),
    );
  });

  it.each<[string, string]>([
    ["3.2.1.in-addr.arpa", "an IPv4 reverse name has 4 numbers, this one 3"],
    ["300.2.0.192.in-addr.arpa", '"192.0.2.300" is not an IPv4 address'],
    ["5.0/26.2.0.192.in-addr.arpa", "an IPv4 reverse name has 4 numbers, this one 5"],
    [`${"0.".repeat(28)}ip6.arpa`, "an IPv6 reverse name has 32 nibbles, this one 28"],
    [`10.${"0.".repeat(31)}ip6.arpa`, "a nibble is one hex digit"],
    ["example.org", "a reverse name ends in in-addr.arpa or ip6.arpa"],
  ])("refuses %s (R26)", (name, problem) => {
    expect(parseReverseName(domainName(name))).toEqual({ ok: false, problem });
  });
});

it.each<[string, string | undefined]>([
  ["192.168.1.2", "private (RFC 1918)"],
  ["172.31.255.255", "private (RFC 1918)"],
  ["172.32.0.0", undefined],
  ["100.64.0.1", "shared by carriers behind NAT (RFC 6598)"],
  ["127.0.0.1", "loopback (RFC 1122)"],
  ["0.0.0.0", "the unspecified address (RFC 1122)"],
  ["0.0.0.1", "“this network” (RFC 791)"],
  ["203.0.113.9", "for documentation (TEST-NET-3, RFC 5737)"],
  ["255.255.255.255", "reserved (RFC 1112)"],
  ["fdeb:37d7:ef39:e063::1", "unique local, ULA (RFC 4193)"],
  ["2001:db8::1", "for documentation (RFC 3849)"],
  ["2001:db9::1", undefined],
  ["::1", "loopback (RFC 4291)"],
  ["fe80::1", "link-local (RFC 4291)"],
  ["::ffff:192.0.2.1", "IPv4-mapped (RFC 4291)"],
  ["::127.0.0.1", "IPv4-compatible, given up (RFC 4291)"],
  ["::8.8.8.8", "IPv4-compatible, given up (RFC 4291)"],
  ["::1:0:0:1", undefined],
  ["fec0::1", "site-local, given up (RFC 3879)"],
  ["feff:ffff::1", "site-local, given up (RFC 3879)"],
  ["64:ff9b::a00:5", "private (RFC 1918)"],
  ["64:ff9b::7f00:1", "loopback (RFC 1122)"],
  ["64:ff9b::808:808", undefined],
])("%s is special: %s (E2, E3)", (text, description) => {
  expect(specialPurpose(address(text))?.description).toBe(description);
});

it("takes the IPv4 address out of an IPv4-mapped one, and nothing else", () => {
  expect(unmapped(address("::ffff:192.0.2.1"))).toEqual(address("192.0.2.1"));
  for (const text of ["192.0.2.1", "::192.0.2.1", "::fffe:192.0.2.1", "1::ffff:192.0.2.1"]) {
    expect(unmapped(address(text))).toEqual(address(text));
  }
});

it("knows no other sizes of address", () => {
  expect(() => addressFromOctets(new Uint8Array(5))).toThrow("an address has 4 or 16 octets, not 5");
});
