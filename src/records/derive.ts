/** Description → the records that should exist, each with its reason. Pure: the same description, the same records. */

import { createHash } from "node:crypto";
import { bimiOwner, DECLINED, formatBimiRecord } from "../standards/bimi/record.ts";
import { CRITICAL_FLAG } from "../standards/caa/record.ts";
import { CLIENT_SERVICES } from "../standards/client-setup/srv.ts";
import { tlsaOwner } from "../standards/dane/tlsa.ts";
import { formatDkimKey, recordForKey } from "../standards/dkim/key-record.ts";
import { dkimOwner, tryDkimOwner } from "../standards/dkim/selector.ts";
import {
  type DmarcPolicy,
  type DmarcRecord,
  formatDmarcRecord,
  MONITORING,
  reportDomain,
} from "../standards/dmarc/record.ts";
import { type IpAddress, reverseName, specialPurpose } from "../standards/dns/address.ts";
import { ancestors, type DomainName, isWithin, prepend, ROOT, tryPrepend } from "../standards/dns/name.ts";
import {
  type Rdata,
  type RdataOf,
  type RecordType,
  textToOctets,
  toCharacterStrings,
  typeOf,
} from "../standards/dns/record.ts";
import { formatPolicy, policyHost, policyUrl } from "../standards/mta-sts/policy.ts";
import { formatMtaStsRecord, mtaStsOwner } from "../standards/mta-sts/record.ts";
import { SPF_LIMITS } from "../standards/spf/evaluate.ts";
import { lookupCost, parseSpfRecord } from "../standards/spf/record.ts";
import { formatTlsRptRecord, tlsRptOwner } from "../standards/tls-rpt/record.ts";
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
  type Service,
} from "./description.ts";

/** Seconds; a type that is not named has the default. Samples of R20 are legal values for all of them. */
const DEFAULT_TTL_SECONDS = 3600;
const SRV_TTL_SECONDS = 18_000;
/** For addresses that may change at any time: short enough to follow, long enough to be cached at all. */
const CHANGING_TTL_SECONDS = 300;

export function derive(description: Description): Derived {
  const draft = new Draft(description);
  const servers = Map.groupBy(description.servers, ({ host }) => describedDomainOf(host, description));
  for (const domain of description.domains) {
    deriveReceiving(domain, draft);
    for (const server of servers.get(domain) ?? []) deriveHost(server, draft);
    deriveSending(domain, draft);
    deriveTransport(domain, draft);
    deriveClients(domain, draft);
    deriveRest(domain, draft);
  }
  for (const server of servers.get(undefined) ?? []) deriveHost(server, draft);
  return draft.finish();
}

/** A host of a domain's MX. */
interface MailServer {
  readonly host: DomainName;
  readonly preference: number;
  /** It takes no mail (R12). */
  readonly isTrap: boolean;
}

/** The servers that receive for a domain, best first: those named in its MX, else all that offer smtp. Traps come last. */
export function mailServersOf(domain: MailDomain, description: Description): readonly MailServer[] {
  if (!domain.receives) return [];
  const named =
    domain.mx ??
    description.servers
      .filter(({ services }) => services.includes("smtp"))
      .map(({ host }) => ({ host, preference: undefined, trap: false }));
  const [takers = [], traps = []] = [false, true].map((isTrap) =>
    named.filter(({ trap }) => trap === isTrap),
  );
  const servers = ranked(takers, 0);
  return [...servers, ...ranked(traps, Math.max(0, ...servers.map(({ preference }) => preference)))];
}

function ranked(named: NonNullable<MailDomain["mx"]>, from: number): readonly MailServer[] {
  let last = from;
  return named
    .map(({ host, preference = Math.min(last + PREFERENCE_STEP, 65_535), trap }) => {
      last = preference;
      return { host, preference, isTrap: trap };
    })
    .sort((x, y) => x.preference - y.preference);
}

/** From one mail server of a list to the next, where no preference is said (R2). */
const PREFERENCE_STEP = 10;

/** The servers that send for a domain: those named under spf.servers, else all. */
export function sendingServersOf(domain: MailDomain, description: Description): readonly Server[] {
  const { servers } = domain.spf;
  return servers === undefined
    ? description.servers
    : description.servers.filter(({ host }) => servers.includes(host));
}

