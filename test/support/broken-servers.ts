/** Worlds whose DNS is as it should be, with one fault in what stands behind it, and what a check must say of it. */
import type { FindingCode } from "../../src/check/catalogue.ts";
import type { CheckOptions } from "../../src/check/context.ts";
import type {
  Certificate,
  HttpsAnswer,
  HttpsProbe,
  ServiceProbe,
  ServiceSession,
  TlsSession,
} from "../../src/check/probe.ts";
import { SERVER_TLSA } from "../../src/demo/certificate.ts";
import { domainName } from "../../src/standards/dns/name.ts";
import { formatPolicy, type MtaStsMode } from "../../src/standards/mta-sts/policy.ts";
import { BARE, DESCRIPTION, HEALTHY, optionsOf } from "./healthy-world.ts";
import { AUTHORITY_TLSA, certificate, type ProbeRows, tlsSession } from "./table-prober.ts";
import { edited, type WorldRows } from "./table-world.ts";

export interface BrokenServer {
  readonly why: string;
  readonly rows: WorldRows;
  readonly probes: ProbeRows;
  readonly options: CheckOptions;
  /** The codes of all errors, warnings and unknowns, sorted. */
  readonly red: readonly FindingCode[];
  readonly also: readonly FindingCode[];
}

const NEXT_TLSA = `3 1 1 ${"0c".repeat(32)}`;
const TLSA_OWNER = "_25._tcp.mail.example.org";
const tlsaLines = (...records: readonly string[]) => records.map((data) => `${TLSA_OWNER}. TLSA ${data}`);
const BLOCK_LIST = "bl.example.net";

/** The healthy zone, with the TLSA of the certificate that the servers of these worlds show, and a block list. */
export const HEALTHY_SERVERS = edited(HEALTHY, {
  without: [`${TLSA_OWNER} TLSA`],
  add: [
    ...tlsaLines(SERVER_TLSA, NEXT_TLSA),
    `2.0.0.127.${BLOCK_LIST}. A 127.0.0.2`,
    `witness.example.net. A 198.51.100.99`,
  ],
});
const MORE = { blockLists: [domainName(BLOCK_LIST)], witnesses: [domainName("witness.example.net")] };
export const BARE_SERVERS: CheckOptions = { ...BARE, ...MORE };
const described = DESCRIPTION.replace(
  `- record: 3 1 1 ${"0b".repeat(32)}`,
  `- record: ${SERVER_TLSA}\n      - record: ${NEXT_TLSA}`,
);
export const DESCRIBED_SERVERS = optionsOf(described, MORE);

interface Edit {
  readonly without?: readonly string[];
  readonly add?: readonly string[];
  readonly probes?: ProbeRows;
  readonly rows?: Omit<WorldRows, "zone">;
  readonly options?: CheckOptions;
  readonly also?: readonly FindingCode[];
}

function broken(why: string, edit: Edit, ...red: FindingCode[]): BrokenServer {
  const { without = [], add = [], probes = {}, rows = {}, options = BARE_SERVERS, also = [] } = edit;
  return {
    why,
    rows: { ...rows, zone: edited(HEALTHY_SERVERS, { without, add }) },
    probes,
    options,
    red: red.sort(),
    also,
  };
}

const HOST = "mail.example.org";
const IPV4 = "192.0.2.25";
const IPV6 = "2001:db8::25";

const refused: ServiceProbe & HttpsProbe = { status: "refused", detail: "connection refused" };
const silent: ServiceProbe & HttpsProbe = { status: "timeout", detail: "no answer in 5 s" };
const noRoute: ServiceProbe & HttpsProbe = { status: "unreachable", detail: "network is unreachable" };
const cut: ServiceProbe & HttpsProbe = { status: "broken", detail: "the connection was reset" };

type Row = ProbeRows[string];
const session =
  (change: Partial<ServiceSession>) =>
  (healthy: ServiceSession): ServiceSession => ({ ...healthy, ...change });
const withTls = (change: Partial<TlsSession>, leaf: Partial<Certificate> = {}, host = HOST): Row =>
  session({ tls: tlsSession(host, change, leaf) });
const answer =
  (change: Partial<HttpsAnswer>) =>
  (healthy: HttpsAnswer): HttpsAnswer => ({ ...healthy, ...change });
const policy = (mode: MtaStsMode, ...mx: string[]): Row =>
  answer({ body: formatPolicy({ mode, maxAgeSeconds: 604_800, mx }) });

