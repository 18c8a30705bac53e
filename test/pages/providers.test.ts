/** Who holds zones, entered in the page and tried at a real BIND: wrongly, rightly, taken away and brought back. */

import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Browser, Page } from "playwright-core";
import { afterAll, beforeAll, expect, it } from "vitest";
import { domainName } from "../../src/standards/dns/name.ts";
import { expectAccessible, openBrowser, openTab, type Tab } from "../support/browser.ts";
import { type DemoPages, startDemoPages } from "../support/demo-pages.ts";
import { freePort } from "../support/free-port.ts";

import { Stoppables } from "../support/laboratory.ts";
import { describeWithServers } from "../support/real-server.ts";
import { type ServedPages, startServedPages } from "../support/served-pages.ts";
import { UPDATE_KEY, UPDATE_SERVERS } from "../support/update-servers.ts";

const BIND = UPDATE_SERVERS.find(({ title }) => title === "BIND")!;
const NAME = "BIND, Knot, PowerDNS (dynamic updates)";
const WRONG_SECRET = Buffer.alloc(32, 6).toString("base64");
const ZONE = `$TTL 300
example.org. SOA ns.example.org. hostmaster.example.org. 1 3600 600 86400 60
example.org. NS ns.example.org.
ns.example.org. A 192.0.2.53
`;

/** By its name, or by what is in it. */
async function expectFocusOf(page: Page, words: string | RegExp): Promise<void> {
  const named = "((at) => at.ariaLabel ?? at.textContent)(document.activeElement)";
  await expect.poll(() => page.evaluate<string>(named)).toMatch(words);
}

