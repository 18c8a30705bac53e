/** Rotations that go on by themselves, with what this server knows of domains and zones. */
import { auditEntry } from "../../access/audit.ts";
import type { Actor } from "../../access/permission.ts";
import { may } from "../../access/permission.ts";
import type { Step } from "../../keys/rotation.ts";
import type { StoredDomain } from "../../records/description-store.ts";
import type { JobHandlers } from "../../watch/job-queue.ts";
import { keyZone, type PublishedStep, publishKeyStep } from "../../watch/key-publish.ts";
import { turnKeys } from "../../watch/key-turn.ts";
import { type RotationTools, rotationHandlers } from "../../watch/rotation-driver.ts";
import { describeDomain } from "./described.ts";
import type { ServerParts } from "./parts.ts";
import { Refusal } from "./problem.ts";
import { openZone } from "./zone.ts";

const BY = "the watch";
/** A provider may say much. */
const MAX_DETAIL_CHARACTERS = 500;
/** Few domains have more than four keys at once. */
const MAX_TROUBLES = 20;

export function rotationWork(
  parts: ServerParts,
  onTrouble: (trouble: string) => void,
): Required<Pick<JobHandlers, "rotation-step" | "wait-for-caches">> {
  const { access, descriptions, keys, queue, watch, now, random } = parts;

  /** Published is what the domain's owner may publish. */
  const actorFor = async ({ ownerId }: StoredDomain): Promise<Actor | undefined> => {
    if (ownerId === undefined) return { user: { id: BY, name: BY, role: "administrator", recoveries: 0 } };
    const user = await access.user({ id: ownerId });
    if (user === undefined || user.disabledAt !== undefined) return undefined;
    return may({ user }, "own.keys") ? { user } : undefined;
  };

  const publish: RotationTools["publish"] = async (domain, step) => {
    const stored = await descriptions.domain(domain);
    const actor = stored && (await actorFor(stored));
    if (stored === undefined) return { status: "by-hand", detail: "the domain is not described any more" };
    if (actor === undefined) return { status: "by-hand", detail: "its owner may not publish keys" };
    try {
      const { description } = await describeDomain(stored, descriptions);
      const { zone, applyTools } = await openZone(keyZone(domain, description), actor, parts);
      const outcome = outcomeOf(
        await publishKeyStep(
          step,
          { description, zone },
          applyTools(() => {}),
        ),
      );
      if (outcome.status === "done") await access.audit(entryOf(domain, step));
      return outcome;
    } catch (error) {
      if (error instanceof Refusal) return { status: "by-hand", detail: error.message };
      throw error;
    }
  };
  const entryOf = (domain: string, { action, key }: Step) => {
    const details = { selector: key?.dkimSelector ?? null };
    return auditEntry(
      { actor: BY, address: undefined, action: `key.${action}`, target: domain, details },
      now(),
      random,
    );
  };

  /** Since when it is so stays, in whatever words. */
  const remember: RotationTools["remember"] = (domain, troubles) =>
    watch.changePast(domain, (past) => {
      const { publishTroubles: before = [], ...rest } = past ?? { includes: [], ttls: [] };
      const publishTroubles = troubles.slice(0, MAX_TROUBLES).map(({ action, dkimSelector, detail }) => {
        const known = before.find((one) => one.action === action && one.dkimSelector === dkimSelector);
        const since = known?.since ?? now().getTime();
        return { action, dkimSelector, detail: detail.slice(0, MAX_DETAIL_CHARACTERS), since };
      });
      if (JSON.stringify(before) === JSON.stringify(publishTroubles)) return undefined;
      return { ...rest, ...(publishTroubles.length > 0 && { publishTroubles }) };
    });

  return rotationHandlers({
    queue,
    watch,
    turn: (domain) => turnKeys(domain, parts.world().authoritative, keys, now),
    publishes: (domain) => keys.publishes(domain),
    publish,
    remember,
    now,
    onTrouble,
  });
}

function outcomeOf(published: PublishedStep): Awaited<ReturnType<RotationTools["publish"]>> {
  const { status } = published;
  switch (status) {
    case "done":
    case "nothing-to-do":
    case "not-needed":
      return { status: "done" };
    case "in-the-way":
      return { status: "trouble", detail: `${published.owner} holds something else` };
    case "failed":
    case "stale":
      return { status: "trouble", detail: published.detail };
    case "stopped":
      return { status: "trouble", detail: published.failure.detail };
    case "busy":
      return { status: "trouble", detail: "another apply to this zone is under way" };
    case "blocked":
      return { status: "trouble", detail: published.guards.map(({ id }) => id).join(", ") };
    default:
      return status satisfies never;
  }
}
