/** The authentication of one message in plain words, mechanism by mechanism. */
import type { ArcValidation } from "../standards/arc/validate.ts";
import type { DkimDiagnosis } from "../standards/dkim/diagnosis.ts";
import type { DkimVerification } from "../standards/dkim/verify.ts";
import type { IdentifierAlignment } from "../standards/dmarc/evaluate.ts";
import { forDisplay } from "../standards/dns/name.ts";
import { formatTerm } from "../standards/spf/record.ts";
import type { SavedAuthentication } from "./authenticate-saved.ts";

export type Mechanism = "dmarc" | "spf" | "dkim" | "arc" | "iprev";

export interface ExplainedResult {
  readonly mechanism: Mechanism;
  /** The word of the standard; "could not tell" where something is not known. */
  readonly result: string;
  /** `plain`: there was nothing to check. */
  readonly verdict: "good" | "plain" | "bad" | "unknown";
  readonly sentences: readonly string[];
  /** Lines to look at: the terms of SPF that decided, the stations of ARC, what was changed. */
  readonly details: readonly string[];
}

export const COULD_NOT_TELL = "could not tell";

/** `diagnoses`: for each signature, in their order. */
export function explainAuthentication(
  authentication: SavedAuthentication,
  diagnoses: readonly (readonly DkimDiagnosis[])[],
): readonly ExplainedResult[] {
  const { dkim, skippedSignatures } = authentication;
  const signatures = dkim.map((one, at) => explainSignature(one, diagnoses[at] ?? []));
  const none: ExplainedResult = {
    mechanism: "dkim",
    result: "none",
    verdict: "plain",
    sentences: ["Nobody signed the message."],
    details: [],
  };
  const skipped: ExplainedResult = {
    mechanism: "dkim",
    result: COULD_NOT_TELL,
    verdict: "unknown",
    sentences: [`${skippedSignatures} more signatures were not looked at: there are too many.`],
    details: [],
  };
  return [
    explainDmarcOf(authentication),
    explainSpfOf(authentication),
    ...(signatures.length === 0 ? [none] : signatures),
    ...(skippedSignatures === 0 ? [] : [skipped]),
    explainArc(authentication.arc),
    explainIprev(authentication),
  ];
}

function explainSpfOf({ origin, spf }: SavedAuthentication): ExplainedResult {
  const of = { mechanism: "spf" } as const;
  const { clientIp, helo, mailFrom } = origin;
  if (spf === undefined) {
    const missing = [
      ...(clientIp === undefined ? ["from which address the message came (--ip)"] : []),
      ...(mailFrom === undefined ? ["what its envelope sender was (--mail-from)"] : []),
      ...(mailFrom === "" && helo === undefined ? ["how the client called itself (--helo)"] : []),
    ];
    const sentences = [`It is not known ${missing.join(", nor ")}, and SPF judges nothing else.`];
    return { ...of, result: COULD_NOT_TELL, verdict: "unknown", sentences, details: [] };
  }
  const { result, identity, domain, problem, explanation, trail } = spf;
  const name = domain === undefined ? "the sender's domain" : forDisplay(domain);
  const who =
    identity === "mailfrom"
      ? `MAIL FROM <${mailFrom ?? ""}>`
      : `HELO ${helo ?? ""} (the message is a bounce)`;
  const ip = clientIp?.text ?? "";
  const cause = problem === undefined ? [] : [sentence(problem)];
  const noHelo =
    helo === undefined
      ? ["The HELO name is not known; that matters only to records that ask for it (%{h})."]
      : [];
  const explained = explanation === undefined ? [] : [`The publisher says: ${explanation}`];
  const details = [
    ...trail.map((step) => `${forDisplay(step.domain)}: ${formatTerm(step.term)}`),
    ...explained,
  ];
  const judged = (verdict: ExplainedResult["verdict"], ...sentences: readonly string[]): ExplainedResult => ({
    ...of,
    result,
    verdict,
    sentences: [...sentences, ...cause, ...noHelo],
    details,
  });
  switch (result) {
    case "pass":
      return judged("good", `${ip} may send mail for ${name}, by ${who}.`);
    case "fail":
      return judged("bad", `${name} says that ${ip} may not send mail for it, by ${who}.`);
    case "softfail":
      return judged("bad", `${name} says that ${ip} most likely may not send mail for it, by ${who}.`);
    case "neutral":
      return judged("bad", `${name} says nothing of ${ip}, by ${who}.`);
    case "none":
      return judged("plain", `Nothing says who may send mail for ${name}, by ${who}.`);
    case "permerror":
      return judged("bad", `The SPF record of ${name} cannot be used.`);
    case "temperror":
      return judged("unknown", `SPF of ${name} could not be looked up; another time it may pass.`);
    default:
      return result satisfies never;
  }
}

