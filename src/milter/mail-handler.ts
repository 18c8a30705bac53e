/**
 * What a milter does with mail, free of packets and sockets: a session calls these, in this order, for every message
 * of a connection. `session.ts` speaks the protocol; signing and authentication stand behind this interface.
 */
import type { HeaderField, OctetText } from "../standards/message/header-field.ts";

/** One for each connection of the MTA, which is one SMTP client or one submission by the local `sendmail`. */
export interface ConnectionHandler {
  /** A new message begins with MAIL FROM. */
  begin(envelope: MailEnvelope): MessageHandler;
}

export interface MilterConnection {
  /** The client's host name as the MTA found it, or an address in brackets. */
  readonly hostName: string;
  /** The address as the MTA wrote it, such as "192.0.2.1", "2001:db8::1"; undefined for local submission and unix sockets. */
  readonly address: string | undefined;
  readonly port: number | undefined;
  /** By name, without braces: "j", "daemon_name", "client_addr". Those of connect. */
  readonly macros: ReadonlyMap<string, string>;
}

export interface MailEnvelope {
  /** Empty where the client said neither HELO nor EHLO. */
  readonly helo: string;
  /** The reverse-path without angle brackets; empty for bounces. */
  readonly mailFrom: string;
  /** Known so far: of connect, HELO and MAIL. The map grows as the message goes on; `end` gets the same one. */
  readonly macros: ReadonlyMap<string, string>;
}

export interface MessageHandler {
  recipient?(address: string): void;
  /** Folds are CRLF, as they are on the wire of SMTP, though MTAs say LF here. */
  header(field: HeaderField): void;
  /** `skip`: the body is of no interest. `defer`: reading pauses until the promise is settled. */
  endOfHeaders(): BodyInterest | Promise<BodyInterest>;
  /** The chunk belongs to the caller and changes after the call. `skip`: no more of it is needed. */
  body(chunk: Uint8Array): BodyInterest;
  /** The message is complete. `macros` are all that are known now, the queue id (`i`) among them. */
  end(macros: ReadonlyMap<string, string>): MailOutcome | Promise<MailOutcome>;
  /** The message came to nothing: the client went away, another milter refused it, or an answer took too long. */
  abort(): void;
}

export type BodyInterest = "continue" | "skip";

export interface MailOutcome {
  readonly action: MailAction;
  /** Carried out before the action: removals first, then insertions. Only mail that is accepted or held is changed. */
  readonly changes: readonly HeaderChange[];
}

export type MailAction =
  | { readonly kind: "accept" }
  | { readonly kind: "discard" }
  /** The MTA puts the message on hold. */
  | { readonly kind: "quarantine"; readonly reason: string }
  /** `code` such as 550 with `status` such as "5.7.20" (RFC 7372); 4xx tells the client to come again. */
  | {
      readonly kind: "reply";
      readonly code: number;
      readonly status: string;
      readonly text: string;
    };

export type HeaderChange =
  /**
   * `index` 0 is the top of the header, the MTA's own Received field included. It counts the fields without those that
   * are removed or inserted; several at one index come out in the order given here. `value` has its own leading blank;
   * folds are CRLF and a blank.
   */
  | {
      readonly kind: "insert";
      readonly index: number;
      readonly name: string;
      readonly value: OctetText;
    }
  /** `occurrence` counts the fields of that name from 1, as they stood before any change. */
  | {
      readonly kind: "remove";
      readonly name: string;
      readonly occurrence: number;
    };
