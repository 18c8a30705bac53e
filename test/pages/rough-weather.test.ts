/** Rough weather: others at the same thing, sessions that end, a server that is slow, away or begun anew. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Browser, Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { DEMO_PASSWORD } from "../../src/demo/demo.ts";
import { expectAccessible, openTab, type Tab } from "../support/browser.ts";
import { type DemoPages, startDemoPages } from "../support/demo-pages.ts";
import { type PagesLaboratory, startPagesLaboratory } from "../support/pages-laboratory.ts";
import { type LoggedIn, logIn } from "../support/served.ts";
import { letLeasesPass, type ServedPages, startServedPages } from "../support/served-pages.ts";
import { type SlowProxy, startSlowProxy } from "../support/slow-proxy.ts";

let demo: DemoPages;
let proxy: SlowProxy;
let other: LoggedIn;
let tab: Tab;
let page: Page;

const logInAs = async (at: Page, name: string, password = DEMO_PASSWORD) => {
  await at.getByLabel("Name", { exact: true }).last().fill(name);
  await at.getByLabel("Password", { exact: true }).fill(password);
  await at.getByRole("button", { name: "Log in", exact: true }).click();
};

async function enter(browser: Browser, path: string): Promise<Tab> {
  const entered = await openTab(browser, proxy.url);
  await entered.page.goto(path);
  await logInAs(entered.page, "demo");
  await entered.page.waitForURL((url) => url.pathname === path);
  return entered;
}

/** As somebody else would, at another machine. */
async function othersChangeServers(addresses: readonly string[]): Promise<void> {
  const { body } = await other.ask("GET", "/api/servers");
  const { content, revision } = body as { content: { servers: object[] }; revision: number };
  const servers = content.servers.map((server, at) => (at === 1 ? { ...server, addresses } : server));
  expect(
    (await other.ask("PUT", "/api/servers", { content: { ...content, servers }, revision })).status,
  ).toBe(200);
}

const askedOf = (method: string, end: string) =>
  proxy.asked.filter((each) => each.method === method && each.path.endsWith(end));
const addresses = () => page.getByLabel("Addresses").nth(1);

beforeAll(async () => {
  demo = await startDemoPages();
  proxy = await startSlowProxy(demo.url);
  other = await logIn(demo.url, "demo", DEMO_PASSWORD);
  tab = await enter(demo.browser, "/servers");
  page = tab.page;
});
afterAll(async () => {
  await proxy?.close();
  await demo?.close();
});

describe("two at the same thing", () => {
  it("is said to who comes second, who loses nothing and sees what the first did", async () => {
    await addresses().fill("192.0.2.26 192.0.2.41");
    await othersChangeServers(["192.0.2.26", "192.0.2.42"]);
    await page.getByRole("button", { name: "Save", exact: true }).click();
    await page.getByText("Somebody else has changed this meanwhile").waitFor();
    expect(await addresses().inputValue()).toBe("192.0.2.26 192.0.2.41");
    await page.getByText("What is another now").click();
    await expect.poll(() => page.locator("pre").last().textContent()).toContain("192.0.2.42");
    await expectAccessible(page);
  });

  it("takes the other's, and back what was typed", async () => {
    await page.getByRole("button", { name: "Take theirs" }).click();
    await expect.poll(() => addresses().inputValue()).toBe("192.0.2.26 192.0.2.42");
    await page.getByRole("button", { name: "Undo" }).click();
    await expect.poll(() => addresses().inputValue()).toBe("192.0.2.26 192.0.2.41");
    await page.getByText("Somebody else has changed this meanwhile").waitFor();
  });

  it("saves over it where one wants that", async () => {
    await page.getByRole("button", { name: "Save mine over it" }).click();
    await page.getByText("Saved.").waitFor();
    await expect.poll(() => page.getByText("Somebody else has changed").count()).toBe(0);
    const { body } = await other.ask("GET", "/api/servers");
    expect(JSON.stringify(body)).toContain("192.0.2.41");
    expect(JSON.stringify(body)).not.toContain("192.0.2.42");
  });

  it("shows a user as the first has left them, and says why the second's change is not done", async () => {
    await page.goto("/users");
    const role = page.getByLabel("Role: rita");
    await role.waitFor();
    const { body } = await other.ask("GET", "/api/users");
    const rita = (body as { users: { id: string; name: string; revision: number }[] }).users.find(
      ({ name }) => name === "rita",
    )!;
    await page.getByLabel("Name", { exact: true }).fill("half a na");
    const change = { role: "owner", revision: rita.revision, ownPassword: DEMO_PASSWORD };
    expect((await other.ask("PUT", `/api/users/${rita.id}`, change)).status).toBe(200);
    await role.selectOption("administrator");
    await page.getByRole("button", { name: "Change the role: rita" }).click();
    await page.getByRole("dialog").getByLabel("Your own password").fill(DEMO_PASSWORD);
    await page.getByRole("dialog").getByRole("button", { name: "Go on" }).click();
    await page
      .getByRole("alert")
      .getByText(/changed .*meanwhile/)
      .waitFor();
    await expect.poll(() => role.inputValue()).toBe("owner");
    expect(await page.getByLabel("Name", { exact: true }).inputValue()).toBe("half a na");
  });
});

