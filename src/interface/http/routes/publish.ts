/** Plans, approved by their digest, carried out as jobs, and taken back. */
import { createHash } from "node:crypto";
import { z } from "zod";
import { auditEntry } from "../../../access/audit.ts";
import { type Actor, actorName, may, sees } from "../../../access/permission.ts";
import { scopesLeft } from "../../../access/token.ts";
import {
  type ApplyEvent,
  type ApplyTools,
  applyPlan,
  applyUndo,
  planUndo,
  recover,
} from "../../../publish/apply.ts";
import { planDigest, planJson, resultJson } from "../../../publish/plan-json.ts";
import { GUARD_IDS, type GuardId, type Plan } from "../../../publish/planned.ts";
import type { ProviderFailure, RrsetChange } from "../../../publish/provider.ts";
import { sameData } from "../../../publish/rrset.ts";
import { zoneOf } from "../../../records/derive.ts";
import type { StoredDomain } from "../../../records/description-store.ts";
import type { DomainName } from "../../../standards/dns/name.ts";
import { formatRdata } from "../../../standards/dns/rdata-text.ts";
import { cachesClear } from "../../../watch/schedule.ts";
import type { Tasks } from "../../../watch/task.ts";
import { planZone, zonesOf } from "../../../watch/zone-plan.ts";
import { type Described, describeDomain, describeZone } from "../described.ts";
import { ofDomain } from "../domain-schema.ts";
import type { ServerParts } from "../parts.ts";
import { notFound, Refusal } from "../problem.ts";
import { type Asked, type Route, route } from "../route.ts";
import { canPublishInto, type OpenZone, openZone } from "../zone.ts";
import { jobOf, jobRef } from "./job.ts";

const digest = z.string().regex(/^[0-9a-f]{64}$/);
const LOOK_SECONDS = 60;
const BUSY_SECONDS = 60;
/** Of a zone that holds the records of many domains. */
const MAX_LOOKED_AFTER = 1000;
/** A plan of a zone with many domains is long; what is read back of it is a sample. */
const MAX_READ_BACK = 50;
const MAX_ANSWERS = 20;

const planSchema = z.object({
  zone: z.string(),
  values: z.array(
    z.object({
      action: z.enum(["create", "delete", "keep"]),
      name: z.string(),
      type: z.string(),
      value: z.string(),
      ttlSeconds: z.int(),
      isOurs: z.boolean(),
      reason: z.string().optional(),
      purpose: z.string().optional(),
    }),
  ),
  steps: z.array(
    z.object({
      changes: z.array(
        z.object({
          name: z.string(),
          type: z.string(),
          before: z.array(z.string()).nullable(),
          after: z.array(z.string()).nullable(),
          ttlSeconds: z.int().nullable(),
        }),
      ),
      waitSeconds: z.number(),
      waitReason: z.string().nullable(),
    }),
  ),
  guards: z.array(z.object({ id: z.enum(GUARD_IDS), message: z.string(), canBeOverridden: z.boolean() })),
  leftOut: z.array(z.object({ name: z.string(), type: z.string(), because: z.string() })),
  notes: z.array(z.string()),
});

/** What was approved, and by whom: it is looked at again when its turn has come. */
interface Approved {
  readonly domain: DomainName;
  readonly zone: DomainName;
  readonly digest: string;
  readonly userId: string;
  /** Undefined in what was approved before it was kept. */
  readonly recoveries?: number;
  /** Undefined for a session, which may end before the work does. */
  readonly tokenId?: string;
  readonly by: string;
  readonly address: string;
}

interface ApprovedPlan extends Approved {
  readonly allow: readonly GuardId[];
  /** What stands after each of its changes, as text. */
  readonly changes: readonly string[];
}

interface ApprovedUndo extends Approved {
  readonly undoes: string;
}

