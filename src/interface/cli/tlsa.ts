/** `zonepost tlsa next`: a mail host's TLSA records through a change of its key; with --wait a hook for ACME clients. */
import { Context, type World } from "../../check/context.ts";
import { hostAddresses } from "../../check/host-addresses.ts";
import { socketText } from "../../check/probe-command.ts";
import { timeText } from "../../check/propagation.ts";
import {
  type LiveKey,
  nextTlsaStep,
  type TlsaLook,
  type TlsaServerSight,
  type TlsaTurn,
} from "../../keys/tlsa-rollover.ts";
import type { TlsaSightingStore } from "../../keys/tlsa-sighting.ts";
import type { Provider, ProviderFailure, Rrset, RrsetChange } from "../../publish/provider.ts";
import { sameData } from "../../publish/rrset.ts";
import {
  formatTlsa,
  type TlsaData,
  tlsaFromCertificate,
  tlsaFromPublicKey,
} from "../../standards/dane/tlsa.ts";
import { type DomainName, isWithin, tryPrepend } from "../../standards/dns/name.ts";
import { entryOf, zonesOf } from "../../watch/zone-plan.ts";
import { loadDescription, readDomain, readFileNamed, readNetworks } from "./argument.ts";
import { EXIT, type ExitCode, UsageError } from "./exit-code.ts";
import { failureExit } from "./publish.ts";
import { openStateOf } from "./settings-file.ts";
import { stateDirectory } from "./state-directory.ts";
import { visible, wrap } from "./terminal.ts";
import type { OpenedState, Tools } from "./tools.ts";
import { type ViewOptions, viewSettings } from "./view-options.ts";

export interface TlsaNextOptions extends ViewOptions {
  readonly host: string;
  readonly key: string;
  readonly current?: string;
  readonly state?: string;
  readonly config: string;
  readonly publish?: boolean;
  readonly wait?: boolean;
  /** In seconds, as the two below. */
  readonly timeout: number;
  readonly interval: number;
  readonly oldTtl?: number;
  readonly dnsOnly?: boolean;
  readonly allowPrivate?: boolean;
  readonly assumePublic: readonly string[];
  readonly json?: boolean;
}

/** The TTL of records that nobody has published before. */
const NEW_TTL_SECONDS = 3600;
/** While nothing is to be done but to wait, this often is enough to notice that a record is gone again. */
const LONGEST_PAUSE_SECONDS = 600;

interface Asked {
  readonly host: DomainName;
  /** "_25._tcp.mail.example.org" */
  readonly owner: DomainName;
  readonly next: TlsaData;
  readonly current: TlsaData | undefined;
}

interface Holder {
  readonly zone: DomainName;
  readonly provider: Provider;
}

interface Round {
  readonly look: TlsaLook;
  readonly turn: TlsaTurn;
  readonly written: Written | undefined;
}

type Written =
  | { readonly status: "nothing-to-change" }
  | { readonly status: "changed"; readonly change: RrsetChange }
  /** The provider took the change, and the zone is not as it should be. */
  | { readonly status: "not-there"; readonly detail: string }
  | ProviderFailure;

export async function runTlsaNext(options: TlsaNextOptions, tools: Tools): Promise<ExitCode> {
  const read = readAsked(options, tools);
  const directory = stateDirectory(options.state, tools);
  const { terminal } = tools;
  const opened = await tools.openWorld({
    ...viewSettings(options, tools),
    ...(!options.dnsOnly && { probes: { authorities: [] } }),
  });
  let state: OpenedState | undefined;
  const startedAt = tools.now().getTime();
  const elapsed = () => (tools.now().getTime() - startedAt) / 1000;
  const clear = () => {
    if (terminal.isInteractive) terminal.err("\r\u001b[K");
  };
  let told = "";
  try {
    const asked = { ...read, owner: await endOfAliases(read.owner, opened.world) };
    const holder = options.publish ? await openHolder(asked.owner, options, tools) : undefined;
    state = await openStateOf(directory, tools);
    for (;;) {
      const round = await goRound(asked, opened.world, state.tlsaSightings, holder, options, tools);
      const { turn, written } = round;
      const pause = pauseSeconds(turn, options, tools);
      const isOver = !options.wait || isSettled(round) || elapsed() + pause > options.timeout;
      const text = roundText(asked, round, tools);
      // What is to be published has to be known while it is waited for.
      const key = `${turn.action} ${written?.status}`;
      clear();
      if (!options.json && (isOver || key !== told)) terminal.out(text);
      told = key;
      if (isOver) {
        if (options.json) terminal.out(`${JSON.stringify(roundJson(asked, round), null, 2)}\n`);
        return exitOf(round);
      }
      if (terminal.isInteractive) terminal.err(visible(turn.reason).slice(0, terminal.columns - 1));
      await tools.sleep(1000 * pause);
    }
  } finally {
    clear();
    await state?.close();
    await opened.close();
  }
}

