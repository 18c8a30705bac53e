/** Passkeys, and login by an identity provider. Without either configured these routes say so. */
import { z } from "zod";
import { countPlace, takeBackPlace } from "../../../access/attempt.ts";
import { leaveFor, returnFrom } from "../../../access/identity-provider.ts";
import {
  LOGIN,
  MAX_CREDENTIAL_ID,
  MAX_PASSKEYS,
  offerChallenge,
  REGISTRATION,
  registerPasskey,
  showPasskey,
} from "../../../access/passkey.ts";
import { beginSession, csrfToken, type SessionTools } from "../../../access/session.ts";
import type { ServerParts, ServerSettings } from "../parts.ts";
import { requirePassword } from "../password-again.ts";
import { notFound, Refusal, waitFor } from "../problem.ts";
import { type Asked, line, type Route, route } from "../route.ts";

/** The browser's answer goes to the verifier as it is; its size is bounded by the body's. */
const answer = z.record(z.string().max(100), z.unknown());
/** Neither another server nor what a browser would take for one. */
const ownPath = z
  .string()
  .max(2_000)
  .regex(/^\/(?![/\\])[\x21-\x7e]*$/);
const offer = z.object({ challenge: z.string(), rpId: z.string(), userVerification: z.literal("required") });

export function passkeyRoutes(
  parts: ServerParts,
  tools: SessionTools,
  { origin }: ServerSettings,
): readonly Route[] {
  const { store, now, random } = tools;
  const { box } = parts;
  const rpId = new URL(origin).hostname;
  const passkeyTools = () => {
    const verifier = parts.passkeys;
    if (verifier === undefined)
      throw new Refusal("refused", "passkeys are not set up here", "log in with a password");
    return { store, verifier, box, random, now };
  };
  const identityTools = () => {
    const provider = parts.identity;
    if (provider === undefined)
      throw new Refusal("refused", "no identity provider is set up here", "log in with a password");
    return { store, provider, box, random, now };
  };
  const counted = async (what: string, asked: Asked) => {
    const granted = await countPlace(store, what, asked.caller.address, now());
    if (!granted.granted) throw waitFor(granted.waitSeconds);
  };
  return [
    route({
      method: "GET",
      path: "/api/login",
      gate: "anyone",
      summary: "What ways there are to come in.",
      answer: z.object({
        hasPasskeys: z.boolean(),
        provider: z.object({ title: z.string() }).nullable(),
        isSetupOpen: z.boolean(),
      }),
      act: async () => ({
        // A passkey is bound to a name; an address has none.
        hasPasskeys: parts.passkeys !== undefined && !/^[\d.]+$|:/.test(rpId),
        provider: parts.identity === undefined ? null : { title: parts.identity.title },
        isSetupOpen: parts.setupLink !== undefined && (await store.countUsers()) === 0,
      }),
    }),
    route({
      method: "POST",
      path: "/api/account/passkeys/offer",
      gate: "account",
      summary: "A challenge for a new passkey.",
      body: z.strictObject({ password: z.string().max(1024).optional() }),
      answer: offer.extend({ userId: z.string(), userName: z.string(), exclude: z.array(z.string()) }),
      act: async ({ body }, asked) => {
        const { user } = asked.session!.open;
        const all = passkeyTools();
        await requirePassword(body.password, asked, parts);
        const { challenge, kept } = offerChallenge(REGISTRATION(user.id), all);
        asked.setStep("passkey", kept, "strict");
        const known = await store.passkeys(user.id);
        return {
          challenge,
          rpId,
          userVerification: "required" as const,
          userId: Buffer.from(user.id).toString("base64url"),
          userName: user.name,
          exclude: known.map(({ credentialId }) => credentialId),
        };
      },
    }),
    route({
      method: "POST",
      path: "/api/account/passkeys",
      gate: "account",
      summary: "Keeps a new passkey.",
      body: z.strictObject({ label: line(100), answer }),
      status: 201,
      answer: z.object({ id: z.string() }),
      act: async ({ body }, asked) => {
        const { user } = asked.session!.open;
        if ((await store.passkeys(user.id)).length >= MAX_PASSKEYS)
          throw new Refusal("refused", `there are ${MAX_PASSKEYS} passkeys already`, "remove one first");
        const kept = asked.cookie("passkey") ?? "";
        const passkey = await registerPasskey(user, { kept, ...body }, passkeyTools());
        if (passkey === undefined) throw new Refusal("refused", "this proves no new passkey", "begin anew");
        asked.setStep("passkey", undefined, "strict");
        await asked.audit("account.passkey-add", user.name, { label: body.label });
        return { id: passkey.credentialId };
      },
    }),
    route({
      method: "DELETE",
      path: "/api/account/passkeys/:id",
      gate: "account",
      summary: "Forgets a passkey.",
      params: z.object({ id: z.string().max(MAX_CREDENTIAL_ID) }),
      act: async ({ params }, asked) => {
        const { user } = asked.session!.open;
        const left = (await store.passkeys(user.id)).filter(({ credentialId }) => credentialId !== params.id);
        if (left.length === 0 && user.passwordHash === undefined && user.oidcSubject === undefined)
          throw new Refusal("refused", "it is the last way in", "set a password first");
        if (!(await store.removePasskey(user.id, params.id))) throw notFound();
        await asked.audit("account.passkey-remove", user.name);
      },
    }),
    route({
      method: "POST",
      path: "/api/login/passkey/offer",
      gate: "anyone",
      summary: "A challenge to log in with a passkey.",
      answer: offer,
      act: async (_, asked) => {
        const { challenge, kept } = offerChallenge(LOGIN, passkeyTools());
        asked.setStep("passkey", kept, "strict");
        return { challenge, rpId, userVerification: "required" as const };
      },
    }),
    route({
      method: "POST",
      path: "/api/login/passkey",
      gate: "anyone",
      summary: "Begins a session with a passkey.",
      body: z.strictObject({ answer }),
      answer: z.object({ status: z.literal("in"), csrfToken: z.string() }),
      act: async ({ body }, asked) => {
        const all = passkeyTools();
        await counted("passkey", asked);
        const user = await showPasskey({ kept: asked.cookie("passkey") ?? "", answer: body.answer }, all);
        asked.setStep("passkey", undefined, "strict");
        const secret = user && (await beginSession(user, asked.caller, true, asked.session?.secret, tools));
        if (user === undefined || secret === undefined) {
          await asked.audit("login.failed", "a passkey", {}, "nobody");
          throw new Refusal("not-logged-in", "this passkey opens nothing here", "log in in another way");
        }
        await takeBackPlace(store, "passkey", asked.caller.address, now());
        asked.setSession(secret);
        await asked.audit("login", user.name, { by: "passkey" }, user.name);
        return { status: "in" as const, csrfToken: csrfToken(secret) };
      },
    }),
    route({
      method: "POST",
      path: "/api/login/provider",
      gate: "anyone",
      summary: "Where to go to log in at the identity provider.",
      query: z.object({
        to: ownPath.optional().describe("The page to come back to."),
        again: z
          .literal("true")
          .optional()
          .describe("Whoever is logged in there is to prove it anew: for what asks for a login just now."),
      }),
      answer: z.object({ url: z.string(), title: z.string() }),
      act: async ({ query }, asked) => {
        const all = identityTools();
        await counted("identity", asked);
        const { url, kept } = await leaveFor(all, { to: query.to, again: query.again !== undefined }).catch(
          (error: unknown) => {
            if (error instanceof Refusal) throw error;
            throw new Refusal("no-answer", "the identity provider does not answer", "try again later");
          },
        );
        asked.setStep("identity", kept, "lax");
        return { url, title: all.provider.title };
      },
    }),
    route({
      method: "GET",
      path: "/api/login/provider/return",
      gate: "anyone",
      summary: "Where the identity provider sends the browser back to.",
      isRaw: true,
      act: async (_, asked) => {
        const all = identityTools();
        await counted("identity-return", asked);
        const kept = asked.cookie("identity") ?? "";
        const back = await returnFrom(kept, `${origin}${asked.reply.request.url}`, all);
        asked.setStep("identity", undefined, "lax");
        const secret =
          back && (await beginSession(back.user, asked.caller, true, asked.session?.secret, tools, back));
        if (back === undefined || secret === undefined) {
          await asked.audit("login.failed", "an identity provider's answer", {}, "nobody");
          // A person sees the page in which to begin anew.
          if (asked.reply.request.headers.accept?.includes("text/html")) {
            asked.reply.redirect("/login?refused=true", 303);
            return;
          }
          throw new Refusal(
            "not-logged-in",
            "this login opens nothing here",
            "begin anew from the login page; an administrator has to have made an account for you",
          );
        }
        const { user, to } = back;
        for (const way of ["identity", "identity-return"])
          await takeBackPlace(store, way, asked.caller.address, now());
        asked.setSession(secret);
        await asked.audit("login", user.name, { by: "identity provider" }, user.name);
        asked.reply.redirect(to, 303);
      },
    }),
  ];
}
