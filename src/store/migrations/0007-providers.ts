import type { Migration } from "./migration.ts";

/** Who holds zones, as entered over the API. */
export const providers: Migration = ({ text, integer, strictRows }) => [
  `CREATE TABLE provider (
    id ${text} NOT NULL PRIMARY KEY,
    settings ${text} NOT NULL,
    sealed ${text} NOT NULL,
    entered_at ${integer} NOT NULL,
    entered_by ${text} NOT NULL,
    revision ${integer} NOT NULL,
    removed_at ${integer}
  ) ${strictRows}`,
];
