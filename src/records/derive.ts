/** Description → the records that should exist, each with its reason. Pure: the same description, the same records. */

import { createHash } from "node:crypto";
import { tlsaOwner } from "../standards/dane/tlsa.ts";
import { formatDkimKey, recordForKey } from "../standards/dkim/key-record.ts";
import { dkimOwner } from "../standards/dkim/selector.ts";
import {
  type DmarcPolicy,
  type DmarcRecord,
  formatDmarcRecord,
  MONITORING,
  reportDomain,
} from "../standards/dmarc/record.ts";
import { type IpAddress, reverseName, specialPurpose } from "../standards/dns/address.ts";
import { type DomainName, isWithin, labelCount, prepend, ROOT } from "../standards/dns/name.ts";
import {
  type Rdata,
  type RdataOf,
  type RecordType,
  textToOctets,
  toCharacterStrings,
  typeOf,
} from "../standards/dns/record.ts";
import { formatPolicy } from "../standards/mta-sts/policy.ts";
import type {
  Creator,
  Derived,
  DerivedFile,
  DerivedRecord,
  Importance,
  Note,
  Purpose,
} from "./derived-record.ts";
import {
  type DescribedDkimKey,
  type Description,
  type MailDomain,
  outboundAddresses,
  type Server,
} from "./description.ts";

/** Seconds; a type that is not named has the default. Samples of R20 are legal values for all of them. */
const DEFAULT_TTL_SECONDS = 3600;
const SRV_TTL_SECONDS = 18_000;
/** For addresses that may change at any time: short enough to follow, long enough to be cached at all. */
const CHANGING_TTL_SECONDS = 300;

export function derive(description: Description): Derived {
  const draft = new Draft(description);
  for (const domain of description.domains) {
    deriveReceiving(domain, draft);
    deriveHosts(domain, draft);
    deriveSending(domain, draft);
    deriveTransport(domain, draft);
    deriveClients(domain, draft);
    deriveRest(domain, draft);
  }
  for (const server of description.servers) if (!draft.hasHost(server)) deriveHost(server, draft);
  return draft.finish();
}

/** The servers that serve a domain: those named in its MX, else all that offer smtp. */
export function mailServersOf(
  domain: MailDomain,
  description: Description,
): { host: DomainName; preference: number }[] {
  if (!domain.receives) return [];
  const named =
    domain.mx ??
    description.servers
      .filter(({ services }) => services.includes("smtp"))
      .map(({ host }) => ({ host, preference: undefined }));
  return named.map(({ host, preference }, at) => ({ host, preference: preference ?? 10 * (at + 1) }));
}

/** The servers that send for a domain: those named under spf.servers, else all. */
export function sendingServersOf(domain: MailDomain, description: Description): readonly Server[] {
  const { servers } = domain.spf;
  return servers === undefined
    ? description.servers
    : description.servers.filter(({ host }) => servers.includes(host));
}

/** The described domain nearest above (or at) a name. */
export function describedDomainOf(name: DomainName, description: Description): MailDomain | undefined {
  return description.domains
    .filter(({ domain }) => isWithin(name, domain))
    .reduce<MailDomain | undefined>(
      (best, each) => (best === undefined || labelCount(each.domain) > labelCount(best.domain) ? each : best),
      undefined,
    );
}

/** The zone that holds a described domain: the outermost described domain above it, or it itself. */
export function zoneOf(domain: DomainName, description: Description): DomainName {
  return description.domains
    .map((each) => each.domain)
    .filter((each) => isWithin(domain, each))
    .reduce((outermost, each) => (labelCount(each) < labelCount(outermost) ? each : outermost), domain);
}

