/** What goes wrong, in one shape: where, what, and what to do. */
import { z } from "zod";
import { TaskRefusal } from "../../watch/task.ts";

export const PROBLEM_CODES = {
  "not-understood": 400,
  "not-logged-in": 401,
  "not-allowed": 403,
  "other-site": 403,
  "not-found": 404,
  "method-not-allowed": 405,
  taken: 409,
  "read-only": 409,
  stale: 409,
  busy: 409,
  "too-large": 413,
  "not-json": 415,
  "wrong-host": 421,
  refused: 422,
  "log-in-again": 422,
  "too-many": 429,
  failed: 500,
  "no-answer": 502,
  "not-ready": 503,
} as const;
export type ProblemCode = keyof typeof PROBLEM_CODES;

export interface ProblemPart {
  /** "domains[0].mx[0]", "body.name" */
  readonly where: string;
  readonly what: string;
}

/** Thrown by routes, and answered as it is. */
export class Refusal extends TaskRefusal {
  readonly code: ProblemCode;
  readonly where: string;
  readonly remedy: string;
  readonly parts: readonly ProblemPart[];
  readonly retryAfterSeconds: number | undefined;

  constructor(
    code: ProblemCode,
    what: string,
    remedy: string,
    more: {
      readonly where?: string;
      readonly parts?: readonly ProblemPart[];
      readonly retryAfterSeconds?: number;
    } = {},
  ) {
    super(what);
    this.code = code;
    this.remedy = remedy;
    this.where = more.where ?? "";
    this.parts = more.parts ?? [];
    this.retryAfterSeconds = more.retryAfterSeconds;
  }
}

export const problemSchema = z
  .object({
    type: z.string(),
    title: z.string(),
    status: z.int(),
    where: z.string(),
    what: z.string(),
    remedy: z.string(),
    problems: z.array(z.object({ where: z.string(), what: z.string() })).optional(),
  })
  .meta({ id: "Problem", description: "What is wrong, where, and what to do." });

const MAX_PARTS = 50;

export function problemBody({ code, where, message, remedy, parts }: Refusal, path: string) {
  return {
    type: `urn:zonepost:problem:${code}`,
    title: code.replaceAll("-", " "),
    status: PROBLEM_CODES[code],
    where: where || path,
    what: message,
    remedy,
    ...(parts.length > 0 && { problems: parts.slice(0, MAX_PARTS) }),
  };
}

/** The same for what is not there and for what the actor may not see. */
export const notFound = (): Refusal =>
  new Refusal("not-found", "there is no such thing here", "look at the list that it should be in");

export const stale = (): Refusal =>
  new Refusal(
    "stale",
    "somebody else has changed this meanwhile; nothing was changed",
    "read it again, and make the change on what it is now",
  );

/** For what a file on the machine says: only there it is changed. */
export const byFile = (file: string): Refusal =>
  new Refusal(
    "read-only",
    `servers and domains are described in ${file}, and here they can only be read`,
    `change ${file} on the server's machine, and reload the server (SIGHUP)`,
  );

export const waitFor = (seconds: number): Refusal =>
  new Refusal("too-many", "there were too many tries", `wait ${seconds} seconds, then try again`, {
    retryAfterSeconds: seconds,
  });
