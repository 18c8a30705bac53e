import type { Migration } from "./migration.ts";

/** What looks at a domain remember, beside findings. */
export const past: Migration = ({ text, strictRows }) => [
  `CREATE TABLE domain_past (
    domain ${text} NOT NULL PRIMARY KEY REFERENCES domain_state (domain) ON DELETE CASCADE,
    past ${text} NOT NULL
  ) ${strictRows}`,
];
