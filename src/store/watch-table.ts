/** What is remembered of checks. */
import { type ExpressionBuilder, type Kysely, type Selectable, sql } from "kysely";
import type { DomainName } from "../standards/dns/name.ts";
import type {
  DomainPast,
  DomainState,
  FindingEvent,
  KnownEvent,
  KnownFinding,
  WatchStore,
} from "../watch/watch-store.ts";
import { agreeWithDescriptions, type WatchedWrites } from "./agreement.ts";
import { contains, nameIn, optionalDate, pageLimit, storable, timeOf } from "./column.ts";
import type { Database, Tables } from "./tables.ts";

type Row = Selectable<Tables["domain_state"]>;
type Severity = FindingEvent["severity"];

/** As they are kept: never numbered anew but by a migration. */
const RANKS: Readonly<Record<Severity | "unchecked", number>> = {
  error: 0,
  unknown: 1,
  warning: 2,
  notice: 3,
  ok: 4,
  unchecked: 5,
};
const BY_RANK = new Map(Object.entries(RANKS).map(([name, rank]) => [rank, name as keyof typeof RANKS]));

const rankOf = (worst: Severity | undefined): number => RANKS[worst ?? "unchecked"];

function ofRank(rank: number): Severity | undefined {
  const name = BY_RANK.get(rank);
  return name === "unchecked" ? undefined : name;
}

/** Rows of one statement: far below what either database takes as values. */
const EVENTS_AT_ONCE = 500;
const TIMES_AT_ONCE = 500;

