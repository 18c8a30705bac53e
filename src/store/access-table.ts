/** Who may come in, and what was done. */
import { type Selectable, sql, type Transaction } from "kysely";
import type {
  AccessStore,
  ApiToken,
  AuditEntry,
  Passkey,
  Role,
  Scope,
  Session,
  Standing,
  User,
} from "../access/access-store.ts";
import { optionalDate, pageLimit, storable, timeOf } from "./column.ts";
import { holdOwnSeal } from "./own-seal.ts";
import type { Database, Tables } from "./tables.ts";

/** Of one answer. */
const MAX_TOKENS = 10_000;

export function createAccessStore(database: Database): AccessStore {
  return { ...users(database), ...proofs(database), ...traces(database.query) };
}

function users({
  query,
  ...database
}: Database): Pick<AccessStore, "countUsers" | "user" | "users" | "addUser" | "changeUser"> {
  const { differences } = database;
  return {
    async countUsers() {
      const { count } = await query
        .selectFrom("account")
        .select(({ fn }) => fn.countAll<number>().as("count"))
        .executeTakeFirstOrThrow();
      return count;
    },
    async user(by) {
      const column = "id" in by ? "id" : "name" in by ? "name" : "oidc_subject";
      const value = "id" in by ? by.id : "name" in by ? by.name : by.oidcSubject;
      const row = await query
        .selectFrom("account")
        .selectAll()
        .where(column, "=", storable(value))
        .executeTakeFirst();
      return row && userOf(row);
    },
    async users() {
      return (await query.selectFrom("account").selectAll().orderBy("name").execute()).map(userOf);
    },
    addUser: (user, options) =>
      query.transaction().execute(async (tx) => {
        if (user.sealedTotpSecret !== undefined) await holdOwnSeal(tx, database);
        if (options?.onlyFirst === true) {
          // Nobody else adds one between the look and the deed.
          if (differences.locksRows) await sql`LOCK TABLE account IN SHARE ROW EXCLUSIVE MODE`.execute(tx);
          const any = await tx.selectFrom("account").select("id").limit(1).executeTakeFirst();
          if (any !== undefined) return "taken";
        }
        const { numInsertedOrUpdatedRows } = await tx
          .insertInto("account")
          .values({
            id: user.id,
            created_at: user.createdAt.getTime(),
            revision: user.revision,
            recoveries: user.recoveries,
            ...changingOf(user),
          })
          .onConflict((conflict) => conflict.doNothing())
          .executeTakeFirst();
        return numInsertedOrUpdatedRows === 1n ? "added" : "taken";
      }),
    changeUser: (before, after, { keepSession, isRecovery = false } = {}) =>
      query.transaction().execute(async (tx) => {
        if (after.id !== before.id) throw new TypeError(`${before.name}: a user cannot become another`);
        const { sealedTotpSecret } = after;
        if (sealedTotpSecret !== undefined && sealedTotpSecret !== before.sealedTotpSecret)
          await holdOwnSeal(tx, database);
        if (isActingAdministrator(before) && !isActingAdministrator(after)) {
          // No other is changed between the look and the deed.
          if (differences.locksRows) await sql`LOCK TABLE account IN SHARE ROW EXCLUSIVE MODE`.execute(tx);
          const other = await tx
            .selectFrom("account")
            .select("id")
            .where("role", "=", "administrator")
            .where("disabled_at", "is", null)
            .where("id", "<>", before.id)
            .limit(1)
            .executeTakeFirst();
          if (other === undefined) return "last";
        }
        const values = changingOf(after);
        const isThrownOut = isRecovery || after.disabledAt !== undefined;
        const rivals = await tx
          .selectFrom("account")
          .select("id")
          .where("id", "<>", before.id)
          .where(({ eb, or }) =>
            or([
              eb("name", "=", values.name),
              ...(values.oidc_subject === null ? [] : [eb("oidc_subject", "=", values.oidc_subject)]),
            ]),
          )
          .execute();
        if (rivals.length > 0) return "taken";
        const { numUpdatedRows } = await tx
          .updateTable("account")
          .set(({ eb }) => ({
            ...values,
            revision: before.revision + 1,
            recoveries: eb("recoveries", "+", isThrownOut ? 1 : 0),
          }))
          .where("id", "=", before.id)
          .where("revision", "=", before.revision)
          .executeTakeFirst();
        if (numUpdatedRows !== 1n) return "stale";
        if (isThrownOut || after.passwordHash !== before.passwordHash) {
          await tx
            .deleteFrom("login_session")
            .where("user_id", "=", before.id)
            .$if(keepSession !== undefined, (rows) => rows.where("secret_hash", "<>", keepSession!))
            .execute();
        }
        if (isThrownOut) {
          await tx.deleteFrom("passkey").where("user_id", "=", before.id).execute();
          await tx.deleteFrom("api_token").where("user_id", "=", before.id).execute();
        }
        return "changed";
      }),
  };
}

