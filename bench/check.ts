/**
 * Checks by DNS alone: many domains against a real name server on loopback, one domain on a long line, and
 * checkdmarc (Python) on the same domains where it can be installed.
 *
 *     npm run bench -- check [domains, 2000 where absent]
 */
import { execFileSync, spawnSync } from "node:child_process";
import { existsSync, mkdirSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
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
import { startKnot } from "../test/support/knot.ts";

/** On loopback a few are enough to keep both cores busy. */
const CONCURRENCY = 12;
const LATENCY_MILLISECONDS = 40;
const PEER_DOMAINS = 50;

const ROOT_SERVER = "127.0.0.21";
const DOMAIN_SERVER = "127.0.0.22";
const PUBLIC_KEY =
  "MIIBIjANBgkqhkiG9w0BAQEFAAOCAQ8AMIIBCgKCAQEAxOlorHTT/rsI5WWobgA0/+XRWAav1F5As1YoUVEUknIPbIJDuMIbEbV468XdHsp63PvwF2uz9A3iEefaGIMOpcJrgIcb3X5el0/x89kxK/zDDruiAzpcLwdy6urEmQhdRfoi1stdOhDlo8dNQj5vRORceJ2v5fUJ3VUV9eWd7cGOjhladUWedYgdIdiYqsbR6CeYIhpKK1v414UmtB1sKcxHgxbROm+yjM6iJaSQbF9iLUlBEHOBfRc1vVuw0N+LQpRDNaaHSom0SusrMnXnjb33ANNCFMITwL9fZm9mR+sR+m+2QGvhLyODJMsxRCBKSSZhrjP2Csa80ZnOtNX91QIDAQAB";

// As src/main.ts does.
setFlagsFromString("--heap-growing-percent=40");

export async function benchCheck([count = "2000"]: readonly string[]): Promise<void> {
  const domains = Array.from({ length: Number(count) }, (_, at) => domainName(`d${at}.test`));
  await manyDomains(domains);
  await oneDomainFarAway();
}

const head = (apex: string) => `$ORIGIN ${apex}\n$TTL 300\n@ SOA ns hostmaster 1 3600 600 86400 60\n`;

/** Mail servers at 198.18.x.y (RFC 2544's range for benchmarks, never asked here). */
const addressOf = (at: number) => `198.18.${at >> 8}.${at & 255}`;

/** One domain as careful people have it: MX, addresses, SPF with an include, DKIM, DMARC, SRV, autoconfig, and the rest. */
function domainZone(domain: DomainName, at: number, server: string): string {
  return `${head(`${domain}.`)}@ NS ns
ns A ${server}
@ MX 10 mail
@ A ${addressOf(at)}
mail A ${addressOf(at)}
mail AAAA 2001:db8::${at.toString(16)}
mail TXT "v=spf1 a -all"
@ TXT "v=spf1 mx include:_spf.test ~all"
@ TXT "verification=${at}"
default._domainkey TXT "v=DKIM1; k=rsa; p=${PUBLIC_KEY.slice(0, 200)}" "${PUBLIC_KEY.slice(200)}"
_dmarc TXT "v=DMARC1; p=quarantine; rua=mailto:dmarc@${domain}"
_smtp._tls TXT "v=TLSRPTv1; rua=mailto:tls@${domain}"
_imaps._tcp SRV 0 1 993 mail
_submissions._tcp SRV 0 1 465 mail
autoconfig CNAME mail
`;
}

function parentZones(domains: readonly DomainName[], server: string, domainServer: string): ZoneText[] {
  const delegations = domains
    .map((domain) => `${domain}. NS ns.${domain}.\nns.${domain}. A ${domainServer}\n`)
    .join("");
  const ns = `@ NS ns.root.\n`;
  const glue = `ns.root. A ${server}\n`;
  const cut = (zone: string) => `${zone} NS ns.root.\n`;
  return [
    {
      apex: domainName("."),
      text: `${head(".")}${ns}${glue}${["test.", "18.198.in-addr.arpa.", "8.b.d.0.1.0.0.2.ip6.arpa."].map(cut).join("")}`,
    },
    {
      apex: domainName("test"),
      text: `${head("test.")}${ns}_spf TXT "v=spf1 ip4:198.18.0.0/15 -all"\n${delegations}`,
    },
    {
      apex: domainName("18.198.in-addr.arpa"),
      text: `${head("18.198.in-addr.arpa.")}${ns}${domains.map((domain, at) => `${at & 255}.${at >> 8} PTR mail.${domain}.\n`).join("")}`,
    },
    {
      apex: domainName("8.b.d.0.1.0.0.2.ip6.arpa"),
      text: `${head("8.b.d.0.1.0.0.2.ip6.arpa.")}${ns}${domains.map((domain, at) => `${nibbles(at)} PTR mail.${domain}.\n`).join("")}`,
    },
  ];
}

/** The 24 nibbles below 2001:db8::/32 of the address 2001:db8::<at>. */
function nibbles(at: number): string {
  return [...at.toString(16).padStart(24, "0")].reverse().join(".");
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
  const port = await freePort(ROOT_SERVER);
  const root = await startKnot({
    address: ROOT_SERVER,
    port,
    zones: parentZones(domains, ROOT_SERVER, DOMAIN_SERVER),
  });
  const own = await startKnot({
    address: DOMAIN_SERVER,
    port,
    zones: domains.map((domain, at) => ({ apex: domain, text: domainZone(domain, at, DOMAIN_SERVER) })),
  });
  const { world, transport } = openWorld(ROOT_SERVER, port);
  try {
    let errors = 0;
    let unknown = 0;
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
    say(`  ${megabytes.toFixed(0)} MB at most (${(megabytes / 250).toFixed(2)} of the 250 allowed)`);
    say(`  ${((user + system) / 1000 / domains.length).toFixed(2)} ms of processor time a domain`);
    say(`  ${errors} errors and ${unknown} unknown found, where none is planted`);
    peer(domains.slice(0, PEER_DOMAINS), DOMAIN_SERVER, port, rate);
  } finally {
    transport.close();
    await own.stop();
    await root.stop();
  }
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
    zones: parentZones([domain], ROOT_SERVER, DOMAIN_SERVER).map(zoneOf),
  });
  const own = await startDnsServer({
    address: DOMAIN_SERVER,
    port: root.port,
    laboratory,
    zones: [zoneOf({ apex: domain, text: domainZone(domain, 0, DOMAIN_SERVER) })],
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

async function freePort(address: string): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, address, resolve));
  const { port } = server.address() as { port: number };
  await new Promise((resolve) => server.close(resolve));
  return port;
}

function say(line: string): void {
  process.stdout.write(`${line}\n`);
}
