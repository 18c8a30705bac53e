/** Users, sessions and the rest in memory, for tests. */
import type {
  AccessStore,
  ApiToken,
  AuditEntry,
  Passkey,
  Session,
  Standing,
  User,
} from "../../src/access/access-store.ts";

export interface MemoryAccessStore extends AccessStore {
  readonly log: AuditEntry[];
  /** All that is kept, as text: no secret may stand in it. */
  dump(): string;
}

export function memoryAccessStore(): MemoryAccessStore {
  const users = new Map<string, User>();
  const passkeys = new Map<string, Passkey>();
  const sessions = new Map<string, Session>();
  const tokens = new Map<string, ApiToken>();
  const attempts = new Map<string, { count: number; until: Date }>();
  const places = new Map<string, Map<string, Date>>();
  const log: AuditEntry[] = [];
  const find = (isMeant: (user: User) => boolean) => [...users.values()].find(isMeant);
  const stands = ({ id, recoveries, passwordHash }: Standing) => {
    const user = users.get(id);
    return user?.recoveries === recoveries && user.passwordHash === passwordHash;
  };
  return {
    log,
    dump: () =>
      JSON.stringify([
        ...users.values(),
        ...passkeys.values(),
        ...sessions.values(),
        ...tokens.values(),
        ...attempts.keys(),
        ...log,
      ]),
    countUsers: async () => users.size,
    user: async (by) => {
      if ("id" in by) return users.get(by.id);
      return "name" in by
        ? find(({ name }) => name === by.name)
        : find(({ oidcSubject }) => oidcSubject === by.oidcSubject);
    },
    users: async () => [...users.values()].sort((x, y) => (x.name < y.name ? -1 : 1)),
    async addUser(user, { onlyFirst = false } = {}) {
      if ((onlyFirst && users.size > 0) || find(({ name }) => name === user.name)) return "taken";
      users.set(user.id, user);
      return "added";
    },
    async changeUser(before, after, { keepSession, isRecovery = false } = {}) {
      const isActing = ({ role, disabledAt }: User) => role === "administrator" && disabledAt === undefined;
      if (isActing(before) && !isActing(after) && !find((user) => user.id !== before.id && isActing(user)))
        return "last";
      if (users.get(before.id)?.revision !== before.revision) return "stale";
      const isThrownOut = isRecovery || after.disabledAt !== undefined;
      users.set(after.id, { ...after, recoveries: before.recoveries + (isThrownOut ? 1 : 0) });
      if (isThrownOut || after.passwordHash !== before.passwordHash) {
        for (const [hash, { userId }] of sessions)
          if (userId === after.id && hash !== keepSession) sessions.delete(hash);
      }
      if (isThrownOut)
        for (const proofs of [passkeys, tokens])
          for (const [key, { userId }] of proofs) if (userId === after.id) proofs.delete(key);
      return "changed";
    },
    passkeys: async (userId) => [...passkeys.values()].filter((one) => one.userId === userId),
    passkey: async (credentialId) => passkeys.get(credentialId),
    async addPasskey(passkey, as) {
      if (!stands(as)) return "gone";
      if (passkeys.has(passkey.credentialId)) return "taken";
      passkeys.set(passkey.credentialId, passkey);
      return "added";
    },
    async touchPasskey(touched) {
      const before = passkeys.get(touched.credentialId);
      if (before?.userId !== touched.userId) return false;
      passkeys.set(touched.credentialId, { ...before, ...touched });
      return true;
    },
    async removePasskey(userId, credentialId) {
      return passkeys.get(credentialId)?.userId === userId && passkeys.delete(credentialId);
    },
    async addSession(session, as) {
      if (!stands(as)) return false;
      sessions.set(session.secretHash, session);
      return true;
    },
    session: async (secretHash) => sessions.get(secretHash),
    async touchSession(secretHash, lastSeenAt, expiresAt) {
      const session = sessions.get(secretHash);
      if (session) sessions.set(secretHash, { ...session, lastSeenAt, expiresAt });
    },
    sessions: async (userId) => [...sessions.values()].filter((one) => one.userId === userId),
    async removeSession(secretHash) {
      sessions.delete(secretHash);
    },
    async addToken(token, as) {
      if (!stands(as)) return false;
      tokens.set(token.id, token);
      return true;
    },
    token: async (secretHash) => [...tokens.values()].find((one) => one.secretHash === secretHash),
    tokens: async (userId) =>
      [...tokens.values()].filter((one) => userId === undefined || one.userId === userId),
    async touchToken(id, lastUsedAt) {
      const token = tokens.get(id);
      if (token) tokens.set(id, { ...token, lastUsedAt });
    },
    async removeToken(userId, id) {
      return tokens.get(id)?.userId === userId && tokens.delete(id);
    },
    async keepPlace(userId, place, until, atMost) {
      const known = places.get(userId) ?? new Map<string, Date>();
      known.set(place, until);
      const latest = [...known].sort(([, x], [, y]) => y.getTime() - x.getTime());
      places.set(userId, new Map(latest.slice(0, atMost)));
    },
    async knowsPlace(name, place, now) {
      const user = find((one) => one.name === name);
      const until = user && places.get(user.id)?.get(place);
      return until !== undefined && until > now;
    },
    async countAttempt(key, now, until) {
      const known = attempts.get(key);
      const current = known === undefined || known.until <= now ? { count: 1, until } : known;
      if (current === known) current.count += 1;
      attempts.set(key, current);
      return { ...current };
    },
    async takeBackAttempt(key, now) {
      const known = attempts.get(key);
      if (known !== undefined && known.until > now && known.count > 0) known.count -= 1;
    },
    async clearAttempts(key) {
      attempts.delete(key);
    },
    async clearAttemptsBelow(key) {
      for (const each of attempts.keys()) if (each.startsWith(`${key}:`)) attempts.delete(each);
    },
    async audit(entry) {
      log.push(entry);
    },
    async auditLog({ before, limit, target, actor, action }) {
      return log
        .filter(
          (entry) =>
            (before === undefined || entry.id < before) &&
            (target ?? entry.target) === entry.target &&
            (actor ?? entry.actor) === entry.actor &&
            (action === undefined || entry.action === action || entry.action.split(".")[0] === action),
        )
        .sort((x, y) => (x.id < y.id ? 1 : -1))
        .slice(0, limit);
    },
    async sweepAudit(before) {
      log.splice(0, log.length, ...log.filter(({ at }) => at >= before));
    },
    async sweep(now) {
      for (const [hash, { expiresAt }] of sessions) if (expiresAt <= now) sessions.delete(hash);
      for (const [key, { until }] of attempts) if (until <= now) attempts.delete(key);
      for (const [id, { expiresAt }] of tokens) if (expiresAt && expiresAt <= now) tokens.delete(id);
    },
  };
}
