/**
 * Domains with one fault each, on real servers: a hoster's mail servers, each at an address of its own with its own
 * fault, a web server, and for each world a domain `NAME.example`, described and derived, with a few records edited.
 * A new world is a row.
 */
import type { FindingCode } from "../../src/check/catalogue.ts";
import {
  createAuthority,
  issueCertificate,
  type ServedCertificate,
  type TestAuthority,
} from "./certificates.ts";
import type { DovecotAddress, DovecotListener } from "./dovecot.ts";
import { DKIM_KEY, OTHER_DKIM_KEY } from "./healthy-world.ts";
import type { WebPage, WebSite } from "./nginx.ts";
import type { PostfixListener } from "./postfix.ts";

export const ROOT_SERVER = "198.18.0.51";
export const NAME_SERVERS = ["198.18.0.53", "198.18.0.54"] as const;
const WEB = "198.18.0.80";
const WEB_OTHER_NAME = "198.18.0.81";
const WEB_EXPIRED = "198.18.0.82";
/** Nothing listens here. */
const EMPTY = "198.18.0.83";
const WEB_WITHOUT_TLS = "198.18.0.84";
export const SILENT_NETWORK = "198.19.0.0/16";
const SILENT = "198.19.0.1";
const POLICY_PATH = "/.well-known/mta-sts.txt";

/** A mail server of the hoster: `NAME.hoster.example`. */
interface MailServer {
  readonly address: string;
  readonly address6?: string;
  /** Which certificate it shows on port 25, and on the others. */
  readonly certificate?: CertificateName | "none";
  readonly clientCertificate?: CertificateName | "none";
  /** Postfix parameters for port 25. */
  readonly smtp?: Readonly<Record<string, string>>;
  /** Ports at which nothing listens, though the description says so. */
  readonly closed?: readonly number[];
  /** Dovecot settings. */
  readonly dovecot?: Readonly<Record<string, string>>;
  readonly services?: readonly string[];
  /** TLSA in the description: of its certificate, of a certificate that it has no more, or none. */
  readonly tlsa?: "right" | "wrong";
  readonly ptr?: string | null;
}

type CertificateName =
  | "good"
  | "expired"
  | "other-name"
  | "self-signed"
  | "no-chain"
  | "unknown"
  | "expiring";

const BASIC = ["smtp"];
const REFUSE = { smtpd_delay_reject: "no" };