describeWithServers(BIND.programs, "the page of providers", () => {
  const running = new Stoppables();
  const directory = mkdtempSync(join(tmpdir(), "zonepost-providers-"));
  let port: number;
  let browser: Browser;
  let served: ServedPages;
  let tab: Tab;
  const { keep, server, secret, button, text } = {
    keep: () => button("Try it and keep it").click(),
    server: () => tab.page.getByLabel("Primary name server"),
    secret: () => tab.page.getByLabel("Secret of the key"),
    button: (name: string) => tab.page.getByRole("button", { name, exact: true }),
    text: (words: string | RegExp) => tab.page.getByText(words),
  };

  const expectFocus = (words: string | RegExp) => expectFocusOf(tab.page, words);

  beforeAll(async () => {
    port = await freePort();
    running.add(await BIND.start(port, [{ apex: domainName("example.org"), text: ZONE }]));
    const file = join(directory, "token");
    writeFileSync(file, "a token in a file", { mode: 0o600 });
    const publish = [{ provider: "desec", zones: ["example.net"], token: { file } }];
    [browser, served] = await Promise.all([
      openBrowser(),
      startServedPages({ directory, settings: { publish } }),
    ]);
    tab = await openTab(browser, served.url);
    const { page } = tab;
    await page.goto(served.setupLink!);
    await page.getByLabel("Password").fill("a quiet evening by the sea");
    await button("Begin").click();
    await page.getByRole("heading", { name: "Your domains" }).waitFor();
  }, 120_000);
  afterAll(async () => {
    await browser?.close();
    await served?.stop();
    await running.stopAll();
    rmSync(directory, { recursive: true, force: true });
  });

  it("shows what the settings say, to be read alone", async () => {
    const { page } = tab;
    await page.locator("summary", { hasText: "Administration" }).click();
    await page.getByRole("link", { name: "Providers" }).click();
    const card = page.locator(".provider").filter({ hasText: "deSEC" });
    await card.getByText("By the server's settings").waitFor();
    expect(await card.innerText()).toContain("example.net");
    expect(await card.getByRole("button").count()).toBe(0);
    expect(await page.content()).not.toContain("a token in a file");
  });

  it("says what the server says to a wrong secret, keeps nothing, and what is typed stays", async () => {
    const { page } = tab;
    expect(await button("Keep it all the same").count()).toBe(0);
    await server().fill(`127.0.0.1:${port}`);
    await page.getByLabel("Name of the key").fill(UPDATE_KEY.name);
    await secret().fill(WRONG_SECRET);
    await page.getByLabel("Only for these zones").fill("example.org");
    await keep();
    await page
      .getByRole("alert")
      .getByText(/^Tried with example\.org: .*BADSIG/)
      .waitFor();
    await text("Compare the address").waitFor();
    await button("Keep it all the same").waitFor();
    expect(await page.locator(".provider").count()).toBe(1);
    expect(await server().inputValue()).toBe(`127.0.0.1:${port}`);
    expect(await secret().getAttribute("type")).toBe("password");
  });

  it("keeps what works, and never shows the secret again", async () => {
    const { page } = tab;
    await secret().fill(UPDATE_KEY.secret);
    await keep();
    await text("example.org works.").waitFor();
    await expectFocus(/is kept/);
    const card = page.locator(".provider").filter({ hasText: NAME });
    await card.getByText("Entered by").waitFor();
    expect(await card.innerText()).toContain(`${UPDATE_KEY.name}, hmac-sha256`);
    expect(await secret().inputValue()).toBe("");
    await page.reload();
    await card.waitFor();
    expect(await page.content()).not.toContain(UPDATE_KEY.secret);
  });

  it("tries it again", async () => {
    await button(`Try it: ${NAME}`).click();
    await tab.page.locator(".provider").getByText("example.org works.").waitFor();
  });

  it("is entered anew, and kept though it fails where that is wanted", async () => {
    const { page } = tab;
    await button(`Enter anew: ${NAME}`).click();
    const anew = page.getByRole("region", { name: `${NAME}, entered anew` });
    await expectFocus(`${NAME}, entered anew`);
    await anew.getByRole("button", { name: "Cancel" }).click();
    await expectFocus(NAME);
    await button(`Enter anew: ${NAME}`).click();
    expect(await anew.getByLabel("Primary name server").inputValue()).toBe(`127.0.0.1:${port}`);
    expect(await anew.getByLabel("Only for these zones").inputValue()).toBe("example.org");
    await anew.getByLabel("Secret of the key").fill(WRONG_SECRET);
    await anew.getByRole("button", { name: "Try it and keep it" }).click();
    await anew.getByRole("button", { name: "Keep it all the same" }).click();
    await page.locator(".provider").getByText("example.org does not work.").waitFor();
    await button(`Enter anew: ${NAME}`).click();
    await anew.getByLabel("Secret of the key").fill(UPDATE_KEY.secret);
    await anew.getByRole("button", { name: "Try it and keep it" }).click();
    await page.locator(".provider").getByText("example.org works.").waitFor();
  });

  it("is taken away, and brought back by its undo", async () => {
    const { page } = tab;
    await button(`Take away: ${NAME}`).click();
    await expect.poll(() => page.locator(".provider").count()).toBe(1);
    await button("Undo").click();
    await button(`Try it: ${NAME}`).click();
    await page.locator(".provider").getByText("example.org works.").waitFor();
  });

  it.each([
    ["powerdns", ["URL of the API", "Server in the API", "API key"]],
    ["cloudflare", ["Token"]],
    ["route53", ["Access key ID", "Secret access key"]],
    ["hetzner", ["Token"]],
    ["digitalocean", ["Token"]],
    ["desec", ["Token"]],
    ["gandi", ["Token"]],
  ])("asks for what %s wants", async (kind, labels) => {
    await tab.page.getByLabel("Who holds the zones?").selectOption(kind);
    const fields = tab.page.locator(".provider-fields label");
    expect(await fields.allTextContents()).toEqual(labels);
  });

  it("says of a field what is wrong with it, in its place", async () => {
    await tab.page.getByLabel("Token").fill("two words");
    await keep();
    await tab.page
      .locator(".fault")
      .getByText(/no spaces/)
      .waitFor();
  });

  it("links to it from where nobody holds a zone, and leads back", async () => {
    const { page } = tab;
    await page.evaluate(async () => {
      const { csrfToken } = (await (await fetch("/api/session")).json()) as { csrfToken: string };
      await fetch("/api/domains", {
        method: "POST",
        headers: { "content-type": "application/json", "x-csrf-token": csrfToken },
        body: JSON.stringify({ domain: "example.com", content: { receives: false } }),
      });
    });
    await page.goto("/domains/example.com/publish");
    await page.getByRole("main").getByRole("link", { name: "Enter a provider" }).click();
    await page.waitForURL(/\/providers\?for=example\.com$/);
    await server().fill(`127.0.0.1:${port}`);
    await secret().fill(UPDATE_KEY.secret);
    await keep();
    await page
      .getByRole("alert")
      .getByText(/^Tried with example\.com: .*BADKEY/)
      .waitFor();
    await button("Keep it all the same").click();
    await text("example.com does not work.").waitFor();
    await page.getByRole("link", { name: "Publish example.com" }).click();
    await page.waitForURL(/\/domains\/example\.com\/publish$/);
  });

  it("is accessible, narrow and wide, light and dark", async () => {
    await tab.page.goto("/providers");
    await button(`Enter anew: ${NAME}`).first().click();
    await expectAccessible(tab.page);
    expect(tab.complaints).toEqual([]);
  });

  it("leaves no secret in the server's log or state", () => {
    const kept = readdirSync(directory)
      .filter((name) => name.startsWith("zonepost.db"))
      .map((name) => readFileSync(join(directory, name)).toString("latin1"))
      .join("");
    expect(kept).toContain(`"name":"${UPDATE_KEY.name}"`);
    expect(kept).not.toContain(UPDATE_KEY.secret);
    expect(served.logged.join("")).not.toContain(UPDATE_KEY.secret);
  });
});

describeWithServers([], "of the page of providers", () => {
  let demo: DemoPages;
  beforeAll(async () => {
    demo = await startDemoPages();
  });
  afterAll(() => demo?.close());

  it.each(["olga", "rita"] as const)("%s sees nothing", async (name) => {
    const { page, context, complaints } = await demo.enter(name, "/");
    await page.getByRole("navigation", { name: "Main menu" }).waitFor();
    expect(await page.locator("#menu a").allTextContents()).not.toContain("Providers");
    await page.goto("/providers");
    await page.getByText(/This needs the permission/).waitFor();
    expect(await page.getByRole("main").getByRole("textbox").count()).toBe(0);
    expect(complaints).toEqual([]);
    await context.close();
  });
});
