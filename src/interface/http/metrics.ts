/** Numbers for Prometheus. No name of a domain or a person stands in them. */

const BUCKETS = [0.005, 0.02, 0.05, 0.1, 0.5, 2, 10];

interface Timing {
  readonly buckets: number[];
  sum: number;
  count: number;
}

export class ServerMetrics {
  readonly #answers = new Map<string, number>();
  readonly #timings = new Map<string, Timing>();
  readonly #logins = { in: 0, wrong: 0, wait: 0 };

  /** `path` is the route's pattern: what is asked for must not make new series. */
  answered(method: string, path: string, status: number, seconds: number): void {
    const key = `method="${method}",route="${path}",status="${status}"`;
    this.#answers.set(key, (this.#answers.get(key) ?? 0) + 1);
    const timing = this.#timings.get(path) ?? { buckets: BUCKETS.map(() => 0), sum: 0, count: 0 };
    for (const [at, bound] of BUCKETS.entries()) if (seconds <= bound) timing.buckets[at]! += 1;
    timing.sum += seconds;
    timing.count += 1;
    this.#timings.set(path, timing);
  }

  login(outcome: "in" | "wrong" | "wait"): void {
    this.#logins[outcome] += 1;
  }

  format(gauges: Readonly<Record<string, number>>): string {
    const lines = [
      "# HELP zonepost_http_answers_total Answers given.",
      "# TYPE zonepost_http_answers_total counter",
      ...[...this.#answers].map(([labels, count]) => `zonepost_http_answers_total{${labels}} ${count}`),
      "# HELP zonepost_http_seconds How long answers took.",
      "# TYPE zonepost_http_seconds histogram",
      ...[...this.#timings].flatMap(([path, { buckets, sum, count }]) => [
        ...buckets.map(
          (value, at) => `zonepost_http_seconds_bucket{route="${path}",le="${BUCKETS[at]}"} ${value}`,
        ),
        `zonepost_http_seconds_bucket{route="${path}",le="+Inf"} ${count}`,
        `zonepost_http_seconds_sum{route="${path}"} ${sum.toFixed(6)}`,
        `zonepost_http_seconds_count{route="${path}"} ${count}`,
      ]),
      "# HELP zonepost_logins_total Logins by outcome.",
      "# TYPE zonepost_logins_total counter",
      ...Object.entries(this.#logins).map(
        ([outcome, count]) => `zonepost_logins_total{outcome="${outcome}"} ${count}`,
      ),
      ...Object.entries(gauges).flatMap(([name, value]) => [
        `# TYPE zonepost_${name} gauge`,
        `zonepost_${name} ${value}`,
      ]),
    ];
    return `${lines.join("\n")}\n`;
  }
}
