/** The server of `zonepost serve`, joined to the real world. */
import { randomBytes } from "node:crypto";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { createSecretBox } from "../access/secret-box.ts";
import { openSetup } from "../access/setup.ts";
import { shownSettings } from "../config/shown-settings.ts";
import { UsageError } from "../interface/cli/exit-code.ts";
import { VERSION } from "../interface/cli/program.ts";
import type { ServeHandle, ServeJob } from "../interface/cli/tools.ts";
import { generateDkimKeyPair } from "../keys/generate.ts";
import { requirePair } from "../net/certificate-pair.ts";
import { createPasskeyVerifier } from "../net/passkey-verifier.ts";
import type { SecretSource } from "../records/publish-settings.ts";
import { StoreTrouble } from "../store/trouble.ts";
import { keepRotation } from "../watch/rotation-driver.ts";
import { DEFAULT_SCHEDULE } from "../watch/schedule.ts";
import { Interruption } from "../watch/task.ts";
import { createWatcher, DEFAULT_WATCHER, watcherMetrics } from "../watch/watcher.ts";
import { openAlerts } from "./alerts.ts";
import { openDemo } from "./demo.ts";
import { followDescription } from "./followed-description.ts";
import { openHolders } from "./holders.ts";
import { openJobQueue, sleepUnless } from "./jobs.ts";
import { readSecret, readSettingsFile } from "./secret-source.ts";
import { saveState } from "./state.ts";
import { openSurroundings } from "./surroundings.ts";

/** Sessions and tries whose time is over are forgotten this often. */
const SWEEP_MILLISECONDS = 600_000;

/** So long a provider that was taken away can be brought back. */
const REMOVED_MILLISECONDS = 3_600_000;

/** Of findings, and of what people did. */
const HISTORY_MILLISECONDS = 400 * 86_400_000;

/** So long work that was given up can be looked at. */
const GIVEN_UP_MILLISECONDS = 30 * 86_400_000;

const JOBS_AT_ONCE = 8;

/**
 * The server of `zonepost serve`, joined to the real world. Its libraries are loaded for it alone. Undefined where the
 * signal came while the description was taken in.
 */
