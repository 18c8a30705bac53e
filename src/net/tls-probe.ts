/** A TLS handshake on a connection that is there: what was agreed on, which certificates came, whether they are trusted. */
import type { X509Certificate } from "node:crypto";
import { isIP, type Socket } from "node:net";
import {
  connect,
  createSecureContext,
  getCACertificates,
  type SecureContext,
  type SecureVersion,
  type TLSSocket,
} from "node:tls";
import type { TlsProbe, TlsSession, TrustProblem } from "../check/probe.ts";
import { certificateSummary } from "./certificate-summary.ts";
import type { Deadline } from "./connection.ts";

/** `weak`: everything that OpenSSL still speaks, so that a certificate is seen; the versions: that one alone. */
export type TlsProfile = "modern" | "weak" | "TLSv1" | "TLSv1.1";

const VERSIONS: Readonly<
  Record<TlsProfile, { minVersion: SecureVersion; maxVersion?: SecureVersion; ciphers?: string }>
> = {
  modern: { minVersion: "TLSv1.2" },
  weak: { minVersion: "TLSv1", ciphers: "DEFAULT@SECLEVEL=0" },
  TLSv1: { minVersion: "TLSv1", maxVersion: "TLSv1", ciphers: "DEFAULT@SECLEVEL=0" },
  "TLSv1.1": { minVersion: "TLSv1.1", maxVersion: "TLSv1.1", ciphers: "DEFAULT@SECLEVEL=0" },
};

/** Contexts are dear (all authorities are read), so each is made once. */
export type TlsContexts = (profile: TlsProfile) => SecureContext;

/** `ca`: authorities as PEM, trusted beside those that Node trusts. */
export function createTlsContexts(ca: readonly string[]): TlsContexts {
  const contexts = new Map<TlsProfile, SecureContext>();
  return (profile) => {
    const known = contexts.get(profile);
    if (known !== undefined) return known;
    const trusted = ca.length > 0 && { ca: [...getCACertificates("default"), ...ca] };
    const context = createSecureContext({ ...VERSIONS[profile], ...trusted });
    contexts.set(profile, context);
    return context;
  };
}

export interface Handshake {
  readonly socket: Socket;
  /** For sentences: "192.0.2.25 port 25". */
  readonly where: string;
  readonly serverName: string;
  readonly context: SecureContext;
  readonly applicationProtocols?: readonly string[];
  readonly deadline: Deadline;
}

export type HandshakeOutcome =
  | { readonly ok: true; readonly socket: TLSSocket; readonly session: TlsSession }
  | {
      readonly ok: false;
      readonly tls: Extract<TlsProbe, { status: "failed" | "broken" }>;
      /** The two sides have no version, cipher or key in common: with weaker ones it might go. */
      readonly mayWorkWeaker: boolean;
    };

const MAX_CHAIN = 16;
/** Servers send two; each is work, and none is ever used. */
const MAX_SESSION_TICKETS = 16;

/** The sockets are destroyed unless it went well; then the caller does it. */
export function shakeHands(handshake: Handshake): Promise<HandshakeOutcome> {
  const { socket: plain, where, serverName, context, applicationProtocols, deadline } = handshake;
  return new Promise((resolve) => {
    if (deadline.signal.aborted) return resolve(broken(`${where} left no time for TLS`));
    const socket = connect({
      socket: plain,
      secureContext: context,
      // RFC 6066 §3: an address is no server name
      ...(isIP(serverName) === 0 && serverName !== "." && { servername: serverName }),
      ...(applicationProtocols && { ALPNProtocols: [...applicationProtocols] }),
      rejectUnauthorized: false,
      // Whether the name fits is judged in check/, apart from trust.
      checkServerIdentity: () => undefined,
    });
    socket.disableRenegotiation();
    let tickets = 0;
    socket.on("session", () => {
      if (++tickets > MAX_SESSION_TICKETS) socket.destroy();
    });
    const settle = (outcome: HandshakeOutcome) => {
      deadline.signal.removeEventListener("abort", giveUp);
      socket.off("close", onClose);
      if (!outcome.ok) {
        socket.destroy();
        plain.destroy();
      }
      resolve(outcome);
    };
    const giveUp = () => settle(broken(`${where} did not end the TLS handshake within ${deadline.text}`));
    const onClose = () => settle(broken(`${where} closed the connection during the TLS handshake`));
    deadline.signal.addEventListener("abort", giveUp, { once: true });
    socket.once("secureConnect", () => settle({ ok: true, socket, session: sessionOf(socket) }));
    // It stays for good: a late error has nobody to tell.
    socket.on("error", (error: OpenSslError) => settle(failure(where, error)));
    socket.once("close", onClose);
  });
}

type OpenSslError = NodeJS.ErrnoException & { readonly library?: string; readonly reason?: string };