export const MAIL_SERVERS: Readonly<Record<string, MailServer>> = {
  mx: {
    address: "198.18.0.25",
    address6: "2001:db8::25",
    services: ["smtp", "submission", "submissions", "imap", "imaps", "pop3s", "sieve"],
    tlsa: "right",
  },
  second: { address: "198.18.0.26", services: BASIC },
  plain: { address: "198.18.0.27", services: BASIC },
  expired: { address: "198.18.1.1", certificate: "expired", services: BASIC },
  "other-name": { address: "198.18.1.2", certificate: "other-name", services: BASIC },
  "self-signed": { address: "198.18.1.3", certificate: "self-signed", services: BASIC },
  "no-chain": { address: "198.18.1.4", certificate: "no-chain", services: BASIC },
  unknown: { address: "198.18.1.5", certificate: "unknown", services: BASIC },
  expiring: { address: "198.18.1.6", certificate: "expiring", services: BASIC },
  "no-tls": { address: "198.18.1.7", certificate: "none", services: BASIC },
  defers: { address: "198.18.1.8", smtp: { ...REFUSE, smtpd_client_restrictions: "defer" }, services: BASIC },
  rejects: {
    address: "198.18.1.9",
    smtp: { ...REFUSE, smtpd_client_restrictions: "reject" },
    services: BASIC,
  },
  closed: { address: "198.18.1.10", closed: [25], services: BASIC },
  silent: { address: SILENT, closed: [25], services: BASIC },
  closed6: { address: "198.18.1.11", address6: "2001:db8::1:11", closed: [6], services: BASIC },
  localhost: { address: "198.18.1.12", smtp: { myhostname: "localhost" }, services: BASIC },
  nowhere: { address: "198.18.1.13", smtp: { myhostname: "no-such-host.hoster.example" }, services: BASIC },
  renamed: { address: "198.18.1.14", smtp: { myhostname: "mx.hoster.example" }, services: BASIC },
  "no-ptr": { address: "198.18.1.15", ptr: null, services: BASIC },
  pool: { address: "198.18.1.16", ptr: "198-18-1-16.pool.hoster.example", services: BASIC },
  "other-ptr": { address: "198.18.1.17", ptr: "mx.hoster.example", services: BASIC },
  "old-tls": {
    address: "198.18.1.18",
    smtp: {
      smtpd_tls_protocols: ">=TLSv1, <=TLSv1.1",
      smtpd_tls_mandatory_ciphers: "low",
      tls_medium_cipherlist: "ALL:@SECLEVEL=0",
    },
    services: BASIC,
  },
  renewed: { address: "198.18.1.19", tlsa: "wrong", services: BASIC },
  listed: { address: "198.18.1.20", services: BASIC },
  "no-imap": { address: "198.18.1.21", services: ["smtp", "imaps"], closed: [993] },
  "imap-expired": { address: "198.18.1.22", services: ["smtp", "imaps"], clientCertificate: "expired" },
  "imap-name": { address: "198.18.1.23", services: ["smtp", "imaps"], clientCertificate: "other-name" },
  "imap-clear": {
    address: "198.18.1.24",
    services: ["smtp", "imap"],
    dovecot: { disable_plaintext_auth: "no" },
  },
  "imap-no-tls": {
    address: "198.18.1.25",
    services: ["smtp", "imap"],
    clientCertificate: "none",
    dovecot: { disable_plaintext_auth: "yes" },
  },
  "no-submission": { address: "198.18.1.26", services: ["smtp", "submissions"], closed: [465] },
  "bad-spf-helo": { address: "198.18.1.27", services: BASIC },
  "no-ehlo": {
    address: "198.18.1.28",
    services: BASIC,
    certificate: "none",
    smtp: { smtpd_discard_ehlo_keywords: "starttls" },
  },
};

export interface MailWorld {
  /** The domain is NAME.example. */
  readonly name: string;
  readonly why: string;
  /** Names of MAIL_SERVERS, or whole host names, best first. */
  readonly mx: readonly string[];
  readonly without: readonly string[];
  readonly add: readonly string[];
  /** The web server that answers for mta-sts., autoconfig. and autodiscover. */
  readonly web: string;
  readonly pages: Readonly<Record<string, WebPage>>;
  readonly mode: "testing" | "enforce";
  /** Signed, with a DS in the zone above. */
  readonly signed: boolean;
  /** One of the two name servers has the zone in an older state, or not at all. */
  readonly second?: "lame";
  /** The codes of all errors, warnings and unknowns, sorted. */
  readonly red: readonly FindingCode[];
}

type Change = Partial<Omit<MailWorld, "name" | "why" | "red">>;

function world(name: string, why: string, change: Change, ...red: FindingCode[]): MailWorld {
  return {
    name,
    why,
    mx: ["plain"],
    without: [],
    add: [],
    web: WEB,
    pages: {},
    mode: "testing",
    signed: false,
    ...change,
    red: red.sort(),
  };
}

/** `%` stands for the world's domain. */
const txt = (owner: string, ...texts: string[]): Change => ({
  without: [`${owner} TXT`],
  add: texts.map(
    (text) =>
      `${owner}. TXT ${(text.match(/.{1,200}/g) ?? []).map((part) => JSON.stringify(part)).join(" ")}`,
  ),
});
const KEY_OWNER = "default._domainkey.%";
const at = (...mx: string[]): Change => ({ mx });
const policyOf = (lines: readonly string[], contentType = "text/plain"): Change => ({
  pages: { [POLICY_PATH]: { body: `${lines.join("\r\n")}\r\n`, contentType } },
});
const MX_LINE = "mx: plain.hoster.example";

