/** `zonepost publish`: what would change in a zone, the change carried out, and taken back. */
import type { World } from "../../check/context.ts";
import type { KeyStore } from "../../keys/key-store.ts";
import {
  type ApplyEvent,
  type ApplyResult,
  type ApplyTools,
  applyPlan,
  applyUndo,
  planUndo,
  recover,
  type Unseen,
} from "../../publish/apply.ts";
import { planJson, resultJson } from "../../publish/plan-json.ts";
import { GUARD_IDS, type GuardId, type Plan, type PlannedValue } from "../../publish/planned.ts";
import type { Provider, ProviderFailure, RrsetChange } from "../../publish/provider.ts";
import type { PublishStore } from "../../publish/publish-store.ts";
import { derive, zoneOf } from "../../records/derive.ts";
import type { Derived } from "../../records/derived-record.ts";
import type { Description } from "../../records/description.ts";
import { absolute, type DomainName, isWithin } from "../../standards/dns/name.ts";
import { formatRdata } from "../../standards/dns/rdata-text.ts";
import { keyZone } from "../../watch/key-publish.ts";
import { entryOf, planZone, seeAtEveryServer, zonesOf } from "../../watch/zone-plan.ts";
import { loadDescription, readDomain } from "./argument.ts";
import { EXIT, type ExitCode, UsageError } from "./exit-code.ts";
import { openStateOf } from "./settings-file.ts";
import { stateDirectory } from "./state-directory.ts";
import { type Terminal, visible, wrap } from "./terminal.ts";
import type { Tools } from "./tools.ts";
import { type ViewOptions, viewSettings } from "./view-options.ts";

export interface PublishOptions extends ViewOptions {
  readonly config: string;
  readonly state?: string;
  readonly allow: readonly string[];
  readonly json?: boolean;
}

export interface ApplyCommandOptions extends PublishOptions {
  readonly yes?: boolean;
  /** Commander's name for --no-wait. */
  readonly wait: boolean;
  readonly look: number;
}

/** All that a command on one zone needs. */
export interface Opened {
  readonly description: Description;
  readonly zone: DomainName;
  readonly zones: readonly DomainName[];
  readonly provider: Provider;
  readonly store: PublishStore;
  readonly world: World;
  readonly derived: Derived;
  readonly keys: KeyStore;
}

export async function runPlan(
  names: readonly string[],
  options: PublishOptions,
  tools: Tools,
): Promise<ExitCode> {
  const allow = readAllow(options.allow);
  const outcomes: (Plan | Failed)[] = [];
  await eachZone(names, options, tools, async (opened) => {
    const plan = await makePlan(opened);
    outcomes.push(plan);
    if (!options.json)
      tools.terminal.out(
        isFailed(plan)
          ? failureText(plan, tools.terminal)
          : planText(plan, opened.provider, allow, tools.terminal),
      );
  });
  if (options.json) {
    const shown = outcomes.map((one) => (isFailed(one) ? one : planJson(one)));
    tools.terminal.out(`${JSON.stringify(shown.length === 1 ? shown[0] : shown, null, 2)}\n`);
  }
  return worst(outcomes.map((one) => planExit(one, allow)));
}

export async function runApply(
  names: readonly string[],
  options: ApplyCommandOptions,
  tools: Tools,
): Promise<ExitCode> {
  const allow = readAllow(options.allow);
  const { terminal } = tools;
  if (!options.yes && (tools.ask === undefined || options.json))
    throw new UsageError("nobody is here to be asked; look at `zonepost publish plan`, then give --yes");
  const results: object[] = [];
  const codes: ExitCode[] = [];
  await eachZone(names, options, tools, async (opened) => {
    const say = (text: string) => {
      if (!options.json) terminal.out(text);
    };
    const recovery = await recover(opened.zone, { ...opened, ...tools });
    if (recovery.status === "busy") throw busy(opened.zone, recovery.until);
    if (recovery.status === "failed") {
      const failed = asFailed(opened.zone, recovery.failure);
      say(failureText(failed, terminal));
      results.push(failed);
      codes.push(EXIT.unknown);
      return;
    }
    if (recovery.status === "recovered")
      say(
        `${visible(opened.zone)}: an earlier apply was interrupted; ${recovery.done} of its ${recovery.of} changes are in the zone. Going on from there.\n`,
      );
    const plan = await makePlan(opened);
    if (isFailed(plan)) {
      say(failureText(plan, terminal));
      results.push(plan);
      codes.push(failureExit(plan.failure));
      return;
    }
    say(planText(plan, opened.provider, allow, terminal));
    if (!options.yes && plan.steps.length > 0 && blocking(plan, allow).length === 0) {
      const answer = await tools.ask!(`Carry this out at ${opened.provider.title}? [y/N] `);
      if (!/^y(es)?$/i.test(answer)) {
        say("Nothing was changed.\n");
        codes.push(EXIT.ok);
        return;
      }
    }
    const notBefore = recovery.status === "recovered" ? recovery.apply.waitsUntil : undefined;
    const applyOptions = {
      allow,
      noWait: !options.wait,
      lookSeconds: options.look,
      ...(notBefore && { notBefore }),
    };
    const result = await applyPlan(plan, applyOptions, applyTools(opened, options, tools));
    say(resultText(opened.zone, result, terminal));
    results.push({ zone: opened.zone, ...resultJson(result) });
    codes.push(resultExit(result));
  });
  if (options.json) terminal.out(`${JSON.stringify(results.length === 1 ? results[0] : results, null, 2)}\n`);
  return worst(codes);
}

