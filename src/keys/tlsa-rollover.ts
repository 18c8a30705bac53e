/**
 * The TLSA records of a mail host while its key changes (RFC 7671 §8.1): the next one stands beside the current one,
 * everywhere and for two TTLs, before the certificate changes; the old one goes when the new certificate is seen.
 *
 * As with DKIM keys, only what was seen counts. A sender that holds TLSA records refuses every certificate that none
 * of them fits (RFC 7672 §2.2), so whatever a cache may hold has to fit the live certificate at any time.
 */
import { DANE_EE_SPKI_SHA256, formatTlsa, type TlsaData } from "../standards/dane/tlsa.ts";
import type { TlsaSighting } from "./tlsa-sighting.ts";

/** RFC 7671 §8.1: "at least two TTLs" from the publication to the new certificate. */
const TTLS_BEFORE_DEPLOY = 2;

export interface TlsaServerSight {
  /** The server's name: it counts once, by however many addresses it was asked. */
  readonly server: string;
  /** Empty where there is none; undefined where it could not be told. */
  readonly records: readonly TlsaData[] | undefined;
  readonly ttlSeconds?: number;
}

/** What one address of the host shows on port 25. */
export interface LiveKey {
  /** "192.0.2.25 port 25" */
  readonly at: string;
  /** 3 1 1 of the certificate; undefined where it could not be told. */
  readonly key: TlsaData | undefined;
}

export interface TlsaLook {
  readonly perServer: readonly TlsaServerSight[];
  /** 3 1 1 of the key that goes, where somebody has named it. */
  readonly current?: TlsaData;
  /** 3 1 1 of the key that comes. */
  readonly next: TlsaData;
  /** Empty where nobody has looked. */
  readonly live: readonly LiveKey[];
  /** Of what stood there before the first look, where somebody knows it. */
  readonly oldTtlSeconds?: number;
  /** As the last turn left it. */
  readonly sighting: TlsaSighting;
}

export type TlsaAction = "publish-next" | "wait" | "deploy" | "remove-old" | "done" | "trouble";

export interface TlsaTurn {
  readonly action: TlsaAction;
  /** No cache can hold records that a certificate with the next key would not fit. */
  readonly mayDeploy: boolean;
  /** Nobody could be asked. */
  readonly isUntold: boolean;
  /** When it goes on by itself, where that can be said. */
  readonly until?: Date;
  /** What should stand there now. */
  readonly records: readonly TlsaData[];
  /** Of `records`: those that have to come to some name server. */
  readonly missing: readonly TlsaData[];
  /** What should go now. */
  readonly obsolete: readonly TlsaData[];
  /** One sentence. */
  readonly reason: string;
  /** To be stored before anything is done. */
  readonly sighting: TlsaSighting;
}

export function nextTlsaStep(look: TlsaLook, now: Date): TlsaTurn {
  const seen = see(look, now);
  return { ...stepOf(seen, now), sighting: seen.sighting };
}

const same = (one: TlsaData, other: TlsaData): boolean => formatTlsa(one) === formatTlsa(other);
const has = (records: readonly TlsaData[], one: TlsaData): boolean =>
  records.some((record) => same(record, one));
const unique = (records: readonly TlsaData[]): readonly TlsaData[] => [
  ...new Map(records.map((record) => [formatTlsa(record), record])).values(),
];

interface Seen {
  readonly next: TlsaData;
  readonly current: TlsaData | undefined;
  /** Servers that answer, and lack the next record. */
  readonly lacking: readonly TlsaServerSight[];
  readonly silent: readonly TlsaServerSight[];
  readonly answering: readonly TlsaServerSight[];
  /** What any name server shows. */
  readonly standing: readonly TlsaData[];
  readonly live: readonly LiveKey[];
  readonly liveKeys: readonly TlsaData[];
  readonly isLiveSomewhere: boolean;
  /** What must not be missing: the records of keys in use, and of the next. */
  readonly needed: readonly TlsaData[];
  readonly ttlSeconds: number;
  readonly sighting: TlsaSighting;
}