function readAsked(options: TlsaNextOptions, tools: Tools): Asked {
  const host = readDomain(options.host);
  const owner = tryPrepend("_25._tcp", host);
  if (owner === undefined) throw new UsageError(`${host} is so long that no TLSA name fits in front of it`);
  const current = options.current === undefined ? undefined : readKey("--current", options.current, tools);
  return { host, owner, next: readKey("--key", options.key, tools), current };
}

function readKey(option: string, path: string, tools: Tools): TlsaData {
  const text = readFileNamed(path, tools);
  const isCertificate = text.includes("-----BEGIN CERTIFICATE-----");
  const tlsa = isCertificate ? tlsaFromCertificate(text) : tlsaFromPublicKey(text);
  if (!tlsa.ok) throw new UsageError(`${option} ${path}: ${tlsa.problem}`);
  return tlsa.value;
}

async function openHolder(owner: DomainName, { config }: TlsaNextOptions, tools: Tools): Promise<Holder> {
  const description = loadDescription(config, tools);
  const zone = zonesOf(description)
    .filter((one) => isWithin(owner, one))
    .sort((one, other) => other.length - one.length)[0];
  const entry = zone && entryOf(zone, description);
  if (entry === undefined) {
    throw new UsageError(
      `--publish: ${config} does not say who holds the zone of ${owner}: add it under publish (docs/reference/configuration.md)`,
    );
  }
  return { zone: zone!, provider: await tools.openProvider(entry, zone!) };
}

async function goRound(
  { host, owner, next, current }: Asked,
  world: World,
  store: TlsaSightingStore,
  holder: Holder | undefined,
  options: TlsaNextOptions,
  tools: Tools,
): Promise<Round> {
  const [perServer, live] = await Promise.all([
    lookAtServers(owner, world),
    options.dnsOnly ? [] : lookAtHost(host, world, options),
  ]);
  const look: TlsaLook = {
    perServer,
    next,
    live,
    sighting: (await store.get(owner, next)) ?? {},
    ...(current && { current }),
    ...(options.oldTtl !== undefined && { oldTtlSeconds: options.oldTtl }),
  };
  const turn = nextTlsaStep(look, tools.now());
  await store.put(owner, next, turn.sighting);
  const isChange = turn.missing.length > 0 || turn.obsolete.length > 0;
  const written = holder && isChange ? await write(owner, turn, holder) : undefined;
  return { look, turn, written };
}

/** More than anybody has in a row. */
const MAX_ALIASES = 8;

/** RFC 7671 §6: the records may stand elsewhere, at the end of a CNAME; there they are changed. */
async function endOfAliases(owner: DomainName, { authoritative }: World): Promise<DomainName> {
  let name = owner;
  for (let count = 0; count < MAX_ALIASES; count++) {
    const answer = await authoritative.lookup(name, "CNAME");
    if (answer.status !== "found") return name;
    name = answer.records[0]!.data.target;
  }
  throw new UsageError(`${owner} is an alias of an alias, more than ${MAX_ALIASES} times: make it shorter`);
}

