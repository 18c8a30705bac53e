/** What is wrong, risky or superfluous in an SPF record: in its text alone, and in all it leads to. */
import { contains, type IpAddress, type IpNetwork, specialPurpose } from "../dns/address.ts";
import type { Remark } from "../dns/remark.ts";
import { SPF_LIMITS } from "./evaluate.ts";
import { macroLetters } from "./macro.ts";
import { remedyFor, versionMistake } from "./mistakes.ts";
import {
  type AddressMechanism,
  domainOf,
  effectiveMechanisms,
  effectiveRedirect,
  isMechanism,
  isSpfRecord,
  lookupCost,
  type PlacedTerm,
  parseTerm,
  reachableTerms,
  readTerms,
  type SyntaxFault,
  termKey,
} from "./record.ts";
import { type DeadEnd, type RecordNode, recordsOf, type SpfTree, type TreeTerm } from "./tree.ts";

/** RFC 7208 §3.4: name and texts under 450 octets ought to fit into a UDP answer. */
const ADVISED_OCTETS = 450;

/** Whether a TXT text means to be an SPF record, rightly written or not. */
export function looksLikeSpf(text: string): boolean {
  return isSpfRecord(text) || versionMistake(text) !== undefined;
}

/** What the text alone shows. */
export function remarksOnSpfText(text: string): Remark[] {
  if (!isSpfRecord(text)) {
    const message = `receivers do not see an SPF record here: ${versionMistake(text) ?? "the text must begin with v=spf1 and a space"}`;
    return [{ code: "spf-version", severity: "error", message, reference: "RFC 7208 §4.5", offset: 0 }];
  }
  const { terms, faults } = readTerms(text);
  return [
    ...faults.map(faultRemark),
    ...endRemarks(terms, text),
    ...terms.flatMap(termRemarks),
    ...duplicateRemarks(terms),
    ...sizeRemarks(text),
    ...costRemarks(reachableTerms(terms).reduce((cost, term) => cost + lookupCost(term), 0)),
  ];
}

function faultRemark(fault: SyntaxFault): Remark {
  const place = {
    offset: fault.faultOffset,
    length: fault.offset + fault.text.length - fault.faultOffset || 1,
  };
  if (parseTerm(fault.text).ok) {
    const message = `${fault.problem}; a second one makes every check a permerror`;
    return { code: "spf-duplicate-modifier", severity: "error", message, reference: "RFC 7208 §6", ...place };
  }
  const remedy = remedyFor(fault.text);
  return {
    code: "spf-syntax",
    severity: "error",
    message: `"${fault.text}" breaks the whole record (permerror): ${fault.problem}${remedy === undefined ? "" : `; ${remedy}`}`,
    reference: "RFC 7208 §4.6",
    ...place,
  };
}

function remark(
  code: string,
  severity: Remark["severity"],
  section: string,
  term: PlacedTerm | undefined,
  message: string,
): Remark {
  const plain = { code, severity, message, reference: `RFC 7208 §${section}` };
  return term === undefined ? plain : { ...plain, offset: term.offset, length: term.text.length };
}

/** How the record ends, and what stands behind its end. */
function endRemarks(terms: readonly PlacedTerm[], text: string): Remark[] {
  const all = terms.find((term) => term.kind === "all");
  if (all?.kind !== "all") {
    if (effectiveRedirect(terms) !== undefined) return [];
    const message =
      "the record ends without all or redirect, so everyone else's mail is neutral; add ~all or -all";
    return [{ ...remark("spf-no-all", "warning", "4.7", undefined, message), offset: text.trimEnd().length }];
  }
  const remarks: Remark[] = [];
  if (all.qualifier === "+") {
    const bare = all.text.startsWith("+") ? "" : ` (all without a sign is +all)`;
    const message = `${all.text} lets the whole internet send as this domain${bare}; write ~all or -all`;
    remarks.push(remark("spf-pass-all", "error", "5.1", all, message));
  }
  if (all.qualifier === "?") {
    const message =
      "?all says nothing about mail from elsewhere, as if there were no record; write ~all or -all";
    remarks.push(remark("spf-neutral-all", "warning", "5.1", all, message));
  }
  for (const term of terms) {
    if (term.kind === "redirect") {
      const message = "redirect is ignored because the record has an all";
      remarks.push(remark("spf-redirect-ignored", "warning", "6.1", term, message));
    } else if (isMechanism(term) && term.offset > all.offset) {
      const message = `${term.text} stands behind ${all.text} and is ignored; all must be the last mechanism`;
      remarks.push(remark("spf-term-after-all", "warning", "5.1", term, message));
    }
  }
  return remarks;
}