describe("a session that ends over a form", () => {
  it("is begun again above the page, which keeps what was typed", async () => {
    await page.goto("/servers");
    await addresses().fill("192.0.2.26 192.0.2.43");
    await page.getByRole("button", { name: "Edit as text" }).click();
    await tab.context.clearCookies();
    await page.getByRole("button", { name: "Save", exact: true }).click();
    const dialog = page.getByRole("dialog", { name: "Your session is over" });
    await dialog.waitFor();
    await expectAccessible(page);
    await page.keyboard.press("Escape");
    await page.keyboard.press("Escape");
    expect(await dialog.isVisible()).toBe(true);
    await dialog.getByLabel("Password").fill("not the password");
    await dialog.getByRole("button", { name: "Log in", exact: true }).click();
    await dialog.getByText("That is not right.").waitFor();
    await dialog.getByLabel("Password").fill(DEMO_PASSWORD);
    await dialog.getByRole("button", { name: "Log in", exact: true }).click();
    await dialog.waitFor({ state: "detached" });
    await page.getByText("You are logged in again.").waitFor();
    expect(new URL(page.url()).pathname).toBe("/servers");
    expect(await page.getByLabel(/^Description without/).inputValue()).toContain("192.0.2.43");
    await page.getByRole("button", { name: "Save", exact: true }).click();
    await page.getByText("Saved.").waitFor();
    expect(JSON.stringify((await other.ask("GET", "/api/servers")).body)).toContain("192.0.2.43");
  });

  it("is over for good where somebody else logs in: nothing of the first stays", async () => {
    await page.goto("/users");
    await page.getByLabel("Name", { exact: true }).fill("a secret plan");
    await page.getByLabel("Your own password").fill(DEMO_PASSWORD);
    await tab.context.clearCookies();
    await page.getByRole("button", { name: "Add", exact: true }).click();
    await page.getByRole("dialog", { name: "Your session is over" }).waitFor();
    await logInAs(page, "olga");
    await page.getByRole("heading", { name: "Your domains" }).waitFor();
    expect(new URL(page.url()).pathname).toBe("/");
    await tab.context.clearCookies();
    await page.goto("/servers");
    await logInAs(page, "demo");
    await addresses().waitFor();
  });
});

describe("a slow server", () => {
  it("has its page say that it loads, and lets go of what nobody waits for any more", async () => {
    proxy.hold();
    proxy.asked.length = 0;
    await page.getByRole("link", { name: "History", exact: true }).click();
    await page.getByRole("heading", { name: "History" }).waitFor();
    await page.getByRole("main").getByText("Loading …").waitFor();
    await page.getByRole("link", { name: "Domains", exact: true }).click();
    await page.getByRole("heading", { name: "Your domains" }).waitFor();
    await expect
      .poll(() => proxy.asked.find(({ path }) => path.startsWith("/api/history"))?.state)
      .toBe("let go");
    proxy.letThrough();
    await page.getByRole("link", { name: /florist\.example/ }).waitFor();
    expect(tab.complaints).toEqual([]);
  });

  it("is sent once what is clicked twice", async () => {
    await page.goto("/domains/florist.example");
    const again = page.getByRole("button", { name: "Check again" });
    await again.waitFor();
    proxy.asked.length = 0;
    proxy.hold();
    await again.dblclick();
    await page.getByRole("main").getByText("Checking", { exact: false }).first().waitFor();
    expect(await again.isDisabled()).toBe(true);
    proxy.letThrough();
    await page.getByText("Checked just now.").waitFor({ timeout: 60_000 });
    expect(askedOf("POST", "/check")).toHaveLength(1);
  });

  it("is sent a form once, though Enter is pressed twice", async () => {
    await page.goto("/users");
    await page.getByLabel("Name", { exact: true }).fill("Nora");
    await page.getByLabel("Your own password").fill(DEMO_PASSWORD);
    proxy.asked.length = 0;
    proxy.hold();
    await page.getByLabel("Name", { exact: true }).press("Enter");
    await page.getByLabel("Name", { exact: true }).press("Enter");
    proxy.letThrough();
    await page.getByText("The password of nora.").waitFor();
    expect(askedOf("POST", "/api/users")).toHaveLength(1);
    expect(await page.getByText(/there is a user nora already/).count()).toBe(0);
  });
});