function broken(detail: string): HandshakeOutcome {
  return { ok: false, tls: { status: "broken", detail }, mayWorkWeaker: false };
}

function failure(where: string, error: OpenSslError): HandshakeOutcome {
  const { code = "" } = error;
  if (code === "ECONNRESET" || code === "EPIPE") {
    return broken(`${where} cut the connection during the TLS handshake`);
  }
  if (code === "ERR_SSL_EXCESSIVE_MESSAGE_SIZE") {
    return broken(
      `${where} sent too much during the TLS handshake, such as an endless chain of certificates`,
    );
  }
  if (!code.startsWith("ERR_SSL_") && code !== "EPROTO") {
    return broken(`the TLS handshake with ${where} broke off: ${code || error.message}`);
  }
  const reason = NOT_TLS.test(code) ? "it answered with something other than TLS" : reasonOf(error);
  const detail = `the TLS handshake with ${where} failed: ${reason}`;
  return { ok: false, tls: { status: "failed", detail }, mayWorkWeaker: NOTHING_IN_COMMON.test(code) };
}

/** OpenSSL's few words, without its "tlsv1" that stands for any version. */
function reasonOf({ reason, code, message }: OpenSslError): string {
  const words = reason ?? code ?? message;
  return words.replace(/^(?:ssl|tls)(?:v\d+(?:\.\d)?|\/tls)? alert /, "alert: ");
}

const NOT_TLS = /WRONG_VERSION_NUMBER|PACKET_LENGTH_TOO_LONG|HTTP_REQUEST|BAD_RECORD_TYPE/;
const NOTHING_IN_COMMON =
  /UNSUPPORTED_PROTOCOL|ALERT_PROTOCOL_VERSION|ALERT_HANDSHAKE_FAILURE|INSUFFICIENT_SECURITY|TOO_SMALL|WRONG_SIGNATURE_TYPE|UNSAFE_LEGACY|WRONG_CIPHER/;

function sessionOf(socket: TLSSocket): TlsSession {
  const chain = chainOf(socket);
  const code = socket.authorizationError as unknown as string | null | undefined;
  const cipher = socket.getCipher();
  return {
    status: "established",
    version: socket.getProtocol() ?? "unknown",
    cipher: cipher.standardName ?? cipher.name,
    chain: chain.map(certificateSummary),
    trust: trustOf(code ?? undefined, chain),
  };
}

/** In the order in which they were sent. Asked once: the call takes the certificates out of the connection. */
function chainOf(socket: TLSSocket): readonly X509Certificate[] {
  const chain: X509Certificate[] = [];
  let next = socket.getPeerX509Certificate();
  while (next !== undefined && chain.length < MAX_CHAIN) {
    chain.push(next);
    next = next.issuerCertificate;
  }
  return chain;
}

/** The code is OpenSSL's; without a certificate it has nothing to complain of. */
function trustOf(code: string | undefined, chain: readonly X509Certificate[]): TlsSession["trust"] {
  if (chain.length === 0) return { ok: false, problem: "other", detail: "it sent no certificate" };
  return code === undefined ? { ok: true } : { ok: false, ...trustProblem(code, chain) };
}

function trustProblem(
  code: string,
  chain: readonly X509Certificate[],
): { problem: TrustProblem; detail: string } {
  const issuer = (chain.at(-1)?.issuer ?? "").split("\n").join(", ");
  switch (code) {
    case "CERT_HAS_EXPIRED":
      return { problem: "expired", detail: "a certificate in its chain has expired" };
    case "CERT_NOT_YET_VALID":
      return { problem: "not-yet-valid", detail: "a certificate in its chain is not valid yet" };
    case "DEPTH_ZERO_SELF_SIGNED_CERT":
      return { problem: "self-signed", detail: "it is signed by itself, and by no authority" };
    case "UNABLE_TO_VERIFY_LEAF_SIGNATURE":
      return incompleteChain(issuer);
    case "UNABLE_TO_GET_ISSUER_CERT_LOCALLY":
    case "UNABLE_TO_GET_ISSUER_CERT":
      return chain.length <= 1
        ? incompleteChain(issuer)
        : { problem: "unknown-authority", detail: `its chain leads to "${issuer}", which is not trusted` };
    case "SELF_SIGNED_CERT_IN_CHAIN":
      return { problem: "unknown-authority", detail: `its chain ends at "${issuer}", which is not trusted` };
    default:
      return { problem: "other", detail: code.toLowerCase().replaceAll("_", " ") };
  }
}

function incompleteChain(issuer: string): { problem: TrustProblem; detail: string } {
  const detail = `the certificate of its issuer, "${issuer}", was not sent, and is no authority that is trusted`;
  return { problem: "incomplete-chain", detail };
}
