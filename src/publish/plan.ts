/**
 * From what is derived and what stands in a zone to a plan: which RRsets change, in which order, with which waits,
 * what is kept, and what speaks against it. Pure; `apply.ts` carries plans out.
 *
 * What is not ours stays: at a name with several values only ours are exchanged. Where only one record can stand
 * (DMARC, a key, the MX list), a foreign one is in the way; it is replaced only after the user has said so.
 */
import type { DerivedRecord, Purpose } from "../records/derived-record.ts";
import { type DomainName, isWithin, ROOT } from "../standards/dns/name.ts";
import { formatRdata } from "../standards/dns/rdata-text.ts";
import { octetsToText, type Rdata, toCharacterStrings, txtText, typeOf } from "../standards/dns/record.ts";
import { mergeSpf } from "../standards/spf/merge.ts";
import {
  formatSpfRecord,
  isSpfRecord,
  lookupCost,
  parseSpfRecord,
  type SpfTerm,
  termKey,
} from "../standards/spf/record.ts";
import { guardsOf } from "./guard.ts";
import type { Plan, PlanInput, PlannedValue, PlanStep } from "./planned.ts";
import type { Capabilities, Rrset, RrsetChange } from "./provider.ts";
import type { OwnedValue } from "./publish-store.ts";
import { rrsetKey, sameRrset, valueKey } from "./rrset.ts";
import { unstorable } from "./storable.ts";

/** Where only one value, or one list, makes sense: another's record is in the way and not beside. */
const EXCLUSIVE: ReadonlySet<Purpose> = new Set([
  "mx",
  "null-mx",
  "dkim",
  "dkim-revoked",
  "dmarc",
  "mta-sts",
  "mta-sts-host",
  "tls-rpt",
  "client-srv",
  "autoconfig",
  "autodiscover",
  "xmpp",
  "bimi",
]);

interface Draft {
  readonly values: PlannedValue[];
  readonly changes: RrsetChange[];
  readonly ownedAfter: OwnedValue[];
  readonly notes: string[];
  /** Foreign values that would go. */
  readonly foreignGone: PlannedValue[];
}

export function planChanges(given: PlanInput): Plan {
  const input = { ...given, wanted: given.wanted.map((record) => withLeastTtl(record, given.capabilities)) };
  const { content, owned, capabilities } = input;
  const leftOut = input.wanted.flatMap((record) => {
    const because = unstorable(record.record, capabilities);
    return because === undefined ? [] : [{ record, because }];
  });
  const wanted = input.wanted.filter((record) => !leftOut.some((left) => left.record === record));
  const published = new Map(content.rrsets.map((rrset) => [rrsetKey(rrset), rrset]));
  const wantedAt = Map.groupBy(wanted, ({ record }) =>
    rrsetKey({ name: record.name, type: typeOf(record.data) }),
  );
  const ownedAt = Map.groupBy(owned, rrsetKey);
  const draft: Draft = { values: [], changes: [], ownedAfter: [], notes: [], foreignGone: [] };
  for (const key of new Set([...wantedAt.keys(), ...ownedAt.keys()])) {
    planRrset(published.get(key), wantedAt.get(key) ?? [], ownedAt.get(key) ?? [], draft, input.spfLookups);
  }
  for (const rrset of content.rrsets) {
    const key = rrsetKey(rrset);
    if (wantedAt.has(key) || ownedAt.has(key)) continue;
    for (const data of rrset.data) draft.values.push(plannedValue("keep", rrset, data, false));
  }
  return {
    zone: content.zone,
    values: draft.values,
    steps: orderSteps(draft.changes, input),
    guards: guardsOf({ ...input, wanted, changes: draft.changes, foreignGone: draft.foreignGone }),
    leftOut,
    notes: [...draft.notes, ...ttlNotes(given)],
    ownedBefore: owned,
    ownedAfter: draft.ownedAfter,
  };
}

/** A TTL that the provider does not take is no reason to go without the record. */
function withLeastTtl(derived: DerivedRecord, { minTtlSeconds = 0 }: Capabilities): DerivedRecord {
  const { record } = derived;
  return record.ttlSeconds >= minTtlSeconds
    ? derived
    : { ...derived, record: { ...record, ttlSeconds: minTtlSeconds } };
}

function ttlNotes({ wanted, capabilities: { minTtlSeconds = 0 } }: PlanInput): string[] {
  const raised = wanted.filter(({ record }) => record.ttlSeconds < minTtlSeconds).length;
  return raised === 0
    ? []
    : [
        `TTLs below ${minTtlSeconds} s are not to be had here: ${raised} ${raised === 1 ? "record has" : "records have"} that instead`,
      ];
}

