/** A zone in memory that can be published into, and the name servers that show it at once. */
import type { Tools } from "../../src/interface/cli/tools.ts";
import type { KeyStore } from "../../src/keys/key-store.ts";
import { formatRdata } from "../../src/standards/dns/rdata-text.ts";
import { memoryAccessStore } from "./memory-access-store.ts";
import { type MemoryProvider, memoryProvider, memoryStore } from "./memory-provider.ts";
import { memoryProviderStore } from "./memory-provider-store.ts";
import { memorySealStore } from "./memory-seal-store.ts";
import { memorySightings } from "./memory-sightings.ts";
import { tableWorld } from "./table-world.ts";

/** A store of keys that holds none, for commands that only look. */
export const NO_KEYS: KeyStore = {
  list: async () => [],
  get: async () => undefined,
  publishes: async () => false,
  setPublishes: async () => undefined,
  put: async () => "taken",
  change: async () => "stale",
  remove: async () => "stale",
};

export interface PublishLaboratory {
  readonly provider: MemoryProvider;
  /** The directories in which state was looked for. */
  readonly directories: readonly string[];
  readonly tools: Pick<
    Tools,
    "now" | "sleep" | "openState" | "openProvider" | "openWorld" | "organizationalDomain"
  >;
}

/** `above`: zone text of what stands outside of the zone, such as its name servers' addresses. */
export function publishLaboratory(zone: string, above: string): PublishLaboratory {
  const provider = memoryProvider(zone);
  const publish = memoryStore();
  const directories: string[] = [];
  let seconds = 0;
  const world = () => {
    const lines = [...provider.rrsets.values()].flatMap((rrset) =>
      rrset.data.map((data) => `${rrset.name}. ${rrset.ttlSeconds} ${rrset.type} ${formatRdata(data)}`),
    );
    return tableWorld({ zone: [...lines, above].join("\n") });
  };
  return {
    provider,
    directories,
    tools: {
      now: () => new Date(Date.parse("2026-11-21T12:00:00Z") + 1000 * seconds++),
      sleep: async () => undefined,
      organizationalDomain: world().organizationalDomain,
      openState: async (directory) => {
        directories.push(directory);
        return {
          publish,
          keys: NO_KEYS,
          tlsaSightings: memorySightings(),
          access: memoryAccessStore(),
          seal: memorySealStore(),
          providers: memoryProviderStore(),
          backup: async () => undefined,
          close: async () => undefined,
        };
      },
      openProvider: async () => provider,
      openWorld: async () => {
        const { authoritative, ...rest } = world();
        return {
          // Every question is put to the zone as it is by then.
          world: {
            ...rest,
            authoritative: {
              ...authoritative,
              lookup: (name, type) => world().authoritative.lookup(name, type),
              askEveryServer: (name, type) => world().authoritative.askEveryServer(name, type),
            },
          },
          queriesSent: () => 0,
          backup: async () => undefined,
          close: async () => undefined,
        };
      },
    },
  };
}
