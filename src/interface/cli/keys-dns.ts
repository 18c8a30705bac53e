/** `zonepost keys test` and `zonepost keys rotate`: keys held against what every name server shows. */
import type { AuthoritativeView } from "../../check/view.ts";
import type { DkimKey } from "../../keys/key.ts";
import { keyOwner, keyRecordText } from "../../keys/key-record-shapes.ts";
import type { Step } from "../../keys/rotation.ts";
import { DATED_SELECTOR } from "../../keys/selector.ts";
import { type KeyLook, type Sight, sightText, summarize } from "../../keys/sighting.ts";
import { formLine } from "../../records/form.ts";
import { parseDkimKey, repairDkimKey } from "../../standards/dkim/key-record.ts";
import {
  type DkimPublicKey,
  describeDkimKey,
  sameDkimKey,
  shortDkimFingerprint,
} from "../../standards/dkim/public-key.ts";
import { remarksOnDkimKey } from "../../standards/dkim/remarks.ts";
import { absolute, type DomainName, tryPrepend } from "../../standards/dns/name.ts";
import { octetsToText, txtText } from "../../standards/dns/record.ts";
import { lookAtKeys } from "../../watch/key-look.ts";
import type { PublishedStep } from "../../watch/key-publish.ts";
import { type LaneResult, lanesToBegin, turnKeys } from "../../watch/key-turn.ts";
import { EXIT, type ExitCode, UsageError } from "./exit-code.ts";
import { makeKey, revokedRecord, zoneRecord } from "./keys.ts";
import { publishStep } from "./keys-publish.ts";
import { type KeysOptions, keyFacts, keysOf, namedDomains, type OpenedKeys, withKeys } from "./keys-state.ts";
import { visible, wrap } from "./terminal.ts";
import type { Tools } from "./tools.ts";
import { type ViewOptions, viewSettings } from "./view-options.ts";

export interface TestOptions extends KeysOptions, ViewOptions {
  readonly selector?: string;
}

interface TestResult {
  readonly owner: DomainName;
  readonly result: "pass" | "invalid" | "fail" | "unknown";
  /** What stands in parentheses behind it. */
  readonly why?: string;
  /** More for people, a sentence each. */
  readonly notes: readonly string[];
  readonly servers: readonly { readonly server: string; readonly shows: string }[];
}

export async function runKeysTest(
  names: readonly string[],
  options: TestOptions,
  tools: Tools,
): Promise<ExitCode> {
  return withKeys(options, tools, async (opened) => {
    const all = await opened.store.list();
    const keys = (await keysOf(names, opened)).filter(
      ({ state, dkimSelector }) =>
        !["revoked", "removed"].includes(state) &&
        (options.selector === undefined || dkimSelector === options.selector.toLowerCase()),
    );
    if (keys.length === 0) throw new UsageError("there is no key to test: zonepost keys list shows all");
    const { world, close } = await tools.openWorld(viewSettings(options, tools));
    try {
      const seen = await lookAtKeys(keys, world.authoritative);
      const results = await Promise.all(
        seen.map(({ key, look }) => testResult(key, look, all, world.authoritative)),
      );
      const { terminal } = tools;
      terminal.out(
        options.json
          ? `${JSON.stringify(results, null, 2)}\n`
          : results.map((each, at) => testText(each, at + 1, tools)).join(""),
      );
      if (results.some(({ result }) => result === "fail" || result === "invalid")) return EXIT.errors;
      return results.some(({ result }) => result === "unknown") ? EXIT.unknown : EXIT.ok;
    } finally {
      await close();
    }
  });
}

