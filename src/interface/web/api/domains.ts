/** What pages ask of domains: each question once, with the key under which its answer is kept. */
import { infiniteQueryOptions, type QueryClient, queryOptions } from "@tanstack/react-query";
import type { Severity } from "../parts/severity.tsx";
import { answer, GET } from "./client.ts";
import { isProblem } from "./problem.ts";
import type { paths } from "./schema.ts";

type Got<P extends keyof paths> = paths[P] extends {
  get: { responses: { 200: { content: { "application/json": infer A } } } };
}
  ? A
  : never;

export type Overview = Got<"/api/overview">;
export type DomainState = Got<"/api/domains">["domains"][number];
export type DescribedDomain = Got<"/api/domains/{domain}">;
export type Finding = Got<"/api/domains/{domain}/findings">["findings"][number];
export type Fix = NonNullable<Finding["fix"]>;
export type Concern = Finding["concern"];
export type HistoryEvent = Got<"/api/domains/{domain}/history">["events"][number];
export type DomainRecord = Got<"/api/domains/{domain}/records">["records"][number];
export type Plan = Got<"/api/domains/{domain}/plan">["plan"];

const PAGE = 200;
const OFTEN_MILLISECONDS = 60_000;

export const overviewQuery = queryOptions({
  queryKey: ["overview"],
  queryFn: ({ signal }) => answer(GET("/api/overview", { signal })),
  refetchInterval: OFTEN_MILLISECONDS,
});

export interface DomainFilter {
  readonly search?: string;
  readonly worst?: Severity;
}

export const domainListQuery = (filter: DomainFilter) =>
  infiniteQueryOptions({
    queryKey: ["domains", filter],
    initialPageParam: undefined as string | undefined,
    queryFn: ({ pageParam, signal }) =>
      answer(
        GET("/api/domains", {
          params: { query: { ...filter, limit: PAGE, ...(pageParam && { after: pageParam }) } },
          signal,
        }),
      ),
    getNextPageParam: ({ next }) => next ?? undefined,
    refetchOnWindowFocus: false,
  });

const of = (domain: string) => ({ path: { domain } });

export const domainQuery = (domain: string) =>
  queryOptions({
    queryKey: ["domain", domain, "state"],
    queryFn: ({ signal }) => answer(GET("/api/domains/{domain}", { params: of(domain), signal })),
  });

export const findingsQuery = (domain: string) =>
  queryOptions({
    queryKey: ["domain", domain, "findings"],
    queryFn: ({ signal }) => answer(GET("/api/domains/{domain}/findings", { params: of(domain), signal })),
  });

/** `host`: in the words of that DNS host's form. */
export const recordsQuery = (domain: string, host: string | undefined) =>
  queryOptions({
    queryKey: ["domain", domain, "records", host],
    queryFn: ({ signal }) =>
      answer(
        GET("/api/domains/{domain}/records", {
          params: { ...of(domain), query: host ? { host } : {} },
          signal,
        }),
      ),
    placeholderData: (before) => before,
  });

export const historyQuery = (domain: string) =>
  infiniteQueryOptions({
    queryKey: ["domain", domain, "history"],
    initialPageParam: undefined as string | undefined,
    queryFn: ({ pageParam, signal }) =>
      answer(
        GET("/api/domains/{domain}/history", {
          params: { ...of(domain), query: { limit: PAGE, ...(pageParam && { before: pageParam }) } },
          signal,
        }),
      ),
    getNextPageParam: ({ events }) => {
      const last = events.at(-1);
      return last === undefined || events.length < PAGE ? undefined : `${last.at},${last.id}`;
    },
  });

export const planQuery = (domain: string) =>
  queryOptions({
    queryKey: ["domain", domain, "plan"],
    queryFn: ({ signal }) => answer(GET("/api/domains/{domain}/plan", { params: of(domain), signal })),
    staleTime: 0,
  });

/** Null where there is nothing to take back. */
export const undoQuery = (domain: string) =>
  queryOptions({
    queryKey: ["domain", domain, "undo"],
    queryFn: async ({ signal }) => {
      try {
        return await answer(GET("/api/domains/{domain}/undo", { params: of(domain), signal }));
      } catch (error) {
        if (isProblem(error, "refused")) return null;
        throw error;
      }
    },
    staleTime: 0,
    retry: false,
  });

/** After whatever changes a domain, or what is known of it. */
export async function domainChanged(client: QueryClient, domain: string): Promise<void> {
  await Promise.all([
    client.invalidateQueries({ queryKey: ["domain", domain] }),
    client.invalidateQueries({ queryKey: ["overview"] }),
    client.invalidateQueries({ queryKey: ["domains"] }),
  ]);
}
