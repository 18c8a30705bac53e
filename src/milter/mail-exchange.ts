/** What a proof needs of the world beside DNS: a way to send one mail, and a place where it arrives. net/ has both. */
import type { IpAddress } from "../standards/dns/address.ts";
import type { OctetText } from "../standards/message/header-field.ts";

export interface OutgoingMail {
  /** The reverse-path without angle brackets. */
  readonly mailFrom: string;
  readonly rcptTo: string;
  /** Lines end with CRLF; dots are not doubled. */
  readonly message: OctetText;
}

/** What was agreed on in TLS: "TLSv1.3", "TLS_AES_256_GCM_SHA384". */
export interface TlsAgreement {
  readonly version: string;
  readonly cipher: string;
}

export type MailSubmission =
  /** `tls` is undefined in the clear, and where a local program took the mail. */
  | { readonly status: "accepted"; readonly reply: string; readonly tls: TlsAgreement | undefined }
  /** The server is there, and will not have the mail, the user, or TLS. `detail` says where, and in whose words. */
  | { readonly status: "refused"; readonly detail: string; readonly step: SubmissionStep }
  /** It was not there, hung, or spoke something else: nothing can be told. */
  | { readonly status: "failed"; readonly detail: string };

export type SubmissionStep = "greeting" | "tls" | "login" | "sender" | "recipient" | "message";

/** Sends one mail; never rejects for what a server can do. */
export type SubmitMail = (mail: OutgoingMail) => Promise<MailSubmission>;

export interface SubmissionServer {
  /** A name, for which its certificate has to stand, or an address. */
  readonly host: string;
  readonly port: number;
  /** `implicit`: from the first octet (RFC 8314 §3.3). */
  readonly tls: "starttls" | "implicit";
  readonly login?: { readonly user: string; readonly password: { reveal(): string } };
  /** Authorities in PEM that count beside the public ones. */
  readonly authorities: readonly string[];
  /** Takes any certificate, and goes on without TLS where there is none. */
  readonly isTrustedBlindly: boolean;
}

export interface MailSinkSettings {
  readonly address: string;
  /** 0 takes a free one. */
  readonly port: number;
  /** What the server calls itself. */
  readonly hostName: string;
  /** The one address that mail is taken for. */
  readonly recipient: string;
  /** In PEM; without it the server offers no TLS. */
  readonly certificate?: { readonly chain: string; readonly key: string };
  readonly onMail: (mail: ReceivedMail) => void;
  /** Once a connection has ended, whatever came of it. */
  readonly onVisit: (visit: SinkVisit) => void;
}

export interface MailSink {
  readonly port: number;
  close(): Promise<void>;
}

/** Who connected. */
export interface SinkClient {
  readonly address: IpAddress;
  readonly port: number;
  /** As it was said last; undefined where neither HELO nor EHLO came. */
  readonly helo: string | undefined;
  /** Undefined in the clear. */
  readonly tls: TlsAgreement | undefined;
}

export interface ReceivedMail {
  readonly client: SinkClient & { readonly helo: string };
  /** The reverse-path without angle brackets; empty for bounces. */
  readonly mailFrom: string;
  readonly connectedAt: Date;
  readonly receivedAt: Date;
  /** As it was sent, the doubled dots taken out; the line that ends it is no part of it. */
  readonly octets: Uint8Array;
}

export interface SinkVisit {
  readonly client: SinkClient;
  readonly connectedAt: Date;
  /** How many mails were taken. */
  readonly mails: number;
  /** The first thing that was refused, or how it ended: for a person who waits for a mail. */
  readonly trouble: string | undefined;
}
