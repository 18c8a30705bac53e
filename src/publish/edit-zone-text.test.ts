/** Edits of zone text: what changes, and what stays octet by octet. */

import { describe, expect, it } from "vitest";
import { changeOf, rrsetIn } from "../../test/contract/provider.ts";
import { fc } from "../../test/support/random-inputs.ts";
import { domainName } from "../standards/dns/name.ts";
import type { RecordType } from "../standards/dns/record.ts";
import { parseZoneText } from "../standards/dns/zone-text.ts";
import { editZoneText, readZoneForEdit } from "./edit-zone-text.ts";
import type { RrsetChange } from "./provider.ts";
import { groupRrsets } from "./rrset.ts";

const zone = domainName("example.org");

function edit(text: string, changes: RrsetChange[], today: string | undefined = "20261121"): string {
  const reading = readZoneForEdit(text, zone);
  if (!reading.ok) throw new Error(reading.problem);
  const edited = editZoneText(text, reading.value, { zone, changes, ...(today && { today }) });
  if (!edited.ok) throw new Error(edited.problem);
  return edited.value;
}

/** `set("mail", "A", ["192.0.2.1"])`; before stands only whether there was something. */
const set = (owner: string, type: RecordType, data: string[] | undefined, ttl = 3600): RrsetChange => {
  const some = rrsetIn(zone, owner, type, data ?? [SAMPLE[type as "A"]], ttl);
  return changeOf(data === undefined ? some : undefined, data === undefined ? undefined : some);
};
const SAMPLE = { A: "192.0.2.1", TXT: '"x"', MX: "1 x", CNAME: "x", AAAA: "2001:db8::1" } as const;

const SOA = "@ SOA ns hostmaster 7 3600 600 86400 60\n";
const AFTER = "@ SOA ns hostmaster 8 3600 600 86400 60\n";