function explainSignature(
  { result, signature, key, isTesting, problem, cause }: DkimVerification,
  diagnoses: readonly DkimDiagnosis[],
): ExplainedResult {
  const by =
    signature === undefined
      ? "A signature that cannot be read"
      : `The signature of ${forDisplay(signature.signingDomain)} (selector ${signature.dkimSelector}, ${signature.keyType}-${signature.hash}${key?.keyType === "rsa" ? `, ${key.modulusBits} bits` : ""})`;
  const testing = isTesting
    ? ["The key is marked as a test (t=y): a failure counts as no signature at all."]
    : [];
  const verdict = result === "pass" ? "good" : result === "temperror" ? "unknown" : "bad";
  const says =
    result === "pass"
      ? `${by} holds: what it covers is as it was signed.`
      : result === "temperror"
        ? `${by} could not be verified: ${problem ?? "DNS did not answer"}. Another time it may pass.`
        : `${by} does not count: ${problem ?? cause ?? result}.`;
  return {
    mechanism: "dkim",
    result,
    verdict,
    sentences: [says, ...diagnoses.map(said), ...testing],
    details: diagnoses.flatMap(({ evidence }) => evidence.map((line) => `| ${line}`)),
  };
}

const said = ({ certainty, explanation }: DkimDiagnosis): string =>
  certainty === "likely" ? `Perhaps: ${explanation}` : explanation;

function explainArc({ result, sets, oldestPass, problem, isTemporary }: ArcValidation): ExplainedResult {
  const details = sets.map(
    ({ instance, signingDomain, authenticationResults }) =>
      `${instance}. ${forDisplay(signingDomain)} saw: ${authenticationResults.replace(/[ \t\r\n]+/g, " ")}`,
  );
  const of = { mechanism: "arc", result, details } as const;
  switch (result) {
    case "none":
      return { ...of, verdict: "plain", sentences: ["Nobody on the way sealed what it had found out."] };
    case "pass": {
      const since =
        oldestPass === 0
          ? "the message is as the first of them got it"
          : `the message was changed on the way, and is as station ${oldestPass} left it`;
      const many = sets.length === 1 ? "One station" : `${sets.length} stations`;
      const sentences = [
        `${many} sealed the message, every seal holds, and ${since}. Whether to believe them is yours to say.`,
      ];
      return { ...of, verdict: "good", sentences };
    }
    case "fail": {
      const why = sentence(problem ?? "the chain is broken");
      return {
        ...of,
        verdict: isTemporary ? "unknown" : "bad",
        sentences: [`The seals of the stations do not hold. ${why}`],
      };
    }
    default:
      return result satisfies never;
  }
}

function explainIprev({ origin, iprev }: SavedAuthentication): ExplainedResult {
  const of = { mechanism: "iprev", details: [] } as const;
  if (iprev === undefined || origin.clientIp === undefined) {
    const sentences = ["It is not known from which address the message came (--ip)."];
    return { ...of, result: COULD_NOT_TELL, verdict: "unknown", sentences };
  }
  const { result, names, problem } = iprev;
  if (result === "pass") {
    const sentences = [`${origin.clientIp.text} is ${names[0] ?? ""}, and that name leads back to it.`];
    return { ...of, result, verdict: "good", sentences };
  }
  const verdict = result === "temperror" ? "unknown" : "bad";
  return {
    ...of,
    result,
    verdict,
    sentences: [sentence(problem ?? "the address has no name that leads back to it")],
  };
}

