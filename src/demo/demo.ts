/** The demo: a world to play with that is whole, and in which nothing is real but the questions. */
import type { AccessStore, User } from "../access/access-store.ts";
import { makeUser } from "../access/account.ts";
import { newId } from "../access/audit.ts";
import type { RandomOctets } from "../access/password.ts";
import { checkDomain } from "../check/check.ts";
import type { CheckOptions, World } from "../check/context.ts";
import type { Prober } from "../check/probe.ts";
import type { KeyPair, KeyPairMaker } from "../keys/generate.ts";
import { type DkimKey, inState, newKey } from "../keys/key.ts";
import { keyOwner } from "../keys/key-record-shapes.ts";
import type { KeyStore } from "../keys/key-store.ts";
import { type MasterKey, sealKey } from "../keys/sealing.ts";
import { planChanges } from "../publish/plan.ts";
import type { PublishStore } from "../publish/publish-store.ts";
import { groupRrsets } from "../publish/rrset.ts";
import { derive } from "../records/derive.ts";
import type { Derived } from "../records/derived-record.ts";
import { type Description, readDescription } from "../records/description.ts";
import type { DescriptionStore } from "../records/description-store.ts";
import type { PublishEntry } from "../records/publish-settings.ts";
import { encodeDkimKey } from "../standards/dkim/public-key.ts";
import { parseDkimSelector } from "../standards/dkim/selector.ts";
import { type IpNetwork, parseNetwork } from "../standards/dns/address.ts";
import { type DomainName, domainName, isWithin } from "../standards/dns/name.ts";
import { type ResourceRecord, typeOf } from "../standards/dns/record.ts";
import { parseZoneText } from "../standards/dns/zone-text.ts";
import type { AlertChannel } from "../watch/alert.ts";
import type { WatchStore } from "../watch/watch-store.ts";
import {
  DELEGATED_ZONE,
  DEMO_DOMAINS,
  DEMO_SERVERS,
  type DemoDomain,
  type DemoKey,
  EMPTY_HOSTS,
  EXPIRED_HOSTS,
  WITHOUT_PTR,
} from "./domain.ts";
import { recordApplies, recordAudit, recordWithHistory } from "./history.ts";
import { createDemoProber } from "./prober.ts";
import { createDemoZones, type DemoZones } from "./zone.ts";

/** Known to everybody who reads this: the demo is reached from this machine alone. */
export const DEMO_PASSWORD = "a demo without secrets";
/** The administrator, an owner of some domains, and one who may look at everything. */
export const DEMO_ACCOUNTS = [
  { name: "demo", role: "administrator" },
  { name: "olga", role: "owner" },
  { name: "rita", role: "reader" },
] as const;

/** Who holds every zone; which program that is decides whoever opens the demo. */
export const DEMO_PUBLISH_ENTRY: PublishEntry = {
  provider: "zone-file",
  file: "the demo",
  fragment: false,
  zones: undefined,
  check: undefined,
  reload: undefined,
};

/** Two channels: one whose receiver takes everything, one that leads out of the demo, and so nowhere. */
export const DEMO_ALERTS = {
  channels: [
    {
      id: "ops",
      target: { kind: "email", from: "zonepost@example.org", to: "ops@example.org" },
      minimumSeverity: "warning",
      quietHours: { from: "22:00", until: "06:30", timeZone: "Europe/Berlin" },
      loudSeverity: "error",
      weeklyDigest: true,
    },
    { id: "chat", target: { kind: "slack", url: "https://chat.example.net/" }, minimumSeverity: "error" },
  ] satisfies AlertChannel[],
  sendMail: async () => ({ status: "accepted" }) as const,
  post: async () => ({ status: "failed", detail: "this is the demo: no packet leaves the machine" }) as const,
};

export const DEMO_CHECK_OPTIONS: Omit<CheckOptions, "description" | "derived"> = {
  dkimSelectors: [],
  assumePublic: ["192.0.2.0/24", "2001:db8::/32", "127.0.0.0/8"].map(networkOf),
};

/** Each takes a while to make; domains share them, and no domain has the same one twice. */
const KEY_PAIRS = 4;

export interface Demo {
  readonly zones: DemoZones;
  readonly prober: Prober;
  readonly description: Description;
  readonly derived: Derived;
  readonly keys: readonly DkimKey[];
  /** As they stand in zonepost.yaml, by domain. */
  readonly pieces: ReadonlyMap<DomainName, Readonly<Record<string, unknown>>>;
}

export interface DemoMeans {
  readonly makeKeyPair: KeyPairMaker;
  readonly master: MasterKey;
  readonly random: RandomOctets;
  readonly now: () => Date;
  /** What the zones hold is not what it was. */
  readonly onChange: () => void;
}

