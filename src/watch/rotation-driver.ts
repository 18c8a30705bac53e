/** Rotations that go on by themselves: each job is one look at DNS, one step where it is due, and the next look. */
import type { Step } from "../keys/rotation.ts";
import type { DomainName } from "../standards/dns/name.ts";
import type { JobHandlers, JobQueue } from "./job-queue.ts";
import { placeOf } from "./schedule.ts";
import type { PublishTrouble, WatchStore } from "./watch-store.ts";

/** What one look at the keys of a domain says: a list for each algorithm. */
export interface KeyTurn {
  readonly steps: readonly Step[];
  /** No name server could be asked about any of its keys. */
  readonly isBlind: boolean;
}

export interface RotationTools {
  readonly queue: Pick<JobQueue, "add">;
  readonly watch: Pick<WatchStore, "scheduleSooner">;
  /** Looks at every name server, and remembers what was seen. Undefined: others change the keys at this moment. */
  readonly turn: (domain: DomainName) => Promise<readonly KeyTurn[] | undefined>;
  /** Whether somebody has said that it may. */
  readonly publishes: (domain: DomainName) => Promise<boolean>;
  /** Carries out a step where somebody holds the zone. `by-hand`: nobody does, and why this server does not. */
  readonly publish: (
    domain: DomainName,
    step: Step,
  ) => Promise<
    { readonly status: "done" } | { readonly status: "by-hand" | "trouble"; readonly detail: string }
  >;
  /** What kept this server from each step that was due, for the next check to tell. */
  readonly remember: (
    domain: DomainName,
    troubles: readonly Omit<PublishTrouble, "since">[],
  ) => Promise<void>;
  readonly now: () => Date;
  readonly onTrouble: (trouble: string) => void;
}

const MINUTE = 60_000;
/** A zone needs some time to come to all its name servers. */
const SPREADING = 2 * MINUTE;
/** Where a person, or a server that is silent, is waited for. */
const PATIENT = 15 * MINUTE;
const TROUBLED = 60 * MINUTE;
/** A signing key is looked at as well: who took its record away is to be noticed. */
const CALM = 24 * 60 * MINUTE;
const LONGEST = CALM;
/** Where nobody answers time after time: perhaps our own network is away, and all domains wait. */
const LONGEST_BLIND = 6 * 60 * MINUTE;
/** So that they do not all come back at once. */
const SPREAD = 0.5;

const rotationKey = (domain: DomainName): string => `rotation-step ${domain}`;

/** From now on the domain's keys are looked after; a look that was planned for later comes now. */
export const startRotation = (domain: DomainName, { queue, now }: Pick<RotationTools, "queue" | "now">) =>
  queue.add("rotation-step", { domain }, { key: rotationKey(domain), runAt: now() });

/** Where nobody looks after them (any more), they are looked after from some time from now on. */
export const keepRotation = (domain: DomainName, { queue, now }: Pick<RotationTools, "queue" | "now">) =>
  queue.add(
    "rotation-step",
    { domain },
    { key: rotationKey(domain), runAt: new Date(now().getTime() + PATIENT), keepsOlder: true },
  );

/** When it is worth to look again; before this one so many looks in a row were blind. */
export function nextLook(domain: DomainName, turns: readonly KeyTurn[], now: Date, blindLooks = 0): Date {
  const waits = turns.flatMap(({ steps, isBlind }) =>
    isBlind ? [waitBlind(domain, blindLooks)] : steps.map((step) => waitFor(step, now)),
  );
  return new Date(now.getTime() + Math.min(LONGEST, ...waits));
}

/** Each time longer than before, and another for each domain. */
const waitBlind = (domain: DomainName, blindLooks: number): number =>
  Math.min(LONGEST_BLIND, PATIENT * 2 ** blindLooks) * (1 + SPREAD * placeOf(domain));

function waitFor({ action, until }: Step, now: Date): number {
  switch (action) {
    case "wait":
      return until === undefined ? PATIENT : Math.max(MINUTE, until.getTime() - now.getTime());
    case "publish":
    case "revoke":
    case "remove":
      return PATIENT;
    case "sign-with":
      return MINUTE;
    case "trouble":
      return TROUBLED;
    case "done":
      return CALM;
    default:
      return action satisfies never;
  }
}

export function rotationHandlers(
  tools: RotationTools,
): Required<Pick<JobHandlers, "rotation-step" | "wait-for-caches">> {
  const { queue, watch, turn, publishes, publish, remember, now, onTrouble } = tools;
  // What nobody watches is not begun to be watched.
  const check = (...domains: readonly DomainName[]) =>
    watch.scheduleSooner(domains.map((domain) => ({ domain, at: now() })));
  return {
    "rotation-step": async ({ domain, publishes: wasSaid = false, blindLooks = 0 }, { isLast }) => {
      const lookAgain = (runAt: Date, blind = 0) =>
        queue.add(
          "rotation-step",
          { domain, ...(wasSaid && { publishes: true }), ...(blind > 0 && { blindLooks: blind }) },
          // What others have asked for meanwhile comes when they have asked for it.
          { key: rotationKey(domain), runAt, keepsOlder: !isLast },
        );
      // Whatever becomes of this look: there is a next one.
      if (isLast) await lookAgain(new Date(now().getTime() + TROUBLED));
      const turns = await turn(domain);
      if (turns === undefined) return lookAgain(new Date(now().getTime() + SPREADING));
      // No keys any more: nothing to look after.
      if (turns.length === 0) return;
      const mayPublish = wasSaid || (await publishes(domain));
      let hasChanged = false;
      const troubles: Omit<PublishTrouble, "since">[] = [];
      for (const step of turns.flatMap(({ steps }) => steps)) {
        if (!mayPublish || !["publish", "revoke", "remove"].includes(step.action)) continue;
        const outcome = await publish(domain, step);
        if (outcome.status === "done") {
          hasChanged = true;
          continue;
        }
        const { action, key } = step;
        const { detail } = outcome;
        const dkimSelector = key?.dkimSelector ?? "";
        troubles.push({ action, dkimSelector, detail });
        if (outcome.status === "trouble") onTrouble(`${action} ${dkimSelector}: ${detail} (${domain})`);
      }
      // Who was not asked has said nothing.
      if (!turns.every(({ isBlind }) => isBlind)) await remember(domain, troubles);
      if (hasChanged) await check(domain);
      if (hasChanged) return lookAgain(new Date(now().getTime() + SPREADING));
      await lookAgain(
        nextLook(domain, turns, now(), blindLooks),
        turns.every(({ isBlind }) => isBlind) ? blindLooks + 1 : 0,
      );
    },
    "wait-for-caches": async ({ domains }) => {
      await check(...domains);
    },
  };
}