const greets = (code: number, text: string): Row =>
  session({ greeting: { code, text }, capabilities: [], tls: { status: "not-tried" } });
const untrusted = (problem: Exclude<TlsSession["trust"], { ok: true }>["problem"]): Partial<TlsSession> => ({
  trust: { ok: false, problem, detail: problem },
});
const EXPIRED: Partial<Certificate> = { notAfter: new Date("2026-11-01T00:00:00Z") };
const OTHER_NAME: Partial<Certificate> = { names: ["www.example.net"] };

/** Without TLSA, so that the certificate is for public authorities to vouch for. */
const NO_DANE = { without: [`${TLSA_OWNER} TLSA`, `${TLSA_OWNER} RRSIG`] };
const XMPP = "_xmpp-client._tcp.example.org. SRV 0 5 5222 mail.example.org.";

export const BROKEN_SERVERS: readonly BrokenServer[] = [
  broken("R14: port 25 refuses", { probes: { [`smtp ${HOST}`]: refused } }, "smtp-refused"),
  broken(
    "R14: port 25 is silent, and other mail servers are not",
    { probes: { [`smtp ${HOST}`]: silent } },
    "smtp-timeout",
  ),
  broken(
    "all of port 25 is silent from here: nothing is said of the server",
    { probes: { [`smtp ${HOST}`]: silent, "smtp witness.example.net": silent } },
    "smtp-untold",
  ),
  broken("no way to the server", { probes: { [`smtp ${HOST}`]: noRoute } }, "smtp-no-route"),
  broken("no IPv6 here", { probes: { [`smtp ${IPV6}`]: noRoute }, also: ["probe-no-ipv6", "smtp-ok"] }),
  broken("R23: AAAA, and nothing listens there", { probes: { [`smtp ${IPV6}`]: refused } }, "smtp-refused"),
  broken("AAAA, and a firewall in front of it", { probes: { [`smtp ${IPV6}`]: silent } }, "smtp-timeout"),
  broken(
    "R14: 421 at every address",
    { probes: { [`smtp ${HOST}`]: greets(421, "try again") } },
    "smtp-temporary",
  ),
  broken(
    "R14: 554 at every address",
    { probes: { [`smtp ${HOST}`]: greets(554, "no mail here") } },
    "smtp-rejects",
  ),
  broken("the connection is reset", { probes: { [`smtp ${IPV4}`]: cut } }, "smtp-broken"),
  broken(
    "the handshake hangs",
    { probes: { [`smtp ${HOST}`]: session({ tls: { status: "broken", detail: "no answer in 10 s" } }) } },
    "smtp-broken",
  ),
  broken(
    "a server from before EHLO",
    {
      ...NO_DANE,
      probes: {
        [`smtp ${HOST}`]: ({ serverName: _, ...healthy }: ServiceSession) => ({
          ...healthy,
          capabilities: [],
          tls: { status: "not-offered" },
        }),
      },
    },
    "smtp-no-ehlo",
  ),
  broken(
    "EHLO localhost",
    { probes: { [`smtp ${HOST}`]: session({ serverName: "localhost" }) } },
    "smtp-name-invalid",
  ),
  broken(
    "EHLO of a name that is nowhere",
    { probes: { [`smtp ${HOST}`]: session({ serverName: "mx.nowhere.example.org" }) } },
    "smtp-name-no-address",
  ),
  broken(
    "R30: EHLO of another name than the PTR",
    { probes: { [`smtp ${HOST}`]: session({ serverName: "www.example.org" }) } },
    "smtp-name-differs",
  ),
  broken(
    "no STARTTLS",
    { ...NO_DANE, probes: { [`smtp ${HOST}`]: session({ tls: { status: "not-offered" } }) } },
    "smtp-no-starttls",
  ),
  broken(
    "no STARTTLS, and DANE asks for it",
    { probes: { [`smtp ${HOST}`]: session({ tls: { status: "not-offered" } }) } },
    "smtp-no-starttls",
  ),
  broken(
    "STARTTLS that fails",
    {
      ...NO_DANE,
      probes: { [`smtp ${HOST}`]: session({ tls: { status: "failed", detail: "handshake failure" } }) },
    },
    "smtp-tls-failed",
  ),
  broken("TLS 1.0 at best", { probes: { [`smtp ${HOST}`]: withTls({ version: "TLSv1" }) } }, "tls-only-old"),
  broken("TLS 1.0 as well", {
    probes: { [`smtp ${HOST}`]: withTls({ oldVersions: ["TLSv1", "TLSv1.1"] }) },
    also: ["tls-old-accepted"],
  }),
  broken(
    "the certificate of port 25 has ended",
    { ...NO_DANE, probes: { [`smtp ${HOST}`]: withTls(untrusted("expired"), EXPIRED) } },
    "certificate-expired",
  ),
  broken(
    "the certificate of port 25 is for another name",
    { ...NO_DANE, probes: { [`smtp ${HOST}`]: withTls({}, OTHER_NAME) } },
    "certificate-name-mismatch",
  ),
  broken(
    "the certificate of port 25 vouches for itself",
    { ...NO_DANE, probes: { [`smtp ${HOST}`]: withTls(untrusted("self-signed")) } },
    "certificate-self-signed",
  ),
  broken("a self-signed certificate that DANE vouches for", {
    without: [...["MX"].map(() => "_mta-sts.example.org TXT")],
    probes: { [`smtp ${HOST}`]: withTls(untrusted("self-signed"), EXPIRED) },
    also: ["tlsa-ok"],
  }),
  broken(
    "a self-signed certificate, and TLSA that cannot be looked up: it may be vouched for",
    {
      without: ["_mta-sts.example.org TXT"],
      probes: { [`smtp ${HOST}`]: withTls(untrusted("self-signed")) },
      rows: { failing: { [`${TLSA_OWNER} TLSA`]: "servfail" } },
    },
    "dns-no-answer",
  ),
  broken(
    "struggle 15: a renewed certificate, and DNS was not told",
    { without: [`${TLSA_OWNER} TLSA`], add: tlsaLines(NEXT_TLSA, `3 1 1 ${"0d".repeat(32)}`) },
    "tlsa-mismatch",
  ),
  broken("one TLSA only", {
    without: [`${TLSA_OWNER} TLSA`],
    add: tlsaLines(SERVER_TLSA),
    also: ["tlsa-single"],
  }),
  broken("TLSA of the authority", {
    without: [`${TLSA_OWNER} TLSA`],
    add: tlsaLines(AUTHORITY_TLSA),
    also: ["tlsa-ok"],
  }),
  broken(
    "TLSA of the authority, and a certificate for another name",
    {
      without: [`${TLSA_OWNER} TLSA`, "_mta-sts.example.org TXT"],
      add: tlsaLines(AUTHORITY_TLSA),
      probes: { [`smtp ${HOST}`]: withTls({}, OTHER_NAME) },
    },
    "tlsa-name-mismatch",
  ),
  broken(
    "TLSA of an authority whose certificate is not sent along",
    {
      without: [`${TLSA_OWNER} TLSA`],
      add: tlsaLines(AUTHORITY_TLSA),
      probes: { [`smtp ${HOST}`]: withTls({ chain: [certificate(HOST)] }) },
    },
    "tlsa-mismatch",
  ),

  broken(
    "the policy's server is off",
    { probes: { "https mta-sts.example.org": refused } },
    "mta-sts-policy-unreachable",
  ),
  broken(
    "the policy's server is silent",
    { probes: { "https mta-sts.example.org": silent } },
    "mta-sts-policy-untold",
  ),
  broken(
    "the policy's server sends without end",
    { probes: { "https mta-sts.example.org": { status: "broken", detail: "sent more than 64 KiB" } } },
    "mta-sts-policy-untold",
  ),
  broken(
    "the policy's server fails in TLS",
    { probes: { "https mta-sts.example.org": { status: "tls-failed", detail: "handshake failure" } } },
    "mta-sts-policy-tls",
  ),
  broken(
    "the policy's server shows the web server's certificate",
    { probes: { "https mta-sts.example.org": answer({ tls: tlsSession("www.example.org") }) } },
    "mta-sts-policy-certificate",
  ),
  broken(
    "the policy is elsewhere",
    {
      probes: {
        "https mta-sts.example.org": answer({ httpStatus: 301, location: "https://www.example.org/" }),
      },
    },
    "mta-sts-policy-redirect",
  ),
  broken(
    "no policy, though the record promises one",
    {
      probes: {
        "https mta-sts.example.org": answer({ httpStatus: 404, contentType: "text/html", body: "" }),
      },
    },
    "mta-sts-policy-status",
  ),
  broken(
    "the policy as HTML",
    { probes: { "https mta-sts.example.org": answer({ contentType: "text/html; charset=utf-8" }) } },
    "mta-sts-policy-content-type",
  ),
  broken(
    "a policy without max_age",
    {
      probes: {
        "https mta-sts.example.org": answer({ body: `version: STSv1\nmode: testing\nmx: ${HOST}\n` }),
      },
    },
    "mta-sts-policy-max-age",
  ),
  broken(
    "struggle 16: an MX that the enforced policy does not name",
    { probes: { "https mta-sts.example.org": policy("enforce", "mx.example.org") } },
    "mta-sts-mx-not-in-policy",
  ),
  broken(
    "struggle 16: a wildcard is one label",
    { probes: { "https mta-sts.example.org": policy("enforce", "*.mail.example.org") } },
    "mta-sts-mx-not-in-policy",
  ),
  broken(
    "a policy with one name too many",
    { probes: { "https mta-sts.example.org": policy("enforce", HOST, "old.example.org") } },
    "mta-sts-policy-names-other",
  ),
  broken(
    "an enforced policy, and a certificate for another name",
    {
      ...NO_DANE,
      probes: {
        "https mta-sts.example.org": policy("enforce", HOST),
        [`smtp ${HOST}`]: withTls({}, OTHER_NAME),
      },
    },
    "certificate-name-mismatch",
  ),
  broken(
    "a policy that is not the described one",
    { options: DESCRIBED_SERVERS, probes: { "https mta-sts.example.org": policy("enforce", HOST) } },
    "mta-sts-policy-differs",
  ),

  broken(
    "CAA names another authority than the certificate",
    { without: ["example.org CAA"], add: ['example.org. CAA 0 issue "digicert.com"'] },
    "caa-forbids-issuer",
  ),

  broken("IMAP is announced and closed", { probes: { [`imaps ${HOST}`]: refused } }, "service-closed"),
  broken("submission is filtered", { probes: { [`submissions ${HOST}`]: silent } }, "service-filtered"),
  broken("a service that breaks off", { probes: { [`imaps ${IPV4}`]: cut } }, "service-untold"),
  broken(
    "submission that turns everybody away",
    { probes: { [`submissions ${HOST}`]: greets(554, "no") } },
    "service-rejects",
  ),
  broken(
    "struggle 25: a certificate for another name",
    { probes: { [`imaps ${HOST}`]: withTls({}, OTHER_NAME) } },
    "certificate-name-mismatch",
  ),
  broken(
    "IMAP's certificate has ended",
    { probes: { [`imaps ${HOST}`]: withTls(untrusted("expired"), EXPIRED) } },
    "certificate-expired",
  ),
  broken(
    "IMAP's certificate begins tomorrow",
    {
      probes: {
        [`imaps ${HOST}`]: withTls(untrusted("not-yet-valid"), {
          notBefore: new Date("2026-11-22T00:00:00Z"),
        }),
      },
    },
    "certificate-not-yet-valid",
  ),
  broken(
    "IMAP's certificate ends in four days",
    { probes: { [`imaps ${HOST}`]: withTls({}, { notAfter: new Date("2026-11-25T12:00:00Z") }) } },
    "certificate-expiring",
  ),
  broken(
    "IMAP sends no chain",
    { probes: { [`imaps ${HOST}`]: withTls(untrusted("incomplete-chain")) } },
    "certificate-incomplete-chain",
  ),
  broken(
    "IMAP's authority is unknown",
    { probes: { [`imaps ${HOST}`]: withTls(untrusted("unknown-authority")) } },
    "certificate-unknown-authority",
  ),
  broken(
    "IMAP's chain is odd",
    { probes: { [`imaps ${HOST}`]: withTls(untrusted("other")) } },
    "certificate-not-trusted",
  ),
  broken(
    "IMAP without STARTTLS",
    {
      add: ["_imap._tcp.example.org. SRV 10 1 143 mail.example.org."],
      probes: { [`imap ${HOST}`]: session({ tls: { status: "not-offered" } }) },
    },
    "service-no-tls",
  ),
  broken(
    "IMAP takes passwords before TLS",
    {
      add: ["_imap._tcp.example.org. SRV 10 1 143 mail.example.org."],
      probes: { [`imap ${HOST}`]: session({ capabilities: ["IMAP4REV1", "STARTTLS", "AUTH=PLAIN"] }) },
    },
    "service-auth-in-clear",
  ),
  broken(
    "IMAP whose TLS fails",
    { probes: { [`imaps ${HOST}`]: session({ tls: { status: "failed", detail: "no shared cipher" } }) } },
    "service-tls-failed",
  ),
  broken(
    "XMPP shows the host's certificate instead of the domain's",
    { add: [XMPP], probes: { [`xmpp-client ${HOST}`]: withTls({}) } },
    "certificate-name-mismatch",
  ),
  broken("XMPP as it should be", { add: [XMPP], also: ["service-ok"] }),

  broken(
    "nothing serves autoconfig",
    { probes: { "https autoconfig.example.org": refused } },
    "settings-unreachable",
  ),
  broken(
    "autoconfig cannot be told",
    { probes: { "https autoconfig.example.org": silent } },
    "settings-untold",
  ),
  broken(
    "autodiscover fails in TLS",
    { probes: { "https autodiscover.example.org": { status: "tls-failed", detail: "no" } } },
    "settings-tls",
  ),
  broken(
    "struggle 25: autodiscover shows the web server's certificate",
    { probes: { "https autodiscover.example.org": answer({ tls: tlsSession("www.example.org") }) } },
    "certificate-name-mismatch",
  ),
  broken(
    "a web page instead of settings",
    { probes: { "https autoconfig.example.org": answer({ contentType: "text/html", body: "<html>" }) } },
    "settings-not-served",
  ),

  broken(
    "struggle 6: the mail host behind a web proxy",
    {
      without: ["mail.example.org A"],
      add: ["mail.example.org. A 104.16.3.4", "4.3.16.104.in-addr.arpa. PTR mail.example.org."],
      options: { ...BARE_SERVERS, blockLists: [] },
    },
    "host-proxied",
  ),
  broken(
    "struggle 13: the resolver of the office answers for the mail host",
    {
      rows: {
        resolvers: [
          {
            label: "192.0.2.1",
            zone: edited(HEALTHY, {
              without: ["mail.example.org A"],
              add: ["mail.example.org. A 10.0.0.25"],
            }),
          },
        ],
      },
    },
    "split-horizon",
  ),
  broken(
    "struggle 21: on a block list",
    { add: [`25.2.0.192.${BLOCK_LIST}. A 127.0.0.3`, `25.2.0.192.${BLOCK_LIST}. TXT "see the page"`] },
    "dnsbl-listed",
  ),
  broken("struggle 22: the list turns this asker away", {
    without: [`2.0.0.127.${BLOCK_LIST} A`],
    add: [`2.0.0.127.${BLOCK_LIST}. A 127.255.255.254`],
    also: ["dnsbl-refuses"],
  }),
  broken("struggle 22: a list that is no more", {
    without: [`2.0.0.127.${BLOCK_LIST} A`],
    also: ["dnsbl-refuses"],
  }),
  broken("struggle 22: a list that lists the world", {
    without: [`2.0.0.127.${BLOCK_LIST} A`],
    add: [`*.${BLOCK_LIST}. A 127.0.0.2`],
    also: ["dnsbl-refuses"],
  }),
  broken("struggle 22: a resolver that makes answers up", {
    without: [`2.0.0.127.${BLOCK_LIST} A`],
    add: [`*.${BLOCK_LIST}. A 198.51.100.7`],
    also: ["dnsbl-refuses"],
  }),
  broken(
    "a block list whose name servers are silent",
    { rows: { failing: { [`2.0.0.127.${BLOCK_LIST} A`]: "timeout" } } },
    "dnsbl-untold",
  ),
  broken(
    "struggle 24: no way out on port 25",
    {
      options: { ...BARE_SERVERS, testOutbound: true },
      probes: { "smtp witness.example.net": silent },
    },
    "smtp-outbound-blocked",
  ),
  broken("a way out on port 25", {
    options: { ...BARE_SERVERS, testOutbound: true },
    also: ["smtp-outbound-open"],
  }),
  broken(
    "one of two mail servers is off: senders go on to the other",
    {
      ...NO_DANE,
      without: [...NO_DANE.without, "_mta-sts.example.org TXT"],
      add: [
        "example.org. MX 20 mx2.example.org.",
        "mx2.example.org. A 198.51.100.26",
        "mx2.example.org. AAAA 2001:db8::26",
        "26.100.51.198.in-addr.arpa. PTR mx2.example.org.",
        "6.2.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.8.b.d.0.1.0.0.2.ip6.arpa. PTR mx2.example.org.",
        'mx2.example.org. TXT "v=spf1 a -all"',
      ],
      probes: { "smtp 198.51.100.26": refused },
    },
    "smtp-refused",
  ),
  broken(
    "an unsigned domain: signatures count for nothing here",
    { without: [`${TLSA_OWNER} RRSIG`] },
    "tlsa-without-dnssec",
  ),
];
