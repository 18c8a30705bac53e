/** Changes brought to an API that cannot compare by itself: read first, then write, and keep count of what is done. */
import { type DomainName, isWithin } from "../../standards/dns/name.ts";
import type { Rdata } from "../../standards/dns/record.ts";
import type { ApplyOutcome, Capabilities, Provider, ProviderFailure, RrsetChange } from "../provider.ts";
import { rrsetKey, staleChanges } from "../rrset.ts";
import { unstorable } from "../storable.ts";
import { type ApiFailure, failed } from "./api.ts";
import type { ZoneReading } from "./zone-reading.ts";

/** What one request does, or several that belong together. */
export interface Step {
  /** What is done when all of this step is done; of one RRset, or of several at once. */
  readonly completes: readonly RrsetChange[];
  run(): Promise<StepOutcome>;
}

export type StepOutcome =
  | { readonly ok: true }
  | (Pick<ApiFailure, "ok" | "failure" | "mayHaveHappened"> & {
      /** The API says that what was to be changed is another by now. */
      readonly isStale?: boolean;
    });

/** A provider that reads, compares, and then writes step by step. */
export interface SteppedProvider<R extends ZoneReading> {
  readonly id: string;
  readonly title: string;
  readonly capabilities: Capabilities;
  read(zone: DomainName): ReturnType<CarefulApply<R>["read"]>;
  /** What else it cannot hold, beside what its capabilities say. */
  readonly lacks?: (data: Rdata) => string | undefined;
  /** In the order of the changes. */
  steps(task: {
    readonly zone: DomainName;
    readonly changes: readonly RrsetChange[];
    readonly reading: R;
  }): readonly Step[];
}

export function steppedProvider<R extends ZoneReading>(own: SteppedProvider<R>): Provider {
  const { id, title, capabilities, lacks } = own;
  return {
    id,
    title,
    capabilities,
    async readZone(zone) {
      const answer = await own.read(zone);
      return answer.ok ? { status: "read", content: answer.value.content } : answer.failure;
    },
    apply: (zone, changes) =>
      applyInSteps({
        title,
        zone,
        changes,
        capabilities,
        ...(lacks && { lacks }),
        read: () => own.read(zone),
        steps: (reading) => own.steps({ zone, changes, reading }),
      }),
  };
}

interface CarefulApply<R extends ZoneReading> {
  readonly title: string;
  readonly zone: DomainName;
  readonly changes: readonly RrsetChange[];
  readonly capabilities: Capabilities;
  read(): Promise<
    { readonly ok: true; readonly value: R } | { readonly ok: false; readonly failure: ProviderFailure }
  >;
  /** What else it cannot hold, beside what its capabilities say. */
  readonly lacks?: (data: Rdata) => string | undefined;
  /** In the order of the changes. */
  steps(reading: R): readonly Step[];
}

async function applyInSteps<R extends ZoneReading>(task: CarefulApply<R>): Promise<ApplyOutcome> {
  const { title, changes } = task;
  if (changes.length === 0) return { status: "applied" };
  const reading = await task.read();
  if (!reading.ok) return reading.failure;
  const obstacle = changes.map((change) => obstacleTo(change, task, reading.value)).find(Boolean);
  if (obstacle !== undefined) return failed("refused", obstacle);
  const stale = staleChanges(reading.value.content, changes);
  if (stale.length > 0) return staleOutcome(title, stale);

  const applied: RrsetChange[] = [];
  for (const { completes, run } of task.steps(reading.value)) {
    const outcome = await run();
    if (outcome.ok) {
      applied.push(...completes);
      continue;
    }
    const { failure, mayHaveHappened, isStale = false } = outcome;
    if (applied.length > 0 || mayHaveHappened) return { status: "interrupted", applied, failure };
    return isStale ? whatIsStale(task, completes) : failure;
  }
  return { status: "applied" };
}

/** The API says that something is another by now, and not always what. */
async function whatIsStale<R extends ZoneReading>(
  { title, read }: CarefulApply<R>,
  changes: readonly RrsetChange[],
): Promise<ApplyOutcome> {
  const reading = await read();
  const stale = reading.ok ? staleChanges(reading.value.content, changes) : [];
  return staleOutcome(title, stale.length > 0 ? stale : changes);
}

function staleOutcome(title: string, changes: readonly RrsetChange[]): ApplyOutcome {
  const which = changes.map(({ name, type }) => `${name} ${type}`).join(", ");
  return { status: "stale", changes, detail: `At ${title} something is no longer as planned: ${which}.` };
}

function obstacleTo(
  change: RrsetChange,
  {
    title,
    zone,
    capabilities,
    lacks,
  }: Pick<CarefulApply<ZoneReading>, "title" | "zone" | "capabilities" | "lacks">,
  { opaque }: ZoneReading,
): string | undefined {
  const { name, type, after } = change;
  const what = `${name} ${type}`;
  if (!isWithin(name, zone)) return `${what} is not within the zone ${zone}.`;
  if (opaque.has(rrsetKey(change))) {
    return `${what} is something at ${title} that is no plain record, or cannot be read here. Change it there.`;
  }
  for (const data of after?.data ?? []) {
    const problem = unstorable({ name, ttlSeconds: after!.ttlSeconds, data }, capabilities) ?? lacks?.(data);
    if (problem !== undefined) return `${title} cannot hold ${what}: ${problem}.`;
  }
  return undefined;
}
