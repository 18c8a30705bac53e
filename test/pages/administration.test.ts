/** Looking after the server, in the demo: and what owners and readers do not see of it. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Page } from "playwright-core";
import { afterAll, beforeAll, expect, it } from "vitest";
import { DEMO_PASSWORD } from "../../src/demo/demo.ts";
import { openStore } from "../../src/store/open.ts";
import { expectAccessible, openTab, type Tab } from "../support/browser.ts";
import { type DemoPages, startDemoPages } from "../support/demo-pages.ts";

let demo: DemoPages;
let folder: string;
let tab: Tab;
let page: Page;

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), "zonepost-administration-"));
  demo = await startDemoPages();
  tab = await demo.enter("demo", "/alerts");
  page = tab.page;
});
afterAll(async () => {
  await demo?.close();
  rmSync(folder, { recursive: true, force: true });
});

const menuOf = async (of: Page): Promise<string[]> => {
  await of.getByRole("navigation", { name: "Main menu" }).waitFor();
  const all = await of.locator("#menu a").allTextContents();
  return all.map((text) => text.trim());
};

it("shows who is told, what was told, and the outcome of a test of each channel", async () => {
  await page.getByText("spf-several-records").waitFor();
  await page.getByRole("button", { name: "Send a test: ops" }).click();
  await page.getByText("The receiver has taken it.").waitFor();
  await page.getByRole("button", { name: "Send a test: chat" }).click();
  await page.getByText("It did not get there.").waitFor();
  await page.getByText("no packet leaves the machine").waitFor();
});

it("lists what has changed at all domains", async () => {
  await page.getByRole("link", { name: "History", exact: true }).click();
  await page.locator(".events a").first().waitFor();
  const domains = await page.locator(".events a").allTextContents();
  expect(new Set(domains).size).toBeGreaterThan(3);
});

it("filters the audit log, by address and by form", async () => {
  await page.goto("/audit");
  await page.getByRole("cell", { name: "alert.told" }).first().waitFor();
  await page.getByLabel("What", { exact: true }).selectOption("login");
  await page.getByRole("button", { name: "Show", exact: true }).click();
  await expect.poll(() => new URL(page.url()).search).toBe("?action=login");
  expect(await page.evaluate("document.activeElement.textContent")).toBe("Show");
  await expect
    .poll(async () => new Set(await page.locator(".audit td:nth-child(3)").allTextContents()))
    .toEqual(new Set(["login", "login.failed"]));
  await page.getByRole("cell").getByRole("link", { name: "olga" }).first().click();
  await expect.poll(() => page.locator(".audit tbody tr").count()).toBe(2);
  expect(await page.getByLabel("Who").inputValue()).toBe("olga");
  expect(await page.evaluate("document.activeElement.tagName")).toBe("H1");
  await page.getByLabel("To what").fill("nobody at all");
  await page.getByRole("button", { name: "Show", exact: true }).click();
  await page.getByText("Nothing is written down").waitFor();
  await page.getByRole("main").getByRole("link", { name: "Show all" }).click();
  await page.getByRole("cell", { name: "servers.change" }).first().waitFor();
});

/** What makes or changes users asks for the password, above the page. */
async function typeOwn(password = DEMO_PASSWORD): Promise<void> {
  const dialog = page.getByRole("dialog");
  await dialog.getByLabel("Your own password").fill(password);
  await dialog.getByRole("button", { name: "Go on" }).click();
}

it("adds a user, who comes in with the password that is shown once", async () => {
  await page.goto("/users");
  await page.getByLabel("Name").fill("Nils");
  await page.getByRole("radio", { name: /^Reader/ }).check();
  await page.getByLabel("Your own password").fill("not the password");
  await page.getByRole("button", { name: "Add", exact: true }).click();
  await page.getByText(/that is not the password/).waitFor();
  await page.getByLabel("Your own password").fill(DEMO_PASSWORD);
  await page.getByRole("button", { name: "Add", exact: true }).click();
  await page.getByText("The password of nils.").waitFor();
  const password = await page.locator(".secret").innerText();
  expect(password).toMatch(/^[a-z2-9]{4}(?:-[a-z2-9]{4}){4}$/);
  const { page: his, context } = await openTab(demo.browser, demo.url);
  await his.goto("/");
  await his.getByLabel("Name").fill("nils");
  await his.getByLabel("Password").fill(password);
  await his.getByRole("button", { name: "Log in", exact: true }).click();
  await his.getByRole("heading", { name: "Your domains" }).waitFor();

  await page.getByText("passkeys and tokens are gone for good").waitFor();
  await page.getByRole("button", { name: "Keep out: nils" }).click();
  await page.getByText("nils is kept out").waitFor();
  await his.reload();
  await his.getByRole("heading", { name: "Log in" }).waitFor();
  await context.close();
  await page.getByRole("button", { name: "Undo" }).click();
  const asked = page.getByRole("dialog", { name: "Let in again: nils" });
  await asked.getByRole("button", { name: "Cancel" }).click();
  await asked.waitFor({ state: "detached" });
  await page.getByRole("button", { name: "Let in again: nils" }).click();
  await typeOwn("not the password");
  await page.getByText(/that is not the password/).waitFor();
  await typeOwn();
  await page.getByRole("button", { name: "Keep out: nils" }).waitFor();

  await page.getByLabel("Name").fill("nils");
  await page.getByLabel("Your own password").fill(DEMO_PASSWORD);
  await page.getByRole("button", { name: "Add", exact: true }).click();
  await page.getByText(/there is a user nils already/).waitFor();
});

