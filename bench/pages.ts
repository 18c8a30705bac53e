/**
 * The pages as a reader feels them, in Chromium at the server as it is shipped, with ten thousand domains in SQLite:
 * the first load, ways from page to page, typing, filters, the long list. Beside each figure stands its limit.
 *
 *     npm run bench -- pages [domains, 10000 where absent] [rounds, 10 where absent]
 */
import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { loadavg, tmpdir } from "node:os";
import { join } from "node:path";
import type { Browser, BrowserContext, Page } from "playwright-core";
import { openBrowser, openTab } from "../test/support/browser.ts";
import { buildProgram } from "../test/support/built-program.ts";
import { nameOf } from "./domain-rows.ts";
import { seed, sqliteDialectOf, start, stop, USER } from "./serve.ts";

const LIMIT_FIRST_MILLISECONDS = 1000;
const LIMIT_MILLISECONDS = 100;
const LIMIT_KILOBYTES = 160;
const COLD_LOADS = 5;
/** What is not there by then does not come. */
const LONGEST_MILLISECONDS = 5000;
/** Event Timing says nothing of what is shorter. */
const SHORTEST_MILLISECONDS = 16;

export async function benchPages([domains = "10000", rounds = "10"]: readonly string[]): Promise<void> {
  const count = Number(domains);
  say("building what is shipped …");
  buildProgram();
  execFileSync("vite", ["build", "--logLevel", "warn"], { stdio: "inherit" });
  const directory = mkdtempSync(join(tmpdir(), "zonepost-bench-pages-"));
  try {
    const path = join(directory, "zonepost.db");
    await seed({ kind: "sqlite", path }, () => sqliteDialectOf(path), count);
    const settings = join(directory, "server.yaml");
    // Nobody answers there: no packet leaves the machine.
    writeFileSync(settings, "dns: { resolvers: [127.0.0.1:9] }\n");
    const server = await start(directory, {}, ["--settings", settings]);
    const browser = await openBrowser();
    try {
      say(`${count} domains in SQLite, ${browser.version()}, ${DESKTOP_WORDS}`);
      say(`load of this machine before it began: ${loadavg()[0]!.toFixed(1)}`);
      await measure(browser, server.url, Number(rounds));
    } finally {
      await browser.close();
      await stop(server);
    }
  } finally {
    rmSync(directory, { recursive: true });
  }
}

const DESKTOP_WORDS = "1280 px, no throttling; milliseconds";
const say = (text: string): void => void process.stdout.write(`${text}\n`);

async function measure(browser: Browser, url: string, rounds: number): Promise<void> {
  const { page, context } = await openTab(browser, url);
  await page.goto("/login");
  await page.getByLabel("Name").fill(USER.name);
  await page.getByLabel("Password").fill(USER.password);
  await page.getByRole("button", { name: "Log in", exact: true }).click();
  await page.locator(".domain-name").first().waitFor();

  await emptyPage(browser, url);
  await firstLoads(browser, url, context);
  await page.evaluate(WATCH);
  say(`${" ".repeat(44)}answered by the next picture   ·   what was asked for is there`);
  await waysBetweenPages(page, rounds);
  await search(page, rounds);
  await filters(page, rounds);
  await checkAgain(page, rounds);
  await scroll(page);
  await context.close();
}

/** What this machine takes for a page that holds one word: the rest is ours. */
async function emptyPage(browser: Browser, url: string): Promise<void> {
  const paints: number[] = [];
  for (let load = 0; load < COLD_LOADS; load++) {
    const { page, context } = await openTab(browser, url);
    await page.goto("/healthz");
    await expectPaint(page);
    paints.push(await page.evaluate<number>(PAINT));
    await context.close();
  }
  row("a page of one word (this machine's share)", paints, LIMIT_FIRST_MILLISECONDS);
}

const PAINT = `performance.getEntriesByName("first-contentful-paint")[0].startTime`;