export async function runUndo(name: string, options: ApplyCommandOptions, tools: Tools): Promise<ExitCode> {
  const { terminal } = tools;
  if (!options.yes && (tools.ask === undefined || options.json))
    throw new UsageError("nobody is here to be asked; give --yes to take the last apply back");
  let code: ExitCode = EXIT.ok;
  await eachZone([name], options, tools, async (opened) => {
    const { zone, provider, store } = opened;
    const recovery = await recover(zone, { ...opened, ...tools });
    if (recovery.status === "busy") throw busy(zone, recovery.until);
    const outcome = recovery.status === "failed" ? recovery.failure : await provider.readZone(zone);
    if (outcome.status !== "read") {
      const failed = asFailed(zone, outcome);
      terminal.out(options.json ? `${JSON.stringify(failed, null, 2)}\n` : failureText(failed, terminal));
      code = failureExit(outcome);
      return;
    }
    const undo = planUndo(await store.latestToUndo(zone), outcome.content);
    if (undo.status === "nothing-to-undo") {
      terminal.out(
        options.json
          ? `${JSON.stringify({ zone, ...undo }, null, 2)}\n`
          : `${visible(zone)}: there is nothing to take back.\n`,
      );
      return;
    }
    const changes = undo.steps.flat();
    if (!options.json) {
      terminal.out(
        `${terminal.style.bold(visible(zone))}: takes back the apply of ${undo.undoes.startedAt.toISOString().slice(0, 16)}\n\n${changes.map((change) => changeText(change, terminal)).join("\n")}\n\n`,
      );
    }
    if (!options.yes && !/^y(es)?$/i.test(await tools.ask!(`Carry this out at ${provider.title}? [y/N] `))) {
      terminal.out("Nothing was changed.\n");
      return;
    }
    const result = await applyUndo(undo, { lookSeconds: options.look }, applyTools(opened, options, tools));
    terminal.out(
      options.json
        ? `${JSON.stringify({ zone, ...resultJson(result) }, null, 2)}\n`
        : resultText(zone, result, terminal),
    );
    code = resultExit(result);
  });
  return code;
}

function readAllow(words: readonly string[]): readonly GuardId[] {
  return words.map((word) => {
    const id = GUARD_IDS.find((known) => known === word);
    if (id === undefined) throw new UsageError(`--allow: "${word}" is none of ${GUARD_IDS.join(", ")}`);
    return id;
  });
}

async function eachZone(
  names: readonly string[],
  options: PublishOptions,
  tools: Tools,
  run: (opened: Opened) => Promise<void>,
): Promise<void> {
  const description = loadDescription(options.config, tools);
  const zones = zonesOf(description);
  const asked =
    names.length === 0
      ? zones.filter((zone) => entryOf(zone, description) !== undefined)
      : names.map((name) => zoneNamed(name, description, zones));
  if (asked.length === 0)
    throw new UsageError(
      `${options.config} does not say who holds the zones: it has no publish entry (docs/reference/configuration.md)`,
    );
  const directory = stateDirectory(options.state, tools);
  const opened = await tools.openWorld(viewSettings(options, tools));
  const state = await openStateOf(directory, tools);
  const derived = derive(description);
  try {
    for (const zone of new Set(asked)) {
      const entry = entryOf(zone, description);
      if (entry === undefined)
        throw new UsageError(
          `${options.config} does not say who holds ${zone}: add it under publish (docs/reference/configuration.md)`,
        );
      const provider = await tools.openProvider(entry, zone);
      await run({
        description,
        zone,
        zones,
        provider,
        store: state.publish,
        world: opened.world,
        derived,
        keys: state.keys,
      });
    }
  } finally {
    await state.close();
    await opened.close();
  }
}

export async function withZone(
  domain: DomainName,
  options: PublishOptions,
  tools: Tools,
  run: (opened: Opened) => Promise<void>,
): Promise<void> {
  const description = loadDescription(options.config, tools);
  await eachZone([keyZone(domain, description)], options, tools, run);
}

