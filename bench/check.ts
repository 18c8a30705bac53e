/**
 * Checks by DNS alone: many domains against a real name server on loopback, one domain on a long line, and
 * checkdmarc (Python) on the same domains where it can be installed. Then one domain with all its servers.
 *
 *     npm run bench -- check [domains, 2000 where absent]
 */

import { type ChildProcess, execFileSync, fork, spawnSync } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { setFlagsFromString } from "node:v8";
import { checkDomain } from "../src/check/check.ts";
import type { CheckOptions, World } from "../src/check/context.ts";
import { startDnsServer } from "../src/net/dns-server.ts";
import { createDnsTransport } from "../src/net/dns-transport.ts";
import type { RootHint } from "../src/net/root-hints.ts";
import { createAuthoritativeView } from "../src/net/zone-survey.ts";
import { parseNetwork } from "../src/standards/dns/address.ts";
import { type DomainName, domainName } from "../src/standards/dns/name.ts";
import { parseZoneText } from "../src/standards/dns/zone-text.ts";
import type { ZoneText } from "../test/support/dns-program.ts";
import { freePort } from "../test/support/free-port.ts";
import { DOMAIN_SERVER, exampleDomains, ownZones, parentZones, ROOT_SERVER } from "./example-zones.ts";
import { benchFullCheck } from "./full-check.ts";

/** On loopback a few are enough to keep both cores busy. */
const CONCURRENCY = 12;
const LATENCY_MILLISECONDS = 40;
const PEER_DOMAINS = 50;

// As src/main.ts does.
setFlagsFromString("--heap-growing-percent=40");

export async function benchCheck([count = "2000"]: readonly string[]): Promise<void> {
  await manyDomains(exampleDomains(Number(count)));
  await oneDomainFarAway();
  await benchFullCheck(LATENCY_MILLISECONDS, say);
}

const OPTIONS: CheckOptions = {
  dkimSelectors: ["default"],
  assumePublic: ["198.18.0.0/15", "2001:db8::/32"].map((text) => {
    const network = parseNetwork(text);
    if (!network.ok) throw new TypeError(network.problem);
    return network.value;
  }),
};

function openWorld(server: string, port: number) {
  const transport = createDnsTransport();
  const rootHints: RootHint[] = [{ name: domainName("ns.root"), addresses: [server] }];
  const world: World = {
    authoritative: createAuthoritativeView({
      rootHints,
      port,
      transport,
      now: Date.now,
      maxCacheEntries: 10_000,
    }),
    recursive: [],
    now: new Date(),
    organizationalDomain: (name) => domainName(name.split(".").slice(-2).join(".")),
    randomLabel: () => `zonepost-${Math.random().toString(36).slice(2)}`,
  };
  return { world, transport };
}

async function manyDomains(domains: readonly DomainName[]): Promise<void> {
  const port = await freePort();
  const servers = await startServers(domains.length, port);
  const { world, transport } = openWorld(ROOT_SERVER, port);
  try {
    let errors = 0;
    let unknown = 0;
    const before = process.memoryUsage.rss();
    const start = performance.now();
    const cpu = process.cpuUsage();
    const queue = domains.values();
    const work = async () => {
      for (const domain of queue) {
        const { summary } = await checkDomain(domain, world, OPTIONS);
        errors += summary.errors;
        unknown += summary.unknown;
      }
    };
    await Promise.all(Array.from({ length: CONCURRENCY }, work));
    const seconds = (performance.now() - start) / 1000;
    const rate = domains.length / seconds;
    const { user, system } = process.cpuUsage(cpu);
    const megabytes = process.resourceUsage().maxRSS / 1024;
    say(`${domains.length} domains against Knot on loopback, ${CONCURRENCY} at a time:`);
    say(
      `  ${rate.toFixed(0)} domains/s (${(rate / 300).toFixed(2)} of the 300 asked for), ${seconds.toFixed(2)} s`,
    );
    say(
      `  ${transport.sentCount} queries, ${(transport.sentCount / domains.length).toFixed(1)} a domain, ${(transport.sentCount / seconds).toFixed(0)}/s`,
    );
    say(
      `  ${megabytes.toFixed(0)} MB at most (${(megabytes / 250).toFixed(2)} of the 250 allowed), ${(before / 2 ** 20).toFixed(0)} MB before the first domain`,
    );
    say(`  ${((user + system) / 1000 / domains.length).toFixed(2)} ms of processor time a domain`);
    say(`  ${errors} errors and ${unknown} unknown found, where none is planted`);
    peer(domains.slice(0, PEER_DOMAINS), DOMAIN_SERVER, port, rate);
  } finally {
    transport.close();
    servers.disconnect();
    await once(servers, "exit");
  }
}

