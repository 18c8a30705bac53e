/** What every check of one domain shares: the ways to look, and the way to say what was seen. */
import { lookupCommands } from "../records/command.ts";
import { describedDomain } from "../records/derive.ts";
import { derivedAt } from "../records/derived-index.ts";
import type { Derived, DerivedRecord, Purpose } from "../records/derived-record.ts";
import type { Description, MailDomain } from "../records/description.ts";
import { cannotStore, recognizeDnsHost } from "../records/dns-host.ts";
import type { DomainSigning } from "../records/signer/read-signer.ts";
import {
  contains,
  type IpAddress,
  type IpNetwork,
  type SpecialPurpose,
  specialPurpose,
} from "../standards/dns/address.ts";
import { type DomainName, isWithin, tryPrepend } from "../standards/dns/name.ts";
import { formatRdata } from "../standards/dns/rdata-text.ts";
import {
  octetsToText,
  type RdataOf,
  type RecordType,
  type ResourceRecord,
  txtText,
} from "../standards/dns/record.ts";
import type { Remark } from "../standards/dns/remark.ts";
import type { Answer, Resolver, Unknown } from "../standards/dns/resolver.ts";
import { CATALOGUE, type FindingCode, isFindingCode } from "./catalogue.ts";
import { change, type Finding, type Fix, type FormZone } from "./finding.ts";
import type { Broken, HttpsProbe, HttpsRequest, Prober, ServiceProbe, ServiceTarget } from "./probe.ts";
import type { Severity } from "./severity.ts";
import {
  type AuthoritativeView,
  nameServersOf,
  type RecursiveView,
  type ServerAnswer,
  type ZoneAnswer,
} from "./view.ts";

/** The world as a check sees it. */
export interface World {
  readonly authoritative: AuthoritativeView;
  /** None is allowed: then nothing is said of caches and of DNSSEC validation. */
  readonly recursive: readonly RecursiveView[];
  /** Opens connections; without it a check looks at DNS alone. */
  readonly prober?: Prober;
  readonly now: Date;
  /** The registrable domain by the public suffix list, for what older DMARC receivers see. */
  readonly organizationalDomain: (name: DomainName) => DomainName | undefined;
  /** A label that nobody has published, to see what wildcards answer. */
  readonly randomLabel: () => string;
}

export interface CheckOptions {
  readonly description?: Description;
  readonly derived?: Derived;
  /** Selectors to look at beside those of the description. */
  readonly dkimSelectors: readonly string[];
  /** The mail server's signing programs: what each does for a domain. */
  readonly signers?: readonly ((domain: DomainName) => DomainSigning)[];
  /** Networks that count as public, for laboratories. */
  readonly assumePublic: readonly IpNetwork[];
  /** Connect also to private, loopback and link-local addresses that the domain's DNS names. */
  readonly allowPrivate?: boolean;
  /** Zones of DNS block lists to look into (RFC 5782); none where absent. */
  readonly blockLists?: readonly DomainName[];
  /** Also find out whether port 25 is open from here. */
  readonly testOutbound?: boolean;
  /** Mail servers that are always there: whether port 25 is open from here shows at them. */
  readonly witnesses?: readonly DomainName[];
}

/** One name server whose answer is not that of the others. */
export interface Disagreement {
  readonly name: DomainName;
  readonly type: RecordType;
  readonly answers: readonly { readonly servers: readonly string[]; readonly text: string }[];
}

/** What a finding says beyond its catalogue entry. */
export interface Said {
  readonly owner: DomainName;
  readonly subject?: string;
  readonly observed: string;
  readonly expected?: string;
  readonly severity?: Severity;
  readonly why?: string;
  readonly reference?: string;
  readonly fix?: Fix | null;
  /** A type to look up at the owner, or a whole command. */
  readonly verify?: RecordType | { readonly command: string };
}

/** More connections than the largest real domain needs; a stranger's DNS must not make a scanner of us. */
const MAX_PROBES = 96;

export class Context implements Resolver {
  readonly domain: DomainName;
  readonly world: World;
  readonly options: CheckOptions;
  /** What the description says of the domain. */
  readonly described: MailDomain | undefined;
  /** The zone that the domain lives in. */
  readonly zone: Promise<ZoneAnswer>;
  readonly disagreements: Disagreement[] = [];
  readonly #answers = new Map<string, Promise<Answer>>();
  readonly #shared = new Map<string, Promise<unknown>>();
  #probesLeft = MAX_PROBES;
  #formZone: Promise<FormZone> | undefined;
  /** What every other check builds on, and is therefore asked of all name servers. */
  readonly #decisive: ReadonlySet<string>;

