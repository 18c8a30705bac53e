import type { Migration } from "./migration.ts";

/** The state of each domain, its findings and their history. */
export const watch: Migration = ({ text, integer, strict, strictRows, counted }) => [
  `CREATE TABLE domain_state (
    domain ${text} NOT NULL PRIMARY KEY,
    owner_id ${text},
    checked_at ${integer},
    next_check_at ${integer} NOT NULL,
    due_at ${integer} NOT NULL,
    worst ${integer} NOT NULL,
    counts ${text} NOT NULL,
    revision ${integer} NOT NULL
  ) ${strict}`,
  `CREATE INDEX domain_state_due ON domain_state (due_at, domain)`,
  `CREATE INDEX domain_state_worst ON domain_state (worst, domain)`,
  `CREATE INDEX domain_state_owner ON domain_state (owner_id, worst, domain)`,
  `CREATE TABLE domain_findings (
    domain ${text} NOT NULL PRIMARY KEY REFERENCES domain_state (domain) ON DELETE CASCADE,
    findings ${text} NOT NULL
  ) ${strictRows}`,
  `CREATE TABLE finding_event (
    id ${counted},
    domain ${text} NOT NULL,
    owner_id ${text},
    at ${integer} NOT NULL,
    kind ${text} NOT NULL,
    code ${text} NOT NULL,
    owner ${text} NOT NULL,
    severity ${text} NOT NULL,
    observed ${text} NOT NULL
  ) ${strictRows}`,
  `CREATE INDEX finding_event_at ON finding_event (at, id)`,
  `CREATE INDEX finding_event_domain ON finding_event (domain, at, id)`,
  `CREATE INDEX finding_event_owner ON finding_event (owner_id, at, id)`,
];
