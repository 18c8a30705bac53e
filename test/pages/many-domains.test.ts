/** Ten thousand domains: found, filtered and scrolled through without a wait that is felt. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Browser, Page } from "playwright-core";
import { afterAll, beforeAll, expect, it } from "vitest";
import type { Severity } from "../../src/check/severity.ts";
import { domainName } from "../../src/standards/dns/name.ts";
import { openStore } from "../../src/store/open.ts";
import { expectAccessible, openBrowser, openTab } from "../support/browser.ts";
import { type ServedPages, startServedPages } from "../support/served-pages.ts";

const COUNT = 10_000;
/** Of a list that is drawn whole it takes seconds; `npm run bench -- pages` measures what it is. */
const MAX_INTERACTION_MILLISECONDS = 1_500;

let browser: Browser;
let directory: string;
let served: ServedPages;
let page: Page;

async function seed(): Promise<void> {
  const store = await openStore({ kind: "sqlite", path: join(directory, "zonepost.db") });
  const at = new Date();
  for (let number = 0; number < COUNT; number++) {
    const domain = domainName(`customer-${String(number).padStart(5, "0")}.example`);
    await store.descriptions.putDomain({ domain, content: { domain }, ownerId: undefined }, 0, at);
    await store.watch.schedule(domain, undefined, at);
    const worst: Severity = number % 500 === 7 ? "error" : number % 50 === 3 ? "warning" : "ok";
    const before = (await store.watch.state(domain))!;
    const counts = { ok: 12, ...(worst !== "ok" && { [worst]: 1 }) };
    const state = { ...before, checkedAt: at, worst, counts };
    await store.watch.record({ state, findings: [], events: [] });
  }
  await store.close();
}

beforeAll(async () => {
  directory = mkdtempSync(join(tmpdir(), "zonepost-many-"));
  await seed();
  [browser, served] = await Promise.all([openBrowser(), startServedPages({ directory })]);
  ({ page } = await openTab(browser, served.url));
  await page.goto(served.setupLink!);
  await page.getByLabel("Password").fill("a quiet evening by the sea");
  await page.getByRole("button", { name: "Begin" }).click();
  await page.getByText("customer-00007.example").waitFor();
});
afterAll(async () => {
  await browser?.close();
  await served?.stop();
  rmSync(directory, { recursive: true, force: true });
});

/** The longest that an event of the reader's has waited for the next picture (Event Timing). */
const longest = () =>
  page.evaluate<number>(`new Promise((resolve) => {
    setTimeout(() => {
      const entries = performance.getEntriesByType("event").concat(window.seenEvents ?? []);
      resolve(Math.max(0, ...entries.filter(({ interactionId }) => interactionId > 0).map(({ duration }) => duration)));
    }, 300);
  })`);

it("shows the worst first, and a screenful alone", async () => {
  const names = await page.locator(".domains .domain-name").allTextContents();
  expect(names[0]).toBe("customer-00007.example");
  expect(names.length).toBeLessThan(60);
  await expectAccessible(page);
});

it("scrolls on and on", async () => {
  await expect
    .poll(async () => {
      await page.mouse.wheel(0, 4000);
      return Math.max(
        ...(await page
          .locator(".domains li")
          .evaluateAll((items) => items.map((item) => Number(item.getAttribute("aria-posinset"))))),
      );
    })
    .toBeGreaterThan(800);
});

it("finds one of them while one types, and filters, without a wait that is felt", async () => {
  await page.evaluate(`{
    window.seenEvents = [];
    new PerformanceObserver((list) => window.seenEvents.push(...list.getEntries()))
      .observe({ type: "event", durationThreshold: 16, buffered: false });
    window.scrollTo(0, 0);
  }`);
  await page.getByLabel("Search domains").pressSequentially("customer-09999", { delay: 40 });
  await page.getByText("customer-09999.example").waitFor();
  await expect.poll(() => page.locator(".domains li").count()).toBe(1);
  await page.getByLabel("Search domains").fill("");
  await page.getByRole("link", { name: /^Warning/ }).click();
  await page.getByText("customer-00003.example").waitFor();
  expect(new URL(page.url()).search).toBe("?worst=warning");
  expect(await longest()).toBeLessThan(MAX_INTERACTION_MILLISECONDS);
});