async function lookAtServers(owner: DomainName, world: World): Promise<readonly TlsaServerSight[]> {
  const { authoritative } = world;
  const answers = await authoritative.askEveryServer(owner, "TLSA");
  const own = await authoritative.findZone(owner);
  const holding = own.status === "absent" ? await authoritative.findZone(own.closest) : own;
  // Others may know the address of a name server that we do not find.
  const unfound = holding.status === "found" ? holding.zone.unresolvable : [];
  const silent = unfound.map(({ name }): TlsaServerSight => ({ server: name, records: undefined }));
  const told = answers.map(({ server, answer }): TlsaServerSight => {
    switch (answer.status) {
      case "found": {
        const ttlSeconds = Math.max(...answer.records.map((record) => record.ttlSeconds));
        return { server: server.name, ttlSeconds, records: answer.records.map(({ data }) => data) };
      }
      case "absent":
        return { server: server.name, records: [] };
      case "unknown":
        return { server: server.name, records: undefined };
      default:
        return answer satisfies never;
    }
  });
  return [...told, ...silent];
}

async function lookAtHost(
  host: DomainName,
  world: World,
  { allowPrivate = false, assumePublic }: TlsaNextOptions,
): Promise<readonly LiveKey[]> {
  const networks = readNetworks("--assume-public", assumePublic);
  const context = new Context(host, world, { dkimSelectors: [], assumePublic: networks, allowPrivate });
  const { addresses, untold } = await hostAddresses(host, context);
  const keys = addresses.map(async (address): Promise<LiveKey> => {
    const at = socketText(address, 25);
    if (!context.mayConnectTo(address)) return { at, key: undefined };
    const probe = await context.probeService({ protocol: "smtp", address, port: 25, host });
    const tls = probe.status === "answered" && probe.tls.status === "established" ? probe.tls : undefined;
    return { at, key: tls?.chain[0] && keyOf(tls.chain[0].der) };
  });
  const missing = untold.map(
    (): LiveKey => ({ at: `an address of ${host} that DNS did not tell`, key: undefined }),
  );
  return [...(await Promise.all(keys)), ...missing];
}

function keyOf(der: Uint8Array): TlsaData | undefined {
  const pem = `-----BEGIN CERTIFICATE-----\n${Buffer.from(der).toString("base64")}\n-----END CERTIFICATE-----\n`;
  const tlsa = tlsaFromCertificate(pem);
  return tlsa.ok ? tlsa.value : undefined;
}

/** Adds what is missing, takes away what is obsolete; whatever else stands there stays. Then reads it back. */
async function write(owner: DomainName, turn: TlsaTurn, { zone, provider }: Holder): Promise<Written> {
  const before = await readTlsa(owner, zone, provider);
  if (before !== undefined && "status" in before) return before;
  const isObsolete = (data: Rrset["data"][number]) => turn.obsolete.some((one) => sameData([one], [data]));
  const kept = (before?.data ?? []).filter((data) => !isObsolete(data));
  const added = turn.missing.filter((one) => !kept.some((data) => sameData([one], [data])));
  const data = [...kept, ...added];
  if (sameData(data, before?.data ?? [])) return { status: "nothing-to-change" };
  // A host that had records is never left without.
  if (data.length === 0) return { status: "nothing-to-change" };
  const ttlSeconds = before?.ttlSeconds ?? NEW_TTL_SECONDS;
  const change: RrsetChange = {
    name: owner,
    type: "TLSA",
    before,
    after: { name: owner, type: "TLSA", ttlSeconds, data },
  };
  const outcome = await provider.apply(zone, [change]);
  if (outcome.status === "failed") return outcome;
  if (outcome.status === "interrupted") return outcome.failure;
  if (outcome.status === "stale") return { status: "not-there", detail: outcome.detail };
  const after = await readTlsa(owner, zone, provider);
  if (after !== undefined && "status" in after) return after;
  if (sameData(after?.data ?? [], data)) return { status: "changed", change };
  return { status: "not-there", detail: `${provider.title} took the change, and the zone does not show it` };
}

async function readTlsa(
  owner: DomainName,
  zone: DomainName,
  provider: Provider,
): Promise<Rrset | ProviderFailure | undefined> {
  const outcome = await provider.readZone(zone);
  if (outcome.status !== "read") return outcome;
  return outcome.content.rrsets.find(({ name, type }) => name === owner && type === "TLSA");
}

/** What waiting would not change. */
function isSettled({ turn, written }: Round): boolean {
  if (written?.status === "failed" && failureExit(written) === EXIT.errors) return true;
  return turn.mayDeploy || (turn.action === "trouble" && written?.status !== "changed");
}

