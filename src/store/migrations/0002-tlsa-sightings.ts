import type { Migration } from "./migration.ts";

/** What is remembered of TLSA records on their way. */
export const tlsaSightings: Migration = ({ text, integer, strict }) => [
  `CREATE TABLE tlsa_sighting (
    owner ${text} NOT NULL,
    next ${text} NOT NULL,
    everywhere_since ${integer},
    lacking_at ${integer},
    live_since ${integer},
    longest_ttl_seconds ${integer},
    current ${text},
    PRIMARY KEY (owner, next)
  ) ${strict}`,
];
