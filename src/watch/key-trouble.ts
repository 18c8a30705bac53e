/** What is wrong with the keys that are kept here, held against what every name server shows. Nothing is stored. */
import type { Context } from "../check/context.ts";
import { type Change, change, type Finding } from "../check/finding.ts";
import type { DkimKey } from "../keys/key.ts";
import { sameKeyName } from "../keys/key-name.ts";
import { keyOwner } from "../keys/key-record-shapes.ts";
import { nextStep, REVOKED_DAYS, retiringUntil, type Step, signingKey } from "../keys/rotation.ts";
import { type LookSummary, sightText, summarize } from "../keys/sighting.ts";
import { lookAtKeys, type SeenKey } from "./key-look.ts";
import { keyRecord, keyZone, needsZone } from "./key-publish.ts";
import { lanesOf } from "./key-turn.ts";
import type { PublishTrouble } from "./watch-store.ts";

type Looking = Pick<Context, "zone" | "domain" | "finding" | "unknown" | "formZone" | "options" | "world">;

const HOUR_MILLISECONDS = 3_600_000;
/** So long a person may take for a record, and so long this server may try. */
export const PERSON_HOURS = 12;
export const SERVER_HOURS = 1;

/** `keys`: of one domain. `troubles`: why this server could not take their steps, where it should and could not. */
export async function keyTroubleFindings(
  keys: readonly DkimKey[],
  troubles: readonly PublishTrouble[],
  context: Looking,
): Promise<Finding[]> {
  const grouped = lanesOf(keys);
  const seen = await lookAtKeys(
    grouped.flatMap(([, lane]) => lane),
    context.world.authoritative,
  );
  const lanes = grouped.map(([, lane]) =>
    turnOf(
      seen.filter(({ key }) => lane.includes(key)),
      context.world.now,
    ),
  );
  // What does not know Ed25519 (RFC 8463) verifies the signature of RSA beside it.
  const rsa = lanes.find(({ signer }) => signer?.publicKey.keyType === "rsa")?.signer;
  const found = lanes.map((lane) => {
    const beside = lane.signer === rsa ? undefined : rsa;
    return laneFindings(lane, beside, troubles, context);
  });
  return (await Promise.all(found)).flat();
}

/** The keys of one algorithm as they are after a look. */
interface Lane {
  readonly seen: readonly SeenKey[];
  readonly steps: readonly Step[];
  readonly signer: DkimKey | undefined;
}

function turnOf(lane: readonly SeenKey[], now: Date): Lane {
  const keys = lane.map(({ key }) => key);
  const looks = lane.map(({ look }) => look);
  const { step, others, changes } = nextStep(keys, looks, now);
  const seen = lane.map(({ key, look }) => ({
    key: changes.find(({ before }) => before === key)?.after ?? key,
    look,
  }));
  return { seen, steps: [step, ...others], signer: signingKey(seen.map(({ key }) => key)) };
}

async function laneFindings(
  { seen, steps, signer }: Lane,
  rsa: DkimKey | undefined,
  troubles: readonly PublishTrouble[],
  context: Looking,
): Promise<Finding[]> {
  const { now } = context.world;
  const findings: Finding[] = [];
  const told = new Set<string>();
  const zone = await context.zone;
  const mute = new Set<string>(
    zone.status === "found"
      ? zone.zone.servers.filter(({ state }) => state === "unknown").map(({ server }) => server.name)
      : [],
  );
  for (const { key, look } of seen) {
    const summary = summarize(look.perServer);
    if (summary.denying.length === 0 && !summary.isSomewhere) {
      findings.push(untold(key, look.perServer, context));
    } else if (isLost(key, summary, signer, now)) {
      findings.push(await lostFinding(key, summary, { signer, rsa }, context));
      told.add(key.dkimSelector);
    } else if (
      isLost(key, { denying: summary.silent }, signer, now) &&
      summary.silent.some(({ server }) => !mute.has(server))
    ) {
      // Who is silent may be the one that does not show it; of who says nothing at all the zone's findings tell.
      findings.push(untold(key, look.perServer, context));
    }
  }
  for (const each of steps) {
    const { key, action } = each;
    if (key === undefined || told.has(key.dkimSelector)) continue;
    if (action === "trouble") {
      const fix = {
        summary: "Do what is said there: nothing that stands in DNS is overwritten.",
        changes: [],
      };
      findings.push(said("dkim-rotation-stuck", key, each.reason, fix, context));
    }
    const trouble = troubles.find((one) => one.action === action && one.dkimSelector === key.dkimSelector);
    if (needsZone(each) && waitsTooLong(each, key, trouble, now))
      findings.push(await waitingFinding(each, key, trouble, context));
  }
  return findings;
}

/** "Could not tell": what was known of the key stays as it was. */
function untold(key: DkimKey, perServer: SeenKey["look"]["perServer"], context: Looking): Finding {
  const sight = perServer.find(({ sight: { kind } }) => kind === "unknown")?.sight;
  const detail = sight?.kind === "unknown" ? sight.detail : "no name server could be found";
  return context.unknown(keyOwner(key), "TXT", { status: "unknown", cause: "network", detail });
}

