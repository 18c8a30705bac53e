import type { Migration } from "./migration.ts";

/** Descriptions in pieces. */
export const descriptions: Migration = ({ text, integer, strict, strictRows }) => [
  `CREATE TABLE common_description (
    id ${integer} NOT NULL PRIMARY KEY CHECK (id = 1),
    content ${text} NOT NULL,
    revision ${integer} NOT NULL,
    changed_at ${integer} NOT NULL
  ) ${strict}`,
  `CREATE TABLE described_domain (
    domain ${text} NOT NULL PRIMARY KEY,
    owner_id ${text},
    content ${text} NOT NULL,
    revision ${integer} NOT NULL,
    changed_at ${integer} NOT NULL
  ) ${strictRows}`,
  `CREATE INDEX described_domain_owner ON described_domain (owner_id, domain)`,
  `CREATE TABLE removed_domain (
    domain ${text} NOT NULL PRIMARY KEY,
    revision ${integer} NOT NULL
  ) ${strict}`,
];
