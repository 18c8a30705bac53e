/** Which keys sign for which Author Domain. */
import type { DkimKey } from "../keys/key.ts";
import type { KeyName } from "../keys/key-name.ts";
import { signingKey } from "../keys/rotation.ts";
import type { SigningKey } from "../standards/dkim/sign.ts";
import { type DomainName, isWithin, parentOf } from "../standards/dns/name.ts";
import type { SigningRule } from "./settings.ts";

export interface SigningTable {
  /** None where nothing may be signed for the domain. RSA first, since not everyone can read the rest. */
  keysFor(authorDomain: DomainName): readonly SigningKey[];
  readonly keyCount: number;
}

/** The private half of a key; a problem in words where it cannot be had. */
export type OpenKey = (
  key: DkimKey,
) => { readonly ok: true; readonly value: SigningKey } | { readonly ok: false; readonly problem: string };

export interface BuiltTable {
  readonly table: SigningTable;
  /** Keys that should sign and cannot. */
  readonly problems: readonly (KeyName & { readonly problem: string })[];
}

/**
 * Of each domain and algorithm, the one key that has come so far as to sign: one that name servers have not all shown,
 * for as long as caches remember, is not among them (keys/rotation.ts).
 */
export function buildSigningTable(
  keys: readonly DkimKey[],
  rules: readonly SigningRule[],
  open: OpenKey,
): BuiltTable {
  const byDomain = Map.groupBy(keys, ({ signingDomain }) => signingDomain);
  const problems: (KeyName & { problem: string })[] = [];
  const ready = new Map<DomainName, SigningKey[]>();
  let keyCount = 0;
  for (const [domain, ofDomain] of byDomain) {
    const opened: SigningKey[] = [];
    for (const keyType of ["rsa", "ed25519"] as const) {
      const key = signingKey(ofDomain.filter(({ publicKey }) => publicKey.keyType === keyType));
      if (key === undefined) continue;
      const result = open(key);
      if (result.ok) opened.push(result.value);
      else problems.push({ signingDomain: domain, dkimSelector: key.dkimSelector, problem: result.problem });
    }
    if (opened.length > 0) ready.set(domain, opened);
    keyCount += opened.length;
  }
  return { table: { keyCount, keysFor: (domain) => lookUp(domain, ready, rules) }, problems };
}

const NONE: readonly SigningKey[] = [];

function lookUp(
  domain: DomainName,
  ready: ReadonlyMap<DomainName, readonly SigningKey[]>,
  rules: readonly SigningRule[],
): readonly SigningKey[] {
  const own = ready.get(domain);
  if (own !== undefined) return own;
  const rule = rules.find(({ from }) => matches(from, domain));
  return (rule !== undefined && ready.get(rule.signingDomain)) || NONE;
}

function matches(pattern: string, domain: DomainName): boolean {
  if (pattern === "*") return true;
  if (!pattern.startsWith("*.")) return pattern === domain;
  const parent = parentOf(domain);
  return parent !== undefined && isWithin(parent, pattern.slice(2) as DomainName);
}
