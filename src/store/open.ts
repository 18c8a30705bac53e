/** What outlives the process: one file of SQLite, or a database of PostgreSQL; the same tables and queries in both. */
import { Kysely, sql } from "kysely";
import type { AccessStore } from "../access/access-store.ts";
import type { KeyStore } from "../keys/key-store.ts";
import type { SealStore } from "../keys/seal-store.ts";
import type { TlsaSightingStore } from "../keys/tlsa-sighting.ts";
import type { ProviderStore } from "../publish/provider-store.ts";
import type { PublishStore } from "../publish/publish-store.ts";
import type { DescriptionStore } from "../records/description-store.ts";
import type { AlertStore } from "../watch/alert-store.ts";
import type { JobStore } from "../watch/job-store.ts";
import type { TaskStore } from "../watch/task.ts";
import type { WatchStore } from "../watch/watch-store.ts";
import { createAccessStore } from "./access-table.ts";
import { createAlertStore } from "./alert-table.ts";
import { createDescriptionStore } from "./description-table.ts";
import { createJobStore } from "./job-table.ts";
import { createKeyStore } from "./key-table.ts";
import { createProviderStore } from "./provider-table.ts";
import { createPublishStore } from "./publish-table.ts";
import { createSealStore } from "./seal-table.ts";
import { sqliteDialect } from "./sqlite-dialect.ts";
import { backUpSqlite, openSqliteFile, openSqliteMemory } from "./sqlite-file.ts";
import type { Database, Tables } from "./tables.ts";
import { createTaskStore } from "./task-table.ts";
import { createTlsaSightingStore } from "./tlsa-table.ts";
import { StoreTrouble, type Tell, telling, tellPostgres, tellSqlite } from "./trouble.ts";
import { createWatchStore } from "./watch-table.ts";

export type StoreSettings =
  | { readonly kind: "sqlite"; readonly path: string }
  /** SQLite without a file: all is gone when it is closed. */
  | { readonly kind: "memory" }
  | { readonly kind: "postgres"; readonly url: string };

/** What a call has said is done is on disk; one that was cut off has changed nothing, or all of it. */
export interface OpenedStore {
  readonly keys: KeyStore;
  readonly seal: SealStore;
  readonly tlsaSightings: TlsaSightingStore;
  readonly publish: PublishStore;
  readonly providers: ProviderStore;
  readonly descriptions: DescriptionStore;
  readonly watch: WatchStore;
  readonly access: AccessStore;
  readonly jobs: JobStore;
  readonly tasks: TaskStore;
  readonly alertNews: AlertStore;
  /** Rejects with the reason where the database cannot be asked. */
  ping(): Promise<void>;
  /** A copy as of one moment, in a new file; others may write meanwhile. SQLite alone. */
  backup(path: string): Promise<void>;
  close(): Promise<void>;
}

/** Makes the tables, or brings them up to date. Rejects with a StoreTrouble where it cannot. */
export async function openStore(settings: StoreSettings): Promise<OpenedStore> {
  if (settings.kind !== "postgres") {
    const path = settings.kind === "memory" ? ":memory:" : settings.path;
    const file = await (settings.kind === "memory" ? openSqliteMemory() : openSqliteFile(path));
    const query = new Kysely<Tables>({ dialect: sqliteDialect(file) });
    const database: Database = {
      query,
      differences: { locksRows: false, hasPartIndexes: false },
      ownSeal: {},
    };
    return {
      ...stores(database, tellSqlite(path), (target) =>
        backUpSqlite(settings.kind === "memory" ? file : path, target),
      ),
      async close() {
        await query.destroy();
        // The query layer leaves alone what it was never asked for.
        if (file.isOpen) file.close();
      },
    };
  }
  const { openPostgres } = await import("./postgres.ts");
  const { query, place } = await openPostgres(settings.url);
  const database: Database = { query, differences: { locksRows: true, hasPartIndexes: true }, ownSeal: {} };
  return stores(database, tellPostgres(place), async () => {
    throw new StoreTrouble(
      "refused",
      `${place} is saved with PostgreSQL's own tools: pg_dump, or its archive of WAL`,
    );
  });
}

function stores(database: Database, tell: Tell, backup: (path: string) => Promise<void>): OpenedStore {
  const { query } = database;
  return {
    keys: telling(createKeyStore(database), tell),
    seal: telling(createSealStore(database), tell),
    tlsaSightings: telling(createTlsaSightingStore(database), tell),
    publish: telling(createPublishStore(database), tell),
    providers: telling(createProviderStore(database), tell),
    descriptions: telling(createDescriptionStore(database), tell),
    watch: telling(createWatchStore(database), tell),
    access: telling(createAccessStore(database), tell),
    jobs: telling(createJobStore(database), tell),
    tasks: telling(createTaskStore(database), tell),
    alertNews: telling(createAlertStore(database), tell),
    ...telling(
      {
        ping: async () => {
          await sql`SELECT 1 FROM dkim_key LIMIT 1`.execute(query);
        },
      },
      tell,
    ),
    backup,
    close: () => query.destroy(),
  };
}
