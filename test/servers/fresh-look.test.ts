/** "Check again" shows what is published now, however long caches may keep what was there: `zonepost serve` and BIND. */

import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, it } from "vitest";
import { domainName, ROOT } from "../../src/standards/dns/name.ts";
import { startBind } from "../support/bind.ts";
import type { ZoneText } from "../support/dns-program.ts";
import { freePort } from "../support/free-port.ts";
import { describeWithServers, type RunningServer } from "../support/real-server.ts";
import { jobDone, type LoggedIn, logIn, type Served, serve } from "../support/served.ts";

const ADDRESS = "127.0.0.1";
const PASSWORD = "what is published now";
const HOUR = 3600;

/** All with a TTL of an hour; the mail host lies in a domain that nobody has asked to check. */
function zones(serial: number, reports: string, mailHost: string): readonly ZoneText[] {
  const head = `$TTL ${HOUR}\n@ SOA ns.test. hostmaster.test. ${serial} ${HOUR} ${HOUR} 86400 ${HOUR}\n@ NS ns.test.\n`;
  const zone = (apex: string, text: string): ZoneText => ({
    apex: domainName(apex),
    text: `${head}${text}\n`,
  });
  return [
    {
      apex: ROOT,
      text: `${head}ns.test. A ${ADDRESS}\nexample.org. NS ns.test.\nexample.net. NS ns.test.\n`,
    },
    zone(
      "example.org",
      `@ MX 10 mail.example.net.\n_smtp._tls TXT "v=TLSRPTv1; rua=mailto:${reports}@example.org"`,
    ),
    zone("example.net", `mail A ${mailHost}`),
  ];
}

describeWithServers(["named"], "a check that somebody asks for", () => {
  let port: number;
  let named: RunningServer;
  let directory: string;
  let server: Served;
  let admin: LoggedIn;

  const publish = async (of: readonly ZoneText[]) => {
    await named?.stop();
    named = await startBind({ address: ADDRESS, port, zones: of });
  };

  beforeAll(async () => {
    port = await freePort();
    await publish(zones(1, "before", "192.0.2.25"));
    directory = mkdtempSync(join(tmpdir(), "zonepost-fresh-"));
    const hints = join(directory, "root.hints");
    writeFileSync(hints, `. 3600000 NS ns.test.\nns.test. 3600000 A ${ADDRESS}\n`);
    const settings = join(directory, "zonepost-server.yaml");
    writeFileSync(settings, `dns:\n  rootHints: ${hints}\n  port: ${port}\nwatch:\n  enabled: false\n`);
    server = await serve(["--settings", settings, "--state", join(directory, "state")]);
    const [, secret] = /\/setup#(\S+)/.exec(server.out())!;
    const body = JSON.stringify({ secret, name: "admin", password: PASSWORD });
    const headers = { "content-type": "application/json" };
    await fetch(`${server.url}/api/setup`, { method: "POST", headers, body });
    admin = await logIn(server.url, "admin", PASSWORD);
    const content = { servers: [{ host: "mail.example.net", addresses: ["192.0.2.25"] }] };
    expect((await admin.ask("PUT", "/api/servers", { content, revision: 0 })).status).toBe(200);
    expect((await admin.ask("POST", "/api/domains", { domain: "example.org" })).status).toBe(201);
  }, 120_000);
  afterAll(async () => {
    await server?.stop();
    await named?.stop();
    rmSync(directory, { recursive: true });
  });

  /** What a check tells of the two records. */
  const seen = async (): Promise<readonly string[]> => {
    const begun = await admin.ask("POST", "/api/domains/example.org/check");
    await jobDone(admin, (begun.body as { job: string }).job);
    const { body } = await admin.ask("GET", "/api/domains/example.org/findings");
    const { findings } = body as { findings: { code: string; owner: string; observed: string }[] };
    const told = findings.filter(({ owner }) => /^(_smtp\._tls\.|mail\.)/.test(owner));
    const text = told.map(({ observed }) => observed).join("\n");
    return ["before@", "after@", "192.0.2.25", "192.0.2.26"].filter((part) => text.includes(part));
  };

  it("shows a change at once, of the domain and of what it leads to", async () => {
    expect(await seen()).toEqual(["before@", "192.0.2.25"]);
    await publish(zones(2, "after", "192.0.2.26"));
    const shown = await seen();
    expect(shown).toContain("after@");
    expect(shown).not.toContain("before@");
    expect(shown).toContain("192.0.2.26");
  }, 120_000);
});
