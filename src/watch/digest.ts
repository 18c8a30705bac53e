/** The week in one message: how the domains are, what came, what went. */

import { SEVERITIES } from "../check/severity.ts";
import type { AlertChannel, AlertMessage } from "./alert.ts";
import type { WatchStore } from "./watch-store.ts";

const WEEK_MILLISECONDS = 7 * 86_400_000;
const MAX_EVENTS = 1000;
const MAX_WORST = 20;
const MAX_CODES = 20;

/** Goes out in quiet weeks too: who hears nothing knows then that the watch is alive. */
export async function digestMessage(
  { domains }: AlertChannel,
  watch: Pick<WatchStore, "overview" | "history" | "states">,
  id: string,
  now: Date,
): Promise<AlertMessage> {
  const isOurs = (domain: string) =>
    domains === undefined || domains.some((one) => domain === one || domain.endsWith(`.${one}`));
  const from = now.getTime() - WEEK_MILLISECONDS;
  const [overview, history, states] = await Promise.all([
    watch.overview({}),
    watch.history({}, { limit: MAX_EVENTS }),
    watch.states({}, { limit: MAX_EVENTS }),
  ]);
  const events = history.filter(({ at, domain }) => at.getTime() >= from && isOurs(domain));
  const worst = states.filter(({ worst: how, domain }) => how === "error" && isOurs(domain));
  const lines: string[] = [];
  if (domains === undefined) {
    const counts = [...SEVERITIES, "unchecked" as const].flatMap((severity) => {
      const count = overview[severity] ?? 0;
      return count === 0 ? [] : [`${WORDS[severity]} ${count}`];
    });
    lines.push(`Domains by their worst finding: ${counts.join(", ") || "there are none"}.`);
  }
  const isCut = history.length === MAX_EVENTS && events.length === history.length;
  lines.push(
    `Since ${new Date(from).toISOString().slice(0, 10)}${isCut ? ` (the last ${MAX_EVENTS} events)` : ""}: ${
      events.filter(({ kind }) => kind === "appeared").length
    } findings came, ${events.filter(({ kind }) => kind === "gone").length} went.`,
  );
  const codes = [...Map.groupBy(events, ({ kind, code }) => `${kind} ${code}`)]
    .sort(([, one], [, other]) => other.length - one.length)
    .slice(0, MAX_CODES);
  for (const [what, same] of codes) {
    const names = [...new Set(same.map(({ domain }) => domain))];
    lines.push(
      `  ${what}: ${names.slice(0, 5).join(", ")}${names.length > 5 ? ` and ${names.length - 5} more` : ""}`,
    );
  }
  if (worst.length > 0) {
    lines.push("Domains with errors:");
    for (const { domain, counts } of worst.slice(0, MAX_WORST))
      lines.push(`  ${domain}: ${counts.error ?? 0}`);
    if (worst.length > MAX_WORST) lines.push(`  and ${worst.length - MAX_WORST} more`);
  }
  return {
    id,
    kind: "digest",
    severity: "ok",
    createdAt: now.toISOString(),
    title: `the week: ${worst.length === 0 ? "no domain with errors" : `${worst.length} domains with errors`}`,
    groups: [],
    omittedGroups: 0,
    text: lines.join("\n"),
  };
}

const WORDS = {
  error: "error",
  unknown: "could not be told",
  warning: "warning",
  notice: "notice",
  ok: "fine",
  unchecked: "not yet checked",
} as const;