export const MAIL_WORLDS: readonly MailWorld[] = [
  world("healthy", "all services, DANE, signed: all is well", { mx: ["mx"], mode: "enforce", signed: true }),
  world("two", "two mail servers, the second as good as the first", { mx: ["mx", "second"] }),

  world("m-closed", "R14: nothing listens on port 25", at("closed"), "smtp-refused"),
  world("m-silent", "R14: a firewall drops port 25", at("mx", "silent"), "smtp-timeout"),
  world("m-backup", "the second mail server is off", at("mx", "closed"), "smtp-refused"),
  world("m-defers", "R14: 450 at the door", at("defers"), "smtp-temporary"),
  world("m-rejects", "R14: 554 at the door", at("rejects"), "smtp-rejects"),
  world("m-closed6", "R23: AAAA, and nothing listens there", at("closed6"), "smtp-refused"),
  world("m-expired", "the certificate has ended", at("expired"), "certificate-expired"),
  world("m-name", "the certificate is for another name", at("other-name"), "certificate-name-mismatch"),
  world("m-self", "the certificate vouches for itself", at("self-signed"), "certificate-self-signed"),
  world("m-chain", "the chain is not sent along", at("no-chain"), "certificate-incomplete-chain"),
  world("m-unknown", "an authority that nobody knows", at("unknown"), "certificate-unknown-authority"),
  world("m-expiring", "the certificate ends in three days", at("expiring"), "certificate-expiring"),
  world("m-no-tls", "no STARTTLS", at("no-tls"), "smtp-no-starttls"),
  world(
    "m-no-tls-sts",
    "no STARTTLS, and MTA-STS enforced",
    { mx: ["no-tls"], mode: "enforce" },
    "smtp-no-starttls",
  ),
  world(
    "m-sts-name",
    "MTA-STS enforced, and a certificate for another name",
    { mx: ["other-name"], mode: "enforce" },
    "certificate-name-mismatch",
  ),
  world("m-old", "TLS 1.1 at best", at("old-tls"), "tls-only-old"),
  world("m-localhost", "EHLO localhost", at("localhost"), "smtp-name-invalid"),
  world("m-nowhere", "EHLO of a name without an address", at("nowhere"), "smtp-name-no-address"),
  world("m-renamed", "R30: EHLO of another name than PTR and MX", at("renamed"), "smtp-name-differs"),
  world("m-no-ptr", "no PTR", at("no-ptr"), "ptr-missing"),
  world("m-pool", "a PTR that the provider made up", at("pool"), "ptr-generic"),
  world("m-other-ptr", "a PTR of another host", at("other-ptr"), "ptr-not-confirmed"),
  world("m-renewed", "struggle 15: a new key, and TLSA of the old one", at("renewed"), "tlsa-mismatch"),
  world("m-listed", "struggle 21: the address is on a block list", at("listed"), "dnsbl-listed"),

  world("s-no-imap", "imaps is announced and closed", at("no-imap"), "service-closed"),
  world("s-no-submission", "submissions is announced and closed", at("no-submission"), "service-closed"),
  world("s-expired", "the certificate of imaps has ended", at("imap-expired"), "certificate-expired"),
  world(
    "s-name",
    "the certificate of imaps is for another name",
    at("imap-name"),
    "certificate-name-mismatch",
  ),
  world("s-clear", "imap takes passwords before TLS", at("imap-clear"), "service-auth-in-clear"),
  world("s-no-tls", "imap without STARTTLS", at("imap-no-tls"), "service-no-tls"),
  world(
    "s-port",
    "struggle 25: imaps with the port of pop3s",
    { mx: ["mx"], without: ["_imaps._tcp.% SRV"], add: ["_imaps._tcp.%. SRV 0 1 995 mx.hoster.example."] },
    "record-differs",
    "service-untold",
    "srv-wrong-port",
  ),

  world(
    "w-404",
    "the policy is not there",
    { pages: { [POLICY_PATH]: { status: 404 } } },
    "mta-sts-policy-status",
  ),
  world(
    "w-redirect",
    "the policy is elsewhere",
    { pages: { [POLICY_PATH]: { redirect: "https://www.hoster.example/sts" } } },
    "mta-sts-policy-redirect",
  ),
  world(
    "w-html",
    "the policy as HTML",
    policyOf(["version: STSv1", "mode: testing", MX_LINE, "max_age: 86400"], "text/html"),
    "mta-sts-policy-content-type",
  ),
  world(
    "w-no-age",
    "the policy without max_age",
    policyOf(["version: STSv1", "mode: testing", MX_LINE]),
    "mta-sts-policy-max-age",
  ),
  world(
    "w-not-named",
    "struggle 16: the enforced policy names another server",
    {
      ...policyOf(["version: STSv1", "mode: enforce", "mx: mail.hoster.example", "max_age: 604800"]),
      mode: "enforce",
    },
    "mta-sts-mx-not-in-policy",
  ),
  world(
    "w-wildcard",
    "struggle 16: a wildcard is exactly one label",
    {
      ...policyOf(["version: STSv1", "mode: enforce", "mx: *.mx.hoster.example", "max_age: 604800"]),
      mode: "enforce",
    },
    "mta-sts-mx-not-in-policy",
  ),
  world(
    "w-more",
    "the policy names a server more",
    policyOf(["version: STSv1", "mode: testing", MX_LINE, "mx: old.hoster.example", "max_age: 86400"]),
    "mta-sts-policy-differs",
    "mta-sts-policy-names-other",
  ),
  world(
    "w-name",
    "the web server's certificate is for its own name",
    { web: WEB_OTHER_NAME },
    "certificate-name-mismatch",
    "mta-sts-policy-certificate",
  ),
  world(
    "w-expired",
    "the web server's certificate has ended",
    { web: WEB_EXPIRED },
    "certificate-expired",
    "mta-sts-policy-certificate",
  ),
  world(
    "w-closed",
    "the web server is off",
    { web: EMPTY },
    "mta-sts-policy-unreachable",
    "settings-unreachable",
  ),
  world(
    "w-silent",
    "the web server gives no answer",
    { web: SILENT },
    "mta-sts-policy-untold",
    "settings-untold",
  ),
  world("w-no-tls", "port 443 without TLS", { web: WEB_WITHOUT_TLS }, "mta-sts-policy-tls", "settings-tls"),
  world(
    "w-settings",
    "a web page instead of settings",
    { pages: { "/mail/config-v1.1.xml": { body: "<html>", contentType: "text/html" } } },
    "settings-not-served",
  ),

  world("d-no-spf", "no SPF", { without: ["% TXT"] }, "spf-missing"),
  world(
    "d-two-spf",
    "struggle 8: two SPF records",
    txt("%", "v=spf1 mx -all", "v=spf1 a -all"),
    "spf-several-records",
  ),
  world(
    "d-spf-syntax",
    "an SPF term that is none",
    txt("%", "v=spf1 mx ip4:198.18.0.27/33 -all"),
    "spf-syntax",
  ),
  world(
    "d-spf-lookups",
    "struggle 7: eleven lookups",
    txt(
      "%",
      `v=spf1 mx ${Array.from({ length: 10 }, () => "a:plain.hoster.example")
        .map((term, n) => (n === 0 ? term : `include:i${n}.hoster.example`))
        .join(" ")} -all`,
    ),
    "spf-too-many-lookups",
  ),
  world(
    "d-spf-other",
    "R38: SPF that does not allow the server",
    txt("%", "v=spf1 ip4:198.18.9.9 -all"),
    "spf-address-not-covered",
  ),
  world(
    "d-no-key",
    "struggle 5: the signer's key is not published",
    { without: [`${KEY_OWNER} TXT`] },
    "dkim-missing",
  ),
  world(
    "d-other-key",
    "struggle 4: another key",
    txt(KEY_OWNER, `v=DKIM1; k=rsa; p=${OTHER_DKIM_KEY}`),
    "dkim-key-differs",
  ),
  world(
    "d-cut-key",
    "struggle 1: the key was cut off",
    txt(KEY_OWNER, `v=DKIM1; k=rsa; p=${DKIM_KEY.slice(0, 210)}`),
    "dkim-key-cut-off",
  ),
  world("d-testing", "t=y in the key", txt(KEY_OWNER, `v=DKIM1; k=rsa; t=y; p=${DKIM_KEY}`), "dkim-testing"),
  world(
    "d-apex-key",
    "struggle 3: the key at the domain itself",
    { add: [`%. TXT "v=DKIM1; k=rsa; p=${DKIM_KEY.slice(0, 200)}" "${DKIM_KEY.slice(200)}"`] },
    "dkim-wrong-owner",
  ),
  world("d-no-dmarc", "no DMARC", { without: ["_dmarc.% TXT"] }, "dmarc-missing"),
  world(
    "d-two-dmarc",
    "struggle 18: two DMARC records",
    txt("_dmarc.%", "v=DMARC1; p=quarantine; rua=mailto:dmarc@%", "v=DMARC1; p=reject"),
    "dmarc-several-records",
  ),
  world(
    "d-dmarc-none",
    "p=none",
    txt("_dmarc.%", "v=DMARC1; p=none; rua=mailto:dmarc@%"),
    "dmarc-differs",
    "dmarc-policy-none",
  ),
  world(
    "d-address",
    "R8: the MX is an address",
    { without: ["% MX"], add: ["%. MX 10 198.18.0.27."] },
    "mx-is-address",
  ),
  world(
    "d-alias",
    "struggle 28, E4: the MX is an alias",
    { mx: ["alias.%"], add: ["alias.%. CNAME plain.hoster.example."] },
    "mx-is-alias",
  ),
  world("d-no-host", "R9: the MX does not exist", { mx: ["gone.%"], add: [] }, "mx-host-no-address"),
  world(
    "d-other-mx",
    "R10: the MX is another than described",
    { without: ["% MX"], add: ["%. MX 10 second.hoster.example."] },
    "mx-differs",
    "mta-sts-mx-not-in-policy",
  ),
  world(
    "d-caa",
    "CAA that forbids the authority of the policy's certificate",
    { without: ["% CAA"], add: ['%. CAA 0 issue "digicert.com"'] },
    "caa-forbids-issuer",
  ),
  world(
    "d-tls-rpt",
    "TLS reports to nowhere",
    txt("_smtp._tls.%", "v=TLSRPTv1; rua=tls@%"),
    "tls-rpt-uri",
    "record-differs",
  ),
  world(
    "d-wildcard",
    "struggle 27: a wildcard",
    { add: ['*.%. TXT "v=spf1 -all"'], without: ["_dmarc.% TXT"] },
    "dmarc-unrelated-txt",
    "zone-wildcard",
    "dmarc-missing",
  ),
  world(
    "d-doubled",
    "struggle 2: the domain twice",
    { add: ["mail.%.%. A 198.18.0.27"] },
    "zone-doubled-name",
  ),
  world("d-lame", "a name server that does not know the zone", { second: "lame" }, "zone-lame-server"),
  world(
    "d-private",
    "E2: a private address",
    { mx: ["mail.%"], add: ["mail.%. A 10.1.2.3"] },
    "address-special",
  ),
];

