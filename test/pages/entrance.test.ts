/** The first administrator, and coming in, in a real browser at the real server. */
import type { Browser } from "playwright-core";
import { afterAll, beforeAll, expect, it } from "vitest";
import { expectAccessible, openBrowser, openTab, type Tab } from "../support/browser.ts";
import { type ServedPages, startServedPages } from "../support/served-pages.ts";

const PASSWORD = "a quiet evening by the sea";

let browser: Browser;
let served: ServedPages;
let tab: Tab;

beforeAll(async () => {
  [browser, served] = await Promise.all([openBrowser(), startServedPages()]);
  tab = await openTab(browser, served.url);
});
afterAll(async () => {
  await browser?.close();
  await served?.stop();
});

it("says at the login that nobody is there yet", async () => {
  await tab.page.goto("/");
  await tab.page.getByText("There is no administrator yet").waitFor();
  expect(new URL(tab.page.url()).pathname).toBe("/login");
  await expectAccessible(tab.page);
});

it("makes the first administrator from the printed link", async () => {
  await tab.page.goto(served.setupLink!);
  await tab.page.getByLabel("Password").fill(PASSWORD);
  await expectAccessible(tab.page);
  await tab.page.getByRole("button", { name: "Begin" }).click();
  await tab.page.getByRole("heading", { name: "Your domains" }).waitFor();
  expect(served.logged.join("")).not.toContain(new URL(served.setupLink!).hash.slice(1));
});

it("leaves, and comes back to where it was going", async () => {
  const { page } = tab;
  await page.getByRole("button", { name: /Logged in as/ }).click();
  await page.getByRole("button", { name: "Log out" }).click();
  await page.getByRole("heading", { name: "Log in" }).waitFor();
  await page.goto("/?worst=error");
  await page.getByLabel("Name").fill("admin");
  await page.getByLabel("Password").fill("not the password at all");
  await page.getByRole("button", { name: "Log in", exact: true }).click();
  await page.getByText("That is not right.").waitFor();
  await page.getByLabel("Password").fill(PASSWORD);
  await page.getByRole("button", { name: "Log in", exact: true }).click();
  await page.getByRole("heading", { name: "Your domains" }).waitFor();
  expect(new URL(page.url()).search).toBe("?worst=error");
});

it("says so when the session has ended, and goes on after a login", async () => {
  const { page, context } = tab;
  await context.clearCookies();
  await page.reload();
  await page.getByRole("heading", { name: "Log in" }).waitFor();
});

it("has had nothing to complain of: no error, nothing that the policy keeps away", () => {
  expect(tab.complaints).toEqual([]);
});
