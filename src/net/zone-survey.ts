/** Every server of a zone, asked for itself: what `check/` compares. */
import type {
  AuthoritativeView,
  NameServer,
  ServerAnswer,
  ServerState,
  ZoneAnswer,
  ZoneReport,
} from "../check/view.ts";
import { ancestors, type DomainName, isWithin, parentOf } from "../standards/dns/name.ts";
import type { RecordType, RrsigRdata } from "../standards/dns/record.ts";
import type { Answer, Unknown } from "../standards/dns/resolver.ts";
import { resolveChain } from "./alias-chain.ts";
import { EVER, ExpiringMap, type Since } from "./answer-cache.ts";
import { type Errand, nameOf, unknown, Walk, WalkMemory, type WalkOptions } from "./authoritative-walk.ts";
import { type Delegation, type Fault, glueIn } from "./delegation.ts";

/** How long the state of a zone's servers is believed: many names of one zone are checked together. */
const REPORT_MILLISECONDS = 30_000;
const FAILURE_MILLISECONDS = 5_000;
const MAX_REPORTS = 20_000;
/** More than any zone has that works. */
const MAX_SERVERS = 64;

export function createAuthoritativeView(options: WalkOptions): AuthoritativeView {
  return createAuthoritativeViews(options)(EVER);
}

/** Views that remember together; each makes of it what is not too old for it. */
export function createAuthoritativeViews(options: WalkOptions): (since: Since) => AuthoritativeView {
  const memory = new SurveyMemory(options);
  return (since) => viewOf(new ZoneSurvey(options, memory, since));
}

function viewOf(survey: ZoneSurvey): AuthoritativeView {
  return {
    lookup: (name, type) => survey.walk.lookup(name, type),
    findZone: (name) => survey.findZone(name),
    askEveryServer: (name, type) => survey.askEveryServer(name, type),
    lookupSignatures: (name, type) => survey.lookupSignatures(name, type),
  };
}

class SurveyMemory {
  readonly walk: WalkMemory;
  readonly zones: Remembered<ZoneAnswer>;
  readonly reports: Remembered<ZoneReport>;

  constructor(options: WalkOptions) {
    this.walk = new WalkMemory(options);
    this.zones = new Remembered(options.now, ({ status }) =>
      status === "unknown" ? FAILURE_MILLISECONDS : REPORT_MILLISECONDS,
    );
    this.reports = new Remembered(options.now, () => REPORT_MILLISECONDS);
  }
}

class ZoneSurvey {
  readonly walk: Walk;
  readonly #zones: Remembered<ZoneAnswer>;
  readonly #reports: Remembered<ZoneReport>;
  readonly #since: Since;

  constructor(options: WalkOptions, { walk, zones, reports }: SurveyMemory, since: Since) {
    this.walk = new Walk(options, walk, since);
    this.#zones = zones;
    this.#reports = reports;
    this.#since = since;
  }