export function createWatchStore({ query, differences }: Database): WatchStore {
  const writes: WatchedWrites = {
    async schedule(tx, domain, ownerId, at) {
      const owner = ownerId ?? null;
      const time = at.getTime();
      await tx
        .insertInto("domain_state")
        .values(newState(domain, owner, time))
        .onConflict((conflict) => conflict.column("domain").doNothing())
        .execute();
      const before = await tx
        .selectFrom("domain_state")
        .select(["owner_id", "next_check_at", "due_at", "revision"])
        .where("domain", "=", domain)
        .$if(differences.locksRows, (rows) => rows.forUpdate())
        .executeTakeFirst();
      if (before === undefined) return; // forgotten meanwhile
      // A check that is under way has seen what was before: whoever asks now is not served by it.
      const isLeased = before.due_at !== before.next_check_at;
      const next = isLeased ? time : Math.min(before.next_check_at, time);
      const isMoved = isLeased || next !== before.next_check_at;
      if (isMoved || owner !== before.owner_id) {
        await tx
          .updateTable("domain_state")
          .set({
            owner_id: owner,
            next_check_at: next,
            due_at: next,
            revision: isMoved ? before.revision + 1 : before.revision,
          })
          .where("domain", "=", domain)
          .execute();
      }
      if (owner === before.owner_id) return;
      await tx.updateTable("finding_event").set({ owner_id: owner }).where("domain", "=", domain).execute();
    },
    async forget(tx, domain) {
      await tx.deleteFrom("domain_state").where("domain", "=", domain).execute();
      await tx.deleteFrom("finding_event").where("domain", "=", domain).execute();
    },
  };
  return {
    schedule: (domain, ownerId, at) =>
      query.transaction().execute((tx) => writes.schedule(tx, domain, ownerId, at)),
    async scheduleNew(domains, at) {
      if (domains.length === 0) return [];
      const rows = await query
        .insertInto("domain_state")
        .values(domains.map(({ domain, ownerId }) => newState(domain, ownerId ?? null, at.getTime())))
        .onConflict((conflict) => conflict.column("domain").doNothing())
        .returning("domain")
        .execute();
      return rows.map(({ domain }) => nameIn(domain));
    },
    async takeDue(now, limit, leasedUntil) {
      const rows = await query
        // Once, whatever the planner thinks: a second run would take others as well.
        .with(
          (part) => part("due").materialized(),
          (part) =>
            part
              .selectFrom("domain_state")
              .select("domain")
              .where("due_at", "<=", now.getTime())
              .orderBy("due_at")
              .orderBy("domain")
              .limit(pageLimit(limit))
              .$if(differences.locksRows, (found) => found.forUpdate().skipLocked()),
        )
        .updateTable("domain_state")
        .set({ due_at: leasedUntil.getTime() })
        .where("domain", "in", ({ selectFrom }) => selectFrom("due").select("due.domain"))
        .returningAll()
        .execute();
      return rows.map(stateOf).sort((x, y) => x.nextCheckAt.getTime() - y.nextCheckAt.getTime());
    },
    async state(domain) {
      const row = await query
        .selectFrom("domain_state")
        .selectAll()
        .where("domain", "=", domain)
        .executeTakeFirst();
      return row && stateOf(row);
    },
    async findings(domain) {
      const row = await query
        .selectFrom("domain_findings")
        .select("findings")
        .where("domain", "=", domain)
        .executeTakeFirst();
      return row === undefined ? [] : readFindings(row.findings);
    },
    async standing(domains) {
      if (domains.length === 0) return new Map();
      const rows = await query
        .selectFrom("domain_findings")
        .selectAll()
        .where("domain", "in", [...domains])
        .execute();
      return new Map(
        rows.map(({ domain, findings }) => [
          nameIn(domain),
          readFindings(findings).map(
            ({ key, finding, confirmed, told = finding.severity, acknowledgedBy }) => ({
              key,
              severity: told,
              finding,
              isConfirmed: confirmed,
              isAcknowledged: acknowledgedBy !== undefined,
            }),
          ),
        ]),
      );
    },
    async record({ state, findings, events }) {
      const isPlain = findings === "as-before" && events.length === 0;
      if (isPlain) return (await putState(query, state)) === undefined ? "stale" : "recorded";
      return query.transaction().execute(async (tx) => {
        const row = await putState(tx, state);
        if (row === undefined) return "stale";
        if (findings !== "as-before") await putFindings(tx, state.domain, findings);
        const values = events.map((event) => eventValues(event, row.owner_id));
        for (let from = 0; from < values.length; from += EVENTS_AT_ONCE) {
          await tx
            .insertInto("finding_event")
            .values(values.slice(from, from + EVENTS_AT_ONCE))
            .execute();
        }
        return "recorded";
      });
    },
    async past(domain) {
      const row = await query
        .selectFrom("domain_past")
        .select("past")
        .where("domain", "=", domain)
        .executeTakeFirst();
      return row && (JSON.parse(row.past) as DomainPast);
    },
    changePast: (domain, change) =>
      query.transaction().execute(async (tx) => {
        // By the state: a domain of which nothing is remembered yet has no other row to lock.
        const state = await tx
          .selectFrom("domain_state")
          .select("domain")
          .where("domain", "=", domain)
          .$if(differences.locksRows, (rows) => rows.forUpdate())
          .executeTakeFirst();
        if (state === undefined) return;
        const row = await tx
          .selectFrom("domain_past")
          .select("past")
          .where("domain", "=", domain)
          .executeTakeFirst();
        const past = change(row && (JSON.parse(row.past) as DomainPast));
        if (past === undefined) return;
        const text = storable(JSON.stringify(past));
        await tx
          .insertInto("domain_past")
          .values({ domain, past: text })
          .onConflict((conflict) => conflict.column("domain").doUpdateSet({ past: text }))
          .execute();
      }),
    async names({ after, limit }) {
      const rows = await query
        .selectFrom("domain_state")
        .select("domain")
        .$if(after !== undefined, (found) => found.where("domain", ">", after!))
        .orderBy("domain")
        .limit(pageLimit(limit))
        .execute();
      return rows.map(({ domain }) => nameIn(domain));
    },
    async scheduleSooner(times) {
      for (let from = 0; from < times.length; from += TIMES_AT_ONCE) {
        const rows = times
          .slice(from, from + TIMES_AT_ONCE)
          .map(({ domain, at }) => sql`(CAST(${domain} AS TEXT), CAST(${at.getTime()} AS BIGINT))`);
        // As `schedule`: who asks now is not served by a check that is under way.
        await sql`
          WITH wish (name, at) AS (VALUES ${sql.join(rows)})
          UPDATE domain_state
          SET next_check_at = wish.at, due_at = wish.at, revision = revision + 1
          FROM wish
          WHERE domain = wish.name AND (due_at <> next_check_at OR next_check_at > wish.at)`.execute(query);
      }
    },
    async states({ ownerId, search, worst }, { after, limit }) {
      const found = query
        .selectFrom("domain_state")
        .$if(ownerId !== undefined, (rows) => rows.where("owner_id", "=", ownerId!))
        .$if(worst !== undefined, (rows) => rows.where("worst", "=", rankOf(worst)))
        .$if(Boolean(search), (rows) => rows.where(contains("domain", search!, differences)))
        .$if(after !== undefined, (rows) => rows.where(isAfter(after!)))
        .orderBy("worst")
        .orderBy("domain")
        .limit(pageLimit(limit));
      // A search reads names from an index alone, and the rows of those that are found.
      const rows = search
        ? await query
            .selectFrom("domain_state")
            .selectAll()
            .where("domain", "in", found.select("domain"))
            .orderBy("worst")
            .orderBy("domain")
            .execute()
        : await found.selectAll().execute();
      return rows.map(stateOf);
    },
    async overview({ ownerId }) {
      if (ownerId === undefined) {
        const kept = await query.selectFrom("domain_count").selectAll().where("domains", ">", 0).execute();
        return Object.fromEntries(kept.map(({ worst, domains }) => [BY_RANK.get(worst), domains]));
      }
      // Each rank for itself: then entries of an index are counted, and no rows are read.
      const counts = [...BY_RANK.keys()].map((rank) =>
        query
          .selectFrom("domain_state")
          .select(({ fn }) => [sql<number>`${sql.lit(rank)}`.as("worst"), fn.countAll<number>().as("count")])
          .where("owner_id", "=", ownerId)
          .where("worst", "=", rank),
      );
      const [first, ...others] = counts;
      const rows = await others.reduce((all, one) => all.unionAll(one), first!).execute();
      const found = rows.filter(({ count }) => count > 0);
      return Object.fromEntries(found.map(({ worst, count }) => [BY_RANK.get(worst), count]));
    },
    async history({ domain, ownerId }, { before, limit }) {
      const rows = await query
        .selectFrom("finding_event")
        .selectAll()
        .$if(domain !== undefined, (found) => found.where("domain", "=", domain!))
        .$if(ownerId !== undefined, (found) => found.where("owner_id", "=", ownerId!))
        .$if(before !== undefined, (found) =>
          found.where(({ eb, refTuple, tuple }) =>
            eb(refTuple("at", "id"), "<", tuple(before!.at.getTime(), before!.id)),
          ),
        )
        .orderBy("at", "desc")
        .orderBy("id", "desc")
        .limit(pageLimit(limit))
        .execute();
      return rows.map(eventOf);
    },
    acknowledge: (domain, key, by, at) =>
      query.transaction().execute(async (tx) => {
        // By the state, whose row every change locks.
        const state = await tx
          .selectFrom("domain_state")
          .select(["owner_id", "revision"])
          .where("domain", "=", domain)
          .$if(differences.locksRows, (rows) => rows.forUpdate())
          .executeTakeFirst();
        const row = await tx
          .selectFrom("domain_findings")
          .select("findings")
          .where("domain", "=", domain)
          .executeTakeFirst();
        const findings = row === undefined ? [] : readFindings(row.findings);
        const known = findings.find((each) => each.key === key);
        if (state === undefined || known === undefined) return "unknown";
        const { acknowledgedBy: _before, ...open } = known;
        const now = by === undefined ? open : { ...open, acknowledgedBy: by };
        const changed = findings.map((each) => (each === known ? now : each));
        await tx
          .updateTable("domain_state")
          .set({ revision: state.revision + 1 })
          .where("domain", "=", domain)
          .execute();
        await tx
          .updateTable("domain_findings")
          .set({ findings: writeFindings(changed) })
          .where("domain", "=", domain)
          .execute();
        if (by === undefined) return "acknowledged";
        const { code, owner, severity, observed } = known.finding;
        const event = { domain, at, kind: "acknowledged", code, owner, severity, observed } as const;
        await tx.insertInto("finding_event").values(eventValues(event, state.owner_id)).execute();
        return "acknowledged";
      }),
    agreeWithDescriptions: (at, signal, piece) =>
      agreeWithDescriptions({ query, differences }, writes, at, signal, piece),
    forget: (domain) => query.transaction().execute((tx) => writes.forget(tx, domain)),
    async sweep(before) {
      await query.deleteFrom("finding_event").where("at", "<", before.getTime()).execute();
    },
  };
}

