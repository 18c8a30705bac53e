/** What pages ask of the providers: who holds zones. */
import { queryOptions } from "@tanstack/react-query";
import { answer, GET } from "./client.ts";
import type { paths } from "./schema.ts";

type Post = paths["/api/providers"]["post"];
type Body = Post["requestBody"]["content"]["application/json"];

/** With its secrets, as it is sent. */
export type ProviderEntry = Body["entry"];
export type ProviderKind = ProviderEntry["provider"];
export type Provider =
  paths["/api/providers"]["get"]["responses"][200]["content"]["application/json"]["providers"][number];
export type Trial = Post["responses"][201]["content"]["application/json"]["trials"][number];

/** The first is what is proposed. */
export const PROVIDER_KINDS = [
  "rfc2136",
  "powerdns",
  "cloudflare",
  "route53",
  "hetzner",
  "digitalocean",
  "desec",
  "gandi",
] as const satisfies readonly ProviderKind[];

export const providersQuery = queryOptions({
  queryKey: ["providers"],
  queryFn: () => answer(GET("/api/providers")),
  // A form may stand open on it.
  refetchOnWindowFocus: false,
});
