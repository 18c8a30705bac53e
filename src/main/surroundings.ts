/** What the server of `zonepost serve` stands in: the real world. */
import { setTimeout as sleep } from "node:timers/promises";
import { USUAL_BLOCK_LISTS } from "../check/block-lists.ts";
import type { CheckOptions, World } from "../check/context.ts";
import { readNetworks } from "../interface/cli/argument.ts";
import type { ServeHandle, ServeJob } from "../interface/cli/tools.ts";
import type { MasterKey } from "../keys/sealing.ts";
import type { Provider } from "../publish/provider.ts";
import type { EnteredProvider, PublishEntry, SecretSource } from "../records/publish-settings.ts";
import { contains, type IpAddress, specialPurpose } from "../standards/dns/address.ts";
import { type DomainName, isWithin } from "../standards/dns/name.ts";
import type { OpenedStore } from "../store/open.ts";
import type { AlertChannel } from "../watch/alert.ts";
import type { AlertTools } from "../watch/alerts.ts";
import { readSettingsFile } from "./secret-source.ts";
import { databaseUrl, openState, readServerSealKey, removeUnfinishedBackups } from "./state.ts";
import { openWorld } from "./world.ts";
import { openProvider, readPublishEntry } from "./zone-provider.ts";

/** What the server of `zonepost serve` stands in: the real world, or that of the demo. */
export interface Surroundings {
  readonly state: OpenedStore;
  /** Of the PostgreSQL in which the state lies. */
  readonly databaseUrl: string | undefined;
  readonly master: MasterKey;
  /**
   * The world as it is from now on. What many domains share may be as old as that: for a look at this domain, whose
   * last one was `before`.
   */
  readonly world: (look?: { readonly domain: DomainName; readonly before: Date | undefined }) => World;
  readonly checkOptions: Omit<CheckOptions, "description" | "derived">;
  readonly publishEntries: readonly PublishEntry[];
  readonly openProvider: (entry: PublishEntry | EnteredProvider, zone: DomainName) => Promise<Provider>;
  /** Resolves earlier where the signal says so. */
  readonly sleep: (milliseconds: number, signal?: AbortSignal) => Promise<void>;
  readonly accounts?: ServeHandle["accounts"];
  /** In place of the settings' channels, and of the ways to them. */
  readonly alerts?: Pick<AlertTools, "sendMail" | "post"> & { readonly channels: readonly AlertChannel[] };
  readonly close: () => Promise<void>;
}

export async function openSurroundings(
  settings: ServeJob["settings"],
  directory: string,
): Promise<Surroundings> {
  // Whatever is wrong with the settings is said before anything is opened.
  const publishEntries = settings.publish.map((entry, at) => readPublishEntry(entry, `publish[${at}]`));
  const assumePublic = readNetworks("check.assumePublic", settings.check.assumePublic);
  const authorities = settings.check.trust.map((path) => readSettingsFile(path, "check.trust"));
  const { rootHints, resolvers, port } = settings.dns;
  const opened = await openWorld({
    resolvers,
    ...(rootHints !== undefined && { rootHints: readSettingsFile(rootHints, "dns.rootHints") }),
    ...(port !== undefined && { port }),
    // Whoever starts elsewhere than at the internet's root has a network of their own to ask.
    ...(rootHints === undefined &&
      port === undefined &&
      !settings.check.allowPrivate && {
        mayAsk: (address: IpAddress) =>
          specialPurpose(address) === undefined || assumePublic.some((each) => contains(each, address)),
      }),
    probes: { authorities },
  });
  const database = settings.database as SecretSource | undefined;
  const state = await openState(directory, database);
  removeUnfinishedBackups(directory, new Date());
  return {
    state,
    databaseUrl: databaseUrl(database),
    master: await readServerSealKey(settings, directory, state),
    world(look) {
      const now = Date.now();
      if (look === undefined) return opened.worldSince(() => now);
      const { domain, before } = look;
      const othersSince = before?.getTime() ?? 0;
      return opened.worldSince((name) => (isWithin(name, domain) ? now : othersSince));
    },
    checkOptions: {
      dkimSelectors: [],
      assumePublic,
      allowPrivate: settings.check.allowPrivate,
      blockLists: USUAL_BLOCK_LISTS,
    },
    publishEntries,
    openProvider,
    sleep: (milliseconds, signal) => sleep(milliseconds, undefined, { signal }).catch(() => undefined),
    async close() {
      await opened.close();
      await state.close();
    },
  };
}
