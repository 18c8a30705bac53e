/** What the large receivers ask of senders, as data, and what a report of a domain says of each rule (R79). */

import { PROVIDER_NAMES, type Provider } from "./bounce-causes.ts";
import type { FindingCode, Group } from "./catalogue.ts";
import { concernOf } from "./concern.ts";
import type { DomainReport, Finding } from "./finding.ts";

/** How a rule is judged. */
export type Judgement =
  /** Met where the group was looked at and has no error; codes in `except` are about something else. */
  | {
      readonly by: "group";
      readonly group: Group;
      readonly except?: readonly FindingCode[];
      /** Fine for others, but not by this rule. */
      readonly broken?: readonly FindingCode[];
    }
  /** One of them is enough. */
  | { readonly by: "either"; readonly of: readonly Judgement[] }
  /** DNS can show that it is broken, never that it is kept. */
  | { readonly by: "refutation"; readonly codes: readonly FindingCode[]; readonly why: string }
  /** Nobody outside can know. */
  | { readonly by: "nobody"; readonly why: string };

export interface SenderRule {
  /** Permanent, kebab-case, with the provider in front. */
  readonly id: string;
  readonly provider: Provider;
  readonly rule: string;
  /** `bulk`: who sends 5,000 mails a day or more to the provider, or in Apple's case any bulk mail. */
  readonly appliesTo: "all" | "bulk";
  readonly source: string;
  readonly judgement: Judgement;
}

export type RuleVerdict = "met" | "not-met" | "could-not-tell" | "not-visible";

export interface JudgedRule extends SenderRule {
  readonly verdict: RuleVerdict;
  /** Why, where no finding says it. */
  readonly why?: string;
  /** What the verdict rests on. */
  readonly evidence: readonly Finding[];
}

const GOOGLE = "https://support.google.com/mail/answer/81126";
const YAHOO = "https://senders.yahooinc.com/best-practices/";
const MICROSOFT =
  "https://techcommunity.microsoft.com/blog/microsoftdefenderforoffice365blog/strengthening-email-ecosystem-outlook%E2%80%99s-new-requirements-for-high%E2%80%90volume-senders/4399730";
const APPLE = "https://support.apple.com/en-us/102322";

const SPF: Judgement = {
  by: "group",
  group: "spf",
  except: ["spf-helo-missing", "spf-helo-not-covered"],
};
const DKIM: Judgement = { by: "group", group: "dkim" };
const DMARC: Judgement = {
  by: "group",
  group: "dmarc",
  except: [
    "dmarc-without-authentication",
    "dmarc-reject-on-spf-alone",
    "dmarc-report-unauthorized",
    "dmarc-report-undeliverable",
    "dmarc-invalid-uri",
    "dmarc-cname-and-txt",
  ],
};
const REVERSE: Judgement = { by: "group", group: "reverse" };
const RECEIVES: Judgement = { by: "group", group: "mx", broken: ["mx-null"] };
const ALIGNED: Judgement = {
  by: "refutation",
  codes: ["dmarc-without-authentication", "spf-missing", "dkim-all-revoked"],
  why: "whether From agrees with SPF or DKIM shows in a mail, or in the DMARC reports",
};
const nobody = (why: string): Judgement => ({ by: "nobody", why });
const SPAM_RATE = nobody("the receiver alone counts complaints; its postmaster page shows them");
const ONE_CLICK = nobody(
  "it stands in each mail: List-Unsubscribe and List-Unsubscribe-Post, covered by the DKIM signature (RFC 8058 §3.1)",
);
const VISIBLE_LINK = nobody("the link stands in the body of each mail");
const FORMAT = nobody("it is about each mail's header (RFC 5322 §3.6)");
const CONSENT = nobody("whether people asked for the mail, only you know");
const TLS_OUT = nobody("how a server sends shows in its log, and in the Received lines of its mail");
const NO_FORGED_FROM = nobody("it is about the From of each mail");
const BOUNCES = nobody("it is about how you act on refusals");

type Row = readonly [id: string, appliesTo: SenderRule["appliesTo"], rule: string, judgement: Judgement];

const rulesOf = (provider: Provider, source: string, rows: readonly Row[]): SenderRule[] =>
  rows.map(([id, appliesTo, rule, judgement]) => ({
    id: `${provider}-${id}`,
    provider,
    appliesTo,
    rule,
    source,
    judgement,
  }));