/** Undefined where it has changed since it was read. */
const putState = (query: Kysely<Tables>, state: DomainState) => {
  const next = state.nextCheckAt.getTime();
  return query
    .updateTable("domain_state")
    .set({
      checked_at: timeOf(state.checkedAt),
      next_check_at: next,
      due_at: next,
      worst: rankOf(state.worst),
      counts: JSON.stringify(state.counts),
      revision: state.revision + 1,
    })
    .where("domain", "=", state.domain)
    .where("revision", "=", state.revision)
    .returning("owner_id")
    .executeTakeFirst();
};

async function putFindings(
  query: Kysely<Tables>,
  domain: DomainName,
  findings: readonly KnownFinding[],
): Promise<void> {
  const text = writeFindings(findings);
  await query
    .insertInto("domain_findings")
    .values({ domain, findings: text })
    .onConflict((conflict) => conflict.column("domain").doUpdateSet({ findings: text }))
    .execute();
}

const isAfter =
  ({ domain, worst }: Pick<DomainState, "domain" | "worst">) =>
  ({ eb, refTuple, tuple }: ExpressionBuilder<Tables, "domain_state">) =>
    eb(refTuple("worst", "domain"), ">", tuple(rankOf(worst), domain as string));

/** Never checked, and due at this time. */
const newState = (domain: DomainName, owner: string | null, time: number) => ({
  domain,
  owner_id: owner,
  checked_at: null,
  next_check_at: time,
  due_at: time,
  worst: RANKS.unchecked,
  counts: "{}",
  revision: 0,
});

