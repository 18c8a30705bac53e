/** Steps of a rotation carried out where somebody holds the zone: the record of a key put in, emptied, taken away. */
import type { DkimKey } from "../../keys/key.ts";
import { keyOwner, keyRecordText, REVOKED_TEXT } from "../../keys/key-record-shapes.ts";
import type { Step } from "../../keys/rotation.ts";
import { type ApplyResult, applyPlan, recover } from "../../publish/apply.ts";
import type { Plan } from "../../publish/plan.ts";
import type { Rrset, RrsetChange } from "../../publish/provider.ts";
import { rrsetKey } from "../../publish/rrset.ts";
import { describedDomain } from "../../records/derive.ts";
import { parseDkimKey } from "../../standards/dkim/key-record.ts";
import { sameDkimKey } from "../../standards/dkim/public-key.ts";
import { type DomainName, tryPrepend } from "../../standards/dns/name.ts";
import { octetsToText, textToOctets, toCharacterStrings, txtText } from "../../standards/dns/record.ts";
import { UsageError } from "./exit-code.ts";
import { applyTools, type Opened, type PublishOptions, withZone } from "./publish.ts";
import type { Tools } from "./tools.ts";

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

export async function publishStep(step: Step, options: PublishOptions, tools: Tools): Promise<PublishedStep> {
  const { action, key } = step;
  if (key === undefined || (action !== "publish" && action !== "revoke" && action !== "remove"))
    return { status: "not-needed" };
  let result: PublishedStep = { status: "not-needed" };
  await withZone(key.signingDomain, options, tools, async (opened) => {
    result = await carryOut(action, key, opened, options, tools);
  });
  return result;
}

async function carryOut(
  action: "publish" | "revoke" | "remove",
  key: DkimKey,
  opened: Opened,
  options: PublishOptions,
  tools: Tools,
): Promise<PublishedStep> {
  const { provider, store, zone } = opened;
  const recovery = await recover(zone, opened);
  if (recovery.status === "failed") return { status: "failed", detail: recovery.failure.detail };
  const outcome = await provider.readZone(zone);
  if (outcome.status !== "read") return { status: "failed", detail: outcome.detail };
  const name = placeOf(key, opened);
  const before = outcome.content.rrsets.find((rrset) => rrsetKey(rrset) === rrsetKey({ name, type: "TXT" }));
  if (outcome.content.rrsets.some((rrset) => rrset.name === name && rrset.type === "CNAME"))
    return { status: "failed", detail: `${name} is an alias into another zone: the change belongs there` };
  const change = changeFor(action, key, name, before);
  if (change === "there") return { status: "nothing-to-do" };
  if (change === "foreign") return { status: "in-the-way", owner: name, text: textsOf(before).join(" ") };
  // Keys are known by their own table: what the description derives neither owns nor removes them.
  const owned = await store.ownedIn(zone);
  const plan: Plan = {
    zone,
    values: [],
    steps: [{ changes: [change], waitSeconds: 0 }],
    guards: [],
    leftOut: [],
    notes: [],
    ownedBefore: owned,
    ownedAfter: owned,
  };
  return applyPlan(plan, { allow: [], lookSeconds: LOOK_SECONDS }, applyTools(opened, options, tools));
}

/** The key's own name, or where the description has put it behind an alias. */
function placeOf(key: DkimKey, { description, zone }: Opened): DomainName {
  const owner = keyOwner(key);
  const delegation = describedDomain(key.signingDomain, description)?.delegation;
  if (delegation?.zone !== zone) return owner;
  const place = tryPrepend(owner, delegation.zone);
  if (place === undefined) throw new UsageError(`${owner} is too long to live below ${delegation.zone}`);
  return place;
}

/** From what is there, and only from that: a record is made where there is none, and ours alone are changed. */
export function changeFor(
  action: "publish" | "revoke" | "remove",
  key: DkimKey,
  name: DomainName,
  before: Rrset | undefined,
): RrsetChange | "there" | "foreign" {
  const stands = standsAt(before, key);
  const change = (text: string | undefined): RrsetChange => ({
    name,
    type: "TXT",
    before,
    after:
      text === undefined
        ? undefined
        : {
            name,
            type: "TXT",
            ttlSeconds: before?.ttlSeconds ?? TTL_SECONDS,
            data: [{ type: "TXT", strings: toCharacterStrings(textToOctets(text)) }],
          },
  });
  switch (action) {
    case "publish":
      if (stands === "this") return "there";
      return stands === "absent" ? change(keyRecordText(key)) : "foreign";
    case "revoke":
      if (stands === "revoked" || stands === "absent") return "there";
      return stands === "this" ? change(REVOKED_TEXT) : "foreign";
    case "remove":
      if (stands === "absent") return "there";
      return stands === "revoked" ? change(undefined) : "foreign";
    default:
      return action satisfies never;
  }
}

function standsAt(rrset: Rrset | undefined, { publicKey }: DkimKey): "absent" | "this" | "revoked" | "other" {
  const [text, second] = textsOf(rrset);
  if (text === undefined) return "absent";
  if (second !== undefined) return "other";
  const reading = parseDkimKey(text);
  if (reading.status === "revoked") return "revoked";
  return reading.status === "valid" && sameDkimKey(reading.record.key, publicKey) ? "this" : "other";
}

function textsOf(rrset: Rrset | undefined): readonly string[] {
  return (rrset?.data ?? []).map((data) => (data.type === "TXT" ? octetsToText(txtText(data)) : ""));
}
