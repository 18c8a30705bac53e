import type { Migration } from "./migration.ts";

/**
 * How often somebody was thrown out, so that what began before comes to nothing; when a session's user proved who they
 * are; from where somebody has come in lately.
 */
export const recoveries: Migration = ({ text, integer, strict }) => [
  `ALTER TABLE account ADD COLUMN recoveries ${integer} NOT NULL DEFAULT 0`,
  `ALTER TABLE login_session ADD COLUMN proven_at ${integer}`,
  `CREATE TABLE known_place (
    user_id ${text} NOT NULL REFERENCES account (id) ON DELETE CASCADE,
    place ${text} NOT NULL,
    until ${integer} NOT NULL,
    PRIMARY KEY (user_id, place)
  ) ${strict}`,
  `CREATE INDEX known_place_until ON known_place (until)`,
];