it("changes a role, takes that back, and leaves one's own to others", async () => {
  await page.goto("/users");
  const role = page.getByLabel("Role: nils");
  await role.selectOption("owner");
  expect(await page.getByText("nils: Owner.").count()).toBe(0);
  await page.getByRole("button", { name: "Change the role: nils" }).click();
  await typeOwn();
  await page.getByText("nils: Owner.").waitFor();
  expect(await page.evaluate("document.activeElement.tagName")).toBe("SELECT");
  await page.keyboard.press("Control+z");
  await expect.poll(() => role.inputValue()).toBe("reader");
  expect(await page.getByLabel("Role: demo").isDisabled()).toBe(true);
  await page.getByText("Another administrator changes your role").waitFor();
});

it("asks anew for a password that has changed before something was taken back", async () => {
  const changeOwn = (password: string, newPassword: string) =>
    page.evaluate(async (body) => {
      const { csrfToken } = (await (await fetch("/api/session")).json()) as { csrfToken: string };
      const headers = { "content-type": "application/json", "x-csrf-token": csrfToken };
      return (await fetch("/api/account/password", { method: "PUT", headers, body })).status;
    }, JSON.stringify({ password, newPassword }));
  const another = "a lamp beside the harbour";
  await page.goto("/users");
  const role = page.getByLabel("Role: nils");
  await role.selectOption("owner");
  await page.getByRole("button", { name: "Change the role: nils" }).click();
  await typeOwn();
  await page.getByText("nils: Owner.").waitFor();
  expect(await changeOwn(DEMO_PASSWORD, another)).toBe(204);
  await page.keyboard.press("Control+z");
  await page.getByRole("dialog", { name: "Change the role: nils" }).waitFor();
  await typeOwn(another);
  await expect.poll(() => role.inputValue()).toBe("reader");
  expect(await changeOwn(another, DEMO_PASSWORD)).toBe(204);
});

it("shows whose tokens there are, and takes one back", async () => {
  await page.goto("/account");
  await page.getByLabel("What is it for?").fill("nightly job");
  await page.getByLabel("Password now").last().fill(DEMO_PASSWORD);
  await page.getByRole("button", { name: "Make a token" }).click();
  await page.locator("code.secret").waitFor();
  await page.goto("/users");
  const remove = page.getByRole("button", { name: "Remove demo: nightly job" });
  await remove.click();
  await page.getByText("There are none.").waitFor();
  await page.getByRole("button", { name: "Undo" }).click();
  await remove.click();
  const removed = page.waitForResponse((response) => response.request().method() === "DELETE");
  await page.getByRole("button", { name: "Close this message" }).click();
  expect((await removed).status()).toBe(204);
  await page.reload();
  await page.getByText("There are none.").waitFor();
});

it("changes servers with mistakes in place, and takes that back", async () => {
  await page.goto("/servers");
  const addresses = page.getByLabel("Addresses").nth(1);
  await addresses.fill("192.0.2.26 192.0.2.300");
  await page.getByRole("button", { name: "Save" }).click();
  await page
    .locator(".fault")
    .getByText(/192\.0\.2\.300/)
    .waitFor();
  expect(await addresses.getAttribute("aria-invalid")).toBe("true");
  await addresses.fill("192.0.2.26, 192.0.2.28");
  await page.getByRole("button", { name: "Save" }).click();
  await page.getByText("Saved.").waitFor();
  await expect.poll(() => page.getByLabel("Addresses").nth(1).inputValue()).toBe("192.0.2.26 192.0.2.28");
  await page.getByRole("button", { name: "Undo" }).click();
  await expect.poll(() => page.getByLabel("Addresses").nth(1).inputValue()).toBe("192.0.2.26");
  await page.getByRole("button", { name: "Edit as text" }).click();
  const text = page.getByLabel(/^Description without its domains/);
  expect(JSON.parse(await text.inputValue()).servers[2].tlsa).toHaveLength(1);
  const whole = await text.inputValue();
  await text.fill("{");
  await page.getByRole("button", { name: "Save" }).click();
  expect(await page.getByText("This is no JSON any more.").getAttribute("lang")).toBeNull();
  await text.fill(whole.replace("mail.example.net", "mx.example.net"));
  await page.getByRole("button", { name: "Edit as form" }).click();
  await expect.poll(() => page.getByLabel("Name").nth(1).inputValue()).toBe("mx.example.net");
});