const stateOf = (row: Row): DomainState => ({
  domain: nameIn(row.domain),
  ownerId: row.owner_id ?? undefined,
  checkedAt: optionalDate(row.checked_at),
  nextCheckAt: new Date(row.next_check_at),
  worst: ofRank(row.worst),
  counts: JSON.parse(row.counts) as DomainState["counts"],
  revision: row.revision,
});

const eventValues = ({ at, observed, ...event }: FindingEvent, ownerId: string | null) => ({
  ...event,
  at: at.getTime(),
  observed: storable(observed),
  owner_id: ownerId,
});

const eventOf = (row: Selectable<Tables["finding_event"]>): KnownEvent => ({
  id: row.id,
  domain: nameIn(row.domain),
  at: new Date(row.at),
  kind: row.kind as FindingEvent["kind"],
  code: row.code,
  owner: row.owner,
  severity: row.severity as Severity,
  observed: row.observed,
});

const writeFindings = (findings: readonly KnownFinding[]): string =>
  JSON.stringify(findings.map(({ since, ...rest }) => ({ ...rest, since: since.getTime() })));

const readFindings = (text: string): KnownFinding[] =>
  (JSON.parse(text) as (Omit<KnownFinding, "since"> & { since: number })[]).map(({ since, ...rest }) => ({
    ...rest,
    since: new Date(since),
  }));
