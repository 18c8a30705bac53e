/**
 * Somebody who has never seen it: from the printed link to a key that signs, in a zone that a real BIND holds. What it
 * costs in clicks and keystrokes is counted, and bounded. In words: docs/guides/first-hour.md.
 */

import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Browser, Locator, Page } from "playwright-core";
import { afterAll, beforeAll, expect, it } from "vitest";
import { startDnsServer } from "../../src/net/dns-server.ts";
import { domainName } from "../../src/standards/dns/name.ts";
import { parseZoneText } from "../../src/standards/dns/zone-text.ts";
import { startBind } from "../support/bind.ts";
import { openBrowser, openTab } from "../support/browser.ts";
import { freePort } from "../support/free-port.ts";

import { Stoppables } from "../support/laboratory.ts";
import { describeWithServers } from "../support/real-server.ts";
import { logIn } from "../support/served.ts";
import { letLeasesPass, type ServedPages, startServedPages } from "../support/served-pages.ts";

const MAX_CLICKS = 25;
const PASSWORD = "a quiet evening by the sea";

const ROOT_SERVER = "127.0.7.2";
const ABOVE = `$TTL 300
. SOA ns.root. hostmaster.root. 1 3600 600 86400 60
. NS ns.root.
ns.root. A ${ROOT_SERVER}
example.org. NS ns.example.org.
ns.example.org. A 127.0.0.1
25.2.0.192.in-addr.arpa. PTR mail.example.org.
`;
/** A website, and nothing of mail. Absences are forgotten after seconds, so that nobody waits long for caches. */
const ZONE = `$TTL 300
example.org. SOA ns.example.org. hostmaster.example.org. 1 3600 600 86400 4
example.org. NS ns.example.org.
ns.example.org. A 127.0.0.1
www.example.org. A 192.0.2.80
`;
const SECRET = Buffer.alloc(32, 5).toString("base64");

