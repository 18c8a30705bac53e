/** Authentication in the words of the Authentication-Results field (RFC 8601 §2.7). */
import type { ArcValidation } from "../standards/arc/validate.ts";
import type { AuthenticationResult, ResultProperty } from "../standards/auth-results/header.ts";
import type { IprevOutcome } from "../standards/auth-results/iprev.ts";
import type { DkimVerification } from "../standards/dkim/verify.ts";
import type { DomainName } from "../standards/dns/name.ts";
import type { SpfOutcome } from "../standards/spf/evaluate.ts";
import type { MailAuthentication, MailOrigin, MessageDmarc } from "./authentication.ts";
import type { PolicyDecision } from "./policy.ts";

/** Every mechanism has its say, also where there was nothing to check. */
export function resultsOf(
  authentication: MailAuthentication,
  decision?: Pick<PolicyDecision, "vouchedBy">,
): readonly AuthenticationResult[] {
  const { origin, iprev, spf, dkim, arc, dmarc } = authentication;
  return [
    dmarcResult(dmarc, decision?.vouchedBy),
    spfResult(spf, origin),
    ...dkimResults(dkim),
    arcResult(arc, origin),
    iprevResult(iprev, origin),
  ];
}

export const dkimResults = (dkim: readonly DkimVerification[]): readonly AuthenticationResult[] =>
  dkim.length === 0 ? [{ method: "dkim", result: "none", properties: [] }] : dkim.map(dkimResult);

export const arcResult = (arc: ArcValidation, origin: Partial<MailOrigin>): AuthenticationResult => ({
  method: "arc",
  result: arc.result,
  ...(arc.problem !== undefined && { reason: arc.problem }),
  properties: arcProperties(arc, origin),
});

export const iprevResult = (
  iprev: IprevOutcome,
  { clientIp }: Pick<MailOrigin, "clientIp">,
): AuthenticationResult => ({
  method: "iprev",
  result: iprev.result,
  ...(iprev.result === "pass" && iprev.names[0] !== undefined && { comment: iprev.names[0] }),
  properties: [property("policy", "iprev", clientIp.text)],
});

/** Local-parts stay out, unless the record speaks of them (RFC 8601 §2.7.2); ours never knows. */
export function spfResult(
  { result, identity, domain, problem }: SpfOutcome,
  { helo = "" }: Pick<Partial<MailOrigin>, "helo">,
): AuthenticationResult {
  const value = identity === "mailfrom" ? (domain ?? "") : helo;
  return {
    method: "spf",
    result,
    ...(problem !== undefined && result !== "none" && { reason: problem }),
    properties: value === "" ? [] : [property("smtp", identity, value)],
  };
}

/** RFC 6008 §4: so much of b= tells signatures of one key apart. */
const SIGNATURE_START = 8;

function dkimResult({ result, signature, key, isTesting, problem }: DkimVerification): AuthenticationResult {
  const comments = [
    ...(key === undefined ? [] : [key.keyType === "rsa" ? `${key.modulusBits}-bit key` : "ed25519 key"]),
    ...(isTesting ? ["testing"] : []),
  ];
  return {
    method: "dkim",
    result,
    ...(problem !== undefined && { reason: problem }),
    ...(comments.length > 0 && { comment: comments.join(", ") }),
    properties:
      signature === undefined
        ? []
        : [
            property("header", "d", signature.signingDomain),
            property("header", "s", signature.dkimSelector),
            property("header", "a", `${signature.keyType}-${signature.hash}`),
            property(
              "header",
              "b",
              Buffer.from(signature.signature).toString("base64").slice(0, SIGNATURE_START),
            ),
          ],
  };
}

function arcProperties(
  { result, oldestPass }: ArcValidation,
  { clientIp }: Partial<MailOrigin>,
): ResultProperty[] {
  if (result === "none") return [];
  return [
    ...(oldestPass === undefined ? [] : [property("header", "oldest-pass", String(oldestPass))]),
    ...(clientIp === undefined ? [] : [property("smtp", "remote-ip", clientIp.text)]),
  ];
}

export function dmarcResult(dmarc: MessageDmarc, vouchedBy?: DomainName): AuthenticationResult {
  if (dmarc.status === "no-author-domain")
    return { method: "dmarc", result: "permerror", reason: dmarc.problem, properties: [] };
  const { authorDomain, outcome } = dmarc;
  const problem = dmarc.problem ?? (outcome.result === "temperror" ? outcome.problem : undefined);
  const comments = [
    ...(outcome.discovery.status === "found" ? [`p=${outcome.discovery.requested}`] : []),
    ...(vouchedBy === undefined ? [] : [`made good by ARC of ${vouchedBy}`]),
  ];
  return {
    method: "dmarc",
    result: outcome.result,
    ...(problem !== undefined && { reason: problem }),
    ...(comments.length > 0 && { comment: comments.join(", ") }),
    properties: [property("header", "from", authorDomain)],
  };
}

const property = (ptype: string, name: string, value: string): ResultProperty => ({
  ptype,
  property: name,
  value,
});
