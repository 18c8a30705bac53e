/** What publishing has to remember, in SQLite. */
import type { DatabaseSync, SQLInputValue, SQLOutputValue } from "node:sqlite";
import type { Rrset, RrsetChange } from "../publish/provider.ts";
import type { ApplyRecord, OwnedValue, PublishStore } from "../publish/publish-store.ts";
import { absolute, type DomainName, parseDomainName, ROOT } from "../standards/dns/name.ts";
import { formatRdata } from "../standards/dns/rdata-text.ts";
import type { Rdata, RecordType } from "../standards/dns/record.ts";
import { parseZoneText } from "../standards/dns/zone-text.ts";

/** An apply is kept as long as it can be undone or told of; `steps` and the rest are JSON. */
export const PUBLISH_TABLES = `
CREATE TABLE owned_value (
  zone TEXT NOT NULL,
  owned TEXT NOT NULL,
  PRIMARY KEY (zone)
) STRICT, WITHOUT ROWID;
CREATE TABLE publish_apply (
  id TEXT NOT NULL PRIMARY KEY,
  zone TEXT NOT NULL,
  started_at INTEGER NOT NULL,
  state TEXT NOT NULL CHECK (state IN ('running', 'done', 'undone')),
  steps TEXT NOT NULL,
  steps_done INTEGER NOT NULL,
  owned_before TEXT NOT NULL,
  owned_after TEXT NOT NULL,
  undoes TEXT
) STRICT, WITHOUT ROWID;
CREATE UNIQUE INDEX publish_apply_running ON publish_apply (zone) WHERE state = 'running';
CREATE INDEX publish_apply_zone ON publish_apply (zone, started_at);
`;

type Row = Readonly<Record<string, SQLOutputValue>>;

export function createPublishStore(
  database: DatabaseSync,
  inTransaction: (act: () => boolean) => boolean,
): PublishStore {
  const owned = database.prepare("SELECT owned FROM owned_value WHERE zone = ?");
  const own = database.prepare(
    "INSERT INTO owned_value (zone, owned) VALUES (?, ?) ON CONFLICT (zone) DO UPDATE SET owned = excluded.owned",
  );
  const list = database.prepare(
    "SELECT * FROM publish_apply WHERE zone = ? ORDER BY started_at DESC, id DESC",
  );
  const insert = database.prepare(
    `INSERT INTO publish_apply (id, zone, started_at, state, steps, steps_done, owned_before, owned_after, undoes)
     VALUES (?, ?, ?, 'running', ?, 0, ?, ?, ?) ON CONFLICT DO NOTHING`,
  );
  const step = database.prepare("UPDATE publish_apply SET steps_done = ? WHERE id = ? AND state = 'running'");
  const zoneOf = database.prepare("SELECT zone FROM publish_apply WHERE id = ? AND state = 'running'");
  const setState = database.prepare("UPDATE publish_apply SET state = ? WHERE id = ?");
  return {
    ownedIn: async (zone) => readOwned(owned.get(zone)?.["owned"]),
    appliesTo: async (zone) => list.all(zone).map(applyOf),
    async begin({ id, zone, startedAt, steps, ownedBefore, ownedAfter, undoes }) {
      const values: SQLInputValue[] = [
        id,
        zone,
        startedAt.getTime(),
        writeSteps(steps),
        JSON.stringify(ownedBefore),
        JSON.stringify(ownedAfter),
        undoes ?? null,
      ];
      return inTransaction(() => Number(insert.run(...values).changes) === 1);
    },
    async stepDone(id, stepsDone) {
      step.run(stepsDone, id);
    },
    async finish(id, values, undone) {
      inTransaction(() => {
        const zone = zoneOf.get(id)?.["zone"];
        if (typeof zone !== "string") return false; // somebody else has finished it
        own.run(zone, JSON.stringify(values));
        setState.run("done", id);
        if (undone !== undefined) setState.run("undone", undone);
        return true;
      });
    },
  };
}

function applyOf(row: Row): ApplyRecord {
  const undoes = row["undoes"];
  return {
    id: String(row["id"]),
    zone: readZone(String(row["zone"])),
    startedAt: new Date(Number(row["started_at"])),
    state: row["state"] as ApplyRecord["state"],
    steps: readSteps(String(row["steps"])),
    stepsDone: Number(row["steps_done"]),
    ownedBefore: readOwned(row["owned_before"]),
    ownedAfter: readOwned(row["owned_after"]),
    ...(typeof undoes === "string" && { undoes }),
  };
}

/** RRsets as zone text, which holds all types. */
interface WrittenChange {
  readonly name: string;
  readonly type: RecordType;
  readonly before: WrittenRrset | null;
  readonly after: WrittenRrset | null;
}
interface WrittenRrset {
  readonly ttlSeconds: number;
  readonly data: readonly string[];
}

function writeSteps(steps: ApplyRecord["steps"]): string {
  const rrset = (one: Rrset | undefined): WrittenRrset | null =>
    one === undefined
      ? null
      : { ttlSeconds: one.ttlSeconds, data: one.data.map((data) => formatRdata(data)) };
  const change = ({ name, type, before, after }: RrsetChange): WrittenChange => ({
    name,
    type,
    before: rrset(before),
    after: rrset(after),
  });
  return JSON.stringify(steps.map((changes) => changes.map(change)));
}

function readSteps(text: string): RrsetChange[][] {
  const steps = JSON.parse(text) as WrittenChange[][];
  return steps.map((changes) =>
    changes.map((written) => {
      const name = readZone(written.name);
      const { type } = written;
      const rrset = (one: WrittenRrset | null): Rrset | undefined =>
        one === null
          ? undefined
          : {
              name,
              type,
              ttlSeconds: one.ttlSeconds,
              data: one.data.map((data) => readData(name, type, data)),
            };
      return { name, type, before: rrset(written.before), after: rrset(written.after) };
    }),
  );
}

function readData(name: DomainName, type: RecordType, text: string): Rdata {
  const line = `${absolute(name)} 0 IN ${type} ${text}`;
  const { records } = parseZoneText(line, { origin: ROOT });
  if (records[0] === undefined)
    throw new Error(`the store holds ${type} data that cannot be read: ${text.slice(0, 80)}`);
  return records[0].data;
}

function readOwned(text: SQLOutputValue | undefined): OwnedValue[] {
  return typeof text === "string" ? (JSON.parse(text) as OwnedValue[]) : [];
}

function readZone(text: string): DomainName {
  const name = parseDomainName(text);
  if (!name.ok) throw new Error(`the store holds "${text}" for the name of a zone: ${name.problem}`);
  return name.value;
}