  findZone(name: DomainName): Promise<ZoneAnswer> {
    return this.#zones.get(name, this.#since(name), async () => {
      const delegation = await this.#zoneOf(name, this.walk.errand());
      if ("status" in delegation) return delegation;
      return { status: "found", zone: await this.#report(delegation) };
    });
  }

  #report(delegation: Delegation): Promise<ZoneReport> {
    const { apex } = delegation;
    return this.#reports.get(apex, this.#since(apex), () => this.#survey(delegation, this.walk.errand()));
  }

  /** The SOA question tells it: the apex has one, and every other name's absence is signed with its zone's. */
  async #zoneOf(
    name: DomainName,
    errand: Errand,
  ): Promise<Delegation | Exclude<ZoneAnswer, { status: "found" }>> {
    const located = await this.walk.locate(name, "SOA", errand);
    if (located.kind === "stuck") {
      // The name is delegated, though to servers of no use: the report shows what is wrong with each.
      return located.at.apex === name && located.at.parent !== undefined ? located.at : located.failure;
    }
    const { delegation, soa, step } = located;
    // An alias stands beside no SOA, so it is no apex (RFC 1034 §3.6.2): its zone is that of the name above.
    const above = parentOf(name);
    if (step.end.aliases.length > 0 && above !== undefined) return this.#zoneOf(above, errand);
    const apex = step.end.records[0]?.name ?? soa?.name ?? delegation.apex;
    if (step.absence?.kind === "nxdomain") return { status: "absent", closest: apex };
    return apex === delegation.apex ? delegation : this.#hiddenDelegation(apex, delegation, errand);
  }

  /**
   * A server of both the parent and the child answers for the child, and the cut between them stays unseen.
   * Another server of the parent may show it; else the child's own NS records stand for the delegation.
   */
  async #hiddenDelegation(
    apex: DomainName,
    above: Delegation,
    errand: Errand,
  ): Promise<Delegation | Unknown> {
    const parent = await this.#zoneOf(parentOf(apex)!, errand);
    if ("status" in parent && parent.status === "unknown") return parent;
    const upper = "apex" in parent ? parent : above;
    const hosts = await this.#hosts(upper, upper.nameServers, errand);
    const verdicts = await Promise.all(
      this.walk.serversOf(hosts).map((server) => this.walk.askServer(server, upper.apex, apex, "NS", errand)),
    );
    for (const verdict of verdicts) if (verdict.kind === "referral") return verdict.delegation;
    const own = verdicts.find((verdict) => verdict.kind === "answer" && verdict.step.end.records.length > 0);
    if (own?.kind !== "answer")
      return unknown("servfail", `no server of "${upper.apex}" lists the servers of "${apex}"`);
    const { records, ttlSeconds = 0 } = own.step.end;
    const nameServers = records.map(({ data }) => data.target).sort();
    const glue = glueIn(own.message, nameServers, upper.apex);
    return { apex, parent: upper.apex, nameServers, glue, ttlSeconds };
  }

  async #survey(zone: Delegation, errand: Errand): Promise<ZoneReport> {
    const { apex, parent, nameServers: delegatedTo } = zone;
    const states = new Map<string, Promise<ServerState>>();
    const unresolvable = new Map<DomainName, string>();
    const askAll = (hosts: readonly Host[]) => {
      for (const { name, addresses, why } of hosts) {
        if (addresses.length === 0 && why !== undefined) unresolvable.set(name, why);
      }
      for (const server of this.walk.serversOf(hosts)) {
        const key = nameOf(server);
        if (!states.has(key) && states.size < MAX_SERVERS)
          states.set(key, this.#stateOf(server, apex, errand));
      }
    };
    // Each name server is asked as soon as its address is known.
    await Promise.all(delegatedTo.map(async (name) => askAll(await this.#hosts(zone, [name], errand))));
    const first = await Promise.all(states.values());

    // Then what only the zone itself knows: name servers the parent does not list, addresses it has no glue for.
    if (first.some(({ state }) => state === "ok")) {
      const listed = new Set(first.flatMap(({ nameServers = [] }) => nameServers));
      const names = [...listed].filter((name) => !zone.glue.has(name));
      await Promise.all(names.map(async (name) => askAll([await this.#lookedUp(zone, name, errand)])));
    }
    const servers = await Promise.all(states.values());
    return {
      apex,
      ...(parent !== undefined && { parent }),
      delegatedTo,
      unresolvable: [...unresolvable].map(([name, why]) => ({ name, why })),
      servers: servers.sort(
        (x, y) => compare(x.server.name, y.server.name) || compare(x.server.address, y.server.address),
      ),
    };
  }

  /** By glue where there is some, else looked up. */
  #hosts(zone: Delegation, names: readonly DomainName[], errand: Errand): Promise<Host[]> {
    return Promise.all(
      names.map(async (name) => {
        const glue = zone.glue.get(name);
        return glue === undefined ? this.#lookedUp(zone, name, errand) : { name, addresses: glue };
      }),
    );
  }

  async #lookedUp(zone: Delegation, name: DomainName, errand: Errand): Promise<Host> {
    const found = await this.walk.addressesOf(name, zone, errand);
    // What the parent gave as glue is no unresolvable name, whatever the lookup says.
    return zone.glue.has(name) ? { name, addresses: found.addresses } : { name, ...found };
  }

  async #stateOf(server: NameServer, apex: DomainName, errand: Errand): Promise<ServerState> {
    const [soa, ns] = await Promise.all([
      this.walk.askServer(server, apex, apex, "SOA", errand),
      this.walk.askServer(server, apex, apex, "NS", errand),
    ]);
    if (soa.kind === "fault") return faultyState(server, soa);
    const record = soa.kind === "answer" ? soa.step.end.records[0] : undefined;
    if (record === undefined) {
      return { server, state: "lame", detail: `${nameOf(server)} knows no zone "${apex}"` };
    }
    const { data, ttlSeconds } = record;
    const nameServers =
      ns.kind === "answer" ? ns.step.end.records.map((each) => each.data.target).sort() : [];
    return {
      server,
      state: "ok",
      detail: `answers with authority, serial ${data.serial}`,
      serial: data.serial,
      negativeTtlSeconds: Math.min(ttlSeconds, data.minimumSeconds),
      ...(nameServers.length > 0 && { nameServers }),
    };
  }

  async askEveryServer<T extends RecordType>(name: DomainName, type: T): Promise<readonly ServerAnswer<T>[]> {
    // DS lives in the zone above the cut (RFC 4035 §3.1.4.1).
    const place = type === "DS" ? (parentOf(name) ?? name) : name;
    const errand = this.walk.errand();
    const above = this.#surveyedAbove(place);
    if (above !== undefined) {
      const answers = await this.#askServersOf(await above, name, type, errand);
      if (answers !== "delegated") return answers;
    }
    const found = await this.findZone(place);
    // Where a name does not exist, the servers of the closest zone say so, each for itself.
    const closest = found.status === "absent" ? await this.findZone(found.closest) : found;
    if (closest.status !== "found") return [];
    const answers = await this.#askServersOf(closest.zone, name, type, errand);
    return answers === "delegated" ? [] : answers;
  }

  /** A zone above the name whose servers are known already: most names live in the zone of their domain. */
  #surveyedAbove(name: DomainName): Promise<ZoneReport> | undefined {
    for (const apex of ancestors(name)) {
      const report = this.#reports.known(apex, this.#since(apex));
      if (report !== undefined) return report;
    }
    return undefined;
  }

  /** "delegated" where a server of the zone says that the name belongs to a zone below. */
  async #askServersOf<T extends RecordType>(
    { apex, servers }: ZoneReport,
    name: DomainName,
    type: T,
    errand: Errand,
  ): Promise<readonly ServerAnswer<T>[] | "delegated"> {
    const answers = await Promise.all(
      servers.map(async (state) => ({
        server: state.server,
        answer: await this.#answerOf(state, apex, name, type, errand),
      })),
    );
    return answers.some(({ answer }) => answer === DELEGATED) ? "delegated" : answers;
  }

  async #answerOf<T extends RecordType>(
    { server, state, cause, detail }: ServerState,
    apex: DomainName,
    name: DomainName,
    type: T,
    errand: Errand,
  ): Promise<Answer<T>> {
    // Silent a moment ago: it is not waited for again.
    if (state === "unknown") return unknown(cause ?? "timeout", detail);
    const kept = await resolveChain<T>(name, async (at) => {
      // Where an alias leaves what this server knows, the walk goes on from there.
      if (at !== name) return this.#continued(at, type, errand);
      const verdict = await this.walk.askServer(server, apex, name, type, errand);
      switch (verdict.kind) {
        case "answer":
          return verdict.step;
        case "referral":
          return DELEGATED;
        case "fault":
          return unknown(verdict.cause, verdict.detail);
        default:
          return verdict satisfies never;
      }
    });
    return kept.answer;
  }

  async #continued<T extends RecordType>(name: DomainName, type: T, errand: Errand) {
    const located = await this.walk.locate(name, type, errand);
    return located.kind === "stuck" ? located.failure : located.step;
  }

  async lookupSignatures(name: DomainName, type: RecordType): Promise<readonly RrsigRdata[] | Unknown> {
    const located = await this.walk.locate(name, type, this.walk.errand(), true);
    if (located.kind === "stuck") return located.failure;
    const { message, delegation } = located;
    return message.answers
      .filter((record) => record.name === name && isWithin(name, delegation.apex))
      .flatMap(({ data }) => (data.type === "RRSIG" && data.typeCovered === type ? [data] : []));
  }
}

