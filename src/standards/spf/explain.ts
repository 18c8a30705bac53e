/** An SPF record in plain words. */
import type { ExplainedTerm, Explanation } from "../dns/remark.ts";
import type { MacroString } from "./macro.ts";
import {
  isSpfRecord,
  lookupCost,
  type PlacedTerm,
  type Qualifier,
  readTerms,
  type SpfTerm,
  type SyntaxFault,
} from "./record.ts";
import { remarksOnSpfText } from "./remarks.ts";

export function explainSpf(text: string): Explanation {
  const title = "SPF record (RFC 7208)";
  const remarks = remarksOnSpfText(text);
  if (!isSpfRecord(text)) return { title, terms: [], remarks };
  const { terms, faults } = readTerms(text);
  const explained = [...terms, ...faults]
    .toSorted((one, other) => one.offset - other.offset)
    .map(explainTerm);
  const version = { text: text.slice(0, 6), meaning: "This TXT record is an SPF record." };
  return { title, terms: [version, ...explained], remarks };
}

function explainTerm(term: PlacedTerm | SyntaxFault): ExplainedTerm {
  if (!("kind" in term)) return { text: term.text, meaning: `Not valid: ${term.problem}.` };
  const cost = lookupCost(term);
  const price = cost === 0 ? "Costs no lookup." : cost === 1 ? "Costs one lookup." : `Costs ${cost} lookups.`;
  return { text: term.text, meaning: `${meaningOf(term)} ${price}` };
}

function meaningOf(term: SpfTerm): string {
  switch (term.kind) {
    case "all":
      return `Any other sender ${VERDICT[term.qualifier]}.`;
    case "ip4":
    case "ip6": {
      const { address, prefixLength } = term.network;
      const single = prefixLength === (address.family === 4 ? 32 : 128);
      const senders = single ? `The address ${address.text}` : `Addresses in ${address.text}/${prefixLength}`;
      return `${senders} ${VERDICT[term.qualifier]}.`;
    }
    case "a":
      return `Hosts at the addresses (A and AAAA) of ${nameOf(term.domain)}${widened(term)} ${VERDICT[term.qualifier]}.`;
    case "mx":
      return `The mail servers (MX) of ${nameOf(term.domain)}, by their IPv4 and IPv6 addresses${widened(term)}, ${VERDICT[term.qualifier]}.`;
    case "ptr":
      return `Hosts whose reverse name lies in ${nameOf(term.domain)} ${VERDICT[term.qualifier]}; ptr should not be used.`;
    case "include":
      return `Whoever passes the SPF record of ${nameOf(term.domain)} ${VERDICT[term.qualifier]}; its own ending does not count.`;
    case "exists":
      return `If the name ${nameOf(term.domain)} has an A record, the sender ${VERDICT[term.qualifier]}.`;
    case "redirect":
      return `If nothing matched, the SPF record of ${nameOf(term.domain)} decides in place of this one.`;
    case "exp":
      return `Refused senders are told the text found at ${nameOf(term.domain)}.`;
    case "unknown":
      return `Receivers ignore the unknown modifier "${term.name}".`;
    default:
      return term satisfies never;
  }
}

const VERDICT: Readonly<Record<Qualifier, string>> = {
  "+": "may send (pass)",
  "-": "may not send (fail)",
  "~": "probably may not send (softfail)",
  "?": "may or may not send (neutral)",
};

function nameOf(spec: MacroString | undefined): string {
  if (spec === undefined) return "this domain";
  return spec.parts.some(({ kind }) => kind === "macro")
    ? `${spec.text} (filled in for each message)`
    : spec.text.replace(/\.$/, "");
}

function widened({ prefixLength4, prefixLength6 }: { prefixLength4: number; prefixLength6: number }): string {
  const lengths = [
    ...(prefixLength4 === 32 ? [] : [`/${prefixLength4} for IPv4`]),
    ...(prefixLength6 === 128 ? [] : [`/${prefixLength6} for IPv6`]),
  ];
  return lengths.length === 0 ? "" : ` and their networks (${lengths.join(", ")})`;
}