/** The described domain nearest above (or at) a name. */
export function describedDomainOf(name: DomainName, description: Description): MailDomain | undefined {
  return describedAbove(name, description)[0];
}

/** The zone that holds a described domain: the outermost described domain above it, or it itself. */
export function zoneOf(domain: DomainName, description: Description): DomainName {
  return describedAbove(domain, description).at(-1)?.domain ?? domain;
}

/** What the description says of a domain itself. */
export function describedDomain(domain: DomainName, description: Description): MailDomain | undefined {
  return domainsOf(description).get(domain);
}

/** The described domains at and above a name, from the nearest. */
function describedAbove(name: DomainName, description: Description): readonly MailDomain[] {
  const known = domainsOf(description);
  return ancestors(name).flatMap((above) => known.get(above) ?? []);
}

function domainsOf(description: Description): ReadonlyMap<DomainName, MailDomain> {
  let byName = domainsByName.get(description);
  if (byName === undefined) {
    byName = new Map(description.domains.map((each) => [each.domain, each]));
    domainsByName.set(description, byName);
  }
  return byName;
}

/** Asked for every record, and there may be thousands of domains. */
const domainsByName = new WeakMap<Description, ReadonlyMap<DomainName, MailDomain>>();

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
  /** The targets of all MX records. */
  readonly mailHosts: ReadonlySet<DomainName>;
  readonly #records = new Map<string, DerivedRecord>();
  readonly #files: DerivedFile[] = [];
  readonly #notes: Note[] = [];

  constructor(description: Description) {
    this.description = description;
    this.mailHosts = new Set(
      description.domains.flatMap((domain) => mailServersOf(domain, description).map(({ host }) => host)),
    );
  }

  add(name: DomainName, data: Rdata, meaning: Meaning): void {
    const elsewhere = data.type === "TXT" ? this.#delegated(name, meaning.purpose) : undefined;
    if (elsewhere === undefined) return this.#put(name, data, meaning);
    this.delegate(name, elsewhere, meaning.importance);
    this.#put(elsewhere, data, { creator: "you", ...meaning });
  }

  /** An alias, made once, to where a record lives that changes. */
  delegate(name: DomainName, target: DomainName, importance: Importance): void {
    this.#put(name, cname(target), {
      purpose: "delegation",
      importance,
      reason: `the record itself lives at ${target}, where it can be changed without touching this zone`,
      reference: "RFC 1034 §3.6.2",
    });
  }

  /** Where the description puts a record of that purpose, if not at its own name. */
  #delegated(name: DomainName, purpose: Purpose): DomainName | undefined {
    const delegation = describedDomainOf(name, this.description)?.delegation;
    if (!delegation?.records.some((one) => one === purpose)) return undefined;
    const target = tryPrepend(name, delegation.zone);
    if (target === undefined) this.note(name, `is too long to live below ${delegation.zone}, so it stays`);
    return target;
  }

  #put(name: DomainName, data: Rdata, meaning: Meaning): void {
    const home = describedDomainOf(name, this.description);
    const { ttlSeconds, creator, ...rest } = meaning;
    const record = { name, ttlSeconds: this.ttlSeconds(typeOf(data), name, ttlSeconds), data };
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
  ttlSeconds(type: RecordType, name: DomainName, own?: number): number {
    const said = [describedDomainOf(name, this.description)?.ttl, this.description.ttl];
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

  server(host: DomainName): Server | undefined {
    return this.description.servers.find((server) => server.host === host);
  }

  finish(): Derived {
    const records = this.#withoutBarredAliases([...this.#records.values()]);
    return { records: withOneTtl(records), files: this.#files, notes: this.#notes };
  }

  /** RFC 1034 §3.6.2: an alias stands alone; RFC 2181 §10.3 and RFC 2782: no MX or SRV leads to one. */
  #withoutBarredAliases(records: readonly DerivedRecord[]): readonly DerivedRecord[] {
    const counts = new Map<DomainName, number>();
    const targets = new Set<DomainName>();
    for (const { record } of records) {
      counts.set(record.name, (counts.get(record.name) ?? 0) + 1);
      if (record.data.type === "MX") targets.add(record.data.exchange);
      if (record.data.type === "SRV") targets.add(record.data.target);
    }
    return records.filter(({ record: { name, data } }) => {
      if (data.type !== "CNAME") return true;
      const isTarget = targets.has(name);
      const isBarred = isTarget || counts.get(name)! > 1 || data.target === name;
      if (isBarred) {
        const why = isTarget ? "an MX or SRV leads to it" : "it has records of its own";
        this.note(name, `${why}, so it cannot be an alias (CNAME) of ${data.target}`);
      }
      return !isBarred;
    });
  }
}