function see(look: TlsaLook, now: Date): Seen {
  const { next, live } = look;
  const servers = eachOnce(look.perServer, next);
  const answering = servers.filter(({ records }) => records !== undefined);
  const lacking = answering.filter(({ records = [] }) => !has(records, next));
  const silent = servers.filter(({ records }) => records === undefined);
  const isEverywhere = answering.length > 0 && lacking.length === 0 && silent.length === 0;
  const liveKeys = unique(live.flatMap(({ key }) => key ?? []));
  // Once deployed, the file that held the current key may well hold the next one.
  const current = [look.current, look.sighting.current, ...liveKeys].find(
    (key) => key !== undefined && !same(key, next),
  );
  const ttlSeconds = Math.max(
    look.oldTtlSeconds ?? 0,
    look.sighting.longestTtlSeconds ?? 0,
    ...look.perServer.map((server) => server.ttlSeconds ?? 0),
  );
  const everywhereSince =
    lacking.length > 0 ? undefined : (look.sighting.everywhereSince ?? (isEverywhere ? now : undefined));
  const isLive = live.length > 0 && live.every(({ key }) => key !== undefined && same(key, next));
  const isLiveElsewhere = liveKeys.some((key) => !same(key, next));
  const liveSince = isLiveElsewhere ? undefined : (look.sighting.liveSince ?? (isLive ? now : undefined));
  const isLacking = lacking.some(({ records = [] }) => records.length > 0);
  const lackingAt = isLacking ? now : look.sighting.lackingAt;
  return {
    next,
    current,
    lacking,
    silent,
    answering,
    standing: unique(look.perServer.flatMap(({ records = [] }) => records)),
    live,
    liveKeys,
    isLiveSomewhere: has(liveKeys, next),
    needed: isLive ? [next] : unique([...(current ? [current] : []), ...liveKeys, next]),
    ttlSeconds,
    sighting: {
      longestTtlSeconds: ttlSeconds,
      ...(everywhereSince && { everywhereSince }),
      ...(lackingAt && { lackingAt }),
      ...(liveSince && { liveSince }),
      ...(current && { current }),
    },
  };
}

/** An address that cannot be reached from here says nothing where its server answers at another. */
function eachOnce(perServer: readonly TlsaServerSight[], next: TlsaData): readonly TlsaServerSight[] {
  return [...Map.groupBy(perServer, ({ server }) => server).values()].map(
    (sights) =>
      sights.find(({ records }) => records !== undefined && !has(records, next)) ??
      sights.find(({ records }) => records !== undefined) ??
      sights[0]!,
  );
}

type Step = Omit<TlsaTurn, "sighting">;

function stepOf(seen: Seen, now: Date): Step {
  const { next, current, standing, lacking, silent, answering, liveKeys, sighting, needed } = seen;
  const wanted = unique([...standing, ...needed]);
  const step = (action: TlsaAction, reason: string, rest: Partial<Step> = {}): Step => {
    const records = rest.records ?? wanted;
    const missing = needed.filter(
      (record) => has(records, record) && answering.some((server) => !has(server.records ?? [], record)),
    );
    return { action, reason, mayDeploy: false, isUntold: false, records, missing, obsolete: [], ...rest };
  };
  if (answering.length === 0) {
    const who = silent.length > 0 ? names(silent) : "no name server of the host's zone could be found";
    return step("wait", `nobody could be asked: ${who}`, { isUntold: true });
  }
  const stronger = standing.find(isOtherDigest);
  if (stronger !== undefined) {
    const reason = `${formatTlsa(stronger).slice(0, 24)}… stands there too: senders that take it do not look at 3 1 1 (RFC 7671 §9); take it away first, 3 1 1 is enough`;
    return step("trouble", reason, { records: standing });
  }
  if (standing.length === 0 && current === undefined && liveKeys.length === 0) {
    const reason =
      "nothing is published, and the live certificate's key is not known: a record of the next key alone would stop mail; name the live key with --current";
    return step("trouble", reason, { records: [] });
  }
  const refused = liveKeys.filter((key) => isRefused(key, answering));
  if (refused.length > 0) {
    const isEarly = has(refused, next);
    const what = isEarly ? "the next key is in use already" : "the live certificate's key";
    const reason = `${what}, and a name server has records that do not fit it: publish it now, senders with DANE refuse the server`;
    return step("trouble", isEarly ? `${reason}; or go back to the old certificate until then` : reason);
  }
  if (lacking.length === answering.length)
    return step("publish-next", "no name server has it yet: publish it beside the others");
  if (lacking.length > 0) return step("wait", `not at every name server yet: ${names(lacking)} lacks it`);
  if (sighting.everywhereSince === undefined || silent.length > 0)
    return step("wait", `not all name servers could be asked: ${names(silent)}`);
  const clearAt = later(sighting.everywhereSince, TTLS_BEFORE_DEPLOY * seen.ttlSeconds);
  if (now < clearAt) {
    if (seen.isLiveSomewhere && sighting.lackingAt !== undefined) {
      const reason =
        "the next key is in use already, and caches may still hold the records without it: go back to the old certificate until then, or lose mail from those senders for so long";
      return step("trouble", reason, { until: clearAt });
    }
    const reason = `every name server shows it; caches may still hold the records without it, for two TTLs of ${seen.ttlSeconds} s`;
    return step("wait", reason, { until: clearAt });
  }
  return afterDeploy(seen, step, now);
}