function planRrset(
  published: Rrset | undefined,
  wanted: readonly DerivedRecord[],
  owned: readonly OwnedValue[],
  draft: Draft,
  spfLookups: PlanInput["spfLookups"],
): void {
  const name = published?.name ?? wanted[0]?.record.name ?? owned[0]!.name;
  const type = published?.type ?? (wanted[0] ? typeOf(wanted[0].record.data) : owned[0]!.type);
  const spf = planSpf(published, wanted, owned, draft, spfLookups);
  const wantedData = wanted.map((record) => (spf?.record === record ? spf.data : record.record.data));
  const wantedKeys = new Map(wantedData.map((data, at) => [valueKey(data), wanted[at]!]));
  const ownedKeys = new Set(owned.map(({ value }) => value));
  const isExclusive = wanted.some(({ purpose }) => EXCLUSIVE.has(purpose));
  const after: Rdata[] = [...wantedData];
  let hasForeign = false;
  for (const data of published?.data ?? []) {
    const reasonOf = wantedKeys.get(valueKey(data));
    if (reasonOf !== undefined) {
      draft.values.push(plannedValue("keep", published!, data, true, reasonOf));
      continue;
    }
    const isOurs = ownedKeys.has(valueKey(data));
    const isSpf = spf !== undefined && data.type === "TXT" && isSpfRecord(octetsToText(txtText(data)));
    if (isOurs || isSpf) {
      const reason = isSpf ? "its terms go on in the new record" : "the description asks for it no more";
      draft.values.push({ ...plannedValue("delete", published!, data, isOurs), reason });
      continue;
    }
    if (isExclusive && competes(data, wanted)) {
      const value = {
        ...plannedValue("delete", published!, data, false),
        reason: "it is in the way of ours",
      };
      draft.values.push(value);
      draft.foreignGone.push(value);
      continue;
    }
    hasForeign = true;
    after.push(data);
    draft.values.push(plannedValue("keep", published!, data, false));
  }
  const wantedTtl = wanted[0]?.record.ttlSeconds;
  // One RRset has one TTL (RFC 2181 §5.2): beside another's values theirs stays.
  const ttlSeconds =
    hasForeign || wantedTtl === undefined ? (published?.ttlSeconds ?? wantedTtl ?? 0) : wantedTtl;
  for (const [at, data] of wantedData.entries()) {
    const derived = wanted[at]!;
    const isNew = !(published?.data ?? []).some((other) => valueKey(other) === valueKey(data));
    if (isNew) draft.values.push(plannedValue("create", { name, type, ttlSeconds }, data, true, derived));
    draft.ownedAfter.push({
      name,
      type,
      value: valueKey(data),
      ...(spf?.record === derived && { spfTerms: octetsOfSpf(derived) }),
    });
  }
  const target: Rrset | undefined = after.length === 0 ? undefined : { name, type, ttlSeconds, data: after };
  if (!sameRrset(published, target)) draft.changes.push({ name, type, before: published, after: target });
}

/** At a name with many kinds of TXT only the same kind is in the way. */
function competes(data: Rdata, wanted: readonly DerivedRecord[]): boolean {
  if (data.type !== "TXT") return true;
  const version = (text: string) => /^\s*"?v\s*=\s*(\w+)/i.exec(text)?.[1]?.toLowerCase();
  const own = version(octetsToText(txtText(data)));
  return wanted.some(
    ({ record }) => record.data.type === "TXT" && version(octetsToText(txtText(record.data))) === own,
  );
}

function plannedValue(
  action: PlannedValue["action"],
  { name, type, ttlSeconds }: Pick<Rrset, "name" | "type" | "ttlSeconds">,
  data: Rdata,
  isOurs: boolean,
  derived?: DerivedRecord,
): PlannedValue {
  return {
    action,
    name,
    type,
    value: formatRdata(data),
    ttlSeconds,
    isOurs,
    ...(derived && { reason: derived.reason, purpose: derived.purpose }),
  };
}

const octetsOfSpf = ({ record }: DerivedRecord): string =>
  record.data.type === "TXT" ? octetsToText(txtText(record.data)) : "";

