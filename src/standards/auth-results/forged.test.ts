import { describe, expect, it } from "vitest";
import { fc } from "../../../test/support/random-inputs.ts";
import { headerField } from "../message/header-field.ts";
import { forgedOccurrences } from "./forged.ts";

const octets = (text: string) => Buffer.from(text).toString("latin1");
const IDS = ["mx.example.org", "bücher.example", "Example-Auth"];

const isForged = (value: string) =>
  forgedOccurrences([headerField("Authentication-Results", value)], IDS).length > 0;

describe("forgedOccurrences", () => {
  it.each([
    [" mx.example.org; spf=pass", true, "ours"],
    [" MX.Example.ORG;none", true, "in another case"],
    ["\r\n\tmx.example.org\r\n\t; spf=pass", true, "folded"],
    [" (a (b\\)) ) mx.example.org (c) 1 ; spf=pass", true, "with comments"],
    [' "mx.example.org"; spf=pass', true, "in quotes"],
    [' "mx\\.exa\\mple.org"; spf=pass', true, "with quoted pairs"],
    [' "mx.exa\r\n mple.org" x', true, "folded in quotes, and unreadable"],
    [" mx.example.org.; spf=pass", true, "with a dot at the end"],
    [" example-auth; spf=pass", true, "another of ours, no domain"],
    [octets(" bücher.example; spf=pass"), true, "in U-labels"],
    [octets(" BÜCHER.example; spf=pass"), true, "in another case"],
    [octets(" bu\u0308cher.example; spf=pass"), true, "in another form of Unicode"],
    [" xn--bcher-kva.example; spf=pass", true, "in A-labels"],
    [octets(" mx\u3002example.org; spf=pass"), true, "with another dot"],
    [octets(" mx.exa\u200bmple.org; spf=pass"), true, "with a blank of no width"],
    [" mx.example.org; what is this", true, "unreadable behind"],
    [" mx.example.org", true, "without results"],
    [" mx.example.org/7; spf=pass", true, "with a part of its own"],
    [" mx.example.org:25; spf=pass", true, "with a port"],
    [" mx.example.org foo; spf=pass", true, "with a word behind"],
    [" (mx.example.org; spf=pass", true, "behind a comment that has no end"],
    [
      ` ${"(".repeat(40)}x${")".repeat(40)} mx.example.org; spf=pass`,
      true,
      "behind comments too deep to read",
    ],
    [" mx.(a)example.org; spf=pass", true, "with a comment within"],
    [" mx . example . org; spf=pass", true, "with blanks within"],
    [' "mx.example.org; spf=pass', true, "behind a quote that has no end"],
    [" mx.exam\0ple.org; spf=pass", true, "with a control character"],
    [" ;mx.example.org; spf=pass", true, "behind an empty id"],
    [" =?utf-8?q?mx.example.org?=; spf=pass", true, "as an encoded word"],
    [octets(" x y: bücher.example"), true, "unreadable, in U-labels"],
    [" x y: xn--bcher-kva.example", true, "unreadable, in A-labels"],
    [" mx.example.org 2; spf=pass", true, "of another version"],
    [" mx.example.net 2; spf=pass", true, "not ours, of a version that nobody here can read (§5)"],
    [" mx.example.net 1; spf=pass", false, "not ours"],
    [" mx.example.net; spf=pass (mx.example.org)", false, "not ours, ours in a comment"],
    [" (mx.example.org) mx.example.net; spf=pass", false, "not ours, ours in a comment before"],
    [" mx.example.net; spf=pass smtp.helo=mx.example.org", false, "not ours, ours in a value"],
    [" a.mx.example.org; spf=pass", false, "below ours"],
    [" example.org; spf=pass", false, "above ours"],
    [" spf=pass smtp.helo=mail.example.net", false, "no id, nothing of ours"],
    ["", false, "nothing"],
  ])("%j is %s: %s", (value, expected) => {
    expect(isForged(value)).toBe(expected);
  });

  it("counts among the fields of the name, in any case", () => {
    const fields = [
      headerField("Received", " mx.example.org"),
      headerField("Authentication-Results", " mx.example.net; none"),
      headerField("AUTHENTICATION-RESULTS ", " mx.example.org; none"),
      headerField("ARC-Authentication-Results", " i=1; mx.example.org; none"),
      headerField("X-Authentication-Results", " mx.example.org; none"),
      headerField("authentication-results", " mx.example.org; none"),
    ];
    expect(forgedOccurrences(fields, ["mx.example.org"])).toEqual([2, 3]);
    expect(forgedOccurrences(fields, ["mx.example.org", "MX.example.net."])).toEqual([1, 2, 3]);
    expect(forgedOccurrences(fields, [])).toEqual([]);
    expect(forgedOccurrences(fields, [""])).toEqual([]);
  });

  const pieces = [
    "(",
    ")",
    '"',
    "\\",
    " ",
    "\r\n ",
    ";",
    "mx",
    ".example",
    ".org",
    "\xff",
    "\xc3\xbc",
    "\0",
    "1",
    "spf=pass",
  ];

  it("never throws, and misses none that begins with ours", () => {
    const blanks = fc.constantFrom("", " ", "\r\n\t", "(a)", " ( (b) \\) ) ");
    const list = fc.array(fc.constantFrom(...pieces), { maxLength: 15 }).map((parts) => parts.join(""));
    const id = fc.constantFrom("mx.example.org", "MX.EXAMPLE.ORG", '"mx.example.org"', '"\\mx.example.org"');
    fc.assert(
      fc.property(blanks, id, blanks, list, (before, ours, behind, rest) => {
        isForged(rest);
        expect(isForged(`${before}${ours}${behind};${rest}`)).toBe(true);
      }),
      { numRuns: 20_000 },
    );
  });

  it.each(pieces)("1 MiB of %j takes no time that grows with its square", (piece) => {
    const started = performance.now();
    isForged(piece.repeat(2 ** 20 / piece.length));
    expect(performance.now() - started).toBeLessThan(4_500);
  });
});
