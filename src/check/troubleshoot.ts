/** What goes wrong, by symptom (R82): the checks that can tell it, in order, up to the first that does. */
import { CATALOGUE, type FindingCode, type Group, isFindingCode } from "./catalogue.ts";
import { concernOf } from "./concern.ts";
import type { DomainReport, Finding } from "./finding.ts";

export const SYMPTOMS = {
  "not-received": "mail does not arrive here",
  "marked-as-spam": "mail that we send is taken for spam",
  "dkim-fails": "DKIM signatures do not verify",
  "spf-fails": "SPF fails",
} as const;
export type Symptom = keyof typeof SYMPTOMS;

export interface Step {
  /** What has to hold, in words. */
  readonly title: string;
  /** Whose errors and warnings are the cause. A code belongs to the first step that names it, else to its group's. */
  readonly about: readonly (FindingCode | Group)[];
  /** Warnings of these groups that bring the symptom about in no way. */
  readonly except?: readonly FindingCode[];
  /** Only a description says what should be; without one nothing looked at it. */
  readonly needsDescription?: true;
}

/** About the name that a server gives itself, and how it sends: what others think of its mail, not whether mail comes. */
const SERVER_NAMES = [
  "smtp-name-invalid",
  "smtp-name-no-address",
  "smtp-name-differs",
  "smtp-no-starttls",
  "smtp-outbound-blocked",
] as const satisfies readonly FindingCode[];

/** A new group of findings is a new word in `about`. */
export const STEPS: Readonly<Record<Symptom, readonly Step[]>> = {
  "not-received": [
    { title: "The domain is there, and its name servers answer", about: ["zone", "dnssec"] },
    {
      title: "The MX names the right host",
      about: ["mx"],
      except: ["mx-duplicate", "mx-too-many"],
    },
    {
      title: "The mail host has addresses that the internet reaches",
      about: ["mx-host-no-address", "address"],
      except: ["ttl-too-long", "ttl-too-short", "ttl-too-long-for-dynamic"],
    },
    {
      title: "Port 25 of the mail host is open, and a mail server answers",
      about: ["smtp"],
      except: SERVER_NAMES,
    },
    {
      title: "Senders that ask for a valid certificate get one",
      about: ["dane", "mta-sts", "certificate"],
    },
  ],
  "marked-as-spam": [
    { title: "SPF is right", about: ["spf"], except: ["spf-type-99"] },
    { title: "DKIM is published and right", about: ["dkim"] },
    {
      title: "DMARC is right, and not too strict for its age",
      about: ["dmarc"],
      except: ["dmarc-policy-none"],
    },
    {
      title: "DMARC reports come, so that failures are seen",
      about: ["dmarc-rua-missing", "dmarc-report-unauthorized", "dmarc-report-undeliverable"],
    },
    { title: "The sending addresses have reverse names that lead back", about: ["reverse"] },
    {
      title: "The mail server greets with a name of its own that exists",
      about: ["smtp-name-invalid", "smtp-name-no-address", "smtp-name-differs"],
    },
    { title: "No block list has the addresses or the domain", about: ["reputation"] },
  ],
  "dkim-fails": [
    {
      title: "The key is published where verifiers look",
      about: ["dkim-missing", "dkim-no-key", "dkim-wrong-owner", "dkim-several-records", "dkim-wildcard"],
    },
    {
      title: "Every name server has it, and nobody holds an older answer",
      about: ["servers-differ", "resolver-differs", "zone-serials-differ", "zone", "dnssec"],
    },
    {
      title: "The selector is that of the signer",
      about: ["dkim-signer-uses-revoked", "dkim-selector-unknown"],
      needsDescription: true,
    },
    {
      title: "The published key is that of the signer",
      about: ["dkim-key-differs"],
      needsDescription: true,
    },
    { title: "The record is whole, and verifiers can use it", about: ["dkim"] },
  ],
  "spf-fails": [
    {
      title: "Every sending address is in the record",
      about: ["spf-address-not-covered", "spf-helo-not-covered", "spf-mx-not-ours", "spf-differs"],
    },
    {
      title: "The record has no mistake of writing",
      about: [
        "spf-version",
        "spf-syntax",
        "spf-missing-space",
        "spf-mail-address",
        "spf-duplicate-modifier",
        "spf-second-version",
        "spf-invalid-name",
        "spf-term-after-all",
      ],
    },
    {
      title: "There is one record, of type TXT",
      about: ["spf-missing", "spf-several-records", "spf-type-99"],
    },
    {
      title: "Its terms fit, and receivers get through it",
      about: ["spf"],
      except: ["spf-helo-missing"],
    },
    { title: "The name servers give everybody the same answer", about: ["zone", "dnssec"] },
  ],
};