/** It has signed, mail that it signed may be under way, and not every name server shows it; or nothing signs any more. */
function isLost(
  key: DkimKey,
  look: Pick<LookSummary, "denying">,
  signer: DkimKey | undefined,
  now: Date,
): boolean {
  if (key.times.signing === undefined || key.barred === "revoked") return false;
  switch (key.state) {
    case "prepared":
    case "published":
    case "proven":
      return signer === undefined || look.denying.length > 0;
    case "signing":
      return look.denying.length > 0;
    case "retiring":
      return look.denying.length > 0 && now < underWayUntil(key);
    case "revoked":
    case "removed":
      return false;
    default:
      return key.state satisfies never;
  }
}

/** When the last mail that it signed has arrived or failed; somebody may have retired it long after it got lost. */
const underWayUntil = ({ lastSignedAt, times }: DkimKey): Date =>
  retiringUntil(lastSignedAt === undefined ? { times } : { lastSignedAt, times: {} });

async function lostFinding(
  key: DkimKey,
  look: LookSummary,
  { signer, rsa }: Pick<Lane, "signer"> & { readonly rsa: DkimKey | undefined },
  context: Looking,
): Promise<Finding> {
  const stands = [...new Set(look.denying.map(({ sight }) => sightText(sight)))].sort().slice(0, 4);
  const back = look.isEverywhere
    ? "every name server shows it again; caches may still hold something else"
    : "every name server that answers shows it again, and not all answer";
  const seen =
    stands.length === 0
      ? back
      : `${look.isSomewhere ? "some name servers show it, and another" : "each name server that answers"} ${stands.join("; or ")}`;
  const isRetired = key.state === "retiring" && key.barred === "retired";
  const isSigner = signer !== undefined && sameKeyName(signer, key);
  const isAlone = signer === undefined || isSigner;
  const isUnderWay = "mail that it signed, and that is under way, cannot be verified";
  const withoutIt =
    rsa === undefined ? "so mail goes out without its signature" : `${rsa.dkimSelector} signs alone`;
  const instead = isRetired
    ? `it signs no more, and ${isUnderWay}`
    : isAlone
      ? `no key of this algorithm can sign, ${withoutIt}`
      : `${signer.dkimSelector} signs now; ${isUnderWay}`;
  const foreign = look.denying.some(({ sight: { kind } }) => kind !== "absent");
  const publish = foreign
    ? "Take away what stands in its place and publish its record again"
    : "Publish its record again";
  const until = underWayUntil(key).toISOString().slice(0, 10);
  const fix =
    stands.length === 0
      ? {
          summary: look.isEverywhere
            ? "Wait: it signs again by itself."
            : "See why not all name servers answer: it signs again by itself once every one shows it.",
          changes: [],
        }
      : {
          summary: isRetired
            ? `${publish} until ${until}, for the mail that is under way.`
            : `${publish}, or retire the key.`,
          changes: await recordChanges(key, context),
        };
  const severity = isRetired ? "notice" : isAlone && rsa === undefined ? "error" : "warning";
  return { ...said("dkim-signing-key-lost", key, `${seen}; ${instead}`, fix, context), severity };
}

function waitsTooLong(step: Step, key: DkimKey, trouble: PublishTrouble | undefined, now: Date): boolean {
  const isFor = (since: Date, hours: number) => now.getTime() - since.getTime() >= hours * HOUR_MILLISECONDS;
  return (
    (trouble !== undefined && isFor(new Date(trouble.since), SERVER_HOURS)) ||
    isFor(dueSince(step, key), PERSON_HOURS)
  );
}

/** Since when the step could have been taken. */
function dueSince({ action }: Step, key: DkimKey): Date {
  const { times, state, createdAt, barred } = key;
  if (action === "remove" && times.revoked !== undefined)
    return new Date(times.revoked.getTime() + REVOKED_DAYS * 24 * HOUR_MILLISECONDS);
  if (action === "revoke" && state === "retiring" && barred !== "revoked") return retiringUntil(key);
  return times[state] ?? createdAt;
}

async function waitingFinding(
  step: Step,
  key: DkimKey,
  trouble: PublishTrouble | undefined,
  context: Looking,
): Promise<Finding> {
  const { action, reason } = step;
  const failed = trouble === undefined ? "" : `; this server could not: ${trouble.detail}`;
  const fix =
    action === "remove"
      ? { summary: "Take its record away.", changes: [] }
      : {
          summary:
            trouble === undefined
              ? "Enter the record where the zone is held; the rotation goes on by itself once every name server shows it."
              : "Put right what is said there, or enter the record by hand.",
          changes: await recordChanges(key, context),
        };
  const severity = action === "remove" ? "notice" : key.barred === "revoked" ? "error" : "warning";
  return { ...said("dkim-rotation-waits", key, `${reason}${failed}`, fix, context), severity };
}

const said = (
  code: "dkim-signing-key-lost" | "dkim-rotation-stuck" | "dkim-rotation-waits",
  key: DkimKey,
  observed: string,
  fix: NonNullable<Finding["fix"]>,
  context: Looking,
): Finding => context.finding(code, { owner: keyOwner(key), observed, verify: "TXT", fix });

/** The key's record as it has to stand, where the description has it. */
async function recordChanges(key: DkimKey, context: Looking): Promise<Change[]> {
  const { domain, options } = context;
  const { description } = options;
  const record = description && keyRecord(key, { description, zone: keyZone(domain, description) });
  return record === undefined ? [] : [change("create", record, await context.formZone(record.name))];
}
