/** Who asks: by the session's cookie or by a token; and whether it is one of our own pages that asks. */
import type { FastifyRequest } from "fastify";
import type { Actor } from "../../access/permission.ts";
import {
  type Caller,
  isCsrfToken,
  type OpenSession,
  readSession,
  type SessionTools,
} from "../../access/session.ts";
import { readToken } from "../../access/token.ts";
import { Refusal } from "./problem.ts";

export interface Came {
  readonly actor: Actor | undefined;
  readonly session: { readonly secret: string; readonly open: OpenSession } | undefined;
  readonly caller: Caller;
}

const one = (header: string | string[] | undefined): string | undefined =>
  Array.isArray(header) ? header[0] : header;

/** Over TLS no other host and no plain page can set it (prefix `__Host-`). */
export const cookieName = (isSecure: boolean, name = "session"): string =>
  isSecure ? `__Host-zonepost-${name}` : `zonepost-${name}`;

export async function whoCame(
  request: FastifyRequest,
  isSecure: boolean,
  tools: SessionTools,
): Promise<Came> {
  const caller: Caller = { address: request.ip, userAgent: one(request.headers["user-agent"]) ?? "" };
  const authorization = one(request.headers.authorization);
  if (authorization !== undefined) {
    const [, token = ""] = /^Bearer ([!-~]{1,200})$/i.exec(authorization) ?? [];
    const actor = await readToken(token, tools.now(), tools.store);
    if (actor === undefined) throw notLoggedIn("this token opens nothing: it is over, or was never given");
    return { actor, session: undefined, caller };
  }
  const secret = request.cookies[cookieName(isSecure)];
  const open = secret === undefined ? undefined : await readSession(secret, tools);
  if (secret === undefined || open === undefined) return { actor: undefined, session: undefined, caller };
  const actor = open.session.isComplete ? { user: open.user } : undefined;
  return { actor, session: { secret, open }, caller };
}

export const notLoggedIn = (what = "nobody is logged in"): Refusal =>
  new Refusal("not-logged-in", what, "log in, or send a token as Authorization: Bearer");

/** A name that is not ours leads here when somebody points theirs at us (DNS rebinding). */
export function requireOwnHost(request: FastifyRequest, origin: string): void {
  const { host, hostname } = new URL(origin);
  const asked = request.host.toLowerCase();
  const local = ["localhost", "127.0.0.1", "[::1]"];
  const isLocal = local.includes(hostname) && local.includes(asked.replace(/:\d+$/, ""));
  if (asked === host || isLocal) return;
  throw new Refusal("wrong-host", "this server is not known by that name", `use ${origin}`);
}

/** For whatever changes something. A program without a browser sends none of these headers, and no cookie either. */
export function requireOwnPage(
  request: FastifyRequest,
  session: Came["session"],
  isByToken: boolean,
  origin: string,
): void {
  if (isByToken) return;
  const site = one(request.headers["sec-fetch-site"]);
  const from = one(request.headers.origin);
  const isOther =
    (site !== undefined && site !== "same-origin") ||
    (from !== undefined && from !== origin && !isSameLocal(from, origin, request));
  const token = one(request.headers["x-csrf-token"]) ?? "";
  if (!isOther && (session === undefined || isCsrfToken(token, session.secret))) return;
  throw new Refusal(
    "other-site",
    isOther ? "this came from a page of another site" : "the header X-CSRF-Token is missing or wrong",
    "GET /api/session tells the token; send it from a page of this server",
  );
}

/** On loopback a server is known by several names; the page's must be the one that was asked. */
function isSameLocal(from: string, origin: string, request: FastifyRequest): boolean {
  const local = ["localhost", "127.0.0.1", "[::1]"];
  if (!local.includes(new URL(origin).hostname) || !URL.canParse(from)) return false;
  const { host, hostname } = new URL(from);
  return local.includes(hostname) && host === request.host.toLowerCase();
}
