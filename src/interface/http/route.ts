/** What a route is: where it stands, who may use it, what it takes and gives, and what it does. */
import type { FastifyReply } from "fastify";
import { z } from "zod";
import type { Actor, Permission } from "../../access/permission.ts";
import type { Caller, OpenSession } from "../../access/session.ts";
import type { StoredDomain } from "../../records/description-store.ts";

/** `anyone`: before a login · `half`: also between the password and the second factor. */
export type Gate = "anyone" | "half" | Permission;

/** Who asks, and with what. */
export interface Asked {
  /** Throws where nobody is logged in: routes for anyone have no actor. */
  readonly actor: Actor;
  readonly caller: Caller;
  /** Who it is by now, for what goes on for long; undefined where the session or token is over. */
  readonly actorNow: () => Promise<Actor | undefined>;
  /** Where it came by the cookie. */
  readonly session: { readonly secret: string; readonly open: OpenSession } | undefined;
  /** Of routes below /domains/:domain: it is there, and the actor sees it. */
  readonly domain: StoredDomain;
  readonly audit: (
    action: string,
    target: string,
    details?: Readonly<Record<string, unknown>>,
    by?: string,
  ) => Promise<void>;
  /** The browser's session from now on; undefined ends it. */
  readonly setSession: (secret: string | undefined) => void;
  readonly cookie: (name: string) => string | undefined;
  /** A cookie of a few minutes, for a step that the browser has to come back from. */
  readonly setStep: (name: string, value: string | undefined, sameSite: "strict" | "lax") => void;
  readonly reply: FastifyReply;
}

interface Spec<P, Q, B, A> {
  readonly method: "GET" | "POST" | "PUT" | "DELETE";
  readonly path: string;
  readonly gate: Gate;
  /** One plain sentence. */
  readonly summary: string;
  readonly params?: z.ZodType<P>;
  readonly query?: z.ZodType<Q>;
  readonly body?: z.ZodType<B>;
  /** Undefined: 204, or what the route writes itself. */
  readonly answer?: z.ZodType<A>;
  readonly status?: 200 | 201 | 202 | 204;
  readonly maxBodyOctets?: number;
  /** The route sends its answer by `asked.reply`. */
  readonly isRaw?: boolean;
  readonly act: (
    given: { readonly params: P; readonly query: Q; readonly body: B },
    asked: Asked,
  ) => Promise<A>;
}

export interface Route extends Omit<Spec<unknown, unknown, unknown, unknown>, "act"> {
  readonly act: (
    given: { readonly params: unknown; readonly query: unknown; readonly body: unknown },
    asked: Asked,
  ) => Promise<unknown>;
}

/** Fixes the types of one route, and forgets them: what comes in was read by its schemas. */
export const route = <P = object, Q = object, B = undefined, A = void>(spec: Spec<P, Q, B, A>): Route =>
  spec as unknown as Route;

/** Text of people: no control characters, of a bounded length. */
export const line = (max: number) =>
  z
    .string()
    .min(1)
    .max(max)
    .regex(/^[^\p{Cc}\u2028\u2029]*$/u);

export const instant = z.iso.datetime();
export const limit = z.coerce.number().int().min(1).max(200).default(50);