/** What `zonepost records DOMAIN` shows: the domain's own records, and those of its servers that nobody else's are. */
export function derivedFor(domain: DomainName, derived: Derived, description: Description): Derived {
  const described = description.domains.find((each) => each.domain === domain);
  const hosts = new Set(described ? mailServersOf(described, description).map(({ host }) => host) : []);
  const isMine = (record: DerivedRecord) => {
    if (record.domain !== undefined) return record.domain === domain;
    if (record.server === undefined) return false;
    const home = describedDomainOf(record.server, description);
    return home === undefined ? hosts.has(record.server) : home.domain === domain;
  };
  const about = (name: DomainName) =>
    name === domain || (describedDomainOf(name, description)?.domain ?? domain) === domain;
  return {
    records: derived.records.filter(isMine),
    files: derived.files.filter((file) => file.domain === domain),
    notes: derived.notes.filter((note) => about(note.about)),
  };
}

interface Meaning {
  readonly purpose: Purpose;
  readonly importance: Importance;
  readonly reason: string;
  readonly reference: string;
  readonly server?: DomainName;
  readonly caution?: string;
  readonly creator?: Creator;
  readonly ttlSeconds?: number;
}

/** What has been derived so far; the only mutable thing here. */
class Draft {
  readonly description: Description;
  readonly #records = new Map<string, DerivedRecord>();
  readonly #files: DerivedFile[] = [];
  readonly #notes: Note[] = [];
  readonly #hosts = new Set<DomainName>();

  constructor(description: Description) {
    this.description = description;
  }

  add(name: DomainName, data: Rdata, meaning: Meaning): void {
    const home = describedDomainOf(name, this.description);
    const { ttlSeconds, creator, ...rest } = meaning;
    const record = { name, ttlSeconds: this.#ttl(typeOf(data), home, ttlSeconds), data };
    const key = `${name} ${JSON.stringify(data)}`;
    if (this.#records.has(key)) return;
    this.#records.set(key, {
      record,
      creator: creator ?? (home ? "you" : "zone-owner"),
      domain: home?.domain,
      ...rest,
    });
  }

