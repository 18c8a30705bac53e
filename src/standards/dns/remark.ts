/**
 * What a parser has to say about a text record beyond its value: faults that receivers punish, and habits
 * that work but should go. `check/` turns remarks into findings; `zonepost explain` prints them as they are.
 */
export interface Remark {
  /** Permanent, kebab-case, the same as the finding's: "spf-too-many-lookups". */
  readonly code: string;
  /** `error` receivers fail on it · `warning` some do, or mail is at risk · `notice` harmless today. */
  readonly severity: "error" | "warning" | "notice";
  /** One plain sentence: what is wrong and what it does to mail. */
  readonly message: string;
  /** "RFC 7208 §4.6.4" */
  readonly reference: string;
  /** Where in the record's text, counted from 0, for a caret under the place. */
  readonly offset?: number;
  /** How many characters the caret spans; 1 where absent. */
  readonly length?: number;
}

/** A record put into words, term by term, in the order of the text. */
export interface Explanation {
  /** What kind of record it is: "SPF record (RFC 7208)". */
  readonly title: string;
  readonly terms: readonly ExplainedTerm[];
  readonly remarks: readonly Remark[];
}

export interface ExplainedTerm {
  /** The term as it stands in the record. */
  readonly text: string;
  /** What it means, in one plain sentence. */
  readonly meaning: string;
}
