/** Finding the one SPF record of a domain (RFC 7208 §4.4, §4.5). */
import type { DomainName } from "../dns/name.ts";
import { txtText } from "../dns/record.ts";
import type { Resolver, Unknown } from "../dns/resolver.ts";
import { isSpfRecord } from "./record.ts";

export type SpfLookup =
  | { readonly status: "found"; readonly text: string }
  /** `no-record`: the name has TXT records, but none of them is an SPF record. */
  | { readonly status: "absent"; readonly kind: "nxdomain" | "nodata" | "no-record" }
  /** More than one record is a permerror, whatever they say. */
  | { readonly status: "several"; readonly texts: readonly string[] }
  | Unknown;

export async function lookupSpfRecord(domain: DomainName, resolver: Resolver): Promise<SpfLookup> {
  const answer = await resolver.lookup(domain, "TXT");
  if (answer.status === "unknown") return answer;
  if (answer.status === "absent") return { status: "absent", kind: answer.kind };
  const texts = answer.records.map(({ data }) => txtText(data)).filter(isSpfRecord);
  const [text, second] = texts;
  if (text === undefined) return { status: "absent", kind: "no-record" };
  return second === undefined ? { status: "found", text } : { status: "several", texts };
}
