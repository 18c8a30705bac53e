/** `zonepost tlsa next` as a process, against real name servers: the record written, waited for, the wait cut short. */

import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { text as readAll } from "node:stream/consumers";
import { afterAll, beforeAll, expect, it } from "vitest";
import { startDnsServer } from "../../src/net/dns-server.ts";
import { formatTlsa, tlsaFromCertificate } from "../../src/standards/dane/tlsa.ts";
import { domainName } from "../../src/standards/dns/name.ts";
import { parseZoneText } from "../../src/standards/dns/zone-text.ts";
import { issueCertificate } from "../support/certificates.ts";
import { freePort } from "../support/free-port.ts";

import { Stoppables } from "../support/laboratory.ts";
import { describeWithServers } from "../support/real-server.ts";
import { PROJECT } from "../support/source-reader.ts";
import { UPDATE_KEY, UPDATE_SERVERS } from "../support/update-servers.ts";

const ROOT_SERVER = "127.0.7.2";
const TTL_SECONDS = 2;
const OLD = issueCertificate({ subject: "mail.example.org" });
const NEW = issueCertificate({ subject: "mail.example.org" });
const tlsaText = (pem: string): string => {
  const tlsa = tlsaFromCertificate(pem);
  if (!tlsa.ok) throw new Error(tlsa.problem);
  return formatTlsa(tlsa.value);
};
const ZONE = `$TTL 300
example.org. SOA ns.example.org. hostmaster.example.org. 1 3600 600 86400 60
example.org. NS ns.example.org.
ns.example.org. A 127.0.0.1
mail.example.org. A 192.0.2.25
_25._tcp.mail.example.org. ${TTL_SECONDS} TLSA ${tlsaText(OLD.certificate)}
`;
const ABOVE = `$TTL 300
. SOA ns.root. hostmaster.root. 1 3600 600 86400 60
. NS ns.root.
ns.root. A ${ROOT_SERVER}
example.org. NS ns.example.org.
ns.example.org. A 127.0.0.1
`;

for (const { title, programs, start } of UPDATE_SERVERS) {
  describeWithServers(programs, `zonepost tlsa next at ${title}`, () => {
    const running = new Stoppables();
    const folder = mkdtempSync(join(tmpdir(), "zonepost-tlsa-"));
    let words: readonly string[];

    beforeAll(async () => {
      const port = await freePort();
      const root = domainName(".");
      const zones = [{ apex: root, records: parseZoneText(ABOVE, { origin: root }).records }];
      running.add(await startDnsServer({ address: ROOT_SERVER, port, zones }));
      running.add(await start(port, [{ apex: domainName("example.org"), text: ZONE }]));
      const file = (name: string, text: string) => {
        writeFileSync(join(folder, name), text, { mode: 0o600 });
        return join(folder, name);
      };
      const key = { name: UPDATE_KEY.name, algorithm: UPDATE_KEY.algorithm, secret: { env: "TEST_TSIG" } };
      const description = {
        servers: [{ host: "mail.example.org", addresses: ["192.0.2.25"] }],
        domains: [{ domain: "example.org" }],
        publish: [{ provider: "rfc2136", server: `127.0.0.1:${port}`, key }],
      };
      words = [
        ...["--config", file("zonepost.yaml", JSON.stringify(description))],
        ...["--root-hints", file("hints", `. NS ns.root.\nns.root. A ${ROOT_SERVER}\n`)],
        ...["--dns-port", String(port), "--state", join(folder, "state"), "--dns-only"],
        ...["--host", "mail.example.org", "--key", file("next.key", NEW.key)],
        ...["--current", file("live.pem", OLD.key + OLD.certificate)],
      ];
    }, 120_000);
    afterAll(async () => {
      await running.stopAll();
      rmSync(folder, { recursive: true });
    });

    function startNext(...options: string[]) {
      return spawn(process.execPath, ["src/main.ts", "tlsa", "next", ...words, ...options], {
        cwd: PROJECT,
        stdio: ["ignore", "pipe", "pipe"],
        env: { ...process.env, TEST_TSIG: UPDATE_KEY.secret, NO_COLOR: "1" },
      });
    }

    async function next(...options: string[]): Promise<{ exitCode: number; out: string; err: string }> {
      const child = startNext(...options);
      const [out, err] = await Promise.all([
        readAll(child.stdout),
        readAll(child.stderr),
        once(child, "close"),
      ]);
      return { exitCode: child.exitCode ?? -1, out, err };
    }

    it("publishes, goes on after it was killed, and lets the certificate come two TTLs later", async () => {
      const first = await next("--json");
      expect({ ...first, out: JSON.parse(first.out).action }).toEqual({
        exitCode: 1,
        out: "publish-next",
        err: "",
      });
      const startedAt = Date.now();
      const child = startNext("--publish", "--wait", "--interval", "1");
      let said = "";
      child.stdout.on("data", (chunk: Buffer) => {
        said += chunk.toString();
        if (said.includes("written into the zone")) child.kill("SIGKILL");
      });
      await once(child, "close");
      expect({ signal: child.signalCode, said }).toMatchObject({ signal: "SIGKILL" });

      const waited = await next("--publish", "--wait", "--interval", "1");
      expect(waited).toMatchObject({ exitCode: 0, err: "" });
      expect(waited.out).toContain("may be deployed");
      expect(Date.now() - startedAt).toBeGreaterThanOrEqual(2000 * TTL_SECONDS);
      const last = await next("--json");
      const { nameServers, current, ...rest } = JSON.parse(last.out);
      expect(rest).toMatchObject({ action: "deploy", mayDeploy: true, missing: [], obsolete: [] });
      expect([...nameServers[0].records].sort()).toEqual(
        [tlsaText(OLD.certificate), tlsaText(NEW.certificate)].sort(),
      );
      expect(current).toBe(tlsaText(OLD.certificate));
    }, 120_000);
  });
}
