/** What every name server and every resolver answers to one question, side by side. */
import type { DomainName } from "../standards/dns/name.ts";
import type { Rdata, RecordType } from "../standards/dns/record.ts";
import type { Answer } from "../standards/dns/resolver.ts";
import { answerText, type World } from "./context.ts";
import { type Arrival, arrivalOf } from "./propagation.ts";

export interface LookupRow {
  readonly from: string;
  readonly kind: "name server" | "resolver";
  readonly status: Answer["status"];
  /** Record data as zone text; empty for anything but `found`. */
  readonly records: readonly string[];
  /** For `absent` and `unknown`, in words. */
  readonly detail: string;
  readonly ttlSeconds: number | null;
  /** When the last cache that asked just now must have let go. */
  readonly mayBeCachedUntil: string | null;
  readonly secure: boolean | null;
  /** Whether it has what is wanted; null where nothing is. */
  readonly hasWanted: Arrival | null;
}

export interface SideBySide {
  /** All that told anything told the same. */
  readonly agree: boolean;
  readonly answers: readonly LookupRow[];
}

/** Resolvers come second, so that a name that is not published yet is not planted into their caches as absent. */
export async function lookupSideBySide(
  name: DomainName,
  type: RecordType,
  { authoritative, recursive }: Pick<World, "authoritative" | "recursive">,
  now: () => Date,
  wanted: readonly Rdata[] = [],
): Promise<SideBySide> {
  const servers = await authoritative.askEveryServer(name, type);
  const resolvers = await Promise.all(
    recursive.map(async (view) => ({ view, answer: await view.lookup(name, type) })),
  );
  const at = now();
  const rowOf = (from: string, kind: LookupRow["kind"], answer: Answer): LookupRow => {
    const ttlSeconds = ttlOf(answer);
    const goal = { name, type, want: { kind: "values" as const, values: wanted } };
    return {
      from,
      kind,
      status: answer.status,
      records: answer.status === "found" ? answerText(answer).split("\n") : [],
      detail: detailOf(answer),
      ttlSeconds,
      mayBeCachedUntil: ttlSeconds === null ? null : new Date(at.getTime() + ttlSeconds * 1000).toISOString(),
      secure: answer.status === "unknown" ? null : (answer.secure ?? null),
      hasWanted: wanted.length === 0 ? null : arrivalOf(answer, { goal, firstAnswer: undefined }),
    };
  };
  const told = [...servers, ...resolvers].filter(({ answer }) => answer.status !== "unknown");
  return {
    agree: new Set(told.map(({ answer }) => answerText(answer))).size <= 1,
    answers: [
      ...servers.map(({ server, answer }) =>
        rowOf(`${server.name} (${server.address})`, "name server", answer),
      ),
      ...resolvers.map(({ view, answer }) => rowOf(view.label, "resolver", answer)),
    ],
  };
}

function ttlOf(answer: Answer): number | null {
  if (answer.status === "found") return Math.min(...answer.records.map((record) => record.ttlSeconds));
  return answer.status === "absent" ? (answer.negativeTtlSeconds ?? null) : null;
}

function detailOf(answer: Answer): string {
  if (answer.status === "found") return "";
  return answer.status === "absent" ? answerText(answer) : `${answer.cause}: ${answer.detail}`;
}
