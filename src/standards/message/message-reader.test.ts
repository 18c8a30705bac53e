import { describe, expect, it } from "vitest";
import { fc } from "../../../test/support/random-inputs.ts";
import {
  type HeaderSummary,
  MAX_LINE_OCTETS,
  MessageReader,
  type MessageReaderOptions,
  type MessageSummary,
} from "./message-reader.ts";

interface Reading {
  readonly fields: [string, string][];
  readonly body: string;
  readonly header: HeaderSummary;
  readonly summary: MessageSummary;
}

/** `cuts` are the places between the chunks; every chunk is overwritten once it was handed over. */
function read(mail: string, options: MessageReaderOptions = {}, cuts: readonly number[] = []): Reading {
  const fields: [string, string][] = [];
  const headers: HeaderSummary[] = [];
  let body = "";
  const reader = new MessageReader(
    {
      field: ({ name, value }) => {
        expect(headers).toEqual([]);
        fields.push([name, value]);
      },
      endOfHeaders: (header) => headers.push(header),
      body: (chunk) => {
        expect(headers).toHaveLength(1);
        body += Buffer.from(chunk).toString("latin1");
      },
    },
    options,
  );
  for (const [at, from] of [0, ...cuts].entries()) {
    const chunk = Uint8Array.from(Buffer.from(mail.slice(from, cuts[at]), "latin1"));
    reader.write(chunk);
    chunk.fill(0x58);
  }
  const summary = reader.end();
  expect(headers).toEqual([summary.header]);
  return { fields, body, header: headers[0]!, summary };
}

describe("the header", () => {
  it.each<[string, [string, string][], HeaderSummary["end"], string, string]>([
    ["A: b\r\n\r\nbody", [["A", " b"]], "empty-line", "body", "CRLF"],
    ["A: b\n\nbody", [["A", " b"]], "empty-line", "body", "LF, as in files"],
    ["A:b\r\n\r\n", [["A", "b"]], "empty-line", "", "no blank behind the colon, no body"],
    [
      "A: b\r\n\tc\r\n  d \r\n\r\nx",
      [["A", " b\r\n\tc\r\n  d "]],
      "empty-line",
      "x",
      "folds stay as they are",
    ],
    ["A:\r\n \r\n b\r\n\r\n", [["A", "\r\n \r\n b"]], "empty-line", "", "a line of blanks is a fold (§4.2)"],
    ["A \t: b\r\n\r\n", [["A \t", " b"]], "empty-line", "", "blanks before the colon (§4.5)"],
    [
      "A: b:c\r\nA: \xff\x00\r\n\r\n",
      [
        ["A", " b:c"],
        ["A", " \xff\x00"],
      ],
      "empty-line",
      "",
      "any octet",
    ],
    ["A: b\rc\r\n\r\n", [["A", " b\rc"]], "empty-line", "", "a lone CR ends no line"],
    ["A: b\r\r\n\r\n", [["A", " b\r"]], "empty-line", "", "nor does it before CRLF"],
    ["A: b\r\n", [["A", " b"]], "end-of-input", "", "no empty line"],
    ["A: b", [["A", " b"]], "end-of-input", "", "not even a line end"],
    ["A: b\r", [["A", " b\r"]], "end-of-input", "", "a CR that waits in vain"],
    ["", [], "end-of-input", "", "nothing"],
    ["\r\nA: b", [], "empty-line", "A: b", "no fields"],
    ["\nA: b", [], "empty-line", "A: b", "no fields, in a file"],
    ["A: b\r\nhello\r\nC: d\r\n", [["A", " b"]], "not-a-field", "hello\r\nC: d\r\n", "no colon"],
    ["A: b\r\nhello", [["A", " b"]], "not-a-field", "hello", "no colon, no line end"],
    ["A: b\r\nh\u00e9: c\r\n", [["A", " b"]], "not-a-field", "h\u00e9: c\r\n", "a name beyond ASCII"],
    ["A: b\r\n: c\r\n", [["A", " b"]], "not-a-field", ": c\r\n", "a name of no characters"],
    ["A: b\r\nC d: e\r\n", [["A", " b"]], "not-a-field", "C d: e\r\n", "a blank within the name"],
    [" A: b\r\n", [], "not-a-field", " A: b\r\n", "a fold of nothing"],
    ["A: b\r\n\rc", [["A", " b"]], "not-a-field", "\rc", "a lone CR is no empty line"],
    ["From a@b Thu Jan  1 00:00:00 1970\nA: b\n\nc", [["A", " b"]], "empty-line", "c", "a line of mbox"],
    ["From : a\r\n\r\n", [["From ", " a"]], "empty-line", "", "which is not this field"],
    ["A: b\nFrom a@b Thu\n\nc", [["A", " b"]], "not-a-field", "From a@b Thu\n\nc", "nor further down"],
  ])("%j", (mail, fields, end, body, reason) => {
    const reading = read(mail);
    expect({ reason, ...reading }).toMatchObject({ reason, fields, body, header: { end, exceeded: [] } });
    expect(reading.header.hasMboxLine).toBe(/^From [^:]/.test(mail));
  });

  it("tells names apart by what they mean", () => {
    const keys: string[] = [];
    const sink = { field: ({ key }: { key: string }) => keys.push(key), endOfHeaders() {}, body() {} };
    new MessageReader(sink).write(Buffer.from("SUBJECT: a\r\nsubject \t: b\r\n\r\n"));
    expect(keys).toEqual(["subject", "subject"]);
  });
});