/** RFC 2181 §5.2: the records of an RRset have one TTL. */
function withOneTtl(records: readonly DerivedRecord[]): readonly DerivedRecord[] {
  const key = ({ record }: DerivedRecord) => `${record.name} ${typeOf(record.data)}`;
  const shortest = new Map<string, number>();
  for (const each of records) {
    const known = shortest.get(key(each)) ?? Number.POSITIVE_INFINITY;
    shortest.set(key(each), Math.min(known, each.record.ttlSeconds));
  }
  return records.map((each) => ({
    ...each,
    record: { ...each.record, ttlSeconds: shortest.get(key(each))! },
  }));
}

const txt = (text: string): RdataOf<"TXT"> => ({
  type: "TXT",
  strings: toCharacterStrings(textToOctets(text)),
});
const cname = (target: DomainName): Rdata => ({ type: "CNAME", target });

const TRAP_CAUTION =
  "Publish it only while `zonepost trap listen` runs there: its name needs an address, its port has to be open to everybody, and it must never take mail or refuse it for good.";

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
  const best = servers[0]?.preference;
  for (const { host, preference, isTrap } of servers) {
    const first = preference === best;
    const shared = servers.filter((other) => other.preference === preference).length > 1;
    draft.add(
      domain.domain,
      { type: "MX", preference, exchange: host },
      {
        purpose: "mx",
        importance: isTrap ? "optional" : "required",
        ...(isTrap && { caution: TRAP_CAUTION }),
        reason: isTrap
          ? `${host} is a trap: tried last, it takes no mail, and shows who asks it without having tried the others`
          : first
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

/** Addresses, PTR and HELO of a server. */
function deriveHost(server: Server, draft: Draft): void {
  const { host, addresses } = server;
  const isMx = draft.mailHosts.has(host);
  const changing = server.addressKind !== "static";
  const ownTtl = changing ? CHANGING_TTL_SECONDS : undefined;
  for (const address of addresses) {
    const data = addressData(address);
    const caution = addressCaution(address, changing, draft.ttlSeconds(data.type, host, ownTtl));
    draft.add(host, data, {
      purpose: "host-address",
      importance:
        isMx && (address.family === 4 || addresses.every(({ family }) => family === 6))
          ? "required"
          : "strongly-recommended",
      server: host,
      reason: `${host} is reached at ${address.text}${isMx ? "; without it the MX leads nowhere" : ""}`,
      reference: address.family === 4 ? "RFC 1035 §3.4.1" : "RFC 3596 §2.2",
      ...(ownTtl !== undefined && { ttlSeconds: ownTtl }),
      ...(caution !== undefined && { caution }),
    });
  }
  if (server.addressKind === "moving") {
    draft.note(
      host,
      "its addresses have a short TTL while it moves; say addressKind: static again once the new ones are in use",
    );
  }
  if (addresses.every(({ family }) => family === 4)) {
    draft.note(
      host,
      "it has no IPv6 address, so no AAAA is planned; that is allowed, and IPv6 is recommended",
    );
  }
  deriveOutbound(server, draft);
  for (const source of server.tlsa) deriveTlsa(server, source, draft);
}

/** What receivers compare: the address leads to the HELO name, the name back to the address, and SPF allows it. */
function deriveOutbound(server: Server, draft: Draft): void {
  const { host, addresses } = server;
  const helo = server.helo ?? host;
  const isBound = helo !== host && draft.server(helo) === undefined;
  for (const address of outboundAddresses(server)) {
    if (isBound) {
      draft.add(helo, addressData(address), {
        purpose: "host-address",
        importance: "strongly-recommended",
        server: host,
        reason: `${host} names itself ${helo} in HELO; receivers expect that to lead back to ${address.text}`,
        reference: "RFC 5321 §4.1.1.1",
      });
    }
    const leadsBack = isBound || addresses.some(({ text }) => text === address.text);
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
        ...(!leadsBack && {
          caution: `${helo} does not lead back to ${address.text}; give the server a helo name of its own`,
        }),
      },
    );
  }
  if (describedDomainOf(helo, draft.description)?.domain !== helo) {
    draft.add(helo, txt("v=spf1 a -all"), {
      purpose: "helo-spf",
      importance: "strongly-recommended",
      server: host,
      reason: `receivers also check the HELO name, and bounces have no other sender: ${helo} sends from its own addresses only`,
      reference: "RFC 7208 §2.3",
    });
  }
}

/** R19: what changes must not stay in caches. */
const LONGEST_CHANGING_TTL_SECONDS = 1800;

function addressCaution(address: IpAddress, changing: boolean, ttlSeconds: number): string | undefined {
  const special = specialPurpose(address);
  if (special) return `${address.text} is ${special.description}: the internet cannot reach it`;
  if (!changing || ttlSeconds <= LONGEST_CHANGING_TTL_SECONDS) return undefined;
  return `caches keep it for ${ttlSeconds} s after the address has changed; say ${LONGEST_CHANGING_TTL_SECONDS} or less`;
}

function addressData(address: IpAddress): RdataOf<"A" | "AAAA"> {
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
    deriveReportAuthorizations(domain, draft);
    return;
  }
  const spf = spfText(domain, draft.description);
  const cautions = spfCautions(spf, domain);
  draft.add(name, txt(spf), {
    purpose: "spf",
    importance: "strongly-recommended",
    reason: `says which addresses may send for ${name}, and that others are ${SPF_ENDING_WORDS[domain.spf.ending]}`,
    reference: "RFC 7208 §3",
    ...(cautions.length > 0 && { caution: cautions.join("; ") }),
  });
  for (const key of domain.dkim) deriveDkim(domain, key, draft);
  deriveSelectorsToCome(domain, draft);
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

function spfCautions(text: string, { spf }: MailDomain): string[] {
  const record = parseSpfRecord(text);
  if (!record.ok) throw new TypeError(`an SPF record that is none: ${text}`);
  const lookups = record.value.terms.reduce((sum, term) => sum + lookupCost(term), 0);
  return [
    ...(lookups > SPF_LIMITS.lookupTerms
      ? [
          `its terms cost ${lookups} lookups, and receivers give up after ${SPF_LIMITS.lookupTerms} (RFC 7208 §4.6.4)`,
        ]
      : []),
    ...(spf.ending === "fail"
      ? [
          "with -all some receivers reject before they look at DKIM and DMARC, and such mail never shows in reports (RFC 9989 §7.1)",
        ]
      : []),
  ];
}

/** `v=spf1 mx a ip4:… ip6:… include:… ~all`: first our own servers, then what others send for us (R31). */
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
function aggregateReportUris({ dmarc, domain, receives, sends }: MailDomain): readonly string[] {
  return dmarc.reports ?? (receives && sends ? [`mailto:dmarc@${domain}`] : []);
}

/** RFC 9990 §4: a mailbox elsewhere has to agree, by a record in its own domain. */
function deriveReportAuthorizations(domain: MailDomain, draft: Draft): void {
  const { domain: name, dmarc } = domain;
  for (const uri of [...aggregateReportUris(domain), ...(dmarc.failureReports ?? [])]) {
    const receiver = reportDomain(uri);
    if (receiver === undefined || isWithin(receiver, name) || isWithin(name, receiver)) continue;
    const owner = tryPrepend(`${name}._report._dmarc`, receiver);
    if (owner === undefined) {
      draft.note(
        name,
        `its name and ${receiver} are too long together, so ${receiver} cannot agree to reports`,
      );
    } else if (describedDomainOf(receiver, draft.description) === undefined) {
      draft.note(
        name,
        `receivers send reports to ${receiver} only if its owner publishes ${owner} TXT "v=DMARC1"`,
      );
    } else {
      draft.add(owner, txt("v=DMARC1"), {
        purpose: "dmarc-report-authorization",
        importance: "required",
        reason: `lets ${receiver} receive the DMARC reports of ${name}; without it receivers send none`,
        reference: "RFC 9990 §4",
      });
    }
  }
}

/** The best mail server that is ours: described, or at least in a described domain; not a filter in front. */
function ownMailHost(domain: MailDomain, draft: Draft): DomainName | undefined {
  return mailServersOf(domain, draft.description).find(
    ({ host, isTrap }) =>
      !isTrap &&
      (draft.server(host) !== undefined || describedDomainOf(host, draft.description) !== undefined),
  )?.host;
}

/** MTA-STS, TLS reports. */
function deriveTransport(domain: MailDomain, draft: Draft): void {
  const { domain: name, mtaSts, tlsReports } = domain;
  if (mtaSts !== undefined) deriveMtaSts(domain, mtaSts, draft);
  if (tlsReports !== undefined) {
    draft.add(tlsRptOwner(name), txt(formatTlsRptRecord({ aggregateUris: tlsReports })), {
      purpose: "tls-rpt",
      importance: "optional",
      reason: "asks senders to report daily whether TLS to the mail servers worked",
      reference: "RFC 8460 §3",
    });
  }
}

function deriveMtaSts(domain: MailDomain, wanted: NonNullable<MailDomain["mtaSts"]>, draft: Draft): void {
  const { domain: name } = domain;
  const { mode, maxAgeSeconds = DEFAULT_MAX_AGE_SECONDS[mode] } = wanted;
  const webHost = wanted.host ?? ownMailHost(domain, draft);
  if (webHost === undefined) {
    draft.note(
      name,
      "its mail servers are not yours, so nobody is known to serve the MTA-STS policy; give mtaSts.host",
    );
    return;
  }
  const mx = mailServersOf(domain, draft.description).map(({ host }) => host);
  const content = formatPolicy({ mode, maxAgeSeconds, mx });
  draft.addFile({ domain: name, url: policyUrl(name), mediaType: "text/plain", content });
  draft.add(policyHost(name), cname(webHost), {
    purpose: "mta-sts-host",
    importance: "optional",
    reason: `leads to the web server that serves the MTA-STS policy of ${name} with a certificate for ${policyHost(name)}`,
    reference: "RFC 8461 §3.3",
  });
  draft.add(mtaStsOwner(name), txt(formatMtaStsRecord({ id: policyId(content) })), {
    purpose: "mta-sts",
    importance: "optional",
    reason:
      "tells senders that a policy asks for TLS with a valid certificate; its id changes whenever the policy does",
    reference: "RFC 8461 §3.1",
    caution: "publish it only once the policy is served",
  });
}

/** RFC 8461 §3.2 asks for weeks or more in production; a short life while the policy is being tried. */
const DEFAULT_MAX_AGE_SECONDS = { testing: 86_400, enforce: 1_209_600, none: 86_400 } as const;

/** 20 of the 32 alphanumerics that RFC 8461 §3.1 allows, from the policy's own octets: a new policy, a new id. */
function policyId(content: string): string {
  return createHash("sha256").update(content).digest("hex").slice(0, 20);
}

/** SRV, autoconfig, autodiscover: what mail programs look up. */
function deriveClients(domain: MailDomain, draft: Draft): void {
  const { clientSetup, domain: name, receives } = domain;
  if (!clientSetup.enabled || !receives) return;
  const servers = mailboxServers(domain, draft);
  const offers = CLIENT_PRIORITIES.map(([service, priority]) => ({
    ...CLIENT_SERVICES.find(({ srvName }) => srvName === `_${service}`)!,
    priority,
    offeredBy: servers.find(({ services }) => services.includes(service))?.host,
    declines: clientSetup.declineOthers && DECLINABLE.has(service),
  }));
  const settingsHost =
    clientSetup.host ??
    offers.find(({ offeredBy }) => offeredBy !== undefined)?.offeredBy ??
    ownMailHost(domain, draft);
  if (settingsHost === undefined) {
    draft.note(
      name,
      "its mail servers are not yours, so no client set-up is derived; give clientSetup.host if it is",
    );
    return;
  }
  for (const { srvName, title, port, priority, reference, offeredBy, declines } of offers) {
    if (offeredBy === undefined && !declines) continue;
    draft.add(
      prepend(`${srvName}._tcp`, name),
      srv(offeredBy === undefined ? NOT_OFFERED : { priority, weight: 1, port, target: offeredBy }),
      {
        purpose: "client-srv",
        importance: "optional",
        reason:
          offeredBy === undefined
            ? `says that ${title} is not offered`
            : `mail programs find ${title} at ${offeredBy}, port ${port}`,
        reference,
      },
    );
  }
  draft.add(prepend("autoconfig", name), cname(settingsHost), {
    purpose: "autoconfig",
    importance: "optional",
    reason: "where Thunderbird and others look for the settings of a mailbox",
    reference: "draft-ietf-mailmaint-autoconfig",
  });
  draft.add(prepend("autodiscover", name), cname(settingsHost), {
    purpose: "autodiscover",
    importance: "optional",
    reason: "where Outlook looks for the settings of a mailbox",
    reference: "MS-OXDISCO",
  });
  draft.add(
    prepend("_autodiscover._tcp", name),
    srv({ priority: 0, weight: 1, port: 443, target: settingsHost }),
    {
      purpose: "autodiscover",
      importance: "optional",
      reason: "the last place where Outlook looks, and the one that needs no certificate for another name",
      reference: "MS-OXDISCO",
    },
  );
}

/** Where the mailboxes may be: the mail servers that are described, then the others (mailboxes need not be at an MX). */
function mailboxServers(domain: MailDomain, draft: Draft): readonly Server[] {
  const { servers } = draft.description;
  const receiving = mailServersOf(domain, draft.description).flatMap(({ host }) => draft.server(host) ?? []);
  const named = servers.filter(({ host }) => host === domain.clientSetup.host);
  return [...named, ...receiving, ...(receiving.length > 0 ? servers : [])];
}

const srv = (data: Omit<RdataOf<"SRV">, "type">): Rdata => ({ type: "SRV", ...data });
/** RFC 2782: a target of "." says that the service is decidedly not available. */
const NOT_OFFERED = { priority: 0, weight: 0, port: 0, target: ROOT };
/** Lower is tried earlier: implicit TLS first (RFC 8314 §4.1), IMAP before POP (RFC 6186 §3.4). */
const CLIENT_PRIORITIES = [
  ["submissions", 0],
  ["submission", 10],
  ["imaps", 0],
  ["imap", 10],
  ["pop3s", 20],
  ["pop3", 30],
  ["sieve", 0],
  ["jmap", 0],
  ["caldavs", 0],
  ["carddavs", 0],
] as const satisfies readonly (readonly [Service, number])[];
const DECLINABLE: ReadonlySet<Service> = new Set(["submission", "imap", "pop3", "pop3s"]);

/** XMPP, verification tokens, CAA, BIMI. */
function deriveRest(domain: MailDomain, draft: Draft): void {
  const { domain: name } = domain;
  if (domain.xmpp !== undefined) deriveXmpp(domain, domain.xmpp, draft);
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
      { type: "CAA", flags: critical ? CRITICAL_FLAG : 0, tag, value: textToOctets(value) },
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
    const record = formatBimiRecord({ ...DECLINED, location: logo, evidence: certificate });
    draft.add(bimiOwner(name, selector), txt(record), {
      purpose: "bimi",
      importance: "optional",
      reason: "shows the logo beside mail that passes DMARC",
      reference: "draft-brand-indicators-for-message-identification",
    });
  }
}