/** Senders that others have put into SPF stay in it; only terms that were ours and are wanted no more go. */
function planSpf(
  published: Rrset | undefined,
  wanted: readonly DerivedRecord[],
  owned: readonly OwnedValue[],
  draft: Draft,
  spfLookups: PlanInput["spfLookups"],
): { readonly record: DerivedRecord; readonly data: Rdata } | undefined {
  const record = wanted.find(({ purpose }) => purpose === "spf" || purpose === "helo-spf");
  if (record === undefined) return undefined;
  const text = octetsOfSpf(record);
  const ours = parseSpfRecord(text);
  if (!ours.ok) return undefined;
  const formerly = new Set(
    owned.flatMap(({ spfTerms }) => (spfTerms === undefined ? [] : termsOf(spfTerms).map(termKey))),
  );
  const standing = (published?.data ?? []).flatMap((data) => {
    const other = data.type === "TXT" ? octetsToText(txtText(data)) : "";
    if (!isSpfRecord(other)) return [];
    const parsed = parseSpfRecord(other);
    if (!parsed.ok) {
      draft.notes.push(`the SPF record "${other.slice(0, 200)}" cannot be read, so nothing of it goes on`);
      return [];
    }
    return [{ terms: parsed.value.terms.filter((term) => !formerly.has(termKey(term))) }];
  });
  const ourKeys = new Set(ours.value.terms.map(termKey));
  const foreign = standing.flatMap(({ terms }) =>
    terms.filter((term) => !ourKeys.has(termKey(term)) && term.kind !== "all"),
  );
  if (foreign.length === 0) return { record, data: record.record.data };
  const { record: merged, decisions } = mergeSpf(standing, ours.value.terms);
  draft.notes.push(...decisions);
  const names = [
    ...new Set(foreign.map((term) => formatSpfRecord({ terms: [term] }).replace(/^v=spf1 /, ""))),
  ];
  const whole = spfLookups?.get(record.record.name);
  const cost = whole ?? merged.terms.reduce((sum, term) => sum + lookupCost(term), 0);
  draft.notes.push(
    `SPF at ${record.record.name}: ${names.join(", ")} stood there before and stays; ${cost} of 10 lookups${whole === undefined ? " at the first level" : ""}`,
  );
  return { record, data: { type: "TXT", strings: toCharacterStrings(formatSpfRecord(merged)) } };
}

function termsOf(text: string): readonly SpfTerm[] {
  const parsed = parseSpfRecord(text);
  return parsed.ok ? parsed.value.terms : [];
}

/**
 * Leaves before what points to them, and what is pointed to no more at the end. Where a name was not there before,
 * resolvers may have noted its absence: what points to it waits until they have forgotten (RFC 2308 §5).
 */
function orderSteps(changes: readonly RrsetChange[], { content, negativeTtlSeconds }: PlanInput): PlanStep[] {
  const standing = new Set(content.rrsets.map(({ name }) => name));
  const created = new Set(
    changes.flatMap(({ name, before, after }) => (!before && after && !standing.has(name) ? [name] : [])),
  );
  const isPointer = (change: RrsetChange) =>
    change.after !== undefined && pointersOf(change.after).some((target) => created.has(target));
  const pointers = changes.filter(isPointer);
  const oldTargets = new Map<DomainName, number>();
  for (const { before, after } of changes) {
    const still = new Set(after === undefined ? [] : pointersOf(after));
    for (const target of before === undefined ? [] : pointersOf(before)) {
      if (!still.has(target))
        oldTargets.set(target, Math.max(oldTargets.get(target) ?? 0, before!.ttlSeconds));
    }
  }
  const late = changes.filter(
    (change) => change.after === undefined && oldTargets.has(change.name) && !isPointer(change),
  );
  const first = changes.filter((change) => !pointers.includes(change) && !late.includes(change));
  const lateWait = Math.max(0, ...late.map(({ name }) => oldTargets.get(name) ?? 0));
  const steps: PlanStep[] = [
    { changes: first, waitSeconds: 0 },
    {
      changes: pointers,
      waitSeconds: first.length === 0 ? 0 : negativeTtlSeconds,
      waitReason: "until no resolver remembers that the names they point to did not exist",
    },
    {
      changes: late,
      waitSeconds: lateWait,
      waitReason: "until no resolver remembers what pointed to them",
    },
  ];
  return steps.filter((step) => step.changes.length > 0);
}

/** Names that a record needs to exist: targets, and for the MTA-STS record the host of the policy. */
function pointersOf({ name, data }: Rrset): DomainName[] {
  return data.flatMap((one) => {
    switch (one.type) {
      case "MX":
        return one.exchange === ROOT ? [] : [one.exchange];
      case "SRV":
        return one.target === ROOT ? [] : [one.target];
      case "CNAME":
        return [one.target];
      case "TXT":
        return name.startsWith("_mta-sts.") ? [name.replace(/^_/, "") as DomainName] : [];
      default:
        return [];
    }
  });
}

/** The SPF records that a plan would publish. */
export function spfRecordsOf({
  steps,
}: Plan): readonly { readonly name: DomainName; readonly text: string }[] {
  return steps.flatMap(({ changes }) =>
    changes.flatMap(({ name, after }) =>
      (after?.data ?? []).flatMap((data) => {
        const text = data.type === "TXT" ? octetsToText(txtText(data)) : "";
        return isSpfRecord(text) ? [{ name, text }] : [];
      }),
    ),
  );
}

/** Of the derived records those that belong into a zone, by whoever runs it. */
export function wantedIn(
  zone: DomainName,
  records: readonly DerivedRecord[],
  otherZones: readonly DomainName[],
): readonly DerivedRecord[] {
  const isDeeper = (name: DomainName) =>
    otherZones.some((other) => other !== zone && isWithin(other, zone) && isWithin(name, other));
  return records.filter(({ record, creator }) => {
    if (creator === "address-owner" && !zone.endsWith(".arpa")) return false;
    return isWithin(record.name, zone) && !isDeeper(record.name);
  });
}
