/** A description file that is the truth: what the store knows becomes what the file says. */
import type { DescriptionPieces } from "../records/description-pieces.ts";
import type { DescriptionStore, StoredDomain, StoredPiece } from "../records/description-store.ts";
import type { DomainName } from "../standards/dns/name.ts";
import type { WatchStore } from "./watch-store.ts";

export interface FileTaken {
  readonly isCommonNew: boolean;
  readonly added: readonly DomainName[];
  readonly changed: readonly DomainName[];
  readonly gone: readonly DomainName[];
  /** Why it ended before the end; what stands above was done. */
  readonly failure?: Error;
}

const PAGE = 1000;
const NEW_AT_ONCE = 250;
/** Another node may take in the same file at the same time. */
const MAX_TRIES = 3;

/** A file that was cut in the middle reads well, and names fewer: what a domain leaves behind is gone for good. */
const usualRemoved = (stored: number): number =>
  Math.min(Math.max(20, Math.floor(0.1 * stored)), Math.ceil(0.5 * stored));

/**
 * Each domain whole or not at all; owners stay as they are. What is new or other is checked soon. Rejects,
 * with nothing changed, where more domains would go than usual (20 or a tenth of all, and never more than half), and
 * not `allowedRemoved` of them to the number. The signal ends it between two steps, each of which is whole.
 */
export async function takeInFile(
  { common, domains }: DescriptionPieces,
  descriptions: DescriptionStore,
  watch: WatchStore,
  now: Date,
  { allowedRemoved, signal }: { readonly allowedRemoved?: number; readonly signal?: AbortSignal } = {},
): Promise<FileTaken> {
  const { stored, missing } = await compareNames(domains, descriptions, signal);
  if (missing.length > usualRemoved(stored) && missing.length !== allowedRemoved) {
    const some = missing.slice(0, 3).join(", ");
    throw new Error(
      `${missing.length} of ${stored} domains are no longer in the file (${some}, …), and all that is known of them would go: look whether the file is whole. Where it is, start with --allow-removed ${missing.length}`,
    );
  }
  const isCommonNew = await takeCommon(common, descriptions, now);
  const added: DomainName[] = [];
  const changed: DomainName[] = [];
  const gone: DomainName[] = [];
  const taken = { isCommonNew, added, changed, gone };
  try {
    await takeDomains(domains, taken, descriptions, watch, now, signal);
    return taken;
  } catch (error) {
    return { ...taken, failure: error as Error };
  }
}

async function compareNames(
  domains: DescriptionPieces["domains"],
  descriptions: DescriptionStore,
  signal: AbortSignal | undefined,
) {
  const missing: DomainName[] = [];
  let stored = 0;
  for (let after: DomainName | undefined; ; ) {
    signal?.throwIfAborted();
    const page = await descriptions.domains({}, { limit: PAGE, ...(after && { after }) });
    stored += page.length;
    missing.push(...page.flatMap(({ domain }) => (domains.has(domain) ? [] : [domain])));
    after = page.at(-1)?.domain;
    if (page.length < PAGE) return { stored, missing };
  }
}

async function takeDomains(
  domains: DescriptionPieces["domains"],
  { added, changed, gone }: Readonly<Record<"added" | "changed" | "gone", DomainName[]>>,
  descriptions: DescriptionStore,
  watch: WatchStore,
  now: Date,
  signal: AbortSignal | undefined,
): Promise<void> {
  const left = new Map(domains);
  for (let after: DomainName | undefined; ; ) {
    const page = await descriptions.domains({}, { limit: PAGE, ...(after && { after }) });
    for (const stored of page) {
      signal?.throwIfAborted();
      const content = left.get(stored.domain);
      left.delete(stored.domain);
      if (content === undefined) {
        await forget(stored, descriptions, watch);
        gone.push(stored.domain);
      } else if (!isSame(stored, content)) {
        await putOver(stored, content, descriptions, watch, now);
        changed.push(stored.domain);
      }
    }
    after = page.at(-1)?.domain;
    if (page.length < PAGE) break;
  }
  const fresh = Array.from(left, ([domain, content]) => ({ domain, content, ownerId: undefined }));
  for (let from = 0; from < fresh.length; from += NEW_AT_ONCE) {
    signal?.throwIfAborted();
    const batch = fresh.slice(from, from + NEW_AT_ONCE);
    await addDomains(batch, descriptions, watch, now);
    added.push(...batch.map(({ domain }) => domain));
  }
}

/** One by one only where somebody else was there first. */
async function addDomains(
  batch: readonly Pick<StoredDomain, "domain" | "content" | "ownerId">[],
  descriptions: DescriptionStore,
  watch: WatchStore,
  now: Date,
): Promise<void> {
  const put = new Set(await descriptions.addDomains(batch, now));
  const fresh = batch.filter(({ domain }) => put.has(domain));
  const watched = new Set(await watch.scheduleNew(fresh, now));
  for (const { domain, ownerId } of fresh)
    if (!watched.has(domain)) await watch.schedule(domain, ownerId, now);
  for (const { domain, content } of batch)
    if (!put.has(domain)) await putOver({ domain }, content, descriptions, watch, now);
}

const isSame = (stored: StoredPiece, content: StoredPiece["content"]): boolean =>
  JSON.stringify(stored.content) === JSON.stringify(content);

async function takeCommon(
  content: StoredPiece["content"],
  descriptions: DescriptionStore,
  now: Date,
): Promise<boolean> {
  for (let tries = 0; tries < MAX_TRIES; tries++) {
    const stored = await descriptions.common();
    if (stored.revision > 0 && isSame(stored, content)) return false;
    if ((await descriptions.putCommon(content, stored.revision, now)) === "put") return true;
  }
  throw new Error("somebody else changes the servers all the time; the description file was not taken in");
}

async function putOver(
  found: Pick<StoredDomain, "domain"> & Partial<StoredDomain>,
  content: StoredPiece["content"],
  descriptions: DescriptionStore,
  watch: WatchStore,
  now: Date,
): Promise<void> {
  const { domain } = found;
  let stored = found.revision === undefined ? undefined : (found as StoredDomain);
  for (let tries = 0; tries < MAX_TRIES; tries++) {
    const ownerId = stored?.ownerId;
    if ((await descriptions.putDomain({ domain, content, ownerId }, stored?.revision ?? 0, now)) === "put") {
      await watch.schedule(domain, ownerId, now);
      return;
    }
    stored = await descriptions.domain(domain);
    if (stored !== undefined && isSame(stored, content)) return;
  }
  throw new Error(`somebody else changes ${domain} all the time; it was not taken in`);
}

async function forget(found: StoredDomain, descriptions: DescriptionStore, watch: WatchStore): Promise<void> {
  let stored: StoredDomain | undefined = found;
  for (let tries = 0; stored !== undefined && tries < MAX_TRIES; tries++) {
    if ((await descriptions.removeDomain(stored.domain, stored.revision)) === "removed") break;
    stored = await descriptions.domain(stored.domain);
  }
  await watch.forget(found.domain);
}
