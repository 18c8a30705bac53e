/**
 * Publishing to BIND, Knot and PowerDNS on loopback: one record, and forty in one atomic update, beside nsupdate.
 *
 *     npm run bench -- publish [rounds, 30 where absent]
 */

import { spawnSync } from "node:child_process";
import { createDnsUpdateClient } from "../src/net/dns-update-client.ts";
import type { Rrset, RrsetChange } from "../src/publish/provider.ts";
import { createRfc2136Provider } from "../src/publish/providers/rfc2136.ts";
import { domainName } from "../src/standards/dns/name.ts";
import { parseTsigKey } from "../src/standards/dns/tsig.ts";
import { freePort } from "../test/support/free-port.ts";

import { UPDATE_KEY, UPDATE_SERVERS } from "../test/support/update-servers.ts";

const ZONE = domainName("example.org");
const TEXT = `$TTL 300
example.org. SOA ns.example.org. hostmaster.example.org. 1 3600 600 86400 60
example.org. NS ns.example.org.
ns.example.org. A 127.0.0.1
`;

export async function benchPublish([rounds = "30"]: readonly string[]): Promise<void> {
  for (const { title, start } of UPDATE_SERVERS) {
    const port = await freePort();
    const server = await start(port, [{ apex: ZONE, text: TEXT }]);
    try {
      await measure(title, port, Number(rounds));
    } finally {
      await server.stop();
    }
  }
}

async function measure(title: string, port: number, rounds: number): Promise<void> {
  const key = parseTsigKey(UPDATE_KEY);
  if (!key.ok) throw new Error(key.problem);
  const client = createDnsUpdateClient({
    server: { address: "127.0.0.1", port },
    key: key.value,
    now: Date.now,
  });
  const provider = createRfc2136Provider(client);
  const apply = async (changes: readonly RrsetChange[]) => {
    const outcome = await provider.apply(ZONE, changes);
    if (outcome.status !== "applied") throw new Error(JSON.stringify(outcome));
  };
  say(`${title}, ${rounds} rounds, medians:`);
  for (const count of [1, 40]) {
    const ours: number[] = [];
    const theirs: number[] = [];
    for (let round = 0; round < rounds; round++) {
      const made = changesOf(count, `z${count}-${round}`);
      ours.push(await timed(() => apply(made)));
      theirs.push(await timed(() => nsupdate(port, count, `n${count}-${round}`)));
    }
    const [mine, other] = [median(ours), median(theirs)];
    const each = count === 1 ? "1 record" : `${count} records in one update`;
    say(
      `  ${each}: ${mine.toFixed(1)} ms with compare-and-swap, in a process that runs; nsupdate as a process without prerequisites ${other.toFixed(1)} ms (${(mine / other).toFixed(2)} of that)`,
    );
  }
  const read = await timed(async () => {
    const outcome = await provider.readZone(ZONE);
    if (outcome.status !== "read") throw new Error(outcome.detail);
  });
  say(`  the whole zone read by AXFR: ${read.toFixed(1)} ms`);
}

function changesOf(count: number, prefix: string): RrsetChange[] {
  return Array.from({ length: count }, (_, at) => {
    const name = domainName(`${prefix}-${at}.example.org`);
    const after: Rrset = {
      name,
      type: "TXT",
      ttlSeconds: 300,
      data: [{ type: "TXT", strings: [`record ${at}`] }],
    };
    return { name, type: "TXT", before: undefined, after };
  });
}

function nsupdate(port: number, count: number, prefix: string): void {
  const lines = Array.from(
    { length: count },
    (_, at) => `update add ${prefix}-${at}.example.org 300 TXT "record ${at}"`,
  );
  const input = [`server 127.0.0.1 ${port}`, "zone example.org", ...lines, "send", ""].join("\n");
  const key = `${UPDATE_KEY.algorithm}:${UPDATE_KEY.name}:${UPDATE_KEY.secret}`;
  const { status, stderr } = spawnSync("nsupdate", ["-v", "-y", key], { input, encoding: "utf8" });
  if (status !== 0) throw new Error(`nsupdate: ${stderr}`);
}

async function timed(act: () => Promise<void> | void): Promise<number> {
  const start = performance.now();
  await act();
  return performance.now() - start;
}

function median(values: readonly number[]): number {
  return values.toSorted((x, y) => x - y)[Math.floor(values.length / 2)] ?? 0;
}

function say(line: string): void {
  process.stdout.write(`${line}\n`);
}
