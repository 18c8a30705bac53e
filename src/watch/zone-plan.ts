/** A plan for one zone: what its holder has, what is derived, and what DNS says of both. */
import type { World } from "../check/context.ts";
import type { SeenAt } from "../publish/apply.ts";
import { planChanges, spfRecordsOf, wantedIn } from "../publish/plan.ts";
import type { Plan, PlanInput } from "../publish/planned.ts";
import type { Provider, ProviderFailure, ZoneContent } from "../publish/provider.ts";
import type { PublishStore } from "../publish/publish-store.ts";
import { zoneOf } from "../records/derive.ts";
import type { Derived } from "../records/derived-record.ts";
import type { Description } from "../records/description.ts";
import type { PublishEntry } from "../records/publish-settings.ts";
import { type DomainName, isWithin, ROOT } from "../standards/dns/name.ts";
import type { RecordType } from "../standards/dns/record.ts";
import { lookupSpfTreeOf } from "../standards/spf/tree.ts";

export interface PlannedZone {
  readonly zone: DomainName;
  /** All zones that are kept: a record belongs to the innermost. */
  readonly zones: readonly DomainName[];
  readonly provider: Pick<Provider, "readZone" | "capabilities">;
  readonly store: Pick<PublishStore, "ownedIn">;
  readonly world: Pick<World, "authoritative">;
  readonly derived: Derived;
  /** Names of keys that sign, or have signed mail that is still under way. */
  readonly signingKeys: ReadonlySet<DomainName>;
}

export function zonesOf(description: Description): readonly DomainName[] {
  const described = description.domains.map(({ domain }) => zoneOf(domain, description));
  return [...new Set([...described, ...description.publish.flatMap(({ zones }) => zones ?? [])])];
}

export const entryOf = (zone: DomainName, { publish }: Description): PublishEntry | undefined =>
  publish.find(({ zones }) => zones === undefined || zones.includes(zone));

/** RFC 2308 §5: resolvers keep an absence for three hours at most by custom; so long where nobody says. */
const UNKNOWN_NEGATIVE_TTL_SECONDS = 10_800;

export async function planZone({
  zone,
  zones,
  provider,
  store,
  world,
  derived,
  signingKeys,
}: PlannedZone): Promise<Plan | ProviderFailure> {
  const outcome = await provider.readZone(zone);
  if (outcome.status !== "read") return outcome;
  const wanted = wantedIn(zone, derived.records, zones);
  const [found, ds, resolves] = await Promise.all([
    world.authoritative.findZone(zone),
    world.authoritative.lookup(zone, "DS"),
    lookUpTargets(outcome.content, wanted, world),
  ]);
  const ttls =
    found.status === "found"
      ? found.zone.servers.flatMap(({ negativeTtlSeconds }) => negativeTtlSeconds ?? [])
      : [];
  const input: PlanInput = {
    content: outcome.content,
    wanted,
    owned: await store.ownedIn(zone),
    capabilities: provider.capabilities,
    negativeTtlSeconds: ttls.length > 0 ? Math.max(...ttls) : UNKNOWN_NEGATIVE_TTL_SECONDS,
    ...(ds.status !== "unknown" && { isSigned: ds.status === "found" }),
    resolves,
    signingKeys,
  };
  const plan = planChanges(input);
  const spfLookups = await spfCosts(plan, world);
  return spfLookups.size === 0 ? plan : planChanges({ ...input, spfLookups });
}

/** What receivers would look up for each SPF record, includes followed. */
async function spfCosts(plan: Plan, world: PlannedZone["world"]): Promise<ReadonlyMap<DomainName, number>> {
  const costs = await Promise.all(
    spfRecordsOf(plan).map(async ({ name, text }): Promise<[DomainName, number]> => {
      const { lookupTerms } = await lookupSpfTreeOf(text, name, world.authoritative);
      return [name, lookupTerms];
    }),
  );
  return new Map(costs);
}

/** Whether the mail hosts that stand outside of the zone have addresses; those that could not be told are left out. */
async function lookUpTargets(
  { zone }: ZoneContent,
  wanted: ReturnType<typeof wantedIn>,
  world: PlannedZone["world"],
): Promise<ReadonlyMap<DomainName, boolean>> {
  const hosts = new Set(
    wanted.flatMap(({ record: { data } }) =>
      data.type === "MX" && data.exchange !== ROOT && !isWithin(data.exchange, zone) ? [data.exchange] : [],
    ),
  );
  const told = await Promise.all(
    [...hosts].map(async (host): Promise<[DomainName, boolean][]> => {
      const answers = await Promise.all([
        world.authoritative.lookup(host, "A"),
        world.authoritative.lookup(host, "AAAA"),
      ]);
      if (answers.some(({ status }) => status === "found")) return [[host, true]];
      return answers.every(({ status }) => status === "absent") ? [[host, false]] : [];
    }),
  );
  return new Map(told.flat());
}

/** Every authoritative name server, as an apply asks them. */
export function seeAtEveryServer({ authoritative }: PlannedZone["world"]) {
  return async (name: DomainName, type: RecordType): Promise<readonly SeenAt[]> => {
    const answers = await authoritative.askEveryServer(name, type);
    return answers.map(({ server, answer }) => ({
      server: `${server.name} (${server.address})`,
      data:
        answer.status === "found"
          ? answer.records.map(({ data }) => data)
          : answer.status === "absent"
            ? []
            : undefined,
    }));
  };
}
