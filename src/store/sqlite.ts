/**
 * The embedded store: one file of SQLite. What a call has said is done is on disk, whatever happens to the process or
 * the machine: write-ahead log, synced at every commit.
 */
import { chmodSync, closeSync, mkdirSync, openSync } from "node:fs";
import { dirname } from "node:path";
import { DatabaseSync, type SQLInputValue, type SQLOutputValue } from "node:sqlite";
import type { DkimKey, KeyState, Sighting } from "../keys/key.ts";
import type { KeyName } from "../keys/key-name.ts";
import type { KeyChange, KeyStore } from "../keys/key-store.ts";
import type { SealedKey } from "../keys/sealing.ts";
import type { TlsaSightingStore } from "../keys/tlsa-sighting.ts";
import type { PublishStore } from "../publish/publish-store.ts";
import { decodeBase64 } from "../standards/dkim/key-record.ts";
import { decodeDkimKey, encodeDkimKey } from "../standards/dkim/public-key.ts";
import { parseDkimSelector } from "../standards/dkim/selector.ts";
import { parseDomainName } from "../standards/dns/name.ts";
import { createPublishStore, PUBLISH_TABLES } from "./publish-tables.ts";
import { createTlsaSightingStore, TLSA_TABLE } from "./tlsa-table.ts";

/** Of the layout below. */
const LAYOUT = 2;
/** How long one process waits for another that is writing. */
const BUSY_MILLISECONDS = 10_000;

const TABLES = `
CREATE TABLE dkim_key (
  domain TEXT NOT NULL,
  selector TEXT NOT NULL,
  key_type TEXT NOT NULL,
  public_key TEXT NOT NULL,
  sealed TEXT NOT NULL,
  state TEXT NOT NULL,
  barred TEXT,
  created_at INTEGER NOT NULL,
  last_signed_at INTEGER,
  times TEXT NOT NULL,
  sighting TEXT NOT NULL,
  PRIMARY KEY (domain, selector)
) STRICT, WITHOUT ROWID;
${PUBLISH_TABLES}
${TLSA_TABLE}
PRAGMA user_version = ${LAYOUT};
`;

/** From each layout before to the next. */
const UPGRADES: Readonly<Record<number, string>> = {
  1: TLSA_TABLE,
};

export interface OpenedStore {
  readonly keys: KeyStore;
  readonly publish: PublishStore;
  readonly tlsaSightings: TlsaSightingStore;
  close(): void;
}

/** Opens the file, or makes it: 0600, in a directory of 0700. Throws an Error with a plain sentence where it cannot. */
export function openSqliteStore(path: string): OpenedStore {
  mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
  // SQLite gives its log files the rights of the file itself.
  closeSync(openSync(path, "a", 0o600));
  chmodSync(path, 0o600);
  const database = new DatabaseSync(path, { timeout: BUSY_MILLISECONDS });
  try {
    database.exec("PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL;");
    layOut(database, path);
  } catch (error) {
    database.close();
    throw error;
  }
  return {
    keys: keyStore(database),
    publish: createPublishStore(database, (act) => inTransaction(database, act)),
    tlsaSightings: createTlsaSightingStore(database),
    close: () => database.close(),
  };
}

function layOut(database: DatabaseSync, path: string): void {
  inTransaction(database, () => {
    const layout = Number(database.prepare("PRAGMA user_version").get()?.["user_version"]);
    if (layout === 0) database.exec(TABLES);
    else if (layout < LAYOUT) {
      for (let from = layout; from < LAYOUT; from++) database.exec(UPGRADES[from]!);
      database.exec(`PRAGMA user_version = ${LAYOUT}`);
    } else if (layout !== LAYOUT) {
      throw new Error(
        `${path} was written by a newer version of zonepost (layout ${layout}, this one knows ${LAYOUT})`,
      );
    }
    return true;
  });
}

/** Takes everything back where `act` says false, or throws. */
function inTransaction(database: DatabaseSync, act: () => boolean): boolean {
  database.exec("BEGIN IMMEDIATE");
  try {
    const isDone = act();
    database.exec(isDone ? "COMMIT" : "ROLLBACK");
    return isDone;
  } catch (error) {
    if (database.isTransaction) database.exec("ROLLBACK");
    throw error;
  }
}

type Row = Readonly<Record<string, SQLOutputValue>>;

/** What may change in a key's life, in the order of the statement below. */
const CHANGING = ["sealed", "state", "barred", "last_signed_at", "times", "sighting"] as const;

