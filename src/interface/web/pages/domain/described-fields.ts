/** Of a domain's description what the form shows, and how what is changed there comes back into it. */
import type { Content } from "../../parts/described-form.tsx";

export const POLICIES = ["none", "quarantine", "reject"] as const;
export const MODES = ["off", "testing", "enforce"] as const;

export interface DescribedFields {
  readonly receives: boolean;
  readonly sends: boolean;
  readonly policy: (typeof POLICIES)[number];
  /** With blanks between them. */
  readonly reports: string;
  readonly mode: (typeof MODES)[number];
  readonly tlsReports: string;
}

/** The entries that the form shows, in whole or in part. */
export const SHOWN_KEYS: readonly string[] = ["domain", "receives", "sends", "dmarc", "mtaSts", "tlsReports"];

const entriesOf = (value: unknown): Content =>
  typeof value === "object" && value !== null && !Array.isArray(value) ? (value as Content) : {};
const listed = (value: unknown): string =>
  (Array.isArray(value) ? value : value === undefined ? [] : [value]).map(String).join(" ");
const listOf = (text: string): string[] => text.split(/[\s,]+/).filter((each) => each !== "");

export function fieldsOf(content: Content, domain: string): DescribedFields {
  const dmarc = entriesOf(content["dmarc"]);
  const { mode = "testing" } = entriesOf(content["mtaSts"]);
  const receives = content["receives"] !== false;
  const sends = content["sends"] !== false;
  return {
    receives,
    sends,
    policy: POLICIES.find((each) => each === dmarc["policy"]) ?? "none",
    // What is asked for where nothing is said.
    reports:
      dmarc["reports"] === undefined && receives && sends ? `dmarc@${domain}` : listed(dmarc["reports"]),
    mode: content["mtaSts"] === undefined ? "off" : (MODES.find((each) => each === mode) ?? "off"),
    tlsReports: listed(content["tlsReports"]),
  };
}

/** What the form leaves as it was stays as it was written, and so does all that it does not show. */
export function contentWith(content: Content, fields: DescribedFields, domain: string): Content {
  const before = fieldsOf(content, domain);
  const isChanged = (name: keyof DescribedFields) => fields[name] !== before[name];
  const next: Record<string, unknown> = { ...content };
  for (const name of ["receives", "sends"] as const) {
    if (!isChanged(name)) continue;
    if (fields[name]) delete next[name];
    else next[name] = false;
  }
  if (isChanged("policy") || isChanged("reports"))
    next["dmarc"] = {
      ...entriesOf(content["dmarc"]),
      ...(isChanged("policy") && { policy: fields.policy }),
      ...(isChanged("reports") && { reports: listOf(fields.reports) }),
    };
  // A policy that senders have kept is taken back by one that asks for nothing, not by taking it away.
  if (isChanged("mode"))
    next["mtaSts"] = {
      ...entriesOf(content["mtaSts"]),
      mode: fields.mode === "off" ? "none" : fields.mode,
    };
  // Nobody sends to it any more: there is nothing to be told, and the description may not have it.
  if (!fields.receives && fields.mode === "off") delete next["mtaSts"];
  if (isChanged("tlsReports")) {
    const list = listOf(fields.tlsReports);
    if (list.length === 0) delete next["tlsReports"];
    else next["tlsReports"] = list;
  }
  return next;
}
