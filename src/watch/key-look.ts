/** Keys held against what every name server shows. */
import type { AuthoritativeView, ZoneReport } from "../check/view.ts";
import type { DkimKey } from "../keys/key.ts";
import { keyOwner } from "../keys/key-record-shapes.ts";
import { type KeyLook, sightOf } from "../keys/sighting.ts";
import type { DomainName } from "../standards/dns/name.ts";

/** How many keys are looked at together. */
const CONCURRENCY = 16;

export interface SeenKey {
  readonly key: DkimKey;
  readonly look: KeyLook;
}

/** Every key at every name server. */
export async function lookAtKeys(
  keys: readonly DkimKey[],
  view: AuthoritativeView,
): Promise<readonly SeenKey[]> {
  const seen: SeenKey[] = [];
  const queue = keys.entries();
  const work = async () => {
    for (const [at, key] of queue) seen[at] = { key, look: await lookAtKey(key, view) };
  };
  await Promise.all(Array.from({ length: Math.min(CONCURRENCY, keys.length) }, work));
  return seen;
}

async function lookAtKey(key: DkimKey, view: AuthoritativeView): Promise<KeyLook> {
  const owner = keyOwner(key);
  const direct = await view.askEveryServer(owner, "TXT");
  // A selector may be an alias into another zone, whose servers have to agree as well.
  const ends = new Set(
    direct.flatMap(({ answer }) =>
      answer.status === "found" && answer.canonicalName !== owner ? [answer.canonicalName] : [],
    ),
  );
  const behind = await Promise.all([...ends].slice(0, 4).map((end) => view.askEveryServer(end, "TXT")));
  const answers = [...direct, ...behind.flat()];
  const zones = await Promise.all([owner, ...ends].map((name) => zoneAround(name, view)));
  const negativeTtls = [
    ...zones.flatMap((zone) => zone?.servers.map((server) => server.negativeTtlSeconds) ?? []),
    ...answers.map(({ answer }) => (answer.status === "absent" ? answer.negativeTtlSeconds : undefined)),
  ].filter((ttl) => ttl !== undefined);
  return {
    signingDomain: key.signingDomain,
    dkimSelector: key.dkimSelector,
    perServer: answers.map(({ server, answer }) => ({
      server: server.name,
      sight: sightOf(answer, key.publicKey),
      ...(answer.status === "found" && {
        ttlSeconds: Math.max(...answer.records.map(({ ttlSeconds }) => ttlSeconds)),
      }),
    })),
    ...(negativeTtls.length > 0 && { negativeTtlSeconds: Math.max(...negativeTtls) }),
  };
}

/** The zone in which a name lies, or would lie. */
async function zoneAround(name: DomainName, view: AuthoritativeView): Promise<ZoneReport | undefined> {
  const own = await view.findZone(name);
  const zone = own.status === "absent" ? await view.findZone(own.closest) : own;
  return zone.status === "found" ? zone.zone : undefined;
}
