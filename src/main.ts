#!/usr/bin/env node
/** Wiring only: joins the rooms to the real world, in their order. */
import { randomBytes, randomUUID, sign } from "node:crypto";
import { once } from "node:events";
import {
  appendFileSync,
  createReadStream,
  existsSync,
  fstatSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { availableParallelism, hostname, networkInterfaces, tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { createInterface } from "node:readline/promises";
import { Writable } from "node:stream";
import { text as readAll } from "node:stream/consumers";
import { setTimeout as sleep } from "node:timers/promises";
import { setFlagsFromString } from "node:v8";
import { getDomain } from "tldts";
import { auditEntry } from "./access/audit.ts";
import { createSecretBox } from "./access/secret-box.ts";
import { openSetup } from "./access/setup.ts";
import { USUAL_BLOCK_LISTS } from "./check/block-lists.ts";
import type { CheckOptions, World } from "./check/context.ts";
import type { Prober } from "./check/probe.ts";
import { shownSettings } from "./config/shown-settings.ts";
import { readNetworks } from "./interface/cli/argument.ts";
import { UsageError } from "./interface/cli/exit-code.ts";
import { runCli, VERSION } from "./interface/cli/program.ts";
import { createStyle, wantsColours } from "./interface/cli/terminal.ts";
import type {
  DescribedFile,
  MilterJob,
  OpenedState,
  OpenedWorld,
  ProbeSettings,
  ServeHandle,
  ServeJob,
  ViewSettings,
} from "./interface/cli/tools.ts";
import type { SavedState } from "./interface/http/parts.ts";
import { generateDkimKeyPair } from "./keys/generate.ts";
import { type MasterKey, newMasterKeyText, readMasterKey } from "./keys/sealing.ts";
import type { MailSink, MailSinkSettings } from "./milter/mail-exchange.ts";
import { formatMetricsOf } from "./milter/metrics.ts";
import { Milter } from "./milter/milter.ts";
import { createAlertPost } from "./net/alert-post.ts";
import { EVER, type Since } from "./net/answer-cache.ts";
import { openBudgetedResolver } from "./net/budgeted-resolver.ts";
import { type DnsServer, startDnsServer } from "./net/dns-server.ts";
import { createDnsTransport } from "./net/dns-transport.ts";
import { createDnsUpdateClient } from "./net/dns-update-client.ts";
import { createHttpClient } from "./net/http-client.ts";
import { createLocalSubmission, createMailSubmission } from "./net/mail-submission.ts";
import { type DaemonService, runMilterDaemon } from "./net/milter-daemon.ts";
import { isCrewMember } from "./net/milter-workers.ts";
import { createPasskeyVerifier } from "./net/passkey-verifier.ts";
import { createRecursiveView, createRecursiveViews } from "./net/recursive-resolver.ts";
import { parseRootHints, ROOT_HINTS } from "./net/root-hints.ts";
import { selfSignedCertificate } from "./net/self-signed-certificate.ts";
import { parseServerAddress, type ServerAddress } from "./net/server-address.ts";
import { createProber } from "./net/service-probe.ts";
import { startSmtpSink } from "./net/smtp-sink.ts";
import { readSystemResolvers } from "./net/system-resolvers.ts";
import { startTrapListener } from "./net/trap-listener.ts";
import { createZoneFileAccess } from "./net/zone-file-access.ts";
import { createAuthoritativeView, createAuthoritativeViews } from "./net/zone-survey.ts";
import type { Provider } from "./publish/provider.ts";
import { createCloudflareProvider } from "./publish/providers/cloudflare.ts";
import { createDesecProvider } from "./publish/providers/desec.ts";
import { createDigitaloceanProvider } from "./publish/providers/digitalocean.ts";
import { createGandiProvider } from "./publish/providers/gandi.ts";
import { createHetznerProvider } from "./publish/providers/hetzner.ts";
import { createPowerdnsProvider } from "./publish/providers/powerdns.ts";
import { createRfc2136Provider } from "./publish/providers/rfc2136.ts";
import { createRoute53Provider } from "./publish/providers/route53.ts";
import { createZoneFileProvider } from "./publish/providers/zone-file.ts";
import { Secret } from "./publish/secret.ts";
import {
  type EnteredProvider,
  type PublishEntry,
  publishEntry,
  type SecretSource,
} from "./records/publish-settings.ts";
import { type SignData, signNow } from "./standards/dkim/sign.ts";
import { createFailoverResolver } from "./standards/dns/failover-resolver.ts";
import { type DomainName, isWithin, parseDomainName } from "./standards/dns/name.ts";
import { parseTsigKey } from "./standards/dns/tsig.ts";
import type { OpenedStore } from "./store/open.ts";
import { StoreTrouble } from "./store/trouble.ts";
import type { AlertChannel } from "./watch/alert.ts";
import { type Alerts, type AlertTools, createAlerts } from "./watch/alerts.ts";
import { takeInFile } from "./watch/described-file.ts";
import { createStoredJobQueue, type JobQueue, MAX_ATTEMPTS } from "./watch/job-queue.ts";
import { lookAtAll } from "./watch/look-again.ts";
import { keepRotation } from "./watch/rotation-driver.ts";
import { DEFAULT_SCHEDULE } from "./watch/schedule.ts";
import { createWatcher, DEFAULT_WATCHER, watcherMetrics } from "./watch/watcher.ts";

/** As many resolvers as are worth comparing by default: each is asked the same questions. */
const MAX_SYSTEM_RESOLVERS = 2;

/** What many domains share (includes, hosts of providers) is asked for often enough to stay. */
const MAX_CACHE_ENTRIES = 10_000;

/** With views of their own for each look, which remember together. */
interface KeptWorld extends OpenedWorld {
  readonly worldSince: (since: Since) => World;
}

async function openWorld(settings: ViewSettings): Promise<KeptWorld> {
  // Nearly all that a check allocates is soon garbage: collecting it a little earlier halves the memory of long runs.
  setFlagsFromString("--heap-growing-percent=40");
  const hints = settings.rootHints === undefined ? undefined : readHints(settings.rootHints);
  const resolvers = settings.resolvers.map(readResolver);
  // Below another root the system's resolvers know nothing.
  const servers = resolvers.length > 0 || hints ? resolvers : await systemResolvers();
  const transport = createDnsTransport();
  const now = Date.now;
  const authoritative = createAuthoritativeViews({
    ...(hints ? { rootHints: hints.hints, start: hints.start } : { rootHints: ROOT_HINTS }),
    ...(settings.port && { port: settings.port }),
    transport,
    now,
    maxCacheEntries: MAX_CACHE_ENTRIES,
  });
  const recursive = servers.map((server) =>
    createRecursiveViews({
      server,
      transport,
      now,
      maxCacheEntries: MAX_CACHE_ENTRIES,
      keepsAnswers: settings.freshResolverAnswers !== true,
    }),
  );
  const prober = settings.probes && openProber(settings.probes);
  const worldSince = (since: Since): World => ({
    authoritative: authoritative(since),
    recursive: recursive.map((view) => view(since)),
    ...(prober && { prober }),
    now: new Date(),
    organizationalDomain: registrableDomain,
    randomLabel: () => `zonepost-${randomBytes(6).toString("hex")}`,
  });
  return {
    world: worldSince(EVER),
    worldSince,
    queriesSent: () => transport.sentCount,
    close: async () => transport.close(),
  };
}

function openProber({ authorities }: ProbeSettings): Prober {
  for (const [at, pem] of authorities.entries()) {
    if (!pem.includes("-----BEGIN CERTIFICATE-----"))
      throw new UsageError(`--trust: file ${at + 1} holds no certificate in PEM`);
  }
  return createProber({ ca: authorities, heloName: heloName() });
}

/** With a certificate that signs itself where none is given: senders encrypt to that too. */
async function startMailSink(settings: Omit<MailSinkSettings, "hostName">): Promise<MailSink> {
  const hostName = heloName();
  const certificate = settings.certificate ?? (await makeCertificate(hostName));
  return startSmtpSink({ ...settings, hostName, certificate, now: () => new Date() });
}

async function makeCertificate(name: string): Promise<{ chain: string; key: string }> {
  const { privateKey } = await generateDkimKeyPair({ algorithm: "rsa", modulusBits: 2048 });
  const key = privateKey.export({ type: "pkcs8", format: "pem" }).toString();
  const day = 86_400_000;
  const validity = { notBefore: new Date(Date.now() - day), notAfter: new Date(Date.now() + 7 * day) };
  return { chain: selfSignedCertificate({ name, privateKey: key, ...validity }), key };
}

/** RFC 5321 §4.1.4: the host's name, or an address literal where it has none that others know. */
function heloName(): string {
  if (/^[a-z0-9-]+(\.[a-z0-9-]+)+$/i.test(hostname())) return hostname();
  const own = Object.values(networkInterfaces()).flatMap((addresses) => addresses ?? []);
  const address = own.find(({ family, internal }) => family === "IPv4" && !internal)?.address;
  return `[${address ?? "127.0.0.1"}]`;
}

const storeFile = (directory: string): string => join(directory, "zonepost.db");

/** Undefined: a file of SQLite. The environment has the last word. */
const databaseUrl = (database: SecretSource | undefined): string | undefined =>
  process.env["ZONEPOST_DATABASE"] || (database && readSecret(database, "database").reveal());

/** Keys are sealed by a key in the directory, wherever the rest lies. */
async function openState(directory: string, database: SecretSource | undefined): Promise<OpenedStore> {
  const said = process.env["ZONEPOST_DATABASE"];
  const url = databaseUrl(database);
  try {
    const { openStore } = await import("./store/open.ts");
    return await openStore(url ? { kind: "postgres", url } : { kind: "sqlite", path: storeFile(directory) });
  } catch (error) {
    throw new UsageError(
      `${url ? (said ? "ZONEPOST_DATABASE" : "database") : `--state ${directory}`}: ${(error as Error).message}`,
    );
  }
}

async function restoreState(
  file: string,
  directory: string,
  database: SecretSource | undefined,
): Promise<{ before: string | undefined }> {
  if (process.env["ZONEPOST_DATABASE"] || database)
    throw new UsageError(
      "the state lies in a database (ZONEPOST_DATABASE, or database in the settings): PostgreSQL is brought back with its own tools, pg_restore or psql",
    );
  const { restoreSqlite } = await import("./store/sqlite-file.ts");
  return restoreSqlite(file, storeFile(directory));
}

/** What a file holds, an environment variable, or a systemd credential; or the secret itself, as entered over the API. */
function readSecret(source: SecretSource | string, where: string): Secret {
  if (typeof source === "string") return new Secret(source);
  const { file, env, credential } = source;
  const missing = (what: string) => new UsageError(`${where}: ${what}`);
  if (env !== undefined) {
    const text = process.env[env];
    if (!text) throw missing(`the environment variable ${env} is not set`);
    return new Secret(text);
  }
  const directory = process.env["CREDENTIALS_DIRECTORY"];
  if (credential !== undefined && directory === undefined)
    throw missing(`there is no credential ${credential}: systemd has passed none`);
  const path = credential === undefined ? file! : join(directory!, credential);
  try {
    return new Secret(readFileSync(path, "utf8").trim());
  } catch (error) {
    throw missing((error as Error).message);
  }
}

async function openProvider(entry: PublishEntry | EnteredProvider, zone: DomainName): Promise<Provider> {
  switch (entry.provider) {
    case "rfc2136": {
      const server = parseServerAddress(entry.server);
      if (!server.ok) throw new UsageError(`publish, server: ${server.problem}`);
      const { name, algorithm } = entry.key;
      const secret = readSecret(entry.key.secret, "publish, key.secret").reveal();
      const key = parseTsigKey({ name, algorithm, secret });
      if (!key.ok) throw new UsageError(`publish, key: ${key.problem}`);
      return createRfc2136Provider(
        createDnsUpdateClient({ server: server.value, key: key.value, now: Date.now }),
      );
    }
    case "zone-file":
      return createZoneFileProvider({
        file: openZoneFile(entry, zone),
        zone,
        mode: entry.fragment ? "fragment" : "whole",
        now: Date.now,
      });
    case "powerdns": {
      const apiKey = readSecret(entry.apiKey, "publish, apiKey");
      return createPowerdnsProvider({ ...apiMeans(), url: entry.url, server: entry.server, apiKey });
    }
    case "cloudflare":
      return createCloudflareProvider({ ...apiMeans(), token: readSecret(entry.token, "publish, token") });
    case "desec":
      return createDesecProvider({ ...apiMeans(), token: readSecret(entry.token, "publish, token") });
    case "gandi":
      return createGandiProvider({ ...apiMeans(), token: readSecret(entry.token, "publish, token") });
    case "hetzner":
      return createHetznerProvider({ ...apiMeans(), token: readSecret(entry.token, "publish, token") });
    case "digitalocean":
      return createDigitaloceanProvider({ ...apiMeans(), token: readSecret(entry.token, "publish, token") });
    case "route53":
      return createRoute53Provider({
        ...apiMeans(),
        accessKeyId: readSecret(entry.accessKeyId, "publish, accessKeyId"),
        secretAccessKey: readSecret(entry.secretAccessKey, "publish, secretAccessKey"),
        now: Date.now,
      });
    default:
      return entry satisfies never;
  }
}

function openZoneFile(
  { file, check, reload }: Extract<PublishEntry, { provider: "zone-file" }>,
  zone: DomainName,
) {
  const path = file.replaceAll("{zone}", zone);
  // The program gets the path of the new text where net/ has "{}".
  const words = (command: readonly string[] | undefined) => {
    const [program, ...rest] = (command ?? []).map((word) =>
      word.replaceAll("{zone}", zone).replaceAll("{file}", "{}"),
    );
    return program === undefined ? undefined : ([program, ...rest] as const);
  };
  return createZoneFileAccess({ path, check: words(check), reload: words(reload) });
}

/** Connections are kept for the next request, and end with the program. */
const httpClient = createHttpClient();
const apiMeans = () => ({ http: httpClient.request, sleep: (milliseconds: number) => sleep(milliseconds) });

/** Beside its place first, so that nobody ever finds half of it. */
function writePrivateFile(
  path: string,
  content: string,
  { overwrite }: { readonly overwrite: boolean },
): void {
  mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
  if (!overwrite) {
    writeFileSync(path, content, { flag: "wx", mode: 0o600, flush: true });
    return;
  }
  const beside = `${path}.${randomBytes(6).toString("hex")}`;
  writeFileSync(beside, content, { flag: "wx", mode: 0o600, flush: true });
  renameSync(beside, path);
}

async function readStdinOctets(maxOctets: number): Promise<Uint8Array | undefined> {
  const chunks: Buffer[] = [];
  let octets = 0;
  for await (const chunk of process.stdin) {
    octets += chunk.length;
    if (octets > maxOctets) return undefined;
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}

/** More than any folder of keys holds. */
const MAX_LISTED_FILES = 10_000;

function listFiles(folder: string): readonly string[] | undefined {
  if (!existsSync(folder) || !statSync(folder).isDirectory()) return undefined;
  const found = readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name).slice(folder.replace(/\/+$/, "").length + 1));
  if (found.length > MAX_LISTED_FILES)
    throw new UsageError(`${folder} holds more than ${MAX_LISTED_FILES} files`);
  return found.sort();
}

/** None where the system has no resolv.conf: then only the name servers themselves are asked. */
async function systemResolvers(): Promise<readonly ServerAddress[]> {
  const servers = await readSystemResolvers().catch(() => []);
  return servers.slice(0, MAX_SYSTEM_RESOLVERS);
}

function readHints(text: string) {
  const hints = parseRootHints(text);
  if (!hints.ok) throw new UsageError(`--root-hints: ${hints.problem}`);
  return hints.value;
}

function readResolver(text: string): ServerAddress {
  const server = parseServerAddress(text);
  if (!server.ok) throw new UsageError(`--resolver: ${server.problem}`);
  return server.value;
}

function registrableDomain(name: DomainName): DomainName | undefined {
  const domain = getDomain(name, { allowPrivateDomains: false, validateHostname: false });
  const parsed = domain === null ? undefined : parseDomainName(domain);
  return parsed?.ok ? parsed.value : undefined;
}

/** Enough for SPF with all its lookups, eight signatures, fifty seals and DMARC of several domains. */
const DNS_QUERIES_OF_A_MESSAGE = 250;
const MILTER_INTERVAL_MILLISECONDS = 60_000;
const MAX_MILTER_PROCESSES = 4;

async function openMilter(job: MilterJob, processes: number): Promise<DaemonService> {
  const transport = createDnsTransport();
  const servers = job.resolvers.length > 0 ? job.resolvers.map(readResolver) : await systemResolvers();
  if (servers.length === 0) throw new UsageError("this system has no resolver: name one with --resolver");
  const resolver = createFailoverResolver(
    servers.map((server) => createRecursiveView({ server, transport, now: Date.now })),
  );
  // What is said in one turn is written at once: a line for each message would be a system call for each.
  const lines: string[] = [];
  const writeLines = () => {
    if (lines.length > 0) job.onLines(lines.splice(0));
  };
  const budget = { milliseconds: job.dnsMilliseconds, queries: DNS_QUERIES_OF_A_MESSAGE };
  const milter = await Milter.open({
    ...job,
    openResolver: () => openBudgetedResolver(resolver, budget),
    now: () => new Date(),
    after(milliseconds, action) {
      const timer = setTimeout(action, milliseconds);
      return () => clearTimeout(timer);
    },
    // With a process for each core, to hand a signature to a thread costs more than it gains; alone, it gains a core.
    signData: processes === 1 ? signElsewhere : signNow,
    onLine: (line) => {
      if (lines.length === 0) setImmediate(writeLines);
      lines.push(line);
    },
  });
  const interval = setInterval(() => void job.onInterval(), MILTER_INTERVAL_MILLISECONDS);
  return Object.assign(milter, {
    async close() {
      clearInterval(interval);
      writeLines();
      await job.onInterval();
      transport.close();
    },
  });
}

async function serveMilter(job: MilterJob): Promise<void> {
  // Said by the first process, before others would say it each for themselves.
  job.resolvers.forEach(readResolver);
  const processes = job.workers ?? Math.min(availableParallelism(), MAX_MILTER_PROCESSES);
  await runMilterDaemon({
    address: job.address,
    mode: job.socketMode,
    ...(job.socketGroup !== undefined && { groupId: groupNumber(job.socketGroup) }),
    processes,
    openService: () => openMilter(job, processes),
    graceMilliseconds: job.graceMilliseconds,
    ...(job.metrics && { metrics: { ...job.metrics, format: formatMetricsOf } }),
    onListening: job.onListening,
    onTrouble: job.onTrouble,
    untilInterrupted,
  });
}

/** In a thread of the pool, while the event loop goes on with other messages. */
const signElsewhere: SignData = (key, data) =>
  key.keyType === "rsa"
    ? new Promise((resolve, reject) => {
        sign("sha256", data, key.privateKey, (error, signature) =>
          error ? reject(error) : resolve(signature),
        );
      })
    : signNow(key, data);

function groupNumber(name: string): number {
  if (/^\d+$/.test(name)) return Number(name);
  const line = readFileSync("/etc/group", "utf8")
    .split("\n")
    .find((group) => group.startsWith(`${name}:`));
  if (line === undefined) throw new UsageError(`--socket-group: there is no group ${name}`);
  return Number(line.split(":")[2]);
}

/** Sessions and tries whose time is over are forgotten this often. */
const SWEEP_MILLISECONDS = 600_000;
/** So long a provider that was taken away can be brought back. */
const REMOVED_MILLISECONDS = 3_600_000;
const HISTORY_MILLISECONDS = 400 * 86_400_000;
const JOBS_AT_ONCE = 8;

/** What the server of `zonepost serve` stands in: the real world, or that of the demo. */
interface Surroundings {
  readonly state: OpenedStore;
  /** Of the PostgreSQL in which the state lies. */
  readonly databaseUrl: string | undefined;
  readonly master: MasterKey;
  /**
   * The world as it is from now on. What many domains share may be as old as that: for a look at this domain, whose
   * last one was `before`.
   */
  readonly world: (look?: { readonly domain: DomainName; readonly before: Date | undefined }) => World;
  readonly checkOptions: Omit<CheckOptions, "description" | "derived">;
  readonly publishEntries: readonly PublishEntry[];
  readonly openProvider: (entry: PublishEntry | EnteredProvider, zone: DomainName) => Promise<Provider>;
  readonly sleep: (milliseconds: number) => Promise<void>;
  readonly accounts?: ServeHandle["accounts"];
  /** In place of the settings' channels, and of the ways to them. */
  readonly alerts?: Pick<AlertTools, "sendMail" | "post"> & { readonly channels: readonly AlertChannel[] };
  readonly close: () => Promise<void>;
}

async function openSurroundings(settings: ServeJob["settings"], directory: string): Promise<Surroundings> {
  // Whatever is wrong with the settings is said before anything is opened.
  const publishEntries = settings.publish.map((entry, at) => readPublishEntry(entry, `publish[${at}]`));
  const assumePublic = readNetworks("check.assumePublic", settings.check.assumePublic);
  const authorities = settings.check.trust.map((path) => readSettingsFile(path, "check.trust"));
  const { rootHints, resolvers, port } = settings.dns;
  const opened = await openWorld({
    resolvers,
    ...(rootHints !== undefined && { rootHints: readSettingsFile(rootHints, "dns.rootHints") }),
    ...(port !== undefined && { port }),
    probes: { authorities },
  });
  const database = settings.database as SecretSource | undefined;
  const state = await openState(directory, database);
  return {
    state,
    databaseUrl: databaseUrl(database),
    master: await readServerSealKey(settings, directory, state),
    world(look) {
      const now = Date.now();
      if (look === undefined) return opened.worldSince(() => now);
      const { domain, before } = look;
      const othersSince = before?.getTime() ?? 0;
      return opened.worldSince((name) => (isWithin(name, domain) ? now : othersSince));
    },
    checkOptions: {
      dkimSelectors: [],
      assumePublic,
      allowPrivate: settings.check.allowPrivate,
      blockLists: USUAL_BLOCK_LISTS,
    },
    publishEntries,
    openProvider,
    sleep: (milliseconds) => sleep(milliseconds),
    async close() {
      await opened.close();
      await state.close();
    },
  };
}

/** Waits for caches that nobody has. */
const MAX_DEMO_WAIT_MILLISECONDS = 2_000;

/** Nothing of it is on a disk, and no packet leaves loopback: the prober has no sockets. */
async function openDemo(logLine: ServeJob["logLine"]): Promise<Surroundings> {
  const {
    makeDemo,
    fillDemo,
    DEMO_ACCOUNTS,
    DEMO_ALERTS,
    DEMO_CHECK_OPTIONS,
    DEMO_PASSWORD,
    DEMO_PUBLISH_ENTRY,
  } = await import("./demo/demo.ts");
  const { DEMO_ROOT } = await import("./demo/zone.ts");
  const random = (count: number) => randomBytes(count);
  const now = () => new Date();
  const master = readMasterKey(randomBytes(32));
  if (!master.ok) throw new TypeError(master.problem);
  const nameServers: DnsServer[] = [];
  const demo = await makeDemo({
    makeKeyPair: generateDkimKeyPair,
    master: master.value,
    random,
    now,
    onChange() {
      for (const [at, { zones }] of demo.zones.servers().entries()) nameServers[at]!.replaceZones(zones);
    },
  });
  const transport = createDnsTransport();
  const { openStore } = await import("./store/open.ts");
  const state = await openStore({ kind: "memory" });
  let filling: Promise<void> = Promise.resolve();
  const close = async () => {
    transport.close();
    await filling.catch(() => undefined);
    await Promise.all([...nameServers.map((server) => server.close()), state.close()]);
  };
  const world = (): World => ({
    // Anew each time: what was changed is seen at once.
    authoritative: createAuthoritativeView({
      rootHints: [{ name: DEMO_ROOT.name, addresses: [DEMO_ROOT.address] }],
      port: nameServers[0]!.port,
      transport,
      now: Date.now,
      timeoutMilliseconds: 1_500,
      firstTimeoutMilliseconds: 200,
    }),
    recursive: [],
    prober: demo.prober,
    now: now(),
    organizationalDomain: registrableDomain,
    randomLabel: () => `zonepost-${randomBytes(6).toString("hex")}`,
  });
  try {
    for (const { address, zones, isSilent } of demo.zones.servers()) {
      const laboratory = isSilent ? { laboratory: { alter: () => undefined } } : {};
      const port = nameServers[0]?.port ?? 0;
      nameServers.push(await startDnsServer({ zones, address, port, ...laboratory }));
    }
    // What answers is known at the start; what is silent takes its time.
    ({ rest: filling } = await fillDemo(demo, state, world, { random, now }));
    filling.catch((error: Error) => logLine(`${JSON.stringify({ msg: error.message })}\n`));
  } catch (error) {
    await close();
    throw error;
  }
  return {
    state,
    databaseUrl: undefined,
    master: master.value,
    world,
    checkOptions: DEMO_CHECK_OPTIONS,
    publishEntries: [DEMO_PUBLISH_ENTRY],
    openProvider: async () => demo.zones.provider(),
    sleep: (milliseconds) => sleep(Math.min(milliseconds, MAX_DEMO_WAIT_MILLISECONDS)),
    accounts: DEMO_ACCOUNTS.map((account) => ({ ...account, password: DEMO_PASSWORD })),
    alerts: DEMO_ALERTS,
    close,
  };
}

/** The server of `zonepost serve`, joined to the real world. Its libraries are loaded for it alone. */
async function startServer({
  settings,
  settingsFile,
  directory,
  logLine,
  description,
}: ServeJob): Promise<ServeHandle> {
  const tls = readTls(settings);
  const [around, { createServer }] = await Promise.all([
    directory === undefined ? openDemo(logLine) : openSurroundings(settings, directory),
    import("./interface/http/server.ts"),
  ]);
  const { state, master } = around;
  const file = await followDescription(description, state, settings.watch.checksPerSecond);
  const random = (count: number) => randomBytes(count);
  const setup = await openSetup(state.access, new Date(), random);
  const hear = (msg: string) => logLine(`${JSON.stringify({ level: 40, time: Date.now(), msg })}\n`);
  const queue = openJobQueue(around, hear);
  const schedule = {
    intervalSeconds: 60 * settings.watch.intervalMinutes,
    confirmAfterSeconds: 60 * settings.watch.confirmMinutes,
    minimumSeconds: Math.min(DEFAULT_SCHEDULE.minimumSeconds, 60 * settings.watch.confirmMinutes),
  };
  const alerts = openAlerts(settings, around, queue);
  let log = settings.log;
  const { enabled, checksPerSecond, concurrency } = settings.watch;
  const watcher = createWatcher(
    { ...DEFAULT_WATCHER, schedule, checksPerSecond, concurrency },
    {
      store: state.watch,
      check: async ({ domain, checkedAt }) => {
        const { checkWatched } = await import("./interface/http/described.ts");
        const world = around.world({ domain, before: checkedAt });
        const keys = await state.keys.list(domain);
        if (keys.some(({ state: how }) => how !== "removed"))
          await keepRotation(domain, { queue, now: () => new Date() });
        return checkWatched(
          domain,
          { ...state, keys: { list: async () => keys } },
          world,
          around.checkOptions,
        );
      },
      tell: alerts.tell,
      now: () => new Date(),
      sleep: sleepUnless,
      onTrouble: hear,
    },
  );
  const { address, port } = settings.listen;
  const host = address.includes(":") ? `[${address}]` : address;
  const origin = settings.url ?? `${settings.tls ? "https" : "http"}://${host}:${port}`;
  const server = await createServer(
    {
      ...state,
      queue,
      schedule,
      checksPerSecond,
      alerts,
      metrics: () => watcherMetrics(watcher.counts()),
      world: around.world,
      checkOptions: around.checkOptions,
      descriptionFile: description?.name,
      get publishEntries() {
        return [...around.publishEntries, ...file.publishEntries()];
      },
      openProvider: around.openProvider,
      sealKey: () => master,
      box: createSecretBox(master.key, random),
      makeKeyPair: generateDkimKeyPair,
      passkeys: createPasskeyVerifier(origin),
      identity: await openIdentityProvider(settings, origin),
      setupLink: setup?.link,
      about: () => ({
        settingsFile,
        settings: shownSettings({ ...settings, log }),
        version: VERSION,
        runtime: `Node.js ${process.versions.node}`,
        stateDirectory: directory,
      }),
      saveState: around.databaseUrl === undefined ? () => saveState(state, directory) : undefined,
      pages: builtPages(),
      now: () => new Date(),
      random,
      sleep: around.sleep,
      every(milliseconds, act) {
        const timer = setInterval(act, milliseconds);
        return () => clearInterval(timer);
      },
      trouble: async () =>
        await state.ping().then(
          () => undefined,
          (error: Error) => error.message,
        ),
      storeTrouble: (error) => (error instanceof StoreTrouble ? error.kind : undefined),
      logLine,
    },
    {
      origin,
      trustedProxies: settings.trustedProxies,
      tls,
      times: {
        idleSeconds: settings.session.idleMinutes * 60,
        totalSeconds: settings.session.totalHours * 3_600,
      },
      logLevel: settings.log,
    },
  );
  const sweep = async () => {
    await state.access.sweep(new Date());
    await state.providers.sweep(new Date(Date.now() - REMOVED_MILLISECONDS));
    await state.watch.sweep(new Date(Date.now() - HISTORY_MILLISECONDS));
    await server.sweep();
  };
  const sweeping = setInterval(
    () => sweep().catch((error: Error) => hear(error.message)),
    SWEEP_MILLISECONDS,
  );
  const close = async () => {
    clearInterval(sweeping);
    // What is under way may tell something, or begin a job.
    await watcher.stop();
    await queue.stop();
    await around.close();
  };
  try {
    await server.app.listen({ host: address, port });
  } catch (error) {
    await close();
    throw new UsageError(`listen ${host}:${port}: ${(error as Error).message}`);
  }
  try {
    await queue.work({ ...server.handlers, ...alerts.handlers }, { concurrency: JOBS_AT_ONCE });
    if (alerts.channels.some(({ weeklyDigest }) => weeklyDigest)) await alerts.plan();
  } catch (error) {
    await server.stop();
    await close();
    throw new UsageError(`the jobs cannot be begun: ${(error as Error).message}`);
  }
  if (enabled) watcher.run().catch((error: Error) => hear(error.message));
  return {
    url: origin,
    setupSecret: setup?.secret,
    ...(around.accounts && { accounts: around.accounts }),
    async reload(next) {
      const certificate = readTls(next.settings);
      if (tls !== undefined && certificate !== undefined) {
        const { certificate: cert, key } = certificate;
        // Throws where the two do not belong together; connections that are open keep theirs.
        (server.app.server as unknown as SecureServer).setSecureContext({ cert, key });
      }
      log = next.settings.log;
      server.app.log.level = log;
      const left = Object.keys(settings).filter((name) => needsStart(name, settings, next.settings));
      return [
        ...(await file.reload(next.description)),
        `the settings are read again: log is ${next.settings.log}${tls ? ", the certificate is taken from its file" : ""}`,
        ...left.map((name) => `${name} has changed: it counts from the next start on`),
      ];
    },
    async stop() {
      await server.stop();
      await close();
    },
  };
}

/** On PostgreSQL nodes share the jobs; otherwise they are this process's own. */
function openJobQueue(
  { state: { jobs }, databaseUrl: url }: Surroundings,
  onTrouble: (trouble: string) => void,
): JobQueue {
  if (url === undefined)
    return createStoredJobQueue({
      store: jobs,
      now: () => new Date(),
      sleep: sleepUnless,
      newId: randomUUID,
      onTrouble,
    });
  return openAtFirstUse(async () => {
    const { openGraphileJobQueue } = await import("./net/graphile-job-queue.ts");
    return openGraphileJobQueue({ url, onTrouble, maxAttempts: MAX_ATTEMPTS });
  });
}

/** Its library takes long to load: the server listens first. */
function openAtFirstUse(open: () => Promise<JobQueue>): JobQueue {
  let opening: Promise<JobQueue> | undefined;
  const opened = (): Promise<JobQueue> => {
    opening ??= open().catch((error) => {
      opening = undefined;
      throw error;
    });
    return opening;
  };
  return {
    add: async (...words) => (await opened()).add(...words),
    work: async (...words) => (await opened()).work(...words),
    givenUp: async (...words) => (await opened()).givenUp(...words),
    stop: async () => (await opening)?.stop(),
  };
}

/** A copy beside the state, which goes as soon as it is open: what is sent then is gone with the connection. */
async function saveState(state: OpenedStore, directory: string | undefined): Promise<SavedState> {
  const folder = mkdtempSync(join(directory ?? tmpdir(), "backup-"));
  try {
    const path = join(folder, "zonepost.db");
    await state.backup(path);
    const fd = openSync(path, "r");
    return { octets: fstatSync(fd).size, content: createReadStream(path, { fd }) };
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

function openAlerts(
  { alerts }: ServeJob["settings"],
  { state, alerts: given }: Surroundings,
  queue: JobQueue,
): Alerts {
  const { groupMinutes, digest, mail, allowPrivate, allowPlain } = alerts;
  const submit =
    mail.host === undefined
      ? createLocalSubmission(mail.program)
      : createMailSubmission({
          host: mail.host,
          port: mail.port,
          tls: "starttls",
          authorities: [],
          // On this machine nobody listens in between.
          isTrustedBlindly: /^(?:localhost|127\.|::1$)/.test(mail.host),
          heloName: heloName(),
        });
  return createAlerts(
    {
      channels: given?.channels ?? alerts.channels.map(readChannel),
      groupSeconds: 60 * groupMinutes,
      digest,
    },
    {
      store: state.alertNews,
      watch: state.watch,
      queue,
      now: () => new Date(),
      onTold: ({ id }, { title, kind, severity }) =>
        state.access.audit(
          auditEntry(
            {
              actor: "system",
              address: undefined,
              action: "alert.told",
              target: id,
              details: { title, kind, severity },
            },
            new Date(),
            (count) => randomBytes(count),
          ),
        ),
      sendMail: async ({ mailFrom, rcptTo, message }) => {
        const outcome = await submit({ mailFrom, rcptTo, message });
        return outcome.status === "accepted"
          ? { status: "accepted" }
          : { status: outcome.status, detail: outcome.detail };
      },
      post: createAlertPost({ allowPrivate, allowPlain }),
      ...(given && { sendMail: given.sendMail, post: given.post }),
    },
  );
}

type ChannelSettings = ServeJob["settings"]["alerts"]["channels"][number];

function readChannel(settings: ChannelSettings, at: number): AlertChannel {
  const { id, minimumSeverity, quietHours, loudSeverity, weeklyDigest } = settings;
  const where = `alerts.channels[${at}]`;
  const domains = settings.domains?.map((text) => {
    const name = parseDomainName(text);
    if (!name.ok) throw new UsageError(`${where}.domains: ${text}: ${name.problem}`);
    return name.value;
  });
  const secret = (source: SecretSource, name: string) => readSecret(source, `${where}.${name}`);
  const shared = {
    id,
    minimumSeverity,
    weeklyDigest,
    ...(quietHours && { quietHours }),
    ...(loudSeverity && { loudSeverity }),
    ...(domains && { domains }),
  };
  switch (settings.kind) {
    case "email":
      return { ...shared, target: { kind: "email", from: settings.from, to: settings.to } };
    case "webhook": {
      const key = secret(settings.secret as SecretSource, "secret");
      return { ...shared, target: { kind: "webhook", url: settings.url, secret: key } };
    }
    case "ntfy": {
      const token = settings.token && secret(settings.token as SecretSource, "token");
      return { ...shared, target: { kind: "ntfy", url: settings.url, ...(token && { token }) } };
    }
    case "slack": {
      const url = secret(settings.url as SecretSource, "url").reveal();
      if (!URL.canParse(url)) throw new UsageError(`${where}.url: what is kept there is no URL`);
      return { ...shared, target: { kind: "slack", url } };
    }
    default:
      return settings satisfies never;
  }
}

/** Resolves earlier where the signal says so. */
const sleepUnless = (milliseconds: number, signal: AbortSignal): Promise<void> =>
  sleep(milliseconds, undefined, { signal }).catch(() => undefined);
function readTls({ tls }: ServeJob["settings"]) {
  return (
    tls && {
      certificate: readSettingsFile(tls.certificate, "tls.certificate"),
      key: readSettingsFile(tls.key, "tls.key"),
    }
  );
}

interface SecureServer {
  setSecureContext(options: { readonly cert: string; readonly key: string }): void;
}

type Settings = ServeJob["settings"];

/** All but the log, and a certificate where there was one before. */
function needsStart(name: string, before: Settings, after: Settings): boolean {
  if (name === "log" || (name === "tls" && before.tls && after.tls)) return false;
  const key = name as keyof Settings;
  return JSON.stringify(before[key]) !== JSON.stringify(after[key]);
}

/** What the file describes is brought into the store, now and at each reload. */
async function followDescription(
  first: DescribedFile | undefined,
  { descriptions, watch, access }: OpenedStore,
  checksPerSecond: number,
) {
  let entries: readonly PublishEntry[] = [];
  const takeIn = async (file: DescribedFile | undefined): Promise<readonly string[]> => {
    if (file === undefined) return [];
    const now = new Date();
    const { isCommonNew, added, changed, gone } = await takeInFile(file.pieces, descriptions, watch, now);
    entries = file.pieces.description.publish;
    if (isCommonNew) await lookAtAll(watch, now, checksPerSecond);
    const counts = { added: added.length, changed: changed.length, gone: gone.length };
    if (isCommonNew || added.length + changed.length + gone.length > 0) {
      const what = { actor: "system", address: undefined, action: "description.take", target: file.name };
      await access.audit(auditEntry({ ...what, details: counts }, now, (count) => randomBytes(count)));
    }
    const servers = isCommonNew ? ", what all share has changed" : "";
    return [
      `${file.name}: ${counts.added} domains new, ${counts.changed} changed, ${counts.gone} gone${servers}`,
    ];
  };
  await takeIn(first);
  return { publishEntries: () => entries, reload: takeIn };
}

/** In the package beside this file, in the sources in dist/; undefined where they are not built. */
function builtPages(): string | undefined {
  const here = import.meta.dirname;
  return [join(here, "web"), join(here, "../dist/web")].find((folder) =>
    existsSync(join(folder, "index.html")),
  );
}

function readSettingsFile(path: string, where: string): string {
  try {
    return readFileSync(path, "utf8");
  } catch (error) {
    throw new UsageError(`${where}: ${(error as Error).message}`);
  }
}

function readPublishEntry(entry: unknown, where: string): PublishEntry {
  const read = publishEntry.safeParse(entry);
  if (read.success) return read.data;
  const [issue] = read.error.issues;
  throw new UsageError(`${[where, ...(issue?.path ?? [])].join(".")}: ${issue?.message}`);
}

/** `seal.key` beside the state where the settings name none; made where there is nothing that it would have to open. */
async function readServerSealKey(
  { sealKey }: ServeJob["settings"],
  directory: string,
  { keys }: Pick<OpenedState, "keys">,
): Promise<MasterKey> {
  const path = join(directory, "seal.key");
  if (sealKey === undefined && !existsSync(path)) {
    if ((await keys.list()).length > 0)
      throw new UsageError(
        `the seal key is not there (${path}): bring it back from a backup, or name it as sealKey`,
      );
    writePrivateFile(
      path,
      newMasterKeyText((count) => randomBytes(count)),
      { overwrite: false },
    );
  }
  const octets =
    sealKey === undefined
      ? readFileSync(path)
      : Buffer.from(readSecret(sealKey as SecretSource, "sealKey").reveal());
  const master = readMasterKey(octets);
  if (!master.ok) throw new UsageError(`the seal key: ${master.problem}`);
  return master.value;
}

async function openIdentityProvider({ identityProvider }: ServeJob["settings"], origin: string) {
  if (identityProvider === undefined) return undefined;
  const { createOpenidProvider } = await import("./net/openid-provider.ts");
  const { issuer, clientId, clientSecret, title } = identityProvider;
  const secret = readSecret(clientSecret as SecretSource, "identityProvider.clientSecret").reveal();
  const redirectUri = `${origin}/api/login/provider/return`;
  return createOpenidProvider({ issuer, clientId, clientSecret: secret, title, redirectUri });
}

function onReload(act: () => void): () => void {
  process.on("SIGHUP", act);
  return () => process.off("SIGHUP", act);
}

async function untilInterrupted(): Promise<void> {
  await Promise.race(["SIGINT", "SIGTERM"].map((signal) => once(process, signal)));
}

// A reader that has seen enough (`| head`) ends the program without a word, as other programs do.
process.stdout.on("error", (error: NodeJS.ErrnoException) => {
  if (error.code !== "EPIPE") throw error;
  process.exit();
});

process.exitCode = await runCli(process.argv.slice(2), {
  terminal: {
    out: (text) => process.stdout.write(text),
    err: (text) => process.stderr.write(text),
    isInteractive: process.stderr.isTTY === true,
    outIsScreen: process.stdout.isTTY === true,
    style: createStyle(wantsColours(process.env, process.stdout.isTTY === true)),
    columns: Math.min(process.stdout.columns ?? 100, 120),
  },
  environment: process.env,
  now: () => new Date(),
  sleep: (milliseconds) => sleep(milliseconds),
  readFile: (path) => readFileSync(path, "utf8"),
  fileExists: existsSync,
  writeFile: (path, content, { overwrite }) => writeFileSync(path, content, { flag: overwrite ? "w" : "wx" }),
  appendFile: (path, content) => appendFileSync(path, content),
  readOctets: (path) => readFileSync(path),
  writePrivateFile,
  listFiles,
  randomOctets: (count) => randomBytes(count),
  makeKeyPair: generateDkimKeyPair,
  readStdin: () => readAll(process.stdin),
  readStdinOctets,
  outOctets: (octets) => process.stdout.write(octets),
  ask: process.stdin.isTTY ? ask : undefined,
  organizationalDomain: registrableDomain,
  isAdministrator: process.getuid?.() === 0,
  openState,
  restoreState,
  openProvider,
  openWorld,
  startNameServer: (zones, address, port) => startDnsServer({ zones, address, port }),
  startTrap: (settings) => startTrapListener({ ...settings, now: () => new Date() }),
  startMailSink,
  openSubmission: (via) =>
    via.host === undefined
      ? createLocalSubmission(via.program)
      : createMailSubmission({ ...via, heloName: heloName() }),
  askSecret: process.stdin.isTTY ? askSecret : undefined,
  untilInterrupted,
  onReload,
  serveMilter,
  startServer,
});
// The line to the first process would keep this one for ever.
if (isCrewMember()) process.exit();

/** What is typed is not shown. */
async function askSecret(question: string): Promise<string> {
  process.stderr.write(question);
  const unseen = new Writable({ write: (_chunk, _encoding, done) => done() });
  const lines = createInterface({ input: process.stdin, output: unseen, terminal: true });
  try {
    return await lines.question("");
  } finally {
    lines.close();
    process.stderr.write("\n");
  }
}

async function ask(question: string): Promise<string> {
  const lines = createInterface({ input: process.stdin, output: process.stderr });
  try {
    return (await lines.question(question)).trim();
  } finally {
    lines.close();
  }
}