const isActingAdministrator = ({ role, disabledAt }: User): boolean =>
  role === "administrator" && disabledAt === undefined;

type Traces =
  | "keepPlace"
  | "knowsPlace"
  | "countAttempt"
  | "takeBackAttempt"
  | "clearAttempts"
  | "clearAttemptsBelow"
  | "audit"
  | "auditLog"
  | "sweep"
  | "sweepAudit";

function proofs({
  query,
  differences,
}: Database): Omit<AccessStore, keyof ReturnType<typeof users> | Traces> {
  /** Whoever throws them out waits for this, or is waited for. */
  const stands = async (tx: Transaction<Tables>, { id, recoveries, passwordHash }: Standing) => {
    const row = await tx
      .selectFrom("account")
      .select("id")
      .where("id", "=", id)
      .where("recoveries", "=", recoveries)
      .where("password_hash", passwordHash === undefined ? "is" : "=", passwordHash ?? null)
      .$if(differences.locksRows, (rows) => rows.forShare())
      .executeTakeFirst();
    return row !== undefined;
  };
  return {
    async passkeys(userId) {
      const rows = query
        .selectFrom("passkey")
        .selectAll()
        .where("user_id", "=", userId)
        .orderBy("created_at");
      return (await rows.orderBy("credential_id").execute()).map(passkeyOf);
    },
    async passkey(credentialId) {
      const row = await query
        .selectFrom("passkey")
        .selectAll()
        .where("credential_id", "=", storable(credentialId))
        .executeTakeFirst();
      return row && passkeyOf(row);
    },
    addPasskey: ({ credentialId, userId, createdAt, ...passkey }, as) =>
      query.transaction().execute(async (tx) => {
        if (!(await stands(tx, as))) return "gone";
        const { numInsertedOrUpdatedRows } = await tx
          .insertInto("passkey")
          .values({
            credential_id: credentialId,
            user_id: userId,
            created_at: createdAt.getTime(),
            public_key: passkey.publicKey,
            counter: passkey.counter,
            transports: JSON.stringify(passkey.transports),
            label: storable(passkey.label),
            last_used_at: timeOf(passkey.lastUsedAt),
          })
          .onConflict((conflict) => conflict.doNothing())
          .executeTakeFirst();
        return numInsertedOrUpdatedRows === 1n ? "added" : "taken";
      }),
    async touchPasskey({ credentialId, userId, counter, lastUsedAt }) {
      const { numUpdatedRows } = await query
        .updateTable("passkey")
        .set({ counter, last_used_at: timeOf(lastUsedAt) })
        .where("credential_id", "=", credentialId)
        .where("user_id", "=", userId)
        .executeTakeFirst();
      return numUpdatedRows === 1n;
    },
    async removePasskey(userId, credentialId) {
      const { numDeletedRows } = await query
        .deleteFrom("passkey")
        .where("credential_id", "=", storable(credentialId))
        .where("user_id", "=", userId)
        .executeTakeFirst();
      return numDeletedRows === 1n;
    },

    addSession: (session, as) =>
      query.transaction().execute(async (tx) => {
        if (!(await stands(tx, as))) return false;
        await tx
          .insertInto("login_session")
          .values({
            secret_hash: session.secretHash,
            user_id: session.userId,
            created_at: session.createdAt.getTime(),
            last_seen_at: session.lastSeenAt.getTime(),
            expires_at: session.expiresAt.getTime(),
            address: storable(session.address),
            user_agent: storable(session.userAgent),
            is_complete: session.isComplete ? 1 : 0,
            proven_at: timeOf(session.provenAt),
          })
          .execute();
        return true;
      }),
    async session(secretHash) {
      const row = await query
        .selectFrom("login_session")
        .selectAll()
        .where("secret_hash", "=", secretHash)
        .executeTakeFirst();
      return row && sessionOf(row);
    },
    async touchSession(secretHash, lastSeenAt, expiresAt) {
      await query
        .updateTable("login_session")
        .set({ last_seen_at: lastSeenAt.getTime(), expires_at: expiresAt.getTime() })
        .where("secret_hash", "=", secretHash)
        .execute();
    },
    async sessions(userId) {
      const rows = query.selectFrom("login_session").selectAll().where("user_id", "=", userId);
      return (await rows.orderBy("created_at").orderBy("secret_hash").execute()).map(sessionOf);
    },
    async removeSession(secretHash) {
      await query.deleteFrom("login_session").where("secret_hash", "=", secretHash).execute();
    },

    addToken: (token, as) =>
      query.transaction().execute(async (tx) => {
        if (!(await stands(tx, as))) return false;
        await tx
          .insertInto("api_token")
          .values({
            id: token.id,
            secret_hash: token.secretHash,
            user_id: token.userId,
            label: storable(token.label),
            scopes: JSON.stringify(token.scopes),
            created_at: token.createdAt.getTime(),
            expires_at: timeOf(token.expiresAt),
            last_used_at: timeOf(token.lastUsedAt),
          })
          .execute();
        return true;
      }),
    async token(secretHash) {
      const row = await query
        .selectFrom("api_token")
        .selectAll()
        .where("secret_hash", "=", secretHash)
        .executeTakeFirst();
      return row && tokenOf(row);
    },
    async tokens(userId) {
      const rows = await query
        .selectFrom("api_token")
        .selectAll()
        .$if(userId !== undefined, (found) => found.where("user_id", "=", userId!))
        .orderBy("created_at")
        .orderBy("id")
        .limit(MAX_TOKENS)
        .execute();
      return rows.map(tokenOf);
    },
    async touchToken(id, lastUsedAt) {
      await query
        .updateTable("api_token")
        .set({ last_used_at: lastUsedAt.getTime() })
        .where("id", "=", id)
        .execute();
    },
    async removeToken(userId, id) {
      const { numDeletedRows } = await query
        .deleteFrom("api_token")
        .where("id", "=", storable(id))
        .where("user_id", "=", userId)
        .executeTakeFirst();
      return numDeletedRows === 1n;
    },
  };
}

