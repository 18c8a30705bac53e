/** The output of nslookup: that of BIND, and that of Windows, which differs in almost every line. */
import { parseRecordType, type RecordType } from "../../standards/dns/record.ts";
import { type PastedRecord, type Reading, recordOf, remarkAt } from "./reading.ts";

const LINES: readonly (readonly [RegExp, RecordType, (match: RegExpExecArray) => string])[] = [
  [/^(\S+)\s+mail exchanger = (\d+ \S+)$/, "MX", ([, , data]) => data!],
  [
    /^(\S+)\s+MX preference = (\d+), mail exchanger = (\S+)$/,
    "MX",
    ([, , preference, exchange]) => `${preference} ${exchange}`,
  ],
  [/^(\S+)\s+nameserver = (\S+)$/, "NS", ([, , data]) => data!],
  [/^(\S+)\s+canonical name = (\S+)$/, "CNAME", ([, , data]) => data!],
  [/^(\S+)\s+name = (\S+)$/, "PTR", ([, , data]) => data!],
  [/^(\S+)\s+service = (\d+ \d+ \d+ \S+)$/, "SRV", ([, , data]) => data!],
  [/^(\S+)\s+has AAAA address (\S+)$/, "AAAA", ([, , data]) => data!],
  [/^(\S+)\s+(?:internet|AAAA IPv6) address = (\S+)$/, "A", ([, , data]) => data!],
];
/** As many as a name has addresses, or a value has strings. */
const MAX_BLOCK_LINES = 64;

export function readNslookupLine(lines: readonly string[], at: number): Reading | undefined {
  const line = lines[at]!.trim();
  if (/^Server:\s/.test(line)) {
    // What follows is the address of the resolver.
    return { taken: /^\s*Address(?:es)?:\s/.test(lines[at + 1] ?? "") ? 2 : 1, known: { asked: undefined } };
  }
  if (/^(?:Non-authoritative answer|Authoritative answers can be found from):$/i.test(line)) {
    return { taken: 1 };
  }
  for (const [pattern, type, data] of LINES) {
    const match = pattern.exec(line);
    if (match === null) continue;
    const text = data(match);
    return found(match[1]!, type === "A" && text.includes(":") ? "AAAA" : type, text, at);
  }
  const general = /^(\S+)\s+rdata_(\d+) = (.+)$/.exec(line);
  const type = general && parseRecordType(`TYPE${general[2]}`);
  if (general && type) return found(general[1]!, type, general[3]!, at);
  return readText(lines, at) ?? readAddresses(lines, at) ?? readService(lines, at) ?? readFailure(line, at);
}

function found(name: string, type: RecordType, data: string, at: number, taken = 1): Reading | undefined {
  const record = recordOf(name, type, data);
  return record && { taken, records: [pasted(record, at)] };
}

const pasted = (record: PastedRecord["record"], at: number): PastedRecord => ({
  record,
  line: at + 1,
  format: "nslookup",
  ttl: "unknown",
});

/** Windows puts the strings below `text =`, each on a line of its own. */
function readText(lines: readonly string[], at: number): Reading | undefined {
  const [, name, inline] = /^(\S+)\s+text\s*=\s*(.*)$/.exec(lines[at]!.trim()) ?? [];
  if (name === undefined) return undefined;
  if (inline !== "") return inline!.startsWith('"') ? found(name, "TXT", inline!, at) : undefined;
  const strings: string[] = [];
  let next = at + 1;
  while (next < lines.length && next - at < MAX_BLOCK_LINES) {
    const line = lines[next]!.trim();
    if (line.startsWith('"')) strings.push(line);
    else if (line !== "" || strings.length > 0) break;
    next++;
  }
  return strings.length === 0 ? undefined : found(name, "TXT", strings.join(" "), at, next - at);
}

/** `Name:` with the addresses below it; Windows indents all but the first. */
function readAddresses(lines: readonly string[], at: number): Reading | undefined {
  const name = /^Name:\s+(\S+)$/.exec(lines[at]!.trim())?.[1];
  if (name === undefined) return undefined;
  const records: PastedRecord[] = [];
  let next = at + 1;
  for (; next < lines.length && next - at < MAX_BLOCK_LINES; next++) {
    const [, label, value = ""] = /^\s*(?:(Address(?:es)?|Aliases):)?\s+(\S+)$/.exec(lines[next]!) ??
      /^(Address(?:es)?):\s*(\S+)$/.exec(lines[next]!) ?? [undefined, undefined, undefined];
    if (label === undefined && (records.length === 0 || value === "")) break;
    const record =
      label === "Aliases"
        ? recordOf(value, "CNAME", name)
        : recordOf(name, value.includes(":") ? "AAAA" : "A", value);
    if (record === undefined) break;
    records.push(pasted(record, next));
  }
  return records.length === 0 ? undefined : { taken: next - at, records };
}

/** Windows: `_sip._tcp.example.org  SRV service location:` with the fields below it. */
function readService(lines: readonly string[], at: number): Reading | undefined {
  const name = /^(\S+)\s+SRV service location:$/.exec(lines[at]!.trim())?.[1];
  if (name === undefined) return undefined;
  const fields = new Map<string, string>();
  let next = at + 1;
  for (; next < lines.length && fields.size < 4; next++) {
    const [, field, value] = /^\s+(priority|weight|port|svr hostname)\s*= (\S+)$/.exec(lines[next]!) ?? [];
    if (field === undefined || value === undefined) break;
    fields.set(field, value);
  }
  const data = ["priority", "weight", "port", "svr hostname"].map((field) => fields.get(field) ?? "");
  return found(name, "SRV", data.join(" "), at, next - at);
}

function readFailure(line: string, at: number): Reading | undefined {
  const [, name, why] = /^\*{2,3} (?:\S+ )?can't find (\S+): (.+)$/.exec(line) ?? [];
  if (name === undefined || why === undefined) return undefined;
  if (/NXDOMAIN|Non-existent domain/.test(why)) {
    const message = `${name} does not exist`;
    return { taken: 1, remarks: [remarkAt(at, "warning", "pasted-not-found", message, "RFC 2308 §2.1")] };
  }
  if (/No answer/.test(why)) {
    const message = `there is no such record at ${name}`;
    return { taken: 1, remarks: [remarkAt(at, "warning", "pasted-not-found", message, "RFC 2308 §2.2")] };
  }
  const message = `the lookup of ${name} failed (${why}): nothing is said of what is published`;
  return { taken: 1, remarks: [remarkAt(at, "warning", "pasted-no-answer", message, "RFC 2308 §7")] };
}
