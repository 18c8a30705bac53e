/** What the tools and the pages of administration ask: types of answers, and each question with its key. */
import { infiniteQueryOptions, queryOptions } from "@tanstack/react-query";
import { answer, GET } from "./client.ts";
import type { HistoryEvent } from "./domains.ts";
import type { paths } from "./schema.ts";

type Got<P extends keyof paths> = paths[P] extends {
  get: { responses: { 200: { content: { "application/json": infer A } } } };
}
  ? A
  : never;
type Posted<P extends keyof paths> = paths[P] extends {
  post: { responses: { 200: { content: { "application/json": infer A } } } };
}
  ? A
  : never;

export const SYMPTOMS = ["not-received", "marked-as-spam", "dkim-fails", "spf-fails"] as const;
export type Symptom = (typeof SYMPTOMS)[number];

export type Bounce = Posted<"/api/bounce">;
export type JudgedHeaders = Posted<"/api/headers">;
export type Explanation = Posted<"/api/explain">;
export type Rule = Got<"/api/domains/{domain}/compliance">["rules"][number];
/** Of no check that is kept: nobody has put it aside, and there is no day since which it is there. */
export type PlainFinding = NonNullable<Bounce["known"]>["findings"][number];
export type Channel = Got<"/api/alerts">["channels"][number];
export type User = Got<"/api/users">["users"][number];
export type AuditEntry = Got<"/api/audit">["entries"][number];
export type Settings = Got<"/api/settings">;
export type Servers = Got<"/api/servers">;

/** What the job of a symptom gives. */
export interface Diagnosis {
  readonly symptom: Symptom;
  readonly steps: readonly {
    readonly title: string;
    readonly state: "fine" | "cause" | "unknown" | "not-run";
    readonly finding: PlainFinding | null;
  }[];
  readonly cause: PlainFinding | null;
}

/** What the job of a way gives. */
export interface MailRoute {
  readonly address: { readonly localPart: string; readonly domain: string };
  readonly by: "mx" | "fallback" | "null-mx" | "nothing" | "unknown";
  readonly mode?: string;
  readonly hops: readonly {
    readonly host: string;
    readonly preference?: number;
    readonly at: string;
    readonly tls: "dane" | "mta-sts" | "opportunistic";
    readonly outcome: "takes" | "skipped" | "refuses" | "untold";
    readonly because: string;
  }[];
  readonly verdict: "delivered" | "deferred" | "refused" | "unknown";
  readonly sentence: string;
}

export const complianceQuery = (domain: string) =>
  queryOptions({
    queryKey: ["domain", domain, "compliance"],
    queryFn: ({ signal }) =>
      answer(GET("/api/domains/{domain}/compliance", { params: { path: { domain } }, signal })),
  });

/** For suggestions while one types. */
export const someDomainsQuery = (search: string) =>
  queryOptions({
    queryKey: ["domains", "some", search],
    queryFn: ({ signal }) =>
      answer(GET("/api/domains", { params: { query: { limit: 20, ...(search && { search }) } }, signal })),
    placeholderData: (before) => before,
  });

const PAGE = 100;

export const allHistoryQuery = infiniteQueryOptions({
  queryKey: ["history"],
  initialPageParam: undefined as string | undefined,
  queryFn: ({ pageParam, signal }) =>
    answer(
      GET("/api/history", {
        params: { query: { limit: PAGE, ...(pageParam && { before: pageParam }) } },
        signal,
      }),
    ),
  getNextPageParam: ({ events }: { readonly events: readonly HistoryEvent[] }) => {
    const last = events.at(-1);
    return last === undefined || events.length < PAGE ? undefined : `${last.at},${last.id}`;
  },
});

export interface AuditFilter {
  readonly actor?: string;
  readonly action?: string;
  readonly target?: string;
}

export const auditQuery = (filter: AuditFilter) =>
  infiniteQueryOptions({
    queryKey: ["audit", filter],
    initialPageParam: undefined as string | undefined,
    queryFn: ({ pageParam, signal }) =>
      answer(
        GET("/api/audit", {
          params: { query: { ...filter, limit: PAGE, ...(pageParam && { before: pageParam }) } },
          signal,
        }),
      ),
    getNextPageParam: ({ entries }) => (entries.length < PAGE ? undefined : entries.at(-1)?.id),
  });

export const alertsQuery = queryOptions({
  queryKey: ["alerts"],
  queryFn: ({ signal }) => answer(GET("/api/alerts", { signal })),
});
export const usersQuery = queryOptions({
  queryKey: ["users"],
  queryFn: ({ signal }) => answer(GET("/api/users", { signal })),
});
export const tokensQuery = queryOptions({
  queryKey: ["tokens"],
  queryFn: () => answer(GET("/api/tokens")),
});
export const settingsQuery = queryOptions({
  queryKey: ["settings"],
  queryFn: ({ signal }) => answer(GET("/api/settings", { signal })),
});
export const serversQuery = queryOptions({
  queryKey: ["servers"],
  queryFn: ({ signal }) => answer(GET("/api/servers", { signal })),
  // A form stands on it: what others change meanwhile is said when it is sent.
  refetchOnWindowFocus: false,
});
export const backupQuery = queryOptions({
  queryKey: ["backup"],
  queryFn: ({ signal }) => answer(GET("/api/backup", { signal })),
});
