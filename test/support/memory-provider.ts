/** A provider whose zones lie in memory, with the faults that tests ask for, and a store beside it. */
import type {
  ApplyOutcome,
  Capabilities,
  Provider,
  ProviderFailure,
  Rrset,
  RrsetChange,
} from "../../src/publish/provider.ts";
import type { ApplyRecord, OwnedValue, PublishStore } from "../../src/publish/publish-store.ts";
import { rrsetKey, sameData } from "../../src/publish/rrset.ts";
import type { DomainName } from "../../src/standards/dns/name.ts";
import { type ResourceRecord, typeOf } from "../../src/standards/dns/record.ts";
import { recordsOf } from "./table-world.ts";

export const ABLE: Capabilities = { lacksTypes: [], atomic: "call", compareAndSwap: "server" };
const FAILURE: ProviderFailure = { status: "failed", cause: "unreachable", detail: "no answer" };

export interface MemoryProvider extends Provider {
  /** The zone as it is. */
  readonly rrsets: Map<string, Rrset>;
  /** What becomes of the next calls of `apply`, first to last; then all goes well. */
  readonly faults: ("before" | "after" | "half" | "ignore")[];
  /** How often `apply` was called. */
  applies: number;
  isDown: boolean;
}

export function memoryProvider(zoneText: string, capabilities: Partial<Capabilities> = {}): MemoryProvider {
  const rrsets = rrsetsOf(recordsOf(zoneText));
  const provider: MemoryProvider = {
    id: "memory",
    title: "a zone in memory",
    capabilities: { ...ABLE, ...capabilities },
    rrsets,
    faults: [],
    applies: 0,
    isDown: false,
    async readZone(zone) {
      if (provider.isDown) return FAILURE;
      return { status: "read", content: { zone, rrsets: [...rrsets.values()] } };
    },
    async apply(_zone, changes): Promise<ApplyOutcome> {
      provider.applies += 1;
      if (provider.isDown) return FAILURE;
      const stale = changes.filter(
        (change) => !sameData(rrsets.get(rrsetKey(change))?.data ?? [], change.before?.data ?? []),
      );
      if (stale.length > 0) return { status: "stale", changes: stale, detail: "not as planned" };
      const fault = provider.faults.shift();
      if (fault === "before") return FAILURE;
      if (fault === "ignore") return { status: "applied" };
      const done = fault === "half" ? changes.slice(0, Math.ceil(changes.length / 2)) : changes;
      for (const change of done) write(change);
      if (fault === "half") return { status: "interrupted", applied: done, failure: FAILURE };
      return fault === "after"
        ? { status: "interrupted", applied: [], failure: FAILURE }
        : { status: "applied" };
    },
  };
  const write = (change: RrsetChange) => {
    if (change.after === undefined) rrsets.delete(rrsetKey(change));
    else rrsets.set(rrsetKey(change), change.after);
  };
  return provider;
}

export function rrsetsOf(records: readonly ResourceRecord[]): Map<string, Rrset> {
  const groups = Map.groupBy(records, ({ name, data }) => rrsetKey({ name, type: typeOf(data) }));
  return new Map(
    [...groups].map(([key, group]) => {
      const [first] = group;
      const { name, ttlSeconds, data } = first!;
      return [key, { name, type: typeOf(data), ttlSeconds, data: group.map((record) => record.data) }];
    }),
  );
}

export function memoryStore(): PublishStore & { readonly applies: ApplyRecord[] } {
  const applies: ApplyRecord[] = [];
  const owned = new Map<DomainName, readonly OwnedValue[]>();
  const change = (id: string, to: Partial<ApplyRecord>) => {
    const at = applies.findIndex((apply) => apply.id === id);
    applies[at] = { ...applies[at]!, ...to };
    return applies[at]!;
  };
  return {
    applies,
    ownedIn: async (zone) => owned.get(zone) ?? [],
    running: async (zone) => applies.find((apply) => apply.zone === zone && apply.state === "running"),
    latest: async (zone) => applies.findLast((apply) => apply.zone === zone),
    latestToUndo: async (zone) =>
      applies.findLast(
        (apply) => apply.zone === zone && apply.state === "done" && apply.steps.length > 0 && !apply.undoes,
      ),
    async begin(apply) {
      if (applies.some(({ zone, state }) => zone === apply.zone && state === "running")) return false;
      applies.push(apply);
      return true;
    },
    async hold(id, heldUntil, waitsUntil) {
      if (!applies.some((apply) => apply.id === id && apply.state === "running")) return false;
      const { waitsUntil: _, ...rest } = change(id, { heldUntil });
      applies[applies.findIndex((apply) => apply.id === id)] = waitsUntil ? { ...rest, waitsUntil } : rest;
      return true;
    },
    async stepDone(id, stepsDone) {
      change(id, { stepsDone });
    },
    async finish(id, values, undone) {
      owned.set(change(id, { state: "done" }).zone, values);
      if (undone !== undefined) change(undone, { state: "undone" });
    },
  };
}
