/** A milter at work: what its connections share, and what may change while they last. */
import { DkimKeyRing } from "../standards/dkim/key-lookup.ts";
import type { SignData, SigningKey } from "../standards/dkim/sign.ts";
import { formatLogLine } from "./log-line.ts";
import { connectMail, type MilterMeans } from "./mail-milter.ts";
import { type MetricCounts, MilterMetrics } from "./metrics.ts";
import { MilterSession, type SessionOwner } from "./session.ts";
import type { MilterSettings } from "./settings.ts";
import type { SigningTable } from "./signing-table.ts";

interface LoadedMeans {
  readonly settings: MilterSettings;
  readonly table: SigningTable;
}

export interface MilterOptions {
  /** Rejects where the settings cannot be had; then those before stay. */
  readonly load: () => Promise<LoadedMeans>;
  readonly openResolver: MilterMeans["openResolver"];
  readonly now: () => Date;
  /** Calls back once, unless what it returns is called before. */
  readonly after: (milliseconds: number, action: () => void) => () => void;
  readonly signData: SignData;
  readonly onSigned: (keys: readonly SigningKey[]) => void;
  /** One line for each message. */
  readonly onLine: (line: string) => void;
  /** The settings were read anew, and count from now on. */
  readonly onReloaded: () => void;
  /** One sentence. */
  readonly onTrouble: (text: string) => void;
}

export class Milter {
  readonly #options: MilterOptions;
  readonly #metrics = new MilterMetrics();
  #means: MilterMeans;
  #reloading = Promise.resolve();

  /** Rejects with what `load` rejects with. */
  static async open(options: MilterOptions): Promise<Milter> {
    return new Milter(options, await options.load());
  }

  private constructor(options: MilterOptions, loaded: LoadedMeans) {
    this.#options = options;
    this.#means = {
      ...loaded,
      keys: new DkimKeyRing(),
      openResolver: options.openResolver,
      now: options.now,
      signData: options.signData,
      onMessage: (record) => {
        this.#metrics.record(record);
        if (record.signing !== undefined && record.signing.keys.length > 0)
          options.onSigned(record.signing.keys);
        options.onLine(formatLogLine(record));
      },
    };
  }

  createSession(owner: SessionOwner): MilterSession {
    return new MilterSession(
      {
        connect: (connection) => connectMail(connection, () => this.#means),
        needs: ["addHeaders", "changeHeaders", "quarantine"],
        stopsBodies: true,
        after: this.#options.after,
        onError: (error, source) => {
          this.#metrics.add("zonepost_milter_errors_total", { source });
          this.#options.onTrouble(`${TROUBLE[source]}: ${error.message}`);
        },
      },
      owner,
    );
  }

  /** Messages that are under way end as they began. One at a time: the last to be read is what counts. */
  reload(): Promise<void> {
    this.#reloading = this.#reloading.then(() => this.#loadAgain());
    return this.#reloading;
  }

  async #loadAgain(): Promise<void> {
    try {
      this.#means = { ...this.#means, ...(await this.#options.load()) };
    } catch (error) {
      this.#options.onTrouble(`the settings stay as they were: ${(error as Error).message}`);
      return;
    }
    this.#options.onReloaded();
  }

  refused(): void {
    this.#metrics.add("zonepost_milter_refused_connections_total", {});
    this.#options.onTrouble("a connection beyond the limit was closed");
  }

  counts(connections: number): MetricCounts {
    this.#metrics.set("zonepost_milter_connections", connections);
    return this.#metrics.counts();
  }
}

const TROUBLE = {
  mta: "a mail server broke the protocol, and its connection is over",
  handler: "a message could not be handled, and is to be sent again",
  deadline: "a message took too long, and is to be sent again",
} as const;
