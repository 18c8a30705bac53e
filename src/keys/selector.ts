/** Names for new selectors: fixed words, or a date that tells keys apart. */
import { type DkimSelector, parseDkimSelector } from "../standards/dkim/selector.ts";
import type { Parsed } from "../standards/dns/parsed.ts";

/** A year and a month: one glance at the record tells how old the key is. */
export const DATED_SELECTOR = "{yyyy}{mm}";

/** Far more keys than one domain ever has. */
const MAX_TRIES = 1000;

/**
 * The selector of a template: `default`, `dkim`, `{yyyy}{mm}`, `mail-{yyyy}{mm}{dd}`; dates in UTC. Where it is taken,
 * with -2, -3 and so on: a selector is never used for a second key.
 */
export function selectorFromTemplate(
  template: string,
  now: Date,
  taken: (selector: DkimSelector) => boolean,
): Parsed<DkimSelector> {
  const [date] = now.toISOString().split("T");
  const [yyyy = "", mm = "", dd = ""] = date!.split("-");
  const fields: Readonly<Record<string, string>> = { yyyy, mm, dd };
  const unknown = [...template.matchAll(/\{([^}]*)\}?/g)].find(([whole, field]) => {
    return !whole.endsWith("}") || fields[field!] === undefined;
  });
  if (unknown !== undefined) {
    const problem = `the template "${template}" has ${unknown[0]}; it may have {yyyy}, {mm} and {dd}`;
    return { ok: false, problem };
  }
  const stem = parseDkimSelector(template.replace(/\{(\w+)\}/g, (_, field: string) => fields[field]!));
  if (!stem.ok || !taken(stem.value)) return stem;
  for (let count = 2; count <= MAX_TRIES; count++) {
    const next = parseDkimSelector(`${stem.value}-${count}`);
    if (!next.ok || !taken(next.value)) return next;
  }
  return { ok: false, problem: `"${stem.value}" and ${MAX_TRIES} more like it are taken` };
}