async function testResult(
  key: DkimKey,
  { perServer }: KeyLook,
  all: readonly DkimKey[],
  view: AuthoritativeView,
): Promise<TestResult> {
  const summary = summarize(perServer);
  const owner = keyOwner(key);
  const servers = perServer.map(({ server, sight }) => ({ server, shows: sightText(sight) }));
  const text = perServer.flatMap(({ sight }) => (sight.kind === "this" ? [sight.text] : []))[0];
  const remarks = text === undefined ? [] : remarksOnDkimKey(text);
  const worthSaying = remarks.filter(({ severity }) => severity !== "notice").map(({ message }) => message);
  const [fault] = summary.denying;
  if (fault === undefined) {
    if (summary.isEverywhere) return { owner, result: "pass", notes: worthSaying, servers };
    const why =
      perServer.length === 0 ? "no name server of the domain was found" : "not every name server answered";
    return { owner, result: "unknown", why, notes: worthSaying, servers };
  }
  const some = summary.isSomewhere
    ? ["Some name servers show it: either the change is under way, or they do not get it."]
    : [];
  const misplaced = fault.sight.kind === "absent" ? await findMisplaced(key, view) : [];
  const { result, why, notes } = faultOf(fault.sight, key, all);
  return { owner, result, why, notes: [...notes, ...misplaced, ...some, ...worthSaying], servers };
}

function faultOf(
  sight: Sight,
  key: DkimKey,
  all: readonly DkimKey[],
): { readonly result: "invalid" | "fail"; readonly why: string; readonly notes: readonly string[] } {
  switch (sight.kind) {
    case "absent":
      return { result: "invalid", why: "public key: not available", notes: ["It is not published."] };
    case "revoked":
      return { result: "invalid", why: "public key: revoked", notes: ["Its record has an empty p=."] };
    case "several": {
      const notes = ["Verifiers take any of them, or none: leave the one that belongs to this key."];
      return { result: "invalid", why: `public key: ${sight.count} TXT records`, notes };
    }
    case "other": {
      const notes = [
        `Published is ${otherText(sight.publicKey, key, all)}; this one is ${shortDkimFingerprint(key.publicKey)}.`,
      ];
      return { result: "fail", why: "another key is published", notes };
    }
    case "unusable": {
      const repaired = repairDkimKey(sight.text);
      const reading = repaired === undefined ? undefined : parseDkimKey(repaired);
      const isThis = reading?.status === "valid" && sameDkimKey(reading.record.key, key.publicKey);
      const why = sight.code === "dkim-key-cut-off" ? "public key: cut off" : "public key: damaged";
      const notes = isThis ? ["It is this key, damaged in copying: publish it again as it is."] : [];
      return { result: "invalid", why, notes: [`${capital(sight.problem)}.`, ...notes] };
    }
    default:
      return { result: "fail", why: sightText(sight), notes: [] };
  }
}

const capital = (text: string): string => text.charAt(0).toUpperCase() + text.slice(1);

function otherText(published: DkimPublicKey, { signingDomain }: DkimKey, all: readonly DkimKey[]): string {
  const kept = all.filter(({ publicKey }) => sameDkimKey(publicKey, published));
  const own = kept.find((each) => each.signingDomain === signingDomain) ?? kept[0];
  const fingerprint = shortDkimFingerprint(published);
  return own === undefined
    ? `a key that is not kept here (${describeDkimKey(published)}, ${fingerprint})`
    : `the key of ${keyOwner(own)} (${own.state}, ${fingerprint})`;
}

/** R45: the usual wrong places. */
async function findMisplaced(key: DkimKey, view: AuthoritativeView): Promise<string[]> {
  const { dkimSelector, signingDomain } = key;
  const owner = keyOwner(key);
  const places = [
    signingDomain,
    tryPrepend("_domainkey", signingDomain),
    tryPrepend(dkimSelector, signingDomain),
    tryPrepend(owner, signingDomain),
  ].filter((place) => place !== undefined);
  const found = await Promise.all(
    places.map(async (place) => {
      const answer = await view.lookup(place, "TXT");
      const texts =
        answer.status === "found" ? answer.records.map(({ data }) => octetsToText(txtText(data))) : [];
      return texts.some((text) => {
        const reading = parseDkimKey(repairDkimKey(text) ?? text);
        return reading.status === "valid" && sameDkimKey(reading.record.key, key.publicKey);
      })
        ? [`It stands at ${place}, where nobody looks: move it to ${owner}.`]
        : [];
    }),
  );
  return found.flat();
}