describe("editZoneText", () => {
  const rows: {
    reason: string;
    text: string;
    changes: RrsetChange[];
    expected: string;
  }[] = [
    {
      reason: "a new name comes at the end, without a TTL that the text states",
      text: `$TTL 3600\n${SOA}@ NS ns\n; the end\n`,
      changes: [set("mail", "A", ["192.0.2.1"])],
      expected: `$TTL 3600\n${AFTER}@ NS ns\n; the end\nmail IN A 192.0.2.1\n`,
    },
    {
      reason: "and with one that it does not",
      text: `$TTL 1h\n${SOA}@ NS ns\n`,
      changes: [set("mail", "A", ["192.0.2.1"], 60)],
      expected: `$TTL 1h\n${AFTER}@ NS ns\nmail 60 IN A 192.0.2.1\n`,
    },
    {
      reason: "a last line without its end",
      text: `$TTL 1h\n${SOA}@ NS ns`,
      changes: [set("mail", "A", ["192.0.2.1"])],
      expected: `$TTL 1h\n${AFTER}@ NS ns\nmail IN A 192.0.2.1\n`,
    },
    {
      reason: "data changes in its place: columns, comment and case stay",
      text: `$TTL 1h\n${SOA}Mail\t\tin\tA\t192.0.2.1   ; the old machine\n`,
      changes: [set("mail", "A", ["192.0.2.2"])],
      expected: `$TTL 1h\n${AFTER}Mail\t\tin\tA\t192.0.2.2   ; the old machine\n`,
    },
    {
      reason: "one of an RRset changes, its neighbours stay",
      text: `$TTL 1h\n${SOA}@ TXT "token" ; keep\n  TXT "v=spf1 -all" ; mail\n  MX 10 mail\n`,
      changes: [set("@", "TXT", ['"token"', '"v=spf1 mx -all"'])],
      expected: `$TTL 1h\n${AFTER}@ TXT "token" ; keep\n  TXT "v=spf1 mx -all" ; mail\n  MX 10 mail\n`,
    },
    {
      reason: "a record more stands behind its RRset",
      text: `$TTL 1h\n${SOA}@ MX 10 a ; first\n\n; addresses\na A 192.0.2.1\n`,
      changes: [set("@", "MX", ["10 a", "20 b"])],
      expected: `$TTL 1h\n${AFTER}@ MX 10 a ; first\n@ IN MX 20 b\n\n; addresses\na A 192.0.2.1\n`,
    },
    {
      reason: "a new RRset stands behind the others of its name",
      text: `$TTL 1h\n${SOA}mail A 192.0.2.1\nwww A 192.0.2.1\n`,
      changes: [set("mail", "AAAA", ["2001:db8::1"])],
      expected: `$TTL 1h\n${AFTER}mail A 192.0.2.1\nmail IN AAAA 2001:db8::1\nwww A 192.0.2.1\n`,
    },
    {
      reason: "the owner that went with a line is said by the next, in its column",
      text: `$TTL 1h\n${SOA}mail    A 192.0.2.1\n        TXT "stays" ; as it was\n`,
      changes: [set("mail", "A", undefined)],
      expected: `$TTL 1h\n${AFTER}mail    TXT "stays" ; as it was\n`,
    },
    {
      reason: "with tabs too, and for a record of a type that is not read",
      text: `$TTL 1h\n${SOA}mail\tA\t192.0.2.1\n\tLOC\t52 22 23 N 4 53 32 E -2m\n`,
      changes: [set("mail", "A", undefined)],
      expected: `$TTL 1h\n${AFTER}mail\tLOC\t52 22 23 N 4 53 32 E -2m\n`,
    },
    {
      reason: "records that are gone leave their comments above behind",
      text: `$TTL 1h\n${SOA}; mail\nmail A 192.0.2.1 ; gone\nwww A 192.0.2.2\n`,
      changes: [set("mail", "A", undefined)],
      expected: `$TTL 1h\n${AFTER}; mail\nwww A 192.0.2.2\n`,
    },
    {
      reason: "another TTL: the line anew",
      text: `$TTL 1h\n${SOA}mail 60 A 192.0.2.1 ; short\nwww A 192.0.2.2\n`,
      changes: [set("mail", "A", ["192.0.2.1"], 7200)],
      expected: `$TTL 1h\n${AFTER}mail 7200 IN A 192.0.2.1\nwww A 192.0.2.2\n`,
    },
    {
      reason: "a record over several lines is written anew on one",
      text: `$TTL 1h\n${SOA}k TXT ( "a" ; one\n  "b" ) ; two\nwww A 192.0.2.2\n`,
      changes: [set("k", "TXT", ['"c" "d"'])],
      expected: `$TTL 1h\n${AFTER}k IN TXT "c" "d"\nwww A 192.0.2.2\n`,
    },
    {
      reason: "parentheses on one line stay balanced",
      text: `$TTL 1h\n${SOA}k TXT ( "a" "b" ) ; two\n`,
      changes: [set("k", "TXT", ['"c"'])],
      expected: `$TTL 1h\n${AFTER}k TXT ( "c" ) ; two\n`,
    },
    {
      reason: "names below the $ORIGIN that holds at the place",
      text: `$TTL 1h\n${SOA}$ORIGIN _tcp.example.org.\n_25.mx TLSA 3 1 1 00\n$ORIGIN example.net.\n`,
      changes: [
        set("_25._tcp", "TXT", ['"below"']),
        set("_25.mx._tcp", "TXT", ['"beside"']),
        set("@", "MX", ["10 mail"]),
      ],
      expected: `$TTL 1h\n${AFTER}@ IN MX 10 mail\n$ORIGIN _tcp.example.org.\n_25.mx TLSA 3 1 1 00\n_25.mx IN TXT "beside"\n$ORIGIN example.net.\n_25._tcp.example.org. IN TXT "below"\n`,
    },
    {
      reason: "line ends of DOS stay, and are used",
      text: `$TTL 1h\r\n${SOA.replace("\n", "\r\n")}mail A 192.0.2.1 ; x\r\n`,
      changes: [set("mail", "A", ["192.0.2.2"]), set("www", "A", ["192.0.2.3"])],
      expected: `$TTL 1h\r\n${AFTER.replace("\n", "\r\n")}mail A 192.0.2.2 ; x\r\nwww IN A 192.0.2.3\r\n`,
    },
    {
      reason: "a serial over several lines, with comments",
      text: "$TTL 1h\n@ IN SOA ns hostmaster (\n\t2026112003 ; serial\n\t3600 600\n\t86400 60 )\n",
      changes: [set("www", "A", ["192.0.2.3"])],
      expected:
        "$TTL 1h\n@ IN SOA ns hostmaster (\n\t2026112101 ; serial\n\t3600 600\n\t86400 60 )\nwww\tIN\tA\t192.0.2.3\n",
    },
    {
      reason: "a SOA without a line for its owner and with its TTL behind the class",
      text: "$ORIGIN example.org.\n@ IN 300 SOA ns.example.org. h.example.org. ( 5 1 1\n 1 1 )\n",
      changes: [set("@", "MX", ["10 mail"], 300)],
      expected:
        "$ORIGIN example.org.\n@ IN 300 SOA ns.example.org. h.example.org. ( 6 1 1\n 1 1 )\n@ 300 IN MX 10 mail\n",
    },
    {
      reason: "nothing to do: nothing is touched, nor the serial",
      text: `$TTL 1h\n${SOA}mail A 192.0.2.1\n`,
      changes: [set("mail", "A", ["192.0.2.1"])],
      expected: `$TTL 1h\n${SOA}mail A 192.0.2.1\n`,
    },
  ];
  it.each(rows)("$reason", ({ text, changes, expected }) => {
    expect(edit(text, changes)).toBe(expected);
  });

  it.each<[text: string, problem: string, reason: string]>([
    [`$INCLUDE other\n${SOA}`, "line 1: $INCLUDE reads another file", "what is in it cannot be known"],
    [`$TTL 1h\n${SOA}a A 192.0.2.300\n`, "line 3", "who knows what it means"],
    ["@ SOA \\# 3 010203\n", "line 1", "no SOA"],
    [
      "@ 60 SOA ns h 1 2 3 4 5\nmail A 192.0.2.1\nwww A 192.0.2.2\n",
      "put $TTL at its top",
      "www would get the TTL of mail's new line",
    ],
  ])("%j is refused: %s (%s)", (text, problem) => {
    expect(() => edit(text, [set("mail", "A", ["192.0.2.9"])])).toThrow(problem);
  });

  it("leaves every line alone that is not changed, and does what it is asked, whatever the order", () => {
    const owners = ["@", "a", "b", "a.b"];
    const anyLine = fc.oneof(
      fc
        .record({
          owner: fc.constantFrom(...owners, ""),
          data: fc.constantFrom("A 192.0.2.1", "A 192.0.2.2", 'TXT "x"', 'TXT ( "y"\n "z" )', "LOC 1 2 3"),
          ttl: fc.constantFrom("", "60 "),
          comment: fc.constantFrom("", " ; note"),
        })
        .map(({ owner, data, ttl, comment }) => `${owner} ${ttl}${data}${comment}\n`),
      fc.constantFrom(
        "\n",
        "; a comment\n",
        "$ORIGIN b.example.org.\n",
        "$ORIGIN example.org.\n",
        "$TTL 2h\n",
      ),
    );
    const anyChange = fc.record({
      owner: fc.constantFrom(...owners),
      type: fc.constantFrom<RecordType>("A", "TXT"),
      count: fc.nat(3),
      ttl: fc.constantFrom(60, 3600, 7200),
    });
    fc.assert(
      fc.property(
        fc.array(anyLine, { maxLength: 12 }),
        fc.uniqueArray(anyChange, { maxLength: 3, selector: ({ owner, type }) => owner + type }),
        (lines, asked) => {
          const text = `$TTL 3600\n${SOA}${lines.join("")}`;
          const before = parseZoneText(text, { origin: zone }).records;
          const changes = asked.map(({ owner, type, count, ttl }): RrsetChange => {
            const data = Array.from({ length: count }, (_, at) =>
              type === "A" ? `192.0.2.${at}` : `"${at}"`,
            );
            if (count > 0) return set(owner, type, data, ttl);
            return { ...set(owner, type, undefined), after: undefined };
          });
          const edited = edit(text, changes);
          // The editor checks the records itself; the lines beside them must be there in their order.
          const keys = new Set(changes.map(({ name, type }) => `${name} ${type}`));
          const kept = before.filter(({ name, data }) => !keys.has(`${name} ${data.type}`));
          const after = parseZoneText(edited, { origin: zone }).records;
          expect(
            after.filter(({ name, data }) => !keys.has(`${name} ${data.type}`) && data.type !== "SOA"),
          ).toEqual(kept.filter(({ data }) => data.type !== "SOA"));
          for (const rrset of groupRrsets(
            after.filter(({ name, data }) => keys.has(`${name} ${data.type}`)),
          )) {
            const change = changes.find(({ name, type }) => name === rrset.name && type === rrset.type);
            expect(rrset.ttlSeconds).toBe(change?.after?.ttlSeconds);
          }
          expect(edited.split("\n").filter((line) => line.startsWith(";"))).toEqual(
            text.split("\n").filter((line) => line.startsWith(";")),
          );
          // again: nothing to do
          expect(edit(edited, changes)).toBe(edited);
        },
      ),
      { numRuns: 500 },
    );
  });
});
