/** The tables, as queries see them. Times are milliseconds since 1970; what is made of parts is JSON in text. */
import type { Generated, Kysely } from "kysely";

export interface Tables {
  dkim_key: {
    domain: string;
    selector: string;
    key_type: string;
    public_key: string;
    sealed: string;
    state: string;
    barred: string | null;
    created_at: number;
    last_signed_at: number | null;
    times: string;
    sighting: string;
  };
  key_rotation: { domain: string; publishes: number };
  owned_value: { zone: string; owned: string };
  publish_apply: {
    id: string;
    zone: string;
    started_at: number;
    state: string;
    steps: string;
    steps_done: number;
    owned_before: string;
    owned_after: string;
    undoes: string | null;
    /** Null of those before there were holders. */
    holder: string | null;
    held_until: Generated<number>;
    waits_until: number | null;
  };
  tlsa_sighting: {
    owner: string;
    next: string;
    everywhere_since: number | null;
    lacking_at: number | null;
    live_since: number | null;
    longest_ttl_seconds: number | null;
    current: string | null;
  };
  common_description: { id: number; content: string; revision: number; changed_at: number };
  described_domain: {
    domain: string;
    owner_id: string | null;
    content: string;
    revision: number;
    changed_at: number;
  };
  /** The last revision of what was removed, so that none comes twice. */
  removed_domain: { domain: string; revision: number };
  domain_state: {
    domain: string;
    owner_id: string | null;
    checked_at: number | null;
    next_check_at: number;
    /** As `next_check_at`, or the end of a lease. */
    due_at: number;
    /** By rank, so that the worst comes first. */
    worst: number;
    counts: string;
    revision: number;
  };
  /** Kept by triggers. */
  domain_count: { worst: number; domains: number };
  domain_findings: { domain: string; findings: string };
  domain_past: { domain: string; past: string };
  finding_event: {
    id: Generated<number>;
    domain: string;
    owner_id: string | null;
    at: number;
    kind: string;
    code: string;
    owner: string;
    severity: string;
    observed: string;
  };
  account: {
    id: string;
    name: string;
    role: string;
    password_hash: string | null;
    sealed_totp_secret: string | null;
    totp_step: number | null;
    oidc_subject: string | null;
    created_at: number;
    disabled_at: number | null;
    revision: number;
    recoveries: number;
  };
  passkey: {
    credential_id: string;
    user_id: string;
    public_key: string;
    counter: number;
    transports: string;
    label: string;
    created_at: number;
    last_used_at: number | null;
  };
  login_session: {
    secret_hash: string;
    user_id: string;
    created_at: number;
    last_seen_at: number;
    expires_at: number;
    address: string;
    user_agent: string;
    is_complete: number;
    proven_at: number | null;
  };
  seal_key: { one: number; id: string };
  api_token: {
    id: string;
    secret_hash: string;
    user_id: string;
    label: string;
    scopes: string;
    created_at: number;
    expires_at: number | null;
    last_used_at: number | null;
  };
  known_place: { user_id: string; place: string; until: number };
  login_attempt: { key: string; count: number; until: number };
  job: {
    id: string;
    kind: string;
    key: string | null;
    payload: string;
    run_at: number;
    leased_until: number | null;
    attempt: number;
    max_attempts: number;
    error: string;
  };
  task: {
    id: string;
    kind: string;
    domain: string | null;
    owner_id: string | null;
    input: string;
    started_at: number;
    state: string;
    attempt: number;
    progress: string;
    result: string | null;
    ended_at: number | null;
  };
  provider: {
    id: string;
    settings: string;
    sealed: string;
    entered_at: number;
    entered_by: string;
    revision: number;
    removed_at: number | null;
  };
  alert_news: {
    id: Generated<number>;
    channel: string;
    key: string;
    news: string;
    at: number;
    batch: string | null;
  };
  audit_entry: {
    id: string;
    at: number;
    actor: string;
    address: string | null;
    action: string;
    target: string;
    details: string;
  };
}

/** Where the two databases differ. */
export interface Differences {
  /** Several connections write at once: rows that are read to be changed have to be locked. */
  readonly locksRows: boolean;
  /** Indexes by which a part of a name is found. */
  readonly hasPartIndexes: boolean;
}

export interface Database {
  readonly query: Kysely<Tables>;
  readonly differences: Differences;
  /** `id` of the key under which this process seals; undefined before it has said so (SealStore.remember). */
  readonly ownSeal: { id?: string };
}
