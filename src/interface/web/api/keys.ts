/** What pages ask of a domain's DKIM keys. */
import { type QueryClient, queryOptions, type UseQueryResult } from "@tanstack/react-query";
import { answer, GET, POST } from "./client.ts";
import type { paths } from "./schema.ts";

type Answered<O> = O extends { responses: { 200: { content: { "application/json": infer A } } } } ? A : never;

export type Key = Answered<paths["/api/domains/{domain}/keys"]["get"]>["keys"][number];
export type KeyOutlook = Answered<paths["/api/domains/{domain}/rotation"]["get"]>["keys"][number];
export type SeenKey = Answered<paths["/api/domains/{domain}/keys/verify"]["post"]>["keys"][number];
export type KeyLook = UseQueryResult<{ readonly keys: readonly SeenKey[]; readonly at: string }>;
export type RotationStep = Answered<paths["/api/domains/{domain}/keys/rotate"]["post"]>["steps"][number];

const of = (domain: string) => ({ path: { domain } });

export const keysQuery = (domain: string) =>
  queryOptions({
    queryKey: ["domain", domain, "keys"],
    queryFn: ({ signal }) => answer(GET("/api/domains/{domain}/keys", { params: of(domain), signal })),
  });

/** What was and what is ahead, by the looks so far. */
export const rotationQuery = (domain: string) =>
  queryOptions({
    queryKey: ["domain", domain, "rotation"],
    queryFn: ({ signal }) => answer(GET("/api/domains/{domain}/rotation", { params: of(domain), signal })),
  });

/** `host`: in the words of that DNS host's form. */
export const keyRecordQuery = (domain: string, selector: string, host: string) =>
  queryOptions({
    queryKey: ["domain", domain, "key", selector, host],
    queryFn: ({ signal }) =>
      answer(
        GET("/api/domains/{domain}/keys/{selector}", {
          params: { path: { domain, selector }, query: host === "" ? {} : { host } },
          signal,
        }),
      ),
    placeholderData: (before) => (before?.key.selector === selector ? before : undefined),
  });

export async function keysChanged(client: QueryClient, domain: string): Promise<void> {
  await Promise.all(
    ["keys", "rotation", "key"].map((what) =>
      client.invalidateQueries({ queryKey: ["domain", domain, what] }),
    ),
  );
}

const LOOK_MILLISECONDS = 5_000;
const LONGEST_WAIT_MILLISECONDS = 3_600_000;
const MAX_LOOKS = 120;

const isWaiting = ({ state }: Pick<SeenKey, "state">) => ["prepared", "published", "proven"].includes(state);

/** Soon, while a key is to be seen at some server yet; then when caches let go, where that is worth waiting for. */
function nextLook(seen: readonly SeenKey[], now: number): number | false {
  const clear = seen
    .filter(isWaiting)
    .map(({ cachesClearAt }) => (cachesClearAt === null ? null : Date.parse(cachesClearAt) - now));
  const waits = clear.map((left) => (left === null ? LOOK_MILLISECONDS : Math.max(1000, left + 1000)));
  const soonest = Math.min(...waits);
  return soonest <= LONGEST_WAIT_MILLISECONDS ? soonest : false;
}

/** Looks at every name server, again and again until all of them show the keys that wait for it. */
export const keyLookQuery = (domain: string, client: QueryClient) =>
  queryOptions({
    queryKey: ["key look", domain],
    queryFn: async () => {
      const seen = await answer(POST("/api/domains/{domain}/keys/verify", { params: of(domain) }));
      await keysChanged(client, domain);
      return { ...seen, at: new Date().toISOString() };
    },
    staleTime: 0,
    gcTime: 0,
    refetchOnWindowFocus: false,
    refetchInterval: ({ state: { data, dataUpdateCount, error } }) =>
      error || dataUpdateCount >= MAX_LOOKS ? false : nextLook(data?.keys ?? [], Date.now()),
  });
