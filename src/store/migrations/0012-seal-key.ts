import type { Migration } from "./migration.ts";

/** Which key all is sealed under; keys that are there say it themselves, behind `zonepost-sealed-1.` */
export const sealKeyKnown: Migration = ({ text, integer, strictRows }) => [
  `CREATE TABLE seal_key (
    one ${integer} NOT NULL PRIMARY KEY CHECK (one = 1),
    id ${text} NOT NULL
  ) ${strictRows}`,
  `INSERT INTO seal_key (one, id)
    SELECT 1, substr(sealed, 19, 11) FROM dkim_key ORDER BY created_at DESC, domain DESC, selector DESC LIMIT 1`,
];
