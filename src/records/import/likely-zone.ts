/** Which zone a text is about, where nobody says. */
import { type DomainName, domainName, labelTexts, parseDomainName } from "../../standards/dns/name.ts";

/** `$ORIGIN`, else the registrable domain that most names in the text have. */
export function likelyZone(
  text: string,
  organizationalDomain: (name: DomainName) => DomainName | undefined,
): DomainName | undefined {
  const explicit = /^\s*\$ORIGIN\s+(\S+)/im.exec(text)?.[1];
  if (explicit !== undefined) {
    const parsed = parseDomainName(explicit);
    if (parsed.ok) return parsed.value;
  }
  const counts = new Map<DomainName, number>();
  for (const [word] of text.matchAll(/(?:[A-Za-z0-9_-]{1,63}\.){1,126}[A-Za-z][A-Za-z0-9-]{0,62}\.?/g)) {
    const name = parseDomainName(word);
    const domain =
      name.ok && !name.value.endsWith(".arpa")
        ? (organizationalDomain(name.value) ?? lastTwo(name.value))
        : undefined;
    if (domain !== undefined) counts.set(domain, (counts.get(domain) ?? 0) + 1);
  }
  return [...counts].sort(([, some], [, others]) => others - some)[0]?.[0];
}

function lastTwo(name: DomainName): DomainName | undefined {
  const labels = labelTexts(name);
  return labels.length >= 2 ? domainName(labels.slice(-2).join(".")) : undefined;
}