export const domainOf = ({ name }: Pick<MailWorld, "name">): string => `${name}.example`;
export const hostOf = (server: string): string => `${server}.hoster.example`;

const DAY_MILLISECONDS = 86_400_000;
const inDays = (days: number): Date => new Date(Date.now() + days * DAY_MILLISECONDS);

export interface Certificates {
  readonly authority: TestAuthority;
  readonly served: Readonly<Record<CertificateName, ServedCertificate>>;
  readonly web: ServedCertificate;
  readonly webExpired: ServedCertificate;
  /** PEM of the certificate behind TLSA, and of one that no server has. */
  readonly right: string;
  readonly wrong: string;
}

/** The authority goes by a name that CAA knows. */
export function makeCertificates(): Certificates {
  const authority = createAuthority("Let's Encrypt");
  const stranger = createAuthority("Nobody's Authority");
  const names = [...Object.keys(MAIL_SERVERS).map(hostOf), "alias.d-alias.example"];
  const webNames = [
    "web.hoster.example",
    ...MAIL_WORLDS.flatMap((each) =>
      ["mta-sts", "autoconfig", "autodiscover"].map((label) => `${label}.${domainOf(each)}`),
    ),
  ];
  const subject = "mail.hoster.example";
  const good = authority.issue({ subject, names });
  const self = issueCertificate({ subject, names });
  const ended = { notBefore: inDays(-100), notAfter: inDays(-1) };
  return {
    authority,
    served: {
      good,
      expired: authority.issue({ subject, names, ...ended }),
      "other-name": authority.issue({ subject: "www.hoster.example", names: ["www.hoster.example"] }),
      "self-signed": { chain: self.certificate, key: self.key },
      "no-chain": { chain: good.certificate, key: good.key },
      unknown: stranger.issue({ subject, names }),
      expiring: authority.issue({ subject, names, notBefore: inDays(-60), notAfter: inDays(3) }),
    },
    web: authority.issue({ subject: "web.hoster.example", names: webNames }),
    webExpired: authority.issue({ subject: "web.hoster.example", names: webNames, ...ended }),
    right: good.certificate,
    wrong: self.certificate,
  };
}

