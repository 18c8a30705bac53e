/**
 * The milter beside OpenDKIM and rspamd, which run at the same time and take turns: messages/s, 99th percentile, CPU
 * for each message. As root on Debian, with the peers' packages installed (see the script that starts them).
 *
 *     npm run bench -- milter [rounds, 5 where absent] [processes, 2 where absent]
 */
import { execFileSync, spawn } from "node:child_process";
import { constants, generateKeyPairSync, sign, verify } from "node:crypto";
import { cpSync, existsSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { makeMilterState } from "../test/support/milter-state.ts";

const TOOLS = "../shared/tools";
const START_MILLISECONDS = 20_000;

interface Figures {
  readonly perSecond: number;
  readonly p99: number;
  readonly cpu: number;
}

export async function benchMilter([rounds = "5", processes = "2"]: readonly string[]): Promise<void> {
  if (!existsSync(`${TOOLS}/peers/bench.sh`)) {
    say(`the load generator and the peers' configurations are not there (${TOOLS})`);
    return;
  }
  const directory = mkdtempSync(join(tmpdir(), "zonepost-bench-"));
  const work = join(directory, "work");
  cpSync(TOOLS, join(directory, "tools"), { recursive: true });
  execFileSync("chmod", ["755", directory]);
  const script = (name: string) => join(directory, "tools", "peers", name);
  const state = await makeMilterState(directory, [
    { domain: "example.test", selector: "rsa", algorithm: "rsa", state: "signing" },
  ]);
  await state.close();
  const ours: ReturnType<typeof spawn>[] = [];
  try {
    say("the limit of one core, measured now:");
    sayLimits();
    execFileSync("bash", [script("start-peers.sh"), work], { stdio: "ignore" });
    const start = async (name: string, listen: string) => {
      const child = startOurs(directory, listen, processes);
      ours.push(child);
      writeFileSync(join(work, "run", `${name}.pid0`), `${child.pid}\n`);
      await started(child);
    };
    await start("ours", `unix:${work}/run/ours.sock`);
    await start("ours-tcp", "inet:18899@127.0.0.1");
    const bench = (message: string, connections: string, targets: readonly string[]) =>
      readTable(
        execFileSync("bash", [script("bench.sh"), work, message, rounds, connections, ...targets], {
          encoding: "utf8",
        }),
      );
    const target = (name: string, address: string, pid: string, options = "") =>
      `${name} ${address} run/${pid}.pid0 ${options}`.trim();
    const peers = {
      opendkim: (what: string, options = "") =>
        target("opendkim", `unix:run/od-${what}.sock`, `opendkim-${what}`, options),
      rspamd: (what: string, options = "") =>
        target("rspamd", `unix:run/rsp-${what}.sock`, `rspamd-${what}`, options),
    };
    const unix = (options = "") => target("ours", "unix:run/ours.sock", "ours", options);
    const tcp = (options = "") => target("ours-tcp", "inet:18899@127.0.0.1", "ours-tcp", options);
    const login = "--auth alice";

    sayRound("signing, RSA-2048, 10 KB, 16 connections", () =>
      bench("msgs/10k-0.eml", "16", [
        peers.opendkim("sign", login),
        peers.rspamd("sign", login),
        unix(login),
        tcp(login),
      ]),
    );
    sayRound("full verification, 10 KB, 16 connections", () =>
      bench("msgs/10k-signed.eml", "16", [peers.rspamd("verify"), unix(), tcp()]),
    );
    sayRound("signing, 1 MB, 4 connections", () =>
      bench("msgs/1m-0.eml", "4", [peers.opendkim("sign", login), peers.rspamd("sign", login), unix(login)]),
    );
    sayRound("full verification, 1 MB, 4 connections", () =>
      bench("msgs/1m-signed.eml", "4", [peers.rspamd("verify"), unix()]),
    );
  } finally {
    for (const child of ours) child.kill("SIGTERM");
    await sleep(1_000);
    execFileSync("bash", [script("stop-peers.sh"), work], { stdio: "ignore" });
    rmSync(directory, { recursive: true, force: true });
  }
}

function startOurs(directory: string, listen: string, processes: string): ReturnType<typeof spawn> {
  const description = join(directory, "zonepost.yaml");
  writeFileSync(
    description,
    "servers:\n  - host: mx.example.test\n    addresses: [192.0.2.20]\ndomains: []\n",
  );
  const words = ["milter", "run", "--config", description, "--state", directory, "--listen", listen];
  const options = ["--socket-mode", "666", "--resolver", "127.0.0.1", "--grace", "1", "--workers", processes];
  return spawn(process.execPath, ["src/main.ts", ...words, ...options], {
    stdio: ["ignore", "ignore", "pipe"],
  });
}

async function started(child: ReturnType<typeof spawn>): Promise<void> {
  let said = "";
  child.stderr?.on("data", (text) => {
    said += text;
  });
  for (let waited = 0; waited < START_MILLISECONDS; waited += 100) {
    if (said.includes("Listening")) return;
    if (child.exitCode !== null) break;
    await sleep(100);
  }
  throw new Error(`the milter did not start: ${said}`);
}

function sayLimits(): void {
  const { privateKey, publicKey } = generateKeyPairSync("rsa", { modulusLength: 2048 });
  const padding = constants.RSA_PKCS1_PADDING;
  const data = Buffer.alloc(1_500, "a");
  const signature = sign("sha256", data, { key: privateKey, padding });
  const rate = (count: number, act: () => unknown) => {
    for (let done = 0; done < count / 10; done += 1) act();
    const from = process.cpuUsage();
    for (let done = 0; done < count; done += 1) act();
    const { user, system } = process.cpuUsage(from);
    return (user + system) / 1_000 / count;
  };
  say(
    `  RSA-2048: ${rate(1_000, () => sign("sha256", data, { key: privateKey, padding })).toFixed(3)} ms CPU to sign`,
  );
  say(
    `            ${rate(5_000, () => verify("sha256", data, { key: publicKey, padding }, signature)).toFixed(3)} ms CPU to verify`,
  );
}

function readTable(text: string): ReadonlyMap<string, Figures> {
  const rows = new Map<string, Figures>();
  for (const line of text.split("\n").slice(1)) {
    const [name = "", perSecond, p99, cpu] = line.trim().split(/\s+/);
    if (cpu !== undefined)
      rows.set(name, { perSecond: Number(perSecond), p99: Number(p99), cpu: Number(cpu) });
  }
  return rows;
}

function sayRound(title: string, measure: () => ReadonlyMap<string, Figures>): void {
  const figures = measure();
  const ours = figures.get("ours");
  say(`${title}:`);
  for (const [name, { perSecond, p99, cpu }] of figures) {
    const ratio = ours === undefined ? "" : `, ours/this ${(ours.perSecond / perSecond).toFixed(2)}`;
    say(
      `  ${name.padEnd(9)} ${perSecond.toFixed(0).padStart(6)}/s, p99 ${p99.toFixed(1)} ms, ${cpu.toFixed(3)} ms CPU each${ratio}`,
    );
  }
}

const say = (line: string): void => {
  process.stdout.write(`${line}\n`);
};