function traces(query: Database["query"]): Pick<AccessStore, Traces> {
  return {
    async keepPlace(userId, place, until, atMost) {
      await query
        .insertInto("known_place")
        .values({ user_id: userId, place, until: until.getTime() })
        .onConflict((conflict) =>
          conflict.columns(["user_id", "place"]).doUpdateSet({ until: until.getTime() }),
        )
        .execute();
      await query
        .deleteFrom("known_place")
        .where("user_id", "=", userId)
        .where("place", "not in", (found) =>
          found
            .selectFrom("known_place")
            .select("place")
            .where("user_id", "=", userId)
            .orderBy("until", "desc")
            .orderBy("place")
            .limit(atMost),
        )
        .execute();
    },
    async knowsPlace(name, place, now) {
      const row = await query
        .selectFrom("account")
        .innerJoin("known_place", "known_place.user_id", "account.id")
        .select("account.id")
        .where("account.name", "=", storable(name))
        .where("known_place.place", "=", place)
        .where("known_place.until", ">", now.getTime())
        .executeTakeFirst();
      return row !== undefined;
    },
    async countAttempt(key, now, until) {
      const counted = await query
        .insertInto("login_attempt")
        .values({ key: storable(key), count: 1, until: until.getTime() })
        .onConflict((conflict) =>
          conflict.column("key").doUpdateSet(({ eb, ref }) => {
            const isOver = eb("login_attempt.until", "<=", now.getTime());
            return {
              count: eb
                .case()
                .when(isOver)
                .then(1)
                .else(eb("login_attempt.count", "+", 1))
                .end(),
              until: eb.case().when(isOver).then(until.getTime()).else(ref("login_attempt.until")).end(),
            };
          }),
        )
        .returning(["count", "until"])
        .executeTakeFirstOrThrow();
      return { count: counted.count, until: new Date(counted.until) };
    },
    async takeBackAttempt(key, now) {
      await query
        .updateTable("login_attempt")
        .set(({ eb }) => ({ count: eb("count", "-", 1) }))
        .where("key", "=", storable(key))
        .where("count", ">", 0)
        .where("until", ">", now.getTime())
        .execute();
    },
    async clearAttempts(key) {
      await query.deleteFrom("login_attempt").where("key", "=", storable(key)).execute();
    },
    async clearAttemptsBelow(key) {
      // ";" is what comes behind ":": a range, which the primary key serves.
      await query
        .deleteFrom("login_attempt")
        .where("key", ">=", storable(`${key}:`))
        .where("key", "<", storable(`${key};`))
        .execute();
    },
    async audit(entry) {
      await query
        .insertInto("audit_entry")
        .values({
          id: entry.id,
          at: entry.at.getTime(),
          actor: storable(entry.actor),
          address: entry.address === undefined ? null : storable(entry.address),
          action: entry.action,
          target: storable(entry.target),
          details: JSON.stringify(entry.details),
        })
        .execute();
    },
    async auditLog({ before, limit, target, actor, action }) {
      const rows = await query
        .selectFrom("audit_entry")
        .selectAll()
        .$if(before !== undefined, (found) => found.where("id", "<", storable(before!)))
        .$if(target !== undefined, (found) => found.where("target", "=", storable(target!)))
        .$if(actor !== undefined, (found) => found.where("actor", "=", storable(actor!)))
        .$if(action !== undefined, (found) => {
          const word = storable(action!);
          if (word.includes(".")) return found.where("action", "=", word);
          // "/" is what comes behind ".": a range, which an index serves.
          return found.where(({ and, eb, or }) =>
            or([
              eb("action", "=", word),
              and([eb("action", ">=", `${word}.`), eb("action", "<", `${word}/`)]),
            ]),
          );
        })
        .orderBy("id", "desc")
        .limit(pageLimit(limit))
        .execute();
      return rows.map(entryOf);
    },
    async sweep(now) {
      const time = now.getTime();
      await query.deleteFrom("login_session").where("expires_at", "<=", time).execute();
      await query.deleteFrom("login_attempt").where("until", "<=", time).execute();
      await query.deleteFrom("known_place").where("until", "<=", time).execute();
      await query.deleteFrom("api_token").where("expires_at", "<=", time).execute();
    },
    async sweepAudit(before) {
      await query.deleteFrom("audit_entry").where("at", "<", before.getTime()).execute();
    },
  };
}

