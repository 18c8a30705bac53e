/**
 * One SPF record out of several. Two records at one name are a permerror (RFC 7208 §4.5), so today none of
 * them protects or authorises anything; the merged one must not refuse what any of them let through.
 */
import {
  effectiveMechanisms,
  formatTerm,
  type Qualifier,
  type SpfRecord,
  type SpfTerm,
  termKey,
} from "./record.ts";

export interface SpfMerge {
  readonly record: SpfRecord;
  /** What was decided on the way and a person may want to decide otherwise, one sentence each. */
  readonly decisions: readonly string[];
}

/** From the weakest to the strongest; "+" is never carried over. */
const ENDINGS: readonly Qualifier[] = ["?", "~", "-"];

/**
 * The union of the records' terms, in their order, `wanted` ones first; exact copies once; `all` last.
 *
 * - An `all` among the wanted terms is the user's word and wins. Else the *weakest* of the records' endings
 *   stays: each record was written by someone who knew only a part of the senders, and the strict ending of
 *   one was never meant for the senders that only the other knew. A `+all` becomes `?all`.
 * - A `redirect` cannot live beside other terms' `all`; it becomes an include, unless it is all there is.
 * - Where nobody gave an ending, `~all`.
 */
export function mergeSpf(records: readonly SpfRecord[], wanted: readonly SpfTerm[] = []): SpfMerge {
  const decisions: string[] = [];
  const sources = [{ terms: wanted }, ...records];
  const mechanisms = sources.flatMap(({ terms }) => [
    ...effectiveMechanisms(terms).filter(({ kind }) => kind !== "all"),
    ...redirectsOf(terms),
  ]);
  const modifiers = sources.flatMap(({ terms }) =>
    terms.filter(({ kind }) => kind === "exp" || kind === "unknown"),
  );
  const union = withoutCopies(mechanisms);
  const only = union[0];
  const soleRedirect = union.length === 1 && only?.kind === "redirect" ? only : undefined;
  const terms = union.map((term): SpfTerm => {
    if (term.kind !== "redirect" || term === soleRedirect) return term;
    decisions.push(`${formatTerm(term)} became include:${term.domain.text}, which has the same senders`);
    return { kind: "include", qualifier: "+", domain: term.domain };
  });
  const ending = chooseEnding(records, wanted, decisions, soleRedirect !== undefined);
  return {
    record: { terms: [...withoutCopies(terms), ...ending, ...oneExplanation(modifiers, decisions)] },
    decisions,
  };
}

/** A redirect counts where no `all` of its own record turns it off. */
function redirectsOf(terms: readonly SpfTerm[]): SpfTerm[] {
  return terms.some(({ kind }) => kind === "all") ? [] : terms.filter(({ kind }) => kind === "redirect");
}

function withoutCopies(terms: readonly SpfTerm[]): SpfTerm[] {
  const keys = terms.map(termKey);
  return terms.filter((_, at) => keys.indexOf(keys[at]!) === at);
}

function chooseEnding(
  records: readonly SpfRecord[],
  wanted: readonly SpfTerm[],
  decisions: string[],
  redirected: boolean,
): SpfTerm[] {
  const chosen = wanted.find((term) => term.kind === "all");
  if (chosen !== undefined) return [chosen];
  const endings = records.flatMap(({ terms }) => {
    const all = terms.find((term) => term.kind === "all");
    return all?.kind === "all" ? [all.qualifier] : [];
  });
  if (endings.length === 0) {
    if (redirected) return [];
    decisions.push("no record had an ending; ~all was added");
    return [{ kind: "all", qualifier: "~" }];
  }
  if (endings.includes("+"))
    decisions.push("+all lets everyone send and was not carried over; it became ?all");
  const weakest = ENDINGS.find((q) => endings.includes(q) || (q === "?" && endings.includes("+"))) ?? "~";
  if (new Set(endings).size > 1)
    decisions.push(`of the different endings the weakest, ${weakest}all, was kept`);
  return [{ kind: "all", qualifier: weakest }];
}

/** Only one exp= may stand in a record (§6): the first. */
function oneExplanation(modifiers: readonly SpfTerm[], decisions: string[]): SpfTerm[] {
  const [first, ...others] = withoutCopies(modifiers).filter(({ kind }) => kind === "exp");
  for (const other of others) decisions.push(`${formatTerm(other)} was dropped; a record has one exp=`);
  return withoutCopies(modifiers).filter((term) => term.kind !== "exp" || term === first);
}
