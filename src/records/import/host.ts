/** The output of `host`: a sentence a record. */
import { parseAddress, reverseName } from "../../standards/dns/address.ts";
import { parseRecordType, type RecordType } from "../../standards/dns/record.ts";
import { type Reading, recordOf, remarkAt } from "./reading.ts";

const SENTENCES: readonly (readonly [RegExp, RecordType])[] = [
  [/^(\S+) mail is handled by (\d+ \S+)$/, "MX"],
  [/^(\S+) has address (\S+)$/, "A"],
  [/^(\S+) has IPv6 address (\S+)$/, "AAAA"],
  [/^(\S+) descriptive text (".*)$/, "TXT"],
  [/^(\S+) domain name pointer (\S+)$/, "PTR"],
  [/^(\S+) is an alias for (\S+)$/, "CNAME"],
  [/^(\S+) name server (\S+)$/, "NS"],
];

export function readHostLine(lines: readonly string[], at: number): Reading | undefined {
  const line = lines[at]!.trim();
  for (const [sentence, type] of SENTENCES) {
    const match = sentence.exec(line);
    if (match !== null) return found(match[1]!, type, match[2]!, at);
  }
  const general = /^(\S+) has ([A-Z0-9]+) record (.+)$/.exec(line);
  const type = general && parseRecordType(general[2]!);
  if (general && type) return found(general[1]!, type, general[3]!, at);
  const [, missing, failure] = /^Host (\S+) not found: \d+\(([A-Z]+)\)$/.exec(line) ?? [];
  if (missing !== undefined) {
    return failure === "NXDOMAIN"
      ? notFound(at, `${missing} does not exist`)
      : {
          taken: 1,
          remarks: [
            remarkAt(
              at,
              "warning",
              "pasted-no-answer",
              `the lookup of ${missing} failed (${failure}): nothing is said of what is published`,
              "RFC 2308 §7",
            ),
          ],
        };
  }
  const [, name, absent] = /^(\S+) has no ([A-Z0-9]+) record$/.exec(line) ?? [];
  return name === undefined ? undefined : notFound(at, `there is no ${absent} at ${name}`);
}

function found(name: string, type: RecordType, data: string, at: number): Reading | undefined {
  // Older versions print the address itself in front of "domain name pointer".
  const address = type === "PTR" ? parseAddress(name) : undefined;
  const record = recordOf(address?.ok ? reverseName(address.value) : name, type, data);
  return record && { taken: 1, records: [{ record, line: at + 1, format: "host", ttl: "unknown" }] };
}

function notFound(at: number, message: string): Reading {
  return { taken: 1, remarks: [remarkAt(at, "warning", "pasted-not-found", message, "RFC 2308 §2")] };
}
