/** What routes about domains share: names read once, findings and states as JSON. */
import { z } from "zod";
import type { Finding } from "../../check/finding.ts";
import { SEVERITIES } from "../../check/severity.ts";
import { readMailDomain } from "../../records/description.ts";
import type { DomainName } from "../../standards/dns/name.ts";
import type { DomainState, KnownEvent, KnownFinding } from "../../watch/watch-store.ts";

const MAX_TYPED_NAME = 1024;

export const domainName = z
  .string()
  .max(MAX_TYPED_NAME)
  .transform((text, context): DomainName => {
    const name = readMailDomain(text);
    if (name.ok) return name.value;
    context.issues.push({ code: "custom", message: name.problem, input: text });
    return z.NEVER;
  });

export const ofDomain = z.object({ domain: domainName });

export const severity = z.enum(SEVERITIES as readonly [Finding["severity"], ...Finding["severity"][]]);
const counts = z.partialRecord(severity, z.int());

export const findingSchema = z.object({
  code: z.string(),
  severity,
  owner: z.string(),
  expected: z.string(),
  observed: z.string(),
  why: z.string(),
  reference: z.string(),
  fix: z.looseObject({ summary: z.string() }).nullable(),
  verify: z.string(),
});

export const findingJson = (finding: Finding) => ({
  ...finding,
  fix: finding.fix === null ? null : { ...finding.fix },
});

export const knownFinding = findingSchema.extend({
  key: z.string(),
  since: z.string(),
  confirmed: z.boolean(),
  acknowledgedBy: z.string().nullable(),
});

export const knownFindingJson = ({ key, finding, since, confirmed, acknowledgedBy }: KnownFinding) => ({
  ...findingJson(finding),
  key,
  since: since.toISOString(),
  confirmed,
  acknowledgedBy: acknowledgedBy ?? null,
});

export const stateSchema = z.object({
  domain: z.string(),
  ownerId: z.string().nullable(),
  checkedAt: z.string().nullable(),
  nextCheckAt: z.string(),
  worst: severity.nullable(),
  counts,
});

export const stateJson = (state: DomainState) => ({
  domain: state.domain,
  ownerId: state.ownerId ?? null,
  checkedAt: state.checkedAt?.toISOString() ?? null,
  nextCheckAt: state.nextCheckAt.toISOString(),
  worst: state.worst ?? null,
  counts: { ...state.counts },
});

export const eventSchema = z.object({
  id: z.number(),
  domain: z.string(),
  at: z.string(),
  kind: z.enum(["appeared", "changed", "gone", "acknowledged"]),
  code: z.string(),
  owner: z.string(),
  severity,
  observed: z.string(),
});

export const eventJson = (event: KnownEvent) => ({ ...event, at: event.at.toISOString() });

/** `at` and `id` of the last event of a page, as "2026-11-21T12:00:00.000Z,17": the next page begins behind it. */
export const eventPlace = z
  .string()
  .max(60)
  .regex(
    /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?Z,\d{1,15}$/,
    "give at and id of an event, with a comma between them",
  );

export function readEventPlace(text: string): Pick<KnownEvent, "at" | "id"> {
  const [at = "", id] = text.split(",");
  return { at: new Date(at), id: Number(id) };
}
