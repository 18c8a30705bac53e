/**
 * The walk from the root to the servers that know (RFC 1034 §5.3.3): one round trip per zone, several servers
 * at once only where one is slow, and nothing believed that its sender may not speak for.
 */
import type { NameServer } from "../check/view.ts";
import { type DomainName, isWithin, parentOf, ROOT } from "../standards/dns/name.ts";
import type { RecordType } from "../standards/dns/record.ts";
import type { Answer, Unknown } from "../standards/dns/resolver.ts";
import { AliasChain } from "./alias-chain.ts";
import { AnswerCache, EVER, ExpiringMap, type KeptAnswer, type Since } from "./answer-cache.ts";
import { type Delegation, type Fault, fault, readAuthoritative, type Verdict } from "./delegation.ts";
import type { DnsQuery, DnsReply, DnsTransport, Patience } from "./dns-transport.ts";
import type { RootHint } from "./root-hints.ts";
import { DNS_PORT, formatServerAddress } from "./server-address.ts";
import { ServerMemory } from "./server-memory.ts";

export interface WalkOptions {
  /** Servers of the zone where walks start. */
  readonly rootHints: readonly RootHint[];
  /** The zone that `rootHints` serve; the root where absent. */
  readonly start?: DomainName;
  /** At which every name server listens; 53 where absent. */
  readonly port?: number;
  readonly transport: DnsTransport;
  /** The time in milliseconds since 1970. */
  readonly now: () => number;
  /** For each lookup; 8 seconds where absent. */
  readonly timeoutMilliseconds?: number;
  /** How long the first packet to a server may take before it is sent again, and another server asked too; 400 where absent. */
  readonly firstTimeoutMilliseconds?: number;
  /** Of the cache of answers; 50,000 where absent. */
  readonly maxCacheEntries?: number;
  /** Lookups under way reject with its reason. */
  readonly signal?: AbortSignal;
}

const LOOKUP_TIMEOUT_MILLISECONDS = 8_000;
const FIRST_TIMEOUT_MILLISECONDS = 400;
const ATTEMPTS = 3;
/** What one lookup may cost, with all the walks it needs for addresses of name servers. */
const MAX_QUERIES = 150;
/** Zones on the way down; names have at most 127 labels, and nobody delegates each. */
const MAX_REFERRALS = 32;
/** Walks for the addresses of name servers whose zones again need such walks. */
const MAX_NESTING = 5;
/** Names of a zone's servers that are looked up at once where the referral brought no address. */
const MAX_NAME_SERVERS_AT_ONCE = 4;
const MAX_DELEGATIONS = 20_000;
const MAX_DELEGATION_TTL_SECONDS = 86_400;

/** What one lookup may still spend, and on whose behalf it runs. */
export interface Errand {
  readonly deadline: number;
  readonly budget: { queries: number };
  /** Zones whose servers' addresses are being looked for, outermost first. */
  readonly resolving: readonly DomainName[];
}

export type Located<T extends RecordType> = Extract<Verdict<T>, { kind: "answer" }> & {
  /** The zone whose server answered, as far as referrals showed it. */
  readonly delegation: Delegation;
};

/** Where the walk ended without an answer: at the servers of this zone. */
export interface Stuck {
  readonly kind: "stuck";
  readonly at: Delegation;
  readonly failure: Unknown;
}

/** The addresses found for one name server, or why there are none. */
export type HostAddresses = { readonly addresses: readonly string[]; readonly why?: string };

interface UnderWay {
  readonly askedAt: number;
  readonly reply: Promise<DnsReply>;
  readonly slowListeners: (() => void)[];
}

interface KeptDelegation {
  readonly delegation: Delegation;
  readonly askedAt: number;
}

/** What walks remember together. */
export class WalkMemory {
  readonly answers: AnswerCache;
  readonly delegations = new ExpiringMap<KeptDelegation>(MAX_DELEGATIONS);
  readonly servers: ServerMemory;
  /** Questions under way, so that equal ones travel in one packet. */
  readonly underWay = new Map<string, UnderWay>();

  constructor({ maxCacheEntries, now }: Pick<WalkOptions, "maxCacheEntries" | "now">) {
    this.answers = new AnswerCache({ now, ...(maxCacheEntries && { maxEntries: maxCacheEntries }) });
    this.servers = new ServerMemory(now);
  }
}

export class Walk {
  readonly #options: WalkOptions;
  readonly #start: Delegation;
  readonly #since: Since;
  readonly #answers: AnswerCache;
  readonly #delegations: WalkMemory["delegations"];
  readonly #memory: ServerMemory;
  readonly #underWay: WalkMemory["underWay"];

