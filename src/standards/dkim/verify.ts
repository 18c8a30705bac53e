/** Types only, for now. */
import type { DomainName } from "../dns/name.ts";
import type { HeaderField } from "../message/header-field.ts";
import type { DkimResult } from "./result.ts";
import type { DkimSelector } from "./selector.ts";

export interface DkimVerification {
  /** Never `none`: that is the result of a message without signatures. */
  readonly result: DkimResult;
  /** Undefined where the signature could not be read. */
  readonly signingDomain: DomainName | undefined;
  readonly dkimSelector: DkimSelector | undefined;
  /** i=, or "@" and d= where there is none. */
  readonly agentId: string | undefined;
  readonly algorithm: string | undefined;
  /** The first characters of b=, for header.b (RFC 6008). */
  readonly signatureStart: string | undefined;
  readonly field: HeaderField;
  /** Undefined for `pass`. A permanent word to switch on, and for logs. */
  readonly cause: string | undefined;
  /** In words; undefined for `pass`. */
  readonly problem: string | undefined;
}
