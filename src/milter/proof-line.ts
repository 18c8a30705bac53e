/** One line of what a proof found. */

/** How much a line matters; `unknown` is "could not tell". */
export type ProofSeverity = "ok" | "notice" | "warning" | "error" | "unknown";

export type ProofSubject =
  | "submission"
  | "delivery"
  | "ptr"
  | "helo"
  | "spf"
  | "dkim"
  | "dmarc"
  | "tls"
  | "arc"
  | "envelope"
  | "received"
  | "header"
  | "body";

export interface ProofLine {
  readonly subject: ProofSubject;
  readonly severity: ProofSeverity;
  /** The word of the result: "pass", "softfail", "TLSv1.3", "could not tell". */
  readonly result: string;
  /** One or two plain sentences. */
  readonly reason: string;
  /** What to do; null where nothing is to be done. */
  readonly advice: string | null;
  /** Commands that do it, one a line, to be copied as they are. */
  readonly commands?: readonly string[];
  /** "RFC 7208 §2.6" */
  readonly reference: string;
}
