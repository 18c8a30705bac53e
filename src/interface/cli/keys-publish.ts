/** Steps of a rotation carried out where somebody holds the zone: the record of a key put in, emptied, taken away. */
import type { DkimKey } from "../../keys/key.ts";
import { keyOwner, keyRecordText, REVOKED_TEXT } from "../../keys/key-record-shapes.ts";
import type { Step } from "../../keys/rotation.ts";
import { type ApplyResult, applyPlan, recover } from "../../publish/apply.ts";
import type { Plan } from "../../publish/plan.ts";
import type { Rrset } from "../../publish/provider.ts";
import { rrsetKey, sameRrset } from "../../publish/rrset.ts";
import { describedDomain } from "../../records/derive.ts";
import { parseDkimKey } from "../../standards/dkim/key-record.ts";
import { sameDkimKey } from "../../standards/dkim/public-key.ts";
import { type DomainName, tryPrepend } from "../../standards/dns/name.ts";
import { octetsToText, toCharacterStrings, txtText } from "../../standards/dns/record.ts";
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
  const rival = rivalIn(before, key);
  if (rival !== undefined) return { status: "in-the-way", owner: name, text: rival };
  const text = action === "publish" ? keyRecordText(key) : REVOKED_TEXT;
  const after: Rrset | undefined =
    action === "remove"
      ? undefined
      : {
          name,
          type: "TXT",
          ttlSeconds: before?.ttlSeconds ?? TTL_SECONDS,
          data: [{ type: "TXT", strings: toCharacterStrings(text) }],
        };
  if (sameRrset(before, after)) return { status: "nothing-to-do" };
  // Keys are known by their own table: what the description derives neither owns nor removes them.
  const owned = await store.ownedIn(zone);
  const plan: Plan = {
    zone,
    values: [],
    steps: [{ changes: [{ name, type: "TXT", before, after }], waitSeconds: 0 }],
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

/** What stands there, if it is neither this key nor an empty one. */
function rivalIn(rrset: Rrset | undefined, { publicKey }: DkimKey): string | undefined {
  const texts = (rrset?.data ?? []).map((data) => (data.type === "TXT" ? octetsToText(txtText(data)) : ""));
  return texts.find((text) => {
    if (text === REVOKED_TEXT) return false;
    const parsed = parseDkimKey(text);
    return parsed.status !== "valid" || !sameDkimKey(parsed.record.key, publicKey);
  });
}
