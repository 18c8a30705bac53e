/** Every format, read back by the rules of whoever reads it. */
import { describe, expect, it } from "vitest";
import { described, GOLDEN_DOMAINS, golden } from "../../test/support/golden.ts";
import { parseZoneText } from "../standards/dns/zone-text.ts";
import { derive } from "./derive.ts";
import { formFields, NAME_STYLES, type NameStyle } from "./form.ts";
import { FORMATS, type Format, formatRecords } from "./format.ts";
import { LISTING_TTL_SECONDS } from "./zone-listing.ts";

type Golden = ReturnType<typeof golden>;

const written = (
  { derived, description }: Pick<Golden, "derived" | "description">,
  format: Exclude<Format, "table">,
  nameStyle: NameStyle = "at",
) => formatRecords(derived, description, format, { nameStyle });

const TOKEN = '=HYPERLINK("https://attacker.example")';
const FORMULAS = described(`
servers: [{ host: mail.example.com, addresses: 192.0.2.1 }]
domains:
  - domain: example.com
    verification: ['${TOKEN}', '+1', '-1', '@SUM(A1)', 'a, "b" | c', 'a\`b']
`);
const formulas = { derived: derive(FORMULAS), description: FORMULAS };

/** RFC 4180: records of quoted or plain fields, divided by CRLF. */
function readCsv(text: string): string[][] {
  const rows: string[][] = [[]];
  const field = /(?:"((?:[^"]|"")*)"|([^",\r\n]*))(,|\r\n)/gy;
  for (let match = field.exec(text); match !== null; match = field.exec(text)) {
    const [, quoted, plain = "", end] = match;
    rows.at(-1)!.push(quoted === undefined ? plain : quoted.replaceAll('""', '"'));
    if (end === "\r\n") rows.push([]);
    if (field.lastIndex === text.length) return rows.slice(0, -1);
  }
  throw new TypeError("no CSV");
}

describe("csv", () => {
  it.each(GOLDEN_DOMAINS)("$name reads back by RFC 4180", (each) => {
    const [head, ...rows] = readCsv(written(each, "csv"));
    expect(head).toEqual([
      "zone",
      "type",
      "name",
      "priority",
      "value",
      "ttl",
      "importance",
      "creator",
      "reason",
    ]);
    expect(rows).toHaveLength(each.derived.records.length);
    for (const row of rows) expect(row).toHaveLength(head!.length);
    const records = new Set(
      each.derived.records.map(({ record, reason }) => `${record.data.type} ${record.ttlSeconds} ${reason}`),
    );
    for (const [, type, , , , ttl, , , reason] of rows) expect(records).toContain(`${type} ${ttl} ${reason}`);
  });

  it("R81 the six rows of document 003's summary", () => {
    const rows = readCsv(written(golden("many-domains"), "csv")).map((row) => row.slice(1, 5).join("|"));
    expect(rows).toEqual(
      expect.arrayContaining([
        "MX|@|10|mail.example.com",
        "A|mail||192.0.2.1",
        "AAAA|mail||2001:db8::1",
        "TXT|@||v=spf1 mx a ip4:192.0.2.1 ip6:2001:db8::1 ~all",
        "TXT|_dmarc||v=DMARC1; p=none; rua=mailto:dmarc@example.com",
      ]),
    );
  });

  it("no cell is a formula, except the form's own @", () => {
    const cells = readCsv(written(formulas, "csv")).flat();
    expect(cells).toContain(`'${TOKEN}`);
    expect(cells.filter((cell) => /^[=+\-@\t\r]/.test(cell) && cell !== "@")).toEqual([]);
  });
});

describe("markdown", () => {
  /** GitHub's tables: cells are divided by bars that no backslash escapes. */
  const rowsOf = (text: string) =>
    text
      .split("\n")
      .filter((line) => line.startsWith("| ") && !line.startsWith("| Type"))
      .map((line) => line.slice(2, -2).split(/(?<!\\) \| /));

  it.each(GOLDEN_DOMAINS)("$name: a row a record, six cells a row", (each) => {
    const rows = rowsOf(written(each, "markdown"));
    expect(rows).toHaveLength(each.derived.records.length);
    for (const row of rows) expect(row).toHaveLength(6);
  });

  it("a value that has bars and backticks", () => {
    const values = rowsOf(written(formulas, "markdown")).map((row) => row[2]);
    expect(values).toContain('`a, "b" \\| c`');
    expect(values).toContain("`` a`b ``");
  });

  it("an internationalised zone by both its names", () => {
    expect(written(golden("internationalised"), "markdown")).toMatch(
      /^## xn--bcher-kva\.example \(bücher\.example\)\n/,
    );
  });
});