export function publishRoutes(parts: ServerParts, tasks: Tasks): readonly Route[] {
  const { access, descriptions, publish, queue, watch, now, holders } = parts;

  const open = async (
    stored: StoredDomain,
    actor: Actor,
  ): Promise<OpenZone & { readonly described: Described }> => {
    const own = await describeDomain(stored, descriptions);
    const opened = await openZone(zoneOf(stored.domain, own.description), actor, parts);
    return { ...opened, described: await describeZone(opened.zone, descriptions, () => parts.sleep(0)) };
  };
  const approvedBy = ({ actor, caller, domain: { domain } }: Asked, zone: DomainName, digest: string) => ({
    domain,
    zone,
    digest,
    userId: actor.user.id,
    recoveries: actor.user.recoveries,
    ...(actor.tokenId !== undefined && { tokenId: actor.tokenId }),
    by: actorName(actor),
    address: caller.address,
  });
  /** Who has approved it may have lost the right meanwhile: then undefined. */
  const approver = async ({ domain, userId, recoveries = 0, tokenId }: Approved) => {
    const [stored, user] = await Promise.all([descriptions.domain(domain), access.user({ id: userId })]);
    if (stored === undefined || user === undefined || user.disabledAt !== undefined) return undefined;
    // Who approved it may have been somebody else, who is thrown out by now.
    if (user.recoveries !== recoveries) return undefined;
    const scopes = tokenId === undefined ? undefined : await scopesLeft(userId, tokenId, now(), access);
    if (tokenId !== undefined && scopes === undefined) return undefined;
    const actor: Actor = { user, ...(scopes && { scopes }) };
    return sees(actor, stored) && may(actor, "own.publish") ? { stored, actor } : undefined;
  };
  const openAgain = async (approved: Approved) => {
    const standing = await approver(approved);
    if (standing === undefined) throw notFound();
    const opened = await open(standing.stored, standing.actor);
    if (opened.zone !== approved.zone) throw notApproved();
    return opened;
  };
  const isStillApproved = async (approved: Approved): Promise<boolean> => {
    const standing = await approver(approved);
    if (standing === undefined) return false;
    const { stored, actor } = standing;
    const { description } = await describeDomain(stored, descriptions);
    const isSame = zoneOf(stored.domain, description) === approved.zone;
    return isSame && canPublishInto(approved.zone, actor, parts);
  };
  const toolsOf = (opened: OpenZone, approved: Approved, progress: (data: unknown) => void): ApplyTools => ({
    ...opened.applyTools(tell(progress)),
    isStillApproved: () => isStillApproved(approved),
  });
  const audit = ({ by, address, zone }: Approved, action: string) =>
    access.audit(auditEntry({ actor: by, address, action, target: zone, details: {} }, now(), parts.random));
  /**
   * Until when the next step has to wait, where an earlier apply was broken off while it waited. A node that has died at
   * it seems to be at it still for a while; who goes on with its task (`attempt` above 1) waits for that.
   */
  const requireWhole = async ({ zone, provider }: OpenZone, attempt = 1): Promise<Date | undefined> => {
    const look = () => recover(zone, { provider, store: publish, now, holders });
    let recovery = await look();
    if (recovery.status === "busy" && attempt > 1) {
      await parts.wait(recovery.until.getTime() - now().getTime());
      recovery = await look();
    }
    if (recovery.status === "failed") throw notRead(recovery.failure);
    if (recovery.status === "busy")
      throw new Refusal(
        "busy",
        `another apply to ${zone} is under way`,
        "wait until it has ended, and look at the plan as it is by then",
        { retryAfterSeconds: BUSY_SECONDS },
      );
    return recovery.status === "recovered" ? recovery.apply.waitsUntil : undefined;
  };
  /** What every name server answers by now for what was changed. */
  const readBack = async (changes: readonly RrsetChange[], { see }: Pick<ApplyTools, "see">) =>
    Promise.all(
      changes.slice(0, MAX_READ_BACK).map(async ({ name, type, after }) => ({
        name,
        type,
        servers: (await see(name, type)).map(({ server, data }) => ({
          server,
          hasIt: data === undefined ? "unknown" : sameData(data, after?.data ?? []) ? "yes" : "no",
          answers: data?.slice(0, MAX_ANSWERS).map((one) => formatRdata(one)) ?? null,
        })),
      })),
    );
  /** The domains are looked at now, and once no cache can hold what was there before. */
  const lookAfter = async (
    { zone, described: { description } }: { zone: DomainName; described: Described },
    ttl: number,
  ) => {
    const domains = description.domains
      .map(({ domain }) => domain)
      .filter((domain) => zoneOf(domain, description) === zone)
      .slice(0, MAX_LOOKED_AFTER);
    await watch.scheduleSooner(domains.map((domain) => ({ domain, at: now() })));
    const key = `wait-for-caches ${zone}`;
    await queue.add("wait-for-caches", { domains }, { key, runAt: cachesClear(now(), ttl) });
  };
  const makePlan = async ({
    zone,
    provider,
    described: { description, derived },
  }: Awaited<ReturnType<typeof open>>) => {
    const plan = await planZone({
      zone,
      zones: [...new Set([zone, ...zonesOf(description)])],
      provider,
      store: publish,
      world: parts.world(),
      derived,
      keys: parts.keys,
    });
    if ("status" in plan) throw notRead(plan);
    return plan;
  };
  const undoOf = async ({ zone, provider }: OpenZone) => {
    const outcome = await provider.readZone(zone);
    if (outcome.status !== "read") throw notRead(outcome);
    const undo = planUndo(await publish.latestToUndo(zone), outcome.content);
    if (undo.status === "nothing-to-undo")
      throw new Refusal("refused", "there is nothing to take back", "look at the history for what was done");
    const steps = undo.steps.map((changes) =>
      changes.map(({ name, type, before, after }) => ({
        name,
        type,
        before: before?.data.map((data) => formatRdata(data)) ?? null,
        after: after?.data.map((data) => formatRdata(data)) ?? null,
      })),
    );
    const text = JSON.stringify([undo.undoes.id, steps]);
    return { undo, steps, digest: createHash("sha256").update(text).digest("hex") };
  };
  const applyApproved = tasks.define<ApprovedPlan>(
    "apply",
    async (approved, { attempt, progress }) => {
      const opened = await openAgain(approved);
      const notBefore = await requireWhole(opened, attempt);
      const plan = await makePlan(opened);
      // Where a node died at it, what is left of the plan is a part of what was approved.
      const isPart =
        attempt > 1 &&
        changesOf(plan).every((change) => approved.changes.includes(change)) &&
        plan.guards.every(({ id }) => approved.allow.includes(id));
      if (planDigest(plan) !== approved.digest && !isPart) throw notApproved();
      const options = { allow: approved.allow, lookSeconds: LOOK_SECONDS, ...(notBefore && { notBefore }) };
      const tools = toolsOf(opened, approved, progress);
      const result = await applyPlan(plan, options, tools);
      await audit(approved, `zone.apply.${result.status}`);
      if (result.status === "done") {
        const ttls = plan.steps.flatMap(({ changes }) =>
          changes.map(({ before }) => before?.ttlSeconds ?? 0),
        );
        await lookAfter(opened, Math.max(0, ...ttls));
        const changes = plan.steps.flatMap((step) => step.changes);
        return { ...resultJson(result), readBack: await readBack(changes, tools) };
      }
      return resultJson(result);
    },
    { publishes: true },
  );
  const undoApproved = tasks.define<ApprovedUndo>(
    "undo",
    async (approved, { attempt, progress }) => {
      const opened = await openAgain(approved);
      await requireWhole(opened, attempt);
      const last = await publish.latest(opened.zone);
      if (attempt > 1 && last?.undoes === approved.undoes && last.state === "done")
        return { status: "nothing-to-do" };
      const { undo, digest: own } = await undoOf(opened);
      if (own !== approved.digest) throw notApproved();
      const tools = toolsOf(opened, approved, progress);
      const result = await applyUndo(undo, { lookSeconds: LOOK_SECONDS }, tools);
      await audit(approved, `zone.undo.${result.status}`);
      if (result.status === "done") {
        const ttls = undo.steps.flat().map(({ before }) => before?.ttlSeconds ?? 0);
        await lookAfter(opened, Math.max(0, ...ttls));
        return { ...resultJson(result), readBack: await readBack(undo.steps.flat(), tools) };
      }
      return resultJson(result);
    },
    { publishes: true },
  );

  return [
    route({
      method: "GET",
      path: "/api/domains/:domain/plan",
      gate: "own.publish",
      summary:
        "What publishing would change in the domain's zone, with what speaks against it, and its digest.",
      params: ofDomain,
      answer: z.object({ digest, provider: z.string(), plan: planSchema }),
      act: async (_, asked) => {
        const opened = await open(asked.domain, asked.actor);
        const plan = await makePlan(opened);
        const read = planSchema.parse(planJson(plan));
        return { digest: planDigest(plan), provider: opened.provider.title, plan: read };
      },
    }),
    route({
      method: "POST",
      path: "/api/domains/:domain/apply",
      gate: "own.publish",
      summary: "Carries out the plan of this digest; where the plan has changed since, nothing happens.",
      params: ofDomain,
      body: z.strictObject({ digest, allow: z.array(z.enum(GUARD_IDS)).max(GUARD_IDS.length).default([]) }),
      status: 202,
      answer: jobRef,
      act: async ({ body }, asked) => {
        const opened = await open(asked.domain, asked.actor);
        await requireWhole(opened);
        const plan = await makePlan(opened);
        if (planDigest(plan) !== body.digest) throw notApproved();
        await asked.audit("zone.apply", opened.zone, { digest: body.digest, allow: body.allow });
        const { ownerId } = asked.domain;
        const approved = {
          ...approvedBy(asked, opened.zone, body.digest),
          allow: body.allow,
          changes: changesOf(plan),
        };
        return jobOf(await applyApproved({ domain: opened.zone, ownerId }, approved));
      },
    }),
    route({
      method: "GET",
      path: "/api/domains/:domain/undo",
      gate: "own.publish",
      summary: "What taking the last apply back would change, and its digest.",
      params: ofDomain,
      answer: z.object({
        digest,
        undoes: z.string(),
        steps: z.array(z.array(z.looseObject({ name: z.string() }))),
      }),
      act: async (_, asked) => {
        const { undo, steps, digest: own } = await undoOf(await open(asked.domain, asked.actor));
        return { digest: own, undoes: undo.undoes.id, steps };
      },
    }),
    route({
      method: "POST",
      path: "/api/domains/:domain/undo",
      gate: "own.publish",
      summary: "Takes the last apply back, where it is still the one of this digest.",
      params: ofDomain,
      body: z.strictObject({ digest }),
      status: 202,
      answer: jobRef,
      act: async ({ body }, asked) => {
        const opened = await open(asked.domain, asked.actor);
        const { undo, digest: own } = await undoOf(opened);
        if (own !== body.digest) throw notApproved();
        await asked.audit("zone.undo", opened.zone, { digest: body.digest });
        const { ownerId } = asked.domain;
        const approved = { ...approvedBy(asked, opened.zone, body.digest), undoes: undo.undoes.id };
        return jobOf(await undoApproved({ domain: opened.zone, ownerId }, approved));
      },
    }),
  ];
}

const changesOf = ({ steps }: Plan): readonly string[] =>
  steps.flatMap(({ changes }) =>
    changes.map(({ name, type, after }) =>
      JSON.stringify([name, type, after?.ttlSeconds, after?.data.map((data) => formatRdata(data))]),
    ),
  );

const tell = (progress: (data: unknown) => void) => (event: ApplyEvent) =>
  progress(event.kind === "step" ? { kind: "step", at: event.at, of: event.of } : event);

const notApproved = (): Refusal =>
  new Refusal(
    "stale",
    "this is not the plan that was looked at",
    "look at the plan as it is now, and approve that",
  );

function notRead({ cause, detail }: ProviderFailure): Refusal {
  return new Refusal(
    "no-answer",
    `the zone could not be read (${cause}): ${detail.slice(0, 300)}`,
    "try again later",
  );
}