function pauseSeconds({ until }: TlsaTurn, { interval }: TlsaNextOptions, { now }: Tools): number {
  if (until === undefined) return interval;
  const left = (until.getTime() - now().getTime()) / 1000;
  return Math.min(Math.max(left, 1), Math.max(interval, LONGEST_PAUSE_SECONDS));
}

function exitOf({ turn, written }: Round): ExitCode {
  if (turn.action === "trouble") return EXIT.errors;
  if (written?.status === "failed") return failureExit(written);
  if (turn.isUntold) return EXIT.unknown;
  return turn.mayDeploy ? EXIT.ok : EXIT.warnings;
}

const HEADINGS: Readonly<Record<TlsaTurn["action"], string>> = {
  "publish-next": "publish the next record; do not deploy",
  wait: "wait",
  deploy: "the certificate with the next key may be deployed",
  "remove-old": "take the old record away",
  done: "done",
  trouble: "trouble",
};

function roundText(
  { owner, next, current }: Asked,
  { look, turn, written }: Round,
  { terminal }: Tools,
): string {
  const { style, columns } = terminal;
  const { action, until, reason, records, missing, obsolete, mayDeploy } = turn;
  const paint = action === "trouble" ? style.red : mayDeploy ? style.green : style.yellow;
  const has = (list: readonly TlsaData[], one: TlsaData) =>
    list.some((each) => formatTlsa(each) === formatTlsa(one));
  const old = turn.sighting.current ?? current;
  const line = (data: TlsaData, mark: string) => {
    const role = has([next], data) ? "  (next)" : old && has([old], data) ? "  (current)" : "";
    return `  ${mark} ${visible(`${owner}. IN TLSA ${formatTlsa(data)}`)}${style.dim(role)}`;
  };
  const blocks = [
    `${style.bold(visible(owner))}  ${paint(action === "wait" && mayDeploy ? "deployed; wait" : HEADINGS[action])}`,
    wrap(visible(`${reason}.`), columns, "  "),
    ...(until ? [`  until ${timeText(until)}`] : []),
    ...records.map((data) => line(data, has(missing, data) ? style.green("+") : " ")),
    ...obsolete.map((data) => line(data, style.red("-"))),
    ...look.perServer.map(({ server, records: shown }) =>
      style.dim(
        visible(
          `  ${server}: ${shown === undefined ? "no answer" : has(shown, next) ? "has it" : "lacks it"}`,
        ),
      ),
    ),
    ...look.live.map(({ at, key }) =>
      style.dim(
        visible(
          `  ${at}: ${key === undefined ? "could not be told" : has([next], key) ? "shows the next key" : "shows another key"}`,
        ),
      ),
    ),
    ...(written ? [`  ${visible(writtenText(written))}`] : []),
  ];
  return `${blocks.join("\n")}\n`;
}

function writtenText(written: Written): string {
  switch (written.status) {
    case "nothing-to-change":
      return "the zone has it already; the name servers follow";
    case "changed":
      return "written into the zone, and read back";
    case "not-there":
      return `not written: ${written.detail}`;
    case "failed":
      return `not written: ${written.cause}: ${written.detail}`;
    default:
      return written satisfies never;
  }
}

function roundJson({ host, owner, next }: Asked, { look, turn, written }: Round): object {
  const { action, mayDeploy, until, reason, records, missing, obsolete, sighting } = turn;
  return {
    host,
    owner,
    action,
    mayDeploy,
    until: until?.toISOString() ?? null,
    reason,
    records: records.map(formatTlsa),
    missing: missing.map(formatTlsa),
    obsolete: obsolete.map(formatTlsa),
    next: formatTlsa(next),
    current: sighting.current ? formatTlsa(sighting.current) : null,
    everywhereSince: sighting.everywhereSince?.toISOString() ?? null,
    nameServers: look.perServer.map(({ server, records: shown, ttlSeconds }) => ({
      server,
      records: shown?.map(formatTlsa) ?? null,
      ttlSeconds: ttlSeconds ?? null,
    })),
    live: look.live.map(({ at, key }) => ({ at, key: key ? formatTlsa(key) : null })),
    written: written ? { status: written.status, text: writtenText(written) } : null,
  };
}