  constructor(domain: DomainName, world: World, options: CheckOptions) {
    this.domain = domain;
    this.world = world;
    this.options = options;
    this.described = options.description && describedDomain(domain, options.description);
    this.zone = world.authoritative.findZone(domain);
    const policy = tryPrepend("_dmarc", domain) ?? domain;
    this.#decisive = new Set([`${domain} MX`, `${domain} TXT`, `${policy} TXT`]);
  }

  /**
   * One name server of the right zone; a resolver where the name servers cannot be reached from here at all.
   * The same question has the same answer throughout a check, so that no two findings contradict each other.
   */
  lookup<T extends RecordType>(name: DomainName, type: T): Promise<Answer<T>> {
    if (this.#decisive.has(`${name} ${type}`)) return this.everywhere(name, type);
    return this.#once(`${name} ${type}`, () => this.#lookupOnce(name, type));
  }

  #once<T extends RecordType>(key: string, ask: () => Promise<Answer<T>>): Promise<Answer<T>> {
    const known = this.#answers.get(key) as Promise<Answer<T>> | undefined;
    if (known) return known;
    const answer = ask();
    this.#answers.set(key, answer);
    return answer;
  }

  #lookupOnce<T extends RecordType>(name: DomainName, type: T): Promise<Answer<T>> {
    return this.world.authoritative
      .lookup(name, type)
      .then((answer) => (answer.status === "unknown" ? this.#askStandIn(name, type, answer) : answer));
  }

  async #askStandIn<T extends RecordType>(name: DomainName, type: T, failure: Unknown): Promise<Answer<T>> {
    const resolver = await this.#standIn();
    return resolver ? resolver.lookup(name, type) : failure;
  }

