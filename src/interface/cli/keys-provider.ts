/** The steps of a rotation carried out at whoever holds the zone. */
import type { DkimKey } from "../../keys/key.ts";
import { keyOwner, keyRecordText, REVOKED_TEXT } from "../../keys/key-record-shapes.ts";
import type { Action } from "../../keys/rotation.ts";
import { sightOf } from "../../keys/sighting.ts";
import type { Provider, Rrset, RrsetChange } from "../../publish/provider.ts";
import type { DomainName } from "../../standards/dns/name.ts";
import { type TxtRdata, textToOctets, toCharacterStrings } from "../../standards/dns/record.ts";

const TTL_SECONDS = 3600;

export interface Errand {
  readonly action: Extract<Action, "publish" | "revoke" | "remove">;
  readonly key: DkimKey;
}

export interface Carried extends Errand {
  /** `there`: the zone has it already, and the name servers only have to follow. */
  readonly outcome: "applied" | "there" | "failed";
  /** Who said what, where it failed. */
  readonly detail?: string;
}

export async function carryOut(errand: Errand, zone: DomainName, provider: Provider): Promise<Carried> {
  const failed = (detail: string): Carried => ({ ...errand, outcome: "failed", detail });
  const read = await provider.readZone(zone);
  if (read.status === "failed") return failed(read.detail);
  const owner = keyOwner(errand.key);
  const here = read.content.rrsets.filter(({ name }) => name === owner);
  const alias = here.find(({ type }) => type === "CNAME");
  if (alias !== undefined) {
    return failed(`${owner} is an alias into another zone: the change belongs there`);
  }
  const change = changeFor(
    errand,
    here.find(({ type }) => type === "TXT"),
  );
  if (change === "there") return { ...errand, outcome: "there" };
  if (change === "foreign") return failed(`something else stands at ${owner}, and nothing is overwritten`);
  const outcome = await provider.apply(zone, [change]);
  switch (outcome.status) {
    case "applied":
      return { ...errand, outcome: "applied" };
    case "stale":
      return failed(`${owner} was changed by somebody else just now; nothing was done, try again`);
    case "interrupted":
      return failed(`${outcome.failure.detail}; whether it was done shows at the next look`);
    case "failed":
      return failed(outcome.detail);
    default:
      return outcome satisfies never;
  }
}

/** From what is there, and only from that: a record is made where there is none, and ours alone are changed. */
export function changeFor(
  { action, key }: Errand,
  before: Rrset | undefined,
): RrsetChange | "there" | "foreign" {
  const name = keyOwner(key);
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

function standsAt(rrset: Rrset | undefined, key: DkimKey) {
  if (rrset === undefined) return "absent";
  const records = rrset.data.map((data) => ({
    name: rrset.name,
    ttlSeconds: rrset.ttlSeconds,
    data: data as TxtRdata,
  }));
  const answer = { status: "found", records, aliases: [], canonicalName: rrset.name } as const;
  return sightOf(answer, key.publicKey).kind;
}