  /** What is said of the type wins, then what the record's own kind asks for, then what is said of all types. */
  #ttl(type: RecordType, home: MailDomain | undefined, own: number | undefined): number {
    const said = [home?.ttl, this.description.ttl];
    const ofType = said
      .map((ttl) => ttl?.[type as keyof typeof ttl])
      .find((seconds) => seconds !== undefined);
    const ofAll = said.map((ttl) => ttl?.default).find((seconds) => seconds !== undefined);
    return ofType ?? own ?? ofAll ?? (type === "SRV" ? SRV_TTL_SECONDS : DEFAULT_TTL_SECONDS);
  }

  addFile(file: DerivedFile): void {
    this.#files.push(file);
  }

  note(about: DomainName, text: string): void {
    this.#notes.push({ about, text });
  }

  /** True from the second time on. */
  hasHost({ host }: Server): boolean {
    const had = this.#hosts.has(host);
    this.#hosts.add(host);
    return had;
  }

  server(host: DomainName): Server | undefined {
    return this.description.servers.find((server) => server.host === host);
  }

  finish(): Derived {
    return { records: [...this.#records.values()], files: this.#files, notes: this.#notes };
  }
}

const txt = (text: string): RdataOf<"TXT"> => ({
  type: "TXT",
  strings: toCharacterStrings(textToOctets(text)),
});
const cname = (target: DomainName): Rdata => ({ type: "CNAME", target });

function deriveReceiving(domain: MailDomain, draft: Draft): void {
  if (!domain.receives) {
    draft.add(
      domain.domain,
      { type: "MX", preference: 0, exchange: ROOT },
      {
        purpose: "null-mx",
        importance: "required",
        reason: `${domain.domain} receives no mail: a null MX tells senders so at once, and stops the fallback to its address`,
        reference: "RFC 7505 §3",
      },
    );
    return;
  }
  const servers = mailServersOf(domain, draft.description);
  const best = Math.min(...servers.map(({ preference }) => preference));
  for (const { host, preference } of servers) {
    const first = preference === best;
    const shared = servers.filter((other) => other.preference === preference).length > 1;
    draft.add(
      domain.domain,
      { type: "MX", preference, exchange: host },
      {
        purpose: "mx",
        importance: "required",
        reason: first
          ? `mail for ${domain.domain} goes to ${host}: preference ${preference} is ${shared ? "tried first, the load shared with its equals" : "tried first"}`
          : `${host} takes the mail while every server with a lower number than ${preference} is out of reach`,
        reference: "RFC 5321 §5.1",
      },
    );
    if (draft.server(host) === undefined && describedDomainOf(host, draft.description) !== undefined) {
      draft.note(
        domain.domain,
        `${host} is not among the servers of the description, so its addresses are not derived`,
      );
    }
  }
}

/** Addresses, PTR and HELO of the servers whose names lie in the domain's zone. */
function deriveHosts(domain: MailDomain, draft: Draft): void {
  for (const server of draft.description.servers) {
    const home = describedDomainOf(server.host, draft.description);
    if (home === domain && !draft.hasHost(server)) deriveHost(server, draft);
  }
}

function deriveHost(server: Server, draft: Draft): void {
  const { host, addresses } = server;
  const changing = server.addressKind !== "static";
  for (const address of addresses) {
    const special = specialPurpose(address);
    draft.add(host, addressData(address), {
      purpose: "host-address",
      importance:
        address.family === 4 || addresses.every(({ family }) => family === 6)
          ? "required"
          : "strongly-recommended",
      server: host,
      reason: `${host} is reached at ${address.text}; without it the MX leads nowhere`,
      reference: address.family === 4 ? "RFC 1035 §3.4.1" : "RFC 3596 §2.2",
      ...(changing && { ttlSeconds: CHANGING_TTL_SECONDS }),
      ...(special && { caution: `${address.text} is ${special.description}: the internet cannot reach it` }),
    });
  }
  if (server.addressKind === "moving") {
    draft.note(
      host,
      `its TTL is ${CHANGING_TTL_SECONDS} s while it moves; say addressKind: static again once the new addresses are in use`,
    );
  }
  if (addresses.every(({ family }) => family === 4)) {
    draft.note(
      host,
      "it has no IPv6 address, so no AAAA is planned; that is allowed, and IPv6 is recommended",
    );
  }
  const helo = server.helo ?? host;
  for (const address of outboundAddresses(server)) {
    draft.add(
      reverseName(address),
      { type: "PTR", target: helo },
      {
        purpose: "reverse",
        importance: "strongly-recommended",
        creator: "address-owner",
        server: host,
        reason: `mail from ${address.text} names itself ${helo}; receivers look the address up and refuse or junk mail where the two do not agree`,
        reference: "RFC 8601 §3",
      },
    );
  }
  const heloHome = draft.description.domains.find((each) => each.domain === helo);
  if (heloHome === undefined) {
    draft.add(helo, txt("v=spf1 a -all"), {
      purpose: "helo-spf",
      importance: "strongly-recommended",
      server: host,
      reason: `receivers also check the HELO name, and bounces have no other sender: ${helo} sends from its own addresses only`,
      reference: "RFC 7208 §2.3",
    });
  }
  for (const source of server.tlsa) deriveTlsa(server, source, draft);
}

function addressData(address: IpAddress): Rdata {
  return address.family === 4
    ? { type: "A", address: address.text }
    : { type: "AAAA", address: address.text };
}

/** SPF, DKIM, DMARC: who may send in the domain's name. */
function deriveSending(domain: MailDomain, draft: Draft): void {
  const { domain: name } = domain;
  if (!domain.sends) {
    const refuses = `${name} sends no mail`;
    draft.add(name, txt("v=spf1 -all"), {
      purpose: "spf",
      importance: "strongly-recommended",
      reason: `${refuses}: no address may use it as a sender`,
      reference: "RFC 7505 §4.2",
    });
    draft.add(prepend("*._domainkey", name), txt("v=DKIM1; p="), {
      purpose: "dkim-revoked",
      importance: "optional",
      reason: `${refuses}: every DKIM key in its name counts as revoked`,
      reference: "RFC 6376 §3.6.1",
    });
    draft.add(prepend("_dmarc", name), txt(dmarcText(domain, "reject")), {
      purpose: "dmarc",
      importance: "strongly-recommended",
      reason: `${refuses}: receivers are asked to reject whatever claims to come from it`,
      reference: "RFC 9989 §8",
    });
    return;
  }
  draft.add(name, txt(spfText(domain, draft.description)), {
    purpose: "spf",
    importance: "strongly-recommended",
    reason: `says which addresses may send for ${name}, and that others are ${SPF_ENDING_WORDS[domain.spf.ending]}`,
    reference: "RFC 7208 §3",
    ...(domain.spf.ending === "fail" && {
      caution:
        "with -all some receivers reject before they look at DKIM and DMARC, and such mail never shows in reports (RFC 9989 §7.1)",
    }),
  });
  for (const key of domain.dkim) deriveDkim(domain, key, draft);
  if (domain.dkim.length === 0) {
    draft.note(
      name,
      "no DKIM key is described yet: give the signer's public key under dkim, with its selector",
    );
  }
  draft.add(prepend("_dmarc", name), txt(dmarcText(domain, domain.dmarc.policy)), {
    purpose: "dmarc",
    importance: "strongly-recommended",
    reason: DMARC_REASONS[domain.dmarc.policy],
    reference: "RFC 9989 §4.7",
    ...(domain.dmarc.policy === "reject" && {
      caution: "a domain whose people write to mailing lists should stay at quarantine (RFC 9989 §7.4)",
    }),
  });
  deriveReportAuthorizations(domain, draft);
}

const SPF_ENDINGS = { softfail: "~all", fail: "-all", neutral: "?all" } as const;
const SPF_ENDING_WORDS = {
  softfail: "suspicious (~all, the careful ending)",
  fail: "forged (-all)",
  neutral: "neither good nor bad (?all)",
} as const;

/** `v=spf1 mx a ip4:… ip6:… include:… ~all`: cheap terms first, so that most mail is decided without more lookups. */
export function spfText(domain: MailDomain, description: Description): string {
  const { spf } = domain;
  const terms = spf.mechanisms.flatMap((mechanism) => {
    if (mechanism !== "addresses") return mechanism === "mx" && !domain.receives ? [] : [mechanism];
    const own = sendingServersOf(domain, description).flatMap((server) => outboundAddresses(server));
    return own.map((address) => `ip${address.family}:${address.text}`);
  });
  const others = spf.addresses.map(({ address, prefixLength }) => {
    const whole = prefixLength === (address.family === 4 ? 32 : 128);
    return `ip${address.family}:${address.text}${whole ? "" : `/${prefixLength}`}`;
  });
  const hosts = spf.hosts.map((host) => `a:${host}`);
  const includes = spf.include.map((included) => `include:${included}`);
  return ["v=spf1", ...new Set([...terms, ...others, ...hosts, ...includes]), SPF_ENDINGS[spf.ending]].join(
    " ",
  );
}

const DMARC_REASONS = {
  none: "asks receivers for reports and for nothing else: the stage for watching, a month at least",
  quarantine: "asks receivers to treat mail that fails as suspicious, and for reports",
  reject: "asks receivers to reject mail that fails, and for reports",
} as const;

/** The report mailboxes of a domain, with the default of the source documents: dmarc@ the domain itself. */
function aggregateReportUris(domain: MailDomain): readonly string[] {
  return domain.dmarc.reports ?? (domain.receives ? [`mailto:dmarc@${domain.domain}`] : []);
}

function deriveReportAuthorizations(domain: MailDomain, draft: Draft): void {
  for (const uri of [...aggregateReportUris(domain), ...(domain.dmarc.failureReports ?? [])]) {
    const receiver = reportDomain(uri);
    if (receiver === undefined) continue;
    const home = describedDomainOf(receiver, draft.description);
    const related = isWithin(receiver, domain.domain) || isWithin(domain.domain, receiver);
    if (home === undefined || related) continue;
    draft.add(prepend(`${domain.domain}._report._dmarc`, receiver), txt("v=DMARC1"), {
      purpose: "dmarc-report-authorization",
      importance: "required",
      reason: `lets ${receiver} receive the DMARC reports of ${domain.domain}; without it receivers send none`,
      reference: "RFC 9990 §4",
    });
  }
}

/** MTA-STS, TLS reports. */
function deriveTransport(domain: MailDomain, draft: Draft): void {
  const { domain: name } = domain;
  const hosts = mailServersOf(domain, draft.description).map(({ host }) => host);
  const [first] = hosts;
  if (domain.mtaSts !== undefined && first !== undefined) {
    const { mode } = domain.mtaSts;
    const content = formatPolicy({
      mode,
      maxAgeSeconds: domain.mtaSts.maxAgeSeconds ?? DEFAULT_MAX_AGE_SECONDS[mode],
      mx: hosts,
    });
    const policyHost = prepend("mta-sts", name);
    draft.addFile({
      domain: name,
      url: `https://${policyHost}/.well-known/mta-sts.txt`,
      mediaType: "text/plain",
      content,
    });
    draft.add(policyHost, cname(domain.mtaSts.host ?? first), {
      purpose: "mta-sts-host",
      importance: "optional",
      reason: `leads to the web server that serves the MTA-STS policy of ${name} with a certificate for ${policyHost}`,
      reference: "RFC 8461 §3.3",
    });
    draft.add(prepend("_mta-sts", name), txt(`v=STSv1; id=${policyId(content)};`), {
      purpose: "mta-sts",
      importance: "optional",
      reason:
        "tells senders that a policy asks for TLS with a valid certificate; its id changes whenever the policy does",
      reference: "RFC 8461 §3.1",
      caution: "publish it only once the policy is served",
    });
  }
  if (domain.tlsReports !== undefined) {
    draft.add(prepend("_smtp._tls", name), txt(`v=TLSRPTv1; rua=${domain.tlsReports.join(",")}`), {
      purpose: "tls-rpt",
      importance: "optional",
      reason: "asks senders to report daily whether TLS to the mail servers worked",
      reference: "RFC 8460 §3",
    });
  }
}

/** RFC 8461 §3.2 asks for weeks or more in production; a short life while the policy is being tried. */
const DEFAULT_MAX_AGE_SECONDS = { testing: 86_400, enforce: 1_209_600, none: 86_400 } as const;

/** 20 of the 32 alphanumerics that RFC 8461 §3.1 allows, from the policy's own octets: a new policy, a new id. */
function policyId(content: string): string {
  return createHash("sha256").update(content).digest("hex").slice(0, 20);
}

/** SRV, autoconfig, autodiscover: what mail programs look up. */
function deriveClients(domain: MailDomain, draft: Draft): void {
  const { clientSetup, domain: name } = domain;
  const [first] = mailServersOf(domain, draft.description);
  if (!clientSetup.enabled || first === undefined) return;
  const server = draft.server(first.host) ?? draft.description.servers[0];
  const host = clientSetup.host ?? first.host;
  for (const { service, srvName, port, priority } of CLIENT_SERVICES) {
    const offered = server?.services.includes(service) ?? false;
    if (!offered && !(clientSetup.declineOthers && DECLINABLE.has(service))) continue;
    draft.add(
      prepend(`${srvName}._tcp`, name),
      srv(offered ? { priority, weight: 1, port, target: first.host } : NOT_OFFERED),
      {
        purpose: "client-srv",
        importance: "optional",
        reason: offered
          ? `mail programs find ${service} at ${first.host}, port ${port}`
          : `says that ${service} is not offered`,
        reference: service === "submissions" ? "RFC 8314 §5.1" : "RFC 6186 §3",
      },
    );
  }
  draft.add(prepend("autoconfig", name), cname(host), {
    purpose: "autoconfig",
    importance: "optional",
    reason: "where Thunderbird and others look for the settings of a mailbox",
    reference: "draft-ietf-mailmaint-autoconfig",
  });
  draft.add(prepend("autodiscover", name), cname(host), {
    purpose: "autodiscover",
    importance: "optional",
    reason: "where Outlook looks for the settings of a mailbox",
    reference: "MS-OXDISCO",
  });
  draft.add(prepend("_autodiscover._tcp", name), srv({ priority: 0, weight: 1, port: 443, target: host }), {
    purpose: "autodiscover",
    importance: "optional",
    reason: "the last place where Outlook looks, and the one that needs no certificate for another name",
    reference: "MS-OXDISCO",
  });
}

const srv = (data: Omit<RdataOf<"SRV">, "type">): Rdata => ({ type: "SRV", ...data });
/** RFC 2782: a target of "." says that the service is decidedly not available. */
const NOT_OFFERED = { priority: 0, weight: 0, port: 0, target: ROOT };
/** Implicit TLS first (RFC 8314 §4.1): a lower priority is tried earlier. */
const CLIENT_SERVICES = [
  { service: "submissions", srvName: "_submissions", port: 465, priority: 0 },
  { service: "submission", srvName: "_submission", port: 587, priority: 10 },
  { service: "imaps", srvName: "_imaps", port: 993, priority: 0 },
  { service: "imap", srvName: "_imap", port: 143, priority: 10 },
  { service: "pop3s", srvName: "_pop3s", port: 995, priority: 20 },
  { service: "pop3", srvName: "_pop3", port: 110, priority: 30 },
  { service: "sieve", srvName: "_sieve", port: 4190, priority: 0 },
  { service: "jmap", srvName: "_jmap", port: 443, priority: 0 },
  { service: "caldavs", srvName: "_caldavs", port: 443, priority: 0 },
  { service: "carddavs", srvName: "_carddavs", port: 443, priority: 0 },
] as const;
const DECLINABLE = new Set<string>(["submission", "imap", "pop3", "pop3s"]);

/** XMPP, verification tokens, CAA, BIMI. */
function deriveRest(domain: MailDomain, draft: Draft): void {
  const { domain: name } = domain;
  const [first] = mailServersOf(domain, draft.description);
  const xmppHost = domain.xmpp?.host ?? first?.host;
  if (domain.xmpp !== undefined && xmppHost !== undefined) {
    for (const { srvName, port, weight, who, reference } of XMPP_SERVICES) {
      if (srvName.startsWith("_xmpps") && !domain.xmpp.directTls) continue;
      draft.add(prepend(`${srvName}._tcp`, name), srv({ priority: 0, weight, port, target: xmppHost }), {
        purpose: "xmpp",
        importance: "optional",
        reason: `XMPP ${who} find ${xmppHost}, port ${port}`,
        reference,
      });
    }
  }
  for (const { name: owner, value } of domain.verification) {
    draft.add(owner ?? name, txt(value), {
      purpose: "verification",
      importance: "optional",
      reason: `proves to a service that ${name} is yours`,
      reference: "RFC 1464",
    });
  }
  for (const { tag, value, critical } of domain.caa) {
    draft.add(
      name,
      { type: "CAA", flags: critical ? 128 : 0, tag, value: textToOctets(value) },
      {
        purpose: "caa",
        importance: "optional",
        reason:
          tag === "iodef"
            ? `authorities report refused requests to ${value}`
            : `${value === ";" ? "no authority" : value} may issue certificates (${tag})`,
        reference: tag === "issuemail" ? "RFC 9495 §3" : "RFC 8659 §4",
      },
    );
  }
  if (domain.bimi !== undefined) {
    const { logo, certificate, selector } = domain.bimi;
    draft.add(prepend(`${selector}._bimi`, name), txt(`v=BIMI1; l=${logo}; a=${certificate ?? ""}`), {
      purpose: "bimi",
      importance: "optional",
      reason: "shows the logo beside mail that passes DMARC",
      reference: "draft-brand-indicators-for-message-identification",
    });
  }
}

const XMPP_SERVICES = [
  { srvName: "_xmpp-client", port: 5222, weight: 5, who: "clients", reference: "RFC 6120 §3.2.1" },
  { srvName: "_xmpp-server", port: 5269, weight: 5, who: "servers", reference: "RFC 6120 §3.2.1" },
  { srvName: "_xmpps-client", port: 5223, weight: 5, who: "clients with direct TLS", reference: "XEP-0368" },
  { srvName: "_xmpps-server", port: 5270, weight: 5, who: "servers with direct TLS", reference: "XEP-0368" },
] as const;

function deriveDkim(domain: MailDomain, described: DescribedDkimKey, draft: Draft): void {
  const { domain: name } = domain;
  const { selector } = described;
  const meaning = {
    purpose: "dkim",
    importance: "strongly-recommended",
    reason: `receivers verify the signatures of ${name} with selector ${selector} by this key`,
    reference: "RFC 6376 §3.6.1",
  } as const;
  const owner = dkimOwner(selector, name);
  if ("cname" in described) return draft.add(owner, cname(described.cname), meaning);
  const { key } = described;
  const caution = key.keyType === "rsa" ? rsaCaution(key.modulusBits) : undefined;
  draft.add(owner, txt(formatDkimKey(recordForKey(key))), { ...meaning, ...(caution && { caution }) });
  if (
    key.keyType === "ed25519" &&
    !domain.dkim.some((other) => "key" in other && other.key.keyType === "rsa")
  ) {
    draft.note(
      name,
      `selector ${selector} is Ed25519 alone; large receivers verify RSA only, so sign with an RSA key too (RFC 8463 §3)`,
    );
  }
}

/** RFC 8301 §3.2: signers must use 1024 bits at least, and should use 2048. */
function rsaCaution(bits: number): string | undefined {
  if (bits < 1024) return `${bits} bits: verifiers must not accept the key (RFC 8301 §3.2)`;
  if (bits < 2048) return `${bits} bits are too few today: make a key of 2048 bits (RFC 8301 §3.2)`;
  return bits > 2048 ? `${bits} bits make a long record, which some forms cut off` : undefined;
}

/** v first, p second, and none of the removed tags (R62, R64). */
function dmarcText(domain: MailDomain, policy: DmarcPolicy): string {
  const { dmarc } = domain;
  const record: DmarcRecord = {
    ...MONITORING,
    policy,
    subdomainPolicy: dmarc.subdomainPolicy,
    nonexistentPolicy: dmarc.nonexistentPolicy,
    testing: dmarc.testing,
    spfAlignment: dmarc.spfAlignment ?? "relaxed",
    dkimAlignment: dmarc.dkimAlignment ?? "relaxed",
    aggregateUris: domain.sends ? aggregateReportUris(domain) : (dmarc.reports ?? []),
    failureUris: dmarc.failureReports ?? [],
    failureOptions: [dmarc.failureOptions ?? "0"],
  };
  const said = [
    ...(dmarc.spfAlignment === undefined ? [] : ["aspf" as const]),
    ...(dmarc.dkimAlignment === undefined ? [] : ["adkim" as const]),
    ...(dmarc.failureOptions === undefined ? [] : ["fo" as const]),
  ];
  return formatDmarcRecord(record, said);
}

/** TLSA for port 25 of a server; what signs it, and when it may change, is told beside it. */
function deriveTlsa(server: Server, data: RdataOf<"TLSA">, draft: Draft): void {
  draft.add(tlsaOwner(25, "tcp", server.host), data, {
    purpose: "tlsa",
    importance: "optional",
    server: server.host,
    reason: `senders that use DANE insist on TLS with this key at ${server.host}`,
    reference: "RFC 7672 §3.1",
    caution:
      "only with DNSSEC, and never let the key change before its next TLSA record has been published for two TTLs",
  });
}