describeWithServers(["named"], "a newcomer", () => {
  const running = new Stoppables();
  const directory = mkdtempSync(join(tmpdir(), "zonepost-newcomer-"));
  let browser: Browser;
  let served: ServedPages;
  let page: Page;
  let server: string;
  let settings: { readonly dns: { readonly rootHints: string; readonly port: number } };
  let complaints: readonly string[];
  const cost = { clicks: 0, keystrokes: 0 };

  const click = async (target: Locator) => {
    cost.clicks++;
    await target.click();
  };
  const type = async (target: Locator, text: string) => {
    cost.clicks++;
    cost.keystrokes += text.length;
    await target.click();
    await target.pressSequentially(text);
  };
  const button = (name: string | RegExp) =>
    page.getByRole("button", { name, exact: typeof name === "string" });
  const link = (name: string) => page.getByRole("main").getByRole("link", { name, exact: true });

  beforeAll(async () => {
    const port = await freePort();
    const root = domainName(".");
    const zones = [{ apex: root, records: parseZoneText(ABOVE, { origin: root }).records }];
    running.add(await startDnsServer({ address: ROOT_SERVER, port, zones }));
    server = `127.0.0.1:${port}`;
    running.add(
      await startBind({
        address: "127.0.0.1",
        port,
        zones: [{ apex: domainName("example.org"), text: ZONE }],
        // As the page shows it.
        statements: `key "zonepost" { algorithm hmac-sha256; secret "${SECRET}"; };`,
        zoneStatements: () =>
          'allow-transfer { key "zonepost"; }; update-policy { grant zonepost zonesub ANY; };',
      }),
    );
    const rootHints = join(directory, "hints");
    writeFileSync(rootHints, `. NS ns.root.\nns.root. A ${ROOT_SERVER}\n`);
    settings = { dns: { rootHints, port } };
    [browser, served] = await Promise.all([openBrowser(), startServedPages({ directory, settings })]);
    const tab = await openTab(browser, served.url);
    page = tab.page;
    complaints = tab.complaints;
  }, 120_000);
  afterAll(async () => {
    await browser?.close();
    await served?.stop();
    await running.stopAll();
    rmSync(directory, { recursive: true, force: true });
  });

  it("comes from the printed link to a key that signs", async () => {
    await page.goto(served.setupLink!);
    await type(page.getByLabel("Password"), PASSWORD);
    await click(button("Begin"));

    await click(link("Add a domain").first());
    await type(page.getByLabel("What comes after the @?"), "example.org");
    await click(button("Go on"));
    await type(page.getByLabel("Its addresses"), "192.0.2.25");
    await click(button("Take it in"));
    await click(link("Enter a provider"));
    await type(page.getByLabel("Primary name server"), server);
    await type(page.getByLabel("Secret of the key"), SECRET);
    await click(button("Try it and keep it"));
    await page.getByText("example.org works.").waitFor();

    await click(link("Publish example.org"));
    await click(link("DKIM"));
    await click(button("Make the key"));
    await page.getByText("not in DNS yet").waitFor();
    await click(button("Copy Value"));
    await expect
      .poll(() => page.evaluate<string>("navigator.clipboard.readText()"))
      .toMatch(/^v=DKIM1; k=rsa; p=/);

    await click(button("Publish it now"));
    await page.getByText("Every name server shows it.").waitFor({ timeout: 60_000 });
    // No press is needed: it is looked at again until caches have let go.
    await page.getByText("signs", { exact: true }).waitFor({ timeout: 60_000 });

    await click(link("Publish"));
    await click(button(/^Publish \d/));
    await page.locator(".follow .note").waitFor({ timeout: 60_000 });
    expect(await page.locator(".follow").innerText()).toContain("Done: every name server shows it.");
    await click(link("Findings"));
    await click(button("Check again"));
    await page.getByText("Checked just now.").waitFor({ timeout: 60_000 });
    for (const station of ["SPF", "DKIM", "DMARC"]) {
      const at = page.locator(".station").filter({ has: page.getByText(station, { exact: true }) });
      // What the check has found is read right after it has ended.
      await expect
        .poll(() => at.getAttribute("class"), { message: station })
        .toMatch(/station-(?:ok|notice|warning)/);
    }
    console.log(`A newcomer's way: ${cost.clicks} clicks, ${cost.keystrokes} keystrokes`);
    expect(cost.clicks).toBeLessThanOrEqual(MAX_CLICKS);
    expect(complaints).toEqual([]);
  }, 120_000);

  it("takes it back, and the key goes on to sign", async () => {
    await page.goto("/domains/example.org/publish");
    await page.getByRole("button", { name: "Take it back" }).click();
    await page.getByRole("heading", { name: "Taking back" }).waitFor();
    await page.locator(".follow .note").waitFor({ timeout: 60_000 });
    expect(await page.locator(".follow").innerText()).toContain("Done: every name server shows it.");
    await page.goto("/domains/example.org/dkim");
    await page.getByText("signs", { exact: true }).waitFor();
    expect(complaints).toEqual([]);
  }, 120_000);

  it("publishes in two steps, between which the server dies: the second is done all the same", async () => {
    const admin = await logIn(served.url, "admin", PASSWORD);
    const { body } = await admin.ask("GET", "/api/domains/example.org");
    const { content, revision } = body as { content: object; revision: number };
    const changed = { content: { ...content, mtaSts: { mode: "testing" } }, revision };
    expect((await admin.ask("PUT", "/api/domains/example.org", changed)).status).toBeLessThan(300);
    await page.goto("/domains/example.org/publish");
    await button(/^Publish \d/).click();
    await page.getByText(/^Waiting .* before the next step/).waitFor();
    await served.kill();
    await page.getByText("Connection lost, trying again").waitFor();
    letLeasesPass(directory);
    served = await startServedPages({ directory, port: Number(new URL(served.url).port), settings });
    await page.getByText("Connection lost").waitFor({ state: "hidden", timeout: 60_000 });
    await page.locator(".follow .note").waitFor({ timeout: 60_000 });
    expect(await page.locator(".follow").innerText()).toContain("Done: every name server shows it.");
    await page.goto("/domains/example.org/publish");
    await page.getByText("The zone holds all that is described").waitFor();
  }, 120_000);
});
