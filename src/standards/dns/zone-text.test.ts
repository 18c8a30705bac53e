import { describe, expect, it } from "vitest";
import {
  anyName,
  anyRecord,
  plainName,
  RDATA_TYPES,
  rdataOfType,
} from "../../../test/support/arbitrary-records.ts";
import { fc } from "../../../test/support/random-inputs.ts";
import { domainName } from "./name.ts";
import { formatRdata, parseRdata } from "./rdata-text.ts";
import { parseRecordType, type ResourceRecord, typeOf } from "./record.ts";
import { formatZoneText, parseZoneText, type ZoneTextOptions } from "./zone-text.ts";

const origin = domainName("example.org");

/** One line for each record, in full: what the tables below compare. */
function lines(records: readonly ResourceRecord[]): string[] {
  return formatZoneText(records, { align: false }).split("\n").slice(0, -1);
}
const read = (text: string, options: ZoneTextOptions = { origin, defaultTtlSeconds: 60 }) => {
  const zone = parseZoneText(text, options);
  return {
    lines: lines(zone.records),
    problems: zone.problems.map(({ line, column, problem }) => `${line}:${column} ${problem}`),
  };
};

describe("zone text, read", () => {
  it.each<[string, string[], string]>([
    ["a A 192.0.2.1", ["a.example.org. 60 IN A 192.0.2.1"], "a relative owner"],
    ["a.example.com. A 192.0.2.1", ["a.example.com. 60 IN A 192.0.2.1"], "the final dot makes it whole"],
    ["@ MX 10 @", ["example.org. 60 IN MX 10 example.org."], "@ is the origin, as owner and in the data"],
    ["\\@ MX 0 .", ["\\@.example.org. 60 IN MX 0 ."], "an escaped @ is a label"],
    ["a 5 IN A 192.0.2.1", ["a.example.org. 5 IN A 192.0.2.1"], "TTL, then class"],
    ["a IN 5 A 192.0.2.1", ["a.example.org. 5 IN A 192.0.2.1"], "class, then TTL"],
    ["a CLASS1 TYPE1 192.0.2.1", ["a.example.org. 60 IN A 192.0.2.1"], "RFC 3597 names of class and type"],
    ["a 1w2d3h4m5s A 192.0.2.1", ["a.example.org. 788645 IN A 192.0.2.1"], "TTL units"],
    ["a 1M1H a 192.0.2.1", ["a.example.org. 3660 IN A 192.0.2.1"], "units in any order and case"],
    [
      "$TTL 10\na A 192.0.2.1\n$TTL 20\n  A 192.0.2.2",
      ["a.example.org. 10 IN A 192.0.2.1", "a.example.org. 20 IN A 192.0.2.2"],
      "$TTL holds from its line on; a blank owner is the last one",
    ],
    [
      "$ORIGIN sub\na A 192.0.2.1\n$ORIGIN example.com.\n\tA 192.0.2.2\nb A 192.0.2.3",
      [
        "a.sub.example.org. 60 IN A 192.0.2.1",
        "a.sub.example.org. 60 IN A 192.0.2.2",
        "b.example.com. 60 IN A 192.0.2.3",
      ],
      "a relative $ORIGIN; the last owner outlives a change of origin",
    ],
    [
      "a ( MX ; why\n\n10\tb ) ; end",
      ["a.example.org. 60 IN MX 10 b.example.org."],
      "parentheses join lines",
    ],
    ["a TXT ( ( x ) y )", ['a.example.org. 60 IN TXT "x" "y"'], "parentheses may nest"],
    [
      'a TXT plain "quo ted" "" "a;b" ( "(" )',
      ['a.example.org. 60 IN TXT "plain" "quo ted" "" "a;b" "("'],
      "strings",
    ],
    [
      'a TXT v="foo"bar"baz"',
      ['a.example.org. 60 IN TXT "v=" "foo" "bar" "baz"'],
      "a quote parts words, as in BIND",
    ],
    ['a TXT "\\"\\\\\\;\\065\\200"', ['a.example.org. 60 IN TXT "\\"\\\\;A\\200"'], "escapes"],
    ["a TXT a\\ b\\;c", ['a.example.org. 60 IN TXT "a b;c"'], "escapes outside quotes"],
    ['a TXT "für"', ['a.example.org. 60 IN TXT "f\\195\\188r"'], "characters beyond ASCII become UTF-8"],
    ["a\\.b.c A 192.0.2.1", ["a\\.b.c.example.org. 60 IN A 192.0.2.1"], "a dot inside a label"],
    ["a\\\\. A 192.0.2.1", ["a\\\\. 60 IN A 192.0.2.1"], "a final dot behind an escaped backslash is one"],
    ["a\\. A 192.0.2.1", ["a\\..example.org. 60 IN A 192.0.2.1"], "an escaped final dot is none"],
    ["\ufeffa A 192.0.2.1\r\n", ["a.example.org. 60 IN A 192.0.2.1"], "a byte order mark, and CR LF"],
    ["MX MX 1 A", ["mx.example.org. 60 IN MX 1 a.example.org."], "an owner may look like a type"],
    [
      "a TLSA 3 1 1 AB cd\n 01",
      ["a.example.org. 60 IN TLSA 3 1 1 abcd"],
      "data without parentheses does not go on in the next line",
    ],
    ["a TLSA 3 1 1 ( AB cd\n 01 )", ["a.example.org. 60 IN TLSA 3 1 1 abcd01"], "blanks inside hexadecimal"],
    ["a A \\# 4 c0 000201", ["a.example.org. 60 IN A 192.0.2.1"], "a known type in the general form"],
    ["a TYPE65280 \\# 0", ["a.example.org. 60 IN TYPE65280 \\# 0"], "an unknown type without data"],
    [
      'a HTTPS 1 . port=443 alpn="h2,h\\\\,3" ipv4hint=192.0.2.1,192.0.2.2 mandatory=port,alpn no-default-alpn',
      [
        'a.example.org. 60 IN HTTPS 1 . mandatory=alpn,port alpn="h2,h\\\\,3" no-default-alpn port=443 ipv4hint=192.0.2.1,192.0.2.2',
      ],
      "service parameters, sorted by key",
    ],
    [
      'a SVCB 1 b key1="\\002h2" key667=x',
      ['a.example.org. 60 IN SVCB 1 b.example.org. alpn="h2" key667="x"'],
      "keyNNN",
    ],
    [
      "a SVCB 1 . key0=\\000\\001\\000\\001 key1= key3=x",
      ['a.example.org. 60 IN SVCB 1 . key0="\\000\\001\\000\\001" key1 key3="x"'],
      "octets that a key's own form cannot express stay in the general one",
    ],
    [
      "a RRSIG MX RSASHA256 2 60 20300101000000 1700000000 7 @ AA AA",
      ["a.example.org. 60 IN RRSIG MX 8 2 60 20300101000000 20231114221320 7 example.org. AAAA"],
      "times in both forms, the algorithm by name, blanks in base64",
    ],
    [
      "a NSEC3 1 1 12 aabbccdd 2t7b4g4vsa5smi47k61mv5bv1a22bojr MX RRSIG A A",
      ["a.example.org. 60 IN NSEC3 1 1 12 aabbccdd 2T7B4G4VSA5SMI47K61MV5BV1A22BOJR A MX RRSIG"],
      "RFC 5155 Appendix A",
    ],
    [
      "@ SOA ns h ( 1 1h 15m 1w 1d )",
      ["example.org. 60 IN SOA ns.example.org. h.example.org. 1 3600 900 604800 86400"],
      "times of the SOA",
    ],
  ])("%j", (text, expected, _why) => {
    expect(read(text).lines).toEqual(expected);
  });

  it.each<[string, string, string]>([
    ["  A 192.0.2.1", "1:3 no owner name is known here", "a blank owner at the start"],
    ["a A", "1:4 IPv4 address is missing", "data missing"],
    ["a A 192.0.2.1 x", '1:15 "x" is too much', "data left over"],
    ["a A 192.0.2.01", '1:5 IPv4 address: "192.0.2.01" is not an IPv4 address', "a leading zero"],
    ["a MX 65536 b", '1:6 MX preference: "65536" is not a whole number of 0 to 65535', "out of range"],
    ["a MX ten b", '1:6 MX preference: "ten" is not a whole number of 0 to 65535', "no number"],
    ['a MX 10 "b"', "1:9 MX exchange stands in quotes", "BIND refuses quoted names"],
    ["a..b A 192.0.2.1", "1:1 an empty label at character 3", "an empty label"],
    ["a TXT", "1:6 TXT string is missing", "TXT without a string"],
    [`a TXT ${"x".repeat(256)}`, "1:7 a string of 256 octets; 255 are allowed, so cut it in two", "too long"],
    ['a TXT "x', "1:7 the string's line ends before its quote", "an open quote"],
    [
      'a TXT "x\ny"\nb A 192.0.2.1',
      "1:7 the string's line ends before its quote",
      "BIND refuses strings over lines",
    ],
    ['a TXT "x\\\ny"', "1:7 the string's line ends before its quote", "an escaped line end in a string"],
    ["a HTTPS 1 . mandatory=alpn,alpn", '1:13 "alpn" is mandatory twice', "RFC 9460 §8"],
    [
      "a NSEC3 1 0 0 - 000 A",
      "1:17 NSEC3 next hashed owner: base32hex is cut off",
      "three digits are no octets",
    ],
    ["a TXT x\\\ny A 192.0.2.1", "1:7 an escape ends the line", "an escaped line end"],
    ['a TXT "\\1b"', "1:7 a broken escape", "two digits are no octet"],
    ['a TXT "\\300"', "1:7 a broken escape", "beyond an octet"],
    ["a TXT x )", "1:9 a parenthesis closes that none opened", "a stray parenthesis"],
    ["a TXT ( x", "1:7 the parenthesis is never closed", "an open parenthesis"],
    ["a CH TXT x", "1:3 class CH; only IN is read", "another class"],
    [
      "a IN IN A 192.0.2.1",
      '1:6 "IN" is not a record type read here; RFC 3597\'s TYPE123 \\# form is read for any type',
      "the class twice",
    ],
    ["a 1h30 A 192.0.2.1", '1:3 "1h30" is neither a TTL (3600, 1h30m) nor a record type', "a unit missing"],
    ["a 2147483648 A 192.0.2.1", "1:3 a TTL of 2147483648; 2147483647 is the longest", "RFC 2181 §8"],
    ["a", "1:2 the record type is missing", "an owner alone"],
    ["a TSIG x", "1:3 TSIG cannot stand in a zone", "a type of messages"],
    [
      "a TYPE65280 x",
      "1:13 TYPE65280 data needs the general form \\# of RFC 3597",
      "an unknown type in words",
    ],
    ["a A \\# 3 c00002", "1:5 octet 0 of the A data: A address is cut off", "the general form, too short"],
    ["a A \\# 4 c00002", "1:5 \\# announces 4 octets, 3 follow", "the general form, miscounted"],
    [
      "a MX \\# 4 000ac000",
      "1:6 octet 2 of the MX data: MX exchange is compressed where that is forbidden",
      "RFC 3597 §5",
    ],
    ["a CAA 0 is-sue x", '1:9 CAA tag: "is-sue" is not 1 to 255 letters and digits', "RFC 8659 §4.1"],
    ["a TLSA 3 1 1 abc", "1:14 TLSA data: an odd number of hexadecimal digits (3)", "half an octet"],
    ["a TLSA 3 1 1", "1:13 TLSA data is missing", "no data"],
    ["a HTTPS 1 . port=1 port=2", "1:20 the parameter port stands twice", "RFC 9460 §2.1"],
    ["a HTTPS 1 . port", "1:13 port needs a value", "a key without its value"],
    ["a HTTPS 1 . mandatory=mandatory", '1:13 "mandatory" cannot be mandatory', "RFC 9460 §8"],
    [
      "a RRSIG A 8 2 1 20301301000000 1 1 @ AAAA",
      '1:17 RRSIG expiration: "20301301000000" is not a time as YYYYMMDDHHmmSS',
      "month 13",
    ],
    [
      "$INCLUDE other.zone",
      "1:1 $INCLUDE reads another file, which is not at hand; put its text here",
      "refused",
    ],
    [
      "$GENERATE 1-4 a$ A 192.0.2.$",
      "1:1 $GENERATE is BIND's own; write its records out (named-compilezone does it)",
      "refused",
    ],
    ["$TTL", "1:5 $TTL needs a value", "a directive without its value"],
    ["$FOO bar", "1:1 $FOO is not a directive of zone text", "an unknown directive"],
  ])("%j: %s", (text, problem, _why) => {
    expect(read(text).problems[0]).toBe(problem);
  });

  it("goes on behind every mistake, and gives no record to a wrong owner", () => {
    const text = [
      "a A 192.0.2.1",
      "b A oops",
      "  A 192.0.2.2 ; belongs to b all the same",
      "c..d A 192.0.2.3",
      "  A 192.0.2.4 ; to nobody",
      "e TXT ( never closed",
      "f A 192.0.2.6",
      'g TXT "open',
      "h A 192.0.2.8",
    ].join("\n");
    expect(read(text)).toEqual({
      lines: [
        "a.example.org. 60 IN A 192.0.2.1",
        "b.example.org. 60 IN A 192.0.2.2",
        "f.example.org. 60 IN A 192.0.2.6",
        "h.example.org. 60 IN A 192.0.2.8",
      ],
      problems: [
        '2:5 IPv4 address: "oops" is not an IPv4 address',
        "4:1 an empty label at character 3",
        "5:3 no owner name is known here",
        "6:7 the parenthesis is never closed",
        "8:7 the string's line ends before its quote",
      ],
    });
  });

  it("takes the TTL from where BIND takes it", () => {
    const soa = "@ SOA ns h 1 2 3 4 5\n";
    const ttls = (text: string) => parseZoneText(text, { origin }).records.map((record) => record.ttlSeconds);
    expect(ttls(`${soa}a A 192.0.2.1`), "the SOA's minimum").toEqual([5, 5]);
    expect(ttls(`@ 7 SOA ns h 1 2 3 4 5\na 9 A 192.0.2.1\nb A 192.0.2.1`), "the last stated").toEqual([
      7, 9, 9,
    ]);
    expect(ttls(`$TTL 8\n${soa}a 9 A 192.0.2.1\nb A 192.0.2.1`), "$TTL over the last stated").toEqual([
      8, 9, 8,
    ]);
    expect(parseZoneText("a A 192.0.2.1", { origin }).problems).toEqual([
      { line: 1, column: 3, problem: "no TTL: put $TTL at the top, or a TTL before the type" },
    ]);
  });

  it("finds the zone in the text where none is given, and refuses names that would need one", () => {
    expect(parseZoneText("$ORIGIN net.\nexample 1 SOA a. b. 1 1 1 1 1").origin).toBe("example.net");
    expect(parseZoneText("$ORIGIN example.net.\na 1 A 192.0.2.1").origin).toBe("example.net");
    expect(parseZoneText("a 1 A 192.0.2.1").problems).toEqual([
      { line: 1, column: 1, problem: '"a" is relative, and no origin is set' },
    ]);
  });

  it("stops at its bounds", () => {
    const records = "a 1 A 192.0.2.1\n".repeat(10);
    expect(parseZoneText(records, { origin, maxRecords: 4 })).toMatchObject({
      records: { length: 4 },
      problems: [{ line: 5, problem: "more than 4 records; the rest was not read" }],
    });
    expect(parseZoneText(records, { origin, maxRecords: 10 }).problems).toEqual([]);
    expect(parseZoneText(records, { origin, maxOctets: 100 }).problems).toHaveLength(1);
    const string = `"${"x".repeat(255)}" `;
    expect(parseZoneText(`a 1 TXT ${string.repeat(255)}`, { origin }).records).toHaveLength(1);
    expect(parseZoneText(`a 1 TXT ${string.repeat(256)}`, { origin }).problems).toEqual([
      { line: 1, column: 9, problem: "65536 octets of data; 65535 are allowed" },
    ]);
    for (const long of [
      `TXT ${'"" '.repeat(65_536)}`,
      `SVCB 1 . alpn=${"a,".repeat(40_000)}b`,
      `SVCB 1 . ipv6hint=::${",::".repeat(4095)}`,
    ]) {
      expect(parseZoneText(`a 1 ${long}`, { origin }).problems[0]!.problem).toMatch(/65535 are allowed$/);
    }
    expect(parseZoneText(`a 1 ${"x".repeat(100_000)}`, { origin }).problems[0]!.problem.length).toBeLessThan(
      300,
    );
    expect(parseZoneText("x\n".repeat(5000), { origin }).problems).toHaveLength(1001);
    expect(parseZoneText("a TXT (\n".repeat(5000), { origin }).problems).toHaveLength(5);
  });
});

