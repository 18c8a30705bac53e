/** What speaks against a plan: each a value in the plan, most with a word by which the user insists. */
import type { DerivedRecord } from "../records/derived-record.ts";
import { parseDmarcRecord } from "../standards/dmarc/record.ts";
import { type DomainName, isWithin, ROOT } from "../standards/dns/name.ts";
import { octetsToText, type Rdata, txtText } from "../standards/dns/record.ts";
import { isSpfRecord, lookupCost, parseSpfRecord } from "../standards/spf/record.ts";
import type { Guard, GuardId, PlanInput, PlannedValue } from "./planned.ts";
import type { RrsetChange } from "./provider.ts";

export interface GuardInput extends PlanInput {
  readonly changes: readonly RrsetChange[];
  readonly foreignGone: readonly PlannedValue[];
}

/** A mail zone has few records: they are counted, not weighed against the size of the zone. */
const MANY_DELETIONS = 10;

export function guardsOf(input: GuardInput): readonly Guard[] {
  return GUARDS.flatMap((guard) => guard(input));
}

const GUARDS: readonly ((input: GuardInput) => Guard[])[] = [
  apexGuard,
  foreignGuard,
  aliasGuard,
  signingKeyGuard,
  dmarcGuard,
  mxGuard,
  tlsaGuard,
  spfGuard,
  deletionsGuard,
];

const guard = (id: GuardId, message: string, canBeOverridden = true): Guard => ({
  id,
  message,
  canBeOverridden,
});

function apexGuard({ changes, content }: GuardInput): Guard[] {
  return changes
    .filter(({ name, type }) => name === content.zone && (type === "NS" || type === "SOA"))
    .map(({ type }) => guard("apex-ns-soa", `the ${type} of ${content.zone} itself would change`, false));
}

function foreignGuard({ foreignGone }: GuardInput): Guard[] {
  return foreignGone.map(({ name, type, value }) =>
    guard("foreign-record", `${name} ${type} ${value} is not ours, and would be replaced`),
  );
}

/** RFC 1034 §3.6.2; BIND and Knot ignore such an update without a word. */
function aliasGuard({ changes, content }: GuardInput): Guard[] {
  const after = new Map(content.rrsets.map((rrset) => [`${rrset.name} ${rrset.type}`, rrset]));
  for (const change of changes) {
    const key = `${change.name} ${change.type}`;
    if (change.after === undefined) after.delete(key);
    else after.set(key, change.after);
  }
  const byName = Map.groupBy(after.values(), ({ name }) => name);
  const touched = new Set(changes.map(({ name }) => name));
  return [...touched].flatMap((name) => {
    const types = (byName.get(name) ?? []).map(({ type }) => type);
    if (!types.includes("CNAME") || types.length === 1) return [];
    const others = types.filter((type) => type !== "CNAME").join(", ");
    return [
      guard("alias-beside-others", `${name} would be an alias (CNAME) and have ${others} beside it`, false),
    ];
  });
}

function signingKeyGuard({ changes, signingKeys }: GuardInput): Guard[] {
  return changes
    .filter(({ name, after }) => after === undefined && signingKeys?.has(name))
    .map(({ name }) => guard("signing-key", `mail is still signed with the key at ${name}`));
}

/** From watching to refusing in one step nobody has seen the reports of the step between. */
function dmarcGuard({ changes, wanted }: GuardInput): Guard[] {
  return changes.flatMap(({ name, before, after }) => {
    if (!name.startsWith("_dmarc.") || sendsNothing(name.slice("_dmarc.".length), wanted)) return [];
    const policyOf = (data: readonly Rdata[] = []) =>
      data.flatMap((one) => {
        const record = one.type === "TXT" ? parseDmarcRecord(octetsToText(txtText(one))) : undefined;
        return record?.ok ? [record.value.policy] : [];
      })[0];
    if (policyOf(after?.data) !== "reject") return [];
    const from = policyOf(before?.data);
    if (before !== undefined && from !== "none") return [];
    const start = before === undefined ? "from no policy" : "from p=none";
    return [
      guard("dmarc-jump", `${name} would go ${start} to p=reject in one step; quarantine comes between`),
    ];
  });
}

/** Where no mail is sent there is nothing to watch first. */
function sendsNothing(domain: string, wanted: readonly DerivedRecord[]): boolean {
  return wanted.some(
    ({ record: { name, data } }) =>
      name === domain && data.type === "TXT" && octetsToText(txtText(data)) === "v=spf1 -all",
  );
}

function mxGuard({ wanted, content, changes, resolves }: GuardInput): Guard[] {
  if (!changes.some(({ type, after }) => type === "MX" && after !== undefined)) return [];
  const hosts = new Set(
    wanted.flatMap(({ record }) =>
      record.data.type === "MX" && record.data.exchange !== ROOT ? [record.data.exchange] : [],
    ),
  );
  return [...hosts].flatMap((host) => {
    if (hasAddress(host, content.rrsets, wanted)) return [];
    const isInside = isWithin(host, content.zone);
    if (!isInside && resolves?.get(host) !== false) return [];
    return [guard("mx-unresolvable", `the MX ${host} has no address, neither now nor in this plan`)];
  });
}

function hasAddress(
  host: DomainName,
  rrsets: GuardInput["content"]["rrsets"],
  wanted: readonly DerivedRecord[],
): boolean {
  const isAddress = (type: string) => type === "A" || type === "AAAA";
  return (
    rrsets.some(({ name, type }) => name === host && isAddress(type)) ||
    wanted.some(({ record }) => record.name === host && isAddress(record.data.type))
  );
}

function tlsaGuard({ changes, isSigned }: GuardInput): Guard[] {
  if (isSigned !== false) return [];
  return changes
    .filter(({ type, after }) => type === "TLSA" && after !== undefined)
    .map(({ name }) => guard("tlsa-unsigned", `TLSA at ${name} counts for nothing: the zone is not signed`));
}

/** RFC 7208 §4.6.4. */
function spfGuard({ changes, spfLookups }: GuardInput): Guard[] {
  return changes.flatMap(({ name, after }) =>
    (after?.data ?? []).flatMap((data) => {
      const text = data.type === "TXT" ? octetsToText(txtText(data)) : "";
      const record = isSpfRecord(text) ? parseSpfRecord(text) : undefined;
      if (!record?.ok) return [];
      const own = record.value.terms.reduce((sum, term) => sum + lookupCost(term), 0);
      const cost = spfLookups?.get(name) ?? own;
      return cost > 10
        ? [guard("spf-lookups", `SPF at ${name} would ask for ${cost} lookups; receivers allow 10`)]
        : [];
    }),
  );
}

function deletionsGuard({ changes }: GuardInput): Guard[] {
  const deleted = changes.reduce(
    (sum, { before, after }) => sum + Math.max(0, (before?.data.length ?? 0) - (after?.data.length ?? 0)),
    0,
  );
  return deleted > MANY_DELETIONS
    ? [guard("many-deletions", `${deleted} records would go, more than a mail zone usually has`)]
    : [];
}
