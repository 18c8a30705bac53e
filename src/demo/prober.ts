/** Servers that are not there: what they would say, without a packet. */
import type {
  Certificate,
  HttpsProbe,
  HttpsRequest,
  Prober,
  ServiceProbe,
  ServiceTarget,
  TlsSession,
} from "../check/probe.ts";
import type { DerivedFile } from "../records/derived-record.ts";
import { AUTHORITY_CERTIFICATE, SERVER_CERTIFICATE } from "./certificate.ts";
import { EXPIRED_DAYS_AGO } from "./domain.ts";

export interface DemoProbes {
  /** Of the mail hosts; nothing listens anywhere else. */
  readonly addresses: ReadonlySet<string>;
  readonly expiredHosts: readonly string[];
  /** Hosts that answer every path with 404. */
  readonly emptyHosts: readonly string[];
  readonly files: readonly DerivedFile[];
  readonly now: () => Date;
}

const DAY_MILLISECONDS = 86_400_000;

export function createDemoProber(probes: DemoProbes): Prober {
  return {
    async probeService(target) {
      return serviceProbe(target, probes);
    },
    async fetchHttps(request) {
      return httpsProbe(request, probes);
    },
  };
}

function serviceProbe(
  { protocol, address, port, host, domain }: ServiceTarget,
  probes: DemoProbes,
): ServiceProbe {
  if (!probes.addresses.has(address.text))
    return { status: "refused", detail: `connection refused by ${address.text} port ${port}` };
  const tls = tlsSession(domain ?? host, probes);
  const isSmtp = protocol === "smtp" || protocol === "submission" || protocol === "submissions";
  const isPlain = protocol === "smtp" || protocol === "submission" || protocol === "imap";
  return {
    status: "answered",
    greeting: isSmtp ? { code: 220, text: `${host} ESMTP` } : { text: `${protocol} ready` },
    ...(isSmtp && { serverName: host }),
    capabilities: isPlain ? (isSmtp ? SMTP_CAPABILITIES : IMAP_CAPABILITIES) : [],
    tls,
  };
}

const SMTP_CAPABILITIES = ["PIPELINING", "SIZE 52428800", "STARTTLS", "8BITMIME"];
const IMAP_CAPABILITIES = ["IMAP4REV1", "STARTTLS", "LOGINDISABLED"];

function httpsProbe({ host, addresses, path }: HttpsRequest, probes: DemoProbes): HttpsProbe {
  const [address] = addresses;
  if (address === undefined || !probes.addresses.has(address.text))
    return { status: "refused", detail: `connection refused by ${address?.text ?? host} port 443` };
  const file = probes.files.find(({ url }) => url === `https://${host}${path}`);
  const answer = { status: "answered", address, tls: tlsSession(host, probes) } as const;
  return file === undefined || probes.emptyHosts.includes(host)
    ? { ...answer, httpStatus: 404, contentType: "text/html", body: "<p>Not found" }
    : { ...answer, httpStatus: 200, contentType: file.mediaType, body: file.content };
}

function tlsSession(host: string, { expiredHosts, now }: DemoProbes): TlsSession {
  const isExpired = expiredHosts.includes(host);
  const endsInDays = isExpired ? -EXPIRED_DAYS_AGO : 61;
  const leaf = certificate(
    host,
    SERVER_CERTIFICATE,
    new Date(now().getTime() + endsInDays * DAY_MILLISECONDS),
  );
  const authority = certificate("Example CA", AUTHORITY_CERTIFICATE, new Date(now().getTime() + 3e11));
  return {
    status: "established",
    version: "TLSv1.3",
    cipher: "TLS_AES_256_GCM_SHA384",
    chain: [leaf, authority],
    trust: isExpired
      ? { ok: false, problem: "expired", detail: "the certificate has run out" }
      : { ok: true },
    oldVersions: [],
  };
}

function certificate(name: string, der: string, notAfter: Date): Certificate {
  return {
    der: Buffer.from(der, "base64"),
    subject: `CN=${name}`,
    issuer: "C=US, O=Let's Encrypt, CN=E7",
    issuerOrganization: "Let's Encrypt",
    names: [name],
    notBefore: new Date(notAfter.getTime() - 90 * DAY_MILLISECONDS),
    notAfter,
    key: { type: "ec", bits: 256 },
  };
}
