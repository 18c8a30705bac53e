/** Who may come in, by what proof, and what was done: as it is kept. Nothing here can be used to come in by itself. */

/** `administrator`: everything · `owner`: the domains that are theirs · `reader`: everything, and changes nothing. */
export const ROLES = ["administrator", "owner", "reader"] as const;
export type Role = (typeof ROLES)[number];

export interface User {
  readonly id: string;
  /** What one logs in with, in lower case; unique. */
  readonly name: string;
  readonly role: Role;
  /** argon2id in the PHC string format; undefined: no password, but a passkey or an identity provider. */
  readonly passwordHash: string | undefined;
  /** Sealed; undefined: no second factor by time. */
  readonly sealedTotpSecret: string | undefined;
  /** The last time step that was used, so that no code counts twice (RFC 6238 §5.2). */
  readonly totpStep: number | undefined;
  /** "issuer subject" of an identity provider. */
  readonly oidcSubject: string | undefined;
  readonly createdAt: Date;
  readonly disabledAt: Date | undefined;
  readonly revision: number;
  /** How often they were thrown out: by a new way in that was given them, or by being kept out. The store counts. */
  readonly recoveries: number;
}

/** A user as read before they proved who they are: what they begin counts only while it is still so. */
export type Standing = Pick<User, "id" | "passwordHash" | "recoveries">;

export interface Passkey {
  /** In base64url. */
  readonly credentialId: string;
  readonly userId: string;
  readonly publicKey: string;
  readonly counter: number;
  readonly transports: readonly string[];
  readonly label: string;
  readonly createdAt: Date;
  readonly lastUsedAt: Date | undefined;
}

/** Known by the SHA-256 of its secret, which is nowhere but in the browser's cookie. */
export interface Session {
  readonly secretHash: string;
  readonly userId: string;
  readonly createdAt: Date;
  readonly lastSeenAt: Date;
  readonly expiresAt: Date;
  readonly address: string;
  readonly userAgent: string;
  /** The second factor was given, or is not asked for. */
  readonly isComplete: boolean;
  /** When its user showed something of theirs; undefined where an identity provider does not say. */
  readonly provenAt: Date | undefined;
}

export const SCOPES = ["read", "publish", "keys", "domains", "admin"] as const;
export type Scope = (typeof SCOPES)[number];

export interface ApiToken {
  readonly id: string;
  readonly secretHash: string;
  readonly userId: string;
  readonly label: string;
  readonly scopes: readonly Scope[];
  readonly createdAt: Date;
  readonly expiresAt: Date | undefined;
  readonly lastUsedAt: Date | undefined;
}

export interface AuditEntry {
  /** Unique, in the order of time. */
  readonly id: string;
  readonly at: Date;
  /** A user's name, "token LABEL of NAME", or "system". */
  readonly actor: string;
  readonly address: string | undefined;
  /** "domain.create", "key.rotate", "login.failed". */
  readonly action: string;
  /** What it was done to: a domain, a user's name. */
  readonly target: string;
  /** No secrets. */
  readonly details: Readonly<Record<string, unknown>>;
}

export interface AuditPage {
  /** The id of the last entry of the page before. */
  readonly before?: string;
  readonly limit: number;
  readonly target?: string;
  readonly actor?: string;
  /** "key.rotate", or the word in front of the first dot: "key". */
  readonly action?: string;
}

/** How many there are in a window, and when it ends. */
export interface Attempts {
  readonly count: number;
  readonly until: Date;
}

/** Every method is durable when it resolves, and has changed all or nothing. */
export interface AccessStore {
  countUsers(): Promise<number>;
  user(
    by: { readonly id: string } | { readonly name: string } | { readonly oidcSubject: string },
  ): Promise<User | undefined>;
  users(): Promise<readonly User[]>;
  /** `taken`: there is one of this name or subject. With `onlyFirst`, nothing happens where there is any. */
  addUser(user: User, options?: { readonly onlyFirst?: boolean }): Promise<"added" | "taken">;
  /**
   * By its revision, which is one more then. `taken`: another has the name or the subject. `last`: nobody else would be
   * an administrator who may come in, whoever changes at the same moment. Ends all sessions of a user who is disabled or
   * has a new password, but for `keepSession`. With `isRecovery`, and of a user who is disabled, sessions, passkeys and
   * tokens go, and `recoveries` is one more.
   */
  changeUser(
    before: User,
    after: User,
    options?: { readonly keepSession?: string; readonly isRecovery?: boolean },
  ): Promise<"changed" | "stale" | "taken" | "last">;

  passkeys(userId: string): Promise<readonly Passkey[]>;
  passkey(credentialId: string): Promise<Passkey | undefined>;
  /** `taken`: there is one of this id. `gone`: the user does not stand as they did. Nothing was changed by either. */
  addPasskey(passkey: Passkey, as: Standing): Promise<"added" | "taken" | "gone">;
  /** False where it is gone. */
  touchPasskey(
    passkey: Pick<Passkey, "credentialId" | "userId" | "counter" | "lastUsedAt">,
  ): Promise<boolean>;
  removePasskey(userId: string, credentialId: string): Promise<boolean>;

  /** False where the user does not stand as they did; nothing was added. */
  addSession(session: Session, as: Standing): Promise<boolean>;
  session(secretHash: string): Promise<Session | undefined>;
  touchSession(secretHash: string, lastSeenAt: Date, expiresAt: Date): Promise<void>;
  sessions(userId: string): Promise<readonly Session[]>;
  removeSession(secretHash: string): Promise<void>;

  /** As `addSession`. */
  addToken(token: ApiToken, as: Standing): Promise<boolean>;
  token(secretHash: string): Promise<ApiToken | undefined>;
  /** The oldest first; of all users where none is named. */
  tokens(userId?: string): Promise<readonly ApiToken[]>;
  touchToken(id: string, lastUsedAt: Date): Promise<void>;
  removeToken(userId: string, id: string): Promise<boolean>;

  /** The user has come in from there, which is known until then. Of each user the latest so many are. */
  keepPlace(userId: string, place: string, until: Date, atMost: number): Promise<void>;
  /** Whether the user of this name, where there is one, has come in from there. */
  knowsPlace(name: string, place: string, now: Date): Promise<boolean>;

  /** One more of `key`, in a window that ends at `until` unless one is under way. Shared by all nodes. */
  countAttempt(key: string, now: Date, until: Date): Promise<Attempts>;
  /** One less of `key`, where its window is not over: a try that was right after all. */
  takeBackAttempt(key: string, now: Date): Promise<void>;
  clearAttempts(key: string): Promise<void>;
  /** All whose key is `key`, ":" and whatever. */
  clearAttemptsBelow(key: string): Promise<void>;

  audit(entry: AuditEntry): Promise<void>;
  /** Newest first. */
  auditLog(page: AuditPage): Promise<readonly AuditEntry[]>;

  /** Sessions, attempts, tokens and places whose time is over go. */
  sweep(now: Date): Promise<void>;
  /** Entries of the audit log from before that moment go. */
  sweepAudit(before: Date): Promise<void>;
}
