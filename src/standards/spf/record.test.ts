import { describe, expect, it } from "vitest";
import { fc } from "../../../test/support/random-inputs.ts";
import { type IpNetwork, parseNetwork } from "../dns/address.ts";
import { type MacroString, parseDomainSpec, parseMacroString } from "./macro.ts";
import {
  authorisesOnlyMx,
  effectiveRedirect,
  formatSpfRecord,
  isSpfRecord,
  lookupCost,
  parseSpfRecord,
  parseTerm,
  type SpfTerm,
  termKey,
} from "./record.ts";

describe("isSpfRecord", () => {
  it.each([
    ["v=spf1", true, "nothing behind the version"],
    ["v=spf1 -all", true, "a space"],
    ["V=SPF1 -all", true, "no case"],
    ["v=spf10 -all", false, "another version"],
    ["v=spf1;-all", false, "a semicolon"],
    ["v=spf1\t-all", false, "a tab is no space"],
    [" v=spf1 -all", false, "a blank in front"],
    ["v = spf1 -all", false, "blanks within"],
  ])("%j is %s: %s", (text, expected) => {
    expect(isSpfRecord(text)).toBe(expected);
  });
});

describe("parseSpfRecord", () => {
  it.each([
    ["v=spf1 mx a ip4:192.0.2.1 ip6:2001:db8::1 ~all", "R31, byte for byte"],
    ["v=spf1 mx -all", "R32"],
    ["v=spf1 mx ip4:192.0.2.222 -all", "R32"],
    ["v=spf1", "nothing at all"],
    ["v=spf1 a/24//64 mx:example.org//64 a:example.org/0", "prefix lengths"],
    ["v=spf1 exists:%{ir}.%{l1r-}._spf.%{d} -all", "macros"],
    ["v=spf1 ?include:_spf.example.org redirect=example.org exp=e.example.org", "modifiers"],
    ["v=spf1 moo.cow-far_out=man:dog/cat ptr:example.org", "an unknown modifier"],
  ])("%s survives: %s", (text) => {
    const parsed = parseSpfRecord(text);
    expect(parsed.ok && formatSpfRecord(parsed.value)).toBe(text);
  });

  it("forgives spaces, case and explicit signs, and keeps the places", () => {
    const parsed = parseSpfRecord("v=spf1  +MX   +A:Example.org  -ALL ");
    if (!parsed.ok) throw new TypeError(parsed.problem);
    expect(parsed.value.terms.map(({ kind, offset, text }) => [kind, offset, text])).toEqual([
      ["mx", 8, "+MX"],
      ["a", 14, "+A:Example.org"],
      ["all", 30, "-ALL"],
    ]);
    expect(formatSpfRecord(parsed.value)).toBe("v=spf1 mx a:Example.org -all");
  });

  /** R39: records as they are really published, with the place for the caret. */
  it.each([
    ["v=spf1 ip4:192.0.2.1 foo -all", 21, "no such mechanism"],
    ["v=spf1 a mx al", 12, "a typing mistake"],
    ["v=spf1 ip4:192.0.2.0/33 -all", 11, "a prefix length too long"],
    ["v=spf1 ip4:192.0.2.0/024", 11, "a leading zero"],
    ["v=spf1 ip4:192.0.2 -all", 11, "three numbers"],
    ["v=spf1 ip4:192.0.2.256 -all", 11, "a number too large"],
    ["v=spf1 ip4:192.0.2.1:25", 11, "a port"],
    ["v=spf1 ip4:mail.example.org -all", 11, "a host name"],
    ["v=spf1 ip4:2001:db8::1 -all", 11, "the other family"],
    ["v=spf1 ip6:192.0.2.1 -all", 11, "the other family"],
    ["v=spf1 ip6:2001:db8:::1", 11, "three colons"],
    ["v=spf1 ip6:2001:db8::/129", 11, "a prefix length too long"],
    ["v=spf1 ip4 -all", 10, "no address"],
    ["v=spf1 ip4: 192.0.2.1 -all", 11, "a space behind the colon"],
    ["v=spf1 ip4=192.0.2.1%", 20, "a broken macro in an unknown modifier"],
    ["v=spf1 ipv4:192.0.2.1 -all", 7, "ipv4"],
    ["v=spf1 ip4:192.0.2.1,ip4:192.0.2.2 -all", 11, "a comma"],
    ["v=spf1 ip4:192.0.2.1; -all", 11, "a semicolon"],
    ["v=spf1 ip4:192.0.2.1-all", 11, "a missing space"],
    ["v=spf1 include -all", 14, "include without a name"],
    ["v=spf1 include: example.org", 15, "a space behind the colon"],
    ["v=spf1 include:example.org/24", 15, "include has no prefix length"],
    ["v=spf1 include=example.org include", 34, "a bare include at the end"],
    ["v=spf1 include:com", 15, "a single label"],
    ["v=spf1 a:192.0.2.1 -all", 9, "an address where a name belongs"],
    ["v=spf1 a:example.org/33", 20, "a prefix length too long"],
    ["v=spf1 a:example.org//129", 21, "an IPv6 prefix length too long"],
    ["v=spf1 a/24/64", 8, "one slash for IPv6"],
    ["v=spf1 a:", 9, "no name"],
    ["v=spf1 mx:example.org:25 -all", 10, "a port"],
    ["v=spf1 ptr/24", 10, "ptr has no prefix length"],
    ["v=spf1 exists", 13, "exists without a name"],
    ["v=spf1 exists:%(ir).example.org", 14, "a broken macro"],
    ["v=spf1 exists:a.%{x}.example.org", 16, "no such macro"],
    ["v=spf1 all.", 7, "a dot behind all"],
    ["v=spf1 -all:example.org", 11, "something behind all"],
    ["v=spf1 - all", 8, "a sign alone"],
    ["v=spf1 redirect:example.org", 7, "a colon for ="],
    ["v=spf1 -redirect=example.org", 8, "a sign before a modifier"],
    ["v=spf1 redirect=", 16, "redirect to nowhere"],
    ["v=spf1 redirect=a.org redirect=b.org", 22, "redirect twice"],
    ["v=spf1 exp=a.org -all EXP=b.org", 22, "exp twice"],
    ["v=spf1 mx -all a -all\u00e9", 18, "a character beyond ASCII"],
    ["v=spf1 =all", 7, "no name"],
    ["v=spf1 1up=foo", 7, "a modifier's name begins with a letter"],
    ["v=spf1 a\tmx", 7, "a tab"],
    ["v=spf1 a:example.org\u0000", 20, "a control character"],
  ])("refuses %j at %i: %s", (text, offset) => {
    expect(parseSpfRecord(text)).toMatchObject({ ok: false, offset });
  });
});

