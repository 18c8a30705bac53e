/** Descriptions, in pieces. */
import type { ExpressionBuilder, Selectable } from "kysely";
import type {
  DescriptionStore,
  DomainFilter,
  StoredDomain,
  StoredPiece,
} from "../records/description-store.ts";
import { contains, nameIn, pageLimit } from "./column.ts";
import type { Database, Tables } from "./tables.ts";

type Row = Selectable<Tables["described_domain"]>;

export function createDescriptionStore({ query, differences }: Database): DescriptionStore {
  const meets =
    ({ ownerId, search }: DomainFilter) =>
    ({ eb, and }: ExpressionBuilder<Tables, "described_domain">) =>
      and([
        ...(ownerId === undefined ? [] : [eb("owner_id", "=", ownerId)]),
        ...(search ? [contains("domain", search, differences)] : []),
      ]);
  /** A name that was there before goes on counting where it ended. */
  const insertNew: DescriptionStore["addDomains"] = async (domains, at) => {
    if (domains.length === 0) return [];
    const rows = await query
      .insertInto("described_domain")
      .values(({ selectFrom, fn, val, eb }) =>
        domains.map(({ domain, ...rest }) => ({
          domain,
          ...rowOf(rest, at),
          revision: eb(
            fn.coalesce(
              selectFrom("removed_domain").select("revision").where("removed_domain.domain", "=", domain),
              val(0),
            ),
            "+",
            1,
          ),
        })),
      )
      .onConflict((conflict) => conflict.doNothing())
      .returning("domain")
      .execute();
    return rows.map(({ domain }) => nameIn(domain));
  };
  return {
    async common() {
      const row = await query.selectFrom("common_description").selectAll().executeTakeFirst();
      return row === undefined ? { content: {}, revision: 0, changedAt: new Date(0) } : pieceOf(row);
    },
    async putCommon(content, revision, at) {
      const values = { content: JSON.stringify(content), revision: revision + 1, changed_at: at.getTime() };
      if (revision === 0) {
        const { numInsertedOrUpdatedRows } = await query
          .insertInto("common_description")
          .values({ id: 1, ...values })
          .onConflict((conflict) => conflict.doNothing())
          .executeTakeFirst();
        return numInsertedOrUpdatedRows === 1n ? "put" : "stale";
      }
      const { numUpdatedRows } = await query
        .updateTable("common_description")
        .set(values)
        .where("revision", "=", revision)
        .executeTakeFirst();
      return numUpdatedRows === 1n ? "put" : "stale";
    },
    async domain(domain) {
      const row = await query
        .selectFrom("described_domain")
        .selectAll()
        .where("domain", "=", domain)
        .executeTakeFirst();
      return row && domainOf(row);
    },
    async domains(filter, { after, limit }) {
      const found = query
        .selectFrom("described_domain")
        .where(meets(filter))
        .$if(after !== undefined, (rows) => rows.where("domain", ">", after!))
        .orderBy("domain")
        .limit(pageLimit(limit));
      // A search reads names from an index alone, and the rows of those that are found.
      const rows = filter.search
        ? await query
            .selectFrom("described_domain")
            .selectAll()
            .where("domain", "in", found.select("domain"))
            .orderBy("domain")
            .execute()
        : await found.selectAll().execute();
      return rows.map(domainOf);
    },
    async countDomains(filter) {
      const { count } = await query
        .selectFrom("described_domain")
        .select(({ fn }) => fn.countAll<number>().as("count"))
        .where(meets(filter))
        .executeTakeFirstOrThrow();
      return count;
    },
    async putDomain({ domain, content, ownerId }, revision, at) {
      if (revision === 0) {
        const added = await insertNew([{ domain, content, ownerId }], at);
        return added.length === 1 ? "put" : "stale";
      }
      const { numUpdatedRows } = await query
        .updateTable("described_domain")
        .set({ ...rowOf({ content, ownerId }, at), revision: revision + 1 })
        .where("domain", "=", domain)
        .where("revision", "=", revision)
        .executeTakeFirst();
      return numUpdatedRows === 1n ? "put" : "stale";
    },
    addDomains: insertNew,
    removeDomain: (domain, revision) =>
      query.transaction().execute(async (tx) => {
        const { numDeletedRows } = await tx
          .deleteFrom("described_domain")
          .where("domain", "=", domain)
          .where("revision", "=", revision)
          .executeTakeFirst();
        if (numDeletedRows !== 1n) return "stale";
        await tx
          .insertInto("removed_domain")
          .values({ domain, revision })
          .onConflict((conflict) => conflict.column("domain").doUpdateSet({ revision }))
          .execute();
        return "removed";
      }),
  };
}

const rowOf = ({ content, ownerId }: Pick<StoredDomain, "content" | "ownerId">, at: Date) => ({
  owner_id: ownerId ?? null,
  content: JSON.stringify(content),
  changed_at: at.getTime(),
});

const pieceOf = (row: Pick<Row, "content" | "revision" | "changed_at">): StoredPiece => ({
  content: JSON.parse(row.content) as StoredPiece["content"],
  revision: row.revision,
  changedAt: new Date(row.changed_at),
});

const domainOf = (row: Row): StoredDomain => ({
  ...pieceOf(row),
  domain: nameIn(row.domain),
  ownerId: row.owner_id ?? undefined,
});