export const SENDER_RULES: readonly SenderRule[] = [
  ...rulesOf("google", GOOGLE, [
    ["authentication", "all", "SPF or DKIM for the sending domain", { by: "either", of: [SPF, DKIM] }],
    ["reverse", "all", "reverse names of the sending addresses that lead back to them", REVERSE],
    ["tls", "all", "TLS when mail is sent", TLS_OUT],
    ["spam-rate", "all", "fewer than 3 complaints in 1,000 mails, better below 1", SPAM_RATE],
    ["format", "all", "mail as RFC 5322 asks for it", FORMAT],
    ["from", "all", "no Gmail address in From", NO_FORGED_FROM],
    ["spf", "bulk", "SPF for the sending domain", SPF],
    ["dkim", "bulk", "DKIM for the sending domain", DKIM],
    ["dmarc", "bulk", "a DMARC record; p=none is enough", DMARC],
    ["alignment", "bulk", "From agrees with the domain of SPF or of DKIM", ALIGNED],
    ["unsubscribe", "bulk", "one click to unsubscribe from advertising and lists", ONE_CLICK],
    ["unsubscribe-link", "bulk", "a link to unsubscribe that can be seen", VISIBLE_LINK],
  ]),
  ...rulesOf("yahoo", YAHOO, [
    ["authentication", "all", "SPF or DKIM for the sending domain", { by: "either", of: [SPF, DKIM] }],
    ["reverse", "all", "reverse names of the sending addresses that lead back to them", REVERSE],
    ["spam-rate", "all", "fewer than 3 complaints in 1,000 mails", SPAM_RATE],
    ["format", "all", "mail as the standards ask for it", FORMAT],
    ["spf", "bulk", "SPF for the sending domain", SPF],
    ["dkim", "bulk", "DKIM for the sending domain", DKIM],
    ["dmarc", "bulk", "a DMARC record; p=none is enough", DMARC],
    ["alignment", "bulk", "From agrees with the domain of SPF or of DKIM", ALIGNED],
    ["unsubscribe", "bulk", "one click to unsubscribe, obeyed within two days", ONE_CLICK],
  ]),
  ...rulesOf("microsoft", MICROSOFT, [
    ["spf", "bulk", "SPF passes for the sending domain", SPF],
    ["dkim", "bulk", "DKIM passes for the sending domain", DKIM],
    ["dmarc", "bulk", "a DMARC record; p=none is enough", DMARC],
    ["alignment", "bulk", "From agrees with the domain of SPF or of DKIM", ALIGNED],
    ["sender", "bulk", "a sender address that is real and can be answered", RECEIVES],
    ["unsubscribe-link", "bulk", "a link to unsubscribe that works and can be seen", VISIBLE_LINK],
    ["hygiene", "bulk", "addresses that bounce are taken off the list", BOUNCES],
  ]),
  ...rulesOf("apple", APPLE, [
    ["consent", "bulk", "mail only to those who subscribed", CONSENT],
    ["unsubscribe-link", "bulk", "a link to unsubscribe that works at once", VISIBLE_LINK],
    ["format", "bulk", "mail as RFC 5322 asks for it", FORMAT],
    ["reverse", "bulk", "reverse names of the sending addresses", REVERSE],
    ["spf", "bulk", "SPF for the sending domain", SPF],
    ["dkim", "bulk", "DKIM for the sending domain", DKIM],
    ["dmarc", "bulk", "a DMARC record", DMARC],
    ["hygiene", "bulk", "refusals are watched and acted on", BOUNCES],
  ]),
];

export function judgeCompliance(report: DomainReport): readonly JudgedRule[] {
  return SENDER_RULES.map((rule) => ({ ...rule, ...judge(rule.judgement, report) }));
}

export function providerName(provider: Provider): string {
  return PROVIDER_NAMES[provider];
}

type Outcome = Pick<JudgedRule, "verdict" | "why" | "evidence">;

function judge(judgement: Judgement, report: DomainReport): Outcome {
  switch (judgement.by) {
    case "group":
      return judgeGroup(judgement, report);
    case "either":
      return judgeEither(judgement.of.map((one) => judge(one, report)));
    case "refutation": {
      const against = report.findings.filter(({ code }) => judgement.codes.includes(code));
      return against.length > 0
        ? { verdict: "not-met", evidence: against }
        : { verdict: "not-visible", why: judgement.why, evidence: [] };
    }
    case "nobody":
      return { verdict: "not-visible", why: judgement.why, evidence: [] };
    default:
      return judgement satisfies never;
  }
}

/** Findings that say nothing of whether a record is there. */
const OF_NO_WEIGHT: readonly FindingCode[] = ["dkim-selector-unknown"];

function judgeGroup(
  { group, except = [], broken = [] }: Extract<Judgement, { by: "group" }>,
  { findings }: DomainReport,
): Outcome {
  const own = findings.filter((finding) => concernOf(finding) === group && !except.includes(finding.code));
  const errors = own.filter(({ severity, code }) => severity === "error" || broken.includes(code));
  if (errors.length > 0) return { verdict: "not-met", evidence: errors };
  const unknown = findings.filter(
    (finding) =>
      finding.severity === "unknown" && (own.includes(finding) || finding.code === "zone-unreachable"),
  );
  if (unknown.length > 0) return { verdict: "could-not-tell", evidence: unknown };
  const weighty = own.filter(({ code }) => !OF_NO_WEIGHT.includes(code));
  if (weighty.length === 0) {
    const why =
      group === "dkim" && own.length > 0
        ? "no key was found under the usual selectors; name yours with --selector"
        : "nothing was found that tells";
    return { verdict: "could-not-tell", why, evidence: own };
  }
  return { verdict: "met", evidence: weighty.filter(({ severity }) => severity === "ok") };
}

function judgeEither(outcomes: readonly Outcome[]): Outcome {
  for (const verdict of ["met", "could-not-tell", "not-met"] as const) {
    const those = outcomes.filter((outcome) => outcome.verdict === verdict);
    if (those.length > 0) return { verdict, evidence: those.flatMap(({ evidence }) => evidence) };
  }
  return { verdict: "could-not-tell", evidence: [] };
}