function deriveXmpp(domain: MailDomain, wanted: NonNullable<MailDomain["xmpp"]>, draft: Draft): void {
  const target = wanted.host ?? ownMailHost(domain, draft);
  if (target === undefined) {
    draft.note(domain.domain, "nobody is known to speak XMPP for it; give xmpp.host");
    return;
  }
  for (const { srvName, title, port, reference } of CLIENT_SERVICES) {
    const isWanted = srvName.startsWith("_xmpp-") || (wanted.directTls && srvName.startsWith("_xmpps-"));
    if (!isWanted) continue;
    draft.add(prepend(`${srvName}._tcp`, domain.domain), srv({ priority: 0, weight: 5, port, target }), {
      purpose: "xmpp",
      importance: "optional",
      reason: `${title}: ${target}, port ${port}`,
      reference,
    });
  }
}

/** The aliases of keys to come. */
function deriveSelectorsToCome({ domain, dkim, delegation }: MailDomain, draft: Draft): void {
  if (delegation === undefined || !delegation.records.includes("dkim")) return;
  const described = new Set(dkim.map(({ selector }) => selector));
  for (const selector of delegation.selectors) {
    const owner = tryDkimOwner(selector, domain);
    const target = owner && tryPrepend(owner, delegation.zone);
    if (owner !== undefined && target !== undefined && !described.has(selector))
      draft.delegate(owner, target, "strongly-recommended");
  }
}

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
    aggregateUris: aggregateReportUris(domain),
    failureUris: dmarc.failureReports ?? [],
    failureOptions: dmarc.failureOptions ?? ["0"],
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
