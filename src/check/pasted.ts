/** Pasted text judged: its records as they were meant, and every mistake with its line and the corrected text. */
import { type PastedText, type PasteOptions, readPasted } from "../records/import/read-pasted.ts";
import type { PastedRecord, UnplacedRecord } from "../records/import/reading.ts";
import { zoneLine } from "../records/zone-listing.ts";
import { looksLikeDkimKey, repairDkimKey } from "../standards/dkim/key-record.ts";
import { remarksOnDkimKey } from "../standards/dkim/remarks.ts";
import { looksLikeDmarc, remarksOnDmarcText } from "../standards/dmarc/remarks.ts";
import { type DomainName, domainName, isWithin, labelTexts } from "../standards/dns/name.ts";
import { octetsToText, type ResourceRecord, txtText, typeOf } from "../standards/dns/record.ts";
import type { Remark } from "../standards/dns/remark.ts";
import { looksLikeSpf, remarksOnSpfText } from "../standards/spf/remarks.ts";
import type { Finding } from "./finding.ts";
import { type LintSurroundings, lintRecords, withoutDoubling } from "./lint.ts";
import { SEVERITIES, type Severity } from "./severity.ts";

export interface Mistake {
  /** Where the record begins that has it, counted from 1; undefined where it is about the text as a whole. */
  readonly line: number | undefined;
  readonly severity: Severity;
  readonly code: string;
  readonly owner?: DomainName;
  readonly problem: string;
  readonly why?: string;
  readonly reference: string;
  /** What to write instead, as zone lines; empty where nobody but you can say. */
  readonly corrected: readonly string[];
}

export interface JudgedPaste {
  readonly zone: DomainName | undefined;
  /** As they were meant, sorted by name; MX by preference. */
  readonly records: readonly ResourceRecord[];
  readonly unplaced: readonly UnplacedRecord[];
  /** Worst first, then by line. */
  readonly mistakes: readonly Mistake[];
}

export async function judgePasted(
  text: string,
  options: Omit<PasteOptions, "organizationalDomain">,
  surroundings: LintSurroundings,
): Promise<JudgedPaste> {
  const { organizationalDomain } = surroundings;
  const pasted = readPasted(text, { ...options, organizationalDomain });
  const { records, findings } = await judgeRecords(pasted, surroundings);
  const mistakes = [
    ...pasted.remarks.map(({ line, severity, code, message, reference, corrected }) => ({
      line,
      severity,
      code,
      problem: message,
      reference,
      corrected: corrected === undefined ? [] : [corrected],
    })),
    ...findings.filter(({ severity }) => severity !== "ok").map((finding) => mistakeOf(finding, pasted)),
    ...pasted.unplaced.flatMap((each) => unplacedMistakes(each)),
    ...alternatives(pasted.records),
    ...missingReverse(records),
  ];
  return {
    zone: pasted.zone,
    records: records.toSorted(inOrder),
    unplaced: pasted.unplaced,
    mistakes: withoutRepeats(mistakes).toSorted(
      (one, other) =>
        SEVERITIES.indexOf(one.severity) - SEVERITIES.indexOf(other.severity) ||
        (one.line ?? 0) - (other.line ?? 0),
    ),
  };
}

/** A number of zones is enough; each is checked with everything in it. */
const MAX_ZONES = 50;

/** Each zone of the text by itself, for what another zone holds is not missing in this one. */
async function judgeRecords(
  { zone, records: pasted }: PastedText,
  surroundings: LintSurroundings,
): Promise<{ readonly records: readonly ResourceRecord[]; readonly findings: readonly Finding[] }> {
  const groups = Map.groupBy(pasted, ({ record }) => zoneOf(record.name, zone, surroundings));
  const main = zone ?? [...groups.keys()].find((name) => name !== undefined);
  const records: ResourceRecord[] = [];
  const findings: Finding[] = [];
  for (const [name, group] of [...groups].slice(0, MAX_ZONES)) {
    const written = group.map(({ record }) => record);
    if (name === undefined || (name !== main && isStray(name, group, groups.get(main) ?? []))) {
      // A reverse name, or a copied example: judged as a part of the zone that the text is about.
      const origin = main ?? name;
      if (origin !== undefined) findings.push(...(await lintRecords(written, origin, surroundings)));
      records.push(...written.map((record) => (main ? withoutDoubling(record, main) : record)));
      continue;
    }
    const meant = written.map((record) => withoutDoubling(record, name));
    const isChanged = written.some((record, at) => zoneLine(record) !== zoneLine(meant[at]!));
    const doubled = isChanged ? await lintRecords(written, name, surroundings) : [];
    findings.push(
      ...doubled.filter(({ code }) => code === "zone-doubled-name"),
      ...(await lintRecords(meant, name, surroundings)),
    );
    records.push(...meant);
  }
  return { records, findings };
}

function zoneOf(
  name: DomainName,
  main: DomainName | undefined,
  { organizationalDomain }: LintSurroundings,
): DomainName | undefined {
  if (main !== undefined && isWithin(name, main)) return main;
  if (name.endsWith(".arpa")) return undefined;
  const labels = labelTexts(name);
  return (
    organizationalDomain(name) ?? (labels.length >= 2 ? domainName(labels.slice(-2).join(".")) : undefined)
  );
}