/** A described domain stands for the zone that it lies in. */
function zoneNamed(name: string, description: Description, zones: readonly DomainName[]): DomainName {
  const domain = readDomain(name);
  const zone = zones.filter((one) => isWithin(domain, one)).sort((x, y) => y.length - x.length)[0];
  if (zone === undefined)
    throw new UsageError(`${domain} is not described; the zones are ${zones.slice(0, 10).join(", ")}`);
  return description.domains.some((one) => one.domain === domain) ? zoneOf(domain, description) : zone;
}

const busy = (zone: DomainName, until: Date): UsageError =>
  new UsageError(
    `${visible(zone)}: another apply is under way; where it has died, the zone is free from ${until.toISOString()} on`,
    EXIT.unknown,
  );

interface Failed {
  readonly status: "failed";
  readonly zone: DomainName;
  readonly failure: ProviderFailure;
}

const asFailed = (zone: DomainName, failure: ProviderFailure): Failed => ({
  status: "failed",
  zone,
  failure,
});
const isFailed = (one: Plan | Failed): one is Failed => "failure" in one;

async function makePlan(opened: Opened): Promise<Plan | Failed> {
  const plan = await planZone(opened);
  return "status" in plan ? asFailed(opened.zone, plan) : plan;
}

export function applyTools(
  { provider, store, world }: Opened,
  options: PublishOptions,
  tools: Tools,
): ApplyTools {
  const { terminal } = tools;
  const show = terminal.isInteractive && !options.json;
  return {
    provider,
    store,
    see: seeAtEveryServer(world),
    sleep: tools.sleep,
    now: tools.now,
    holders: tools.holders,
    newId: () => `${tools.now().toISOString()}-${world.randomLabel()}`,
    onProgress: (event) => {
      if (show) terminal.err(`\r\u001b[K${progressText(event)}`);
    },
  };
}

function progressText(event: ApplyEvent): string {
  switch (event.kind) {
    case "wait":
      return `waiting ${event.seconds} s ${event.reason}`;
    case "step":
      return `step ${event.at + 1} of ${event.of}: ${event.changes.length} changes`;
    case "look":
      return event.left === 0 ? "" : `looking for ${event.left} changes at every name server`;
    default:
      return event satisfies never;
  }
}

const blocking = ({ guards }: Plan, allow: readonly GuardId[]) =>
  guards.filter(({ id, canBeOverridden }) => !canBeOverridden || !allow.includes(id));

function planText(plan: Plan, provider: Provider, allow: readonly GuardId[], terminal: Terminal): string {
  const { style, columns } = terminal;
  const blocks: string[] = [`${style.bold(visible(plan.zone))}  ${style.dim(provider.title)}`];
  const kept = plan.values.filter(({ action }) => action === "keep");
  const ours = kept.filter(({ isOurs }) => isOurs).length;
  for (const { changes, waitSeconds, waitReason } of plan.steps) {
    const keys = new Set(changes.map(({ name, type }) => `${name} ${type}`));
    const values = plan.values.filter(
      (value) => value.action !== "keep" && keys.has(`${value.name} ${value.type}`),
    );
    const retimed = changes.filter(
      ({ name, type }) => !values.some((value) => value.name === name && value.type === type),
    );
    const head = waitSeconds > 0 ? [style.dim(`  after ${durationText(waitSeconds)}, ${waitReason}:`)] : [];
    blocks.push(
      [
        ...head,
        ...values.map((value) => valueText(value, terminal)),
        ...retimed.map(
          ({ name, type, after }) =>
            `  ${style.yellow("~")} ${visible(name)} ${type}: TTL ${after?.ttlSeconds ?? 0}`,
        ),
      ].join("\n"),
    );
  }
  if (plan.steps.length === 0) blocks.push(style.green("  Nothing to change."));
  blocks.push(
    style.dim(`  ${ours} of ours stay as they are; ${kept.length - ours} that are not ours stay too`),
  );
  const remarks = [
    ...plan.notes.map((note) =>
      wrap(visible(note), columns, "    ").replace(/^ {4}/, `  ${style.dim("·")} `),
    ),
    ...plan.leftOut.map(({ record, because }) =>
      wrap(
        visible(`left out: ${record.record.name} ${record.record.data.type}: ${because}`),
        columns,
        "    ",
      ).replace(/^ {4}/, `  ${style.yellow("!")} `),
    ),
    ...plan.guards.map(({ id, message, canBeOverridden }) => {
      const isAllowed = canBeOverridden && allow.includes(id);
      const word = isAllowed ? "allowed" : canBeOverridden ? `--allow ${id} insists` : "cannot be overridden";
      const mark = isAllowed ? style.yellow("!") : style.red("✗");
      return wrap(visible(`${message} (${word})`), columns, "    ").replace(/^ {4}/, `  ${mark} `);
    }),
  ];
  if (remarks.length > 0) blocks.push(remarks.join("\n"));
  return `${blocks.join("\n\n")}\n\n`;
}

