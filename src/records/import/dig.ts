/** dig's output: its comments say what was asked, whether a cache answered, and which section follows. */
import { parseDomainName } from "../../standards/dns/name.ts";
import { parseRecordType } from "../../standards/dns/record.ts";
import { readQuestion } from "./command-line.ts";
import { type Known, type PastedRemark, type Reading, recordOf, remarkAt } from "./reading.ts";

export function readDigComment(lines: readonly string[], at: number, known: Known): Reading | undefined {
  const line = lines[at]!.trim();
  if (!line.startsWith(";")) return undefined;
  const asked = /^; <<>> DiG [^<]*<<>> (.*)$/.exec(line)?.[1];
  if (asked !== undefined) {
    return { taken: 1, known: { dig: { authoritative: false }, asked: readQuestion("dig", asked) } };
  }
  const status = /^;; ->>HEADER<<-.*\bstatus: ([A-Z]+)/.exec(line)?.[1];
  if (status !== undefined) {
    return {
      taken: 1,
      known: { dig: { authoritative: false } },
      ...(status !== "NOERROR" && { remarks: [failure(status, at, known)] }),
    };
  }
  if (/^;; flags:/.test(line)) {
    const authoritative = /^;; flags:[a-z ]* aa\b/.test(line);
    const remarks: PastedRemark[] = [];
    if (/\bANSWER: 0\b/.test(line) && known.asked !== undefined) {
      const message = `there is no ${known.asked.type} at ${known.asked.name}`;
      remarks.push(remarkAt(at, "warning", "pasted-not-found", message, "RFC 2308 §2.2"));
    }
    return { taken: 1, known: { dig: { authoritative } }, remarks };
  }
  if (/^;; (?:AUTHORITY|ADDITIONAL) SECTION:/.test(line)) return { taken: 1 + linesOfSection(lines, at + 1) };
  if (/^;; (?:Query time|XFR size):/.test(line)) {
    return { taken: 1, known: { dig: undefined, asked: undefined } };
  }
  if (/^;; (?:connection timed out|communications error|no servers could be reached)/.test(line)) {
    const message = "dig got no answer: nothing is said of what is published";
    return {
      taken: 1,
      remarks: [remarkAt(at, "warning", "pasted-no-answer", message, "RFC 2308 §7")],
    };
  }
  const question = /^;(\S+)\s+IN\s+([A-Z0-9]+)$/.exec(line);
  if (question !== null && known.dig !== undefined) {
    const name = parseDomainName(question[1]!);
    const type = parseRecordType(question[2]!);
    if (name.ok && type !== undefined) return { taken: 1, known: { asked: { name: name.value, type } } };
  }
  return { taken: 1 };
}

/** What a server adds unasked is for resolvers: the SOA of a negative answer makes no whole zone. */
function linesOfSection(lines: readonly string[], from: number): number {
  let end = from;
  while (end < lines.length && lines[end]!.trim() !== "" && !lines[end]!.startsWith(";;")) end++;
  return end - from;
}

function failure(status: string, at: number, { asked }: Known): PastedRemark {
  const what = asked === undefined ? "the name" : asked.name;
  return status === "NXDOMAIN"
    ? remarkAt(at, "warning", "pasted-not-found", `${what} does not exist`, "RFC 2308 §2.1")
    : remarkAt(
        at,
        "warning",
        "pasted-no-answer",
        `the lookup of ${what} failed (${status}): nothing is said of what is published`,
        "RFC 2308 §7",
      );
}

/** `dig +short`: data alone, below the command that asked for it. */
export function readShortAnswer(lines: readonly string[], at: number, known: Known): Reading | undefined {
  const { asked } = known;
  const line = lines[at]!.trim();
  if (asked === undefined || line === "" || !looksLikeData(line, asked.type)) return undefined;
  const direct = recordOf(asked.name, asked.type, line);
  const alias = /^[^\s"]+\.$/.test(line) ? recordOf(asked.name, "CNAME", line) : undefined;
  const record = direct ?? alias;
  if (record === undefined) return undefined;
  const next = record === alias && record.data.type === "CNAME" && direct === undefined;
  return {
    taken: 1,
    records: [{ record, line: at + 1, format: "dig", ttl: "unknown" }],
    ...(next && record.data.type === "CNAME" && { known: { asked: { ...asked, name: record.data.target } } }),
  };
}

/** Strict, because any line may follow a command. */
function looksLikeData(line: string, type: string): boolean {
  switch (type) {
    case "A":
    case "AAAA":
      return /^(?:[\d.]+|[0-9a-f:.]*:[0-9a-f:.]*)$/i.test(line) || /^[^\s"]+\.$/.test(line);
    case "TXT":
    case "SPF":
      return line.startsWith('"');
    case "MX":
      return /^\d+ \S+\.$/.test(line);
    case "CNAME":
    case "NS":
    case "PTR":
      return /^[^\s"]+\.$/.test(line);
    case "SRV":
      return /^\d+ \d+ \d+ \S+\.$/.test(line);
    default:
      return /^\d+ /.test(line);
  }
}
