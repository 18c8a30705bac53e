/** What publishing has to remember. */
import type { Selectable } from "kysely";
import type { Rrset, RrsetChange } from "../publish/provider.ts";
import type { ApplyRecord, OwnedValue, PublishStore } from "../publish/publish-store.ts";
import { absolute, type DomainName, ROOT } from "../standards/dns/name.ts";
import { formatRdata } from "../standards/dns/rdata-text.ts";
import type { Rdata, RecordType } from "../standards/dns/record.ts";
import { parseZoneText } from "../standards/dns/zone-text.ts";
import { nameIn } from "./column.ts";
import type { Database, Tables } from "./tables.ts";

/** Undo goes back so far; each row holds all that is ours in its zone, twice. */
const KEPT = 50;

export function createPublishStore({ query, differences }: Database): PublishStore {
  const appliesTo = (zone: string) =>
    query
      .selectFrom("publish_apply")
      .selectAll()
      .where("zone", "=", zone)
      .orderBy("started_at", "desc")
      .orderBy("id", "desc")
      .limit(1);
  return {
    async ownedIn(zone) {
      const row = await query
        .selectFrom("owned_value")
        .select("owned")
        .where("zone", "=", zone)
        .executeTakeFirst();
      return row === undefined ? [] : readOwned(row.owned);
    },
    async running(zone) {
      const row = await appliesTo(zone).where("state", "=", "running").executeTakeFirst();
      return row && applyOf(row);
    },
    async latest(zone) {
      const row = await appliesTo(zone).executeTakeFirst();
      return row && applyOf(row);
    },
    async latestToUndo(zone) {
      const row = await appliesTo(zone)
        .where("state", "=", "done")
        .where("steps", "<>", writeSteps([]))
        .where("undoes", "is", null)
        .executeTakeFirst();
      return row && applyOf(row);
    },
    async begin({ id, zone, startedAt, steps, ownedBefore, ownedAfter, undoes, holder, heldUntil }) {
      const before = await appliesTo(zone).clearSelect().select("started_at").executeTakeFirst();
      const { numInsertedOrUpdatedRows } = await query
        .insertInto("publish_apply")
        .values({
          id,
          zone,
          // The clock that the one before was begun by may have been ahead of ours.
          started_at: Math.max(startedAt.getTime(), (before?.started_at ?? 0) + 1),
          state: "running",
          steps: writeSteps(steps),
          steps_done: 0,
          owned_before: JSON.stringify(ownedBefore),
          owned_after: JSON.stringify(ownedAfter),
          undoes: undoes ?? null,
          holder,
          held_until: heldUntil.getTime(),
        })
        .onConflict((conflict) => conflict.doNothing())
        .executeTakeFirst();
      return numInsertedOrUpdatedRows === 1n;
    },
    async hold(id, heldUntil, waitsUntil) {
      const { numUpdatedRows } = await query
        .updateTable("publish_apply")
        .set({ held_until: heldUntil.getTime(), waits_until: waitsUntil?.getTime() ?? null })
        .where("id", "=", id)
        .where("state", "=", "running")
        .executeTakeFirst();
      return numUpdatedRows > 0n;
    },
    async stepDone(id, stepsDone) {
      await query
        .updateTable("publish_apply")
        .set({ steps_done: stepsDone })
        .where("id", "=", id)
        .where("state", "=", "running")
        .execute();
    },
    async finish(id, values, undone) {
      await query.transaction().execute(async (tx) => {
        const row = await tx
          .selectFrom("publish_apply")
          .select("zone")
          .where("id", "=", id)
          .where("state", "=", "running")
          .$if(differences.locksRows, (rows) => rows.forUpdate())
          .executeTakeFirst();
        if (row === undefined) return; // somebody else has finished it
        const owned = JSON.stringify(values);
        await tx
          .insertInto("owned_value")
          .values({ zone: row.zone, owned })
          .onConflict((conflict) => conflict.column("zone").doUpdateSet({ owned }))
          .execute();
        const set = (state: "done" | "undone", of: string) =>
          tx.updateTable("publish_apply").set({ state }).where("id", "=", of).execute();
        await set("done", id);
        if (undone !== undefined) await set("undone", undone);
        await tx
          .deleteFrom("publish_apply")
          .where("zone", "=", row.zone)
          .where("state", "<>", "running")
          .where("started_at", "<", ({ selectFrom }) =>
            selectFrom("publish_apply")
              .select("started_at")
              .where("zone", "=", row.zone)
              .orderBy("started_at", "desc")
              .offset(KEPT - 1)
              .limit(1),
          )
          .execute();
      });
    },
  };
}

function applyOf(row: Selectable<Tables["publish_apply"]>): ApplyRecord {
  return {
    id: row.id,
    zone: nameIn(row.zone),
    startedAt: new Date(row.started_at),
    state: row.state as ApplyRecord["state"],
    steps: readSteps(row.steps),
    stepsDone: row.steps_done,
    ownedBefore: readOwned(row.owned_before),
    ownedAfter: readOwned(row.owned_after),
    ...(row.undoes !== null && { undoes: row.undoes }),
    holder: row.holder ?? "",
    heldUntil: new Date(row.held_until),
    ...(row.waits_until !== null && { waitsUntil: new Date(row.waits_until) }),
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
      const name = nameIn(written.name);
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

const readOwned = (text: string): OwnedValue[] => JSON.parse(text) as OwnedValue[];
