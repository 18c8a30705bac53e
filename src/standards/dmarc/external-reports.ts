/** Whether a foreign destination agreed to take a domain's reports (RFC 9990 §4; RFC 7489 (historic) §7.1). */
import { type DomainName, tryPrepend } from "../dns/name.ts";
import { txtText } from "../dns/record.ts";
import type { Resolver, Unknown } from "../dns/resolver.ts";
import { parseDmarcRecord, reportDomain } from "./record.ts";

export type ReportAuthorization =
  | {
      readonly status: "authorized";
      readonly name: DomainName;
      /** Destinations that replace the asked ones (step 9); empty where they stay. */
      readonly overridingUris: readonly string[];
    }
  /** `found`: TXT texts at the name that do not say v=DMARC1. */
  | { readonly status: "unauthorized"; readonly name: DomainName; readonly found: readonly string[] }
  /** The name would be longer than DNS allows (step 4). */
  | { readonly status: "unnameable" }
  | Unknown;

/** Reports within one organization need no agreement. */
export function needsAuthorization(senderOrganization: DomainName, reportOrganization: DomainName): boolean {
  return senderOrganization !== reportOrganization;
}

/** `<sender>._report._dmarc.<destination>`: where the destination agrees. Undefined where it grows too long. */
export function authorizationName(senderDomain: DomainName, destination: DomainName): DomainName | undefined {
  return tryPrepend(`${senderDomain}._report._dmarc`, destination);
}

/**
 * Asks for the concrete name: a wildcard `*._report._dmarc` at the destination answers it too, while asking
 * for the literal asterisk proves nothing (RFC 4592 §2.1.3).
 */
export async function lookupReportAuthorization(
  senderDomain: DomainName,
  destination: DomainName,
  resolver: Resolver,
): Promise<ReportAuthorization> {
  const name = authorizationName(senderDomain, destination);
  if (name === undefined) return { status: "unnameable" };
  const answer = await resolver.lookup(name, "TXT");
  if (answer.status === "unknown") return answer;
  const texts = answer.status === "found" ? answer.records.map(({ data }) => txtText(data)) : [];
  const agreements = texts.map(parseDmarcRecord).filter((parsed) => parsed.ok);
  if (agreements.length === 0) return { status: "unauthorized", name, found: texts };
  // An override that leads to yet another host is no agreement to anything.
  const uris = agreements.flatMap(({ value }) => value.aggregateUris);
  if (uris.some((uri) => reportDomain(uri) !== destination))
    return { status: "unauthorized", name, found: texts };
  return { status: "authorized", name, overridingUris: uris };
}
