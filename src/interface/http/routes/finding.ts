/** What is known of a domain, what it was before, and a look again. */
import { z } from "zod";
import { judgeCompliance } from "../../../check/compliance.ts";
import { summarize } from "../../../check/finding.ts";
import { lookupSideBySide } from "../../../check/side-by-side.ts";
import { derivedFor } from "../../../records/derive.ts";
import type { DomainName } from "../../../standards/dns/name.ts";
import { typeOf } from "../../../standards/dns/record.ts";
import { isSeen } from "../../../watch/compare.ts";
import { recordCheck } from "../../../watch/record-check.ts";
import type { Tasks } from "../../../watch/task.ts";
import { checkWatched, describeDomain } from "../described.ts";
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
import type { ServerParts } from "../parts.ts";
import { notFound } from "../problem.ts";
import { limit, type Route, route } from "../route.ts";
import { jobOf, jobRef } from "./job.ts";

const MAX_EVIDENCE = 3;
const MAX_LOOKED_AT = 100;

export function findingRoutes(parts: ServerParts, tasks: Tasks): readonly Route[] {
  const { descriptions, watch, now } = parts;
  const checkAgain = tasks.define<{ readonly domain: DomainName }>(
    "check",
    async ({ domain }, { progress }) => {
      const startedAt = now();
      const report = await checkWatched(domain, parts, parts.world(), parts.checkOptions, (done, of) =>
        progress({ done, of }),
      );
      const { schedule, alerts } = parts;
      const times = { startedAt, endedAt: now() };
      await recordCheck(report, times, { store: watch, schedule, tell: alerts.tell });
      return { summary: report.summary };
    },
  );
  const lookAround = tasks.define<{ readonly domain: DomainName }>(
    "look",
    async ({ domain }, { progress }) => {
      const stored = await descriptions.domain(domain);
      if (stored === undefined) throw notFound();
      const { description, derived } = await describeDomain(stored, descriptions);
      const records = derivedFor(domain, derived, description).records.slice(0, MAX_LOOKED_AT);
      const sets = [
        ...Map.groupBy(records, ({ record }) => `${record.name} ${typeOf(record.data)}`).values(),
      ];
      const world = parts.world();
      const seen = [];
      for (const [at, set] of sets.entries()) {
        progress({ done: at, of: sets.length });
        const { name, data } = set[0]!.record;
        const type = typeOf(data);
        const wanted = set.map(({ record }) => record.data);
        const found = await lookupSideBySide(name, type, world, now, wanted);
        seen.push({ owner: name, type, ...found });
      }
      return { seen };
    },
  );
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
          findings: findings.filter(isSeen).map(knownFindingJson),
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
        const findings = (await watch.findings(domain)).filter(isSeen).map(({ finding }) => finding);
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
        await describeDomain(asked.domain, descriptions);
        const { domain, ownerId } = asked.domain;
        return jobOf(await lookAround({ domain, ownerId }, { domain }));
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
        await describeDomain(stored, descriptions);
        // So that there is a state to compare with.
        if ((await watch.state(domain)) === undefined) await watch.schedule(domain, ownerId, now());
        const begun = jobOf(await checkAgain({ domain, ownerId }, { domain }));
        await asked.audit("domain.check", domain);
        return begun;
      },
    }),
  ];
}
