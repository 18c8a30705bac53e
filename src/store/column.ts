/** Values on their way into columns and out of them. */
import { type RawBuilder, type SqlBool, sql } from "kysely";
import { type DomainName, parseDomainName } from "../standards/dns/name.ts";
import type { Differences } from "./tables.ts";

export const optionalDate = (milliseconds: number | null): Date | undefined =>
  milliseconds === null ? undefined : new Date(milliseconds);
export const timeOf = (date: Date | undefined): number | null => date?.getTime() ?? null;

/** PostgreSQL's texts cannot hold NUL; what comes from outside may. */
export const storable = (text: string): string => text.replaceAll("\0", "\ufffd");

const MAX_PAGE = 1_000;
export const pageLimit = (limit: number): number => Math.max(1, Math.min(MAX_PAGE, Math.trunc(limit)));

/** Names are in lower case there. */
export function contains(column: string, text: string, { hasPartIndexes }: Differences): RawBuilder<SqlBool> {
  const part = storable(text).toLowerCase();
  // An index of parts serves LIKE alone, whose own signs stand for themselves behind a backslash.
  return hasPartIndexes
    ? sql<SqlBool>`${sql.ref(column)} LIKE ${`%${part.replace(/[\\%_]/g, "\\$&")}%`}`
    : sql<SqlBool>`instr(${sql.ref(column)}, ${part}) > 0`;
}

export function nameIn(text: string): DomainName {
  const name = parseDomainName(text);
  if (!name.ok) throw new Error(`the store is damaged: it holds "${text}" for a name: ${name.problem}`);
  return name.value;
}
