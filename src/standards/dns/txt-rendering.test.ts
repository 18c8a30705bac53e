import { describe, expect, it } from "vitest";
import { octets } from "../../../test/support/arbitrary-records.ts";
import { fc } from "../../../test/support/random-inputs.ts";
import { readTxt, renderTxt, type TxtStyle } from "./txt-rendering.ts";

const STYLES: TxtStyle[] = ["bind", "quoted", "strings", "raw"];

describe("renderTxt", () => {
  const long = `v=DKIM1; p=${"A".repeat(300)}`;
  it.each<[string, TxtStyle, string]>([
    ["v=spf1 -all", "bind", '( "v=spf1 -all" )'],
    ["v=spf1 -all", "strings", '"v=spf1 -all"'],
    ["v=spf1 -all", "raw", "v=spf1 -all"],
    ["", "bind", '( "" )'],
    [long, "bind", `(\n  "${long.slice(0, 255)}"\n  "${long.slice(255)}"\n)`],
    [long, "strings", `"${long.slice(0, 255)}" "${long.slice(255)}"`],
    [long, "quoted", `"${long}"`],
    [long, "raw", long],
    ['say "a\\b"\x00\xff', "quoted", '"say \\"a\\\\b\\"\\000\\255"'],
    [" both ends ", "raw", "\\032both ends\\032"],
  ])("%j as %s", (value, style, expected) => {
    expect(renderTxt(value, style)).toBe(expected);
  });

  it.each(STYLES)("is read back from %s, whatever the octets (R48)", (style) => {
    const tricky = fc.array(
      fc.constantFrom('"', "\\", ";", "(", ")", " ", "a TXT ", "\n", "1", "\\;", "\u00ff"),
      { maxLength: 20 },
    );
    const value = fc.oneof(
      octets(0, 700).map((array) => Buffer.from(array).toString("latin1")),
      tricky.map((parts) => parts.join("")),
    );
    fc.assert(
      fc.property(value, (text) => {
        expect(readTxt(renderTxt(text, style)).value).toBe(text);
      }),
      { numRuns: 500 },
    );
  });
});

describe("readTxt", () => {
  it.each<[string, string, string[], string]>([
    ["v=spf1 -all", "v=spf1 -all", [], "a bare value; its semicolons are data"],
    ['  "v=DKIM1; p=" "AAAA"\n', "v=DKIM1; p=AAAA", [], "several strings, nothing between them"],
    ['"a""b"', "ab", [], "strings that touch"],
    ['"v=DKIM1\\; p=AAAA"', "v=DKIM1; p=AAAA", ["txt-escaped-semicolon"], "R49: dig escapes the semicolon"],
    ["v=DKIM1\\; p=AAAA", "v=DKIM1; p=AAAA", ["txt-escaped-semicolon"], "dig's output without its quotes"],
    ['"v=DKIM1\\\\; p="', "v=DKIM1\\; p=", ["txt-literal-backslash"], "R49: DNS holds a backslash"],
    ['"\\"v=spf1 -all\\""', '"v=spf1 -all"', ["txt-inner-quotes"], "DNS holds quotes"],
    ['v=spf1 "-all"', 'v=spf1 "-all"', ["txt-inner-quotes"], "quotes inside a bare value are data"],
    ["“v=spf1 -all”", "v=spf1 -all", ["txt-typographic-quotes"], "copied from a web page"],
    ['"v=spf1 -all', "v=spf1 -all", ["txt-open-quote"], "the end is missing"],
    ['"v=DKIM1; p=" AAAA', "v=DKIM1; p=AAAA", ["txt-unquoted-part"], "a string lost its quotes"],
    ["v=DKIM1; p=AA\n  AA", "v=DKIM1; p=AAAA", ["txt-line-break"], "wrapped by the mail it came in"],
    ["a\\", "a\\", ["txt-broken-escape", "txt-literal-backslash"], "a lone backslash at the end"],
    [`"${"x".repeat(256)}"`, "x".repeat(256), ["txt-string-too-long"], "what RFC 1035 §3.3 refuses"],
    ["für", "f\xc3\xbcr", [], "UTF-8"],
    ['( "a" ; first\n  "b" ; second\n)', "ab", [], "BIND's form with comments"],
    ['k._domainkey.example.org. 3600 IN TXT "v=DKIM1; p="', "v=DKIM1; p=", [], "a line of dig"],
    ["", "", [], "nothing"],
  ])("%j", (text, value, codes, _why) => {
    const read = readTxt(text);
    expect(read.value).toBe(value);
    expect(read.remarks.map(({ code }) => code)).toEqual(codes);
  });

  it("flattens what amavisd showkeys prints (R47)", () => {
    const printed = [
      "; key#1 1024 bits, i=dkim, d=example.org, /var/lib/dkim/example.org.pem",
      "dkim._domainkey.example.org.\t3600 TXT (",
      '  "v=DKIM1; p="',
      '  "MIGfMA0GCSqGSIb3DQEBAQUAA4GNADCBiQKBgQ"',
      '  "IDAQAB")',
    ].join("\n");
    expect(readTxt(printed)).toEqual({
      value: "v=DKIM1; p=MIGfMA0GCSqGSIb3DQEBAQUAA4GNADCBiQKBgQIDAQAB",
      remarks: [],
    });
  });
});
