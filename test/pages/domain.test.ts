/** A new person's way: administrator, add a domain, look at it, mend it, see it green; then the account. */
import { mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Browser, Page } from "playwright-core";
import { afterAll, beforeAll, expect, it } from "vitest";
import { DESKTOP, expectAccessible, openBrowser, openTab, PHONE, type Tab } from "../support/browser.ts";
import { type PagesLaboratory, startPagesLaboratory } from "../support/pages-laboratory.ts";
import { logIn } from "../support/served.ts";
import { type ServedPages, startServedPages } from "../support/served-pages.ts";

const PASSWORD = "a quiet evening by the sea";
/** Pictures to be looked at, where a folder is named for them. */
const PICTURES = process.env["ZONEPOST_PICTURES"];

let browser: Browser;
let directory: string;
let laboratory: PagesLaboratory;
let served: ServedPages;
let tab: Tab;
let page: Page;

async function picture(name: string): Promise<void> {
  if (PICTURES === undefined) return;
  mkdirSync(PICTURES, { recursive: true });
  for (const [size, viewport] of [
    ["desktop", DESKTOP],
    ["phone", PHONE],
  ] as const)
    for (const colorScheme of ["light", "dark"] as const) {
      await page.setViewportSize(viewport);
      await page.emulateMedia({ colorScheme });
      await page.screenshot({ path: join(PICTURES, `${name}-${size}-${colorScheme}.png`), fullPage: true });
    }
  await page.emulateMedia({ colorScheme: "light" });
  await page.setViewportSize(DESKTOP);
}

/** What the server would answer, as a page gets it. */
const problem = (status: number, code: string, what: string) => ({
  status,
  contentType: "application/problem+json",
  body: JSON.stringify({
    type: `urn:zonepost:problem:${code}`,
    title: code,
    status,
    where: "",
    what,
    remedy: "try again",
  }),
});

async function lookAt(name: string): Promise<void> {
  await expectAccessible(page);
  await picture(name);
}

beforeAll(async () => {
  directory = mkdtempSync(join(tmpdir(), "zonepost-pages-"));
  laboratory = await startPagesLaboratory(directory);
  [browser, served] = await Promise.all([
    openBrowser(),
    startServedPages({ directory, settings: { dns: laboratory.dns } }),
  ]);
  tab = await openTab(browser, served.url);
  page = tab.page;
});
afterAll(async () => {
  await browser?.close();
  await served?.stop();
  await laboratory?.close();
  rmSync(directory, { recursive: true, force: true });
});

it("begins with a link and an empty list that says what to do", async () => {
  await page.goto(served.setupLink!);
  await page.getByLabel("Password").fill(PASSWORD);
  await picture("setup");
  await page.getByRole("button", { name: "Begin" }).click();
  await page.getByText("No domain yet").waitFor();
  await lookAt("overview-empty");
});

it("takes a domain in: reads what is there, proposes, ends with what to do", async () => {
  await page.getByRole("main").getByRole("link", { name: "Add a domain" }).first().click();
  await page.getByRole("heading", { name: "Add a domain" }).waitFor();
  await expect.poll(() => page.evaluate<string>("document.activeElement.tagName")).toBe("H1");
  await page.getByLabel("What comes after the @?").fill("bob@example.org");
  await lookAt("add");
  const ofJobs = "**/api/jobs/**";
  await page.route(ofJobs, (asked) => asked.fulfill(problem(404, "not-found", "there is no such job")));
  await page.getByRole("button", { name: "Go on" }).click();
  await page.getByText("The server does not know of this look any more.").waitFor();
  await page.unroute(ofJobs);
  await page.getByRole("button", { name: "Go on" }).click();
  await page.getByRole("heading", { name: "example.org as it is" }).waitFor();
  await page.getByText("v=spf1 mx a").first().waitFor();
  await lookAt("add-review");
  if (await page.getByLabel("Name of the mail server").isVisible()) {
    await page.getByLabel("Name of the mail server").fill("mail.example.org");
    await page.getByLabel("Its addresses").fill("192.0.2.25 2001:db8::25");
  }
  // Refused after its server was added: what is mended goes through all the same.
  await page.getByText("The description, to be changed by hand").click();
  const text = page.getByRole("textbox", { name: /^The description/ });
  const whole = await text.inputValue();
  await text.fill(JSON.stringify({ ...JSON.parse(whole), recieves: true }));
  const ofPlan = "**/api/domains/example.org/plan";
  await page.route(ofPlan, (asked) => asked.fulfill(problem(502, "no-answer", "no name server answers")));
  await page.getByRole("button", { name: "Take it in" }).click();
  await page.getByRole("alert").getByText("recieves").first().waitFor();
  await text.fill(whole);
  await page.getByRole("button", { name: "Take it in" }).click();
  await page.getByRole("heading", { name: "example.org is taken in" }).waitFor();
  await page.getByRole("alert").getByText("No name server answers").waitFor();
  await page.unroute(ofPlan);
  await page.getByRole("button", { name: "Try again" }).click();
  await page.getByText("if this server may write into the zone").waitFor();
  await page.getByText("For you to create").waitFor();
  await lookAt("add-taken");
});

