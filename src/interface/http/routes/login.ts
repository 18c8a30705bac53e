/** Coming in and leaving. */
import { z } from "zod";
import { countPlace } from "../../../access/attempt.ts";
import { giveCode, type LoginResult, logIn } from "../../../access/login.ts";
import { csrfToken, endSession, type SessionTools } from "../../../access/session.ts";
import { setUp } from "../../../access/setup.ts";
import type { ServerMetrics } from "../metrics.ts";
import type { ServerParts } from "../parts.ts";
import { Refusal, waitFor } from "../problem.ts";
import { type Asked, type Route, route } from "../route.ts";

const name = z.string().min(1).max(200);
const password = z.string().min(1).max(1024);

const sessionSchema = z.object({
  user: z.object({ id: z.string(), name: z.string(), role: z.string() }),
  isComplete: z.boolean(),
  csrfToken: z.string(),
  /** Where it is set, servers and domains are described there, and the API does not change them. */
  descriptionFile: z.string().nullable(),
});
const loginAnswer = z.object({ status: z.enum(["in", "second-factor"]), csrfToken: z.string() });

export function loginRoutes(
  parts: ServerParts,
  tools: SessionTools,
  metrics: ServerMetrics,
): readonly Route[] {
  const loginTools = { ...tools, box: parts.box };

  const answer = async (result: LoginResult, typedName: string, asked: Asked) => {
    switch (result.status) {
      case "wait":
        metrics.login("wait");
        throw waitFor(result.waitSeconds);
      case "wrong":
        metrics.login("wrong");
        await asked.audit("login.failed", typedName.slice(0, 100), {}, "nobody");
        throw new Refusal(
          "not-logged-in",
          "that is not right",
          "look at the name, the password and the code",
        );
      case "in":
      case "second-factor":
        if (result.status === "in") {
          metrics.login("in");
          await asked.audit("login", result.user.name, {}, result.user.name);
        }
        asked.setSession(result.secret);
        return { status: result.status, csrfToken: csrfToken(result.secret) };
      default:
        return result satisfies never;
    }
  };

  return [
    route({
      method: "POST",
      path: "/api/login",
      gate: "anyone",
      summary: "Begins a session with a name and a password.",
      body: z.strictObject({ name, password }),
      answer: loginAnswer,
      act: async ({ body }, asked) =>
        answer(await logIn(body, asked.caller, asked.session?.secret, loginTools), body.name, asked),
    }),
    route({
      method: "POST",
      path: "/api/login/code",
      gate: "half",
      summary: "Gives the code of an authenticator app.",
      body: z.strictObject({ code: z.string().min(6).max(20) }),
      answer: loginAnswer,
      act: async ({ body }, asked) => {
        const { open, secret } = asked.session!;
        if (open.session.isComplete)
          throw new Refusal("refused", "no code is asked for: the session is open", "go on");
        return answer(await giveCode(body.code, open, secret, loginTools), open.user.name, asked);
      },
    }),
    route({
      method: "POST",
      path: "/api/logout",
      gate: "half",
      summary: "Ends the session.",
      act: async (_, asked) => {
        await endSession(asked.session!.secret, parts.access);
        asked.setSession(undefined);
      },
    }),
    route({
      method: "GET",
      path: "/api/session",
      gate: "half",
      summary: "Who is logged in here, and the token that changes have to carry.",
      answer: sessionSchema,
      act: async (_, asked) => {
        const { open, secret } = asked.session!;
        const { id, name: userName, role } = open.user;
        return {
          user: { id, name: userName, role },
          isComplete: open.session.isComplete,
          csrfToken: csrfToken(secret),
          descriptionFile: (open.session.isComplete && parts.descriptionFile) || null,
        };
      },
    }),
    route({
      method: "GET",
      path: "/api/setup",
      gate: "anyone",
      summary: "Whether the first administrator is still to be made.",
      answer: z.object({ isOpen: z.boolean() }),
      act: async () => ({ isOpen: parts.setupLink !== undefined && (await parts.access.countUsers()) === 0 }),
    }),
    route({
      method: "POST",
      path: "/api/setup",
      gate: "anyone",
      summary: "Makes the first administrator, with the secret of the one-time link.",
      body: z.strictObject({ secret: z.string().max(200), name, password }),
      status: 201,
      answer: z.object({ id: z.string(), name: z.string() }),
      act: async ({ body }, asked) => {
        const granted = await countPlace(parts.access, "setup", asked.caller.address, parts.now());
        if (!granted.granted) throw waitFor(granted.waitSeconds);
        const made = await setUp(body, parts.setupLink, parts.now(), parts.random, parts.access);
        if (made.status === "closed")
          throw new Refusal(
            "not-allowed",
            "this link opens nothing (any more)",
            "start the server anew for another link, or log in where there is an administrator already",
          );
        if (made.status === "refused")
          throw new Refusal("refused", made.problem, "choose another", { where: "body" });
        await asked.audit("user.create", made.user.name, { role: made.user.role }, "setup link");
        return { id: made.user.id, name: made.user.name };
      },
    }),
  ];
}
