/** Users, managed by administrators. */
import { z } from "zod";
import { ROLES, type User } from "../../../access/access-store.ts";
import { makeUser, withPassword } from "../../../access/account.ts";
import { forgetTries } from "../../../access/attempt.ts";
import { temporaryPassword } from "../../../access/password.ts";
import type { ServerParts } from "../parts.ts";
import { requirePassword } from "../password-again.ts";
import { notFound, Refusal, stale } from "../problem.ts";
import { line, type Route, route } from "../route.ts";
import { tokenJson, tokenSchema } from "./account.ts";

const role = z.enum(ROLES);
const subject = line(500);
const userSchema = z.object({
  id: z.string(),
  name: z.string(),
  role,
  hasPassword: z.boolean(),
  hasTotp: z.boolean(),
  oidcSubject: z.string().nullable(),
  createdAt: z.string(),
  disabledAt: z.string().nullable(),
  revision: z.int(),
});

/** `temporaryPassword`: where one was asked for; it is told this once. */
const changedSchema = userSchema.extend({ temporaryPassword: z.string().nullable() });
const wantsPassword = z.literal(true).optional();
/** Of the administrator who asks: what they give to users outlives their session. */
const ownPassword = z.string().max(1024).optional();

const changeBody = z.strictObject({
  revision: z.int().min(1),
  role: role.optional(),
  disabled: z.boolean().optional(),
  password: z.string().max(1024).optional(),
  /** One is made, and told in the answer. */
  makePassword: wantsPassword,
  ownPassword,
  removeTotp: z.literal(true).optional(),
  oidcSubject: subject.nullable().optional(),
});
type ChangeBody = z.infer<typeof changeBody>;

const userJson = (user: User) => ({
  id: user.id,
  name: user.name,
  role: user.role,
  hasPassword: user.passwordHash !== undefined,
  hasTotp: user.sealedTotpSecret !== undefined,
  oidcSubject: user.oidcSubject ?? null,
  createdAt: user.createdAt.toISOString(),
  disabledAt: user.disabledAt?.toISOString() ?? null,
  revision: user.revision,
});

const subjectTaken = (): Refusal =>
  new Refusal("taken", "this subject is another user's", "give each user a subject of their own", {
    where: "body.oidcSubject",
  });

const onlyTakesAway = (
  { revision: _, ownPassword: _own, disabled, role: next, ...given }: ChangeBody,
  before: User,
): boolean =>
  Object.keys(given).length === 0 &&
  disabled !== false &&
  (next === undefined || next === before.role || before.role === "administrator");

