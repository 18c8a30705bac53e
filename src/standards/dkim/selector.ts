/** Selectors and where keys are published (RFC 6376 §3.1, §3.6.2.1). */
import { type DomainName, prepend, tryPrepend } from "../dns/name.ts";
import type { Parsed } from "../dns/parsed.ts";

declare const checked: unique symbol;
/** One or more labels, lower case, without a final dot. */
export type DkimSelector = string & { readonly [checked]: "DkimSelector" };

/** Room for `._domainkey.` and a short domain within the 255 octets of a name. */
const MAX_SELECTOR_CHARACTERS = 200;

/** Letters, digits and inner hyphens, dots between labels (§3.1); underscores too, since real selectors have them. */
export function parseDkimSelector(text: string): Parsed<DkimSelector> {
  const selector = text.trim().toLowerCase();
  if (selector === "") return { ok: false, problem: "the selector is empty" };
  if (selector.includes("_domainkey")) {
    return {
      ok: false,
      problem: `"${text}" is an owner name; the selector is only what precedes ._domainkey`,
    };
  }
  if (selector.length > MAX_SELECTOR_CHARACTERS) {
    return { ok: false, problem: `a selector of ${selector.length} characters is too long` };
  }
  const wrong = selector.split(".").find((label) => !/^[a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9_])?$/.test(label));
  if (wrong === undefined) return { ok: true, value: selector as DkimSelector };
  return {
    ok: false,
    problem:
      wrong === ""
        ? `"${text}" has an empty label`
        : `"${text}" is no selector: letters, digits, inner hyphens and dots, at most 63 characters between dots`,
  };
}

/** `<selector>._domainkey.<domain>`; throws a RangeError where that is longer than a name may be. */
export function dkimOwner(dkimSelector: DkimSelector, signingDomain: DomainName): DomainName {
  return prepend(`${dkimSelector}._domainkey`, signingDomain);
}

/** As `dkimOwner`, for names that come from messages: undefined where the name grows too long. */
export function tryDkimOwner(dkimSelector: DkimSelector, signingDomain: DomainName): DomainName | undefined {
  return tryPrepend(`${dkimSelector}._domainkey`, signingDomain);
}

/**
 * Selectors worth a try where nobody can say which are in use, most frequent first: DNS has no way to list
 * them. The defaults of signing programs, then of the large services.
 */
export const COMMON_DKIM_SELECTORS = [
  "default",
  "dkim",
  "mail",
  "google",
  "selector1",
  "selector2",
  "s1",
  "s2",
  "k1",
  "k2",
  "k3",
  "key1",
  "key2",
  "dkim1",
  "dkim2",
  "m1",
  "mx",
  "smtp",
  "email",
  "fm1",
  "fm2",
  "fm3",
  "protonmail",
  "sig1",
  "zoho",
  "mandrill",
] as readonly string[] as readonly DkimSelector[];