/** Its keys are made anew each time; nothing else is left to chance. */
export async function makeDemo({ makeKeyPair, master, random, now, onChange }: DemoMeans): Promise<Demo> {
  const pairs = await Promise.all(
    Array.from({ length: KEY_PAIRS }, () => makeKeyPair({ algorithm: "rsa", modulusBits: 2048 })),
  );
  let taken = 0;
  const made = DEMO_DOMAINS.map(({ keys }) => keys.map(() => pairs[taken++ % KEY_PAIRS]!));
  const keys = DEMO_DOMAINS.flatMap(({ domain, keys: wanted }, at) =>
    wanted.map((key, nth) => keyInLife(domainName(domain), key, made[at]![nth]!, { master, random, now })),
  );
  const pieces = new Map(
    DEMO_DOMAINS.map(({ domain, content, keys: wanted }, at) => {
      const dkim = wanted.map(({ selector }, nth) => ({
        selector,
        publicKey: encodeDkimKey(made[at]![nth]!.publicKey),
      }));
      return [domainName(domain), { domain, ...content, ...(dkim.length > 0 && { dkim }) }];
    }),
  );
  const read = readDescription({ ...DEMO_SERVERS, domains: [...pieces.values()] });
  if (!read.ok) throw new TypeError(`the demo's description: ${JSON.stringify(read.problems[0])}`);
  const { description } = read;
  const derived = derive(description);
  const apexes = [
    ...DEMO_DOMAINS.map(({ domain, isSilent = false, isSigned = false }) => ({
      apex: domainName(domain),
      isSilent,
      isSigned,
    })),
    { apex: domainName(DELEGATED_ZONE), isSilent: false, isSigned: false },
  ];
  const records = publishedRecords(derived, made);
  return {
    zones: createDemoZones(apexes, records, now(), onChange),
    prober: createDemoProber({
      addresses: new Set(description.servers.flatMap(({ addresses }) => addresses.map(({ text }) => text))),
      expiredHosts: EXPIRED_HOSTS,
      emptyHosts: EMPTY_HOSTS,
      files: derived.files,
      now,
    }),
    description,
    derived,
    keys,
    pieces,
  };
}

/** A key that has come through the states before this one. */
function keyInLife(
  signingDomain: DomainName,
  { selector, state, hoursAgo }: DemoKey,
  { publicKey, privateKey }: KeyPair,
  { master, random, now }: Pick<DemoMeans, "master" | "random" | "now">,
): DkimKey {
  const dkimSelector = parseDkimSelector(selector);
  if (!dkimSelector.ok) throw new TypeError(dkimSelector.problem);
  const name = { signingDomain, dkimSelector: dkimSelector.value };
  const hours = (ago: number) => new Date(now().getTime() - ago * 3_600_000);
  const seen = {
    everywhereSince: hours(hoursAgo),
    // The negative TTL of the demo's zones (300 s) is shorter than the TTL of what stood there before: nothing.
    cachesClearAt: hours(hoursAgo - 1),
  };
  const sealed = sealKey(privateKey, name, master, random);
  const key = { ...newKey(name, publicKey, sealed, hours(hoursAgo + 0.2)), sighting: seen };
  const published = inState(key, "published", hours(hoursAgo));
  switch (state) {
    case "published":
      return published;
    case "signing":
      return inState(published, "signing", hours(hoursAgo - 1));
    case "retiring": {
      const before = inState(published, "signing", hours(hoursAgo + 24 * 180));
      return { ...inState(before, "retiring", hours(hoursAgo)), lastSignedAt: hours(hoursAgo) };
    }
    default:
      return state satisfies never;
  }
}

/** What is derived, but for what each domain leaves out, and with what it has beside. */
function publishedRecords(derived: Derived, made: readonly (readonly KeyPair[])[]): ResourceRecord[] {
  const patterns = DEMO_DOMAINS.flatMap(({ domain, without = [] }) =>
    without.map((pattern) => ({ apex: domainName(domain), pattern })),
  );
  const isLeftOut = ({ name, data }: ResourceRecord) =>
    patterns.some(({ apex, pattern }) => isWithin(name, apex) && meets(name, typeOf(data), pattern)) ||
    (data.type === "PTR" && WITHOUT_PTR.some((address) => name === reverseOf(address)));
  const beside = DEMO_DOMAINS.flatMap(({ also = [] }, at) => {
    const [pair] = made[at]!;
    const key = pair === undefined ? "" : encodeDkimKey(pair.publicKey);
    const text = also.map((line) => cutStrings(line.replace("{key}", key))).join("\n");
    return parseZoneText(text, { defaultTtlSeconds: 3600 }).records;
  });
  const others = DEMO_DOMAINS.filter(({ without = [] }) => !without.some((each) => each.endsWith(" MX")));
  const websites = others.flatMap(({ domain }): ResourceRecord[] => [
    { name: domainName(`www.${domain}`), ttlSeconds: 3600, data: { type: "A", address: "192.0.2.80" } },
  ]);
  const own = derived.records.map(({ record }) => record).filter((record) => !isLeftOut(record));
  return [...own, ...websites, ...beside];
}