const MECHANISM_NAMES = /^(?:all|include|a|mx|ptr|ip4|ip6|ip|ipv4|ipv6|exists)$/i;

function termRemarks(term: PlacedTerm): Remark[] {
  const remarks: Remark[] = [];
  if (term.kind === "ptr") {
    const message =
      "ptr is slow, unreliable and ignored by some receivers; name the addresses with ip4, ip6 or a";
    remarks.push(remark("spf-ptr", "warning", "5.5", term, message));
  }
  const spec = domainOf(term);
  if (spec !== undefined && macroLetters(spec).has("p")) {
    const message = "the macro %{p} works like ptr, slowly and unreliably, and should not be published";
    remarks.push(remark("spf-macro-p", "warning", "7.3", term, message));
  }
  if (spec !== undefined && /[-+]all$/i.test(spec.text) && spec.parts.at(-1)?.kind === "literal") {
    const message = `this asks for the name "${spec.text}": a space is missing in front of its last four characters`;
    remarks.push(remark("spf-missing-space", "warning", "4.6.1", term, message));
  }
  if (spec?.text.includes("@")) {
    const message = `"${spec.text}" looks like a mail address; SPF wants a domain name here`;
    remarks.push(remark("spf-mail-address", "warning", "4.8", term, message));
  }
  if (term.kind === "unknown" && /^v$/i.test(term.name)) {
    const message = `${term.text} stands inside the record: another record was pasted into this one; keep one v=spf1, and one all at the end`;
    remarks.push(remark("spf-second-version", "error", "4.5", term, message));
  } else if (term.kind === "unknown") {
    const message = MECHANISM_NAMES.test(term.name)
      ? `receivers ignore ${term.text} as an unknown modifier; a mechanism is written "${term.name}:"`
      : `receivers ignore the unknown modifier ${term.name}=`;
    const severity = MECHANISM_NAMES.test(term.name) ? "error" : "notice";
    remarks.push(remark("spf-unknown-modifier", severity, "6", term, message));
  }
  if (isNetwork(term)) remarks.push(...networkRemarks(term));
  return remarks;
}

/** Shorter prefixes than any mail sender needs: 16 million IPv4 addresses, or a registry's whole IPv6 block. */
const WIDE = { ip4: 8, ip6: 16 } as const;

function networkRemarks(term: PlacedTerm & AddressMechanism): Remark[] {
  const { address, prefixLength } = term.network;
  const authorises = term.qualifier === "+";
  if (prefixLength <= WIDE[term.kind] && authorises) {
    const message = `${term.text} lets a large part of the internet send as this domain`;
    const severity = prefixLength <= 1 ? "error" : "warning";
    return [remark("spf-wide-network", severity, "5.6", term, message)];
  }
  const special = specialPurpose(address);
  // Documentation addresses are not told here: where they were left in by mistake, the address records show it.
  if (special === undefined || special.kind === "documentation") return [];
  const message = `${address.text} is ${special.description}; receivers never see mail from it`;
  return [remark("spf-special-address", "notice", "5.6", term, message)];
}

function duplicateRemarks(terms: readonly PlacedTerm[]): Remark[] {
  const seen = new Map<string, PlacedTerm>();
  const networks: (PlacedTerm & AddressMechanism)[] = [];
  return effectiveMechanisms(terms).flatMap((term) => {
    // The same test, whatever the sign: the first one decides.
    const key = termKey({ ...term, qualifier: "+" });
    const twin = seen.get(key);
    if (twin !== undefined) {
      const cost = lookupCost(term) === 0 ? "" : " and costs a lookup again";
      const message = `${term.text} was tested before as ${twin.text}; the second never matters${cost}`;
      return [remark("spf-duplicate-term", "notice", "4.6.2", term, message)];
    }
    seen.set(key, term);
    if (!isNetwork(term)) return [];
    const wider = networks.find((earlier) => covers(earlier.network, term.network));
    networks.push(term);
    if (wider === undefined) return [];
    const message = `${term.text} lies within ${wider.text} and is redundant`;
    return [remark("spf-redundant-network", "notice", "5.6", term, message)];
  });
}

