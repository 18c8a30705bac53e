import { describe, expect, it } from "vitest";
import { decodeMessage, encodeMessage, RCODES, type WireRecord } from "./message.ts";
import { domainName } from "./name.ts";
import { formatRdata } from "./rdata-text.ts";
import { parseRecordType, typeOf } from "./record.ts";
import { type RrsetUpdate, updateMessage, updateOutcome } from "./update.ts";
import { parseZoneText } from "./zone-text.ts";

const zone = domainName("example.org");

/** `change("@ MX", ["10 a"], ["10 b"])`; data behind a TTL where it is not 300. */
function change(what: string, before: string[] | undefined, after: string[] | undefined): RrsetUpdate {
  const [owner = "", type = ""] = what.split(" ");
  const rrset = (lines: string[] | undefined) => {
    if (lines === undefined) return undefined;
    const text = lines.map((line) =>
      /^\d+ \|/.test(line) ? `${owner} ${line.replace("|", type)}` : `${owner} 300 ${type} ${line}`,
    );
    const { records, problems } = parseZoneText(text.join("\n"), { origin: zone });
    expect(problems).toEqual([]);
    return { ttlSeconds: records[0]?.ttlSeconds ?? 300, data: records.map(({ data }) => data) };
  };
  const name = domainName(owner === "@" ? zone : `${owner}.${zone}`);
  return { name, type: parseRecordType(type)!, before: rrset(before), after: rrset(after) };
}

const CLASSES: Readonly<Record<number, string>> = { 254: "NONE", 255: "ANY" };
const lineOf = ({ name, ttlSeconds, classCode, data }: WireRecord): string => {
  const owner = name === zone ? "@" : name.slice(0, -zone.length - 1);
  const written = data.type === "OPAQUE" && data.octets.length === 0 ? "" : formatRdata(data, zone);
  return [owner, ttlSeconds, CLASSES[classCode ?? 1] ?? "IN", typeOf(data), written].join(" ").trim();
};

