/** What goes wrong between a page and the server, as errors that say what happened and what to do. */
import type { components } from "./schema.ts";

type ProblemBody = components["schemas"]["Problem"];

/** The last part of the problem's type. */
export type ProblemCode =
  | "not-understood"
  | "not-logged-in"
  | "not-allowed"
  | "other-site"
  | "not-found"
  | "method-not-allowed"
  | "taken"
  | "read-only"
  | "stale"
  | "busy"
  | "too-large"
  | "not-json"
  | "wrong-host"
  | "refused"
  | "log-in-again"
  | "too-many"
  | "failed"
  | "no-answer"
  | "not-ready";

/** The server's own words. */
export class ApiProblem extends Error {
  readonly code: ProblemCode;
  /** "body.password", or the path that was asked for. */
  readonly where: string;
  readonly remedy: string;
  readonly parts: readonly { readonly where: string; readonly what: string }[];
  readonly retryAfterSeconds: number | undefined;

  constructor(body: ProblemBody, retryAfterSeconds: number | undefined) {
    super(body.what);
    this.code = body.type.split(":").at(-1) as ProblemCode;
    this.where = body.where;
    this.remedy = body.remedy;
    this.parts = body.problems ?? [];
    this.retryAfterSeconds = retryAfterSeconds;
  }
}

/** Nobody answered: the network is away, or the server is being started anew. */
export class ConnectionLost extends Error {
  constructor() {
    super("the server does not answer");
  }
}

/** What was asked for is not done: nobody is logged in any more. */
export class LoggedOut extends Error {
  constructor() {
    super("the session is over");
  }
}

/** `known`: the device has one already; `elsewhere`: the page stands at another address than passkeys are for. */
export type PasskeyFailure = "not-done" | "known" | "elsewhere";

export class PasskeyProblem extends Error {
  readonly failure: PasskeyFailure;

  constructor(failure: PasskeyFailure) {
    super(`passkey: ${failure}`);
    this.failure = failure;
  }
}

export const isProblem = (error: unknown, code: ProblemCode): error is ApiProblem =>
  error instanceof ApiProblem && error.code === code;

/** What an answer says is wrong; undefined where it is no problem's body (a proxy's own page, say). */
export async function readProblem(response: Response): Promise<ApiProblem | undefined> {
  if (!response.headers.get("content-type")?.startsWith("application/problem+json")) return undefined;
  const retryAfter = Number(response.headers.get("retry-after") ?? Number.NaN);
  return new ApiProblem(
    (await response.clone().json()) as ProblemBody,
    Number.isFinite(retryAfter) ? retryAfter : undefined,
  );
}
