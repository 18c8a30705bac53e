/** A `Prober` from rows: every server is as it should be, except where a row says otherwise. */
import type {
  Certificate,
  HttpsProbe,
  HttpsRequest,
  Prober,
  Protocol,
  ServiceProbe,
  ServiceSession,
  ServiceTarget,
  TlsSession,
} from "../../src/check/probe.ts";
import { AUTHORITY_CERTIFICATE, SERVER_CERTIFICATE } from "../../src/demo/certificate.ts";
import { domainName } from "../../src/standards/dns/name.ts";
import { formatPolicy } from "../../src/standards/mta-sts/policy.ts";

/** 2 0 1 of the authority. */
export const AUTHORITY_TLSA = "2 0 1 5f14a3693fabe36e36d7dce71dd15017c1fad93edafd108f1295a9ba6cae326a";

/** "smtp 192.0.2.25", "imaps mail.example.org", "https mta-sts.example.org"; the more exact one counts. */
export type ProbeRows = Readonly<
  Record<string, ServiceProbe | HttpsProbe | ((healthy: never) => ServiceProbe | HttpsProbe)>
>;

export function tableProber(rows: ProbeRows = {}): Prober & { readonly probed: string[] } {
  const probed: string[] = [];
  const rowOf = <H, P>(kind: string, host: string, addresses: readonly string[], healthy: H): P => {
    const keys = [...addresses.map((address) => `${kind} ${address}`), `${kind} ${host}`];
    const row = keys.map((key) => rows[key]).find((found) => found !== undefined);
    return (typeof row === "function" ? row(healthy as never) : (row ?? healthy)) as P;
  };
  return {
    probed,
    async probeService(target) {
      probed.push(`${target.protocol} ${target.address.text} ${target.port}`);
      return rowOf(target.protocol, target.host, [target.address.text], healthySession(target));
    },
    async fetchHttps(request) {
      probed.push(`https ${request.host}`);
      const addresses = request.addresses.map(({ text }) => text);
      return rowOf("https", request.host, addresses, healthyAnswer(request));
    },
  };
}

export function certificate(host: string, change: Partial<Certificate> = {}): Certificate {
  return {
    der: Buffer.from(SERVER_CERTIFICATE, "base64"),
    subject: `CN=${host}`,
    issuer: "C=US, O=Let's Encrypt, CN=E7",
    issuerOrganization: "Let's Encrypt",
    names: [host],
    notBefore: new Date("2026-10-20T00:00:00Z"),
    notAfter: new Date("2027-01-18T00:00:00Z"),
    key: { type: "ec", bits: 256 },
    ...change,
  };
}

export function tlsSession(
  host: string,
  change: Partial<TlsSession> = {},
  leaf: Partial<Certificate> = {},
): TlsSession {
  const authority = { der: Buffer.from(AUTHORITY_CERTIFICATE, "base64"), names: ["Example CA"] };
  return {
    status: "established",
    version: "TLSv1.3",
    cipher: "TLS_AES_256_GCM_SHA384",
    chain: [certificate(host, leaf), certificate("Example CA", authority)],
    trust: { ok: true },
    oldVersions: [],
    ...change,
  };
}

const CAPABILITIES: Readonly<Record<Protocol, readonly string[]>> = {
  smtp: ["PIPELINING", "SIZE 52428800", "STARTTLS", "8BITMIME"],
  submission: ["SIZE 52428800", "STARTTLS"],
  submissions: [],
  imap: ["IMAP4REV1", "STARTTLS", "LOGINDISABLED"],
  imaps: [],
  pop3: ["STLS"],
  pop3s: [],
  sieve: ['"STARTTLS"', '"SASL" ""'],
  "xmpp-client": ["STARTTLS"],
  "xmpp-server": ["STARTTLS"],
  "xmpps-client": [],
  "xmpps-server": [],
};

function healthySession({ protocol, host, domain }: ServiceTarget): ServiceSession {
  const isSmtp = protocol === "smtp" || protocol.startsWith("submission");
  return {
    status: "answered",
    greeting: isSmtp ? { code: 220, text: `${host} ESMTP` } : { text: `${protocol} ready` },
    ...(isSmtp && { serverName: host }),
    capabilities: CAPABILITIES[protocol],
    tls: tlsSession(domain ?? host),
  };
}

function healthyAnswer({ host, addresses }: HttpsRequest): HttpsProbe {
  const answer = {
    status: "answered",
    address: addresses[0]!,
    httpStatus: 200,
    tls: tlsSession(host),
  } as const;
  if (host.startsWith("mta-sts.")) {
    const policy = formatPolicy({
      mode: "testing",
      maxAgeSeconds: 86_400,
      mx: [`mail.${domainName(host.slice("mta-sts.".length))}`],
    });
    return { ...answer, contentType: "text/plain", body: policy };
  }
  const root = host.startsWith("autoconfig.") ? "clientConfig" : "Autodiscover";
  return { ...answer, contentType: "text/xml", body: `<?xml version="1.0"?><${root}></${root}>` };
}
