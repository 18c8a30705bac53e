/** Text of internationalised mail (RFC 6532): octets beyond ASCII are UTF-8. */
import { type DomainName, parseDomainName, ROOT } from "../dns/name.ts";
import type { OctetText } from "./header-field.ts";

/** Longer than any name in UTF-8 (255 octets on the wire). */
const MAX_DOMAIN_OCTETS = 1_024;

/** U-labels become A-labels (RFC 8616 §3). */
export function domainNameOf(text: OctetText): DomainName | undefined {
  if (text.length > MAX_DOMAIN_OCTETS) return undefined;
  const decoded = decodeUtf8(text);
  const name = decoded === undefined ? undefined : parseDomainName(decoded);
  return name?.ok && name.value !== ROOT ? name.value : undefined;
}

const utf8 = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

/** Octets as the text that they are in UTF-8; undefined where they are none. */
export function decodeUtf8(text: OctetText): string | undefined {
  if (!/[^\0-\x7f]/.test(text)) return text;
  try {
    return utf8.decode(Buffer.from(text, "latin1"));
  } catch {
    return undefined;
  }
}
