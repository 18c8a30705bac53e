/** What is known of a domain, what it was before, and a look again. */
import { z } from "zod";
import { checkDomain } from "../../../check/check.ts";
import { judgeCompliance } from "../../../check/compliance.ts";
import { summarize } from "../../../check/finding.ts";
import { lookupSideBySide } from "../../../check/side-by-side.ts";
import { derivedFor } from "../../../records/derive.ts";
import { typeOf } from "../../../standards/dns/record.ts";
import { recordCheck } from "../../../watch/record-check.ts";
import { describeDomain } from "../described.ts";
import {
  eventJson,
  eventPlace,
  eventSchema,
  findingJson,
  findingSchema,
  knownFinding,
  knownFindingJson,
  ofDomain,
  readEventPlace,
} from "../domain-schema.ts";
import type { Jobs } from "../job.ts";
import type { ServerParts } from "../parts.ts";
import { notFound } from "../problem.ts";
import { limit, type Route, route } from "../route.ts";
import { jobRef } from "./job.ts";

/** A second look at what is new comes soon; whoever runs the schedule may say otherwise. */
const CONFIRM_SECONDS = 300;
const MAX_EVIDENCE = 3;
const MAX_LOOKED_AT = 100;

export function findingRoutes(parts: ServerParts, jobs: Jobs): readonly Route[] {
  const { descriptions, watch, now } = parts;
  return [
    route({
      method: "GET",
      path: "/api/domains/:domain/findings",
      gate: "own.read",
      summary: "What the last check has found, the worst first.",
      params: ofDomain,
      answer: z.object({ checkedAt: z.string().nullable(), findings: z.array(knownFinding) }),
      act: async (_, { domain }) => {
        const [state, findings] = await Promise.all([
          watch.state(domain.domain),
          watch.findings(domain.domain),
        ]);
        return {
          checkedAt: state?.checkedAt?.toISOString() ?? null,
          findings: findings.map(knownFindingJson),
        };
      },
    }),
    route({
      method: "POST",
      path: "/api/domains/:domain/findings/acknowledge",
      gate: "own.check",
      summary: "Says that somebody knows of a finding: no more alerts for it until it changes.",
      params: ofDomain,
      body: z.strictObject({ key: z.string().min(1).max(600) }),
      act: async ({ body }, asked) => {
        const { domain } = asked.domain;
        const done = await watch.acknowledge(domain, body.key, asked.actor.user.name, now());
        if (done === "unknown") throw notFound();
        await asked.audit("finding.acknowledge", domain, { key: body.key });
      },
    }),
    route({
      method: "POST",
      path: "/api/domains/:domain/findings/open",
      gate: "own.check",
      summary: "Takes an acknowledgement back.",
      params: ofDomain,
      body: z.strictObject({ key: z.string().min(1).max(600) }),
      act: async ({ body }, asked) => {
        const { domain } = asked.domain;
        const done = await watch.acknowledge(domain, body.key, undefined, now());
        if (done === "unknown") throw notFound();
        await asked.audit("finding.open", domain, { key: body.key });
      },
    }),
    route({
      method: "GET",
      path: "/api/domains/:domain/history",
      gate: "own.read",
      summary: "What has changed at a domain, the newest first.",
      params: ofDomain,
      query: z.object({ before: eventPlace.optional(), limit }),
      answer: z.object({ events: z.array(eventSchema) }),
      act: async ({ query }, { domain }) => {
        const page = { limit: query.limit, ...(query.before && { before: readEventPlace(query.before) }) };
        return { events: (await watch.history({ domain: domain.domain }, page)).map(eventJson) };
      },
    }),
    route({
      method: "GET",
      path: "/api/domains/:domain/compliance",
      gate: "own.read",
      summary: "The sender rules of the large receivers, each with what the last check shows of it.",
      params: ofDomain,
      answer: z.object({
        rules: z.array(
          z.object({
            id: z.string(),
            provider: z.string(),
            rule: z.string(),
            appliesTo: z.string(),
            source: z.string(),
            verdict: z.string(),
            why: z.string().nullable(),
            evidence: z.array(findingSchema),
          }),
        ),
      }),
      act: async (_, { domain: { domain } }) => {
        const findings = (await watch.findings(domain)).map(({ finding }) => finding);
        const rules = judgeCompliance({ domain, findings, summary: summarize(findings) });
        return {
          rules: rules.map(({ judgement: _judgement, why, evidence, ...rule }) => ({
            ...rule,
            why: why ?? null,
            evidence: evidence.slice(0, MAX_EVIDENCE).map(findingJson),
          })),
        };
      },
    }),
    route({
      method: "POST",
      path: "/api/domains/:domain/look",
      gate: "own.check",
      summary:
        "Asks every name server and resolver for the domain's records, as a job: who has them, and until when caches may keep what they have.",
      params: ofDomain,
      status: 202,
      answer: jobRef,
      act: async (_, asked) => {
        const stored = asked.domain;
        const { domain, ownerId } = stored;
        const { description, derived } = await describeDomain(stored, descriptions);
        const records = derivedFor(domain, derived, description).records.slice(0, MAX_LOOKED_AT);
        const sets = [
          ...Map.groupBy(records, ({ record }) => `${record.name} ${typeOf(record.data)}`).values(),
        ];
        const job = jobs.start({ kind: "look", domain, ownerId }, async (progress) => {
          const seen = [];
          for (const [at, set] of sets.entries()) {
            progress({ done: at, of: sets.length });
            const { name, data } = set[0]!.record;
            const type = typeOf(data);
            const wanted = set.map(({ record }) => record.data);
            seen.push({
              owner: name,
              type,
              ...(await lookupSideBySide(name, type, parts.world(), now, wanted)),
            });
          }
          return { seen };
        });
        return { job: job.id };
      },
    }),
    route({
      method: "POST",
      path: "/api/domains/:domain/check",
      gate: "own.check",
      summary: "Checks a domain again; the job tells how far it is.",
      params: ofDomain,
      status: 202,
      answer: jobRef,
      act: async (_, asked) => {
        const stored = asked.domain;
        const { domain, ownerId } = stored;
        const described = await describeDomain(stored, descriptions);
        await watch.schedule(domain, ownerId, now());
        const job = jobs.start({ kind: "check", domain, ownerId }, async (progress) => {
          const options = { ...parts.checkOptions, ...described };
          const report = await checkDomain(domain, parts.world(), options, {
            onProgress: (done, of) => progress({ done, of }),
          });
          const at = now();
          await recordCheck(report, watch, at, (before, needsConfirmation) =>
            needsConfirmation || before.nextCheckAt <= at
              ? new Date(at.getTime() + CONFIRM_SECONDS * 1000)
              : before.nextCheckAt,
          );
          return { summary: report.summary };
        });
        await asked.audit("domain.check", domain);
        return { job: job.id };
      },
    }),
  ];
}
