/** Who is logged in, and how to come in and leave. */
import { type QueryClient, queryOptions, useQuery } from "@tanstack/react-query";
import { answer, GET, keepCsrfToken, POST } from "./client.ts";
import { sendPostponed } from "./postponed.ts";
import { isProblem } from "./problem.ts";

export interface Session {
  readonly user: { readonly id: string; readonly name: string; readonly role: string };
  /** False between the password and the code. */
  readonly isComplete: boolean;
  /** The file on the server's machine that describes all domains; null where they are described here. */
  readonly descriptionFile: string | null;
}

export const sessionQuery = queryOptions({
  queryKey: ["session"],
  staleTime: Number.POSITIVE_INFINITY,
  queryFn: async (): Promise<Session | null> => {
    try {
      const session = await answer(GET("/api/session"));
      keepCsrfToken(session.csrfToken);
      return session;
    } catch (error) {
      if (isProblem(error, "not-logged-in")) return null;
      throw error;
    }
  },
});

/** Of pages behind the login. */
export function useSession(): Session | undefined {
  return useQuery(sessionQuery).data ?? undefined;
}

/** Another person, another world: nothing read before stays. */
function forgetAll(client: QueryClient): void {
  client.removeQueries({ predicate: ({ queryKey: [first] }) => first !== sessionQuery.queryKey[0] });
}

/** Where the same person comes in again, what they look at stays. */
export async function begin(client: QueryClient, csrfToken: string): Promise<Session> {
  keepCsrfToken(csrfToken);
  const before = client.getQueryData(sessionQuery.queryKey);
  const session = await client.fetchQuery({ ...sessionQuery, staleTime: 0 });
  if (session === null) throw new Error("the session has ended as soon as it had begun");
  if (session.user.id !== before?.user.id) forgetAll(client);
  return session;
}

export async function leave(client: QueryClient): Promise<void> {
  await sendPostponed();
  await POST("/api/logout");
  keepCsrfToken(undefined);
  client.setQueryData(sessionQuery.queryKey, null);
  forgetAll(client);
}

const MAY_CHANGE = ["administrator", "owner"];

/** What a role may do is decided by the server; this only keeps buttons away that would be refused. */
export const mayChange = (session: Session | undefined): boolean =>
  MAY_CHANGE.includes(session?.user.role ?? "");
export const isAdministrator = (session: Session | undefined): boolean =>
  session?.user.role === "administrator";
/** Where a file describes the domains, nobody adds one here. */
export const mayAddDomains = (session: Session | undefined): boolean =>
  isAdministrator(session) && session?.descriptionFile === null;
/** Who may look at what is of all: administrators and readers. */
export const seesAll = (session: Session | undefined): boolean =>
  ["administrator", "reader"].includes(session?.user.role ?? "");
