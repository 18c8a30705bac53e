/**
 * Requests to the HTTP APIs of DNS hosts, and what their refusals mean. What every API says in its own words stays
 * with its provider; HTTP statuses, waiting, and what may have happened all the same are here.
 */
import type { z } from "zod";
import type { DomainName } from "../../standards/dns/name.ts";
import type { HttpClient, HttpRequest } from "../http.ts";
import type { FailureCause, ProviderFailure } from "../provider.ts";
import type { Secret } from "../secret.ts";

export interface ApiMeans {
  readonly http: HttpClient;
  readonly sleep: (milliseconds: number) => Promise<void>;
}

/** How one API talks. */
export interface ApiDialect {
  readonly title: string;
  /** Without a slash at the end. */
  readonly baseUrl: string;
  /** Never to be seen in an error, whatever the API says. */
  readonly secrets: readonly Secret[];
  /** Credentials among them; called for each request. */
  readonly headers: (request: Omit<HttpRequest, "headers">) => Readonly<Record<string, string>>;
  /** What the credentials need: "a token with the right to edit DNS". */
  readonly needs: string;
  /** A body as a value; undefined where it cannot be read. JSON where absent. */
  readonly decode?: (body: string) => unknown;
  /** What the body of a refusal says. */
  readonly complaintIn: (body: unknown) => string | undefined;
  /** Where status codes alone do not tell. */
  readonly causeOf?: (httpStatus: number, body: unknown) => FailureCause | undefined;
}

export interface ApiFailure {
  readonly ok: false;
  readonly failure: ProviderFailure;
  readonly httpStatus?: number;
  /** What the body said, where it could be read. */
  readonly body?: unknown;
  /** The request may have been carried out all the same. */
  readonly mayHaveHappened: boolean;
}

export type ApiAnswer<T> =
  | { readonly ok: true; readonly value: T; readonly headers: Readonly<Record<string, string>> }
  | ApiFailure;

export interface Api {
  readonly title: string;
  /** `path` begins with a slash, or is a whole URL below the base; `about` is what it is looking for there. */
  get<T>(path: string, schema: z.ZodType<T>, about: string): Promise<ApiAnswer<T>>;
  write(
    method: "POST" | "PUT" | "PATCH" | "DELETE",
    path: string,
    body?: unknown,
  ): Promise<ApiAnswer<unknown>>;
}

/** Longer waits are for whoever called. */
const LONGEST_WAIT_SECONDS = 15;
const USUAL_WAIT_SECONDS = 1;
const LONGEST_COMPLAINT = 300;

export function createApi(dialect: ApiDialect, { http, sleep }: ApiMeans): Api {
  const { title, baseUrl, decode = readJson } = dialect;

  const exchange = async (request: Omit<HttpRequest, "headers">, about: string) => {
    const first = await send(request, about);
    if (first.ok || first.failure.cause !== "rate-limited") return first;
    const seconds = first.failure.retryAfterSeconds ?? USUAL_WAIT_SECONDS;
    if (seconds > LONGEST_WAIT_SECONDS) return first;
    await sleep(seconds * 1000);
    return send(request, about);
  };

  const send = async (request: Omit<HttpRequest, "headers">, about: string): Promise<ApiAnswer<unknown>> => {
    const isWrite = request.method !== "GET";
    const headers = { "user-agent": "zonepost", ...dialect.headers(request) };
    const answer = await http({ ...request, headers });
    if (answer.status === "failed") {
      const detail = `${title} gives no answer: ${clean(answer.detail, dialect.secrets)}.`;
      return { ok: false, failure: failed("unreachable", detail), mayHaveHappened: isWrite && answer.sent };
    }
    const { httpStatus } = answer;
    const body = decode(answer.body);
    if (httpStatus >= 200 && httpStatus <= 299) return { ok: true, value: body, headers: answer.headers };
    const mayHaveHappened = isWrite && httpStatus >= 500;
    const failure = refusal(dialect, { httpStatus, headers: answer.headers, body, about });
    return { ok: false, failure, httpStatus, body, mayHaveHappened };
  };

  return {
    title,
    async get(path, schema, about) {
      const url = path.startsWith("/") ? `${baseUrl}${path}` : path;
      const answer = await exchange({ method: "GET", url }, about);
      if (!answer.ok) return answer;
      const read = schema.safeParse(answer.value);
      if (read.success) return { ok: true, value: read.data, headers: answer.headers };
      return unreadable(title, about, read.error.issues[0]);
    },
    write(method, path, body) {
      const text = body === undefined ? {} : { body: typeof body === "string" ? body : JSON.stringify(body) };
      return exchange({ method, url: `${baseUrl}${path}`, ...text }, "what was to be changed");
    },
  };
}

