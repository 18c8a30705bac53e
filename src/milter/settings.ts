/** How this milter treats mail: what is outgoing, who signs it, and what becomes of what does not pass. */
import type { Canonicalization } from "../standards/dkim/canonical.ts";
import type { IpNetwork } from "../standards/dns/address.ts";
import type { DomainName } from "../standards/dns/name.ts";

export interface MilterSettings {
  /** By which readers behind us know our Authentication-Results (RFC 8601 §2.5): mostly the host's name. */
  readonly authservId: string;
  /** Further ids that readers behind us trust; fields that claim them are removed as well. */
  readonly trustedIds: readonly string[];
  readonly outgoing: OutgoingRules;
  readonly signing: SigningSettings;
  readonly policy: MilterPolicy;
  /** Domains whose word about a message counts, where their ARC seal holds and DMARC fails. */
  readonly trustedSealers: readonly DomainName[];
  /** Incoming mail gets an ARC set of this domain's; undefined: none is made. */
  readonly sealAs: DomainName | undefined;
}

/** Outgoing is what comes from an own client, by any of these; all other mail is incoming. */
export interface OutgoingRules {
  /** The client has logged in. */
  readonly authenticated: boolean;
  readonly networks: readonly IpNetwork[];
  /** Names that the MTA gives its listeners ({daemon_name}); Postfix: milter_macro_daemon_name. */
  readonly daemons: readonly string[];
}

export interface SigningSettings {
  readonly headerCanonicalization: Canonicalization;
  readonly bodyCanonicalization: Canonicalization;
  readonly expiresAfterSeconds: number | undefined;
  /** Tried in order, where the Author Domain has no keys of its own. */
  readonly rules: readonly SigningRule[];
  /** `own`: who has logged in as somebody of a domain is signed for that domain alone. */
  readonly logins: "any" | "own";
}

export interface SigningRule {
  /** "example.org", "*.example.org" (anything below), or "*". */
  readonly from: string;
  readonly signingDomain: DomainName;
}

/** `tag`: the result is written into the mail, and nothing else happens. */
export type PolicyAction = "tag" | "quarantine" | "reject";

export interface MilterPolicy {
  /** `as-asked`: what the Author Domain asks for by its DMARC record, one step less in its testing mode. */
  readonly dmarcFail: PolicyAction | "as-asked";
  readonly spfFail: PolicyAction;
  /** There are signatures, and none passes. */
  readonly dkimFail: PolicyAction;
  readonly iprevFail: PolicyAction;
  /** No From field, several Author Domains, or none. */
  readonly noAuthor: PolicyAction;
  readonly arcFail: PolicyAction;
  /** DNS did not answer, and what did not pass might have. */
  readonly temporary: "tag" | "tempfail";
}

export const TAG_ONLY: MilterPolicy = {
  dmarcFail: "tag",
  spfFail: "tag",
  dkimFail: "tag",
  iprevFail: "tag",
  noAuthor: "tag",
  arcFail: "tag",
  temporary: "tag",
};