  /** The first resolver, where the walk to the domain's zone failed: a network that lets no DNS out. */
  async #standIn(): Promise<Resolver | undefined> {
    const zone = await this.zone;
    return zone.status === "unknown" ? this.world.recursive[0] : undefined;
  }

  /** What several checks need and one of them has to find out; `key` belongs to one type of value. */
  shared<T>(key: string, find: () => Promise<T>): Promise<T> {
    const known = this.#shared.get(key) as Promise<T> | undefined;
    if (known) return known;
    const found = find();
    this.#shared.set(key, found);
    return found;
  }

  /** Whether it is decent to connect to an address that a stranger's DNS names. */
  mayConnectTo(address: IpAddress): boolean {
    return this.options.allowPrivate === true || this.special(address) === undefined;
  }

  /** The same probe happens once in a check. Callers have asked `mayConnectTo`. */
  probeService(target: ServiceTarget): Promise<ServiceProbe> {
    const { protocol, address, port, host, domain } = target;
    return this.shared(`${protocol} ${address.text} ${port} ${host} ${domain}`, async () =>
      this.#probe((prober) => prober.probeService(target)),
    );
  }

  fetchHttps(request: HttpsRequest): Promise<HttpsProbe> {
    const { host, path, port, addresses } = request;
    const at = addresses.map(({ text }) => text).join(" ");
    return this.shared(`https ${host} ${port} ${path} ${at}`, async () =>
      this.#probe((prober) => prober.fetchHttps(request)),
    );
  }

  #probe<T>(run: (prober: Prober) => Promise<T>): Promise<T | Broken> | Broken {
    const { prober } = this.world;
    if (prober === undefined) throw new TypeError("a check without a prober has asked for a probe");
    if (this.#probesLeft-- > 0) return run(prober);
    return { status: "broken", detail: `not tried: one check opens at most ${MAX_PROBES} connections` };
  }

  /** The same question to every name server; answers with what most of them say, and remembers who differs. */
  everywhere<T extends RecordType>(name: DomainName, type: T): Promise<Answer<T>> {
    return this.#once(`${name} ${type} everywhere`, () => this.#askEverywhere(name, type));
  }

  async #askEverywhere<T extends RecordType>(name: DomainName, type: T): Promise<Answer<T>> {
    const answers = await this.world.authoritative.askEveryServer(name, type);
    const told = answers.filter(({ answer }) => answer.status !== "unknown");
    if (told.length === 0) return this.#lookupOnce(name, type);
    // Where as many servers have a record as have none, it is there: "differs" is said, "missing" is not.
    const isFound = ([first]: readonly { readonly answer: { readonly status: string } }[]) =>
      Number(first?.answer.status === "found");
    const groups = [...Map.groupBy(told, ({ answer }) => answerText(answer)).entries()].sort(
      ([, some], [, others]) => others.length - some.length || isFound(others) - isFound(some),
    );
    if (groups.length > 1) this.disagreements.push({ name, type, answers: groups.map(describeGroup) });
    return groups[0]![1][0]!.answer;
  }

  finding(code: FindingCode, said: Said): Finding {
    const entry = CATALOGUE[code];
    const { verify } = said;
    const command = typeof verify === "object" ? verify.command : this.command(said.owner, verify ?? "ANY");
    return {
      code,
      severity: said.severity ?? entry.severity,
      owner: said.owner,
      ...(said.subject !== undefined && { subject: said.subject }),
      expected: said.expected ?? entry.expected,
      observed: shortened(said.observed),
      why: said.why ?? entry.why,
      reference: said.reference ?? entry.reference,
      fix: said.fix ?? null,
      verify: command,
    };
  }

  command(name: DomainName, type: RecordType): string {
    return lookupCommands(name, type).dig;
  }

  /** A remark of a standard about a text record, as a finding. */
  remark(remark: Remark, said: Omit<Said, "observed" | "why"> & { readonly text: string }): Finding {
    if (!isFindingCode(remark.code)) throw new TypeError(`the catalogue lacks ${remark.code}`);
    const { text, ...rest } = said;
    return this.finding(remark.code, {
      ...rest,
      severity: remark.severity,
      why: sentence(remark.message),
      reference: remark.reference,
      observed: pointAt(text, remark),
      verify: rest.verify ?? "TXT",
    });
  }

  /** "Could not tell": a lookup that failed, as a finding that blames nobody. */
  unknown(name: DomainName, type: RecordType, answer: Unknown): Finding {
    return this.finding(answer.cause === "bogus" ? "dnssec-bogus" : "dns-no-answer", {
      owner: name,
      expected: `an answer for ${type}`,
      observed: `${answer.cause}: ${answer.detail}`,
      verify: type,
    });
  }

  /** As `unknown`, for the answers among which one may have failed: nothing where none did. */
  untold(name: DomainName, ...answers: readonly (readonly [RecordType, Answer])[]): Finding[] {
    return answers.flatMap(([type, answer]) =>
      answer.status === "unknown" ? [this.unknown(name, type, answer)] : [],
    );
  }

  /** Not reachable from the internet, unless a laboratory says that it counts as public. */
  special(address: IpAddress): SpecialPurpose | undefined {
    return this.options.assumePublic.some((network) => contains(network, address))
      ? undefined
      : specialPurpose(address);
  }

  /** The zone in whose form a record is entered: the zone's apex, or the domain where the zone is not known. */
  async formZone(name: DomainName): Promise<FormZone | undefined> {
    this.#formZone ??= this.#findFormZone();
    const zone = await this.#formZone;
    return isWithin(name, zone.apex) ? zone : undefined;
  }

  async #findFormZone(): Promise<FormZone> {
    const zone = await this.zone;
    if (zone.status !== "found") return { apex: this.domain, host: undefined };
    return { apex: zone.zone.apex, host: recognizeDnsHost(nameServersOf(zone.zone)) };
  }

  /** As `formZone`; a record that the zone's host cannot hold may live in a zone below, at other servers. */
  async formZoneOf(record: ResourceRecord): Promise<FormZone | undefined> {
    const above = await this.formZone(record.name);
    if (above?.host === undefined || cannotStore(record, above.host) === undefined) return above;
    const { authoritative } = this.world;
    const own = await authoritative.findZone(record.name);
    const holding = own.status === "absent" ? await authoritative.findZone(own.closest) : own;
    if (holding.status !== "found" || holding.zone.apex === above.apex) return above;
    return { apex: holding.zone.apex, host: recognizeDnsHost(nameServersOf(holding.zone)) };
  }

  /**
   * A fix that makes and removes records. Where a record to remove was reached through an alias into another
   * zone, the change is its owner's, and nothing may be made beside the alias.
   */
  async fix(
    summary: string,
    records: { readonly create?: readonly ResourceRecord[]; readonly remove?: readonly ResourceRecord[] },
    request?: string,
  ): Promise<Fix> {
    for (const { name } of records.remove ?? []) {
      if ((await this.formZone(name)) === undefined) {
        return {
          summary: `${summary} It stands at ${name}: whoever runs that zone has to do it.`,
          changes: [],
        };
      }
    }
    const changes = [
      ...(records.remove ?? []).map((record) => ({ action: "delete" as const, record })),
      ...(records.create ?? []).map((record) => ({ action: "create" as const, record })),
    ];
    return {
      summary,
      changes: await Promise.all(
        changes.map(async ({ action, record }) => change(action, record, await this.formZoneOf(record))),
      ),
      ...(request !== undefined && { request }),
    };
  }

  /** The derived records of a purpose at a name; empty without a description. */
  wanted(name: DomainName, purpose: Purpose): readonly DerivedRecord[] {
    const here = this.#derivedAt(name);
    const alias = here.find((derived) => derived.purpose === "delegation")?.record.data;
    const all = alias?.type === "CNAME" && purpose !== "delegation" ? this.#derivedAt(alias.target) : here;
    return all.filter((derived) => derived.purpose === purpose);
  }

  /** Whether the description has any record at a name. */
  isDerived(name: DomainName): boolean {
    return this.#derivedAt(name).length > 0;
  }

  #derivedAt(name: DomainName): readonly DerivedRecord[] {
    const { derived } = this.options;
    return derived === undefined ? [] : derivedAt(name, derived);
  }
}

