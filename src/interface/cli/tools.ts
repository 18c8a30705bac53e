/** What the commands need from outside; main.ts joins it to the real world, tests to a small one. */
import type { AccessStore } from "../../access/access-store.ts";
import type { World } from "../../check/context.ts";
import type { TrapContact } from "../../check/mx-trap.ts";
import type { ServerConfiguration } from "../../config/server-settings.ts";
import type { KeyPairMaker } from "../../keys/generate.ts";
import type { KeyStore } from "../../keys/key-store.ts";
import type { SealStore } from "../../keys/seal-store.ts";
import type { RandomOctets } from "../../keys/sealing.ts";
import type { TlsaSightingStore } from "../../keys/tlsa-sighting.ts";
import type { MilterAddress } from "../../milter/address.ts";
import type { MailSink, MailSinkSettings, SubmissionServer, SubmitMail } from "../../milter/mail-exchange.ts";
import type { MilterSettings } from "../../milter/settings.ts";
import type { SigningTable } from "../../milter/signing-table.ts";
import type { Holders } from "../../publish/apply.ts";
import type { Provider } from "../../publish/provider.ts";
import type { ProviderStore } from "../../publish/provider-store.ts";
import type { PublishStore } from "../../publish/publish-store.ts";
import type { DescriptionPieces } from "../../records/description-pieces.ts";
import type { PublishEntry } from "../../records/publish-settings.ts";
import type { SigningKey } from "../../standards/dkim/sign.ts";
import type { IpAddress } from "../../standards/dns/address.ts";
import type { DomainName } from "../../standards/dns/name.ts";
import type { ResourceRecord } from "../../standards/dns/record.ts";
import type { Terminal } from "./terminal.ts";

/** How to look at DNS, as the options of a command say it. */
export interface ViewSettings {
  /** A root hints file's text, to start elsewhere than at the internet's root. */
  readonly rootHints?: string;
  /** "IP" or "IP:PORT"; the system's resolvers where empty. */
  readonly resolvers: readonly string[];
  /** The port of all authoritative name servers, for laboratories; 53 where absent. */
  readonly port?: number;
  /** Which addresses that strangers' zones name may be asked; all where absent. */
  readonly mayAsk?: (address: IpAddress) => boolean;
  /** Each question goes to the resolver itself, and not to what it said before. */
  readonly freshResolverAnswers?: boolean;
  /** Whether servers may be connected to; DNS alone where absent. */
  readonly probes?: ProbeSettings;
}

export interface ProbeSettings {
  /** Authorities in PEM that count beside the public ones. */
  readonly authorities: readonly string[];
}

export interface OpenedWorld {
  readonly world: World;
  /** How many DNS queries were sent so far. */
  readonly queriesSent: () => number;
  readonly close: () => Promise<void>;
}

/** What outlives the process. */
export interface OpenedState {
  readonly publish: PublishStore;
  readonly keys: KeyStore;
  readonly seal: SealStore;
  readonly providers: ProviderStore;
  readonly tlsaSightings: TlsaSightingStore;
  /** The accounts of the server that works on this state. */
  readonly access: AccessStore;
  /** A copy as of one moment, in a new file. */
  backup(path: string): Promise<void>;
  close(): Promise<void>;
}

export interface Tools {
  readonly terminal: Terminal;
  readonly environment: Readonly<Record<string, string | undefined>>;
  readonly now: () => Date;
  readonly sleep: (milliseconds: number) => Promise<void>;
  readonly readFile: (path: string) => string;
  readonly fileExists: (path: string) => boolean;
  /** Writes a new file, and refuses to overwrite one unless told. */
  readonly writeFile: (
    path: string,
    content: string | Uint8Array,
    options: { readonly overwrite: boolean },
  ) => void;
  /** Adds to the end of a file, which is made where there is none. */
  readonly appendFile: (path: string, content: string) => void;
  /** A file as it is, for keys in raw octets. */
  readonly readOctets: (path: string) => Uint8Array;
  /** Writes a file that its owner alone may read (0600), whole or not at all; folders are made (0700). */
  readonly writePrivateFile: (
    path: string,
    content: string,
    options: { readonly overwrite: boolean },
  ) => void;
  /** The files below a folder, as paths in it; undefined where there is no such folder. */
  readonly listFiles: (folder: string) => readonly string[] | undefined;
  readonly randomOctets: RandomOctets;
  readonly holders: Holders;
  readonly makeKeyPair: KeyPairMaker;
  readonly readStdin: () => Promise<string>;
  /** Standard input as it is; undefined where it is longer. */
  readonly readStdinOctets: (maxOctets: number) => Promise<Uint8Array | undefined>;
  /** Octets to standard output, as they are. */
  readonly outOctets: (octets: Uint8Array) => void;
  /** Asks a person; undefined where nobody is there to answer. */
  readonly ask: ((question: string) => Promise<string>) | undefined;
  /** The registrable domain by the public suffix list. */
  readonly organizationalDomain: World["organizationalDomain"];
  /** Whether this runs with all rights, and so keeps its state with the system's. */
  readonly isAdministrator: boolean;
  /**
   * Opens, or makes, the state in a directory, or in the database whose URL lies there. Throws a UsageError where it
   * cannot.
   */
  readonly openState: (directory: string, database: ServerConfiguration["database"]) => Promise<OpenedState>;
  /** Puts a backup in the place of the state, whose file before is named where there was one. */
  readonly restoreState: (
    file: string,
    directory: string,
    database: ServerConfiguration["database"],
  ) => Promise<{ readonly before: string | undefined }>;
  /** Throws a UsageError where a secret is missing or a setting cannot be. */
  readonly openProvider: (entry: PublishEntry, zone: DomainName) => Promise<Provider>;
  /** Throws a UsageError for settings that cannot be. */
  readonly openWorld: (settings: ViewSettings) => Promise<OpenedWorld>;
  /** Starts an authoritative name server on loopback, for the tour; port 0 takes a free one. */
  readonly startNameServer: (
    zones: readonly ServedZone[],
    address: string,
    port: number,
  ) => Promise<NameServerHandle>;
  /** Starts the mail server that takes no mail; port 0 takes a free one. */
  readonly startTrap: (settings: TrapSettings) => Promise<TrapHandle>;
  /** Starts the server that takes one mail; with a certificate of its own where none is given. */
  readonly startMailSink: (settings: Omit<MailSinkSettings, "hostName">) => Promise<MailSink>;
  /** How to hand mail in: at a server, or by the local program. */
  readonly openSubmission: (
    via: SubmissionServer | { readonly program: string; readonly host?: undefined },
  ) => SubmitMail;
  /** Asks a person for what nobody else should see; undefined where nobody is there to answer. */
  readonly askSecret: ((question: string) => Promise<string>) | undefined;
  /** Serves a mail server as a milter until somebody ends the program. Rejects where it cannot listen. */
  readonly serveMilter: (job: MilterJob) => Promise<void>;
  /** Starts the server; rejects where it cannot listen, and throws a UsageError where a setting cannot be used. */
  readonly startServer?: (job: ServeJob) => Promise<ServeHandle | undefined>;
  /** Resolves once somebody ends the program. */
  readonly untilInterrupted: () => Promise<void>;
  /** Calls whenever somebody says that files were changed (SIGHUP), until what it returns is called. */
  readonly onReload: (act: () => void) => () => void;
}

