/**
 * What a check needs to see of servers beyond DNS, as interfaces: net/ opens real sockets, tests have tables.
 *
 * Whom it is decent to connect to is decided here in check/; a prober connects to the address that it is given and
 * looks up no name, so what was checked is what is asked (no rebinding). It sends no mail and follows no redirect. Each
 * probe has a bound of time and octets, and none throws: what goes wrong outside is an outcome.
 */
import type { IpAddress } from "../standards/dns/address.ts";
import type { DomainName } from "../standards/dns/name.ts";

export type Protocol =
  | "smtp"
  | "submission"
  | "submissions"
  | "imap"
  | "imaps"
  | "pop3"
  | "pop3s"
  | "sieve"
  | "xmpp-client"
  | "xmpp-server"
  | "xmpps-client"
  | "xmpps-server";

export interface ServiceTarget {
  readonly protocol: Protocol;
  readonly address: IpAddress;
  readonly port: number;
  /** The name to ask for a certificate for (SNI), and for which it must stand. */
  readonly host: DomainName;
  /** What an XMPP stream is opened to; `host` where absent. */
  readonly domain?: DomainName;
  /** Also find out, on connections of their own, which versions before TLS 1.2 are accepted. */
  readonly oldTls?: boolean;
  /** SMTP: ask whether the server would take mail for this recipient; then RSET and QUIT, no DATA is sent. */
  readonly envelope?: { readonly mailFrom: string; readonly rcptTo: string };
}

/** No connection came about. */
export interface NoConnection {
  /** `refused`: nothing listens · `timeout`: no answer at all · `unreachable`: no way there from here. */
  readonly status: "refused" | "timeout" | "unreachable";
  /** "connection refused by 192.0.2.25 port 25" */
  readonly detail: string;
}

/** A connection that did not serve: it hung, was cut, sent too much, or spoke something else. Nothing can be told. */
export interface Broken {
  readonly status: "broken";
  /** "sent more than 64 KiB before the end of its greeting" */
  readonly detail: string;
}

export interface ServiceSession {
  readonly status: "answered";
  /**
   * The first reply: the code where the protocol has one (SMTP 220, 421, 554), and the text, cut to 512 characters.
   * Empty where TLS stands before it and its handshake failed.
   */
  readonly greeting: { readonly code?: number; readonly text: string };
  /** SMTP: the name in the EHLO reply; undefined where there is none, or EHLO was refused. */
  readonly serverName?: string;
  /**
   * EHLO keywords, IMAP, POP3 or Sieve capabilities, before TLS: upper case, with their parameters. Of XMPP "STARTTLS"
   * and "SASL PLAIN". None where TLS stands first.
   */
  readonly capabilities: readonly string[];
  readonly tls: TlsProbe;
  /** The capabilities inside TLS, where they were asked for again. */
  readonly capabilitiesInTls?: readonly string[];
  /** With `envelope`: the replies, as far as it went. */
  readonly replies?: readonly SmtpReply[];
}

export interface SmtpReply {
  readonly command: "MAIL FROM" | "RCPT TO";
  readonly code: number;
  readonly text: string;
}

export type ServiceProbe = NoConnection | Broken | ServiceSession;

export type TlsProbe =
  | TlsSession
  /** The server offers no STARTTLS. */
  | { readonly status: "not-offered" }
  /** It offers STARTTLS and refuses it, or the handshake failed for a reason that either side named. */
  | { readonly status: "failed"; readonly detail: string }
  /** It hung, was cut, or sent too much during the handshake. */
  | { readonly status: "broken"; readonly detail: string }
  /** The greeting was no welcome (421, 554), so it did not come to TLS. */
  | { readonly status: "not-tried" };

export interface TlsSession {
  readonly status: "established";
  /** "TLSv1.3" */
  readonly version: string;
  /** "TLS_AES_256_GCM_SHA384" */
  readonly cipher: string;
  /** As the server sent it, its own certificate first; at most 16. */
  readonly chain: readonly Certificate[];
  /** Whether the chain leads to a trusted authority, at the time of the probe; the name is not looked at here. */
  readonly trust:
    | { readonly ok: true }
    | { readonly ok: false; readonly problem: TrustProblem; readonly detail: string };
  /** Versions before TLS 1.2 that were accepted ("TLSv1", "TLSv1.1"); undefined where not asked for, or not told. */
  readonly oldVersions?: readonly string[];
}

export type TrustProblem =
  | "expired"
  | "not-yet-valid"
  | "self-signed"
  | "incomplete-chain"
  | "unknown-authority"
  | "other";

export interface Certificate {
  readonly der: Uint8Array;
  /** "CN=mail.example.org" */
  readonly subject: string;
  /** "C=US, O=Let's Encrypt, CN=R11" */
  readonly issuer: string;
  /** O= of the issuer, by which CAA issuers are known. */
  readonly issuerOrganization?: string;
  /** DNS names it stands for, lower case, wildcards as they are; the common name where there are none. */
  readonly names: readonly string[];
  readonly notBefore: Date;
  readonly notAfter: Date;
  readonly key: { readonly type: "rsa" | "ec" | "other"; readonly bits?: number };
}

export interface HttpsRequest {
  readonly host: DomainName;
  /** Tried in order until one connects; at most 4. */
  readonly addresses: readonly IpAddress[];
  /** 443 where absent. */
  readonly port?: number;
  /** "/.well-known/mta-sts.txt" */
  readonly path: string;
  /** A body larger than this makes the probe `broken`. */
  readonly maxOctets: number;
  /** A body to POST; GET where absent. */
  readonly post?: { readonly contentType: string; readonly body: string };
}

export type HttpsProbe =
  | NoConnection
  | Broken
  /** TLS did not come about: the handshake failed. */
  | { readonly status: "tls-failed"; readonly detail: string }
  | HttpsAnswer;

export interface HttpsAnswer {
  readonly status: "answered";
  readonly address: IpAddress;
  /** 200, 301, 404; a redirect is reported, never followed. */
  readonly httpStatus: number;
  /** Lower case, with parameters: "text/plain; charset=utf-8". */
  readonly contentType?: string;
  readonly location?: string;
  /** As UTF-8, with replacement characters where it is not. */
  readonly body: string;
  readonly tls: TlsSession;
}

export interface Prober {
  probeService(target: ServiceTarget): Promise<ServiceProbe>;
  fetchHttps(request: HttpsRequest): Promise<HttpsProbe>;
}
