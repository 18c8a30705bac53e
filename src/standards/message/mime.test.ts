import { describe, expect, it } from "vitest";
import { fc } from "../../../test/support/random-inputs.ts";
import { type HeaderField, headerField } from "./header-field.ts";
import { MIME_LIMITS, type MimePart, mimeStructureOf, parseContentType } from "./mime.ts";

const typed = (value: string): HeaderField[] => [headerField("Content-Type", ` ${value}`)];
const body = (text: string) => Buffer.from(text, "latin1");

/** "type[content] (children)", the content of leaves only. */
function shown(part: MimePart, text: string): string {
  const own = part.parts.length === 0 ? `[${text.slice(part.start, part.end)}]` : "";
  const inner = part.parts.map((child) => shown(child, text)).join(" ");
  return `${part.contentType.mediaType}${own}${inner === "" ? "" : ` (${inner})`}`;
}

const structure = (type: string, text: string) => mimeStructureOf(type === "" ? [] : typed(type), body(text));
const MIXED = 'multipart/mixed; boundary="b"';

describe("mimeStructureOf", () => {
  it.each([
    ["", "hello\r\n", "text/plain[hello\r\n]", "no content type"],
    ["nonsense", "hello", "text/plain[hello]", "a content type that cannot be read (RFC 2045 §5.2)"],
    [
      MIXED,
      "preamble\r\n--b\r\n\r\none\r\n--b\r\nContent-Type: text/html\r\n\r\ntwo\r\n\r\n--b--\r\nepilogue\r\n--b\r\n",
      "multipart/mixed (text/plain[one] text/html[two\r\n])",
      "two parts; the line end before a delimiter is its own",
    ],
    [MIXED, "--b\n\none\n--b--", "multipart/mixed (text/plain[one])", "LF alone"],
    [
      MIXED,
      "--b \t\r\n\r\none\r\n--b-- \r\n",
      "multipart/mixed (text/plain[one])",
      "blanks behind delimiters",
    ],
    [
      MIXED,
      "--b\r\n\r\none\r\n--bc\r\n\r\ntwo",
      "multipart/mixed (text/plain[one] text/plain[two])",
      "the beginning of a line suffices (§5.1.1)",
    ],
    [
      MIXED,
      "--b\r\n\r\none\r\n -- b\r\n--\r\n--c\r\nx--b",
      "multipart/mixed (text/plain[one\r\n -- b\r\n--\r\n--c\r\nx--b])",
      "what looks like delimiters; no end",
    ],
    [MIXED, "--b\r\n\r\n--b\r\n\r\n\r\n--b--", "multipart/mixed (text/plain[] text/plain[])", "empty parts"],
    [
      MIXED,
      "--b\r\n--b\r\nA: b\r\n--b--",
      "multipart/mixed (text/plain[] text/plain[])",
      "parts without an empty line",
    ],
    [
      MIXED,
      "--b\r\nno field\r\n--b--",
      "multipart/mixed (text/plain[no field])",
      "a body without an empty line",
    ],
    [MIXED, "nothing", "multipart/mixed[nothing]", "no delimiter at all"],
    ["multipart/mixed", "--b\r\n\r\none", "multipart/mixed[--b\r\n\r\none]", "no boundary"],
    [
      'multipart/mixed; boundary="a"',
      `--a\r\nContent-Type: ${MIXED}\r\n\r\n--b\r\n\r\none\r\n--a\r\n\r\ntwo\r\n--a--`,
      "multipart/mixed (multipart/mixed (text/plain[one]) text/plain[two])",
      "an outer delimiter ends the parts within (§5.1.2)",
    ],
    [
      'multipart/mixed; boundary="b"',
      "--b\r\nContent-Type: multipart/x; boundary=bb\r\n\r\n--bb\r\n\r\none\r\n--bb--\r\n--b--",
      "multipart/mixed (multipart/x (text/plain[one]))",
      "of two delimiters that fit, the longer",
    ],
    [
      MIXED,
      "--b\r\nContent-Type: message/rfc822\r\n\r\nSubject: x\r\nContent-Type: text/html\r\n\r\none\r\n--b--",
      "multipart/mixed (message/rfc822 (text/html[one]))",
      "a message in a message",
    ],
    [
      MIXED,
      "--b\nContent-Type: message/rfc822\n\n\n--b",
      "multipart/mixed (message/rfc822 (text/plain[]) text/plain[])",
      "the one line end both ends a header and stands before a delimiter",
    ],
    ["message/rfc822", "Subject: x\r\n\r\none", "message/rfc822 (text/plain[one])", "nothing but a message"],
    [
      "multipart/digest; boundary=b",
      "--b\r\n\r\nA: b\r\n\r\none\r\n--b--",
      "multipart/digest (message/rfc822 (text/plain[one]))",
      "parts of digests are messages (§5.1.5)",
    ],
    [
      MIXED,
      "--b\r\nContent-Type: message/rfc822\r\nContent-Transfer-Encoding: base64\r\n\r\nQTogYg==\r\n--b--",
      "multipart/mixed (message/rfc822[QTogYg==])",
      "a message that is encoded is not looked into",
    ],
    [
      "multipart/mixed; boundary===_a?b/c",
      "--==_a?b/c\r\n\r\none\r\n--==_a?b/c--",
      "multipart/mixed (text/plain[one])",
      "a boundary that lacks its quotes",
    ],
  ])("%j %j", (type, text, expected, reason) => {
    const { root, exceeded } = structure(type, text);
    expect({ shown: shown(root, text), exceeded, reason }).toEqual({ shown: expected, exceeded: [], reason });
  });

  it("tells charset, encoding and fields of a part", () => {
    const { root } = structure(
      MIXED,
      "--b\r\nContent-Type: text/plain;\r\n charset=UTF-8\r\ncontent-transfer-encoding: (x) Base64 \r\n\r\none\r\n--b\r\nContent-Transfer-Encoding: rot13\r\n\r\n--b--",
    );
    const [first, second] = root.parts;
    expect(first).toMatchObject({ charset: "utf-8", transferEncoding: "base64" });
    expect(first!.fields.map(({ key }) => key)).toEqual(["content-type", "content-transfer-encoding"]);
    expect(second).toMatchObject({ charset: "us-ascii", transferEncoding: "unknown" });
    expect(root).toMatchObject({ charset: undefined, transferEncoding: "7bit" });
  });

  it.each<[string, string, string, string]>([
    ["depth", 'multipart/mixed; boundary="x"', "", "too deep"],
    [
      "boundaryOctets",
      `multipart/mixed; boundary="${"b".repeat(71)}"`,
      `--${"b".repeat(71)}\n\none`,
      "a long boundary",
    ],
    ["parts", MIXED, "--b\n\none\n".repeat(MIME_LIMITS.parts), "many parts"],
    ["fields", MIXED, `--b\n${"A: b\n".repeat(MIME_LIMITS.fields + 1)}\none`, "many fields"],
  ])("says that %s was exceeded", (limit, type, text, reason) => {
    const nested = Array.from(
      { length: 40 },
      (_, level) => `--x${level}\nContent-Type: multipart/mixed; boundary="x${level + 1}"\n\n`,
    ).join("");
    const { exceeded, root } =
      text === "" ? structure('multipart/mixed; boundary="x0"', nested) : structure(type, text);
    expect({ exceeded, reason }).toEqual({ exceeded: [limit], reason });
    const depthOf = (part: MimePart): number => 1 + Math.max(0, ...part.parts.map(depthOf));
    const countOf = (part: MimePart): number => part.parts.reduce((sum, child) => sum + countOf(child), 1);
    expect(depthOf(root)).toBeLessThanOrEqual(MIME_LIMITS.depth);
    expect(countOf(root)).toBeLessThanOrEqual(MIME_LIMITS.parts);
  });

  const pieces = [
    ...["--b", "--bb", "--b--", "--", "-", "\n", "\r\n", "\r", " ", "A: b", ":", "Content-Type: text/html"],
    ...["Content-Type: multipart/mixed; boundary=bb", "Content-Type: multipart/digest; boundary=b", "x"],
    ...["Content-Type: message/rfc822", "Content-Type: multipart/mixed;boundary=b", "\n\n", "\xff"],
  ];

  it("has every part within its parent, one behind the other, whatever comes", () => {
    const within = (part: MimePart) => {
      let at = part.start;
      for (const child of part.parts) {
        expect(child.start).toBeGreaterThanOrEqual(at);
        expect(child.end).toBeGreaterThanOrEqual(child.start);
        within(child);
        at = child.end;
      }
      expect(part.end).toBeGreaterThanOrEqual(at);
    };
    fc.assert(
      fc.property(fc.array(fc.constantFrom(...pieces), { maxLength: 30 }), (list) => {
        const { root } = structure(MIXED, list.join(""));
        within(root);
        expect([root.start, root.end]).toEqual([0, list.join("").length]);
      }),
      { numRuns: 20_000 },
    );
  });

  it.each([...pieces, "--b\n", "--b\n\n", "--b\nA: b\n", "--b\n--bb\n", "--bb--\n", "A: b\n", " \n"])(
    "1 MiB of %j takes no time that grows with its square",
    (piece) => {
      const text = body(
        `--b\r\nContent-Type: multipart/x; boundary=bb\r\n\r\n${piece.repeat(2 ** 20 / piece.length)}`,
      );
      const started = performance.now();
      mimeStructureOf(typed(MIXED), text);
      expect(performance.now() - started).toBeLessThan(4_500);
    },
  );
});