const ASKS = {
  none: "to do nothing about it",
  quarantine: "to treat such mail with suspicion: most put it into the spam folder",
  reject: "to refuse such mail, and most do",
} as const;

function explainDmarcOf({ dmarc, arc }: SavedAuthentication): ExplainedResult {
  const of = { mechanism: "dmarc" } as const;
  if (dmarc.status === "no-author-domain") {
    const sentences = [
      sentence(dmarc.problem),
      "Nobody can be asked how to treat it; many receivers refuse such mail.",
    ];
    return { ...of, result: "permerror", verdict: "bad", sentences, details: [] };
  }
  const { outcome } = dmarc;
  const author = forDisplay(dmarc.authorDomain);
  const several = dmarc.problem === undefined ? [] : [sentence(dmarc.problem)];
  const { discovery, identifiers } = outcome;
  const details = identifiers.map((one) => identifierLine(one, author));
  const policy =
    discovery.status === "found"
      ? [
          `The policy of ${author} is ${discovery.policyTag}=${discovery.policy}, found at _dmarc.${forDisplay(discovery.foundAt)}${discovery.requested === discovery.policy ? "" : `; it is being tested (t=y), which makes it ${discovery.requested}`}.`,
        ]
      : [];
  const sawPass =
    arc.result === "pass" &&
    arc.sets.some(({ authenticationResults }) => /\bdmarc=pass\b/i.test(authenticationResults));
  if (dmarc.status === "open") {
    const sentences = [
      ...several,
      `No signature stands for ${author} in From, and what SPF would say is not known.`,
      ...policy,
    ];
    return { ...of, result: COULD_NOT_TELL, verdict: "unknown", sentences, details };
  }
  const { result } = outcome;
  switch (result) {
    case "pass": {
      const good = identifiers.filter(
        ({ result: each, alignment }) => each === "pass" && alignment.status === "aligned",
      );
      const names = [...new Set(good.map(({ mechanism }) => mechanism.toUpperCase()))].join(" and ");
      const sentences = [
        ...several,
        `${names} ${names.includes(" ") ? "stand" : "stands"} for ${author} in From: receivers take the message as its own.`,
        ...policy,
      ];
      return { ...of, result, verdict: "good", sentences, details };
    }
    case "fail": {
      const sentences = [
        ...several,
        `Neither SPF nor DKIM stands for ${author} in From.`,
        ...policy,
        `It asks receivers ${ASKS[outcome.disposition]}.`,
        ...(sawPass
          ? [
              "A station on the way sealed that DMARC passed there (ARC): who trusts it may take the message all the same.",
            ]
          : []),
      ];
      return { ...of, result, verdict: "bad", sentences, details };
    }
    case "none": {
      const why = sentence(outcome.problem ?? `${author} has no DMARC policy`);
      const sentences = [...several, why, "Receivers go by rules of their own."];
      return { ...of, result, verdict: "plain", sentences, details };
    }
    case "temperror":
      return {
        ...of,
        result,
        verdict: "unknown",
        sentences: [...several, sentence(outcome.problem ?? "DNS did not answer"), ...policy],
        details,
      };
    case "permerror":
      return {
        ...of,
        result,
        verdict: "bad",
        sentences: [...several, sentence(outcome.problem ?? "the policy cannot be used")],
        details,
      };
    default:
      return result satisfies never;
  }
}

function identifierLine(
  { mechanism, domain, result, alignment }: IdentifierAlignment,
  author: string,
): string {
  const of = `${mechanism.toUpperCase()} ${result} for ${forDisplay(domain)}`;
  switch (alignment.status) {
    case "aligned":
      return `${of}: aligned, ${alignment.by === "strict" ? "the same domain" : `of one organization with ${author}`}`;
    case "unaligned":
      return `${of}: not aligned with ${author}`;
    case "unknown":
      return `${of}: whether it is aligned with ${author} could not be looked up`;
    default:
      return alignment satisfies never;
  }
}

function sentence(text: string): string {
  return `${text.charAt(0).toUpperCase()}${text.slice(1)}${/[.!?]$/.test(text) ? "" : "."}`;
}