export async function startServers(domainCount: number, port: number): Promise<ChildProcess> {
  const servers = fork(new URL("serve-zones.ts", import.meta.url), [String(domainCount), String(port)]);
  const failed = once(servers, "exit").then(([code]) => {
    throw new Error(`the name servers did not start (exit ${code})`);
  });
  await Promise.race([once(servers, "message"), failed]);
  failed.catch(() => undefined); // from here on it may end
  return servers;
}

/** One domain whose every answer takes 40 ms: how many round trips until the report? */
async function oneDomainFarAway(): Promise<void> {
  const domain = domainName("d0.test");
  const zoneOf = ({ apex, text }: ZoneText) => ({
    apex,
    records: parseZoneText(text, { origin: apex }).records,
  });
  const laboratory = { delayMilliseconds: LATENCY_MILLISECONDS };
  const root = await startDnsServer({
    address: ROOT_SERVER,
    laboratory,
    zones: parentZones([domain]).map(zoneOf),
  });
  const own = await startDnsServer({
    address: DOMAIN_SERVER,
    port: root.port,
    laboratory,
    zones: ownZones([domain]).map(zoneOf),
  });
  const { world, transport } = openWorld(ROOT_SERVER, root.port);
  try {
    const start = performance.now();
    const { summary } = await checkDomain(domain, world, OPTIONS);
    const milliseconds = performance.now() - start;
    const trips = milliseconds / LATENCY_MILLISECONDS;
    say(`one domain with ${LATENCY_MILLISECONDS} ms added to every answer:`);
    say(
      `  ${milliseconds.toFixed(0)} ms, ${trips.toFixed(1)} round trips (${(trips / 12).toFixed(2)} of the 12 allowed), ${transport.sentCount} queries`,
    );
    say(`  ${summary.sentence}`);
  } finally {
    transport.close();
    await own.close();
    await root.close();
  }
}

/** checkdmarc in a virtual environment of its own below .cache/; asked of the same name server, one domain after the other as it does. */
function peer(domains: readonly DomainName[], server: string, port: number, ours: number): void {
  const python = installPeer();
  if (python === undefined) {
    say("  checkdmarc cannot be installed here, so there is no figure beside it");
    return;
  }
  const script = join(".cache", "checkdmarc-bench.py");
  writeFileSync(script, PEER_SCRIPT);
  const { status, stdout, stderr } = spawnSync(python, [script, server, String(port), ...domains], {
    encoding: "utf8",
  });
  const seconds = Number(stdout.trim().split("\n").at(-1));
  if (status !== 0 || Number.isNaN(seconds)) {
    say(`  checkdmarc failed: ${stderr.trim().split("\n").at(-1) ?? ""}`);
    return;
  }
  const theirs = domains.length / seconds;
  say(
    `  checkdmarc: ${theirs.toFixed(1)} domains/s on ${domains.length} of them (SPF, DMARC, MX, MTA-STS, TLS-RPT; no DKIM, PTR, SRV); ours is ${(ours / theirs).toFixed(0)} times that`,
  );
}

function installPeer(): string | undefined {
  const folder = join(".cache", "checkdmarc");
  const python = join(folder, "bin", "python");
  if (existsSync(join(folder, "installed"))) return python;
  try {
    mkdirSync(".cache", { recursive: true });
    execFileSync("python3", ["-m", "venv", folder], { stdio: "ignore" });
    execFileSync(python, ["-m", "pip", "install", "--quiet", "checkdmarc"], {
      stdio: "ignore",
      timeout: 180_000,
    });
    writeFileSync(join(folder, "installed"), "");
    return python;
  } catch {
    return undefined;
  }
}

const PEER_SCRIPT = `import sys, time
import dns.resolver
import checkdmarc
server, port, *domains = sys.argv[1:]
resolver = dns.resolver.Resolver(configure=False)
resolver.nameservers = [server]
resolver.port = int(port)
start = time.perf_counter()
checkdmarc.check_domains(domains, skip_tls=True, resolver=resolver)
print(time.perf_counter() - start)
`;

function say(line: string): void {
  process.stdout.write(`${line}\n`);
}
