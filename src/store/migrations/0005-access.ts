import type { Migration } from "./migration.ts";

/** Who may come in, by what proof, and what was done. */
export const access: Migration = ({ text, integer, strict }) => [
  `CREATE TABLE account (
    id ${text} NOT NULL PRIMARY KEY,
    name ${text} NOT NULL UNIQUE,
    role ${text} NOT NULL,
    password_hash ${text},
    sealed_totp_secret ${text},
    totp_step ${integer},
    oidc_subject ${text} UNIQUE,
    created_at ${integer} NOT NULL,
    disabled_at ${integer},
    revision ${integer} NOT NULL
  ) ${strict}`,
  `CREATE TABLE passkey (
    credential_id ${text} NOT NULL PRIMARY KEY,
    user_id ${text} NOT NULL REFERENCES account (id) ON DELETE CASCADE,
    public_key ${text} NOT NULL,
    counter ${integer} NOT NULL,
    transports ${text} NOT NULL,
    label ${text} NOT NULL,
    created_at ${integer} NOT NULL,
    last_used_at ${integer}
  ) ${strict}`,
  `CREATE INDEX passkey_user ON passkey (user_id)`,
  `CREATE TABLE login_session (
    secret_hash ${text} NOT NULL PRIMARY KEY,
    user_id ${text} NOT NULL REFERENCES account (id) ON DELETE CASCADE,
    created_at ${integer} NOT NULL,
    last_seen_at ${integer} NOT NULL,
    expires_at ${integer} NOT NULL,
    address ${text} NOT NULL,
    user_agent ${text} NOT NULL,
    is_complete ${integer} NOT NULL
  ) ${strict}`,
  `CREATE INDEX login_session_user ON login_session (user_id)`,
  `CREATE INDEX login_session_expires ON login_session (expires_at)`,
  `CREATE TABLE api_token (
    id ${text} NOT NULL PRIMARY KEY,
    secret_hash ${text} NOT NULL UNIQUE,
    user_id ${text} NOT NULL REFERENCES account (id) ON DELETE CASCADE,
    label ${text} NOT NULL,
    scopes ${text} NOT NULL,
    created_at ${integer} NOT NULL,
    expires_at ${integer},
    last_used_at ${integer}
  ) ${strict}`,
  `CREATE INDEX api_token_user ON api_token (user_id)`,
  `CREATE TABLE login_attempt (
    key ${text} NOT NULL PRIMARY KEY,
    count ${integer} NOT NULL,
    until ${integer} NOT NULL
  ) ${strict}`,
  `CREATE INDEX login_attempt_until ON login_attempt (until)`,
  `CREATE TABLE audit_entry (
    id ${text} NOT NULL PRIMARY KEY,
    at ${integer} NOT NULL,
    actor ${text} NOT NULL,
    address ${text},
    action ${text} NOT NULL,
    target ${text} NOT NULL,
    details ${text} NOT NULL
  ) ${strict}`,
  `CREATE INDEX audit_entry_target ON audit_entry (target, id)`,
];