it("shows a domain as a picture whose stations filter what was found", async () => {
  await page.getByRole("link", { name: "To the domain" }).click();
  await page.getByText("Checked just now.").waitFor({ timeout: 60_000 });
  await page.getByRole("region", { name: "How mail comes in" }).waitFor();
  await lookAt("domain");
  const all = await page.locator("details.finding").count();
  await page.getByRole("link", { name: /^DMARC/ }).click();
  await page.getByText("Only what is about DMARC.").waitFor();
  expect(new URL(page.url()).searchParams.get("at")).toBe("dmarc");
  const some = await page.locator("details.finding").count();
  expect(some).toBeGreaterThan(0);
  expect(some).toBeLessThan(all);
  await page.getByRole("link", { name: "Show all" }).click();
  await expect.poll(() => page.locator("details.finding").count()).toBe(all);
});

it("puts a finding aside, and takes that back", async () => {
  const errors = page.locator("details.finding-error[open]");
  const before = await errors.count();
  await errors.first().getByRole("button", { name: "Put aside" }).click();
  await page.getByText("1 finding put aside").waitFor();
  expect(await errors.count()).toBe(before - 1);
  await page.getByRole("button", { name: "Undo" }).click();
  await expect.poll(() => errors.count()).toBe(before);
});

it("copies what belongs into a form, field by field", async () => {
  await page.getByRole("link", { name: "Records" }).click();
  await page.locator("details.record summary").filter({ hasText: "_dmarc.example.org" }).click();
  await page.getByRole("button", { name: "Copy Value" }).first().click();
  await page.getByText("Copied").first().waitFor();
  expect(await page.evaluate<string>("navigator.clipboard.readText()")).toContain("v=DMARC1");
  await page.getByLabel("Who hosts your DNS?").selectOption("cloudflare");
  await page.getByText("Content").first().waitFor();
  await page.getByRole("button", { name: "Who has them by now?" }).click();
  await page.getByText("What each server answers").or(page.getByText("is there")).first().waitFor();
  await lookAt("records");
});

it("says the two ways on where nobody holds the zone", async () => {
  await page.getByRole("link", { name: "Publish" }).click();
  await page.getByText("This server does not know who holds the zone").waitFor();
  await lookAt("publish-nobody");
  await page.getByRole("link", { name: "To the records" }).click();
  await page.getByText("For you to create").waitFor();
});

it("checks again while one looks on, and is green once it is mended", async () => {
  laboratory.mend();
  await page.getByRole("link", { name: "Findings" }).click();
  const before = await page.locator("details.finding-error").count();
  await page.getByRole("button", { name: "Check again" }).click();
  await page.getByText("Checked just now.").waitFor({ timeout: 60_000 });
  await expect.poll(() => page.locator("details.finding-error").count()).toBeLessThan(before);
  await page.getByRole("main").getByRole("link", { name: "History" }).click();
  await page.locator(".chart svg").waitFor();
  await lookAt("history");
});

it("lists it in the overview, found by its name and by how it is", async () => {
  await page.getByRole("link", { name: "Domains", exact: true }).click();
  await page
    .getByRole("link", { name: /example\.org/ })
    .first()
    .waitFor();
  await lookAt("overview");
  await page.getByLabel("Search domains").fill("nothing-like-it");
  await page.getByText("No domain matches").waitFor();
  expect(new URL(page.url()).searchParams.get("search")).toBe("nothing-like-it");
  await page.goBack();
});

it("reads a pasted description, and shows its mistakes in place", async () => {
  await page.goto("/add");
  await page.getByRole("button", { name: /Paste a description/ }).click();
  await page
    .getByLabel("Description as YAML")
    .fill("domains:\n  - domain: example.net\n    recieves: false\n");
  await page.getByRole("button", { name: "Read it" }).click();
  await page.getByText("domains[0]").first().waitFor();
  await lookAt("paste");
});