describe("zone text, written", () => {
  const records = parseZoneText(
    [
      "@ 3600 MX 10 mail",
      "@ 3600 TXT short",
      `k._domainkey 3600 TXT "${"p".repeat(20)}" "tail"`,
      "mail 300 A 192.0.2.1",
      "other.example.com. 3600 CNAME mail",
    ].join("\n"),
    { origin },
  ).records;

  it("aligns, writes relative names, and cuts long TXT for BIND", () => {
    expect(formatZoneText(records, { origin, defaultTtlSeconds: 3600 })).toBe(
      [
        "$ORIGIN example.org.",
        "$TTL 3600",
        "@                      IN MX    10 mail",
        '                       IN TXT   "short"',
        'k._domainkey           IN TXT   ( "pppppppppppppppppppp"',
        '                                  "tail" )',
        "mail               300 IN A     192.0.2.1",
        "other.example.com.     IN CNAME mail",
        "",
      ].join("\n"),
    );
  });

  it("writes lines that stand alone", () => {
    expect(formatZoneText(records.slice(0, 2), { align: false })).toBe(
      'example.org. 3600 IN MX 10 mail.example.org.\nexample.org. 3600 IN TXT "short"\n',
    );
  });

  it.each(RDATA_TYPES)("parses back what it formats: %s data", (type) => {
    fc.assert(
      fc.property(
        rdataOfType(type),
        fc.option(fc.oneof(anyName, plainName), { nil: undefined }),
        (data, base) => {
          expect(parseRdata(typeOf(data), formatRdata(data, base), base)).toEqual({ ok: true, value: data });
        },
      ),
      { numRuns: 200 },
    );
  });

  it("parses back what it formats: whole zones in every style", () => {
    fc.assert(
      fc.property(
        fc.array(anyRecord, { maxLength: 12 }),
        fc.record({
          origin: fc.option(fc.oneof(anyName, plainName), { nil: undefined }),
          defaultTtlSeconds: fc.constantFrom(undefined, 300, 3600),
          align: fc.boolean(),
        }),
        fc.boolean(),
        (zone, style, header) => {
          const text = formatZoneText(zone, { ...style, header });
          expect(text).toMatch(/^[\n\x20-\x7e]*$/);
          expect(parseZoneText(text, { origin: style.origin })).toMatchObject({
            records: zone,
            problems: [],
          });
        },
      ),
      { numRuns: 300 },
    );
  });

  it("never crashes on any text, and places every problem inside it", () => {
    const piece = fc.oneof(
      fc.constantFrom(
        "(",
        ")",
        '"',
        "\\",
        ";",
        "\n",
        "\n ",
        " ",
        "@",
        "$TTL",
        "$ORIGIN",
        "IN",
        "\\#",
        "4",
        ".",
      ),
      fc.constantFrom("a", "A", "TXT", "MX", "SVCB", "TLSA", "NSEC3", "RRSIG", "alpn=", "key1=", "192.0.2.1"),
      fc.string({ maxLength: 4, unit: "grapheme" }),
    );
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 40 }), (pieces) => {
        const text = pieces.join(" ");
        const rows = text.split("\n");
        for (const { line, column } of parseZoneText(text, { origin }).problems) {
          expect(column).toBeLessThanOrEqual(rows[line - 1]!.length + 1);
        }
      }),
      { numRuns: 3000 },
    );
  });
});

it("reads types as people write them", () => {
  expect(["mx", "TYPE15", "type65280", "TYPE65536", "FOO"].map(parseRecordType)).toEqual([
    "MX",
    "MX",
    "TYPE65280",
    undefined,
    undefined,
  ]);
});