describe("what a term costs", () => {
  it.each([
    ["all", 0],
    ["ip4:192.0.2.0/24", 0],
    ["ip6:2001:db8::/32", 0],
    ["exp=e.example.org", 0],
    ["moo=cow", 0],
    ["a", 1],
    ["mx:example.org", 1],
    ["ptr", 1],
    ["include:example.org", 1],
    ["exists:%{i}.example.org", 1],
    ["redirect=example.org", 1],
    ["exists:%{p}.example.org", 2],
  ])("%s costs %i", (text, cost) => {
    const term = parseTerm(text);
    expect(term.ok && lookupCost(term.value)).toBe(cost);
  });
});

it.each([
  ["v=spf1 redirect=a.org ?all", undefined as string | undefined, "all turns it off, wherever it stands"],
  ["v=spf1 mx redirect=a.org", "a.org", "nothing in its way"],
])("effectiveRedirect of %s", (text, name, _why) => {
  const parsed = parseSpfRecord(text);
  expect(parsed.ok && effectiveRedirect(parsed.value.terms)?.domain.text).toBe(name);
});

it.each([
  ["v=spf1 mx -all", true, "E19"],
  ["v=spf1 mx/24 ?all", true, "with a prefix length"],
  ["v=spf1 mx ip4:192.0.2.1 -all", false, "an address too"],
  ["v=spf1 mx redirect=a.example", false, "a redirect too"],
  ["v=spf1 mx:example.net -all", false, "another domain's"],
  ["v=spf1 -all", false, "nobody"],
])("authorisesOnlyMx(%s) is %s: %s", (text, expected) => {
  expect(authorisesOnlyMx(value(parseSpfRecord(text)))).toBe(expected);
});

