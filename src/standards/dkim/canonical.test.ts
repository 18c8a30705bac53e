import { describe, expect, it } from "vitest";
import { fc } from "../../../test/support/random-inputs.ts";
import { headerField } from "../message/header-field.ts";
import { BodyCanonicalizer, type Canonicalization, canonicalField } from "./canonical.ts";

function canonicalBody(
  body: string,
  canonicalization: Canonicalization,
  split: (octets: Buffer) => Buffer[] = (octets) => [octets],
): string {
  const written: string[] = [];
  const canonicalizer = new BodyCanonicalizer(canonicalization, (octets) =>
    written.push(Buffer.from(octets).toString("latin1")),
  );
  for (const chunk of split(Buffer.from(body, "latin1"))) canonicalizer.update(chunk);
  canonicalizer.finish();
  return written.join("");
}

/** The rules of §3.4.3 and §3.4.4 as they are written, on the whole body. */
function asWritten(body: string, canonicalization: Canonicalization): string {
  const reduced =
    canonicalization === "simple"
      ? body
      : body
          .replace(/[ \t]+/g, " ")
          .replace(/ (?=\r\n)/g, "")
          .replace(/ $/, "");
  const content = reduced.replace(/(?:\r\n)*$/, "");
  return content === "" && canonicalization === "relaxed" ? "" : `${content}\r\n`;
}

describe("the body", () => {
  it.each([
    ["", "\r\n", "", "an empty body"],
    ["\r\n\r\n", "\r\n", "", "nothing but empty lines"],
    ["a", "a\r\n", "a\r\n", "a missing CRLF is added"],
    ["a\r\n\r\n\r\n", "a\r\n", "a\r\n", "empty lines at the end"],
    ["\r\n\r\na\r\n", "\r\n\r\na\r\n", "\r\n\r\na\r\n", "empty lines at the start count"],
    [" C \r\nD \t E\r\n\r\n\r\n", " C \r\nD \t E\r\n", " C\r\nD E\r\n", "the example of §3.4.5"],
    ["a \r\n \t\r\n", "a \r\n \t\r\n", "a\r\n", "a line of blanks is empty where relaxed"],
    ["a\r\n \t", "a\r\n \t\r\n", "a\r\n", "blanks at the very end"],
    ["a\nb\r\n", "a\nb\r\n", "a\nb\r\n", "an LF alone ends no line"],
    ["a \nb", "a \nb\r\n", "a \nb\r\n", "so the blank before it stays"],
    ["a\rb\r", "a\rb\r\r\n", "a\rb\r\r\n", "a CR alone ends none either"],
    ["a\r\r\n", "a\r\r\n", "a\r\r\n", "CR CR LF"],
    ["a \r\n\r\nb", "a \r\n\r\nb\r\n", "a\r\n\r\nb\r\n", "empty lines inside"],
    ["\xff\x00\r\n", "\xff\x00\r\n", "\xff\x00\r\n", "any octet"],
    ["\r", "\r\r\n", "\r\r\n", "a lone CR is content"],
  ])("%j: %s", (body, simple, relaxed, _reason) => {
    expect(canonicalBody(body, "simple")).toBe(simple);
    expect(canonicalBody(body, "relaxed")).toBe(relaxed);
  });

  const awkward = fc
    .array(
      fc.constantFrom(
        "a",
        "bc",
        "d".repeat(300),
        "ef\r\n".repeat(90),
        "\n".repeat(300),
        " ",
        "\t",
        "\r\n",
        "\r",
        "\n",
        "\r\n\r\n",
        "\x80",
        "\0",
      ),
      {
        maxLength: 40,
      },
    )
    .map((parts) => parts.join(""));

  it.each(["simple", "relaxed"] as const)(
    "%s is as the rules say, however the body is cut",
    (canonicalization) => {
      fc.assert(
        fc.property(awkward, fc.array(fc.nat({ max: 7 }), { maxLength: 60 }), (body, cuts) => {
          const split = (octets: Buffer) => {
            const chunks: Buffer[] = [];
            let at = 0;
            for (const cut of cuts) {
              chunks.push(octets.subarray(at, at + cut));
              at += cut;
            }
            return [...chunks, octets.subarray(at)];
          };
          expect(canonicalBody(body, canonicalization, split)).toBe(asWritten(body, canonicalization));
        }),
        { numRuns: 3_000 },
      );
    },
  );

  it.each(["simple", "relaxed"] as const)(
    "%s holds a million empty lines without keeping them",
    (canonicalization) => {
      const lines = Buffer.from("\r\n".repeat(1_000), "latin1");
      let length = 0;
      const canonicalizer = new BodyCanonicalizer(canonicalization, (octets) => {
        length += octets.length;
      });
      for (let turn = 0; turn < 1_000; turn += 1) canonicalizer.update(lines);
      expect(length).toBe(0);
      canonicalizer.update(Buffer.from("\n"));
      canonicalizer.finish();
      expect(length).toBe(2_000_000 + 1 + 2);
    },
  );
});

describe("a field", () => {
  it.each([
    ["A", " X", "A: X", "a:X", "the example of §3.4.5"],
    ["B ", " Y\t\r\n\tZ  ", "B : Y\t\r\n\tZ  ", "b:Y Z", "folded, blanks around the colon"],
    ["Subject", "", "Subject:", "subject:", "empty"],
    ["Subject", " \r\n ", "Subject: \r\n ", "subject:", "blanks alone"],
    ["Subject", "x", "Subject:x", "subject:x", "no blank behind the colon"],
    ["Subject", " a  b", "Subject: a  b", "subject:a b", "two blanks"],
    [
      "Subject",
      " gr\xc3\xbc\xc3\x9fe\xa0",
      "Subject: gr\xc3\xbc\xc3\x9fe\xa0",
      "subject:gr\xc3\xbc\xc3\x9fe\xa0",
      "octets above 127, one of which looks like a blank to Unicode",
    ],
    ["Subject", " a\rb\nc", "Subject: a\rb\nc", "subject:a\rb\nc", "no line ends"],
  ])("%j%j", (name, value, simple, relaxed, _reason) => {
    expect(canonicalField(headerField(name, value), "simple")).toBe(simple);
    expect(canonicalField(headerField(name, value), "relaxed")).toBe(relaxed);
  });
});