/** E9: a record or two below another domain than all others, and nothing at that domain itself. */
function isStray(name: DomainName, group: readonly PastedRecord[], ofMain: readonly PastedRecord[]): boolean {
  return (
    ofMain.length > group.length &&
    group.every(({ record, format }) => record.name !== name && (format === "zone" || format === "tutorial"))
  );
}

/** The line of the record that a finding is about: its owner's, of the looked-up type where there are several. */
function mistakeOf(finding: Finding, { records }: PastedText): Mistake {
  const { code, severity, owner, observed, expected, why, reference, fix, verify } = finding;
  const there = records.filter(({ record }) => record.name === owner);
  const kinds = there.filter(({ record }) => verify.includes(` ${typeOf(record.data)} `));
  const told = kinds.filter(({ record }) => isTold(record, observed));
  const named = records.filter(({ record }) => "exchange" in record.data && record.data.exchange === owner);
  const [place] = [...told, ...kinds, ...there, ...named];
  const created = (fix?.changes ?? []).filter(({ action }) => action === "create");
  return {
    line: place?.line,
    severity,
    code,
    owner,
    problem: severity === "notice" ? observed : `${observed} (expected: ${expected})`,
    why,
    reference,
    corrected: created.map(({ zoneText }) => zoneText),
  };
}

/** Whether a finding quotes the record. */
function isTold({ data }: ResourceRecord, observed: string): boolean {
  switch (data.type) {
    case "TXT":
      return observed.includes(txtText(data));
    case "A":
    case "AAAA":
      return observed.includes(data.address);
    case "MX":
      return observed.includes(data.exchange);
    default:
      return "target" in data && observed.includes(data.target);
  }
}

/** The question where a record belongs, and what its text alone shows. */
function unplacedMistakes({ line, type, name, value }: UnplacedRecord): Mistake[] {
  const missing =
    name !== ""
      ? `"${name}" is relative: say with --domain which domain it is in`
      : looksLikeDkimKey(value)
        ? "a DKIM key without its name: say with --domain and --selector where it belongs"
        : `a ${type} record without its name: say with --domain where it belongs`;
  const question: Mistake = {
    line,
    severity: "warning",
    code: "pasted-no-owner",
    problem: missing,
    reference: "RFC 1035 §5.1",
    corrected: [],
  };
  return [question, ...(type === "TXT" ? textMistakes(value, line) : [])];
}

/** Several records at a name count as none; in a tutorial they are examples, and each is worth a look. */
function alternatives(pasted: readonly PastedRecord[]): Mistake[] {
  const kindOf = (text: string) =>
    looksLikeSpf(text) ? "spf" : looksLikeDmarc(text) ? "dmarc" : looksLikeDkimKey(text) ? "dkim" : undefined;
  const texts = pasted.flatMap(({ record, line }) => {
    const text = record.data.type === "TXT" ? octetsToText(txtText(record.data)) : "";
    const kind = kindOf(text);
    return kind === undefined ? [] : [{ line, text, key: `${kind} ${record.name}` }];
  });
  return [...Map.groupBy(texts, ({ key }) => key).values()]
    .filter((group) => group.length > 1)
    .flatMap((group) => group.flatMap(({ text, line }) => textMistakes(text, line)));
}

function textMistakes(text: string, line: number): Mistake[] {
  const [remarks, repaired]: readonly [readonly Remark[], string | undefined] = looksLikeSpf(text)
    ? [remarksOnSpfText(text), undefined]
    : looksLikeDmarc(text)
      ? [remarksOnDmarcText(text), undefined]
      : looksLikeDkimKey(text)
        ? [remarksOnDkimKey(text), repairDkimKey(text)]
        : [[], undefined];
  return remarks.map(({ severity, code, message, reference }) => ({
    line,
    severity,
    code,
    problem: message,
    reference,
    corrected: repaired === undefined || severity === "notice" ? [] : [repaired],
  }));
}

/** E13: a text with the addresses of its mail server, and no word of their reverse names. */
function missingReverse(records: readonly ResourceRecord[]): Mistake[] {
  const exchanges = records.flatMap(({ data }) => (data.type === "MX" ? [data.exchange] : []));
  const addresses = records.filter(
    ({ name, data }) => exchanges.includes(name) && (data.type === "A" || data.type === "AAAA"),
  );
  if (addresses.length === 0 || records.some(({ data }) => data.type === "PTR")) return [];
  return [
    {
      line: undefined,
      severity: "notice",
      code: "pasted-no-reverse",
      problem:
        "the text says nothing of reverse DNS, without which many receivers refuse mail: ask the owner of the address for a PTR that leads to the mail server",
      reference: "RFC 1912 §2.1",
      corrected: [],
    },
  ];
}

function withoutRepeats(mistakes: readonly Mistake[]): Mistake[] {
  const unique = new Map(
    mistakes.map((mistake) => [`${mistake.line} ${mistake.code} ${mistake.problem}`, mistake]),
  );
  return [...unique.values()];
}

function inOrder(one: ResourceRecord, other: ResourceRecord): number {
  const reversed = (name: DomainName) => labelTexts(name).toReversed().join(".");
  const byName = reversed(one.name).localeCompare(reversed(other.name), "en");
  if (byName !== 0) return byName;
  const byType = typeOf(one.data).localeCompare(typeOf(other.data), "en");
  if (byType !== 0) return byType;
  return one.data.type === "MX" && other.data.type === "MX" ? one.data.preference - other.data.preference : 0;
}
