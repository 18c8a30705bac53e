/** From what authentication found to what becomes of the message. */
import { type AuthenticationResults, parseAuthenticationResults } from "../standards/auth-results/header.ts";
import type { DomainName } from "../standards/dns/name.ts";
import { forDisplay } from "../standards/dns/name.ts";
import type { MailAuthentication } from "./authentication.ts";
import type { MailAction } from "./mail-handler.ts";
import type { MilterPolicy, PolicyAction } from "./settings.ts";

export interface PolicyDecision {
  readonly action: MailAction;
  /** What decided, in a word for the log; undefined where nothing spoke against the message. */
  readonly because: PolicyReason | undefined;
  /** The sealer whose word made good what DMARC found wanting. */
  readonly vouchedBy?: DomainName;
}

export type PolicyReason = keyof MilterPolicy;

interface Complaint {
  readonly because: PolicyReason;
  readonly wanted: PolicyAction;
  readonly status: string;
  readonly text: string;
}

const ACCEPT: MailAction = { kind: "accept" };
const WEIGHT = { tag: 0, quarantine: 1, reject: 2 } as const;

/** The hardest of what the single results ask for. What might still pass another time is refused for good by nothing. */
export function decide(
  authentication: MailAuthentication,
  policy: MilterPolicy,
  trustedSealers: readonly DomainName[],
): PolicyDecision {
  const voucher = dmarcFails(authentication) ? findVoucher(authentication, trustedSealers) : undefined;
  const vouched = voucher === undefined ? {} : { vouchedBy: voucher };
  const isOpen = isTemporary(authentication);
  const complaints = complaintsAbout(authentication, policy).filter(
    ({ because }) => !(voucher !== undefined && because !== "iprevFail"),
  );
  const wanting = complaints.filter(({ wanted }) => wanted !== "tag");
  if (isOpen && policy.temporary === "tempfail") {
    return {
      action: {
        kind: "reply",
        code: 451,
        status: "4.7.24",
        text: "The sender cannot be authenticated while DNS does not answer, please try again later",
      },
      because: "temporary",
    };
  }
  const worst = wanting.reduce<Complaint | undefined>(
    (one, other) => (one === undefined || WEIGHT[other.wanted] > WEIGHT[one.wanted] ? other : one),
    undefined,
  );
  if (worst === undefined) return { action: ACCEPT, because: complaints[0]?.because, ...vouched };
  if (worst.wanted === "quarantine") {
    return { action: { kind: "quarantine", reason: worst.text }, because: worst.because, ...vouched };
  }
  // RFC 7372 §3.4: which of several it was is not for the client to know.
  const isMultiple = wanting.filter(({ wanted }) => wanted === "reject").length > 1;
  const { status, text } = isMultiple
    ? { status: "5.7.26", text: "Multiple authentication checks failed" }
    : worst;
  return { action: { kind: "reply", code: 550, status, text }, because: worst.because, ...vouched };
}

const dmarcFails = ({ dmarc }: MailAuthentication): boolean =>
  dmarc.status === "evaluated" && dmarc.outcome.result === "fail";

/** A lookup that failed could have made the difference. */
function isTemporary({ spf, dkim, arc, dmarc }: MailAuthentication): boolean {
  if (dmarc.status === "evaluated") {
    if (dmarc.outcome.result === "pass") return false;
    if (dmarc.outcome.result === "temperror") return true;
  }
  if (dkim.some(({ result }) => result === "pass") || spf.result === "pass") return false;
  return spf.result === "temperror" || dkim.some(({ result }) => result === "temperror") || arc.isTemporary;
}

function complaintsAbout(
  { spf, dkim, iprev, arc, dmarc }: MailAuthentication,
  policy: MilterPolicy,
): readonly Complaint[] {
  const complaints: Complaint[] = [];
  const complain = (because: PolicyReason, wanted: PolicyAction, status: string, text: string) =>
    complaints.push({ because, wanted, status, text });
  if (dmarc.status === "no-author-domain") {
    complain("noAuthor", policy.noAuthor, "5.7.1", `No author to authenticate: ${dmarc.problem}`);
  } else {
    const { outcome, authorDomain, problem } = dmarc;
    if (problem !== undefined) {
      complain("noAuthor", policy.noAuthor, "5.7.1", `No single author to authenticate: ${problem}`);
    }
    if (outcome.result === "fail") {
      const asked = outcome.disposition === "none" ? "tag" : outcome.disposition;
      const wanted = policy.dmarcFail === "as-asked" ? asked : policy.dmarcFail;
      complain(
        "dmarcFail",
        wanted,
        "5.7.1",
        `Not authenticated as DMARC of ${forDisplay(authorDomain)} asks`,
      );
    }
  }
  if (spf.result === "fail") complain("spfFail", policy.spfFail, "5.7.23", "SPF validation failed");
  const hasPassed = dkim.some(({ result }) => result === "pass");
  const couldPass = dkim.some(({ result }) => result === "temperror");
  // A key in testing says that its failures are to be taken as no signature at all (RFC 6376 §3.6.1).
  const counted = dkim.filter(({ isTesting }) => !isTesting);
  if (counted.length > 0 && !hasPassed && !couldPass) {
    complain("dkimFail", policy.dkimFail, "5.7.20", "No passing DKIM signature found");
  }
  if (iprev.result === "fail" || iprev.result === "permerror") {
    complain("iprevFail", policy.iprevFail, "5.7.25", "Reverse DNS validation failed");
  }
  if (arc.result === "fail" && !arc.isTemporary) {
    complain("arcFail", policy.arcFail, "5.7.29", "ARC validation failure");
  }
  return complaints;
}

/**
 * The sealers from the newest inwards for as long as they are trusted, and the first of them that saw DMARC pass for
 * this very author (RFC 8617 §7.2.1).
 */
function findVoucher(
  { arc, dmarc }: MailAuthentication,
  trustedSealers: readonly DomainName[],
): DomainName | undefined {
  if (arc.result !== "pass" || dmarc.status !== "evaluated" || dmarc.problem !== undefined) return undefined;
  for (const { signingDomain, authenticationResults } of arc.sets) {
    if (!trustedSealers.includes(signingDomain)) return undefined;
    const results = parseAuthenticationResults(authenticationResults);
    if (results.ok && sawDmarcPass(results.value, dmarc.authorDomain)) return signingDomain;
  }
  return undefined;
}

function sawDmarcPass({ results }: AuthenticationResults, authorDomain: DomainName): boolean {
  return results.some(
    ({ method, result, properties }) =>
      method === "dmarc" &&
      result === "pass" &&
      properties.some(
        ({ ptype, property, value }) =>
          ptype === "header" &&
          property === "from" &&
          value.toLowerCase().replace(/^.*@/, "") === authorDomain,
      ),
  );
}