function mxHost(name: string, world: MailWorld): string {
  return name.includes(".") ? name.replace("%", domainOf(world)) : hostOf(name);
}

/** Where the MX is at fault, SPF does not lean on it. */
function spfOf({ name, mx }: MailWorld) {
  const servers = mx.every((each) => each in MAIL_SERVERS) ? mx : ["plain"];
  const leans = servers === mx && !/^d-(address|other-mx)$/.test(name);
  return { servers: servers.map(hostOf), mechanisms: [leans ? "mx" : "addresses"], ending: "fail" };
}

/** zonepost.yaml of the hoster, as JSON (which is YAML). */
export function describeWorlds({ right, wrong }: Certificates): string {
  return JSON.stringify({
    servers: Object.entries(MAIL_SERVERS).map(([name, server]) => ({
      host: hostOf(name),
      addresses: [server.address, ...(server.address6 === undefined ? [] : [server.address6])],
      services: server.services,
      ...(server.tlsa && { tlsa: [{ certificate: server.tlsa === "right" ? right : wrong }] }),
    })),
    domains: MAIL_WORLDS.map((each) => ({
      domain: domainOf(each),
      mx: each.mx.map((name) => mxHost(name, each)),
      spf: spfOf(each),
      dkim: [{ selector: "default", publicKey: DKIM_KEY }],
      dmarc: { policy: "quarantine", reports: [`dmarc@${domainOf(each)}`] },
      mtaSts: { mode: each.mode, host: webHostOf(each.web) },
      tlsReports: `tls@${domainOf(each)}`,
      clientSetup: { host: webHostOf(each.web) },
      caa: ["letsencrypt.org"],
    })),
  });
}

