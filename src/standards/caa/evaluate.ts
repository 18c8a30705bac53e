/** Whether an authority may issue, by the relevant record set (RFC 8659 §4). */
import type { DomainName } from "../dns/name.ts";
import { type CaaData, type IssuerProperty, readCaaProperty } from "./record.ts";

export interface CaaRequest {
  /** The certificate is for `*.name`. */
  readonly wildcard?: boolean;
  /** RFC 8657 §3; where it is not known, a property that asks for an account counts as fulfilled. */
  readonly accountUri?: string;
  /** RFC 8657 §4, such as "dns-01"; likewise. */
  readonly validationMethod?: string;
}

export type CaaDecision =
  /** `property`: what allows it; undefined where nothing in the set restricts. */
  | { readonly allowed: true; readonly property: IssuerProperty | undefined }
  | { readonly allowed: false; readonly reason: string; readonly reference: string };

export function evaluateCaa(
  records: readonly CaaData[],
  issuerDomain: DomainName,
  request: CaaRequest = {},
): CaaDecision {
  const properties = records.map(readCaaProperty);
  const critical = properties.find(({ kind, critical }) => critical && kind === "other");
  if (critical?.kind === "other") {
    return {
      allowed: false,
      reason: `the unknown tag "${critical.tag}" is critical, so no authority may issue`,
      reference: "RFC 8659 §4.5",
    };
  }
  const issuers = properties.filter((property) => property.kind === "issuer");
  const own = (tag: IssuerProperty["tag"]) => issuers.filter((property) => property.tag === tag);
  const wild = request.wildcard ? own("issuewild") : [];
  const relevant = wild.length > 0 ? wild : own("issue");
  if (relevant.length === 0) return { allowed: true, property: undefined };
  const named = relevant.filter((property) => property.issuerDomain === issuerDomain);
  const property = named.find((candidate) => fulfils(candidate, request));
  if (property !== undefined) return { allowed: true, property };
  return {
    allowed: false,
    reason: refusal(relevant, named.length > 0, issuerDomain),
    reference: named.length > 0 ? "RFC 8657 §3" : "RFC 8659 §4.2",
  };
}

/** The same as yes or no. */
export function allowsIssuer(
  records: readonly CaaData[],
  issuerDomain: DomainName,
  request: CaaRequest = {},
): boolean {
  return evaluateCaa(records, issuerDomain, request).allowed;
}

function refusal(relevant: readonly IssuerProperty[], isNamed: boolean, issuerDomain: DomainName): string {
  if (isNamed) return `${issuerDomain} may issue only for another account or with another validation method`;
  const others = [...new Set(relevant.flatMap((property) => property.issuerDomain ?? []))];
  return others.length === 0
    ? "no authority may issue"
    : `only ${others.join(", ")} may issue, not ${issuerDomain}`;
}

/** RFC 8657 §3, §4: two accounts, or something that is no URI or no list of methods, can never be fulfilled. */
function fulfils({ parameters }: IssuerProperty, { accountUri, validationMethod }: CaaRequest): boolean {
  const valuesOf = (name: string) => parameters.filter((p) => p.name === name).map(({ value }) => value);
  const [account, second] = valuesOf("accounturi");
  if (second !== undefined) return false;
  if (account !== undefined) {
    if (!URL.canParse(account)) return false;
    if (accountUri !== undefined && accountUri !== account) return false;
  }
  return valuesOf("validationmethods").every((value) => {
    const methods = readMethods(value);
    return methods !== undefined && (validationMethod === undefined || methods.includes(validationMethod));
  });
}

/** RFC 8657 §4; undefined where the list breaks the grammar. */
export function readMethods(value: string): readonly string[] | undefined {
  return /^(?:[A-Za-z0-9-]+,)*[A-Za-z0-9-]+$/.test(value) ? value.split(",") : undefined;
}
