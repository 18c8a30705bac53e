/** What ways there are to come in, and the way out to an identity provider. */
import { queryOptions } from "@tanstack/react-query";
import { answer, GET, POST } from "./client.ts";

export const loginWaysQuery = queryOptions({
  queryKey: ["login ways"],
  queryFn: ({ signal }) => answer(GET("/api/login", { signal })),
});

/** As it stands in an address bar: percent-encoded. */
function asciiPath(path: string): string {
  const { pathname, search, hash } = new URL(path, window.location.origin);
  return pathname + search + hash;
}

/** Its address. `to`: the page to come back to. With `again` it asks whoever is logged in there as well. */
export async function providerAddress(to: string | undefined, again = false): Promise<string> {
  const query = { ...(to !== undefined && { to: asciiPath(to) }), ...(again && { again: "true" as const }) };
  return (await answer(POST("/api/login/provider", { params: { query } }))).url;
}
