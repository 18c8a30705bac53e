/** How a domain's state was over time, out of what is known now and what has changed. */
import type { Finding, HistoryEvent } from "../../api/domains.ts";
import type { Severity } from "../../parts/severity.tsx";

/** How many findings asked for something, from that moment on. */
export interface Moment {
  readonly at: string;
  readonly error: number;
  readonly warning: number;
  readonly unknown: number;
}

const COUNTED = ["error", "warning", "unknown"] as const;

/** Oldest first, the last one is now. `events` come newest first; what was before the oldest of them is not known. */
export function overTime(
  events: readonly HistoryEvent[],
  findings: readonly Pick<Finding, "code" | "owner" | "severity">[],
  now: string,
): readonly Moment[] {
  const keyOf = ({ code, owner }: Pick<Finding, "code" | "owner">) => `${code} ${owner}`;
  const there = new Map<string, Severity>(findings.map((finding) => [keyOf(finding), finding.severity]));
  const count = (at: string): Moment => {
    const all = [...there.values()];
    const [error = 0, warning = 0, unknown = 0] = COUNTED.map(
      (severity) => all.filter((each) => each === severity).length,
    );
    return { at, error, warning, unknown };
  };
  const moments: Moment[] = [count(now)];
  for (const [at, event] of events.entries()) {
    const key = keyOf(event);
    // Of one moment all changes are taken back before it is left.
    if (event.at !== events[at - 1]?.at) moments.push(count(event.at));
    if (event.kind === "appeared") there.delete(key);
    else if (event.kind === "gone") there.set(key, event.severity);
    else if (event.kind === "changed") {
      const before = events.slice(at + 1).find((each) => keyOf(each) === key && each.kind !== "acknowledged");
      there.set(key, before?.severity ?? event.severity);
    }
  }
  return moments.reverse();
}
