/** Authenticating a message out of a file, of whose delivery not everything may be known. */
import { ArcValidator } from "../standards/arc/validate.ts";
import type { AuthenticationResult } from "../standards/auth-results/header.ts";
import { evaluateIprev, type IprevOutcome } from "../standards/auth-results/iprev.ts";
import { BodyHasher } from "../standards/dkim/body-hash.ts";
import { DkimKeyRing } from "../standards/dkim/key-lookup.ts";
import { indexFields } from "../standards/dkim/signed-fields.ts";
import { type DkimVerification, DkimVerifier } from "../standards/dkim/verify.ts";
import { type DomainName, parseDomainName } from "../standards/dns/name.ts";
import type { Resolver } from "../standards/dns/resolver.ts";
import { authorDomainsOf } from "../standards/message/address-list.ts";
import { evaluateSpf, type SpfOutcome } from "../standards/spf/evaluate.ts";
import { evaluateMessageDmarc } from "./authenticate.ts";
import type { MailAuthentication, MailOrigin, MessageDmarc } from "./authentication.ts";
import { arcResult, dkimResults, dmarcResult, iprevResult, spfResult } from "./result-fields.ts";
import type { SavedMessage } from "./saved-message.ts";

/** What can be told of a message of whose delivery not everything is known. */
export interface SavedAuthentication extends Pick<MailAuthentication, "dkim" | "skippedSignatures" | "arc"> {
  readonly origin: Partial<MailOrigin>;
  /** Undefined where the client's address is not known. */
  readonly iprev: IprevOutcome | undefined;
  /** Undefined where the client's address is not known, or no name to ask for. */
  readonly spf: SpfOutcome | undefined;
  readonly dmarc: MessageDmarc | OpenDmarc;
}

/** DKIM alone does not make it pass, and what SPF would say is not known. */
export interface OpenDmarc {
  readonly status: "open";
  readonly authorDomain: DomainName;
  /** As if there had been no SPF. */
  readonly outcome: Extract<MessageDmarc, { status: "evaluated" }>["outcome"];
  readonly problem?: string;
}

/** What is left out of the origin costs the results that depend on it, and no others. Rejects only where the resolver does. */
export async function authenticateSavedMessage(
  origin: Partial<MailOrigin>,
  { fields, body }: SavedMessage,
  resolver: Resolver,
  now: Date,
): Promise<SavedAuthentication> {
  const { clientIp, helo, mailFrom } = origin;
  const hasher = new BodyHasher();
  const index = indexFields(fields);
  const keys = new DkimKeyRing();
  const verifier = new DkimVerifier(index, hasher, { resolver, keys, now });
  const validator = new ArcValidator(index, hasher, { resolver, keys });
  hasher.update(body);
  hasher.finish();
  // With an empty reverse-path the HELO name is all there is to ask for (RFC 7208 §2.4).
  const isSpfKnown =
    clientIp !== undefined && mailFrom !== undefined && (mailFrom !== "" || helo !== undefined);
  const [dkim, arc, spf, iprev] = await Promise.all([
    verifier.finish(),
    validator.finish(),
    isSpfKnown ? evaluateSpf({ clientIp, mailFrom, helo: helo ?? UNKNOWN_HELO, now }, resolver) : undefined,
    clientIp === undefined ? undefined : evaluateIprev(clientIp, resolver),
  ]);
  const dmarc = await evaluateSavedDmarc(origin, fields, spf, dkim, resolver);
  return { origin, iprev, spf, dkim, skippedSignatures: verifier.skippedSignatures, arc, dmarc };
}

/** RFC 7208 §7.3 has this word for a name that is not known. */
const UNKNOWN_HELO = "unknown";

async function evaluateSavedDmarc(
  { helo, mailFrom }: Partial<MailOrigin>,
  fields: SavedMessage["fields"],
  spf: SpfOutcome | undefined,
  dkim: readonly DkimVerification[],
  resolver: Resolver,
): Promise<MessageDmarc | OpenDmarc> {
  const authors = authorDomainsOf(fields);
  const dmarc = await evaluateMessageDmarc(authors, spf, dkim, resolver);
  if (spf !== undefined || dmarc.status !== "evaluated" || dmarc.outcome.result !== "fail") return dmarc;
  const sender = mailFrom === "" ? helo : mailFrom?.slice(mailFrom.lastIndexOf("@") + 1);
  const domain = sender === undefined ? undefined : parseDomainName(sender);
  if (domain?.ok) {
    // A name that does not align makes no difference, whatever SPF says of it.
    const open = { result: "temperror", domain: domain.value } as const;
    const other = await evaluateMessageDmarc(authors, open, dkim, resolver);
    if (other.status === "evaluated" && other.outcome.result === "fail") return dmarc;
  }
  const { authorDomain, outcome, problem } = dmarc;
  return { status: "open", authorDomain, outcome, ...(problem !== undefined && { problem }) };
}

/** For the Authentication-Results field: what could not be told is left out. */
export function savedResultsOf(authentication: SavedAuthentication): readonly AuthenticationResult[] {
  const { origin, iprev, spf, dkim, arc, dmarc } = authentication;
  const { clientIp } = origin;
  return [
    ...(dmarc.status === "open" ? [] : [dmarcResult(dmarc)]),
    ...(spf === undefined ? [] : [spfResult(spf, origin)]),
    ...dkimResults(dkim),
    arcResult(arc, origin),
    ...(iprev === undefined || clientIp === undefined ? [] : [iprevResult(iprev, { clientIp })]),
  ];
}