export function userRoutes(parts: ServerParts): readonly Route[] {
  const { access, now, random } = parts;
  const requireFree = async (oidcSubject: string | undefined, id?: string) => {
    const holder = oidcSubject === undefined ? undefined : await access.user({ oidcSubject });
    if (holder !== undefined && holder.id !== id) throw subjectTaken();
  };
  return [
    route({
      method: "GET",
      path: "/api/users",
      gate: "users.manage",
      summary: "All users.",
      answer: z.object({ users: z.array(userSchema) }),
      act: async () => ({ users: (await access.users()).map(userJson) }),
    }),
    route({
      method: "POST",
      path: "/api/users",
      gate: "users.manage",
      summary: "Makes a user, with a password or a subject at the identity provider.",
      body: z.strictObject({
        name: z.string().max(200),
        password: z.string().max(1024).optional(),
        /** One is made, and told in the answer. */
        makePassword: wantsPassword,
        ownPassword,
        role,
        oidcSubject: subject.optional(),
      }),
      status: 201,
      answer: changedSchema,
      act: async ({ body }, asked) => {
        await requirePassword(body.ownPassword, asked, parts, "body.ownPassword");
        const { name, oidcSubject } = body;
        const made = body.makePassword === undefined ? undefined : temporaryPassword(random);
        const password = made ?? body.password;
        await requireFree(oidcSubject);
        const user = await makeUser({ name, password, role: body.role, oidcSubject }, now(), random);
        if (!user.ok) throw new Refusal("refused", user.problem, "choose another", { where: "body" });
        if ((await access.addUser(user.value)) === "taken")
          throw new Refusal("taken", `there is a user ${user.value.name} already`, "choose another name", {
            where: "body.name",
          });
        await asked.audit("user.create", user.value.name, { role: body.role });
        return { ...userJson(user.value), temporaryPassword: made ?? null };
      },
    }),
    route({
      method: "PUT",
      path: "/api/users/:id",
      gate: "users.manage",
      summary:
        "Changes a user: role, whether they may come in, a new password, codes taken off. With a new password or subject, and where they may not come in, their sessions end, and their passkeys and tokens go.",
      params: z.object({ id: z.string().max(100) }),
      body: changeBody,
      answer: changedSchema,
      act: async ({ params, body }, asked) => {
        const before = await access.user({ id: params.id });
        if (before === undefined) throw notFound();
        if (!onlyTakesAway(body, before))
          await requirePassword(body.ownPassword, asked, parts, "body.ownPassword");
        if (before.revision !== body.revision) throw stale();
        if (body.oidcSubject) await requireFree(body.oidcSubject, before.id);
        let after: User = { ...before, revision: before.revision + 1 };
        const made = body.makePassword === undefined ? undefined : temporaryPassword(random);
        const wanted = made ?? body.password;
        if (wanted !== undefined) {
          const changed = await withPassword(before, wanted, random);
          if (!changed.ok)
            throw new Refusal("refused", changed.problem, "choose another", { where: "body.password" });
          after = changed.value;
        }
        after = {
          ...after,
          role: body.role ?? before.role,
          disabledAt: body.disabled === undefined ? before.disabledAt : body.disabled ? now() : undefined,
          ...(body.removeTotp && { sealedTotpSecret: undefined, totpStep: undefined }),
          ...(body.oidcSubject !== undefined && { oidcSubject: body.oidcSubject ?? undefined }),
        };
        // Whoever came in by the former subject has no way in any more, and what they left has none either.
        const isRecovery = wanted !== undefined || after.oidcSubject !== before.oidcSubject;
        switch (await access.changeUser(before, after, { isRecovery })) {
          case "stale":
            throw stale();
          case "taken":
            throw subjectTaken();
          case "last":
            throw new Refusal("refused", "this is the last administrator", "make another one first");
          default:
        }
        if (isRecovery) await forgetTries(access, before);
        const { password: _password, makePassword: _made, ownPassword: _own, revision: _, ...said } = body;
        await asked.audit("user.change", before.name, {
          ...said,
          ...(wanted !== undefined && { password: "new" }),
        });
        return { ...userJson(after), temporaryPassword: made ?? null };
      },
    }),
    route({
      method: "GET",
      path: "/api/tokens",
      gate: "users.manage",
      summary: "The tokens of all users, without their secrets, the oldest first.",
      answer: z.object({
        tokens: z.array(tokenSchema.extend({ user: z.object({ id: z.string(), name: z.string() }) })),
      }),
      act: async () => {
        const [tokens, users] = await Promise.all([access.tokens(), access.users()]);
        const names = new Map(users.map(({ id, name }) => [id, name]));
        return {
          tokens: tokens.map((token) => ({
            ...tokenJson(token),
            user: { id: token.userId, name: names.get(token.userId) ?? token.userId },
          })),
        };
      },
    }),
    route({
      method: "DELETE",
      path: "/api/users/:id/tokens/:token",
      gate: "users.manage",
      summary: "Takes back a token of somebody.",
      params: z.object({ id: z.string().max(100), token: z.string().max(100) }),
      act: async ({ params }, asked) => {
        const token = (await access.tokens(params.id)).find(({ id }) => id === params.token);
        if (token === undefined || !(await access.removeToken(params.id, params.token))) throw notFound();
        const user = await access.user({ id: params.id });
        await asked.audit("token.remove", params.token, { user: user?.name, label: token.label });
      },
    }),
  ];
}
