/** Steps of a rotation carried out where somebody holds the zone: the record of a key put in, emptied, taken away. */
import type { DkimKey } from "../keys/key.ts";
import { keyOwner, keyRecordText, keyTextInDns, REVOKED_TEXT } from "../keys/key-record-shapes.ts";
import type { Step } from "../keys/rotation.ts";
import { type Sight, sightOf } from "../keys/sighting.ts";
import { type ApplyResult, type ApplyTools, applyPlan, recover } from "../publish/apply.ts";
import type { Plan } from "../publish/planned.ts";
import type { Rrset } from "../publish/provider.ts";
import { rrsetKey } from "../publish/rrset.ts";
import { describedDomain } from "../records/derive.ts";
import type { Description } from "../records/description.ts";
import { type DomainName, tryPrepend } from "../standards/dns/name.ts";
import {
  octetsToText,
  type ResourceRecord,
  type TxtRdata,
  textToOctets,
  toCharacterStrings,
  txtText,
} from "../standards/dns/record.ts";

const TTL_SECONDS = 3600;

export type PublishedStep =
  /** Nothing that a provider can do. */
  | { readonly status: "not-needed" }
  /** Something else stands at the key's name: whose it is, a person has to say. */
  | { readonly status: "in-the-way"; readonly owner: DomainName; readonly text: string }
  | { readonly status: "failed"; readonly detail: string }
  | ApplyResult;

/** Looks for changes no longer than this: the rotation itself watches until every name server has them. */
const LOOK_SECONDS = 10;

type ZoneAction = "publish" | "revoke" | "remove";

export const needsZone = ({ action }: Step): boolean => ["publish", "revoke", "remove"].includes(action);

/** The zone in which the keys of a domain are published: its own, or the one that they are delegated to. */
export function keyZone(domain: DomainName, description: Description): DomainName {
  const delegation = describedDomain(domain, description)?.delegation;
  return delegation?.records.includes("dkim") ? delegation.zone : domain;
}

interface KeptIn {
  readonly description: Description;
  readonly zone: DomainName;
}

export async function publishKeyStep(step: Step, keptIn: KeptIn, tools: ApplyTools): Promise<PublishedStep> {
  const { action, key } = step;
  if (key === undefined || !needsZone(step)) return { status: "not-needed" };
  const { provider, store } = tools;
  const { zone } = keptIn;
  const recovery = await recover(zone, tools);
  if (recovery.status === "failed") return { status: "failed", detail: recovery.failure.detail };
  if (recovery.status === "busy") return { status: "busy" };
  const outcome = await provider.readZone(zone);
  if (outcome.status !== "read") return { status: "failed", detail: outcome.detail };
  const name = keyPlace(key, keptIn);
  if (name === undefined)
    return { status: "failed", detail: `${keyOwner(key)} is too long to live below ${zone}` };
  const before = outcome.content.rrsets.find((rrset) => rrsetKey(rrset) === rrsetKey({ name, type: "TXT" }));
  const alias = outcome.content.rrsets.find((rrset) => rrset.name === name && rrset.type === "CNAME");
  if (alias !== undefined) {
    const text = alias.data
      .map((data) => (data.type === "CNAME" ? `an alias to ${data.target}` : ""))
      .join("; ");
    return { status: "in-the-way", owner: name, text };
  }
  const after = recordAfter(action as ZoneAction, key, before);
  if (after === "in-the-way") return { status: "in-the-way", owner: name, text: textsOf(before).join("; ") };
  if (after === "there") return { status: "nothing-to-do" };
  const change =
    after === undefined
      ? undefined
      : { name, type: "TXT" as const, ttlSeconds: before?.ttlSeconds ?? TTL_SECONDS, data: [after] };
  // Keys are known by their own table: what the description derives neither owns nor removes them.
  const owned = await store.ownedIn(zone);
  const plan: Plan = {
    zone,
    values: [],
    steps: [{ changes: [{ name, type: "TXT", before, after: change }], waitSeconds: 0 }],
    guards: [],
    leftOut: [],
    notes: [],
    ownedBefore: owned,
    ownedAfter: owned,
  };
  return applyPlan(plan, { allow: [], lookSeconds: LOOK_SECONDS }, tools);
}

/** The key's own name, or where the description has put it behind an alias. */
function keyPlace(key: DkimKey, { description, zone }: KeptIn): DomainName | undefined {
  const owner = keyOwner(key);
  const delegation = describedDomain(key.signingDomain, description)?.delegation;
  if (delegation?.zone !== zone) return owner;
  return tryPrepend(owner, delegation.zone);
}

const textsOf = (rrset: Rrset | undefined): string[] =>
  (rrset?.data ?? []).map((data) => (data.type === "TXT" ? octetsToText(txtText(data)) : ""));

/** The record as it is to stand in its zone; undefined where its name would be too long there. */
export function keyRecord(key: DkimKey, keptIn: KeptIn): ResourceRecord | undefined {
  const name = keyPlace(key, keptIn);
  return name && { name, ttlSeconds: TTL_SECONDS, data: txtOf(keyTextInDns(key)) };
}

const txtOf = (text: string): TxtRdata => ({ type: "TXT", strings: toCharacterStrings(textToOctets(text)) });

/**
 * What is to stand there instead (undefined: nothing); `there` where it does so already. A record is made where there
 * is none, and changed or taken away only where it is this key's, in the state that the step was meant for.
 */
export function recordAfter(
  action: ZoneAction,
  key: DkimKey,
  before: Rrset | undefined,
): TxtRdata | undefined | "there" | "in-the-way" {
  const stands = standsAt(before, key);
  switch (action) {
    case "publish":
      if (stands === "this") return "there";
      return stands === "absent" ? txtOf(keyRecordText(key)) : "in-the-way";
    case "revoke":
      if (stands === "revoked" || stands === "absent") return "there";
      return stands === "this" ? txtOf(REVOKED_TEXT) : "in-the-way";
    case "remove":
      if (stands === "absent") return "there";
      return stands === "revoked" ? undefined : "in-the-way";
    default:
      return action satisfies never;
  }
}

function standsAt(rrset: Rrset | undefined, key: DkimKey): Sight["kind"] {
  if (rrset === undefined) return "absent";
  const { name, ttlSeconds } = rrset;
  const records = rrset.data.map((data) => ({ name, ttlSeconds, data: data as TxtRdata }));
  return sightOf({ status: "found", records, aliases: [], canonicalName: name }, key.publicKey).kind;
}
