/** What is said of a signature that no longer holds. */

/** The words are for programs, and stay as they are. */
export type DiagnosisCause =
  // Of the body.
  | "body-empty-signed"
  | "body-text-added"
  | "body-wrapped"
  | "body-line-ends"
  | "body-blanks"
  | "body-empty-lines"
  | "body-long-lines"
  | "body-dots"
  | "body-from-lines"
  | "body-encoding"
  | "body-charset"
  | "body-canonicalization"
  | "body-links-rewritten"
  // Of the header.
  | "header-field-altered"
  | "header-field-added"
  | "header-field-removed"
  | "header-order"
  | "header-canonicalization"
  // Of the key and the signature itself.
  | "other-key"
  | "signature-damaged"
  | "other-hash"
  | "header-intact"
  | "not-found";

export interface DkimDiagnosis {
  readonly part: "body" | "header" | "key";
  readonly cause: DiagnosisCause;
  /**
   * `proven`: with the change undone, what was signed is there again. `likely`: signs of it are there. `none`: nothing
   * was found out.
   */
  readonly certainty: "proven" | "likely" | "none";
  /** One or two sentences. */
  readonly explanation: string;
  /** Quoted from the message, cut where long. */
  readonly evidence: readonly string[];
}

const MAX_QUOTED = 120;

/** A piece of the message, to be quoted. */
export function quoted(text: string): string {
  const line = text.replace(/\r\n(?=[ \t])/g, "").trim();
  const shown = line.length > MAX_QUOTED ? `${line.slice(0, MAX_QUOTED)}…` : line;
  return /[^\0-\x7f]/.test(shown) ? Buffer.from(shown, "latin1").toString("utf8") : shown;
}
