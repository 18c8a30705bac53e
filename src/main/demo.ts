/** What the server of `zonepost serve --demo` stands in. */
import { randomBytes } from "node:crypto";
import { setTimeout as sleep } from "node:timers/promises";
import type { World } from "../check/context.ts";
import type { ServeJob } from "../interface/cli/tools.ts";
import { generateDkimKeyPair } from "../keys/generate.ts";
import { readMasterKey } from "../keys/sealing.ts";
import { type DnsServer, startDnsServer } from "../net/dns-server.ts";
import { createDnsTransport } from "../net/dns-transport.ts";
import { createAuthoritativeView } from "../net/zone-survey.ts";
import type { Surroundings } from "./surroundings.ts";
import { registrableDomain } from "./world.ts";

/** Waits for caches that nobody has. */
const MAX_DEMO_WAIT_MILLISECONDS = 400;

/** Nothing of it is on a disk, and no packet leaves loopback: the prober has no sockets. */
export async function openDemo(logLine: ServeJob["logLine"]): Promise<Surroundings> {
  const {
    makeDemo,
    fillDemo,
    DEMO_ACCOUNTS,
    DEMO_ALERTS,
    DEMO_CHECK_OPTIONS,
    DEMO_PASSWORD,
    DEMO_PUBLISH_ENTRY,
  } = await import("../demo/demo.ts");
  const { DEMO_ROOT } = await import("../demo/zone.ts");
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
  const { openStore } = await import("../store/open.ts");
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
    sleep: (milliseconds, signal) =>
      sleep(Math.min(milliseconds, MAX_DEMO_WAIT_MILLISECONDS), undefined, { signal }).catch(() => undefined),
    accounts: DEMO_ACCOUNTS.map((account) => ({ ...account, password: DEMO_PASSWORD })),
    alerts: DEMO_ALERTS,
    close,
  };
}
