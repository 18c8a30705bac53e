/** What authentication of one message comes to: every mechanism's own result, side by side. */
import type { ArcValidation } from "../standards/arc/validate.ts";
import type { IprevOutcome } from "../standards/auth-results/iprev.ts";
import type { DkimVerification } from "../standards/dkim/verify.ts";
import type { DmarcOutcome } from "../standards/dmarc/evaluate.ts";
import type { IpAddress } from "../standards/dns/address.ts";
import type { DomainName } from "../standards/dns/name.ts";
import type { SpfOutcome } from "../standards/spf/evaluate.ts";

export interface MailOrigin {
  readonly clientIp: IpAddress;
  /** What the client said in HELO or EHLO. */
  readonly helo: string;
  /** The reverse-path without angle brackets; empty for bounces. */
  readonly mailFrom: string;
}

export interface MailAuthentication {
  readonly origin: MailOrigin;
  readonly iprev: IprevOutcome;
  /** Of MAIL FROM, or of HELO where that is empty (RFC 7208 §2.4). */
  readonly spf: SpfOutcome;
  /** In the order of the header, at most as many as the caps allow. */
  readonly dkim: readonly DkimVerification[];
  /** Signatures that were not looked at. */
  readonly skippedSignatures: number;
  readonly arc: ArcValidation;
  readonly dmarc: MessageDmarc;
}

export type MessageDmarc =
  /**
   * `problem`: the message names several Author Domains, of which this is the one that fares worst (RFC 9989 §11.5).
   */
  | {
      readonly status: "evaluated";
      readonly authorDomain: DomainName;
      readonly outcome: DmarcOutcome;
      readonly problem?: string;
    }
  /** There is no From field, or no domain in it: nothing can be looked up. */
  | { readonly status: "no-author-domain"; readonly problem: string };