/** An answer that is not as documented: nothing is concluded from it. */
export function unreadable(
  title: string,
  about: string,
  issue?: { readonly path: readonly PropertyKey[]; readonly message: string },
): ApiFailure {
  const where =
    issue === undefined || issue.path.length === 0 ? "" : ` at ${issue.path.map(String).join(".")}`;
  const detail = `${title}'s answer about ${about} cannot be understood${where}.`;
  return { ok: false, failure: failed("provider-error", detail), mayHaveHappened: false };
}

/** Pages that were not read in one and the same state of the zone. */
export function changedMeanwhile(title: string, zone: DomainName): ApiFailure {
  const detail = `The pages of the zone ${zone} from ${title} do not fit together. Somebody may change it just now: try again.`;
  return { ok: false, failure: failed("provider-error", detail), mayHaveHappened: false };
}

export function failed(cause: FailureCause, detail: string): ProviderFailure {
  return { status: "failed", cause, detail };
}

interface Refused {
  readonly httpStatus: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: unknown;
  readonly about: string;
}

function refusal(dialect: ApiDialect, { httpStatus, headers, body, about }: Refused): ProviderFailure {
  const { title } = dialect;
  const complaint = dialect.complaintIn(body);
  const words = complaint === undefined ? "" : `, "${clean(complaint, dialect.secrets)}"`;
  const said = `HTTP ${httpStatus}${words}`;
  const cause = dialect.causeOf?.(httpStatus, body) ?? causeOfStatus(httpStatus);
  switch (cause) {
    case "credentials":
      return failed(
        cause,
        `${title} does not accept the credentials (${said}). It needs ${dialect.needs}; see also whether it has expired.`,
      );
    case "no-zone":
      return failed(cause, `${title} does not know ${about} (${said}).`);
    case "rate-limited": {
      const retryAfterSeconds = secondsIn(headers["retry-after"]);
      const detail = `${title} has had too many requests (${said}). Try again ${
        retryAfterSeconds === undefined ? "later" : `in ${retryAfterSeconds} s`
      }.`;
      return { ...failed(cause, detail), ...(retryAfterSeconds === undefined ? {} : { retryAfterSeconds }) };
    }
    case "provider-error":
      return failed(cause, `${title} failed (${said}). Try again later.`);
    case "clock":
      return failed(cause, `${title} finds the time of the request wrong (${said}). Set the clock right.`);
    case "refused":
      return failed(cause, `${title} refuses it (${said}).`);
    case "unreachable":
    case "not-authentic":
      return failed(cause, `${title} says ${said}.`);
    default:
      return cause satisfies never;
  }
}

function causeOfStatus(httpStatus: number): FailureCause {
  if (httpStatus === 401 || httpStatus === 403) return "credentials";
  if (httpStatus === 404) return "no-zone";
  if (httpStatus === 429) return "rate-limited";
  // Redirects too: where they lead, the credentials do not follow.
  return httpStatus >= 400 && httpStatus <= 499 ? "refused" : "provider-error";
}

/** Dates in Retry-After need a clock, and are left out. */
function secondsIn(text: string | undefined): number | undefined {
  return text !== undefined && /^\d{1,6}$/.test(text) ? Number(text) : undefined;
}

/** One line of bounded length, without what must not be seen. */
function clean(text: string, secrets: readonly Secret[]): string {
  const hidden = secrets.reduce((words, secret) => {
    const word = secret.reveal();
    return word === "" ? words : words.replaceAll(word, String(secret));
  }, text);
  const line = hidden
    .replace(/[\s\p{Cc}]+/gu, " ")
    .trim()
    .replace(/\.$/, "");
  return line.length > LONGEST_COMPLAINT ? `${line.slice(0, LONGEST_COMPLAINT)}…` : line;
}

function readJson(body: string): unknown {
  try {
    return JSON.parse(body) as unknown;
  } catch {
    return undefined;
  }
}