/** What a server of the zone above answers for a name that it has given away. */
const DELEGATED = unknown("loop", "refers to the servers of a zone below");

interface Host {
  readonly name: DomainName;
  readonly addresses: readonly string[];
  readonly why?: string;
}

function faultyState(server: NameServer, { isLame, cause, detail }: Fault): ServerState {
  return { server, state: isLame ? "lame" : "unknown", cause, detail };
}

function compare(x: string, y: string): number {
  return x < y ? -1 : x > y ? 1 : 0;
}

/** What was found a moment ago, and what is being looked for right now. */
class Remembered<V> {
  readonly #kept = new ExpiringMap<{ readonly value: V; readonly begunAt: number }>(MAX_REPORTS);
  readonly #underWay = new Map<string, { readonly value: Promise<V>; readonly begunAt: number }>();
  readonly #now: () => number;
  readonly #millisecondsFor: (value: V) => number;

  constructor(now: () => number, millisecondsFor: (value: V) => number) {
    this.#now = now;
    this.#millisecondsFor = millisecondsFor;
  }

  /** What was found, or is being looked for, since then; undefined where nobody asked. */
  known(key: string, since: number): Promise<V> | undefined {
    const kept = this.#kept.get(key, this.#now());
    if (kept !== undefined && kept.begunAt >= since) return Promise.resolve(kept.value);
    const running = this.#underWay.get(key);
    return running !== undefined && running.begunAt >= since ? running.value : undefined;
  }

  get(key: string, since: number, find: () => Promise<V>): Promise<V> {
    const known = this.known(key, since);
    if (known !== undefined) return known;
    const begunAt = this.#now();
    const value = find()
      .then((found) => {
        this.#kept.set(key, { value: found, begunAt }, this.#millisecondsFor(found), this.#now());
        return found;
      })
      .finally(() => {
        // Another may have begun anew meanwhile.
        if (this.#underWay.get(key)?.begunAt === begunAt) this.#underWay.delete(key);
      });
    this.#underWay.set(key, { value, begunAt });
    return value;
  }
}
