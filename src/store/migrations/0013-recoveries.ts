import type { Migration } from "./migration.ts";

/** How often somebody was thrown out, so that what began before comes to nothing; when a session's user proved who they are. */
export const recoveries: Migration = ({ integer }) => [
  `ALTER TABLE account ADD COLUMN recoveries ${integer} NOT NULL DEFAULT 0`,
  `ALTER TABLE login_session ADD COLUMN proven_at ${integer}`,
];
