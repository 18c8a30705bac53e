/** Descriptions put together from their pieces: as much of them as a question needs. */
import { checkDomain } from "../../check/check.ts";
import type { CheckOptions, Context, World } from "../../check/context.ts";
import type { DomainReport } from "../../check/finding.ts";
import { lookBack, type Past } from "../../check/over-time.ts";
import type { KeyStore } from "../../keys/key-store.ts";
import { derive } from "../../records/derive.ts";
import type { Derived } from "../../records/derived-record.ts";
import { type Description, readDescription } from "../../records/description.ts";
import type { DescriptionStore, StoredDomain } from "../../records/description-store.ts";
import { concerns, isAround, namesIn, namesOthers } from "../../records/zone-part.ts";
import { ancestors, type DomainName, ROOT } from "../../standards/dns/name.ts";
import { oldKeyFindings } from "../../watch/key-age.ts";
import { keyTroubleFindings } from "../../watch/key-trouble.ts";
import type { DomainPast, WatchStore } from "../../watch/watch-store.ts";
import { notFound, Refusal } from "./problem.ts";

export interface Described {
  readonly description: Description;
  readonly derived: Derived;
}

/** The parts of zonepost.yaml that can name files and run commands: those are said on the machine alone. */
export const MACHINE_PARTS = ["publish", "milter"] as const;

/** A domain with what surrounds it: the servers, and the domains above it that belong to the same owner. */
export async function describeDomain(stored: StoredDomain, store: DescriptionStore): Promise<Described> {
  const names = ancestors(stored.domain)
    .slice(1)
    .filter((name) => name !== ROOT);
  const [common, ...above] = await Promise.all([store.common(), ...names.map((name) => store.domain(name))]);
  const theirs = above.filter((one) => one !== undefined).filter(({ ownerId }) => ownerId === stored.ownerId);
  return put(common, [stored, ...theirs]);
}

export interface WatchedStores {
  readonly descriptions: DescriptionStore;
  readonly watch: Pick<WatchStore, "past" | "changePast">;
  readonly keys: Pick<KeyStore, "list">;
}

/** A domain that is watched, checked against what is described of it, and against what it was before. */
export async function checkWatched(
  domain: DomainName,
  { descriptions, watch, keys }: WatchedStores,
  world: World,
  options: Omit<CheckOptions, keyof Described>,
  onProgress?: (done: number, of: number) => void,
): Promise<DomainReport> {
  const stored = await descriptions.domain(domain);
  if (stored === undefined) throw notFound();
  const whole = { ...options, ...(await describeDomain(stored, descriptions)) };
  const before = await watch.past(domain);
  let past: Past | undefined;
  const beside = [
    async (context: Context) => {
      const back = await lookBack(before, context);
      past = back.past;
      return back.findings;
    },
    async (context: Context) => {
      const kept = await keys.list(domain);
      const troubles = await keyTroubleFindings(kept, before?.publishTroubles ?? [], context);
      return [...troubles, ...oldKeyFindings(kept, context)];
    },
  ];
  const report = await checkDomain(domain, world, whole, { beside, ...(onProgress && { onProgress }) });
  const seen = past;
  // Rotations may have noted something meanwhile.
  const nextTo = (kept: DomainPast | undefined): DomainPast | undefined =>
    seen && { ...seen, ...(kept?.publishTroubles && { publishTroubles: kept.publishTroubles }) };
  // Most checks see what the last one saw.
  if (JSON.stringify(nextTo(before)) !== JSON.stringify(before)) await watch.changePast(domain, nextTo);
  return report;
}

const PAGE = 250;

/**
 * All that has to do with a zone. A zone takes records from the domains of its owner and from nobody else's; one that
 * belongs to administrators alone takes them from every domain. `rest` lets others have their turn: there may be a
 * hundred thousand domains to look through.
 */
export async function describeZone(
  zone: DomainName,
  store: DescriptionStore,
  rest: () => Promise<void>,
): Promise<Described> {
  const ownerId = (await store.domain(zone))?.ownerId;
  const filter = ownerId === undefined ? {} : { ownerId };
  const common = await store.common();
  const kept = new Map<DomainName, StoredDomain>();
  const named = new Set<DomainName>();
  for (let after: DomainName | undefined; ; ) {
    const page = await store.domains(filter, { limit: PAGE, ...(after && { after }) });
    for (const [stored, names] of concerned(zone, page, common.content)) {
      kept.set(stored.domain, stored);
      for (const name of names) for (const above of ancestors(name)) if (above !== ROOT) named.add(above);
    }
    after = page.at(-1)?.domain;
    if (page.length < PAGE) break;
    await rest();
  }
  // Whether a host that they name is in a described domain makes a difference to what is derived of them.
  for (const name of named) {
    const stored = kept.has(name) ? undefined : await store.domain(name);
    if (stored !== undefined && (ownerId === undefined || stored.ownerId === ownerId)) kept.set(name, stored);
  }
  return put(common, [...kept.values()]);
}

/** Those of a page that the zone has to do with, and the names that are said of them. */
function concerned(
  zone: DomainName,
  page: readonly StoredDomain[],
  common: StoredDomain["content"],
): readonly (readonly [StoredDomain, Iterable<DomainName>])[] {
  const asked = page.filter(({ domain, content }) => isAround(domain, zone) || namesOthers(content));
  const read = readPieces(
    common,
    asked.map(({ content }) => content),
  );
  // Which of them cannot be used is said where all that is kept is put together.
  if (!read.ok) return asked.map((stored) => [stored, []]);
  return asked.flatMap((stored, at) => {
    const described = read.description.domains[at]!;
    return concerns(described, zone) ? [[stored, namesIn(described)] as const] : [];
  });
}

function put(
  common: { readonly content: Readonly<Record<string, unknown>> },
  pieces: readonly StoredDomain[],
): Described {
  const read = readPieces(
    common.content,
    pieces.map(({ content }) => content),
  );
  if (read.ok) return { description: read.description, derived: derive(read.description) };
  throw new Refusal(
    "refused",
    "the description as it is kept cannot be used",
    "mend what is named, in the servers or in the domain",
    { parts: read.problems.map(({ path, problem }) => ({ where: path, what: problem })) },
  );
}

/** Files are not read: what stands in an account's description opens nothing on this machine. */
export function readPieces(
  common: Readonly<Record<string, unknown>>,
  domains: readonly Readonly<Record<string, unknown>>[],
) {
  return readDescription({ ...common, domains });
}

/** Refuses a piece that makes no description, with all that is wrong with it. */
export function requirePieces(
  common: Readonly<Record<string, unknown>>,
  domains: readonly Readonly<Record<string, unknown>>[],
): Description {
  const read = readPieces(common, domains);
  if (read.ok) return read.description;
  throw new Refusal("refused", "this is no usable description", "mend what is named, and send it again", {
    parts: read.problems.map(({ path, problem }) => ({ where: path, what: problem })),
  });
}
