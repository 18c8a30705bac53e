import type { Migration } from "./migration.ts";

/** What is asked of tables that grow for a year is found in an index; work that was given up stands in nobody's way. */
export const sweptAndFound: Migration = () => [
  `CREATE INDEX audit_entry_at ON audit_entry (at)`,
  `CREATE INDEX audit_entry_action ON audit_entry (action, id)`,
  `CREATE INDEX audit_entry_actor ON audit_entry (actor, id)`,
  `DROP INDEX job_run_at`,
  `CREATE INDEX job_due ON job (run_at, id) WHERE attempt < max_attempts`,
  `CREATE INDEX job_given_up ON job (run_at, id) WHERE attempt >= max_attempts`,
];
