/** A zone that may be published to: who holds it, and whether the actor may. */
import { timedId } from "../../access/audit.ts";
import { type Actor, sees } from "../../access/permission.ts";
import type { ApplyEvent, ApplyTools } from "../../publish/apply.ts";
import type { Provider } from "../../publish/provider.ts";
import type { DomainName } from "../../standards/dns/name.ts";
import { seeAtEveryServer } from "../../watch/zone-plan.ts";
import type { ServerParts } from "./parts.ts";
import { Refusal } from "./problem.ts";
import { holderOf, isHeld, openHolder } from "./zone-holder.ts";

export interface OpenZone {
  readonly zone: DomainName;
  readonly provider: Provider;
  readonly applyTools: (onProgress: (event: ApplyEvent) => void) => ApplyTools;
}

/** Whether somebody holds it for this actor; nothing is opened. */
export const canPublishInto = async (zone: DomainName, actor: Actor, parts: ServerParts): Promise<boolean> =>
  (await isTheirs(zone, actor, parts)) && isHeld(zone, parts);

async function isTheirs(zone: DomainName, actor: Actor, { descriptions }: ServerParts): Promise<boolean> {
  if (actor.user.role !== "owner") return true;
  const stored = await descriptions.domain(zone);
  return stored !== undefined && sees(actor, stored);
}

/**
 * A description may name any zone (delegation); an owner publishes into zones alone that are theirs. What is said is the
 * same whether the zone is another's or nobody's.
 */
export async function openZone(zone: DomainName, actor: Actor, parts: ServerParts): Promise<OpenZone> {
  const entry = (await isTheirs(zone, actor, parts)) ? await holderOf(zone, parts) : undefined;
  if (entry === undefined)
    throw new Refusal(
      "refused",
      `this server cannot publish into the zone ${zone}`,
      "enter the records by hand, or ask an administrator to set up who holds the zone",
    );
  const provider = await openHolder(entry, zone, parts);
  const { publish, wait, holders, now, random } = parts;
  const see = seeAtEveryServer(parts.world());
  return {
    zone,
    provider,
    applyTools: (onProgress) => ({
      provider,
      store: publish,
      see,
      sleep: wait,
      holders,
      now,
      newId: () => timedId(now(), random),
      onProgress,
    }),
  };
}