describe("form (R2, R18)", () => {
  it.each<[style: NameStyle, mx: string, mail: string]>([
    ["at", "MX | @ | 10 | mail.example.com", "A | mail | 192.0.2.1"],
    ["blank", "MX |  | 10 | mail.example.com", "A | mail | 192.0.2.1"],
    ["full", "MX | example.com | 10 | mail.example.com", "A | mail.example.com | 192.0.2.1"],
    ["dotted", "MX | example.com. | 10 | mail.example.com", "A | mail.example.com. | 192.0.2.1"],
  ])("%s", (style, mx, mail) => {
    const lines = written(golden("one-server"), "form", style).split("\n");
    expect(lines).toContain(mx);
    expect(lines).toContain(mail);
    expect(NAME_STYLES).toHaveLength(4);
  });
});

describe("json", () => {
  it.each(GOLDEN_DOMAINS)("$name: every record whole, with what to type to see it", (each) => {
    const { records, files, notes } = JSON.parse(written(each, "json"));
    expect(files).toEqual(each.derived.files);
    expect(notes).toEqual(each.derived.notes);
    expect(records).toHaveLength(each.derived.records.length);
    const zoneText = records.map(({ zoneText }: { zoneText: string }) => zoneText).join("\n");
    const read = parseZoneText(zoneText, { defaultTtlSeconds: LISTING_TTL_SECONDS });
    expect(read.problems).toEqual([]);
    expect(read.records).toHaveLength(records.length);
    for (const { owner, type, value, see, form, request } of records) {
      expect(see.dig).toMatch(type === "PTR" ? /^dig -x / : `dig ${type} `);
      expect(form.type).toBe(type);
      expect(value).not.toBe("");
      expect(typeof request).toBe(type === "PTR" ? "string" : "undefined");
      expect(owner).not.toMatch(/\.$/);
    }
  });
});

describe("letters (R28, R84)", () => {
  it("to the owner of the addresses: names, addresses, zone lines, and the proof", () => {
    expect(
      written(golden("many-domains"), "email")
        .split(/^-{72}$/m)
        .at(-1)
        ?.trim(),
    ).toBe(
      `Subject: Reverse DNS for 192.0.2.1, 2001:db8::1

Please set the reverse DNS (PTR) of our addresses:

  192.0.2.1  →  mail.example.com
  2001:db8::1  →  mail.example.com

As zone lines:

  1.2.0.192.in-addr.arpa. IN PTR mail.example.com.
  1.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.8.b.d.0.1.0.0.2.ip6.arpa. IN PTR mail.example.com.

The forward records exist; this shows them:

  dig A mail.example.com
  dig AAAA mail.example.com

The server sends mail and gives this name in HELO, so both directions have to agree (RFC 8601 §3).`,
    );
  });

  it("to whoever runs the zone: every record of it, ready to paste", () => {
    const letters = written(golden("many-domains"), "email").split(/^-{72}$/m);
    expect(letters.map((letter) => /Subject: (.*)/.exec(letter)?.[1])).toEqual([
      "DNS records for the mail of example.com",
      "DNS records for the mail of example.net",
      "DNS records for the mail of example.org",
      "DNS records for the mail of example.edu",
      "Reverse DNS for 192.0.2.1, 2001:db8::1",
    ]);
    expect(letters[3]).toMatch(/Please create these 4 records for example\.edu\./);
    const lines = letters[3]!.split("\n").filter((line) => / IN /.test(line));
    expect(parseZoneText(lines.join("\n"), { defaultTtlSeconds: LISTING_TTL_SECONDS }).records).toHaveLength(
      4,
    );
  });

  it("to whoever runs the zone of a host that is not ours", () => {
    const description = described(
      "servers: [{ host: mx7.example.net, addresses: 192.0.2.7 }]\ndomains: [{ domain: example.com }]",
    );
    const letters = written({ description, derived: derive(description) }, "email");
    expect(letters).toMatch(/Subject: DNS records for the mail of mx7\.example\.net\n/);
    expect(letters).toMatch(/^mx7\.example\.net\. IN A 192\.0\.2\.7$/m);
  });
});

it("no format loses a record's text: what is published stands in it whole", () => {
  const { derived, description } = golden("long-txt");
  const key = formFields(derived.records.find(({ purpose }) => purpose === "dkim")!.record, undefined).value;
  for (const format of FORMATS) {
    if (format === "table" || format === "zone" || format === "email") continue; // these cut it into strings
    expect(formatRecords(derived, description, format, { nameStyle: "at" }), format).toContain(
      key.split("p=")[1],
    );
  }
});