const WEB_HOSTS: Readonly<Record<string, string>> = {
  [WEB]: "web.hoster.example",
  [WEB_OTHER_NAME]: "www.hoster.example",
  [WEB_EXPIRED]: "web-expired.hoster.example",
  [EMPTY]: "web-off.hoster.example",
  [WEB_WITHOUT_TLS]: "web-clear.hoster.example",
  [SILENT]: "web-silent.hoster.example",
};

function webHostOf(address: string): string {
  const host = WEB_HOSTS[address];
  if (host === undefined) throw new Error(`no web host at ${address}`);
  return host;
}

/** What the hoster's zone holds beside what is derived: web hosts, a block list, includes of SPF. */
export const HOSTER_LINES: readonly string[] = [
  ...Object.entries(WEB_HOSTS).map(([address, host]) => `${host}. A ${address}`),
  "2.0.0.127.bl.hoster.example. A 127.0.0.2",
  "20.1.18.198.bl.hoster.example. A 127.0.0.4",
  "198-18-1-16.pool.hoster.example. A 198.18.1.16",
  ...Array.from({ length: 9 }, (_, n) => `i${n + 1}.hoster.example. TXT "v=spf1 ip4:198.18.0.${n + 1} -all"`),
];

export const ALL_ADDRESSES: readonly string[] = [
  ROOT_SERVER,
  ...NAME_SERVERS,
  ...Object.keys(WEB_HOSTS).filter((address) => address !== SILENT),
  ...Object.values(MAIL_SERVERS).flatMap(({ address, address6 }) => [
    ...(address === SILENT ? [] : [address]),
    ...(address6 === undefined ? [] : [address6]),
  ]),
];

