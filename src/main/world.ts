/** DNS and servers as they are: what `check` and its like look at. */
import { randomBytes } from "node:crypto";
import { setFlagsFromString } from "node:v8";
import { getDomain } from "tldts";
import type { World } from "../check/context.ts";
import type { Prober } from "../check/probe.ts";
import { UsageError } from "../interface/cli/exit-code.ts";
import type { OpenedWorld, ProbeSettings, ViewSettings } from "../interface/cli/tools.ts";
import { EVER, type Since } from "../net/answer-cache.ts";
import { createDnsTransport } from "../net/dns-transport.ts";
import { createGuardedTransport } from "../net/guarded-transport.ts";
import { createRecursiveViews } from "../net/recursive-resolver.ts";
import { parseRootHints, ROOT_HINTS } from "../net/root-hints.ts";
import { parseServerAddress, type ServerAddress } from "../net/server-address.ts";
import { createProber } from "../net/service-probe.ts";
import { readSystemResolvers } from "../net/system-resolvers.ts";
import { createAuthoritativeViews } from "../net/zone-survey.ts";
import { type DomainName, parseDomainName } from "../standards/dns/name.ts";
import { heloName } from "./mail.ts";

/** As many resolvers as are worth comparing by default: each is asked the same questions. */
const MAX_SYSTEM_RESOLVERS = 2;

/** What many domains share (includes, hosts of providers) is asked for often enough to stay. */
const MAX_CACHE_ENTRIES = 10_000;

/** With views of their own for each look, which remember together. */
interface KeptWorld extends OpenedWorld {
  readonly worldSince: (since: Since) => World;
}

export async function openWorld(settings: ViewSettings): Promise<KeptWorld> {
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
    transport: settings.mayAsk ? createGuardedTransport(transport, settings.mayAsk) : transport,
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

/** None where the system has no resolv.conf: then only the name servers themselves are asked. */
export async function systemResolvers(): Promise<readonly ServerAddress[]> {
  const servers = await readSystemResolvers().catch(() => []);
  return servers.slice(0, MAX_SYSTEM_RESOLVERS);
}

function readHints(text: string) {
  const hints = parseRootHints(text);
  if (!hints.ok) throw new UsageError(`--root-hints: ${hints.problem}`);
  return hints.value;
}

export function readResolver(text: string): ServerAddress {
  const server = parseServerAddress(text);
  if (!server.ok) throw new UsageError(`--resolver: ${server.problem}`);
  return server.value;
}

export function registrableDomain(name: DomainName): DomainName | undefined {
  const domain = getDomain(name, { allowPrivateDomains: false, validateHostname: false });
  const parsed = domain === null ? undefined : parseDomainName(domain);
  return parsed?.ok ? parsed.value : undefined;
}
