/** Which keys sign for which Author Domain. */
import type { DkimKey } from "../keys/key.ts";
import { signingKey } from "../keys/rotation.ts";
import type { SigningKey } from "../standards/dkim/sign.ts";
import { type DomainName, isWithin, parentOf } from "../standards/dns/name.ts";
import type { SigningRule } from "./settings.ts";

export interface SigningTable {
  /** At once where the keys are held in memory. */
  keysFor(authorDomain: DomainName): FoundKeys | Promise<FoundKeys>;
}

export interface FoundKeys {
  /** None where nothing may be signed for the domain. RSA first, since not everyone can read the rest. */
  readonly keys: readonly SigningKey[];
  /** Where that is none. */
  readonly lack: KeyLack;
}

/** No key is there; those that are do not sign, or not yet; one that should could not be opened. */
export type KeyLack = "no-key" | "key-not-signing" | "key-not-opened";

/** The private half of a key; a problem in words where it cannot be had. */
export type OpenKey = (
  key: DkimKey,
) => { readonly ok: true; readonly value: SigningKey } | { readonly ok: false; readonly problem: string };

export interface SigningTableMeans {
  /** All keys of one domain, whatever their state. */
  readonly listKeys: (signingDomain: DomainName) => Promise<readonly DkimKey[]>;
  readonly openKey: OpenKey;
  readonly rules: readonly SigningRule[];
  /** In milliseconds. */
  readonly now: () => number;
  /** A key that should sign and cannot; said once for as long as it is remembered. */
  readonly onProblem: (key: DkimKey, problem: string) => void;
}

/** So soon a key that was taken back, or a new one, is noticed. */
const HOLD_MILLISECONDS = 5_000;
const MAX_DOMAINS = 20_000;

interface Held {
  readonly until: number;
  readonly keys: readonly SigningKey[];
  readonly lack: KeyLack;
}

/**
 * Of each domain and algorithm, the one key that has come so far as to sign: a key that not every name server shows,
 * for as long as caches remember, is not among them (keys/rotation.ts). Private keys are opened when they are first
 * needed, and once.
 */
export function createSigningTable(means: SigningTableMeans): SigningTable {
  const held = new Map<DomainName, Held>();
  const asked = new Map<DomainName, Promise<FoundKeys>>();
  const opened = new Map<string, SigningKey>();

  const open = (key: DkimKey): SigningKey[] => {
    const known = opened.get(key.sealed);
    if (known !== undefined) return [known];
    const result = means.openKey(key);
    if (!result.ok) {
      means.onProblem(key, result.problem);
      return [];
    }
    if (opened.size >= 2 * MAX_DOMAINS) opened.delete(opened.keys().next().value!);
    opened.set(key.sealed, result.value);
    return [result.value];
  };

  const ofDomain = (domain: DomainName): FoundKeys | Promise<FoundKeys> => {
    const before = held.get(domain);
    if (before !== undefined && means.now() < before.until) return before;
    // Messages that come together ask once.
    const begun = asked.get(domain) ?? read(domain).finally(() => asked.delete(domain));
    asked.set(domain, begun);
    return begun;
  };

  const read = async (domain: DomainName): Promise<FoundKeys> => {
    const now = means.now();
    const all = await means.listKeys(domain);
    const signing = (["rsa", "ed25519"] as const).flatMap(
      (keyType) => signingKey(all.filter(({ publicKey }) => publicKey.keyType === keyType)) ?? [],
    );
    const lack = all.length === 0 ? "no-key" : signing.length === 0 ? "key-not-signing" : "key-not-opened";
    held.delete(domain);
    if (held.size >= MAX_DOMAINS) held.delete(held.keys().next().value!);
    const fresh = { until: now + HOLD_MILLISECONDS, keys: signing.flatMap(open), lack } as const;
    held.set(domain, fresh);
    return fresh;
  };

  return {
    // The author's own keys, else those of who signs for him.
    keysFor(domain) {
      const orByRule = (own: FoundKeys): FoundKeys | Promise<FoundKeys> => {
        if (own.keys.length > 0) return own;
        const rule = means.rules.find(({ from }) => matches(from, domain));
        return rule === undefined ? own : ofDomain(rule.signingDomain);
      };
      const own = ofDomain(domain);
      return own instanceof Promise ? own.then(orByRule) : orByRule(own);
    },
  };
}

function matches(pattern: string, domain: DomainName): boolean {
  if (pattern === "*") return true;
  if (!pattern.startsWith("*.")) return pattern === domain;
  const parent = parentOf(domain);
  return parent !== undefined && isWithin(parent, pattern.slice(2) as DomainName);
}