export function postfixListeners({ served }: Certificates): readonly PostfixListener[] {
  return Object.entries(MAIL_SERVERS).flatMap(([name, server]) => {
    const {
      address,
      address6,
      certificate = "good",
      clientCertificate = "good",
      closed = [],
      services = [],
    } = server;
    const hello = { myhostname: hostOf(name) };
    const tls = (which: CertificateName | "none") => (which === "none" ? {} : { certificate: served[which] });
    const addresses = [address, ...(address6 === undefined || closed.includes(6) ? [] : [address6])];
    const login = { ...hello, smtpd_sasl_auth_enable: "yes", smtpd_tls_auth_only: "yes" };
    return addresses.flatMap((at) => [
      ...(closed.includes(25)
        ? []
        : [{ address: at, port: 25, ...tls(certificate), options: { ...hello, ...server.smtp } }]),
      ...(services.includes("submission")
        ? [{ address: at, port: 587, ...tls(clientCertificate), options: login }]
        : []),
      ...(services.includes("submissions") && !closed.includes(465)
        ? [{ address: at, port: 465, ...tls(clientCertificate), isTlsFirst: true, options: login }]
        : []),
    ]);
  });
}

const DOVECOT_PORTS = { imap: 143, imaps: 993, pop3s: 995, sieve: 4190 } as const;

export function dovecotSetup({ served }: Certificates): {
  readonly listeners: readonly DovecotListener[];
  readonly addresses: readonly DovecotAddress[];
} {
  const servers = Object.values(MAIL_SERVERS).flatMap((server) =>
    [server.address, ...(server.address6 === undefined ? [] : [server.address6])].map((address) => ({
      ...server,
      address,
    })),
  );
  const listeners = servers.flatMap(({ address, services = [], closed = [] }) =>
    Object.entries(DOVECOT_PORTS)
      .filter(([protocol, port]) => services.includes(protocol) && !closed.includes(port))
      .map(([protocol, port]) => ({ protocol: protocol as DovecotListener["protocol"], address, port })),
  );
  const used = new Set(listeners.map(({ address }) => address));
  return {
    listeners,
    addresses: servers
      .filter(({ address }) => used.has(address))
      .map(({ address, clientCertificate = "good", dovecot }) => ({
        address,
        ...(clientCertificate !== "none" && { certificate: served[clientCertificate] }),
        ...(dovecot && { settings: dovecot }),
      })),
  };
}

/** `policyAt`: the derived policy of a domain. */
export function webSites(
  certificates: Certificates,
  policyAt: (domain: string) => string,
): readonly WebSite[] {
  const sites = MAIL_WORLDS.filter(({ web }) => [WEB, WEB_OTHER_NAME, WEB_EXPIRED].includes(web)).map(
    (each) => {
      const domain = domainOf(each);
      const certificate =
        each.web === WEB
          ? certificates.web
          : each.web === WEB_EXPIRED
            ? certificates.webExpired
            : certificates.served["other-name"];
      return {
        address: each.web,
        port: 443,
        names: ["mta-sts", "autoconfig", "autodiscover"].map((label) => `${label}.${domain}`),
        certificate,
        pages: {
          [POLICY_PATH]: { body: policyAt(domain), contentType: "text/plain" },
          "/mail/config-v1.1.xml": { body: "<clientConfig version='1.1'/>", contentType: "text/xml" },
          "/autodiscover/autodiscover.xml": { status: 401 },
          ...each.pages,
        },
      };
    },
  );
  return [...sites, { address: WEB_WITHOUT_TLS, port: 443, names: ["_"], pages: {} }];
}
