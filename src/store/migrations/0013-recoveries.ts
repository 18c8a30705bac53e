import type { Migration } from "./migration.ts";

/** How often somebody was thrown out, so that what began before comes to nothing. */
export const recoveries: Migration = ({ integer }) => [
  `ALTER TABLE account ADD COLUMN recoveries ${integer} NOT NULL DEFAULT 0`,
];