  constructor(options: WalkOptions, memory = new WalkMemory(options), since = EVER) {
    const { rootHints, start = ROOT } = options;
    this.#options = options;
    this.#start = {
      apex: start,
      nameServers: rootHints.map(({ name }) => name).sort(),
      glue: new Map(rootHints.map(({ name, addresses }) => [name, addresses])),
      ttlSeconds: Number.POSITIVE_INFINITY,
    };
    this.#since = since;
    this.#answers = memory.answers;
    this.#delegations = memory.delegations;
    this.#memory = memory.servers;
    this.#underWay = memory.underWay;
  }

  errand(): Errand {
    const patience = this.#options.timeoutMilliseconds ?? LOOKUP_TIMEOUT_MILLISECONDS;
    return { deadline: performance.now() + patience, budget: { queries: MAX_QUERIES }, resolving: [] };
  }

  lookup<T extends RecordType>(name: DomainName, type: T): Promise<Answer<T>> {
    const resolve = () => this.#resolve(name, type, this.errand());
    return this.#answers.join(name, type, resolve, this.#since(name));
  }

  async #resolve<T extends RecordType>(name: DomainName, type: T, errand: Errand): Promise<KeptAnswer<T>> {
    const chain = new AliasChain<T>(name);
    for (;;) {
      const located = await this.locate(chain.at, type, errand);
      const kept = chain.follow(located.kind === "stuck" ? located.failure : located.step);
      if (kept !== undefined) return kept;
    }
  }

  /** The reply of a server of the zone in which `name` lives; aliases are followed only as far as it does. */
  async locate<T extends RecordType>(
    name: DomainName,
    type: T,
    errand: Errand,
    dnssecOk = false,
  ): Promise<Located<T> | Stuck> {
    let delegation = this.#closestDelegation(name, type);
    if (!isWithin(name, this.#start.apex)) {
      return stuck(delegation, "network", `"${name}" lies outside "${this.#start.apex}", where walks start`);
    }
    let isFromCache = delegation !== this.#start;
    for (let referrals = 0; referrals < MAX_REFERRALS; referrals++) {
      const askedAt = this.#options.now();
      const verdict = await this.#askZone(delegation, name, type, errand, dnssecOk);
      switch (verdict.kind) {
        case "answer":
          return { ...verdict, delegation };
        case "referral":
          delegation = verdict.delegation;
          this.#keepDelegation(delegation, askedAt);
          break;
        case "fault":
          if (!isFromCache) return stuck(delegation, verdict.cause, verdict.detail);
          // The zone may have moved since; what stands above it knows.
          this.#delegations.delete(delegation.apex);
          delegation = this.#closestDelegation(name, type);
          break;
        default:
          return verdict satisfies never;
      }
      isFromCache = false;
    }
    return stuck(delegation, "loop", `more than ${MAX_REFERRALS} referrals on the way to "${name}"`);
  }

  #keepDelegation(delegation: Delegation, askedAt: number): void {
    const milliseconds = 1000 * Math.min(delegation.ttlSeconds, MAX_DELEGATION_TTL_SECONDS);
    this.#delegations.set(delegation.apex, { delegation, askedAt }, milliseconds, this.#options.now());
  }

  #closestDelegation(name: DomainName, type: RecordType): Delegation {
    const now = this.#options.now();
    let apex = type === "DS" ? (parentOf(name) ?? name) : name;
    while (apex !== this.#start.apex && apex !== ROOT) {
      const kept = this.#delegations.get(apex, now);
      // A top-level domain stays where it is, and the root is not asked for each who looks anew.
      if (kept !== undefined && (!apex.includes(".") || kept.askedAt >= this.#since(apex)))
        return kept.delegation;
      apex = parentOf(apex) ?? ROOT;
    }
    return this.#start;
  }

  /** Asks the zone's servers until one is of use: first those with known addresses, then those to be found. */
  async #askZone<T extends RecordType>(
    zone: Delegation,
    name: DomainName,
    type: T,
    errand: Errand,
    dnssecOk: boolean,
  ): Promise<Verdict<T>> {
    const faults: Fault[] = [];
    const known = this.#knownServers(zone);
    const verdict = await this.#askServers(known, zone, name, type, errand, dnssecOk, faults);
    if (verdict) return verdict;

    const asked = new Set(known.map(({ address }) => address));
    const askNew = (hosts: readonly { name: DomainName; addresses: readonly string[] }[]) => {
      const servers = this.serversOf(hosts).filter(({ address }) => !asked.has(address));
      for (const { address } of servers) asked.add(address);
      return this.#askServers(servers, zone, name, type, errand, dnssecOk, faults);
    };
    const missing = zone.nameServers.filter((host) => !known.some((server) => server.name === host));
    for (let at = 0; at < missing.length; at += MAX_NAME_SERVERS_AT_ONCE) {
      const lookups = missing.slice(at, at + MAX_NAME_SERVERS_AT_ONCE).map(async (host) => {
        const found = await this.addressesOf(host, zone, errand);
        if (found.addresses.length === 0) throw fault("loop", `"${host}" ${found.why}`, false);
        return { name: host, addresses: found.addresses };
      });
      // The first name with an address is asked at once; the others only where that was in vain.
      const first = await Promise.any(lookups).catch(() => undefined);
      const early = first && (await askNew([first]));
      if (early) return early;
      const settled = await Promise.allSettled(lookups);
      for (const each of settled) if (each.status === "rejected") faults.push(asFault(each.reason));
      const late = await askNew(settled.flatMap((each) => (each.status === "fulfilled" ? [each.value] : [])));
      if (late) return late;
    }
    return summary(zone, faults);
  }

  /** Those with glue, or with addresses looked up before. */
  #knownServers(zone: Delegation): NameServer[] {
    const { port = DNS_PORT } = this.#options;
    const servers: NameServer[] = [];
    for (const name of zone.nameServers) {
      for (const address of this.#knownAddresses(zone, name)) servers.push({ name, address, port });
    }
    return servers;
  }

  /** Glue, or addresses looked up before. */
  #knownAddresses(zone: Delegation, host: DomainName): readonly string[] {
    const glue = zone.glue.get(host);
    if (glue !== undefined) return glue;
    const since = this.#since(host);
    const kept = [
      this.#answers.get(host, "A", since)?.answer,
      this.#answers.get(host, "AAAA", since)?.answer,
    ];
    return kept.flatMap((answer) => (answer ? addressesIn(answer) : []));
  }

  /** Looks the name server up, by walks of its own that share the errand's time and budget. */
  async addressesOf(host: DomainName, zone: Delegation, errand: Errand): Promise<HostAddresses> {
    if (errand.resolving.includes(zone.apex)) {
      return { addresses: [], why: `is needed to find its own address` };
    }
    if (errand.resolving.length === MAX_NESTING)
      return { addresses: [], why: "lies behind too many other zones" };
    const nested = { ...errand, resolving: [...errand.resolving, zone.apex] };
    const answers = await Promise.all([
      this.#lookupWithin(host, "A", nested),
      this.#lookupWithin(host, "AAAA", nested),
    ]);
    const addresses = answers.flatMap(addressesIn);
    if (addresses.length > 0) return { addresses };
    const failure = answers.find((answer) => answer.status === "unknown");
    if (failure?.status === "unknown") return { addresses, why: `cannot be resolved: ${failure.detail}` };
    const isMissing = answers.every((answer) => answer.status === "absent" && answer.kind === "nxdomain");
    return { addresses, why: isMissing ? "does not exist" : "has no address" };
  }

  /**
   * A lookup in the service of another. It joins none that is under way: two that wait for each other would
   * wait for ever.
   */
  async #lookupWithin<T extends RecordType>(name: DomainName, type: T, errand: Errand): Promise<Answer<T>> {
    const cached = this.#answers.get(name, type, this.#since(name));
    if (cached) return cached.answer;
    const askedAt = this.#options.now();
    const kept = await this.#resolve(name, type, errand);
    // A failure may come of this errand's own limits, and is nobody else's.
    if (kept.answer.status !== "unknown") this.#answers.keep(name, type, askedAt, kept);
    return kept.answer;
  }

  serversOf(hosts: readonly { name: DomainName; addresses: readonly string[] }[]): NameServer[] {
    const { port = DNS_PORT } = this.#options;
    return hosts.flatMap(({ name, addresses }) => addresses.map((address) => ({ name, address, port })));
  }

  /** One after the other, the best first; the next one also as soon as one is slow. Undefined where none was of use. */
  #askServers<T extends RecordType>(
    candidates: readonly NameServer[],
    zone: Delegation,
    name: DomainName,
    type: T,
    errand: Errand,
    dnssecOk: boolean,
    faults: Fault[],
  ): Promise<Verdict<T> | undefined> {
    const servers = this.#memory.inOrder(candidates);
    return new Promise((resolve, reject) => {
      let next = 0;
      let waiting = 0;
      let isSettled = false;
      const settle = (verdict: Verdict<T> | undefined) => {
        isSettled = true;
        resolve(verdict);
      };
      const askNext = (): void => {
        if (isSettled) return;
        const server = servers[next++];
        if (server === undefined) {
          if (waiting === 0) settle(undefined);
          return;
        }
        waiting++;
        this.askServer(server, zone.apex, name, type, errand, { dnssecOk, onSlow: askNext }).then(
          (verdict) => {
            waiting--;
            if (isSettled) return;
            if (verdict.kind !== "fault") return settle(verdict);
            faults.push(verdict);
            askNext();
          },
          reject,
        );
      };
      askNext();
    });
  }

  /** One question to one server of `zone`, read as such. */
  async askServer<T extends RecordType>(
    server: NameServer,
    zone: DomainName,
    name: DomainName,
    type: T,
    errand: Errand,
    how: { dnssecOk?: boolean; onSlow?: () => void } = {},
  ): Promise<Verdict<T>> {
    const reply = await this.#exchange(server, name, type, errand, how);
    if (!reply.ok) return fault(reply.cause, reply.detail, false);
    const verdict = readAuthoritative(reply.message, name, type, zone);
    return verdict.kind === "fault" ? { ...verdict, detail: `${nameOf(server)} ${verdict.detail}` } : verdict;
  }

  #exchange(
    server: NameServer,
    name: DomainName,
    type: RecordType,
    errand: Errand,
    { dnssecOk = false, onSlow }: { dnssecOk?: boolean; onSlow?: () => void },
  ): Promise<DnsReply> {
    const key = `${formatServerAddress(server)} ${name} ${type} ${dnssecOk}`;
    const running = this.#underWay.get(key);
    if (running !== undefined && running.askedAt >= this.#since(name)) {
      if (onSlow) running.slowListeners.push(onSlow);
      return running.reply;
    }
    if (errand.budget.queries-- <= 0) {
      const detail = `gave up after ${MAX_QUERIES} queries: the delegations on the way lead nowhere`;
      return Promise.resolve({ ok: false, cause: "timeout", detail });
    }
    const slowListeners = onSlow ? [onSlow] : [];
    const { signal, firstTimeoutMilliseconds = FIRST_TIMEOUT_MILLISECONDS } = this.#options;
    const patience: Patience = {
      firstTimeoutMilliseconds,
      attempts: this.#memory.isAvoided(server) ? 1 : ATTEMPTS,
      deadline: errand.deadline,
      onSlow() {
        for (const listener of slowListeners) listener();
      },
      ...(signal && { signal }),
    };
    const query = { name, type, recursionDesired: false, dnssecOk };
    const askedAt = this.#options.now();
    const reply = this.#exchangeAndLearn(server, query, patience).finally(() => {
      // Another may have asked anew meanwhile.
      if (this.#underWay.get(key)?.askedAt === askedAt) this.#underWay.delete(key);
    });
    this.#underWay.set(key, { askedAt, reply, slowListeners });
    return reply;
  }

  async #exchangeAndLearn(server: NameServer, query: DnsQuery, patience: Patience): Promise<DnsReply> {
    const reply = await this.#options.transport.exchange(server, query, patience);
    if (reply.ok) this.#memory.answered(server, reply.milliseconds);
    else if (reply.cause !== "malformed") this.#memory.wasSilent(server);
    return reply;
  }
}

