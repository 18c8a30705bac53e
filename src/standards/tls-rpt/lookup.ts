/** Finding the one TLS reporting record of a domain (RFC 8460 §3). */
import type { DomainName } from "../dns/name.ts";
import { txtText } from "../dns/record.ts";
import type { Resolver, Unknown } from "../dns/resolver.ts";
import { isTlsRptRecord, parseTlsRptRecord, type TlsRptRecord, tlsRptOwner } from "./record.ts";

export type TlsRptLookup =
  | { readonly status: "found"; readonly record: TlsRptRecord; readonly text: string }
  /** `no-record`: there are TXT records, but none of them begins like a TLS reporting record. */
  | { readonly status: "absent"; readonly kind: "nxdomain" | "nodata" | "no-record" }
  /** More than one is none. */
  | { readonly status: "several"; readonly texts: readonly string[] }
  | { readonly status: "invalid"; readonly text: string; readonly problem: string }
  | Unknown;

export async function lookupTlsRptRecord(domain: DomainName, resolver: Resolver): Promise<TlsRptLookup> {
  const answer = await resolver.lookup(tlsRptOwner(domain), "TXT");
  if (answer.status === "unknown") return answer;
  if (answer.status === "absent") return { status: "absent", kind: answer.kind };
  const texts = answer.records.map(({ data }) => txtText(data)).filter(isTlsRptRecord);
  const [text, second] = texts;
  if (text === undefined) return { status: "absent", kind: "no-record" };
  if (second !== undefined) return { status: "several", texts };
  const parsed = parseTlsRptRecord(text);
  return parsed.ok
    ? { status: "found", record: parsed.value, text }
    : { status: "invalid", text, problem: parsed.problem };
}