function afterDeploy(
  { next, current, standing, live, sighting, ttlSeconds }: Seen,
  step: (action: TlsaAction, reason: string, rest: Partial<Step>) => Step,
  now: Date,
): Step {
  const others = live.filter(({ key }) => key === undefined || !same(key, next));
  if (live.length === 0 || others.length > 0) {
    const where =
      live.length === 0 || others.length === live.length
        ? ""
        : `; still to do, or not told: ${others.map(({ at }) => at).join(", ")}`;
    const reason = `no cache can hold records that do not fit the next key: the certificate with it may be deployed${where}`;
    return step("deploy", reason, { mayDeploy: true });
  }
  if (current === undefined || !has(standing, current)) {
    const others = standing.filter((record) => !same(record, next) && isDaneEe(record)).length;
    const beside =
      others === 0
        ? ""
        : `; ${others} other 3 1 1 beside it: name the old key with --current where it may go`;
    return step("done", `the next key is in use, and its record everywhere${beside}`, { mayDeploy: true });
  }
  const removeAt = later(sighting.liveSince ?? now, ttlSeconds);
  if (now < removeAt) {
    const reason = "the next key is in use; the old record stays for one TTL more, for a way back";
    return step("wait", reason, { mayDeploy: true, until: removeAt });
  }
  return step("remove-old", "the next key is in use at every address: take the old record away", {
    mayDeploy: true,
    records: standing.filter((record) => !same(record, current)),
    obsolete: [current],
  });
}

const later = (date: Date, seconds: number): Date => new Date(date.getTime() + 1000 * seconds);

/** RFC 7671 §9: of one usage and selector clients look at the strongest digest alone. */
const isOtherDigest = ({ usage, tlsaSelector, matchingType }: TlsaData): boolean =>
  usage === DANE_EE_SPKI_SHA256.usage &&
  tlsaSelector === DANE_EE_SPKI_SHA256.tlsaSelector &&
  matchingType > 1;

const isDaneEe = ({ usage, tlsaSelector, matchingType }: TlsaData): boolean =>
  usage === DANE_EE_SPKI_SHA256.usage &&
  tlsaSelector === DANE_EE_SPKI_SHA256.tlsaSelector &&
  matchingType === DANE_EE_SPKI_SHA256.matchingType;

/** By what can be told from 3 1 1: where other kinds stand as well, they may fit the certificate. */
function isRefused(key: TlsaData, servers: readonly TlsaServerSight[]): boolean {
  return servers.some(
    ({ records = [] }) => records.length > 0 && records.every(isDaneEe) && !has(records, key),
  );
}

function names(servers: readonly TlsaServerSight[]): string {
  const more = servers.length > 4 ? [`and ${servers.length - 4} more`] : [];
  return [...servers.slice(0, 4).map(({ server }) => server), ...more].join(", ");
}
