/** A plan for one zone: what its holder has, what is derived, and what DNS says of both. */
import type { World } from "../check/context.ts";
import { isInUse } from "../keys/key.ts";
import type { KeyName } from "../keys/key-name.ts";
import type { KeyStore } from "../keys/key-store.ts";
import type { SeenAt } from "../publish/apply.ts";
import { planChanges, spfRecordsOf, wantedIn } from "../publish/plan.ts";
import type { Plan, PlanInput } from "../publish/planned.ts";
import type { Provider, ProviderFailure, ZoneContent } from "../publish/provider.ts";
import type { PublishStore } from "../publish/publish-store.ts";
import { zoneOf } from "../records/derive.ts";
import type { Derived } from "../records/derived-record.ts";
import type { Description } from "../records/description.ts";
import type { PublishEntry } from "../records/publish-settings.ts";
import { isAround } from "../records/zone-part.ts";
import { parseDkimSelector } from "../standards/dkim/selector.ts";
import { ancestors, type DomainName, isWithin, parseDomainName, ROOT } from "../standards/dns/name.ts";
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
  readonly keys: Pick<KeyStore, "get">;
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
  keys,
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
  };
  const plan = planChanges(input);
  const [spfLookups, signingKeys] = await Promise.all([spfCosts(plan, world), keysLostBy(plan, zone, keys)]);
  return spfLookups.size + signingKeys.size === 0 ? plan : planChanges({ ...input, spfLookups, signingKeys });
}

/** What the plan takes away of keys that are in use, be they here or behind an alias of another zone. */
async function keysLostBy(
  plan: Plan,
  zone: DomainName,
  keys: PlannedZone["keys"],
): Promise<ReadonlySet<DomainName>> {
  const lost = new Set<DomainName>();
  for (const { name, after } of plan.steps.flatMap(({ changes }) => changes)) {
    if (after !== undefined) continue;
    for (const keyName of keyNamesAt(name, zone)) {
      const key = await keys.get(keyName);
      if (key !== undefined && isInUse(key)) lost.add(name);
    }
  }
  return lost;
}

const KEYS_LABEL = "._domainkey.";

/** Whose key's record it may be: SELECTOR._domainkey.DOMAIN, or that below the zone of a delegation. */
function* keyNamesAt(name: DomainName, zone: DomainName): Iterable<KeyName> {
  const at = name.indexOf(KEYS_LABEL);
  const selector = at < 0 ? undefined : parseDkimSelector(name.slice(0, at));
  const rest = at < 0 ? undefined : parseDomainName(name.slice(at + KEYS_LABEL.length));
  if (!selector?.ok || !rest?.ok) return;
  const dkimSelector = selector.value;
  yield { dkimSelector, signingDomain: rest.value };
  for (const above of ancestors(rest.value).slice(1)) {
    if (above === ROOT || !isAround(above, zone)) continue;
    const below = parseDomainName(rest.value.slice(0, -above.length - 1));
    if (below.ok) yield { dkimSelector, signingDomain: below.value };
  }
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
