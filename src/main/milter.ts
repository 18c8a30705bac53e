/** The milter: sockets, processes, threads. */
import { sign } from "node:crypto";
import { readFileSync } from "node:fs";
import { availableParallelism } from "node:os";
import { UsageError } from "../interface/cli/exit-code.ts";
import type { MilterJob } from "../interface/cli/tools.ts";
import { formatMetricsOf } from "../milter/metrics.ts";
import { Milter } from "../milter/milter.ts";
import { openBudgetedResolver } from "../net/budgeted-resolver.ts";
import { createDnsTransport } from "../net/dns-transport.ts";
import { type DaemonService, runMilterDaemon } from "../net/milter-daemon.ts";
import { createRecursiveView } from "../net/recursive-resolver.ts";
import { type SignData, signNow } from "../standards/dkim/sign.ts";
import { createFailoverResolver } from "../standards/dns/failover-resolver.ts";
import { untilInterrupted } from "./process.ts";
import { readResolver, systemResolvers } from "./world.ts";

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

export async function serveMilter(job: MilterJob): Promise<void> {
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
