/** Who holds a zone: by the settings on the machine, or as an administrator has entered it. */

import type { Provider } from "../../publish/provider.ts";
import { type KnownProvider, providerBinding } from "../../publish/provider-store.ts";
import { type EnteredProvider, enteredProvider, type PublishEntry } from "../../records/publish-settings.ts";
import type { DomainName } from "../../standards/dns/name.ts";
import type { ServerParts } from "./parts.ts";
import { Refusal } from "./problem.ts";

export type ZoneHolder = PublishEntry | EnteredProvider;

type HolderParts = Pick<ServerParts, "publishEntries" | "providers" | "box">;

export const holderOf = async (zone: DomainName, parts: HolderParts): Promise<ZoneHolder | undefined> =>
  (await findHolder(zone, parts))?.open();

/** Credentials stay sealed. */
export const isHeld = async (zone: DomainName, parts: HolderParts): Promise<boolean> =>
  (await findHolder(zone, parts)) !== undefined;

/** Who names the zone goes before who takes all; what is written on the machine goes before what was entered. */
async function findHolder(zone: DomainName, parts: HolderParts) {
  const known = (await parts.providers.list()).filter(({ removedAt }) => removedAt === undefined);
  const all = [
    ...parts.publishEntries.map((entry) => ({ zones: entry.zones, open: (): ZoneHolder => entry })),
    ...known.map((provider) => ({ zones: zonesOf(provider), open: () => openKnown(provider, parts) })),
  ];
  return all.find(({ zones }) => zones?.includes(zone)) ?? all.find(({ zones }) => zones === undefined);
}

export const zonesOf = ({ settings }: KnownProvider): readonly string[] | undefined =>
  settings["zones"] as readonly string[] | undefined;

/** Throws what is wrong with the entry itself, such as a server that is no address or a secret that is not there. */
export async function openHolder(
  entry: ZoneHolder,
  zone: DomainName,
  { openProvider }: Pick<ServerParts, "openProvider">,
): Promise<Provider> {
  try {
    return await openProvider(entry, zone);
  } catch (error) {
    throw new Refusal(
      "refused",
      `who holds ${zone} cannot be asked: ${(error as Error).message}`,
      "mend what is said of this provider",
    );
  }
}

/** Where secrets stand in an entry. */
const SECRET_FIELDS: ReadonlySet<string> = new Set([
  "secret",
  "token",
  "apiKey",
  "accessKeyId",
  "secretAccessKey",
]);

export const withoutSecrets = (entry: ZoneHolder): Readonly<Record<string, unknown>> =>
  JSON.parse(
    JSON.stringify(entry, (field, value) => (SECRET_FIELDS.has(field) ? undefined : value)),
  ) as Record<string, unknown>;

/** Zones stay outside: there may be many. */
export function sealEntered(
  { zones: _, ...entry }: EnteredProvider,
  id: string,
  { box }: Pick<ServerParts, "box">,
): string {
  return box.seal(Buffer.from(JSON.stringify(entry)), providerBinding(id));
}

export function openKnown(provider: KnownProvider, { box }: Pick<ServerParts, "box">): EnteredProvider {
  const octets = box.open(provider.sealed, providerBinding(provider.id));
  if (octets === undefined)
    throw new Refusal(
      "refused",
      "the credentials of this provider cannot be opened: they were sealed with another key",
      "enter them again, or bring back the server's seal key",
    );
  const zones = zonesOf(provider);
  return enteredProvider.parse({
    ...(JSON.parse(Buffer.from(octets).toString()) as object),
    ...(zones && { zones }),
  });
}
