/** Counters of a milter, in the text format of Prometheus. Several workers' counts are added up. */
import type { MessageRecord } from "./mail-milter.ts";

/** "name{label="value"}" → count. Labels are closed sets: nothing that a client writes becomes one. */
export type MetricCounts = Readonly<Record<string, number>>;

/** Upper bounds in seconds. */
const BUCKETS = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30] as const;

const HELP = {
  zonepost_milter_messages_total: ["counter", "Messages that came to their end, by direction and action."],
  zonepost_milter_results_total: [
    "counter",
    "Results of authentication, by method; one for each DKIM signature.",
  ],
  zonepost_milter_signatures_total: ["counter", "DKIM signatures made, by algorithm."],
  zonepost_milter_unsigned_total: ["counter", "Outgoing messages that were not signed, by reason."],
  zonepost_milter_forged_results_total: [
    "counter",
    "Authentication-Results fields removed, which claimed to be ours.",
  ],
  zonepost_milter_errors_total: [
    "counter",
    "Messages or connections that ended in an error, by whose it was.",
  ],
  zonepost_milter_refused_connections_total: ["counter", "Connections beyond the limit."],
  zonepost_milter_connections: ["gauge", "Connections of MTAs that are open."],
  zonepost_milter_workers: ["gauge", "Processes at work."],
  zonepost_milter_message_seconds: [
    "histogram",
    "From MAIL FROM to the answer, the client's own pauses included.",
  ],
} as const;
type Family = keyof typeof HELP;

export class MilterMetrics {
  readonly #counts = new Map<string, number>();
  readonly #seconds = { in: newHistogram(), out: newHistogram() };

  record({ direction, action, signing, authentication, milliseconds, forgedResults }: MessageRecord): void {
    const way = direction.isOutgoing ? "out" : "in";
    this.add("zonepost_milter_messages_total", { direction: way, action: actionLabel(action) });
    for (const { keyType } of signing?.keys ?? [])
      this.add("zonepost_milter_signatures_total", { algorithm: keyType });
    if (signing?.unsignedBecause !== undefined)
      this.add("zonepost_milter_unsigned_total", { reason: signing.unsignedBecause });
    if (authentication !== undefined) {
      const { spf, dkim, arc, iprev, dmarc } = authentication;
      const count = (method: string, result: string) =>
        this.add("zonepost_milter_results_total", { method, result });
      count("spf", spf.result);
      for (const { result } of dkim) count("dkim", result);
      if (dkim.length === 0) count("dkim", "none");
      count("arc", arc.result);
      count("iprev", iprev.result);
      count("dmarc", dmarc.status === "evaluated" ? dmarc.outcome.result : "permerror");
    }
    if (forgedResults > 0) this.add("zonepost_milter_forged_results_total", {}, forgedResults);
    const seconds = milliseconds / 1_000;
    const histogram = this.#seconds[way];
    const bucket = BUCKETS.findIndex((bound) => seconds <= bound);
    histogram.buckets[bucket < 0 ? BUCKETS.length : bucket]! += 1;
    histogram.sum += seconds;
  }

  add(name: Family, labels: Readonly<Record<string, string>>, by = 1): void {
    const key = seriesKey(name, labels);
    this.#counts.set(key, (this.#counts.get(key) ?? 0) + by);
  }

  /** For what goes up and down. */
  set(name: Family, value: number): void {
    this.#counts.set(name, value);
  }

  counts(): MetricCounts {
    const counts = Object.fromEntries(this.#counts);
    for (const direction of ["in", "out"] as const) {
      const { buckets, sum } = this.#seconds[direction];
      let count = 0;
      for (const [at, inBucket] of buckets.entries()) {
        count += inBucket;
        const le = String(BUCKETS[at] ?? "+Inf");
        counts[seriesKey("zonepost_milter_message_seconds_bucket", { direction, le })] = count;
      }
      counts[seriesKey("zonepost_milter_message_seconds_sum", { direction })] = sum;
      counts[seriesKey("zonepost_milter_message_seconds_count", { direction })] = count;
    }
    return counts;
  }
}

interface Histogram {
  /** One more than there are bounds: the last is for what is above them all. */
  readonly buckets: number[];
  sum: number;
}

const newHistogram = (): Histogram => ({ buckets: Array(BUCKETS.length + 1).fill(0), sum: 0 });

const actionLabel = (action: MessageRecord["action"]): string =>
  action.kind !== "reply" ? action.kind : action.code < 500 ? "tempfail" : "reject";

function seriesKey(name: string, labels: Readonly<Record<string, string>>): string {
  const inner = Object.entries(labels)
    .map(([label, value]) => `${label}="${value}"`)
    .join(",");
  return inner === "" ? name : `${name}{${inner}}`;
}

function addCounts(all: readonly MetricCounts[]): MetricCounts {
  const sum: Record<string, number> = {};
  for (const counts of all)
    for (const [key, count] of Object.entries(counts)) sum[key] = (sum[key] ?? 0) + count;
  return sum;
}

/** The page for the counts of all processes. */
export function formatMetricsOf(all: readonly MetricCounts[], processes: number): string {
  const counts: MetricCounts = { ...addCounts(all), zonepost_milter_workers: processes };
  const lines: string[] = [];
  for (const [family, [type, help]] of Object.entries(HELP)) {
    const series = Object.entries(counts).filter(([key]) => familyOf(key) === family);
    if (series.length === 0) continue;
    lines.push(`# HELP ${family} ${help}`, `# TYPE ${family} ${type}`);
    for (const [key, count] of series) lines.push(`${key} ${count}`);
  }
  return `${lines.join("\n")}\n`;
}

const familyOf = (key: string): string => key.replace(/\{.*$/, "").replace(/_(?:bucket|sum|count)$/, "");
