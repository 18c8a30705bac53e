import type { Migration } from "./migration.ts";

/** Keys, which values are ours, and how far each apply has come. */
export const keysAndPublishing: Migration = ({ text, integer, strict }) => [
  `CREATE TABLE dkim_key (
    domain ${text} NOT NULL,
    selector ${text} NOT NULL,
    key_type ${text} NOT NULL,
    public_key ${text} NOT NULL,
    sealed ${text} NOT NULL,
    state ${text} NOT NULL,
    barred ${text},
    created_at ${integer} NOT NULL,
    last_signed_at ${integer},
    times ${text} NOT NULL,
    sighting ${text} NOT NULL,
    PRIMARY KEY (domain, selector)
  ) ${strict}`,
  `CREATE TABLE owned_value (
    zone ${text} NOT NULL,
    owned ${text} NOT NULL,
    PRIMARY KEY (zone)
  ) ${strict}`,
  `CREATE TABLE publish_apply (
    id ${text} NOT NULL PRIMARY KEY,
    zone ${text} NOT NULL,
    started_at ${integer} NOT NULL,
    state ${text} NOT NULL CHECK (state IN ('running', 'done', 'undone')),
    steps ${text} NOT NULL,
    steps_done ${integer} NOT NULL,
    owned_before ${text} NOT NULL,
    owned_after ${text} NOT NULL,
    undoes ${text}
  ) ${strict}`,
  `CREATE UNIQUE INDEX publish_apply_running ON publish_apply (zone) WHERE state = 'running'`,
  `CREATE INDEX publish_apply_zone ON publish_apply (zone, started_at)`,
];
