/** Finding the one MTA-STS record of a domain (RFC 8461 §3.1). */
import type { DomainName } from "../dns/name.ts";
import { txtText } from "../dns/record.ts";
import type { Resolver, Unknown } from "../dns/resolver.ts";
import { isMtaStsRecord, type MtaStsRecord, mtaStsOwner, parseMtaStsRecord } from "./record.ts";

export type MtaStsLookup =
  | { readonly status: "found"; readonly record: MtaStsRecord; readonly text: string }
  /** `no-record`: there are TXT records, but none of them begins like an MTA-STS record. */
  | { readonly status: "absent"; readonly kind: "nxdomain" | "nodata" | "no-record" }
  /** Senders see no policy in any of these three. */
  | { readonly status: "several"; readonly texts: readonly string[] }
  | { readonly status: "invalid"; readonly text: string; readonly problem: string }
  | Unknown;

export async function lookupMtaStsRecord(domain: DomainName, resolver: Resolver): Promise<MtaStsLookup> {
  const answer = await resolver.lookup(mtaStsOwner(domain), "TXT");
  if (answer.status === "unknown") return answer;
  if (answer.status === "absent") return { status: "absent", kind: answer.kind };
  const texts = answer.records.map(({ data }) => txtText(data)).filter(isMtaStsRecord);
  const [text, second] = texts;
  if (text === undefined) return { status: "absent", kind: "no-record" };
  if (second !== undefined) return { status: "several", texts };
  const parsed = parseMtaStsRecord(text);
  return parsed.ok
    ? { status: "found", record: parsed.value, text }
    : { status: "invalid", text, problem: parsed.problem };
}