it("does not save over what another has changed meanwhile", async () => {
  await page.goto("/servers");
  await page.getByLabel("Addresses").nth(1).fill("192.0.2.26 192.0.2.29");
  const other = await tab.context.newPage();
  await other.goto("/servers");
  await other.getByLabel("Addresses").nth(1).fill("192.0.2.26 192.0.2.30");
  await other.getByRole("button", { name: "Save" }).click();
  await other.getByText("Saved.").waitFor();
  await page.getByRole("button", { name: "Save" }).click();
  await page.getByText(/Somebody else has changed this meanwhile/).waitFor();
  await page.getByRole("button", { name: "Take theirs" }).click();
  await expect.poll(() => page.getByLabel("Addresses").nth(1).inputValue()).toBe("192.0.2.26 192.0.2.30");
  await other.close();
});

it("shows what the server runs with", async () => {
  await page.goto("/settings");
  const log = page.getByRole("row", { name: /^log / });
  await log.getByText("warn").waitFor();
  await log.getByText("ZONEPOST_LOG").waitFor();
});

it("hands out a backup for the password, one that opens and holds what is here", async () => {
  await page.goto("/backup");
  await page.getByText("None was made here yet.").waitFor();
  await page.getByLabel("Password now").fill("not the password");
  await page.getByRole("button", { name: "Download a backup" }).click();
  await page.getByText(/that is not the password/).waitFor();
  await page.getByLabel("Password now").fill(DEMO_PASSWORD);
  const downloading = page.waitForEvent("download");
  await page.getByRole("button", { name: "Download a backup" }).click();
  const download = await downloading;
  expect(download.suggestedFilename()).toMatch(/^zonepost-\d{4}-\d\d-\d\dT\d{4}\.db$/);
  const file = join(folder, "zonepost.db");
  await download.saveAs(file);
  await page.getByText("by demo.").waitFor();
  const store = await openStore({ kind: "sqlite", path: file });
  const names = (await store.access.users()).map(({ name }) => name);
  await store.close();
  expect(names.toSorted()).toEqual(["demo", "nils", "olga", "rita"]);
});

it("shows an owner no administration, and says so at its addresses", async () => {
  const { page: hers, context, complaints } = await demo.enter("olga", "/history");
  expect(await menuOf(hers)).not.toContain("Audit log");
  expect(await hers.locator("summary", { hasText: "Administration" }).count()).toBe(0);
  await hers.locator(".events a").first().waitFor();
  const domains = new Set(await hers.locator(".events a").allTextContents());
  const own = ["bakery.example", "florist.example", "gallery.example", "museum.example", "orchard.example"];
  expect([...domains].filter((domain) => !own.includes(domain))).toEqual([]);
  for (const path of ["/audit", "/alerts", "/servers", "/users", "/settings", "/backup"]) {
    await hers.goto(path);
    await hers.getByText(/This needs the permission/).waitFor();
  }
  expect(complaints).toEqual([]);
  await context.close();
});

it("shows a reader what is there, and nothing to change it with", async () => {
  const { page: hers, context, complaints } = await demo.enter("rita", "/servers");
  const menu = await menuOf(hers);
  expect(menu).toEqual(expect.arrayContaining(["Audit log", "Alerts", "Mail servers"]));
  expect(menu).not.toContain("Users");
  await hers.getByRole("heading", { name: "mail.example.org" }).waitFor();
  expect(await hers.getByRole("button", { name: "Save" }).count()).toBe(0);
  await hers.goto("/alerts");
  await hers.getByRole("heading", { name: "ops" }).waitFor();
  expect(await hers.getByRole("button", { name: /^Send a test/ }).count()).toBe(0);
  await hers.goto("/audit");
  await hers.getByRole("cell", { name: "backup.create" }).waitFor();
  for (const path of ["/users", "/settings", "/backup"]) {
    await hers.goto(path);
    await hers.getByText(/This needs the permission/).waitFor();
  }
  expect(complaints).toEqual([]);
  await context.close();
});

it("asks for a password accessibly", async () => {
  await page.goto("/users");
  await page.getByRole("button", { name: "New password: rita" }).click();
  await page.getByRole("dialog", { name: "New password: rita" }).waitFor();
  await expectAccessible(page);
});

it.each([
  ["/alerts", ".channel"],
  ["/history", ".events"],
  ["/audit", ".audit"],
  ["/users", ".user"],
  ["/servers", ".server-fields"],
  ["/settings", ".settings"],
  ["/backup", "form"],
])("%s is accessible, narrow and wide, light and dark", async (path, mark) => {
  await page.goto(path);
  await page.locator(mark).first().waitFor();
  if (path === "/alerts") await page.locator("summary", { hasText: "Administration" }).click();
  await expectAccessible(page);
});

it("has had nothing to complain of", () => {
  expect(tab.complaints).toEqual([]);
});