/** As amavisd prints its own test of keys. */
function testText(
  { owner, result, why, notes, servers }: TestResult,
  number: number,
  { terminal }: Tools,
): string {
  const { style, columns } = terminal;
  const paint = { pass: style.green, invalid: style.red, fail: style.red, unknown: style.magenta }[result];
  const line = `TESTING#${number}: ${visible(owner)} => ${paint(result)}${why === undefined ? "" : ` (${visible(why)})`}\n`;
  const details = [
    ...notes,
    ...(result === "pass" ? [] : servers.map(({ server, shows }) => `${server} ${shows}`)),
  ];
  return line + details.map((each) => `${wrap(visible(each), columns, "    ")}\n`).join("");
}

export interface RotateOptions extends KeysOptions, ViewOptions {
  readonly begin?: boolean;
  readonly selector?: string;
  readonly bits?: number;
  /** Carries steps out at whoever holds the zone, by the description. */
  readonly publish?: boolean;
  readonly config: string;
}

export async function runKeysRotate(
  names: readonly string[],
  options: RotateOptions,
  tools: Tools,
): Promise<ExitCode> {
  return withKeys(options, tools, async (opened) => {
    const all = await opened.store.list();
    const domains =
      names.length > 0 ? namedDomains(names) : [...new Set(all.map(({ signingDomain }) => signingDomain))];
    const nobody = domains.find((domain) => !all.some(({ signingDomain }) => signingDomain === domain));
    if (domains.length === 0 || nobody !== undefined) {
      throw new UsageError(
        `there is no key of ${nobody ?? "any domain"}: zonepost keys generate ${nobody ?? "DOMAIN"} makes one`,
      );
    }
    if (options.begin) await beginRotations(domains, options, opened, tools);
    const { world, close } = await tools.openWorld(viewSettings(options, tools));
    try {
      const results: LaneResult[] = [];
      for (const domain of domains) {
        const lanes = await turnLanes(domain, world.authoritative, opened, tools);
        const isChanged = options.publish === true && (await publishSteps(lanes, options, tools));
        results.push(...(isChanged ? await turnLanes(domain, world.authoritative, opened, tools) : lanes));
      }
      const { terminal } = tools;
      terminal.out(
        options.json
          ? `${JSON.stringify(results.map(laneFacts), null, 2)}\n`
          : `${results.map((result) => laneText(result, tools)).join("\n\n")}\n`,
      );
      return exitCodeOf(results);
    } finally {
      await close();
    }
  });
}

/** Whether anything was changed, so that DNS is worth another look. */
async function publishSteps(
  lanes: readonly LaneResult[],
  options: RotateOptions,
  tools: Tools,
): Promise<boolean> {
  let isChanged = false;
  for (const step of lanes.flatMap(({ steps }) => steps)) {
    const { config, state, json, rootHints, resolver, dnsPort } = options;
    const settings = {
      config,
      allow: [],
      resolver,
      ...(state && { state }),
      ...(json && { json }),
      ...(rootHints && { rootHints }),
      ...(dnsPort && { dnsPort }),
    };
    const result = await publishStep(step, settings, tools);
    if (result.status === "done") isChanged = true;
    const trouble = troubleText(result);
    if (trouble !== undefined) tools.terminal.err(`zonepost: ${visible(trouble)}\n`);
  }
  return isChanged;
}

function troubleText(result: PublishedStep): string | undefined {
  switch (result.status) {
    case "in-the-way":
      return `${result.owner} holds something else ("${result.text.slice(0, 100)}"): take it away, or use another selector`;
    case "failed":
    case "stale":
      return `not published: ${result.detail}`;
    case "stopped":
      return `not published: ${result.failure.detail}`;
    case "busy":
      return "not published: another apply to this zone is under way";
    case "blocked":
    case "not-needed":
    case "nothing-to-do":
    case "done":
      return undefined;
    default:
      return result satisfies never;
  }
}

function exitCodeOf(results: readonly LaneResult[]): ExitCode {
  const actions = results.flatMap(({ steps }) => steps.map(({ action }) => action));
  if (actions.includes("trouble")) return EXIT.errors;
  if (results.some(({ isBlind }) => isBlind)) return EXIT.unknown;
  return actions.some((action) => ["publish", "revoke", "remove"].includes(action)) ? EXIT.warnings : EXIT.ok;
}