describe("updateMessage", () => {
  const rows: {
    reason: string;
    changes: RrsetUpdate[];
    prerequisites: string[];
    updates: string[];
  }[] = [
    {
      reason: "new: no such RRset, and no alias, may be there",
      changes: [change("_dmarc TXT", undefined, ['"v=DMARC1"'])],
      prerequisites: ["_dmarc 0 NONE TXT", "_dmarc 0 NONE CNAME"],
      updates: ['_dmarc 300 IN TXT "v=DMARC1"'],
    },
    {
      reason: "a new alias: nothing may be there",
      changes: [change("www CNAME", undefined, ["mail"])],
      prerequisites: ["www 0 NONE CNAME", "www 0 NONE ANY"],
      updates: ["www 300 IN CNAME mail"],
    },
    {
      reason: "changed: exactly the RRset before; what stays is not touched",
      changes: [change("@ TXT", ['"token"', '"v=spf1 -all"'], ['"token"', '"v=spf1 mx -all"'])],
      prerequisites: ['@ 0 IN TXT "token"', '@ 0 IN TXT "v=spf1 -all"'],
      updates: ['@ 0 NONE TXT "v=spf1 -all"', '@ 300 IN TXT "v=spf1 mx -all"'],
    },
    {
      reason: "gone: the whole RRset",
      changes: [change("@ MX", ["10 a", "20 b"], undefined)],
      prerequisites: ["@ 0 IN MX 10 a", "@ 0 IN MX 20 b"],
      updates: ["@ 0 ANY MX"],
    },
    {
      reason: "another TTL: the RRset anew, so that none keeps the old one",
      changes: [change("mail A", ["192.0.2.1"], ["600 | 192.0.2.1", "600 | 192.0.2.2"])],
      prerequisites: ["mail 0 IN A 192.0.2.1"],
      updates: ["mail 0 ANY A", "mail 600 IN A 192.0.2.1", "mail 600 IN A 192.0.2.2"],
    },
    {
      reason: "an alias takes the place of an address: the address goes first, whatever the order",
      changes: [change("www CNAME", undefined, ["mail"]), change("www A", ["192.0.2.1"], undefined)],
      prerequisites: ["www 0 NONE CNAME", "www 0 IN A 192.0.2.1"],
      updates: ["www 0 ANY A", "www 300 IN CNAME mail"],
    },
    {
      reason: "addresses take the place of an alias",
      changes: [change("www CNAME", ["mail"], undefined), change("www A", undefined, ["192.0.2.1"])],
      prerequisites: ["www 0 IN CNAME mail", "www 0 NONE A"],
      updates: ["www 0 ANY CNAME", "www 300 IN A 192.0.2.1"],
    },
    {
      reason: "the zone's own NS: new before old, or the last old one stays",
      changes: [change("@ NS", ["ns1"], ["ns2"]), change("@ MX", ["10 a"], undefined)],
      prerequisites: ["@ 0 IN NS ns1", "@ 0 IN MX 10 a"],
      updates: ["@ 0 ANY MX", "@ 300 IN NS ns2", "@ 0 NONE NS ns1"],
    },
    {
      reason: "and with another TTL each is added again, for an RRset at the apex cannot be deleted",
      changes: [change("@ NS", ["ns1", "ns2"], ["600 | ns1"])],
      prerequisites: ["@ 0 IN NS ns1", "@ 0 IN NS ns2"],
      updates: ["@ 600 IN NS ns1", "@ 0 NONE NS ns2"],
    },
    {
      reason: "nothing: asks only whether it is still so",
      changes: [change("@ MX", ["10 a"], ["10 a"])],
      prerequisites: ["@ 0 IN MX 10 a"],
      updates: [],
    },
    {
      reason: "order and type data: TLSA",
      changes: [change("_25._tcp.mail TLSA", undefined, ["3 1 1 00ff"])],
      prerequisites: ["_25._tcp.mail 0 NONE TLSA", "_25._tcp.mail 0 NONE CNAME"],
      updates: ["_25._tcp.mail 300 IN TLSA 3 1 1 00ff"],
    },
  ];
  it.each(rows)("$reason", ({ changes, prerequisites, updates }) => {
    const message = updateMessage(7, zone, changes);
    if (!message.ok) throw new Error(message.problem);
    expect(message.value.opcode).toBe(5);
    expect(message.value.questions).toEqual([{ name: zone, type: "SOA" }]);
    const seen = (records: readonly WireRecord[]) => records.map((record) => lineOf(record).toLowerCase());
    expect(seen(message.value.answers)).toEqual(prerequisites.map((line) => line.toLowerCase()));
    expect(seen(message.value.authorities)).toEqual(updates.map((line) => line.toLowerCase()));
    const decoded = decodeMessage(encodeMessage(message.value));
    expect(decoded).toEqual({ ok: true, value: message.value });
  });

  const mx = change("@ MX", undefined, ["10 a"]);
  it.each<[changes: RrsetUpdate[], problem: string, reason: string]>([
    [[{ ...mx, name: domainName("example.net") }], "outside of the zone", "another zone"],
    [[{ ...mx, name: domainName("notexample.org") }], "outside of the zone", "a name that only ends alike"],
    [[mx, mx], "changed twice", "which of them?"],
    [[{ ...mx, after: undefined }], "nothing to change", "neither before nor after"],
    [[{ ...mx, after: { ttlSeconds: 60, data: [] } }], "without records", "an empty RRset is none"],
    [[{ ...mx, type: "A" }], "data of another type", "MX data called A"],
    [[change("@ SOA", undefined, ["ns h 1 2 3 4 5"])], "server's own affair", "the serial is the server's"],
    [[change("@ NS", ["ns1"], undefined)], "keep a zone's own NS", "servers would skip it and say NOERROR"],
    [[{ ...mx, type: "ANY" }], "no zone holds this type", "would delete everything"],
  ])("%# → %s (%s)", (changes, problem) => {
    expect(updateMessage(7, zone, changes)).toMatchObject({
      ok: false,
      problem: expect.stringContaining(problem),
    });
  });
});

it.each<[code: keyof typeof RCODES, outcome: string, reason: string]>([
  ["NOERROR", "done", "RFC 2136 §3.4.2.5"],
  ["NXRRSET", "stale", "no such RRset, or another"],
  ["YXRRSET", "stale", "one that should not be there"],
  ["YXDOMAIN", "stale", "a name that should be free"],
  ["NXDOMAIN", "stale", "a name that should be in use"],
  ["REFUSED", "refused", "policy"],
  ["NOTAUTH", "not-its-zone", "§3.1.2"],
  ["NOTZONE", "not-its-zone", "§3.2.4"],
  ["NOTIMP", "not-understood", "knows no updates"],
  ["FORMERR", "not-understood", "§3.4.1.3"],
  ["SERVFAIL", "server-failed", "§3.4.2.1"],
  ["BADCOOKIE", "server-failed", "anything else"],
])("%s → %s (%s)", (code, outcome) => {
  expect(updateOutcome(RCODES[code])).toBe(outcome);
});
