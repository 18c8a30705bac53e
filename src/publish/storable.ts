/** What a provider cannot hold, said before the network does. */
import { ROOT } from "../standards/dns/name.ts";
import { type ResourceRecord, txtText, typeOf } from "../standards/dns/record.ts";
import type { Capabilities } from "./provider.ts";

/** Undefined where it can, or nobody knows. */
export function unstorable(
  { data, ttlSeconds }: ResourceRecord,
  capabilities: Capabilities,
): string | undefined {
  const type = typeOf(data);
  if (capabilities.lacksTypes.includes(type)) return `it stores no ${type} records`;
  const target = data.type === "MX" ? data.exchange : data.type === "SRV" ? data.target : undefined;
  if (target === ROOT && capabilities.nullTargets === false) return `it stores no ${type} to "."`;
  const { maxTxtOctets, minTtlSeconds } = capabilities;
  if (data.type === "TXT" && maxTxtOctets !== undefined && txtText(data).length > maxTxtOctets) {
    return `it stores TXT of at most ${maxTxtOctets} octets, and this one has ${txtText(data).length}`;
  }
  if (minTtlSeconds !== undefined && ttlSeconds < minTtlSeconds) {
    return `its TTL is at least ${minTtlSeconds} s, and this record asks for ${ttlSeconds} s`;
  }
  return undefined;
}