export async function startServer({
  settings,
  settingsFile,
  directory,
  logLine,
  description,
  signal,
}: ServeJob): Promise<ServeHandle | undefined> {
  const tls = readTls(settings);
  const [around, { createServer }] = await Promise.all([
    directory === undefined ? openDemo(logLine) : openSurroundings(settings, directory),
    import("../interface/http/server.ts"),
  ]);
  const { state, master } = around;
  const file = followDescription(state, settings.watch.checksPerSecond);
  const { failure } = await file.takeIn(description, signal).catch((error: Error) => ({ failure: error }));
  if (failure !== undefined) {
    await around.close();
    if (signal?.aborted) return undefined;
    throw new UsageError(`--config ${description?.name}: ${failure.message}`);
  }
  const random = (count: number) => randomBytes(count);
  const setup = await openSetup(state.access, new Date(), random);
  const hear = (msg: string) => logLine(`${JSON.stringify({ level: 40, time: Date.now(), msg })}\n`);
  const queue = openJobQueue(around, hear);
  const stopping = new AbortController();
  const schedule = {
    intervalSeconds: 60 * settings.watch.intervalMinutes,
    confirmAfterSeconds: 60 * settings.watch.confirmMinutes,
    minimumSeconds: Math.min(DEFAULT_SCHEDULE.minimumSeconds, 60 * settings.watch.confirmMinutes),
  };
  const alerts = openAlerts(settings.alerts, around, queue, hear);
  let now = settings;
  const { enabled, checksPerSecond, concurrency } = settings.watch;
  const watcher = createWatcher(
    { ...DEFAULT_WATCHER, schedule, checksPerSecond, concurrency },
    {
      store: state.watch,
      check: async ({ domain, checkedAt }) => {
        const { checkWatched } = await import("../interface/http/described.ts");
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
        settings: shownSettings({ ...settings, log: now.log, alerts: now.alerts }),
        version: VERSION,
        runtime: `Node.js ${process.versions.node}`,
        stateDirectory: directory,
      }),
      saveState: around.databaseUrl === undefined ? () => saveState(state, directory) : undefined,
      pages: builtPages(),
      now: () => new Date(),
      random,
      sleep: (milliseconds) => around.sleep(milliseconds),
      async wait(milliseconds) {
        await around.sleep(milliseconds, stopping.signal);
        if (stopping.signal.aborted) throw new Interruption();
      },
      holders: openHolders(),
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
    await state.access.sweepAudit(new Date(Date.now() - HISTORY_MILLISECONDS));
    await state.jobs.sweep(new Date(Date.now() - GIVEN_UP_MILLISECONDS));
    await state.providers.sweep(new Date(Date.now() - REMOVED_MILLISECONDS));
    await state.watch.sweep(new Date(Date.now() - HISTORY_MILLISECONDS));
    await server.sweep();
  };
  const sweeping = setInterval(
    () => sweep().catch((error: Error) => hear(error.message)),
    SWEEP_MILLISECONDS,
  );
  /** Whoever asks meanwhile is answered: it takes as long as there are domains. */
  let agreed: Promise<void> | undefined;
  const close = async () => {
    clearInterval(sweeping);
    stopping.abort();
    await agreed;
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
    await alerts.plan();
  } catch (error) {
    await server.stop();
    await close();
    throw new UsageError(`the jobs cannot be begun: ${(error as Error).message}`);
  }
  agreed = state.watch.agreeWithDescriptions(new Date(), stopping.signal).then(
    () => undefined,
    (error: Error) => hear(error.message),
  );
  if (enabled) watcher.run().catch((error: Error) => hear(error.message));
  return {
    url: origin,
    setupSecret: setup?.secret,
    ...(around.accounts && { accounts: around.accounts }),
    async reload(next) {
      const certificate = readTls(next.settings);
      const pair = certificate && { cert: certificate.certificate, key: certificate.key };
      if (pair !== undefined) requirePair(pair);
      const takeAlerts = alerts.prepare(next.settings.alerts);
      const { sentences, failure: cause } = await file.takeIn(next.description, signal);
      if (cause !== undefined) return { sentences, failure: cause.message };
      const areAlertsNew = differs("alerts", now, next.settings);
      try {
        if (areAlertsNew) await takeAlerts();
      } catch (error) {
        return { sentences, failure: `alerts: ${(error as Error).message}` };
      }
      // Connections that are open keep theirs.
      if (tls && pair) (server.app.server as unknown as SecureServer).setSecureContext(pair);
      now = next.settings;
      server.app.log.level = now.log;
      const left = Object.keys(settings).filter((name) => needsStart(name, settings, next.settings));
      const all = [
        ...sentences,
        `the settings are read again: log is ${now.log}${tls ? ", the certificate is taken from its file" : ""}${areAlertsNew ? `, alerts go to ${alerts.channels.map(({ id }) => id).join(", ") || "nobody"}` : ""}`,
        ...left.map((name) => `${name} has changed: it counts from the next start on`),
      ];
      return { sentences: all };
    },
    async stop() {
      await server.stop();
      await close();
    },
  };
}

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

/** All but the log and the alerts, and a certificate where there was one before. */
function needsStart(name: string, before: Settings, after: Settings): boolean {
  if (name === "log" || name === "alerts" || (name === "tls" && before.tls && after.tls)) return false;
  return differs(name as keyof Settings, before, after);
}

const differs = (key: keyof Settings, before: Settings, after: Settings): boolean =>
  JSON.stringify(before[key]) !== JSON.stringify(after[key]);

/** In the package beside this file, in the sources in dist/; undefined where they are not built. */
function builtPages(): string | undefined {
  const here = import.meta.dirname;
  return [join(here, "../web"), join(here, "../../dist/web")].find((folder) =>
    existsSync(join(folder, "index.html")),
  );
}

async function openIdentityProvider({ identityProvider }: ServeJob["settings"], origin: string) {
  if (identityProvider === undefined) return undefined;
  const { createOpenidProvider } = await import("../net/openid-provider.ts");
  const { issuer, clientId, clientSecret, title } = identityProvider;
  const secret = readSecret(clientSecret as SecretSource, "identityProvider.clientSecret").reveal();
  const redirectUri = `${origin}/api/login/provider/return`;
  return createOpenidProvider({ issuer, clientId, clientSecret: secret, title, redirectUri });
}
