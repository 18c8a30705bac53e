/** Who may do what: roles of people, scopes of tokens, and whose domain it is. */
import type { Role, Scope, User } from "./access-store.ts";

/** `own…`: of one domain, which an owner may do for domains that are theirs. */
export const PERMISSIONS = [
  "own.read",
  "own.check",
  "own.edit",
  "own.publish",
  "own.keys",
  "domains.create",
  "servers.read",
  "servers.edit",
  "users.manage",
  "audit.read",
  "settings.edit",
  "backup",
  "account",
] as const;
export type Permission = (typeof PERMISSIONS)[number];

const OWNER: readonly Permission[] = [
  "own.read",
  "own.check",
  "own.edit",
  "own.publish",
  "own.keys",
  "account",
];
const READER: readonly Permission[] = ["own.read", "servers.read", "audit.read", "account"];

const OF_ROLE: Readonly<Record<Role, readonly Permission[]>> = {
  administrator: PERMISSIONS,
  owner: OWNER,
  reader: READER,
};

/** Whoever has one of these can come in as a person, and then do anything. */
const OF_PEOPLE: readonly Permission[] = ["account", "users.manage", "backup"];

/** What a token of each scope may do at most; its user's role limits it as well. No token manages accounts, or carries the state away. */
const OF_SCOPE: Readonly<Record<Scope, readonly Permission[]>> = {
  read: ["own.read", "servers.read"],
  domains: ["own.read", "own.check", "own.edit", "domains.create", "servers.read"],
  publish: ["own.read", "own.check", "own.publish"],
  keys: ["own.read", "own.keys"],
  admin: PERMISSIONS.filter((permission) => !OF_PEOPLE.includes(permission)),
};

/** Who asks, however they came in. */
export interface Actor {
  readonly user: Pick<User, "id" | "name" | "role" | "recoveries">;
  /** Undefined for a session. */
  readonly scopes?: readonly Scope[];
  readonly tokenId?: string;
}

export function may(actor: Actor, permission: Permission): boolean {
  if (!OF_ROLE[actor.user.role].includes(permission)) return false;
  return actor.scopes === undefined || actor.scopes.some((scope) => OF_SCOPE[scope].includes(permission));
}

/** An owner's eyes end at their own domains; what is not theirs is not there for them. */
export const sees = ({ user }: Actor, { ownerId }: { readonly ownerId: string | undefined }): boolean =>
  user.role !== "owner" || ownerId === user.id;

/** For lists: the filter that leaves only what the actor sees. */
export const ownerFilter = ({ user }: Actor): { readonly ownerId?: string } =>
  user.role === "owner" ? { ownerId: user.id } : {};

/** For the audit log. */
export const actorName = ({ user, scopes }: Actor): string =>
  scopes === undefined ? user.name : `a token of ${user.name}`;