describe("line ends", () => {
  it.each([
    ["A: b\n c\nD: e\n\nx\ny\n", "A: b\r\n c|D: e", "x\r\ny\r\n", "every bare LF becomes CRLF"],
    ["A: b\r\n c\r\n\r\nx\r\ny", "A: b\r\n c", "x\r\ny", "CRLF stays"],
    ["A: b\n\nx\ry\r\nz\r", "A: b", "x\ry\r\nz\r", "a lone CR stays"],
    ["A: b\r\n\nx\r\r\n\n\n", "A: b", "x\r\r\n\r\n\r\n", "mixed"],
    ["A: b\nno field\nx", "A: b", "no field\r\nx", "the line that ended the header too"],
  ])("%j", (mail, fields, body, reason) => {
    const reading = read(mail, { lineEnds: "crlf" });
    const shown = reading.fields.map((field) => field.join(":")).join("|");
    expect({ shown, body: reading.body, reason }).toEqual({ shown: fields, body, reason });
  });

  it("are counted as they came", () => {
    const { summary } = read("A: b\n c\r\n\r\nx\r\ry\nz\r", { lineEnds: "crlf" });
    expect(summary).toMatchObject({ bareLineFeeds: 2, bareCarriageReturns: 3, bodyOctets: 7 });
  });

  it("tell how long lines are", () => {
    expect(read(`A: b\r\n\r\n${"x".repeat(998)}\r\nabc`).summary.longestLineOctets).toBe(MAX_LINE_OCTETS);
    expect(read(`A: ${"x".repeat(997)}\n\nabc`).summary.longestLineOctets).toBe(1000);
    expect(read(`A: b\n\nabc${"x".repeat(997)}`).summary.longestLineOctets).toBe(1000);
  });
});

describe("limits", () => {
  const limits = { headerOctets: 100, fields: 4, fieldOctets: 40 };

  it.each<[string, string, string[], string, string]>([
    ["A: b\r\n".repeat(4), "A A A A", [], "x", "as many as are allowed"],
    ["A: b\r\n".repeat(6), "A A A A", ["fields"], "x", "too many fields"],
    [`A: ${"b".repeat(35)}\r\nC: d\r\n`, "A C", [], "x", "40 octets"],
    [`A: ${"b".repeat(36)}\r\nC: d\r\n`, "C", ["fieldOctets"], "x", "41 octets"],
    [`A: ${"b".repeat(400)}\r\nC: d\r\n`, "", ["fieldOctets", "headerOctets"], "x", "far too long"],
    [`A: b\r\n${" c\r\n".repeat(9)}C: d\r\n`, "C", ["fieldOctets"], "x", "many folds"],
    [`A: ${"b".repeat(30)}\r\n`.repeat(3), "A A", ["headerOctets"], "x", "too much in all"],
    [`From ${"b".repeat(300)}\r\nC: d\r\n`, "C", [], "x", "a line of mbox is no part of it"],
  ])("%j", (header, names, exceeded, body, reason) => {
    const reading = read(`${header}\r\nx`, { limits });
    const shown = reading.fields.map(([name]) => name).join(" ");
    expect({ shown, exceeded: reading.header.exceeded, body: reading.body, reason }).toEqual({
      shown: names,
      exceeded,
      body,
      reason,
    });
  });

  it("end the header where a line too long to keep is none of it", () => {
    const mail = `A: b\r\n${"no field ".repeat(20)}\r\nC: d`;
    const { fields, body, header } = read(mail, { limits });
    expect({ fields, body, end: header.end }).toEqual({
      fields: [["A", " b"]],
      body: mail.slice(6),
      end: "not-a-field",
    });
  });

  it("report ten thousand fields, and keep none of those beyond", () => {
    const { fields, header } = read("Received: from a by b\r\n".repeat(10_000));
    expect(fields).toHaveLength(2_000);
    expect(header).toMatchObject({ fields: 10_000, octets: 230_000, exceeded: ["fields"] });
  });
});

const SAMPLES: readonly [string, MessageReaderOptions][] = [
  ["From x@y Thu\nA : b\r\n c\n\td\r\r\nE:\xe9\r\n\r\nx\n\r\n\r\ny\r\rz\n", {}],
  ["From x@y Thu\nA : b\r\n c\n\td\r\r\nE:\xe9\r\n\r\nx\n\r\n\r\ny\r\rz\n", { lineEnds: "crlf" }],
  ["A: b\nno field\r\n\nx", { lineEnds: "crlf" }],
  ["A: b\r", {}],
  ["A: 12345678901234\n b\nC: d\r\n\r\nx", { limits: { fieldOctets: 12, headerOctets: 30 } }],
  ["A: b\nthis is not a field: \r\n\nx", { limits: { fieldOctets: 8 } }],
  ["From a line of an mbox\nA: b\n\nx", { limits: { fieldOctets: 6 } }],
];