function valueText(
  { action, name, type, value, ttlSeconds, reason }: PlannedValue,
  { style }: Terminal,
): string {
  const [mark, colour] = action === "create" ? (["+", "green"] as const) : (["-", "red"] as const);
  const record = visible(
    `${absolute(name)} ${ttlSeconds} IN ${type} ${value.length > 200 ? `${value.slice(0, 200)}…` : value}`,
  );
  return `  ${style[colour](`${mark} ${record}`)}${reason === undefined ? "" : `\n      ${style.dim(visible(reason))}`}`;
}

function changeText({ name, type, before, after }: RrsetChange, { style }: Terminal): string {
  const values = (rrset: typeof before) => new Set((rrset?.data ?? []).map((data) => formatRdata(data)));
  const [was, is] = [values(before), values(after)];
  const line = (value: string) => visible(`${absolute(name)} IN ${type} ${value.slice(0, 200)}`);
  return [
    ...[...was].filter((value) => !is.has(value)).map((value) => `  ${style.red(`- ${line(value)}`)}`),
    ...[...is].filter((value) => !was.has(value)).map((value) => `  ${style.green(`+ ${line(value)}`)}`),
  ].join("\n");
}

function durationText(seconds: number): string {
  if (seconds < 120) return `${seconds} s`;
  return seconds < 7200 ? `${Math.round(seconds / 60)} min` : `${Math.round(seconds / 3600)} h`;
}

function failureText({ zone, failure }: Failed, { style }: Terminal): string {
  return `${style.bold(visible(zone))}  ${style.red(`${failure.cause}: ${visible(failure.detail)}`)}\n\n`;
}

function resultText(zone: DomainName, result: ApplyResult, { style }: Terminal): string {
  const head = style.bold(visible(zone));
  switch (result.status) {
    case "nothing-to-do":
      return `${head}: nothing to change.\n`;
    case "blocked":
      return `${head}: ${style.red("not carried out")}: ${result.guards.map(({ id }) => id).join(", ")}.\n`;
    case "busy":
      return `${head}: ${style.yellow("another apply to this zone is under way")}; run this again when it is done.\n`;
    case "stale":
      return `${head}: ${style.yellow("the zone has changed since it was read")}: ${visible(result.detail)} Run this again.\n`;
    case "stopped":
      return `${head}: ${style.red(`stopped: ${visible(result.failure.detail)}`)} Run this again to go on.\n`;
    case "done":
      if (result.unseen.length > 0 && result.unseen.every(({ data }) => data === undefined))
        return `${head}: ${style.yellow("done; whether name servers show it could not be told")}.\n`;
      return result.unseen.length === 0
        ? `${head}: ${style.green("done, and every name server shows it")}.\n`
        : `${head}: ${style.yellow("done, but not every name server shows it")}:\n${result.unseen.slice(0, 20).map(unseenText).join("\n")}\n`;
    default:
      return result satisfies never;
  }
}

function unseenText({ change, server, data }: Unseen): string {
  const instead =
    data === undefined
      ? "gives no answer"
      : data.length === 0
        ? "has none"
        : `answers ${data
            .map((one) => formatRdata(one))
            .join(", ")
            .slice(0, 200)}`;
  return visible(`  ${server} ${instead} for ${change.name} ${change.type}`);
}

function planExit(plan: Plan | Failed, allow: readonly GuardId[]): ExitCode {
  if (isFailed(plan)) return failureExit(plan.failure);
  if (blocking(plan, allow).length > 0) return EXIT.errors;
  return plan.leftOut.length > 0 ? EXIT.warnings : EXIT.ok;
}

/** What no second try mends is an error; the rest could not be told. */
export function failureExit({ cause }: ProviderFailure): ExitCode {
  return ["unreachable", "rate-limited", "provider-error"].includes(cause) ? EXIT.unknown : EXIT.errors;
}

function resultExit(result: ApplyResult): ExitCode {
  switch (result.status) {
    case "nothing-to-do":
      return EXIT.ok;
    case "blocked":
      return EXIT.errors;
    case "busy":
    case "stale":
      return EXIT.unknown;
    case "stopped":
      return failureExit(result.failure);
    case "done":
      if (result.unseen.length === 0) return EXIT.ok;
      return result.unseen.every(({ data }) => data === undefined) ? EXIT.unknown : EXIT.warnings;
    default:
      return result satisfies never;
  }
}

function worst(codes: readonly ExitCode[]): ExitCode {
  return (
    ([EXIT.errors, EXIT.unknown, EXIT.warnings] as const).find((code) => codes.includes(code)) ?? EXIT.ok
  );
}
