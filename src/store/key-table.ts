/** Keys, private halves sealed. */
import type { ExpressionBuilder, Selectable, Transaction } from "kysely";
import type { DkimKey, KeyState, Sighting } from "../keys/key.ts";
import type { KeyChange, KeyStore } from "../keys/key-store.ts";
import type { SealedKey } from "../keys/sealing.ts";
import { decodeBase64 } from "../standards/dkim/key-record.ts";
import { decodeDkimKey, encodeDkimKey } from "../standards/dkim/public-key.ts";
import { parseDkimSelector } from "../standards/dkim/selector.ts";
import { parseDomainName } from "../standards/dns/name.ts";
import { holdOwnSeal } from "./own-seal.ts";
import type { Database, Tables } from "./tables.ts";
import { allOrNothing } from "./transaction.ts";

type Row = Selectable<Tables["dkim_key"]>;

/** What may change in a key's life. */
const CHANGING = ["sealed", "state", "barred", "last_signed_at", "times", "sighting"] as const;

export function createKeyStore({ query, ...database }: Database): KeyStore {
  const rows = () => query.selectFrom("dkim_key").selectAll();
  return {
    async list(signingDomain) {
      const found =
        signingDomain === undefined
          ? rows().orderBy("created_at").orderBy("domain").orderBy("selector")
          : rows().where("domain", "=", signingDomain).orderBy("created_at").orderBy("selector");
      return (await found.execute()).map(keyOf);
    },
    async get({ signingDomain, dkimSelector }) {
      const row = await rows()
        .where("domain", "=", signingDomain)
        .where("selector", "=", dkimSelector)
        .executeTakeFirst();
      return row && keyOf(row);
    },
    async publishes(domain) {
      const row = await query
        .selectFrom("key_rotation")
        .select("publishes")
        .where("domain", "=", domain)
        .executeTakeFirst();
      return row?.publishes === 1;
    },
    async setPublishes(domain, is) {
      const publishes = is ? 1 : 0;
      await query
        .insertInto("key_rotation")
        .values({ domain, publishes })
        .onConflict((conflict) => conflict.column("domain").doUpdateSet({ publishes }))
        .execute();
    },
    async put(key) {
      const { signingDomain, dkimSelector, publicKey } = key;
      return query.transaction().execute(async (tx) => {
        await holdOwnSeal(tx, database);
        const { numInsertedOrUpdatedRows } = await tx
          .insertInto("dkim_key")
          .values({
            domain: signingDomain,
            selector: dkimSelector,
            key_type: publicKey.keyType,
            public_key: encodeDkimKey(publicKey),
            created_at: key.createdAt.getTime(),
            ...changingOf(key),
          })
          .onConflict((conflict) => conflict.doNothing())
          .executeTakeFirst();
        return numInsertedOrUpdatedRows === 1n ? "put" : "taken";
      });
    },
    async change(changes) {
      const isDone = await allOrNothing(query, (tx) => changeKeys(tx, changes));
      return isDone ? "changed" : "stale";
    },
    async remove(key) {
      const { numDeletedRows } = await query.deleteFrom("dkim_key").where(isAsBefore(key)).executeTakeFirst();
      return numDeletedRows === 1n ? "removed" : "stale";
    },
  };
}

/** False where one is not as it was; what was changed before it is for the transaction to take back. */
export async function changeKeys(tx: Transaction<Tables>, changes: readonly KeyChange[]): Promise<boolean> {
  changes.forEach(refuseOther);
  // In one order for everybody, so that no two wait for each other.
  const inOrder = changes.toSorted((one, other) => (nameText(one) < nameText(other) ? -1 : 1));
  for (const { before, after } of inOrder) {
    const { numUpdatedRows } = await tx
      .updateTable("dkim_key")
      .set(changingOf(after))
      .where(isAsBefore(before))
      .executeTakeFirst();
    if (numUpdatedRows !== 1n) return false;
  }
  return true;
}

/** A key is never overwritten in its place: other material has another selector. */
function refuseOther({ before, after }: KeyChange): void {
  const same =
    before.signingDomain === after.signingDomain &&
    before.dkimSelector === after.dkimSelector &&
    encodeDkimKey(before.publicKey) === encodeDkimKey(after.publicKey);
  if (!same) throw new TypeError(`${before.dkimSelector}: a key cannot become another`);
}

const nameText = ({ before: { signingDomain, dkimSelector } }: KeyChange): string =>
  `${signingDomain} ${dkimSelector}`;

function changingOf(key: DkimKey): Pick<Row, (typeof CHANGING)[number]> {
  return {
    sealed: key.sealed,
    state: key.state,
    barred: key.barred ?? null,
    last_signed_at: key.lastSignedAt?.getTime() ?? null,
    times: datesText(key.times),
    sighting: sightingText(key.sighting),
  };
}

/** The row, if it is still as it was read. */
const isAsBefore =
  (key: DkimKey) =>
  ({ eb, and }: ExpressionBuilder<Tables, "dkim_key">) => {
    const values = changingOf(key);
    return and([
      eb("domain", "=", key.signingDomain),
      eb("selector", "=", key.dkimSelector),
      eb("public_key", "=", encodeDkimKey(key.publicKey)),
      ...CHANGING.map((column) => eb(column, "is not distinct from", values[column])),
    ]);
  };

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
  const signingDomain = parseDomainName(row.domain);
  const dkimSelector = parseDkimSelector(row.selector);
  const octets = decodeBase64(row.public_key);
  const publicKey = octets && decodeDkimKey(row.key_type === "ed25519" ? "ed25519" : "rsa", octets);
  if (!signingDomain.ok || !dkimSelector.ok || !publicKey?.ok) {
    throw new Error(`the store is damaged: the key ${row.selector} of ${row.domain} cannot be read`);
  }
  const { everywhereSince, cachesClearAt, otherTtlSeconds } = JSON.parse(row.sighting);
  const { barred, last_signed_at: lastSignedAt } = row;
  return {
    signingDomain: signingDomain.value,
    dkimSelector: dkimSelector.value,
    publicKey: publicKey.value,
    sealed: row.sealed as SealedKey,
    state: row.state as KeyState,
    createdAt: new Date(row.created_at),
    times: Object.fromEntries(
      Object.entries(JSON.parse(row.times)).map(([name, at]) => [name, new Date(Number(at))]),
    ),
    sighting: {
      ...(everywhereSince !== undefined && { everywhereSince: new Date(everywhereSince) }),
      ...(cachesClearAt !== undefined && { cachesClearAt: new Date(cachesClearAt) }),
      ...(otherTtlSeconds !== undefined && { otherTtlSeconds }),
    },
    ...(barred !== null && { barred: barred === "revoked" ? "revoked" : "retired" }),
    ...(lastSignedAt !== null && { lastSignedAt: new Date(lastSignedAt) }),
  };
}