it("takes in what is new of a text, goes on where another was quicker, and says what it leaves out", async () => {
  const text = page.getByLabel("Description as YAML");
  const read = page.getByRole("button", { name: "Read it" });
  const domains = (...names: string[]) =>
    names.map((name) => `  - domain: ${name}\n    receives: false\n`).join("");
  const pasted = `publish: []\nttl:\n  default: 600\ndomains:\n${domains("one.example", "two.example")}`;
  await text.fill(pasted);
  // As of a thousand more.
  await page.route(
    "**/api/import",
    async (asked) => {
      const response = await asked.fetch();
      await asked.fulfill({ response, json: { ...(await response.json()), left: 1000 } });
    },
    { times: 1 },
  );
  await read.click();
  await page.getByText("1,000 more domains are in the text").waitFor();
  await page.getByText("who holds zones is entered under “Providers”").waitFor();
  await page.getByText("The lifetimes of records (ttl)").waitFor();
  const other = await logIn(served.url, "admin", PASSWORD);
  const two = { domain: "two.example", content: { domain: "two.example", receives: false } };
  expect((await other.ask("POST", "/api/domains", two)).status).toBeLessThan(300);
  await page.getByRole("button", { name: "Take in 2 domains" }).click();
  await page.getByRole("alert").getByText("is described already").waitFor();
  await read.waitFor();
  expect(await page.locator(".import .hint").allTextContents()).toEqual([
    "is here already",
    "is here already",
  ]);
  await text.fill(pasted + domains("three.example"));
  expect(await page.getByRole("alert").count()).toBe(0);
  await read.click();
  await page.getByRole("button", { name: "Take in 1 domain" }).click();
  await page.getByRole("heading", { name: "three.example is taken in" }).waitFor();
  expect((await other.ask("GET", "/api/servers")).body).toMatchObject({ content: { ttl: { default: 600 } } });
});

it("keeps an account: password, codes, sessions, tokens", async () => {
  await page.goto("/account");
  await page.getByRole("heading", { name: "Tokens" }).waitFor();
  await page.getByLabel("What is it for?").fill("backup script");
  const tokens = page.locator("section", { has: page.getByRole("heading", { name: "Tokens" }) });
  await tokens.getByLabel("Password now").fill(PASSWORD);
  await page.getByRole("button", { name: "Make a token" }).click();
  await page.getByText(/^zpt_/).waitFor();
  await page.getByRole("button", { name: "Remove backup script" }).waitFor();
  const codes = page.locator("section", { has: page.getByRole("heading", { name: /Codes of an/ }) });
  await codes.getByLabel("Password now").fill(PASSWORD);
  await codes.getByRole("button", { name: "Turn codes on" }).click();
  await page.getByRole("link", { name: "Open in the app" }).waitFor();
  const remove = page.getByRole("button", { name: "Remove backup script" });
  await remove.click();
  await remove.waitFor({ state: "detached" });
  expect(await page.evaluate<string>("document.activeElement.textContent")).toBe("Tokens");
  await page.keyboard.press("Control+z");
  await remove.waitFor();
  await remove.click();
  await page.getByText("“backup script” goes in a minute").waitFor();
  await lookAt("account");
});

it("speaks German, and has every address say so when there is nothing", async () => {
  await page.getByLabel("Language").selectOption("de");
  await page.getByRole("heading", { name: "Ihr Konto" }).waitFor();
  expect(await page.getAttribute("html", "lang")).toBe("de");
  await page.goto("/nothing/here");
  // What was to go is gone with the page that was left.
  const { ask } = await logIn(served.url, "admin", PASSWORD);
  await expect.poll(async () => (await ask("GET", "/api/account")).body).toMatchObject({ tokens: [] });
  await page.getByRole("heading", { name: "Diese Seite gibt es nicht" }).waitFor();
  await lookAt("not-found");
  await page.getByLabel("Sprache").selectOption("en");
});

it("says that the connection is lost, and goes on by itself once it is back", async () => {
  await page.goto("/domains/example.org");
  await page.locator("details.finding, .note-ok").first().waitFor();
  const { port } = new URL(served.url);
  await served.stop();
  await page.getByRole("button", { name: "Check again" }).click();
  await page.getByText("Connection lost, trying again").waitFor();
  await picture("lost");
  served = await startServedPages({ directory, port: Number(port), settings: { dns: laboratory.dns } });
  await page.getByText("Connection lost").waitFor({ state: "hidden", timeout: 60_000 });
  await page.getByRole("button", { name: "Check again" }).click();
  await page.getByText("Checked just now.").waitFor({ timeout: 60_000 });
});

it("has had nothing to complain of", () => {
  expect(tab.complaints.filter((each) => !/ERR_CONNECTION_REFUSED|ERR_EMPTY_RESPONSE/.test(each))).toEqual(
    [],
  );
});