function isNetwork<T extends { readonly kind: string }>(
  term: T,
): term is Extract<T, { kind: "ip4" | "ip6" }> {
  return term.kind === "ip4" || term.kind === "ip6";
}

function covers(wide: IpNetwork, narrow: IpNetwork): boolean {
  return wide.prefixLength <= narrow.prefixLength && contains(wide, narrow.address);
}

function sizeRemarks(text: string): Remark[] {
  if (text.length <= ADVISED_OCTETS) return [];
  const message = `the record has ${text.length} octets; beyond ${ADVISED_OCTETS} the answer may not fit into one UDP packet`;
  return [remark("spf-size", "warning", "3.4", undefined, message)];
}

function costRemarks(cost: number, atLeast = ""): Remark[] {
  const { lookupTerms: limit } = SPF_LIMITS;
  if (cost > limit) {
    const message = `checking this record takes ${atLeast}${cost} DNS lookup terms; more than ${limit} are a permerror`;
    return [remark("spf-too-many-lookups", "error", "4.6.4", undefined, message)];
  }
  if (cost < limit - 1) return [];
  const message = `checking this record takes ${cost} of the ${limit} DNS lookup terms allowed; any new include may break it`;
  return [remark("spf-lookup-headroom", "notice", "4.6.4", undefined, message)];
}

/** What the record and all it leads to show; for a record, the remarks on its text are among them. */
export function remarksOnSpfTree(tree: SpfTree): Remark[] {
  const { root } = tree;
  if (root.state !== "record") return rootRemarks(root);
  const onCost = new Set(["spf-too-many-lookups", "spf-lookup-headroom"]);
  const ofTree = [
    ...costRemarks(tree.lookupTerms, tree.complete ? "" : "at least "),
    ...voidRemarks(tree),
    ...Array.from(recordsOf(root)).flatMap((node) => nodeRemarks(node, node === root)),
    ...redundantHosts(root).map((term) => redundantRemark(term.term)),
  ];
  return [...remarksOnSpfText(root.text).filter(({ code }) => !onCost.has(code)), ...ofTree];
}

function rootRemarks(root: DeadEnd): Remark[] {
  switch (root.state) {
    case "absent": {
      const message = `${root.domain} has no SPF record`;
      return [remark("spf-missing", "error", "3.1", undefined, message)];
    }
    case "several": {
      const message = `${root.domain} has ${root.texts.length} SPF records, which is a permerror; merge them into one`;
      return [remark("spf-several-records", "error", "4.5", undefined, message)];
    }
    case "broken":
      return remarksOnSpfText(root.text);
    case "unknown":
    case "loop":
    case "not-followed":
      // Nothing is known, which is for the caller to say; a root cannot loop.
      return [];
    default:
      return root satisfies never;
  }
}

function voidRemarks({ voidLookups, root }: SpfTree): Remark[] {
  const limit = SPF_LIMITS.voidLookups;
  const names = voidLookups.map(({ name, term, domain }) => `${name} (${term.text} in ${domain})`).join(", ");
  if (voidLookups.length > limit) {
    const message = `${voidLookups.length} lookups find nothing, and more than ${limit} are a permerror: ${names}`;
    return [remark("spf-void-lookups", "error", "4.6.4", undefined, message)];
  }
  const remarks: Remark[] = [];
  if (voidLookups.length > 0) {
    const message = `lookups that find nothing should go; the third is a permerror: ${names}`;
    remarks.push(remark("spf-void-lookup", "warning", "4.6.4", undefined, message));
  }
  const hosts = Array.from(recordsOf(root)).flatMap(({ terms }) =>
    terms.filter(({ found }) => found?.isVoidForIpv6),
  );
  if (hosts.length > limit) {
    const listed = hosts.map(({ term, target }) => `${target} (${term.text})`).join(", ");
    const message = `a sender with an IPv6 address meets ${hosts.length} names without AAAA, and more than ${limit} are a permerror: ${listed}`;
    remarks.push(remark("spf-void-lookups-ipv6", "warning", "4.6.4", undefined, message));
  }
  return remarks;
}