const expectPaint = (page: Page): Promise<void> =>
  page.evaluate(
    `new Promise((resolve) => new PerformanceObserver(() => resolve()).observe({ type: "paint", buffered: true }))`,
  );

/** Each in a browser of its own, with nothing kept from before. */
async function firstLoads(browser: Browser, url: string, loggedIn: BrowserContext): Promise<void> {
  const paints: number[] = [];
  const lists: number[] = [];
  let octets = 0;
  for (let load = 0; load < COLD_LOADS; load++) {
    const { page, context } = await openTab(browser, url);
    await context.addCookies(await loggedIn.cookies());
    await page.goto("/");
    await page.locator(".domain-name").first().waitFor();
    const seen = await page.evaluate<{ paint: number; list: number; octets: number }>(`({
      paint: ${PAINT},
      list: performance.now(),
      octets: performance.getEntriesByType("resource")
        .filter(({ name }) => name.endsWith(".js")).reduce((sum, { encodedBodySize }) => sum + encodedBodySize, 0),
    })`);
    paints.push(seen.paint);
    lists.push(seen.list);
    octets = Math.max(octets, seen.octets);
    await context.close();
  }
  row("first contentful paint", paints, LIMIT_FIRST_MILLISECONDS);
  row("the list is there", lists, LIMIT_FIRST_MILLISECONDS);
  const kilobytes = octets / 1000;
  say(
    `${"script of the first load, as sent".padEnd(40)} ${kilobytes.toFixed(1)} kB, limit ${LIMIT_KILOBYTES} kB: ${verdict(kilobytes, LIMIT_KILOBYTES)}`,
  );
}

async function waysBetweenPages(page: Page, rounds: number): Promise<void> {
  const ways = [
    ["overview to domain", `.domain-row`, ".way"],
    ["domain to DKIM", `main a[href$="/dkim"]`, "main .way-steps, main .empty, main .keys"],
    ["DKIM to publish", `main a[href$="/publish"]`, ".empty, .plan-lead"],
    ["publish to overview", `header a[href="/"]`, ".domain-row"],
  ] as const;
  const times = ways.map(() => newTimes());
  for (let round = 0; round < rounds; round++)
    for (const [at, [, link, there]] of ways.entries()) {
      await page.locator(link).first().waitFor();
      await timed(page, times[at]!, there, "", () => page.locator(link).first().click());
    }
  for (const [at, [name]] of ways.entries()) rows(name, times[at]!);
}

async function search(page: Page, rounds: number): Promise<void> {
  const typing = newTimes();
  const field = page.getByRole("searchbox");
  for (let round = 0; round < rounds; round++) {
    const wanted = `customer${1000 + round * 37}.`;
    await timed(page, typing, `.domain-row[href*="${wanted}"]`, "", () =>
      field.pressSequentially(wanted, { delay: 60 }),
    );
    await field.fill("");
    await page.locator(".domain-row").nth(5).waitFor();
  }
  // From the last key on is what a reader waits; what comes before is the typing itself.
  rows("typing into the search, each key", { ...typing, there: [] });
}

async function filters(page: Page, rounds: number): Promise<void> {
  const times = newTimes();
  for (let round = 0; round < rounds; round++)
    for (const worst of ["warning", "error"])
      await timed(page, times, `.row-${worst}`, `worst=${worst}`, () =>
        page.locator(`.chip-${worst}`).click(),
      );
  rows("filter", times);
  await page.locator(".chip").first().click();
}

async function checkAgain(page: Page, rounds: number): Promise<void> {
  const times = newTimes();
  for (let round = 0; round < rounds; round++) {
    await page.goto(`/domains/${nameOf(round + 1)}`);
    await page.evaluate(WATCH);
    const button = page.getByRole("button", { name: "Check again" });
    await button.waitFor();
    await timed(page, times, ".page-head .busy", "", () => button.click());
  }
  rows("check again, to the first reaction", times);
}

