import type { Migration } from "./migration.ts";

/**
 * Who carries an apply out, and until when that holds; until when the apply waits before its next step. Whose keys are
 * published without being asked for each time.
 */
export const applyHolder: Migration = ({ text, integer, strictRows }) => [
  `ALTER TABLE publish_apply ADD COLUMN holder ${text}`,
  `ALTER TABLE publish_apply ADD COLUMN held_until ${integer} NOT NULL DEFAULT 0`,
  `ALTER TABLE publish_apply ADD COLUMN waits_until ${integer}`,
  `CREATE TABLE key_rotation (
    domain ${text} NOT NULL PRIMARY KEY,
    publishes ${integer} NOT NULL
  ) ${strictRows}`,
];
