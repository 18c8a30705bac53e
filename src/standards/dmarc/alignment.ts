/** Identifier alignment (RFC 9989 §4.4, §4.10.2). */
import type { DomainName } from "../dns/name.ts";
import type { AlignmentMode } from "./record.ts";
import type { OrganizationalDomain } from "./tree-walk.ts";

export type Alignment =
  | { readonly status: "aligned"; readonly by: AlignmentMode }
  | { readonly status: "unaligned" }
  /** An Organizational Domain could not be found out. */
  | { readonly status: "unknown" };

/** Relaxed: the same Organizational Domain. Identical names align in either mode, and need no walk. */
export async function evaluateAlignment(
  mode: AlignmentMode,
  authorDomain: DomainName,
  identifier: DomainName,
  organizationalDomain: (domain: DomainName) => Promise<OrganizationalDomain>,
): Promise<Alignment> {
  if (authorDomain === identifier) return { status: "aligned", by: "strict" };
  if (mode === "strict") return { status: "unaligned" };
  const [author, other] = await Promise.all([authorDomain, identifier].map(organizationalDomain));
  if (author!.status === "unknown" || other!.status === "unknown") return { status: "unknown" };
  return author!.domain === other!.domain ? { status: "aligned", by: "relaxed" } : { status: "unaligned" };
}
