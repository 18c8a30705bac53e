/** How much a finding matters. `unknown` is "could not tell": a lookup failed, so nothing is said of what is published. */
export type Severity = "error" | "warning" | "notice" | "ok" | "unknown";

/** Worst first, as reports are sorted. */
export const SEVERITIES: readonly Severity[] = ["error", "unknown", "warning", "notice", "ok"];
