/** The MTA-STS policy (RFC 8461 §3.2), the file that senders fetch over HTTPS, and what it says of a host. */
import { type DomainName, isHostName, parentOf, parseDomainName, prepend } from "../dns/name.ts";
import type { Parsed } from "../dns/parsed.ts";
import type { Remark } from "../dns/remark.ts";

export type MtaStsMode = "enforce" | "testing" | "none";

export interface MtaStsPolicy {
  readonly mode: MtaStsMode;
  /** How long senders keep the policy: 0 to 31,557,600, a year. */
  readonly maxAgeSeconds: number;
  /** Host names, lower case; `*.` in front stands for exactly one label. Empty only with mode none. */
  readonly mx: readonly string[];
}

export const MAX_MAX_AGE_SECONDS = 31_557_600;
/** §3.3 suggests 64 kilobytes; real policies have a few hundred octets. */
export const MAX_POLICY_CHARACTERS = 65_536;
const DAY_SECONDS = 86_400;

/** The host that serves the policy: its certificate has to be for this name (§3.3). */
export function policyHost(domain: DomainName): DomainName {
  return prepend("mta-sts", domain);
}

export function policyUrl(domain: DomainName): string {
  return `https://${policyHost(domain)}/.well-known/mta-sts.txt`;
}

export function parsePolicy(text: string): Parsed<MtaStsPolicy> {
  const { lines, remarks } = examine(text);
  const fault = remarks.find(({ severity }) => severity === "error");
  if (fault !== undefined) return { ok: false, problem: fault.message, offset: fault.offset ?? 0 };
  return {
    ok: true,
    value: {
      mode: readMode(first(lines, "mode")?.value)!,
      maxAgeSeconds: Number(first(lines, "max_age")!.value),
      mx: lines.filter(({ key }) => key === "mx").map(({ value }) => value.toLowerCase()),
    },
  };
}

/** With the CRLF line ends of the standard. */
export function formatPolicy({ mode, maxAgeSeconds, mx }: MtaStsPolicy): string {
  const lines = [
    "version: STSv1",
    `mode: ${mode}`,
    ...mx.map((pattern) => `mx: ${pattern}`),
    `max_age: ${maxAgeSeconds}`,
  ];
  return lines.map((line) => `${line}\r\n`).join("");
}

/**
 * Whether a pattern covers an MX host (§4.1): names are compared whole, and `*.` stands for exactly one
 * left-most label.
 */
export function mxMatches(pattern: string, host: DomainName): boolean {
  const wanted = pattern.toLowerCase();
  return wanted.startsWith("*.") ? parentOf(host) === wanted.slice(2) : host === wanted;
}

/** Whether any pattern of the policy covers the host. */
export function allowsMx({ mx }: MtaStsPolicy, host: DomainName): boolean {
  return mx.some((pattern) => mxMatches(pattern, host));
}

export interface PolicyLine {
  readonly key: string;
  readonly value: string;
  /** Where the line starts in the text. */
  readonly offset: number;
  readonly text: string;
}

const first = (lines: readonly PolicyLine[], key: string) => lines.find((line) => line.key === key);

const readMode = (value: string | undefined): MtaStsMode | undefined =>
  (["enforce", "testing", "none"] as const).find((mode) => mode === value);

export function remarksOnPolicy(text: string): Remark[] {
  return examine(text).remarks;
}

/** The lines of a policy that have a key and a value. */
export function policyLines(text: string): readonly PolicyLine[] {
  return examine(text).lines;
}

function examine(text: string): { lines: PolicyLine[]; remarks: Remark[] } {
  if (text.length > MAX_POLICY_CHARACTERS) {
    const message = `the file has ${text.length} characters; senders read at most 64 kilobytes`;
    return { lines: [], remarks: [remark("mta-sts-policy-size", "error", message, undefined)] };
  }
  const { lines, remarks } = splitLines(text);
  return {
    lines,
    remarks: [
      ...remarks,
      ...requiredRemarks(lines, text),
      ...mxRemarks(lines.filter(({ key }) => key === "mx")),
      ...keyRemarks(lines),
    ],
  };
}

/** sts-policy-field: the key directly before the colon, printable characters after it. */
const LINE = /^([A-Za-z0-9][A-Za-z0-9_.-]{0,31}):[ \t]*([^\s\p{Cc}](?:[^\p{Cc}]*[^\s\p{Cc}])?)[ \t]*$/u;

function splitLines(text: string): { lines: PolicyLine[]; remarks: Remark[] } {
  const lines: PolicyLine[] = [];
  const remarks: Remark[] = [];
  const parts = text.split("\n");
  let offset = 0;
  for (const [at, part] of parts.entries()) {
    const line = part.replace(/\r$/, "");
    const place = { offset, text: line };
    const [, key, value] = LINE.exec(line) ?? [];
    if (key !== undefined && value !== undefined) {
      lines.push({ key, value, ...place });
    } else if (line.trim() !== "") {
      const mark = line.startsWith("\ufeff") ? "; the file begins with a byte order mark" : "";
      const message = `"${line.slice(0, 60)}" is not of the form "key: value", which makes the policy invalid${mark}`;
      remarks.push(remark("mta-sts-policy-syntax", "error", message, place));
    } else if (at < parts.length - 1) {
      const message = "an empty line; the format has none, and strict senders refuse the policy";
      remarks.push(remark("mta-sts-policy-empty-line", "warning", message, place));
    }
    offset += part.length + 1;
  }
  return { lines, remarks };
}