export function nameOf(server: NameServer): string {
  return `${server.name} (${formatServerAddress(server)})`;
}

export function unknown(cause: Unknown["cause"], detail: string): Unknown {
  return { status: "unknown", cause, detail };
}

function stuck(at: Delegation, cause: Unknown["cause"], detail: string): Stuck {
  return { kind: "stuck", at, failure: unknown(cause, detail) };
}

function addressesIn(answer: Answer): string[] {
  if (answer.status !== "found") return [];
  return answer.records.flatMap(({ data }) =>
    data.type === "A" || data.type === "AAAA" ? [data.address] : [],
  );
}

/** `Promise.any` needs a rejection for "no address"; anything else thrown is a bug or an abort. */
function asFault(reason: unknown): Fault {
  if (typeof reason === "object" && reason !== null && "kind" in reason && reason.kind === "fault") {
    return reason as Fault;
  }
  throw reason;
}

/** The most telling of the causes, and the first few stories. */
function summary({ apex, nameServers }: Delegation, faults: readonly Fault[]): Fault {
  if (nameServers.length === 0) return fault("loop", `the zone "${apex}" has no name server`, true);
  const order = ["servfail", "refused", "malformed", "loop", "timeout", "network"] as const;
  const cause = order.find((each) => faults.some((one) => one.cause === each)) ?? "network";
  const details = [...new Set(faults.map(({ detail }) => detail))];
  const shown = details.slice(0, 3).join("; ");
  const more = details.length > 3 ? ` (and ${details.length - 3} more)` : "";
  return fault(cause, `no name server of "${apex}" is of use: ${shown}${more}`, false);
}