/** "florist.example TXT", "_dmarc.*", "*._domainkey.*", "*" */
function meets(name: DomainName, type: string, pattern: string): boolean {
  const [owner = "", only] = pattern.split(" ");
  if (only !== undefined && only !== type) return false;
  const written = owner.split("*").map((part) => part.replaceAll(".", "\\."));
  return new RegExp(`^${written.join(".*")}$`).test(name);
}

const reverseOf = (address: string): string => `${address.split(".").toReversed().join(".")}.in-addr.arpa`;

/** A string holds 255 octets; a key is longer. */
const cutStrings = (line: string): string =>
  line.replace(/[A-Za-z0-9+/=]{200,}/g, (key) => key.replace(/.{200}/g, '$&" "'));

function networkOf(text: string): IpNetwork {
  const network = parseNetwork(text);
  if (!network.ok) throw new TypeError(network.problem);
  return network.value;
}

export interface DemoStores {
  readonly access: AccessStore;
  readonly descriptions: DescriptionStore;
  readonly watch: WatchStore;
  readonly keys: KeyStore;
  readonly publish: PublishStore;
}

/** Accounts, descriptions, keys, what real checks see now, and the weeks before; `rest`: where nobody answers. */
export async function fillDemo(
  demo: Demo,
  stores: DemoStores,
  world: () => World,
  { random, now }: Pick<DemoMeans, "random" | "now">,
): Promise<{ readonly rest: Promise<void> }> {
  const at = now();
  const weeksAgo = new Date(at.getTime() - 42 * 86_400_000);
  const users = await addUsers(stores.access, weeksAgo, random);
  await stores.descriptions.putCommon(DEMO_SERVERS, 0, weeksAgo);
  for (const key of demo.keys) await stores.keys.put(key);
  for (const { domain: name, owner } of DEMO_DOMAINS) {
    const domain = domainName(name);
    const ownerId = owner && users.get(owner)?.id;
    await stores.descriptions.putDomain({ domain, content: demo.pieces.get(domain)!, ownerId }, 0, weeksAgo);
    await stores.watch.schedule(domain, ownerId, new Date(at.getTime() + 6 * 3_600_000));
  }
  const { description, derived } = demo;
  const options = { ...DEMO_CHECK_OPTIONS, description, derived };
  const look = async ({ domain, past = [] }: DemoDomain) => {
    const report = await checkDomain(domainName(domain), world(), options);
    await recordWithHistory(report, past, stores.watch, at);
  };
  const seen = DEMO_DOMAINS.filter(({ isNew }) => !isNew);
  const rest = Promise.all(seen.filter(({ isSilent }) => isSilent).map(look)).then(() => undefined);
  await Promise.all(seen.filter(({ isSilent }) => !isSilent).map(look));
  const published = DEMO_DOMAINS.filter(({ isPublished }) => isPublished).map(({ domain }) =>
    domainName(domain),
  );
  for (const zone of published) await recordPast(zone, demo, stores, at, random);
  const domains = DEMO_DOMAINS.map(({ domain }: DemoDomain) => domainName(domain));
  await recordAudit(domains, published, stores.access, at, random);
  return { rest };
}

async function addUsers(
  access: AccessStore,
  at: Date,
  random: RandomOctets,
): Promise<ReadonlyMap<string, User>> {
  const [first] = DEMO_ACCOUNTS;
  const made = await makeUser({ ...first, password: DEMO_PASSWORD, oidcSubject: undefined }, at, random);
  if (!made.ok) throw new TypeError(made.problem);
  const users = new Map<string, User>();
  for (const account of DEMO_ACCOUNTS) {
    // One password for all: hashing it is slow on purpose.
    const user = { ...made.value, ...account, id: newId(random) };
    await access.addUser(user);
    users.set(user.name, user);
  }
  return users;
}

async function recordPast(
  zone: DomainName,
  { derived, keys, zones }: Demo,
  { publish }: Pick<DemoStores, "publish">,
  now: Date,
  random: RandomOctets,
): Promise<void> {
  const { capabilities } = zones.provider();
  const wanted = derived.records.filter(
    ({ record, creator }) => creator !== "address-owner" && isWithin(record.name, zone),
  );
  const plan = planChanges({
    content: { zone, rrsets: groupRrsets([]) },
    wanted,
    owned: [],
    capabilities,
    negativeTtlSeconds: 300,
    signingKeys: new Set(keys.map(keyOwner)),
  });
  await recordApplies(plan, publish, now, random);
}
