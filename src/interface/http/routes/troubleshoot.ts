/** From a symptom, a refusal or a received message to its cause. Of domains that the caller does not see, nothing is said. */
import { z } from "zod";
import { sees } from "../../../access/permission.ts";
import { type Bounce, commandsFor, domainToCheck, findingsFor, readBounce } from "../../../check/bounce.ts";
import { PROVIDER_NAMES } from "../../../check/bounce-causes.ts";
import { checkDomain } from "../../../check/check.ts";
import type { Finding } from "../../../check/finding.ts";
import { summarize } from "../../../check/finding.ts";
import { readJudgedHeaders } from "../../../check/judged-headers.ts";
import { groupsOf, SYMPTOMS, type Symptom, troubleshoot } from "../../../check/troubleshoot.ts";
import type { DomainName } from "../../../standards/dns/name.ts";
import { isSeen } from "../../../watch/compare.ts";
import type { Tasks } from "../../../watch/task.ts";
import { describeDomain } from "../described.ts";
import { domainName, findingJson, findingSchema, ofDomain } from "../domain-schema.ts";
import type { ServerParts } from "../parts.ts";
import { notFound, Refusal } from "../problem.ts";
import { type Asked, type Route, route } from "../route.ts";
import { jobOf, jobRef } from "./job.ts";

const SYMPTOM_NAMES = Object.keys(SYMPTOMS) as [Symptom, ...Symptom[]];
const symptom = z.enum(SYMPTOM_NAMES);
const MAX_TEXT = 200_000;
/** The likeliest stand first. */
const MAX_FINDINGS = 5;

const pasted = z.string().min(1).max(MAX_TEXT);

export function troubleshootRoutes(parts: ServerParts, tasks: Tasks): readonly Route[] {
  const { descriptions, watch } = parts;
  // A kind for each symptom: who asks for another while one is under way gets its own answer.
  const diagnose = (one: Symptom) =>
    tasks.define<{ readonly domain: DomainName }>(`troubleshoot ${one}`, async ({ domain }, { progress }) => {
      const stored = await descriptions.domain(domain);
      if (stored === undefined) throw notFound();
      const options = { ...parts.checkOptions, ...(await describeDomain(stored, descriptions)) };
      const report = await checkDomain(domain, parts.world(), options, {
        groups: groupsOf(one),
        onProgress: (done, of) => progress({ done, of }),
      });
      const { steps, cause } = troubleshoot(one, report, { described: true });
      const orNull = (finding: Finding | undefined) => (finding === undefined ? null : findingJson(finding));
      return {
        symptom: one,
        steps: steps.map(({ title, state, finding }) => ({ title, state, finding: orNull(finding) })),
        cause: orNull(cause),
      };
    });
  const begin = new Map(SYMPTOM_NAMES.map((one) => [one, diagnose(one)]));

  /** What the last check has to say of a cause; undefined where the domain is not the caller's to see. */
  const knownOf = async ({ cause }: Bounce, domain: DomainName | undefined, { actor }: Asked) => {
    const stored = domain === undefined ? undefined : await descriptions.domain(domain);
    if (stored === undefined || !sees(actor, stored)) return undefined;
    const [state, known] = await Promise.all([watch.state(stored.domain), watch.findings(stored.domain)]);
    const findings = known.filter(isSeen).map(({ finding }) => finding);
    const report = { domain: stored.domain, findings, summary: summarize(findings) };
    return {
      checkedAt: state?.checkedAt?.toISOString() ?? null,
      findings: (cause === undefined ? [] : findingsFor(cause, report))
        .slice(0, MAX_FINDINGS)
        .map(findingJson),
    };
  };

  return [
    route({
      method: "POST",
      path: "/api/domains/:domain/troubleshoot",
      gate: "own.check",
      summary:
        "From a symptom to its cause, as a job: what has to hold, step by step, up to the first that does not.",
      params: ofDomain,
      body: z.strictObject({ symptom }),
      status: 202,
      answer: jobRef,
      act: async ({ body }, asked) => {
        await describeDomain(asked.domain, descriptions);
        const { domain, ownerId } = asked.domain;
        const begun = jobOf(await begin.get(body.symptom)!({ domain, ownerId }, { domain }));
        await asked.audit("domain.troubleshoot", domain, { symptom: body.symptom });
        return begun;
      },
    }),
    route({
      method: "POST",
      path: "/api/bounce",
      gate: "own.read",
      summary:
        "A refusal read: who said it, what it means, what to do; and what the last check of the domain shows of it.",
      body: z.strictObject({
        text: pasted,
        /** In place of the domain that the text names. */
        domain: domainName.optional(),
      }),
      answer: z.object({
        replyCode: z.int().nullable(),
        enhancedCode: z.string().nullable(),
        lasts: z.enum(["permanent", "temporary", "unknown"]),
        host: z.string().nullable(),
        provider: z.string().nullable(),
        address: z.string().nullable(),
        words: z.string(),
        cause: z.string().nullable(),
        isHarmless: z.boolean(),
        meaning: z.string(),
        reference: z.string(),
        advice: z.string().nullable(),
        domain: z.string().nullable(),
        /** Whether DNS can have to do with it at all. */
        isChecked: z.boolean(),
        /** Of domains that are the caller's to see. */
        known: z.object({ checkedAt: z.string().nullable(), findings: z.array(findingSchema) }).nullable(),
        see: z.array(z.string()),
      }),
      act: async ({ body }, asked) => {
        const bounce = readBounce(body.text);
        if (bounce === undefined)
          throw new Refusal(
            "refused",
            "no refusal was found in this text",
            "send the bounce with its code, such as 550 5.7.26",
            { where: "body.text" },
          );
        const domain = body.domain ?? domainToCheck(bounce);
        const known = await knownOf(bounce, domain, asked);
        if (body.domain !== undefined && known === undefined) throw notFound();
        const { cause, provider } = bounce;
        return {
          replyCode: bounce.replyCode ?? null,
          enhancedCode: bounce.enhancedCode ?? null,
          lasts: bounce.lasts,
          host: bounce.host ?? null,
          provider: provider === undefined ? null : PROVIDER_NAMES[provider],
          address: bounce.address?.text ?? null,
          words: bounce.words,
          cause: cause?.id ?? null,
          isHarmless: cause?.isHarmless ?? false,
          meaning: bounce.meaning,
          reference: bounce.reference,
          advice: cause?.advice ?? null,
          domain: domain ?? null,
          isChecked: cause !== undefined && cause.checks.length > 0,
          known: known ?? null,
          see: [...commandsFor(bounce, domain)],
        };
      },
    }),
    route({
      method: "POST",
      path: "/api/headers",
      gate: "own.read",
      summary: "The header of a message that arrived somewhere: what the receiver's server made of it.",
      body: z.strictObject({ text: pasted }),
      answer: z.object({
        domain: z.string().nullable(),
        judgements: z.array(
          z.object({
            by: z.string(),
            method: z.string(),
            result: z.string(),
            detail: z.string(),
            domain: z.string().nullable(),
            symptom: symptom.nullable(),
          }),
        ),
      }),
      act: async ({ body }) => {
        const read = readJudgedHeaders(body.text);
        if (read === undefined)
          throw new Refusal(
            "refused",
            "no receiver's judgement was found in this header",
            "send the whole header of the message as its receiver has it, with the field Authentication-Results",
            { where: "body.text" },
          );
        return {
          domain: read.domain ?? null,
          judgements: read.judgements.map(({ domain, symptom: next, ...one }) => ({
            ...one,
            domain: domain ?? null,
            symptom: next ?? null,
          })),
        };
      },
    }),
  ];
}