describe("chunks", () => {
  it.each(SAMPLES)("cut anywhere, %j is the same (%j)", (mail, options) => {
    const whole = read(mail, options);
    const places = Array.from({ length: mail.length - 1 }, (_, at) => at + 1);
    expect(read(mail, options, places)).toEqual(whole);
    for (const first of places) {
      expect(read(mail, options, [first])).toEqual(whole);
      for (const second of places.filter((place) => place >= first)) {
        expect(read(mail, options, [first, second])).toEqual(whole);
      }
    }
  });

  const pieces = [
    "\r",
    "\n",
    "\r\n",
    " ",
    "\t",
    ":",
    "a",
    "From ",
    "Subject: x",
    "\xe9",
    "\0",
    "long ".repeat(5),
  ];
  const mails = fc.array(fc.constantFrom(...pieces), { maxLength: 30 }).map((list) => list.join(""));

  it("give back what was put in, however cut", () => {
    fc.assert(
      fc.property(mails, fc.array(fc.nat(100), { maxLength: 5 }), fc.boolean(), (mail, places, small) => {
        const options = small ? { limits: { fieldOctets: 12, fields: 2, headerOctets: 40 } } : {};
        const cuts = places.filter((place) => place < mail.length).sort((a, b) => a - b);
        const reading = read(mail, options, cuts);
        expect(reading).toEqual(read(mail, options));
        expect(mail.endsWith(reading.body)).toBe(true);
        if (reading.header.exceeded.length > 0) return;
        const header = reading.fields.map(([name, value]) => `${name}:${value}`);
        let at = reading.header.hasMboxLine ? mail.indexOf("\n") + 1 || mail.length : 0;
        for (const field of header) {
          expect(mail.startsWith(field, at)).toBe(true);
          at += field.length;
          at += /^\r?\n?/.exec(mail.slice(at))![0].length;
        }
        const rest = mail.slice(at, mail.length - reading.body.length);
        expect(rest).toMatch(reading.header.end === "empty-line" ? /^\r?\n$/ : /^$/);
      }),
      { numRuns: 20_000 },
    );
  });

  it("with CRLF have no bare LF, and lose nothing", () => {
    fc.assert(
      fc.property(mails, (mail) => {
        const { body } = read(mail, { lineEnds: "crlf" }, [mail.length >> 1]);
        expect(body).not.toMatch(/(?<!\r)\n/);
        expect(body).toBe(read(mail).body.replace(/(?<!\r)\n/g, "\r\n"));
      }),
      { numRuns: 1000 },
    );
  });
});

describe("size", () => {
  const discard = { field() {}, endOfHeaders() {}, body() {} };

  it.each([
    ["of lines", "x".repeat(70).concat("\r\n")],
    ["of empty lines", "\n"],
    ["of one line", "x"],
  ])("a body of 100 MB %s needs no memory and little time", (_, line) => {
    const chunk = Buffer.from(line.repeat(Math.floor(65_536 / line.length)));
    const reader = new MessageReader(discard, { lineEnds: "crlf" });
    reader.write(Buffer.from("A: b\r\n\r\n"));
    const before = process.memoryUsage();
    const started = performance.now();
    for (let written = 0; written < 100_000_000; written += chunk.length) reader.write(chunk);
    expect(performance.now() - started).toBeLessThan(20_000);
    const after = process.memoryUsage();
    expect(after.heapUsed - before.heapUsed).toBeLessThan(50_000_000);
    expect(reader.end().bodyOctets).toBeGreaterThanOrEqual(100_000_000);
  });

  it.each([
    ["one field", "A: ", "x".repeat(65_536)],
    ["one line that is no field", "", "no field at all ".repeat(4096)],
    ["folds", "A: b", "\n c".repeat(20_000)],
    ["fields", "", "A: b\r\n".repeat(10_000)],
    ["one name", "", "x".repeat(65_536)],
  ])("a header of 50 MB of %s neither", (_, start, piece) => {
    const chunk = Buffer.from(piece);
    const reader = new MessageReader(discard);
    reader.write(Buffer.from(start));
    const before = process.memoryUsage();
    const started = performance.now();
    for (let written = 0; written < 50_000_000; written += chunk.length) reader.write(chunk);
    expect(performance.now() - started).toBeLessThan(20_000);
    expect(process.memoryUsage().heapUsed - before.heapUsed).toBeLessThan(50_000_000);
    const { header, bodyOctets } = reader.end();
    expect(header.octets + bodyOctets).toBeGreaterThanOrEqual(50_000_000);
  });
});