export interface ServeJob {
  readonly settings: ServerConfiguration;
  /** Undefined where the environment alone says them. */
  readonly settingsFile: string | undefined;
  /** Where the state lies; undefined for the demo, which has none. */
  readonly directory: string | undefined;
  readonly logLine: (line: string) => void;
  readonly description?: DescribedFile;
  /** Somebody ends the program: what takes long ends where it is, and what was done stays. */
  readonly signal?: AbortSignal;
}

/** A description file that is the truth. */
export interface DescribedFile {
  /** "zonepost.yaml" */
  readonly name: string;
  readonly pieces: DescriptionPieces;
  /** So many domains go because the file no longer names them, and that is meant; what is usual needs no such word. */
  readonly allowedRemoved?: number;
}

export interface ServeHandle {
  /** As browsers see it. */
  readonly url: string;
  /** Of the link for the first administrator; undefined where there are users. */
  readonly setupSecret: string | undefined;
  /** Of the demo, where it is one. */
  readonly accounts?: readonly { readonly name: string; readonly role: string; readonly password: string }[];
  /** Takes over what can be while it runs. Rejects where nothing was taken over. */
  readonly reload: (next: Pick<ServeJob, "settings" | "description">) => Promise<Reloaded>;
  readonly stop: () => Promise<void>;
}

export interface Reloaded {
  /** One for each thing that was taken over, or that needs a start anew. */
  readonly sentences: readonly string[];
  /** Why it ended in the middle; the rest is as before. */
  readonly failure?: string;
}

/** What a milter goes by; read anew when somebody says so. */
export interface LoadedMilter {
  readonly settings: MilterSettings;
  readonly table: SigningTable;
}

export interface MilterJob {
  readonly address: MilterAddress;
  readonly socketMode: number;
  readonly socketGroup?: string;
  /** Processes; as many as are of use where absent. */
  readonly workers?: number;
  /** "IP" or "IP:PORT"; the system's resolvers where empty. */
  readonly resolvers: readonly string[];
  /** For all lookups of one message together. */
  readonly dnsMilliseconds: number;
  readonly graceMilliseconds: number;
  readonly metrics?: { readonly address: string; readonly port: number };
  /** Throws a UsageError where the settings are wrong: then the old ones stay. */
  readonly load: () => Promise<LoadedMilter>;
  readonly onSigned: (keys: readonly SigningKey[]) => void;
  /** Now and then, and before the end, in every process. */
  readonly onInterval: () => Promise<void>;
  readonly onListening: (workers: number) => void;
  /** One line for each message, soon after it. */
  readonly onLines: (lines: readonly string[]) => void;
  /** In each process: the settings were read anew. */
  readonly onReloaded: () => void;
  /** One sentence. */
  readonly onTrouble: (text: string) => void;
}

export interface TrapSettings {
  readonly address: string;
  readonly port: number;
  readonly hostName: string;
  readonly onContact: (contact: TrapContact) => void;
}

export interface TrapHandle {
  readonly port: number;
  close(): Promise<void>;
}

export interface ServedZone {
  readonly apex: DomainName;
  readonly records: readonly ResourceRecord[];
}

export interface NameServerHandle {
  readonly port: number;
  /** Queries answered so far. */
  readonly queryCount: number;
  replaceZones(zones: readonly ServedZone[]): void;
  close(): Promise<void>;
}
