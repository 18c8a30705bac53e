import { describe, expect, it } from "vitest";
import { fc } from "../../../test/support/random-inputs.ts";
import { authorDomainsOf, MAX_MAILBOXES, parseAddressList } from "./address-list.ts";
import { headerField } from "./header-field.ts";

/** Text as its octets in UTF-8, the way it stands in a header. */
const octets = (text: string) => Buffer.from(text).toString("latin1");

/** "name|local|domain" for each mailbox, then the domain name where it differs. */
function shown(value: string): string[] | string {
  const list = parseAddressList(value);
  if (!list.ok) return `${list.offset}: ${list.problem}`;
  return list.value.map(({ displayName, localPart, domain, domainName }) => {
    const name = domainName === domain ? "" : `|${domainName ?? "-"}`;
    return `${displayName ?? ""}|${localPart}|${domain}${name}`;
  });
}

describe("parseAddressList", () => {
  it.each([
    [" me@example.org", ["|me|example.org"], "an address alone"],
    ["Me <me@Example.ORG>", ["Me|me|Example.ORG|example.org"], "a name"],
    ['"Me, Myself" <me@example.org>', ["Me, Myself|me|example.org"], "a quoted name"],
    ['"a \\"b\\" \\\\" <me@example.org>', ['a "b" \\|me|example.org'], "quoted pairs"],
    ['J. "R"  Doe\r\n <me@example.org>', ["J. R Doe|me|example.org"], "a dot, words, a fold"],
    ["=?utf-8?q?J=C3=B6rg?= <j@example.org>", ["=?utf-8?q?J=C3=B6rg?=|j|example.org"], "encoded words"],
    ["me@example.org (Me (myself))", ["|me|example.org"], "comments in comments"],
    ["(a) me (b) @ (c) example (d) . org (e)", ["|me|example.org"], "comments everywhere (§4.4)"],
    ["( \\) ) me@example.org", ["|me|example.org"], "a quoted pair in a comment"],
    ["a . b @ example . org", ["|a.b|example.org"], "blanks around dots (§4.4)"],
    ['"a b".c@example.org', ['|"a b".c|example.org'], "a quoted word in a local part"],
    ['"a@b"@example.org', ['|"a@b"|example.org'], "an at-sign in quotes"],
    ["<a@example.org>,b@example.net", ["|a|example.org", "|b|example.net"], "two"],
    [",, a@example.org ,,b@example.net, ", ["|a|example.org", "|b|example.net"], "null members (§4.4)"],
    ["<@x.example,@y.example:me@example.org>", ["|me|example.org"], "a route (§4.4)"],
    ["<,@x.example,,:me@example.org>", ["|me|example.org"], "a route with null members"],
    ["Us:a@example.org,B <b@example.net>;", ["|a|example.org", "B|b|example.net"], "a group"],
    ["Us: ;", [], "an empty group"],
    ['"Us":(nobody),;, c@example.org', ["|c|example.org"], "an empty group, then an address"],
    ["me@[192.0.2.1]", ["|me|[192.0.2.1]|-"], "an address literal"],
    ["me@[IPv6:2001:db8::1]", ["|me|[IPv6:2001:db8::1]|-"], "of the other family"],
    ["me@[a\\]b]", ["|me|[a\\]b]|-"], "with a quoted pair (§4.4)"],
    [
      octets("Jörg <jörg@bücher.example>"),
      [octets("Jörg|jörg|bücher.example|xn--bcher-kva.example")],
      "UTF-8",
    ],
    ["me@b\xfccher.example", ["|me|b\xfccher.example|-"], "octets that are no UTF-8"],
    ["me@-a.example", ["|me|-a.example"], "a name that DNS can hold"],
    [`me@${"a".repeat(64)}.example`, [`|me|${"a".repeat(64)}.example|-`], "a label too long"],
    ["me@a..example", ["|me|a..example|-"], "an empty label"],
    ["me@example.org.", ["|me|example.org.|example.org"], "a dot at the end"],
    [".a..b.@example.org", ["|.a..b.|example.org"], "dots anywhere in a local part"],
    ["a@b.example <c@example.org>", ["a@b.example|c|example.org"], "an address for a name"],
    ["[List] Me <c@example.org>", ["[List] Me|c|example.org"], "brackets in a name"],
    ["", [], "nothing"],
    [" (nobody) ", [], "a comment"],
  ])("%j: %s", (value, expected) => {
    expect(shown(value)).toEqual(expected);
  });

  it.each([
    ["me", '0: an address has no "@"', "a word"],
    ["Doe, J <j@example.org>", '0: an address has no "@"', "a comma that needs quotes"],
    ["me@", "3: the domain of an address is empty", "no domain"],
    ["@example.org", "12: the local part of an address is empty", "no local part"],
    ["a b@example.org", "2: a dot is missing within the local part", "two words"],
    ["a@example org", "10: a dot is missing within the domain", "two words"],
    ["a@b@example.org", '3: "@" does not belong into the domain', "two at-signs"],
    ["<a@example.org", '0: an address lacks its ">"', "no end"],
    ["<>", "0: there is no address in the angle brackets", "the empty reverse-path"],
    ["a@example.org>", "13: an address, a comma or the end belongs here", "no beginning"],
    ["<<a@example.org>>", "1: a character does not belong into an address", "brackets twice"],
    ["<a@example.org> <b@example.net>", "16: an address, a comma or the end belongs here", "no comma"],
    ["<a@example.org> b", "16: an address, a comma or the end belongs here", "text behind"],
    ["<a@example.org;b@example.net>", "14: a character does not belong into an address", "a semicolon"],
    ["<a:b@example.org>", "2: a colon does not belong into an address", "no route"],
    ["Us: a@example.org", "17: a group has no end", "an open group"],
    ["Us: Them: a@example.org;;", "8: a group within a group", "a group in a group"],
    [": a@example.org;", "0: a group has no name", "a group without a name"],
    ["Us:; a@example.org", "5: a comma belongs between a group and what follows", "no comma"],
    ["a@example.org;", "13: an address, a comma or the end belongs here", "a semicolon of no group"],
    ['"a <me@example.org>', "0: a quoted string has no end", "an open quote"],
    ["(a me@example.org", "0: a comment has no end", "an open comment"],
    ["a@[192.0.2.1", '2: a "[" has no "]"', "an open bracket"],
    ["a@[[", "3: a bracket within brackets", "two open brackets"],
    ["a\0@example.org", '0: an address has no "@"', "a control character"],
    [`${"(".repeat(33)}`, "32: comments are nested deeper than 32", "deep comments"],
    [`${"a@b,".repeat(MAX_MAILBOXES + 1)}`, "4000: there are more than 1000 addresses", "far too many"],
  ])("refuses %j: %s", (value, problem) => {
    expect(shown(value)).toBe(problem);
  });

  const atom = fc.stringMatching(/^[a-z0-9!#$%&'*+/=?^_`{|}~-]{1,8}$/);
  const quoted = fc.stringMatching(/^[ -~]{0,8}$/).map((text) => `"${text.replace(/["\\]/g, "\\$&")}"`);
  const blanks = fc.constantFrom("", " ", "\r\n ", "(c)", " (a (b) \\( ) ");
  const mailbox = fc.record({
    words: fc.array(fc.oneof(atom, quoted), { minLength: 1, maxLength: 3 }),
    blanks,
  });

  it("finds what was written, with blanks and comments anywhere", () => {
    const addresses = fc.array(fc.tuple(mailbox, mailbox, fc.boolean()), { maxLength: 5 });
    fc.assert(
      fc.property(addresses, (list) => {
        const texts = list.map(([{ words, blanks: gap }, , isAngle]) => {
          const address = `${words.join(`${gap}.${gap}`)}${gap}@${gap}example${gap}.${gap}org`;
          return isAngle
            ? `${gap}${words.join(` ${gap}`)}${gap}<${gap}${address}${gap}>${gap}`
            : gap + address + gap;
        });
        const found = parseAddressList(texts.join(","));
        expect(found.ok && found.value.map(({ localPart, domain }) => `${localPart}@${domain}`)).toEqual(
          list.map(([{ words }]) => `${words.join(".")}@example.org`),
        );
      }),
    );
  });
});

describe("authorDomainsOf", () => {
  const domainsOf = (...values: string[]) =>
    authorDomainsOf([headerField("Subject", " a@b"), ...values.map((value) => headerField("fRoM ", value))]);

  it.each<[string[], object, string]>([
    [["a@Example.org"], { status: "one", domain: "example.org" }, "one address"],
    [["a@example.org, B <b@example.org>"], { status: "one", domain: "example.org" }, "two of one domain"],
    [[octets("a@bücher.example")], { status: "one", domain: "xn--bcher-kva.example" }, "U-labels"],
    [
      ["a@example.org, b@example.net"],
      { status: "several", domains: ["example.org", "example.net"], problem: "From names 2 domains" },
      "two domains",
    ],
    [
      ["a@example.org", "b@example.org"],
      { status: "several", domains: ["example.org"], problem: "the message has 2 From fields" },
      "two fields, which a reader may show either of",
    ],
    [
      ["a@example.org", "b@"],
      { status: "several", domains: ["example.org"], problem: "the message has 2 From fields" },
      "two fields, one of which cannot be read",
    ],
    [
      ["a@example.org, b@[192.0.2.1]"],
      { status: "several", domains: ["example.org"], problem: "From has an address without a domain name" },
      "an address beside it that has none: no way around DMARC",
    ],
    [[], { status: "none", problem: "the message has no From field" }, "no field"],
    [["Us:;"], { status: "none", problem: "there is no address in From" }, "nobody"],
    [
      ["a@[192.0.2.1]"],
      { status: "none", problem: "From has an address without a domain name" },
      "a literal",
    ],
    [
      ["a@b..c"],
      { status: "none", problem: "From has an address whose domain is no domain name" },
      "no name",
    ],
    [
      ["Doe, J <j@example.org>"],
      {
        status: "several",
        domains: ["example.org"],
        problem: 'the From field cannot be read: an address has no "@"',
      },
      "a comma without quotes: what mail programs show is asked for all the same",
    ],
    [
      ["me"],
      { status: "none", problem: 'the From field cannot be read: an address has no "@"' },
      "no address",
    ],
  ])("%j is %j: %s", (values, expected) => {
    expect(domainsOf(...values)).toEqual(expected);
  });
});

describe("hostile values", () => {
  const MEBIBYTE = 1_048_576;
  const pieces = [
    ...[
      "(",
      ")",
      "(a)",
      "(\\",
      '"<',
      '""',
      '"',
      "<",
      "<@",
      "@",
      "a@",
      "a@b,",
      ",",
      ":",
      "a:",
      "a:;,",
      ".",
      "a.",
      "[",
      "[]",
    ],
    ...["[\\", "\\", " ", "\r\n ", "a", "a ", "<a@b>", "<@a:", "\xff", "\0", "a@\xc3\xbc", "a@xn--"],
  ];

  it.each(pieces)("1 MiB of %j takes no time that grows with its square", (piece) => {
    const value = piece.repeat(Math.floor(MEBIBYTE / piece.length));
    for (const text of [value, `<${value.slice(1)}`, `a@${value.slice(2)}`]) {
      const started = performance.now();
      parseAddressList(text);
      expect(performance.now() - started).toBeLessThan(4_500);
    }
  });

  it("longer ones are not read at all", () => {
    expect(parseAddressList(" ".repeat(MEBIBYTE + 1)).ok).toBe(false);
  });

  it("nothing makes it throw", () => {
    const values = fc.array(fc.constantFrom(...pieces, "example", "org"), { maxLength: 20 });
    fc.assert(
      fc.property(values, (list) => {
        const value = list.join("");
        const result = parseAddressList(value);
        if (!result.ok) expect(result.offset).toBeLessThanOrEqual(value.length);
        authorDomainsOf([headerField("From", value)]);
      }),
      { numRuns: 20_000 },
    );
  });
});