/** A successor for each algorithm that signs, unless one is on its way already. */
async function beginRotations(
  domains: readonly DomainName[],
  { selector, bits }: RotateOptions,
  opened: OpenedKeys,
  tools: Tools,
): Promise<void> {
  for (const domain of domains) {
    const { algorithms, waiting } = lanesToBegin(await opened.store.list(domain));
    if (waiting !== undefined)
      throw new UsageError(
        `${keyOwner(waiting)} is on its way already (${waiting.state}): leave --begin out to go on with it`,
      );
    for (const algorithm of algorithms) {
      const size = algorithm === "rsa" && bits !== undefined ? { bits } : {};
      await makeKey(domain, { selector: selector ?? DATED_SELECTOR, algorithm, ...size }, opened, tools);
    }
  }
}

async function turnLanes(
  domain: DomainName,
  view: AuthoritativeView,
  { store }: OpenedKeys,
  tools: Tools,
): Promise<readonly LaneResult[]> {
  const lanes = await turnKeys(domain, view, store, tools.now);
  if (lanes !== undefined) return lanes;
  throw new UsageError(`the keys of ${domain} are being changed by somebody else all the time; try again`);
}

const laneFacts = ({ domain, algorithm, steps }: LaneResult) => ({
  domain,
  algorithm,
  steps: steps.map(({ key, ...step }) => ({
    ...step,
    ...(key && { key: keyFacts(key), record: recordFor(step.action, key) }),
  })),
});

function recordFor(action: Step["action"], key: DkimKey): string | undefined {
  if (action === "publish") return zoneRecord(key);
  return action === "revoke" ? revokedRecord(key) : undefined;
}

function laneText({ domain, algorithm, steps }: LaneResult, tools: Tools): string {
  const { style } = tools.terminal;
  const head = `${style.bold(visible(domain))}, ${algorithm === "rsa" ? "RSA" : "Ed25519"}`;
  return [head, ...steps.map((step) => stepText(step, tools))].join("\n");
}

const WORDS = {
  publish: "publish",
  wait: "wait",
  "sign-with": "sign with",
  revoke: "revoke",
  remove: "remove",
  done: "done",
  trouble: "trouble",
} as const satisfies Record<Step["action"], string>;

function stepText({ action, key, until, reason }: Step, { terminal }: Tools): string {
  const { style, columns } = terminal;
  const paint = {
    trouble: style.red,
    wait: style.dim,
    done: style.green,
    "sign-with": style.green,
    publish: style.yellow,
    revoke: style.yellow,
    remove: style.yellow,
  }[action];
  const when = until === undefined ? "" : `, until ${until.toISOString().replace(/:\d\d\.\d+Z$/, "Z")}`;
  const name = key === undefined ? "" : ` ${key.dkimSelector}`;
  const lines = [
    `  ${paint(WORDS[action])}${style.bold(name)}${when}`,
    wrap(visible(`${capital(reason)}.`), columns, "      "),
  ];
  return [...lines, ...(key === undefined ? [] : adviceOn(action, key).map((line) => `      ${line}`))].join(
    "\n",
  );
}

/** What to type. */
function adviceOn(action: Step["action"], key: DkimKey): string[] {
  const owner = keyOwner(key);
  const again = `zonepost keys rotate ${key.signingDomain}`;
  switch (action) {
    case "publish": {
      const fields = {
        type: "TXT",
        name: `${key.dkimSelector}._domainkey`,
        value: keyRecordText(key),
        ttlSeconds: 3600,
      };
      return [zoneRecord(key), `in a form: ${formLine(fields)}`, `then: ${again}`];
    }
    case "revoke":
      return [revokedRecord(key), `then: ${again}`];
    case "remove":
      return [`take away: ${absolute(owner)} IN TXT`, `then: ${again}`];
    case "sign-with":
      return [
        `give it to the signing program: zonepost keys export ${key.signingDomain} --format FORMAT --output FOLDER`,
      ];
    case "done":
      return [`a successor: ${again} --begin`];
    case "wait":
    case "trouble":
      return [];
    default:
      return action satisfies never;
  }
}
