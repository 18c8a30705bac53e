/** The API, typed by its own description. What goes wrong is thrown: an ApiProblem, ConnectionLost or LoggedOut. */
import createClient from "openapi-fetch";
import { connectionLost } from "./connection.ts";
import { ConnectionLost, LoggedOut, readProblem } from "./problem.ts";
import type { paths } from "./schema.ts";

let csrfToken: string | undefined;
let onLoggedOut = () => {};

/** Who is told when a session is over. */
export function whenLoggedOut(act: () => void): void {
  onLoggedOut = act;
}

/** A login or a look at the session has told the token that changes carry. */
export function keepCsrfToken(token: string | undefined): void {
  csrfToken = token;
}

async function fetchCsrfToken(): Promise<string | undefined> {
  const response = await reach(new Request("/api/session"));
  csrfToken = response.ok ? ((await response.json()) as { csrfToken: string }).csrfToken : undefined;
  return csrfToken;
}

async function reach(request: Request): Promise<Response> {
  const response = await fetch(request).catch((error: unknown) => {
    if (request.signal.aborted) throw error;
    connectionLost();
    throw new ConnectionLost();
  });
  // A proxy in front speaks for a server that is away.
  if ([502, 503, 504].includes(response.status) && (await readProblem(response)) === undefined) {
    connectionLost();
    throw new ConnectionLost();
  }
  return response;
}

async function send(request: Request): Promise<Response> {
  if (request.method === "GET") return reach(request);
  const again = request.clone();
  const carry = (one: Request, token: string | undefined) => {
    if (token !== undefined) one.headers.set("x-csrf-token", token);
    return reach(one);
  };
  const response = await carry(request, csrfToken ?? (await fetchCsrfToken()));
  // Another tab has logged in meanwhile: its session is ours, with another token.
  if (response.status !== 403 || (await readProblem(response))?.code !== "other-site") return response;
  return carry(again, await fetchCsrfToken());
}

const client = createClient<paths>({ baseUrl: window.location.origin, fetch: send });

/** These say themselves that nobody is logged in. */
const LOGIN_PATHS = /^\/api\/(?:login|session|setup)/;

client.use({
  async onResponse({ response, schemaPath }) {
    if (response.ok) return;
    const problem = await readProblem(response);
    if (problem === undefined) throw new Error(`${response.status} ${response.statusText}`);
    if (problem.code === "not-logged-in" && !LOGIN_PATHS.test(schemaPath)) {
      csrfToken = undefined;
      onLoggedOut();
      throw new LoggedOut();
    }
    throw problem;
  },
});

export const { GET, POST, PUT, DELETE } = client;

/** What an answer holds where all went well. */
type Data<R> = R extends { data: infer D } ? D : never;

/** The content of an answer: `await answer(GET("/api/overview"))`. */
export async function answer<R extends { readonly response: Response }>(sent: Promise<R>): Promise<Data<R>> {
  return ((await sent) as { data?: unknown }).data as Data<R>;
}
