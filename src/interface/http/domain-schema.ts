/** What routes about domains share: names read once, findings and states as JSON. */
import { z } from "zod";
import { GROUPS, type Group, isFindingCode } from "../../check/catalogue.ts";
import { concernOf } from "../../check/concern.ts";
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

/** As the fields of a DNS host's form. */
export const formSchema = z.object({
  type: z.string(),
  name: z.string(),
  priority: z.int().optional(),
  value: z.string(),
  ttlSeconds: z.int(),
});
export const hostFields = z.array(z.object({ key: z.string(), label: z.string(), value: z.string() }));

const fixSchema = z.object({
  summary: z.string(),
  changes: z.array(
    z.object({
      action: z.enum(["create", "delete"]),
      owner: z.string(),
      type: z.string(),
      ttlSeconds: z.int(),
      value: z.string(),
      zoneText: z.string(),
      form: formSchema,
      host: z
        .object({
          id: z.string(),
          name: z.string(),
          fields: hostFields,
          cannotStore: z.string().nullable(),
        })
        .nullable(),
    }),
  ),
  request: z.string().optional(),
});

const groups = Object.keys(GROUPS) as [Group, ...Group[]];

export const findingSchema = z.object({
  code: z.string(),
  /** What it is about; of a lookup that failed, what was looked up. */
  concern: z.enum(groups),
  severity,
  owner: z.string(),
  expected: z.string(),
  observed: z.string(),
  why: z.string(),
  reference: z.string(),
  fix: fixSchema.nullable(),
  verify: z.string(),
});

/** Without what only comparing looks is in need of. */
export const findingJson = ({ subject: _subject, leavesOpen: _open, ...finding }: Finding) => ({
  ...finding,
  concern: isFindingCode(finding.code) ? concernOf(finding) : ("zone" as const),
  fix:
    finding.fix === null
      ? null
      : {
          ...finding.fix,
          changes: finding.fix.changes.map(({ host, form, ...change }) => ({
            ...change,
            form: { ...form },
            host: host === null ? null : { ...host, fields: host.fields.map((field) => ({ ...field })) },
          })),
        },
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