function nodeRemarks(node: RecordNode, isRoot: boolean): Remark[] {
  return node.terms.flatMap(({ term, ignored, node: below, found, target, dependsOnMessage }) => {
    const at = isRoot ? term : undefined;
    const where = isRoot ? term.text : `${term.text} in ${node.domain}`;
    const remarks: Remark[] = [];
    if (found !== undefined && found.mxRecords > SPF_LIMITS.mxNames) {
      const message = `${where}: ${target} has ${found.mxRecords} MX records; more than ${SPF_LIMITS.mxNames} are a permerror`;
      remarks.push(remark("spf-too-many-mx", "error", "4.6.4", at, message));
    }
    if (lookupCost(term) > 0 && !ignored && target === undefined && !dependsOnMessage) {
      const follows = term.kind === "include" || term.kind === "redirect";
      const message = `${where} leads to no valid name ${follows ? "and is a permerror" : "and never matches, or is a permerror"}`;
      remarks.push(remark("spf-invalid-name", "error", "4.8", at, message));
    }
    if (below !== undefined && below.state !== "record") {
      remarks.push(...deadEndRemarks(below, where, at, term.kind === "include" ? "5.2" : "6.1"));
    }
    return remarks;
  });
}

function deadEndRemarks(end: DeadEnd, where: string, at: PlacedTerm | undefined, section: string): Remark[] {
  switch (end.state) {
    case "absent": {
      const message = `${where}: ${end.domain} has no SPF record, which is a permerror`;
      return [remark("spf-include-without-record", "error", section, at, message)];
    }
    case "several": {
      const message = `${where}: ${end.domain} has ${end.texts.length} SPF records, which is a permerror`;
      return [remark("spf-include-several-records", "error", "4.5", at, message)];
    }
    case "broken": {
      const message = `${where}: the SPF record of ${end.domain} is broken: ${end.problem}`;
      return [remark("spf-include-broken", "error", "4.6", at, message)];
    }
    case "loop": {
      const message = `${where} leads in a circle, which is a permerror: ${[...end.via, end.domain].join(" → ")}`;
      return [remark("spf-loop", "error", "4.6.4", at, message)];
    }
    case "not-followed": {
      const message = `${where} was not followed: the tree is deeper or wider than any receiver goes`;
      return [remark("spf-tree-too-large", "warning", "4.6.4", at, message)];
    }
    case "unknown":
      return [];
    default:
      return end satisfies never;
  }
}

/** Each term is compared with each; records with more terms have other troubles. */
const MAX_COMPARED_TERMS = 100;

/**
 * The `a` and `mx` terms that a record can do without: all their addresses are covered by the terms that
 * stay. `a` goes before `mx`, since an MX follows the servers when they move. Only where every mechanism in
 * front of `all` says "pass", so that the order of the terms cannot matter.
 */
export function redundantHosts(node: RecordNode): TreeTerm[] {
  const live = node.terms.filter(({ term, ignored }) => !ignored && isMechanism(term) && term.kind !== "all");
  if (live.length > MAX_COMPARED_TERMS) return [];
  if (live.some(({ term }) => !isMechanism(term) || term.qualifier !== "+")) return [];
  const redundant = new Set<TreeTerm>();
  for (const kind of ["a", "mx"]) {
    for (const candidate of live.filter(({ term }) => term.kind === kind)) {
      const { found, term } = candidate;
      if (found === undefined || found.addresses.length === 0 || found.unknown.length > 0) continue;
      const others = live.filter((other) => other !== candidate && !redundant.has(other));
      const isCovered = (address: IpAddress) => {
        const whole = { address, prefixLength: prefixLengthOf(term, address) };
        return others.some((other) => networksOf(other).some((network) => covers(network, whole)));
      };
      if (found.addresses.every(isCovered)) redundant.add(candidate);
    }
  }
  return [...redundant];
}

function networksOf({ term, found }: TreeTerm): IpNetwork[] {
  if (isNetwork(term)) return [term.network];
  if (term.kind !== "a" && term.kind !== "mx") return [];
  return (found?.addresses ?? []).map((address) => ({
    address,
    prefixLength: prefixLengthOf(term, address),
  }));
}

function prefixLengthOf(term: PlacedTerm, { family }: IpAddress): number {
  if (term.kind !== "a" && term.kind !== "mx") return family === 4 ? 32 : 128;
  return family === 4 ? term.prefixLength4 : term.prefixLength6;
}

function redundantRemark(term: PlacedTerm): Remark {
  const message = `${term.text} is redundant today: other terms name all its addresses; it costs a lookup`;
  return remark("spf-redundant-term", "notice", "4.6.4", term, message);
}