function keyStore(database: DatabaseSync): KeyStore {
  const all = database.prepare("SELECT * FROM dkim_key ORDER BY created_at, domain, selector");
  const ofDomain = database.prepare("SELECT * FROM dkim_key WHERE domain = ? ORDER BY created_at, selector");
  const one = database.prepare("SELECT * FROM dkim_key WHERE domain = ? AND selector = ?");
  const insert = database.prepare(
    `INSERT INTO dkim_key (domain, selector, key_type, public_key, created_at, ${CHANGING.join(", ")})
     VALUES (?, ?, ?, ?, ?, ${CHANGING.map(() => "?").join(", ")}) ON CONFLICT DO NOTHING`,
  );
  const asBefore = CHANGING.map((column) => `${column} IS ?`).join(" AND ");
  const update = database.prepare(
    `UPDATE dkim_key SET ${CHANGING.map((column) => `${column} = ?`).join(", ")}
     WHERE domain = ? AND selector = ? AND public_key = ? AND ${asBefore}`,
  );
  const remove = database.prepare(
    `DELETE FROM dkim_key WHERE domain = ? AND selector = ? AND public_key = ? AND ${asBefore}`,
  );
  return {
    list: (signingDomain) =>
      (signingDomain === undefined ? all.all() : ofDomain.all(signingDomain)).map(keyOf),
    get: ({ signingDomain, dkimSelector }: KeyName) => {
      const row = one.get(signingDomain, dkimSelector);
      return row && keyOf(row);
    },
    put: (key) => {
      const { signingDomain, dkimSelector, publicKey } = key;
      const fixed = [signingDomain, dkimSelector, publicKey.keyType, encodeDkimKey(publicKey)];
      const { changes } = insert.run(...fixed, key.createdAt.getTime(), ...changingOf(key));
      return Number(changes) === 1 ? "put" : "taken";
    },
    change: (changes) => {
      changes.forEach(refuseOther);
      const isDone = inTransaction(database, () =>
        changes.every(({ before, after }) => {
          const values = [...changingOf(after), ...nameOf(before), ...changingOf(before)];
          return Number(update.run(...values).changes) === 1;
        }),
      );
      return isDone ? "changed" : "stale";
    },
    remove: (key) =>
      Number(remove.run(...nameOf(key), ...changingOf(key)).changes) === 1 ? "removed" : "stale",
  };
}

/** A key is never overwritten in its place: other material has another selector. */
function refuseOther({ before, after }: KeyChange): void {
  const same =
    before.signingDomain === after.signingDomain &&
    before.dkimSelector === after.dkimSelector &&
    encodeDkimKey(before.publicKey) === encodeDkimKey(after.publicKey);
  if (!same) throw new TypeError(`${before.dkimSelector}: a key cannot become another`);
}

const nameOf = ({ signingDomain, dkimSelector, publicKey }: DkimKey): string[] => [
  signingDomain,
  dkimSelector,
  encodeDkimKey(publicKey),
];

function changingOf(key: DkimKey): SQLInputValue[] {
  return [
    key.sealed,
    key.state,
    key.barred ?? null,
    key.lastSignedAt?.getTime() ?? null,
    datesText(key.times),
    sightingText(key.sighting),
  ];
}

/** In one order, for texts are compared. */
const datesText = (times: Readonly<Record<string, Date | undefined>>): string =>
  JSON.stringify(
    Object.fromEntries(
      Object.entries(times)
        .flatMap(([name, at]) => (at === undefined ? [] : [[name, at.getTime()] as const]))
        .sort(([one], [other]) => (one < other ? -1 : 1)),
    ),
  );

const sightingText = ({ everywhereSince, cachesClearAt, otherTtlSeconds }: Sighting): string =>
  JSON.stringify({
    everywhereSince: everywhereSince?.getTime(),
    cachesClearAt: cachesClearAt?.getTime(),
    otherTtlSeconds,
  });

function keyOf(row: Row): DkimKey {
  const text = (column: string) => String(row[column]);
  const signingDomain = parseDomainName(text("domain"));
  const dkimSelector = parseDkimSelector(text("selector"));
  const octets = decodeBase64(text("public_key"));
  const publicKey = octets && decodeDkimKey(text("key_type") === "ed25519" ? "ed25519" : "rsa", octets);
  if (!signingDomain.ok || !dkimSelector.ok || !publicKey?.ok) {
    throw new Error(`the store is damaged: the key ${text("selector")} of ${text("domain")} cannot be read`);
  }
  const { everywhereSince, cachesClearAt, otherTtlSeconds } = JSON.parse(text("sighting"));
  const barred = row["barred"];
  const lastSignedAt = row["last_signed_at"];
  return {
    signingDomain: signingDomain.value,
    dkimSelector: dkimSelector.value,
    publicKey: publicKey.value,
    sealed: text("sealed") as SealedKey,
    state: text("state") as KeyState,
    createdAt: new Date(Number(row["created_at"])),
    times: Object.fromEntries(
      Object.entries(JSON.parse(text("times"))).map(([name, at]) => [name, new Date(Number(at))]),
    ),
    sighting: {
      ...(everywhereSince !== undefined && { everywhereSince: new Date(everywhereSince) }),
      ...(cachesClearAt !== undefined && { cachesClearAt: new Date(cachesClearAt) }),
      ...(otherTtlSeconds !== undefined && { otherTtlSeconds }),
    },
    ...(barred !== null && { barred: barred === "revoked" ? "revoked" : "retired" }),
    ...(lastSignedAt !== null && { lastSignedAt: new Date(Number(lastSignedAt)) }),
  };
}
