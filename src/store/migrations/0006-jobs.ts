import type { Migration } from "./migration.ts";

/** Work that outlives a process, work that somebody follows, and news that is still to be told. */
export const jobs: Migration = ({ text, integer, counted, strictRows }) => [
  `CREATE TABLE job (
    id ${text} NOT NULL PRIMARY KEY,
    kind ${text} NOT NULL,
    key ${text},
    payload ${text} NOT NULL,
    run_at ${integer} NOT NULL,
    leased_until ${integer},
    attempt ${integer} NOT NULL,
    max_attempts ${integer} NOT NULL,
    error ${text} NOT NULL
  ) ${strictRows}`,
  `CREATE INDEX job_key ON job (key) WHERE key IS NOT NULL`,
  `CREATE INDEX job_run_at ON job (run_at)`,
  `CREATE TABLE task (
    id ${text} NOT NULL PRIMARY KEY,
    kind ${text} NOT NULL,
    domain ${text},
    owner_id ${text},
    input ${text} NOT NULL,
    started_at ${integer} NOT NULL,
    state ${text} NOT NULL,
    attempt ${integer} NOT NULL,
    progress ${text} NOT NULL,
    result ${text},
    ended_at ${integer}
  ) ${strictRows}`,
  // Of one kind, one domain has one under way.
  `CREATE UNIQUE INDEX task_under_way ON task (kind, domain) WHERE ended_at IS NULL AND domain IS NOT NULL`,
  `CREATE INDEX task_ended_at ON task (ended_at)`,
  `CREATE TABLE alert_news (
    id ${counted},
    channel ${text} NOT NULL,
    key ${text} NOT NULL,
    news ${text} NOT NULL,
    at ${integer} NOT NULL,
    batch ${text}
  ) ${strictRows}`,
  `CREATE UNIQUE INDEX alert_news_waiting ON alert_news (channel, key) WHERE batch IS NULL`,
  `CREATE INDEX alert_news_batch ON alert_news (channel, batch)`,
];