/** How long pictures stand while the wheel turns. */
async function scroll(page: Page): Promise<void> {
  await page.goto("/");
  await page.locator(".domain-row").first().waitFor();
  await page.mouse.move(600, 600);
  await page.evaluate(`{
    window.frames_ = [];
    let before = performance.now();
    const look = (now) => { window.frames_.push(now - before); before = now; window.looking = requestAnimationFrame(look); };
    window.looking = requestAnimationFrame(look);
  }`);
  for (let turn = 0; turn < 40; turn++) {
    await page.mouse.wheel(0, 1500);
    await page.waitForTimeout(30);
  }
  const frames = await page.evaluate<number[]>("cancelAnimationFrame(window.looking), window.frames_");
  row("scroll of the long list, each picture", frames, LIMIT_MILLISECONDS);
}

interface Times {
  /** From what the reader did to the next picture. */
  readonly answered: number[];
  /** From what the reader did until what they asked for is painted. */
  readonly there: number[];
}

const newTimes = (): Times => ({ answered: [], there: [] });

const WATCH = `{
  window.seenEvents = [];
  new PerformanceObserver((list) => window.seenEvents.push(...list.getEntries()))
    .observe({ type: "event", durationThreshold: ${SHORTEST_MILLISECONDS}, buffered: false });
}`;

/** `there` is a selector, and `address` a part of where one is then. */
async function timed(
  page: Page,
  times: Times,
  there: string,
  address: string,
  act: () => Promise<void>,
): Promise<void> {
  await page.evaluate(`{
    window.seenEvents.length = 0;
    window.there = new Promise((resolve) => {
      const begin = ({ timeStamp, target }) => {
        const before = location.href;
        const isThere = () => document.querySelector(${JSON.stringify(there)})
          && location.href.includes(${JSON.stringify(address)});
        const look = () => isThere() && (!target.closest("a") || location.href !== before)
          ? requestAnimationFrame(() => resolve(performance.now() - timeStamp))
          : requestAnimationFrame(look);
        look();
        setTimeout(resolve, ${LONGEST_MILLISECONDS}, ${LONGEST_MILLISECONDS});
      };
      addEventListener("pointerup", begin, { capture: true, once: true });
      addEventListener("keydown", begin, { capture: true, once: true });
    });
    undefined;
  }`);
  await act();
  times.there.push(await page.evaluate<number>("window.there"));
  const events = await page.evaluate<
    { id: number; duration: number }[]
  >(`new Promise((resolve) => setTimeout(() =>
    resolve(window.seenEvents.filter(({ interactionId }) => interactionId > 0)
      .map(({ interactionId, duration }) => ({ id: interactionId, duration }))), 150))`);
  const interactions = Map.groupBy(events, ({ id }) => id);
  if (interactions.size === 0) times.answered.push(SHORTEST_MILLISECONDS);
  for (const each of interactions.values())
    times.answered.push(Math.max(...each.map(({ duration }) => duration)));
}

const p50 = (values: readonly number[]): number =>
  values.toSorted((x, y) => x - y)[Math.floor(values.length / 2)] ?? Number.NaN;
const verdict = (value: number, limit: number): string => (value <= limit ? "within" : "ABOVE");
const figures = (values: readonly number[], limit: number): string =>
  `p50 ${p50(values).toFixed(0)}, max ${Math.max(...values).toFixed(0)}, limit ${limit}: ${verdict(Math.max(...values), limit)}`;

function row(name: string, values: readonly number[], limit: number): void {
  say(`${name.padEnd(40)} ${figures(values, limit)}`);
}

function rows(name: string, { answered, there }: Times): void {
  const loaded = there.length === 0 ? "" : `   ·   ${figures(there, LIMIT_MILLISECONDS)}`;
  say(`${name.padEnd(40)} ${figures(answered, LIMIT_MILLISECONDS)}${loaded}`);
}