const changingOf = (user: User) => ({
  name: storable(user.name),
  role: user.role,
  password_hash: user.passwordHash ?? null,
  sealed_totp_secret: user.sealedTotpSecret ?? null,
  totp_step: user.totpStep ?? null,
  oidc_subject: user.oidcSubject === undefined ? null : storable(user.oidcSubject),
  disabled_at: timeOf(user.disabledAt),
});

const userOf = (row: Selectable<Tables["account"]>): User => ({
  id: row.id,
  name: row.name,
  role: row.role as Role,
  passwordHash: row.password_hash ?? undefined,
  sealedTotpSecret: row.sealed_totp_secret ?? undefined,
  totpStep: row.totp_step ?? undefined,
  oidcSubject: row.oidc_subject ?? undefined,
  createdAt: new Date(row.created_at),
  disabledAt: optionalDate(row.disabled_at),
  revision: row.revision,
  recoveries: row.recoveries,
});

const passkeyOf = (row: Selectable<Tables["passkey"]>): Passkey => ({
  credentialId: row.credential_id,
  userId: row.user_id,
  publicKey: row.public_key,
  counter: row.counter,
  transports: JSON.parse(row.transports) as string[],
  label: row.label,
  createdAt: new Date(row.created_at),
  lastUsedAt: optionalDate(row.last_used_at),
});

const sessionOf = (row: Selectable<Tables["login_session"]>): Session => ({
  secretHash: row.secret_hash,
  userId: row.user_id,
  createdAt: new Date(row.created_at),
  lastSeenAt: new Date(row.last_seen_at),
  expiresAt: new Date(row.expires_at),
  address: row.address,
  userAgent: row.user_agent,
  isComplete: row.is_complete === 1,
  provenAt: optionalDate(row.proven_at),
});

const tokenOf = (row: Selectable<Tables["api_token"]>): ApiToken => ({
  id: row.id,
  secretHash: row.secret_hash,
  userId: row.user_id,
  label: row.label,
  scopes: JSON.parse(row.scopes) as Scope[],
  createdAt: new Date(row.created_at),
  expiresAt: optionalDate(row.expires_at),
  lastUsedAt: optionalDate(row.last_used_at),
});

const entryOf = (row: Selectable<Tables["audit_entry"]>): AuditEntry => ({
  id: row.id,
  at: new Date(row.at),
  actor: row.actor,
  address: row.address ?? undefined,
  action: row.action,
  target: row.target,
  details: JSON.parse(row.details) as AuditEntry["details"],
});
