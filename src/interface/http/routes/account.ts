/** What people change of their own account. Tokens cannot. */
import { z } from "zod";
import { type ApiToken, SCOPES } from "../../../access/access-store.ts";
import { offerTotp, withoutTotp, withPassword, withTotp } from "../../../access/account.ts";
import { countInSession, takeBackInSession } from "../../../access/attempt.ts";
import { bearerHash } from "../../../access/bearer-secret.ts";
import type { SessionTools } from "../../../access/session.ts";
import { MAX_TOKENS, makeToken } from "../../../access/token.ts";
import { notLoggedIn } from "../door.ts";
import type { ServerParts } from "../parts.ts";
import { requirePassword } from "../password-again.ts";
import { notFound, Refusal, stale, waitFor } from "../problem.ts";
import { type Asked, instant, line, type Route, route } from "../route.ts";

const password = z.string().max(1024);
const scopes = z.array(z.enum(SCOPES)).min(1).max(SCOPES.length);
export const tokenSchema = z.object({
  id: z.string(),
  label: z.string(),
  scopes: z.array(z.string()),
  createdAt: z.string(),
  expiresAt: z.string().nullable(),
  lastUsedAt: z.string().nullable(),
});

export const tokenJson = (token: ApiToken) => ({
  id: token.id,
  label: token.label,
  scopes: [...token.scopes],
  createdAt: token.createdAt.toISOString(),
  expiresAt: token.expiresAt?.toISOString() ?? null,
  lastUsedAt: token.lastUsedAt?.toISOString() ?? null,
});

export function accountRoutes(parts: ServerParts, { now, random, store }: SessionTools): readonly Route[] {
  const own = (asked: Asked) => asked.session!.open.user;
  const keep = (asked: Asked) => bearerHash("session", asked.session!.secret)!;
  const changed = async (asked: Asked, after: ReturnType<typeof own>) => {
    if ((await store.changeUser(own(asked), after, { keepSession: keep(asked) })) !== "changed")
      throw stale();
  };
  return [
    route({
      method: "GET",
      path: "/api/account",
      gate: "account",
      summary: "The account: ways to come in, sessions, tokens.",
      answer: z.object({
        name: z.string(),
        role: z.string(),
        hasPassword: z.boolean(),
        hasTotp: z.boolean(),
        passkeys: z.array(z.object({ id: z.string(), label: z.string(), createdAt: z.string() })),
        sessions: z.array(
          z.object({
            createdAt: z.string(),
            lastSeenAt: z.string(),
            address: z.string(),
            userAgent: z.string(),
            isThis: z.boolean(),
          }),
        ),
        tokens: z.array(tokenSchema),
      }),
      act: async (_, asked) => {
        const user = own(asked);
        const [passkeys, sessions, tokens] = await Promise.all([
          store.passkeys(user.id),
          store.sessions(user.id),
          store.tokens(user.id),
        ]);
        return {
          name: user.name,
          role: user.role,
          hasPassword: user.passwordHash !== undefined,
          hasTotp: user.sealedTotpSecret !== undefined,
          passkeys: passkeys.map(({ credentialId, label, createdAt }) => ({
            id: credentialId,
            label,
            createdAt: createdAt.toISOString(),
          })),
          sessions: sessions.map(({ secretHash, createdAt, lastSeenAt, address, userAgent }) => ({
            createdAt: createdAt.toISOString(),
            lastSeenAt: lastSeenAt.toISOString(),
            address,
            userAgent,
            isThis: secretHash === keep(asked),
          })),
          tokens: tokens.map(tokenJson),
        };
      },
    }),
    route({
      method: "PUT",
      path: "/api/account/password",
      gate: "account",
      summary: "Changes the password, and ends all other sessions.",
      body: z.strictObject({ password: password.optional(), newPassword: password }),
      act: async ({ body }, asked) => {
        await requirePassword(body.password, asked, parts);
        const after = await withPassword(own(asked), body.newPassword, random);
        if (!after.ok)
          throw new Refusal("refused", after.problem, "choose another", { where: "body.newPassword" });
        await changed(asked, after.value);
        await asked.audit("account.password", own(asked).name);
      },
    }),
    route({
      method: "POST",
      path: "/api/account/sessions/end",
      gate: "account",
      summary: "Ends all other sessions.",
      act: async (_, asked) => {
        for (const { secretHash } of await store.sessions(own(asked).id))
          if (secretHash !== keep(asked)) await store.removeSession(secretHash);
        await asked.audit("account.sessions-end", own(asked).name);
      },
    }),
    route({
      method: "POST",
      path: "/api/account/totp/offer",
      gate: "account",
      summary: "A new secret for an authenticator app; it counts once a code has come back.",
      body: z.strictObject({ password: password.optional() }),
      answer: z.object({ uri: z.string(), pending: z.string() }),
      act: async ({ body }, asked) => {
        await requirePassword(body.password, asked, parts);
        return offerTotp(own(asked), parts.box, random);
      },
    }),
    route({
      method: "PUT",
      path: "/api/account/totp",
      gate: "account",
      summary: "Turns codes on, with the first code.",
      body: z.strictObject({ pending: z.string().max(1000), code: z.string().max(20) }),
      act: async ({ body }, asked) => {
        const counted = [store, "code", keep(asked), now()] as const;
        const granted = await countInSession(...counted);
        if (!granted.granted) throw waitFor(granted.waitSeconds);
        const after = withTotp(own(asked), body.pending, body.code, now(), parts.box);
        if (after === undefined)
          throw new Refusal("refused", "the code is wrong", "type the code that the app shows now", {
            where: "body.code",
          });
        await takeBackInSession(...counted);
        await changed(asked, after);
        await asked.audit("account.totp-on", own(asked).name);
      },
    }),
    route({
      method: "POST",
      path: "/api/account/totp/remove",
      gate: "account",
      summary: "Turns codes off.",
      body: z.strictObject({ password: password.optional() }),
      act: async ({ body }, asked) => {
        await requirePassword(body.password, asked, parts);
        await changed(asked, withoutTotp(own(asked)));
        await asked.audit("account.totp-off", own(asked).name);
      },
    }),
    route({
      method: "POST",
      path: "/api/account/tokens",
      gate: "account",
      summary: "Makes a token; its secret is shown this once.",
      body: z.strictObject({
        label: line(100),
        scopes,
        expiresAt: instant.optional(),
        password: password.optional(),
      }),
      status: 201,
      answer: z.object({ id: z.string(), secret: z.string() }),
      act: async ({ body }, asked) => {
        // It outlives the session, and a new password.
        await requirePassword(body.password, asked, parts);
        const user = own(asked);
        if ((await store.tokens(user.id)).length >= MAX_TOKENS)
          throw new Refusal("refused", `there are ${MAX_TOKENS} tokens already`, "remove one first");
        const { label, expiresAt } = body;
        const wanted = { label, scopes: body.scopes, ...(expiresAt && { expiresAt: new Date(expiresAt) }) };
        const made = await makeToken(user, wanted, now(), random, store);
        if (made === undefined) throw notLoggedIn();
        const { token, secret } = made;
        await asked.audit("token.create", label, { scopes: token.scopes });
        return { id: token.id, secret };
      },
    }),
    route({
      method: "DELETE",
      path: "/api/account/tokens/:id",
      gate: "account",
      summary: "Takes a token back.",
      params: z.object({ id: z.string().max(100) }),
      act: async ({ params }, asked) => {
        if (!(await store.removeToken(own(asked).id, params.id))) throw notFound();
        await asked.audit("token.remove", params.id);
      },
    }),
  ];
}