it("termKey forgets case except inside macros", () => {
  const key = (text: string) => {
    const term = parseTerm(text);
    return term.ok ? termKey(term.value) : text;
  };
  expect(key("+A:Example.ORG")).toBe(key("a:example.org"));
  expect(key("exists:%{L}.example.org")).not.toBe(key("exists:%{l}.example.org"));
});

function value<T>(parsed: { ok: true; value: T } | { ok: false; problem: string }): T {
  if (!parsed.ok) throw new TypeError(parsed.problem);
  return parsed.value;
}

const label = fc.stringMatching(/^[a-z0-9_-]{1,10}$/);
const macro = fc
  .tuple(
    fc.constantFrom(..."slodipvhSLODIPVH"),
    fc.integer({ min: 1, max: 130 }).map(String),
    fc.constantFrom("", "r", "R"),
    fc.stringMatching(/^[-.+,/_=]{0,3}$/),
  )
  .map(([letter, digits, reverse, delimiters]) => `%{${letter}${digits}${reverse}${delimiters}}`);
const domainSpec: fc.Arbitrary<MacroString> = fc
  .array(fc.oneof(label, macro, fc.constantFrom("%%", "%_", "%-")), { maxLength: 4 })
  .map((parts) => value(parseDomainSpec([...parts, "example", "org"].join("."))));
const network = (addresses: fc.Arbitrary<string>, bits: number): fc.Arbitrary<IpNetwork> =>
  fc
    .tuple(addresses, fc.integer({ min: 0, max: bits }))
    .map(([a, length]) => value(parseNetwork(`${a}/${length}`)));
const qualifier = fc.constantFrom("+" as const, "-" as const, "~" as const, "?" as const);
const prefixLengths = {
  prefixLength4: fc.integer({ min: 0, max: 32 }),
  prefixLength6: fc.integer({ min: 0, max: 128 }),
};
const optionalSpec = fc.option(domainSpec, { nil: undefined });

const term: fc.Arbitrary<SpfTerm> = fc.oneof(
  fc.record({ kind: fc.constant("all" as const), qualifier }),
  fc.record({ kind: fc.constantFrom("include" as const, "exists" as const), qualifier, domain: domainSpec }),
  fc.record({
    kind: fc.constantFrom("a" as const, "mx" as const),
    qualifier,
    domain: optionalSpec,
    ...prefixLengths,
  }),
  fc.record({ kind: fc.constant("ptr" as const), qualifier, domain: optionalSpec }),
  fc.record({ kind: fc.constant("ip4" as const), qualifier, network: network(fc.ipV4(), 32) }),
  fc.record({ kind: fc.constant("ip6" as const), qualifier, network: network(fc.ipV6(), 128) }),
  fc.record({
    kind: fc.constant("unknown" as const),
    name: fc.stringMatching(/^x[a-z0-9._-]{0,8}$/),
    value: fc
      .stringMatching(/^[a-z0-9:/.]{0,8}$/)
      .map((text) => value(parseMacroString(text, "unknown-modifier"))),
  }),
);

it("parse(format(record)) equals the record", () => {
  fc.assert(
    fc.property(fc.array(term, { maxLength: 6 }), optionalSpec, (terms, domain) => {
      const record = {
        terms: domain === undefined ? terms : [...terms, { kind: "redirect" as const, domain }],
      };
      const parsed = value(parseSpfRecord(formatSpfRecord(record)));
      expect(parsed.terms.map(({ offset: _offset, text: _text, ...bare }) => bare)).toEqual(record.terms);
    }),
    { numRuns: 300 },
  );
});

it("never throws, and puts the caret inside the text", () => {
  fc.assert(
    fc.property(fc.string({ maxLength: 60 }), (tail) => {
      const text = `v=spf1 ${tail}`;
      const parsed = parseSpfRecord(text);
      if (!parsed.ok) expect(parsed.offset).toBeLessThanOrEqual(text.length);
    }),
  );
});
