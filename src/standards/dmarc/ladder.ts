/** The way from watching to refusing, one policy at a time (RFC 9989 §5.1, §7.4). */
import type { Remark } from "../dns/remark.ts";
import type { DmarcPolicy } from "./record.ts";

/** §7.4: at least a month of `none`, then as long of `quarantine`. */
export const STAGE_DAYS = 30;

export interface LadderPosition {
  readonly policy: DmarcPolicy;
  /** Since when this policy has been published and reports were read. */
  readonly since: Date;
  /** People write from this domain to mailing lists and forwarded addresses, as people do (§7.4). */
  readonly hasOrdinaryUsers: boolean;
}

export interface LadderStep {
  /** The policy to publish next; undefined at the end of the way. */
  readonly next: DmarcPolicy | undefined;
  /** Not before this time; undefined where there is no next step. */
  readonly notBefore: Date | undefined;
  readonly isDue: boolean;
  readonly advice: string;
  readonly reference: string;
}

export function nextDmarcStep(position: LadderPosition, now: Date): LadderStep {
  const reference = "RFC 9989 §7.4";
  const end = (advice: string): LadderStep => ({
    next: undefined,
    notBefore: undefined,
    isDue: false,
    advice,
    reference,
  });
  switch (position.policy) {
    case "none":
      return climb(position, "quarantine", now, reference);
    case "quarantine":
      return position.hasOrdinaryUsers
        ? end("stay at quarantine: a domain whose users post to mailing lists should not publish reject")
        : climb(position, "reject", now, reference);
    case "reject":
      return position.hasOrdinaryUsers
        ? end("users who post to mailing lists lose mail under reject; go back to quarantine, or tell them")
        : end("the last stage is reached; go on reading the reports, and never rely on SPF alone");
    default:
      return position.policy satisfies never;
  }
}

function climb(
  { policy, since }: LadderPosition,
  next: DmarcPolicy,
  now: Date,
  reference: string,
): LadderStep {
  const notBefore = new Date(since.getTime() + STAGE_DAYS * 86_400_000);
  const isDue = now >= notBefore;
  const day = notBefore.toISOString().slice(0, 10);
  const advice = isDue
    ? `p=${policy} has stood for at least ${STAGE_DAYS} days; go to p=${next} once every legitimate source in the reports passes aligned`
    : `keep p=${policy} until ${day}, read the reports, and put every legitimate source in order`;
  return { next, notBefore, isDue, advice, reference };
}

/** R72: a policy that acts before a month of reports was read. `reportsSince` is undefined where none came yet. */
export function remarkOnHaste(
  policy: DmarcPolicy,
  reportsSince: Date | undefined,
  now: Date,
): Remark | undefined {
  if (policy === "none") return undefined;
  const days = reportsSince === undefined ? 0 : (now.getTime() - reportsSince.getTime()) / 86_400_000;
  if (days >= STAGE_DAYS) return undefined;
  const message = `p=${policy} after ${Math.floor(days)} days of reports: legitimate mail that nobody has seen fail may be lost; begin with p=none`;
  return { code: "dmarc-policy-too-early", severity: "warning", message, reference: "RFC 9989 §7.4" };
}