describe("many levels", () => {
  it.each(["--\n", "--x\n", `--x${"y".repeat(60)}\n`])("and 1 MiB of %j take less than a second", (line) => {
    const boundary = (level: number) => `x${"y".repeat(60)}${level}`;
    const nested = Array.from(
      { length: 30 },
      (_, level) =>
        `--${boundary(level)}\nContent-Type: multipart/mixed; boundary="${boundary(level + 1)}"\n\n`,
    ).join("");
    const text = body(nested + line.repeat(2 ** 20 / line.length));
    const started = performance.now();
    const { exceeded } = mimeStructureOf(typed(`multipart/mixed; boundary="${boundary(0)}"`), text);
    expect(exceeded).toEqual([]);
    expect(performance.now() - started).toBeLessThan(4_500);
  });
});

describe("parseContentType", () => {
  it.each<[string, string | undefined, Record<string, string>, string]>([
    [" Text/HTML; Charset=UTF-8", "text/html", { charset: "UTF-8" }, "case"],
    [
      'text/plain; charset="a \\"b\\"" (c) ; x = y',
      "text/plain",
      { charset: 'a "b"', x: "y" },
      "quotes, comments",
    ],
    ["text / (a) plain;\r\n\tformat=flowed", "text/plain", { format: "flowed" }, "blanks and folds"],
    ["text/plain; a=1; A=2", "text/plain", { a: "1" }, "the first of two"],
    ["text/plain; = ; a; b=; c=3 junk; d=4;", "text/plain", { c: "3", d: "4" }, "damage is passed over"],
    ['text/plain junk "; a=1" (; b=2) ; c=3', "text/plain", { c: "3" }, "so is what stands in between"],
    ['text/plain; a="1', "text/plain", {}, "an open quote"],
    ["text/plain; a*0=b; a*1=c", "text/plain", { "a*0": "b", "a*1": "c" }, "pieces (RFC 2231) stay pieces"],
    ["", undefined, {}, "nothing"],
    ["text", undefined, {}, "one word"],
    ["text/", undefined, {}, "no subtype"],
    ["/plain", undefined, {}, "no type"],
    ["(text/plain", undefined, {}, "an open comment"],
  ])("%j: %s", (value, mediaType, parameters, reason) => {
    const parsed = parseContentType(value);
    expect({ reason, mediaType: parsed.ok ? parsed.value.mediaType : undefined }).toEqual({
      reason,
      mediaType,
    });
    if (parsed.ok) expect(Object.fromEntries(parsed.value.parameters)).toEqual(parameters);
  });

  const pieces = [
    "text",
    "/",
    "plain",
    ";",
    "a",
    "=",
    '"',
    "\\",
    "(",
    ")",
    " ",
    "\r\n ",
    "\xff",
    "\0",
    ";a=b",
    '"(";',
  ];

  it("never throws", () => {
    fc.assert(
      fc.property(fc.array(fc.constantFrom(...pieces), { maxLength: 20 }), (list) => {
        parseContentType(list.join(""));
        parseContentType(`text/plain;${list.join("")}`);
      }),
      { numRuns: 20_000 },
    );
  });

  it.each(pieces)("1 MiB of %j takes no time that grows with its square", (piece) => {
    const started = performance.now();
    parseContentType(`text/plain;${piece.repeat(2 ** 20 / piece.length)}`);
    expect(performance.now() - started).toBeLessThan(4_500);
  });
});