/** The command that asks one resolver, which its label names: "9.9.9.9", "127.0.0.1:5353", "[::1]:5353". */
export function resolverCommand(name: DomainName, type: RecordType, { label }: RecursiveView): string {
  const [, bracketed, plain, port] = /^(?:\[([^\]]+)\]|([^:]+)):(\d+)$/.exec(label) ?? [];
  const server = bracketed ?? plain ?? label;
  return lookupCommands(name, type, { server, ...(port !== undefined && { port: Number(port) }) }).dig;
}

/** What an answer says, without TTLs and order, so that two servers can be compared. */
export function answerText(answer: Answer): string {
  if (answer.status === "absent") return answer.kind === "nxdomain" ? "no such name" : "no such record";
  if (answer.status === "unknown") return `no answer (${answer.cause})`;
  return answer.records
    .map(({ data }) => formatRdata(data))
    .sort()
    .join("\n");
}

function describeGroup([text, answers]: [string, readonly Pick<ServerAnswer, "server">[]]) {
  return { text, servers: answers.map(({ server }) => `${server.name} (${server.address})`) };
}

/** The longest text that a person still looks at; a stranger's record may have 64 kB. */
const MAX_OBSERVED_CHARACTERS = 4000;

function shortened(text: string): string {
  return text.length > MAX_OBSERVED_CHARACTERS ? `${text.slice(0, MAX_OBSERVED_CHARACTERS)}…` : text;
}

export type TxtRecord = ResourceRecord<RdataOf<"TXT">>;

/** The TXT records at a name as texts, each beside its record. */
export function texts(answer: Answer<"TXT">): { readonly text: string; readonly record: TxtRecord }[] {
  if (answer.status !== "found") return [];
  return answer.records.map((record) => ({ text: octetsToText(txtText(record.data)), record }));
}

/** The record's text with the place of a remark marked below it, where it has one. */
function pointAt(text: string, remark: Remark): string {
  if (remark.offset === undefined) return text;
  const WINDOW = 60;
  const from = text.length <= 2 * WINDOW ? 0 : Math.max(0, remark.offset - WINDOW);
  const shown = text.slice(from, from + 2 * WINDOW);
  const caret = "^".repeat(Math.max(1, Math.min(remark.length ?? 1, shown.length - (remark.offset - from))));
  return `${shown}\n${" ".repeat(remark.offset - from)}${caret}`;
}

/** Standards speak in clauses; a finding in sentences. A tag or term in front keeps its case: "rf is gone". */
function sentence(clause: string): string {
  const [first = ""] = clause.split(" ");
  const isTerm =
    first.length <= 3 || /[^A-Za-z]/.test(first) || ["include", "redirect", "exists"].includes(first);
  const capital = isTerm && first !== "the" ? clause : clause[0]!.toUpperCase() + clause.slice(1);
  return /[.!?]$/.test(capital) ? capital : `${capital}.`;
}