function remark(
  code: string,
  severity: Remark["severity"],
  message: string,
  place: { readonly offset: number; readonly text: string } | undefined,
): Remark {
  const plain = { code, severity, message, reference: "RFC 8461 §3.2" };
  return place === undefined
    ? plain
    : { ...plain, offset: place.offset, length: Math.max(place.text.length, 1) };
}

function requiredRemarks(lines: readonly PolicyLine[], text: string): Remark[] {
  const remarks: Remark[] = [];
  const end = { offset: text.trimEnd().length, text: "" };
  const missing = (key: string) => {
    const wrongCase = lines.find((line) => line.key.toLowerCase() === key);
    const cause = wrongCase === undefined ? "" : `; "${wrongCase.key}" is another key, since case counts`;
    return `${key} is required${cause}`;
  };
  const [version, mode, maxAge] = ["version", "mode", "max_age"].map((key) => first(lines, key));
  if (version?.value !== "STSv1") {
    const message = version === undefined ? missing("version") : `version must be STSv1`;
    remarks.push(remark("mta-sts-policy-version", "error", message, version ?? end));
  }
  const known = readMode(mode?.value);
  if (known === undefined) {
    const message =
      mode === undefined ? missing("mode") : `mode must be enforce, testing or none, not "${mode.value}"`;
    remarks.push(remark("mta-sts-policy-mode", "error", message, mode ?? end));
  } else if (known !== "enforce") {
    const message =
      known === "testing"
        ? "mode testing: failures are only reported, mail is delivered without TLS all the same"
        : "mode none: the domain has no active policy any more";
    remarks.push(remark(`mta-sts-mode-${known}`, "notice", message, mode));
  }
  remarks.push(...maxAgeRemarks(maxAge ?? { ...end, value: undefined }, known, missing("max_age")));
  if (known !== undefined && known !== "none" && first(lines, "mx") === undefined) {
    remarks.push(remark("mta-sts-policy-no-mx", "error", `mode ${known} needs at least one mx line`, end));
  }
  return remarks;
}

function maxAgeRemarks(
  line: { readonly value: string | undefined; readonly offset: number; readonly text: string },
  mode: MtaStsMode | undefined,
  missing: string,
): Remark[] {
  const { value } = line;
  if (value === undefined) return [remark("mta-sts-policy-max-age", "error", missing, line)];
  if (!/^\d{1,10}$/.test(value) || Number(value) > MAX_MAX_AGE_SECONDS) {
    const message = `max_age takes seconds from 0 to ${MAX_MAX_AGE_SECONDS}, not "${value}"`;
    return [remark("mta-sts-policy-max-age", "error", message, line)];
  }
  if (mode !== "enforce" || Number(value) >= 7 * DAY_SECONDS) return [];
  const message =
    "max_age is shorter than a week: whoever blocks the policy for that long gets the mail without TLS";
  return [remark("mta-sts-max-age-short", "warning", message, line)];
}

function mxRemarks(lines: readonly PolicyLine[]): Remark[] {
  const seen = new Set<string>();
  return lines.flatMap((line) => {
    const pattern = line.value.toLowerCase();
    const problem = patternProblem(line.value);
    if (problem !== undefined) {
      return [remark("mta-sts-policy-mx", "error", `mx "${line.value.slice(0, 80)}": ${problem}`, line)];
    }
    if (seen.has(pattern))
      return [remark("mta-sts-duplicate-mx", "notice", `mx ${pattern} stands twice`, line)];
    seen.add(pattern);
    return [];
  });
}

function patternProblem(pattern: string): string | undefined {
  if (/[^\0-\x7f]/.test(pattern)) return "internationalised names are written as A-labels (xn--…) here";
  if (pattern.endsWith(".")) return "names have no final dot here";
  const isWildcard = pattern.startsWith("*.");
  const name = parseDomainName(isWildcard ? pattern.slice(2) : pattern);
  if (!name.ok) return name.problem;
  if (name.value.includes("*")) return 'a wildcard is "*." in front of a name, and nothing else';
  return isHostName(name.value) ? undefined : "an MX is a host name; addresses and bare labels are none";
}

const KNOWN_KEYS = ["version", "mode", "max_age", "mx"];

function keyRemarks(lines: readonly PolicyLine[]): Remark[] {
  return lines.flatMap((line) => {
    if (!KNOWN_KEYS.includes(line.key)) {
      const message = `senders ignore the unknown key "${line.key}"`;
      return [remark("mta-sts-policy-unknown-key", "notice", message, line)];
    }
    if (line.key === "mx" || first(lines, line.key) === line) return [];
    const message = `${line.key} stands twice; only the first counts`;
    return [remark("mta-sts-policy-duplicate-key", "warning", message, line)];
  });
}
