/** Which of many described domains a zone has to do with: the records of one zone need the others only rarely. */
import { reportDomain } from "../standards/dmarc/record.ts";
import { type DomainName, isWithin, parseDomainName } from "../standards/dns/name.ts";
import type { MailDomain } from "./description.ts";

/**
 * Whether a domain may put records into a zone, or change what others put there: it lies there, holds it, or names
 * something in it (an MX, a receiver of reports, the zone of its delegation). `derive` of these domains and of those
 * above the names that they name gives the zone the same records as `derive` of all.
 */
export const concerns = (domain: MailDomain, zone: DomainName): boolean =>
  isAround(domain.domain, zone) || [...namesIn(domain)].some((name) => isAround(name, zone));

export const isAround = (name: DomainName, zone: DomainName): boolean =>
  isWithin(name, zone) || isWithin(zone, name);

/** A domain of which no more is said names nothing but itself. */
export const namesOthers = (content: Readonly<Record<string, unknown>>): boolean =>
  Object.keys(content).some((key) => !NAMES_NOTHING.has(key));

const NAMES_NOTHING: ReadonlySet<string> = new Set(["domain", "receives", "sends", "dkim", "ttl"]);

/** Every name of at least two labels that is said of a domain, its own among them. */
export function namesIn(domain: MailDomain): ReadonlySet<DomainName> {
  const names = new Set<DomainName>();
  const walk = (value: unknown): void => {
    if (typeof value === "string") for (const name of namesInText(value)) names.add(name);
    else if (typeof value === "object" && value !== null) Object.values(value).forEach(walk);
  };
  walk(domain);
  return names;
}

function* namesInText(text: string): Iterable<DomainName> {
  const receiver = reportDomain(text);
  if (receiver !== undefined) yield receiver;
  for (const [word] of text.matchAll(/[\w-]+(?:\.[\w-]+)+/g)) {
    const name = parseDomainName(word);
    if (name.ok) yield name.value;
  }
}
