/** `zonepost publish` as a process, from examples/: a zone with foreign records, published, checked, taken back. */

import { execFile } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { afterAll, beforeAll, expect, it } from "vitest";
import type { DomainReport } from "../../src/check/finding.ts";
import { startDnsServer } from "../../src/net/dns-server.ts";
import { createDnsUpdateClient } from "../../src/net/dns-update-client.ts";
import { domainName } from "../../src/standards/dns/name.ts";
import { formatRdata } from "../../src/standards/dns/rdata-text.ts";
import { parseTsigKey } from "../../src/standards/dns/tsig.ts";
import { parseZoneText } from "../../src/standards/dns/zone-text.ts";
import { freePort } from "../support/free-port.ts";

import { Stoppables } from "../support/laboratory.ts";
import { describeWithServers } from "../support/real-server.ts";
import { PROJECT } from "../support/source-reader.ts";
import { UPDATE_KEY, UPDATE_SERVERS } from "../support/update-servers.ts";

const ZONE = domainName("example.org");
const ROOT_SERVER = "127.0.7.1";
const FOREIGN = `$TTL 300
example.org. SOA ns.example.org. hostmaster.example.org. 1 3600 600 86400 60
example.org. NS ns.example.org.
ns.example.org. A 127.0.0.1
example.org. A 192.0.2.80
www.example.org. CNAME example.org.
example.org. TXT "some-site-verification=0123456789"
example.org. TXT "v=spf1 include:_spf.example.net -all"
_other.example.org. TXT "nobody's business"
`;
/** What is above and beside: the root, org, reverse zones, the SPF record of another sender. */
const ABOVE = `$TTL 300
. SOA ns.root. hostmaster.root. 1 3600 600 86400 60
. NS ns.root.
ns.root. A ${ROOT_SERVER}
example.org. NS ns.example.org.
ns.example.org. A 127.0.0.1
25.2.0.192.in-addr.arpa. PTR mail.example.org.
5.2.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.8.b.d.0.1.0.0.2.ip6.arpa. PTR mail.example.org.
_spf.example.net. TXT "v=spf1 ip4:198.51.100.7 -all"
`;

for (const { title, programs, start } of UPDATE_SERVERS) {
  describeWithServers(programs, `zonepost publish to ${title}`, () => {
    const running = new Stoppables();
    const folder = mkdtempSync(join(tmpdir(), "zonepost-publish-"));
    let port: number;
    let words: readonly string[];

    beforeAll(async () => {
      port = await freePort();
      const root = domainName(".");
      running.add(
        await startDnsServer({
          address: ROOT_SERVER,
          port,
          zones: [{ apex: root, records: parseZoneText(ABOVE, { origin: root }).records }],
        }),
      );
      running.add(await start(port, [{ apex: ZONE, text: FOREIGN }]));
      const file = (name: string, text: string) => {
        writeFileSync(join(folder, name), text, { mode: 0o600 });
        return join(folder, name);
      };
      const example = readFileSync(join(PROJECT, "examples/one-server.yaml"), "utf8");
      const key = { name: UPDATE_KEY.name, algorithm: UPDATE_KEY.algorithm, secret: { env: "TEST_TSIG" } };
      const publish = [{ provider: "rfc2136", server: `127.0.0.1:${port}`, key }];
      words = [
        ...["--config", file("zonepost.yaml", `${example}\npublish: ${JSON.stringify(publish)}\n`)],
        ...["--root-hints", file("hints", `. NS ns.root.\nns.root. A ${ROOT_SERVER}\n`)],
        ...["--dns-port", String(port)],
      ];
    }, 120_000);
    afterAll(async () => {
      await running.stopAll();
      rmSync(folder, { recursive: true });
    });

    async function zonepost(...command: string[]): Promise<{ out: string; exitCode: number }> {
      const state = command[0] === "publish" ? ["--state", join(folder, "state")] : [];
      const run = promisify(execFile)(process.execPath, ["src/main.ts", ...command, ...words, ...state], {
        encoding: "utf8",
        env: { ...process.env, TEST_TSIG: UPDATE_KEY.secret, NO_COLOR: "1" },
      });
      return run.then(
        ({ stdout, stderr }) => ({ out: stdout + stderr, exitCode: 0 }),
        (failed: { stdout: string; stderr: string; code: number }) => ({
          out: failed.stdout + failed.stderr,
          exitCode: failed.code,
        }),
      );
    }

    /** Everything in the zone but its SOA, as text. */
    async function zoneLines(): Promise<readonly string[]> {
      const key = parseTsigKey(UPDATE_KEY);
      if (!key.ok) throw new Error(key.problem);
      const client = createDnsUpdateClient({
        server: { address: "127.0.0.1", port },
        key: key.value,
        now: Date.now,
      });
      const transfer = await client.transfer(ZONE);
      if (transfer.status !== "transferred") throw new Error(transfer.status);
      return transfer.records
        .filter(({ data }) => data.type !== "SOA")
        .map(({ name, ttlSeconds, data }) => `${name} ${ttlSeconds} ${data.type} ${formatRdata(data)}`)
        .sort();
    }

    it("plans, applies, checks clean, has nothing more to do, and takes it back", async () => {
      const before = await zoneLines();
      const plan = await zonepost("publish", "plan");
      expect(plan.out).toContain("+ example.org. 3600 IN MX 10 mail.example.org.");
      expect(plan.out).toContain("include:_spf.example.net stood there before and stays");
      expect(plan.out).not.toContain(UPDATE_KEY.secret);
      expect(plan.exitCode).toBe(0);
      expect(await zoneLines()).toEqual(before);

      const apply = await zonepost("publish", "apply", "--yes", "--no-wait");
      expect(apply.out).toContain("done, and every name server shows it");
      expect(apply.exitCode).toBe(0);
      const after = await zoneLines();
      const foreign = before.filter((line) => !line.includes("v=spf1"));
      expect(after.filter((line) => foreign.includes(line))).toEqual(foreign);
      expect(after.length).toBeGreaterThan(before.length + 10);

      const { out } = await zonepost(
        "check",
        "--json",
        "--dns-only",
        "--assume-public",
        "192.0.2.0/24",
        "--assume-public",
        "2001:db8::/32",
      );
      const report = JSON.parse(out) as DomainReport;
      expect(
        report.findings.filter(({ severity }) => severity === "error" || severity === "unknown"),
      ).toEqual([]);

      const again = await zonepost("publish", "apply", "--yes");
      expect(again).toMatchObject({ out: expect.stringContaining("nothing to change"), exitCode: 0 });

      const undo = await zonepost("publish", "undo", "example.org", "--yes");
      expect(undo.out).toContain("done, and every name server shows it");
      expect(await zoneLines()).toEqual(before);
    }, 120_000);

    it("says where the secret is missing, and what is wrong with it, and never the secret", async () => {
      const secret = UPDATE_KEY.secret.replace(/^./, "Z");
      const run = promisify(execFile)(
        process.execPath,
        ["src/main.ts", "publish", "plan", ...words, "--state", join(folder, "state")],
        {
          encoding: "utf8",
          env: { ...process.env, TEST_TSIG: secret, NO_COLOR: "1" },
        },
      );
      const failed = (await run.catch((error: unknown) => error)) as { stdout: string; code: number };
      expect(failed.stdout).toContain("credentials");
      expect(failed.stdout).not.toContain(secret);
      expect(failed.code).toBe(2);
    });
  });
}