describe("a connection that is lost", () => {
  it("is said at once, and everything is read anew when it is back", async () => {
    await page.goto("/users");
    await page.getByLabel("Role: rita").waitFor();
    await page.getByLabel("Name", { exact: true }).fill("half a name");
    await page.getByLabel("Your own password").fill(DEMO_PASSWORD);
    await tab.context.setOffline(true);
    await page.getByText("Connection lost, trying again").waitFor();
    const newcomer = { name: "newcomer", role: "reader", makePassword: true, ownPassword: DEMO_PASSWORD };
    expect((await other.ask("POST", "/api/users", newcomer)).status).toBeLessThan(300);
    await page.getByRole("button", { name: "Add", exact: true }).click();
    await page.getByText("this may have been done, or not").waitFor();
    await tab.context.setOffline(false);
    await page.getByText("The connection is back.").waitFor();
    await page.getByLabel("Role: newcomer").waitFor();
    expect(await page.getByLabel("Name", { exact: true }).inputValue()).toBe("half a name");
  });

  it("does not take away what is typed where others have changed it meanwhile", async () => {
    await page.goto("/servers");
    await addresses().fill("192.0.2.26 192.0.2.44");
    await tab.context.setOffline(true);
    await page.getByText("Connection lost, trying again").waitFor();
    await othersChangeServers(["192.0.2.26", "192.0.2.45"]);
    await tab.context.setOffline(false);
    await page.getByText("Somebody else has changed this meanwhile").waitFor();
    expect(await addresses().inputValue()).toBe("192.0.2.26 192.0.2.44");
  });
});

describe("a server that is begun anew in the midst of work", () => {
  let directory: string;
  let laboratory: PagesLaboratory;
  let served: ServedPages;
  let settings: { readonly dns: PagesLaboratory["dns"] };
  let stopped: Tab;

  beforeAll(async () => {
    directory = mkdtempSync(join(tmpdir(), "zonepost-rough-"));
    laboratory = await startPagesLaboratory(directory);
    settings = { dns: laboratory.dns };
    served = await startServedPages({ directory, settings });
    stopped = await openTab(demo.browser, served.url);
    await stopped.page.goto(served.setupLink!);
    await stopped.page.getByLabel("Password").fill(DEMO_PASSWORD);
    await stopped.page.getByRole("button", { name: "Begin" }).click();
    await stopped.page.getByText("No domain yet").waitFor();
    const admin = await logIn(served.url, "admin", DEMO_PASSWORD);
    const domain = {
      domain: "example.org",
      content: { domain: "example.org", receives: false, sends: false },
    };
    expect((await admin.ask("POST", "/api/domains", domain)).status).toBeLessThan(300);
  });
  afterAll(async () => {
    await stopped?.context.close();
    await served?.stop();
    await laboratory?.close();
    rmSync(directory, { recursive: true, force: true });
  });

  it("is said to be away, comes back by itself, and shows how the check has ended", async () => {
    const { page: at } = stopped;
    laboratory.silence(true);
    await at.goto("/domains/example.org");
    const begun = at.waitForResponse((response) => response.url().endsWith("/check"));
    await at.getByRole("button", { name: "Check again" }).click();
    const { job } = (await (await begun).json()) as { job: string };
    const admin = await logIn(served.url, "admin", DEMO_PASSWORD);
    const state = async () => ((await admin.ask("GET", `/api/jobs/${job}`)).body as { state: string }).state;
    await expect.poll(state).toBe("running");
    await served.kill();
    await at.getByText("Connection lost, trying again").waitFor();
    expect(await at.locator(".page-head .busy").count()).toBe(1);
    laboratory.silence(false);
    letLeasesPass(directory);
    served = await startServedPages({ directory, port: Number(new URL(served.url).port), settings });
    await at.getByText("Connection lost").waitFor({ state: "hidden", timeout: 60_000 });
    await at.getByText("Checked just now.").waitFor({ timeout: 60_000 });
    await at.locator("details.finding").first().waitFor();
    // It was done once more, at name servers that answer.
    await expect.poll(() => at.getByText("zone-unreachable").count()).toBe(0);
    expect(await at.getByRole("button", { name: "Check again" }).isEnabled()).toBe(true);
  });
});
