/** What the server needs from outside: stores, the world, time and chance. main.ts joins it to real ones. */
import type { Readable } from "node:stream";
import type { AccessStore } from "../../access/access-store.ts";
import type { IdentityProvider } from "../../access/identity-provider.ts";
import type { PasskeyVerifier } from "../../access/passkey.ts";
import type { RandomOctets } from "../../access/password.ts";
import type { SecretBox } from "../../access/secret-box.ts";
import type { SessionTimes } from "../../access/session.ts";
import type { SetupLink } from "../../access/setup.ts";
import type { CheckOptions, World } from "../../check/context.ts";
import type { ShownSetting } from "../../config/shown-settings.ts";
import type { KeyPairMaker } from "../../keys/generate.ts";
import type { KeyStore } from "../../keys/key-store.ts";
import type { MasterKey } from "../../keys/sealing.ts";
import type { Holders } from "../../publish/apply.ts";
import type { Provider } from "../../publish/provider.ts";
import type { ProviderStore } from "../../publish/provider-store.ts";
import type { PublishStore } from "../../publish/publish-store.ts";
import type { DescriptionStore } from "../../records/description-store.ts";
import type { EnteredProvider, PublishEntry } from "../../records/publish-settings.ts";
import type { DomainName } from "../../standards/dns/name.ts";
import type { Alerts } from "../../watch/alerts.ts";
import type { JobQueue } from "../../watch/job-queue.ts";
import type { ScheduleSettings } from "../../watch/schedule.ts";
import type { TaskStore } from "../../watch/task.ts";
import type { WatchStore } from "../../watch/watch-store.ts";

/** The state as of one moment. */
export interface SavedState {
  readonly octets: number;
  readonly content: Readable;
}

/** What people may know of how the server runs. */
export interface ServerAbout {
  /** The settings file; undefined where there is none. */
  readonly settingsFile: string | undefined;
  /** As they count now. */
  readonly settings: readonly ShownSetting[];
  readonly version: string;
  readonly runtime: string;
  readonly stateDirectory: string | undefined;
}

export interface ServerParts {
  readonly access: AccessStore;
  readonly descriptions: DescriptionStore;
  readonly watch: WatchStore;
  readonly keys: KeyStore;
  readonly publish: PublishStore;
  /** Who holds zones, as administrators have entered it. */
  readonly providers: ProviderStore;
  readonly tasks: TaskStore;
  /** Who works at it hands it the server's `handlers`. */
  readonly queue: Pick<JobQueue, "add" | "givenUp">;
  readonly schedule: ScheduleSettings;
  /** Of the watch, by each node. */
  readonly checksPerSecond: number;
  readonly alerts: Pick<Alerts, "tell" | "channels" | "tryOut">;
  /** From the time of the call on: nothing that was seen before counts. */
  readonly world: () => World;
  readonly checkOptions: Omit<CheckOptions, "description" | "derived">;
  /** The name of the file that says what servers and domains there are; undefined: the store does, and the API changes it. */
  readonly descriptionFile: string | undefined;
  /** Who holds zones, by the server's own settings: they alone can name files and commands. */
  readonly publishEntries: readonly PublishEntry[];
  readonly openProvider: (entry: PublishEntry | EnteredProvider, zone: DomainName) => Promise<Provider>;
  readonly sealKey: () => MasterKey;
  readonly box: SecretBox;
  readonly makeKeyPair: KeyPairMaker;
  readonly passkeys: PasskeyVerifier | undefined;
  readonly identity: IdentityProvider | undefined;
  readonly setupLink: SetupLink | undefined;
  readonly about: () => ServerAbout;
  /** Undefined where the state lies in PostgreSQL, which has tools of its own. */
  readonly saveState: (() => Promise<SavedState>) | undefined;
  /** The folder of the built pages; undefined where they are not built. */
  readonly pages: string | undefined;
  readonly now: () => Date;
  readonly random: RandomOctets;
  readonly sleep: (milliseconds: number) => Promise<void>;
  /** As `sleep`, for work that can be given back: rejects with an Interruption when the server stops. */
  readonly wait: (milliseconds: number) => Promise<void>;
  readonly holders: Holders;
  /** Again and again until what it returns is called. */
  readonly every: (milliseconds: number, act: () => void) => () => void;
  /** What keeps the server from serving; undefined where nothing does. */
  readonly trouble: () => Promise<string | undefined>;
  /** The kind of trouble that a store has thrown ("full", "gone"); undefined for any other error. */
  readonly storeTrouble: (error: unknown) => string | undefined;
  /** Of whatever works beside the server, in the text format of Prometheus. */
  readonly metrics: () => string;
  /** Takes lines of JSON; nothing is logged where absent. */
  readonly logLine: ((line: string) => void) | undefined;
}

export interface ServerSettings {
  /** As browsers see it: "https://zonepost.example.org". */
  readonly origin: string;
  /** Addresses or networks of proxies whose X-Forwarded-… headers count. */
  readonly trustedProxies: readonly string[];
  readonly tls: { readonly certificate: string; readonly key: string } | undefined;
  readonly times: SessionTimes;
  readonly logLevel: "debug" | "info" | "warn" | "error";
}