/** Where one of these is the cause, there was no record in which anything else of its group could be looked for. */
const BLINDING: ReadonlySet<FindingCode> = new Set(["spf-missing", "spf-several-records"]);

/** What has to be looked at for a symptom, and no more. */
export function groupsOf(symptom: Symptom): ReadonlySet<Group> {
  return new Set(STEPS[symptom].flatMap(({ about }) => about.map(groupOf)));
}

export interface StepResult {
  readonly title: string;
  /** `not-run`: behind the cause, or nothing looked at it. */
  readonly state: "fine" | "cause" | "unknown" | "not-run";
  readonly finding?: Finding;
}

export interface Diagnosis {
  readonly symptom: Symptom;
  readonly steps: readonly StepResult[];
  /** The first that brings the symptom about; its fix is the way out. */
  readonly cause?: Finding;
}

/**
 * Runs the steps in order and stops at the first cause; what could not be told does not stop them. `described`: the
 * report compares with a description.
 */
export function troubleshoot(
  symptom: Symptom,
  report: DomainReport,
  { described = false }: { readonly described?: boolean } = {},
): Diagnosis {
  const steps = STEPS[symptom];
  const seen = new Set(report.findings.map(concernOf));
  const byStep = Map.groupBy(report.findings, (finding) => stepOf(finding, steps));
  const results: StepResult[] = [];
  let cause: Finding | undefined;
  for (const step of steps) {
    const { title } = step;
    if (cause !== undefined) {
      results.push({ title, state: "not-run" });
      continue;
    }
    const isSeen =
      step.about.some((about) => seen.has(groupOf(about))) && (described || !step.needsDescription);
    const result = resultOf(step, byStep.get(step) ?? [], isSeen);
    results.push(result);
    if (result.state === "cause") cause = result.finding;
  }
  const blind = cause !== undefined && BLINDING.has(cause.code) ? groupOf(cause.code) : undefined;
  const told = results.map((result, at) => {
    const isBlind = result.state === "fine" && steps[at]!.about.some((about) => groupOf(about) === blind);
    return isBlind ? { title: result.title, state: "not-run" as const } : result;
  });
  return { symptom, steps: told, ...(cause && { cause }) };
}

const groupOf = (about: FindingCode | Group): Group =>
  isFindingCode(about) ? CATALOGUE[about].group : about;

function stepOf(finding: Finding, steps: readonly Step[]): Step | undefined {
  const { code } = finding;
  const group = concernOf(finding);
  return steps.find(({ about }) => about.includes(code)) ?? steps.find(({ about }) => about.includes(group));
}

/** `isSeen`: the checks looked there, so that no finding is a good sign. */
function resultOf({ title, except = [] }: Step, findings: readonly Finding[], isSeen: boolean): StepResult {
  const counted = findings.filter(({ code }) => !except.includes(code));
  const bad =
    counted.find(({ severity }) => severity === "error") ??
    counted.find(({ severity }) => severity === "warning");
  if (bad !== undefined) return { title, state: "cause", finding: bad };
  const unknown = counted.find(({ severity }) => severity === "unknown");
  if (unknown !== undefined) return { title, state: "unknown", finding: unknown };
  return { title, state: isSeen ? "fine" : "not-run" };
}
