/** What pages ask of a domain's DKIM keys. */
import { type QueryClient, queryOptions } from "@tanstack/react-query";
import { answer, GET, POST } from "./client.ts";
import type { paths } from "./schema.ts";

type Answered<O> = O extends { responses: { 200: { content: { "application/json": infer A } } } } ? A : never;

export type Key = Answered<paths["/api/domains/{domain}/keys"]["get"]>["keys"][number];
export type KeyOutlook = Answered<paths["/api/domains/{domain}/rotation"]["get"]>["keys"][number];
export type SeenKey = Answered<paths["/api/domains/{domain}/keys/verify"]["post"]>["keys"][number];
export type RotationStep = Answered<paths["/api/domains/{domain}/keys/rotate"]["post"]>["steps"][number];

const of = (domain: string) => ({ path: { domain } });

export const keysQuery = (domain: string) =>
  queryOptions({
    queryKey: ["domain", domain, "keys"],
    queryFn: () => answer(GET("/api/domains/{domain}/keys", { params: of(domain) })),
  });

/** What was and what is ahead, by the looks so far. */
export const rotationQuery = (domain: string) =>
  queryOptions({
    queryKey: ["domain", domain, "rotation"],
    queryFn: () => answer(GET("/api/domains/{domain}/rotation", { params: of(domain) })),
  });

/** `host`: in the words of that DNS host's form. */
export const keyRecordQuery = (domain: string, selector: string, host: string) =>
  queryOptions({
    queryKey: ["domain", domain, "key", selector, host],
    queryFn: () =>
      answer(
        GET("/api/domains/{domain}/keys/{selector}", {
          params: { path: { domain, selector }, query: host === "" ? {} : { host } },
        }),
      ),
    placeholderData: (before) => (before?.key.selector === selector ? before : undefined),
  });

export async function keysChanged(client: QueryClient, domain: string): Promise<void> {
  await Promise.all(
    ["keys", "rotation"].map((what) => client.invalidateQueries({ queryKey: ["domain", domain, what] })),
  );
}

const LOOK_MILLISECONDS = 5_000;
const MAX_LOOKS = 120;

const isWaiting = ({ state }: Pick<SeenKey, "state">) => ["prepared", "published", "proven"].includes(state);

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
    refetchInterval: ({ state: { data, dataUpdateCount, error } }) => {
      const isSettled = data?.keys.every((key) => !isWaiting(key) || key.cachesClearAt !== null) ?? false;
      return isSettled || error || dataUpdateCount >= MAX_LOOKS ? false : LOOK_MILLISECONDS;
    },
  });
