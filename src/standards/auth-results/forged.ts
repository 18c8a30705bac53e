/**
 * Authentication-Results that came in with a message and claim to be our own (RFC 8601 §5). They have to go before
 * anybody who trusts our authserv-id reads them. In doubt a field goes: it is not ours to keep.
 */

import { forDisplay, parseDomainName } from "../dns/name.ts";
import { type HeaderField, type OctetText, unfolded } from "../message/header-field.ts";
import { StructuredText } from "../message/structured-text.ts";
import { decodeUtf8, domainNameOf } from "../message/utf8-text.ts";
import { AUTHRES_VERSION, parseAuthenticationResults, readHead } from "./header.ts";

const KEY = "authentication-results";

/**
 * Which fields to remove: their occurrences, counted from 1 among all of the name, in order. `ids` are our authserv-id
 * and others that readers behind us trust, such as host names; as text, with A-labels or Unicode.
 *
 * To remove are fields
 * - whose authserv-id is one of ours, whatever its case, labels, quotes and comments;
 * - of a version that is not 1, whoever they name (RFC 8601 §5);
 * - that cannot be read, and have one of ours anywhere within.
 */
export function forgedOccurrences(fields: readonly HeaderField[], ids: readonly string[]): number[] {
  const ours = new Set(ids.map(comparable));
  const traces = [...new Set(ids.flatMap(writtenForms))].filter((trace) => trace !== "");
  return fields
    .filter(({ key }) => key === KEY)
    .flatMap(({ value }, at) => (isForged(value, ours, traces) ? [at + 1] : []));
}

function isForged(value: OctetText, ours: ReadonlySet<string>, traces: readonly string[]): boolean {
  const head = readHead(new StructuredText(value));
  if (!("ok" in head)) {
    if (ours.has(comparableOctets(head.authservId))) return true;
    if (head.version !== undefined && head.version !== AUTHRES_VERSION) return true;
  }
  if (parseAuthenticationResults(value).ok) return false;
  const decoded = decodeUtf8(unfolded(value)) ?? value;
  return [decoded, withoutComments(decoded)]
    .map(traceable)
    .some((text) => traces.some((it) => text.includes(it)));
}

function comparableOctets(id: OctetText): string {
  return domainNameOf(id) ?? comparable(decodeUtf8(id) ?? id);
}

/** Domain names as DNS compares them; anything else without case. */
function comparable(id: string): string {
  const name = id.length <= 1_024 ? parseDomainName(id) : undefined;
  return name?.ok ? name.value : id.toLowerCase();
}

/** How an id may stand in a text, in A-labels and in Unicode. */
function writtenForms(id: string): string[] {
  const name = parseDomainName(id);
  const forms = name.ok ? [id, name.value, forDisplay(name.value)] : [id];
  return forms.map(traceable);
}

/** Without what may stand between the characters of an id, or in it without being seen. */
function traceable(text: string): string {
  return text
    .normalize("NFKC")
    .toLowerCase()
    .replace(/[\s\p{C}"\\]/gu, "");
}

/** However deep they are; one that has no end goes on to the end. */
function withoutComments(text: string): string {
  let depth = 0;
  return text.replace(/\\[\s\S]|[()]|[^()\\]+/g, (piece) => {
    if (piece === "(") depth++;
    else if (piece === ")") depth = Math.max(0, depth - 1);
    else if (depth === 0) return piece;
    return "";
  });
}
