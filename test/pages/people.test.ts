/** Pages for everybody: by keys alone, read aloud in order, without motion, in the reader's own time and language. */
import type { Page } from "playwright-core";
import { afterAll, beforeAll, expect, it } from "vitest";
import { DEMO_PASSWORD } from "../../src/demo/demo.ts";
import { openTab, type Tab } from "../support/browser.ts";
import { type DemoPages, startDemoPages } from "../support/demo-pages.ts";

let demo: DemoPages;
beforeAll(async () => {
  demo = await startDemoPages();
});
afterAll(() => demo?.close());

/** What has the focus now, as it is read aloud. */
const focused = (page: Page) =>
  page.evaluate<string>(
    "((at) => at === document.body ? '' : (at.getAttribute('aria-label') ?? at.textContent).trim())(document.activeElement)",
  );

/** Tab, until it is there: what cannot be come to by keys is a fault. */
async function tabTo(page: Page, wanted: RegExp): Promise<void> {
  const passed: string[] = [];
  for (let step = 0; step < 60; step++) {
    await page.keyboard.press("Tab");
    const now = await focused(page);
    if (wanted.test(now)) {
      const outline = await page.evaluate<string>("getComputedStyle(document.activeElement).outlineStyle");
      expect(outline, `the focus is seen at ${now}`).not.toBe("none");
      return;
    }
    passed.push(now.slice(0, 30));
  }
  throw new Error(`${wanted} is not come to by Tab: ${passed.join(" | ")}`);
}

it("are gone through by keys alone, from the log-in to a check", async () => {
  const { page, context, complaints } = await openTab(demo.browser, demo.url);
  await page.goto("/login");
  await page.getByLabel("Name").focus();
  await page.keyboard.type("demo");
  await page.keyboard.press("Tab");
  await page.keyboard.type(DEMO_PASSWORD);
  await page.keyboard.press("Enter");
  await page.getByRole("heading", { name: "Your domains" }).waitFor();
  await page.locator(".domain-row").first().waitFor();
  await page.evaluate("document.activeElement?.blur()");
  await tabTo(page, /^Skip to/);
  await page.keyboard.press("Enter");
  expect(await page.evaluate("document.activeElement?.id")).toBe("main");
  await tabTo(page, /florist\.example/);
  await page.keyboard.press("Enter");
  await page.getByRole("heading", { level: 1, name: /florist\.example/ }).waitFor();
  await page.locator(".way").first().waitFor();
  await tabTo(page, /^Check again/);
  await page.keyboard.press("Enter");
  await page.getByText("Checked just now.").waitFor({ timeout: 60_000 });
  await tabTo(page, /^DMARC/);
  await page.keyboard.press("Enter");
  await expect.poll(() => new URL(page.url()).search).toContain("dmarc");
  expect(complaints).toEqual([]);
  await context.close();
});

it("are read aloud in the order in which they are seen", async () => {
  const { page, context } = await demo.enter("demo", "/domains/florist.example");
  await page.locator(".way").first().waitFor();
  await page.getByRole("heading", { level: 1 }).waitFor();
  const read = await page.locator("body").ariaSnapshot();
  const order = [
    "Skip to",
    "- banner",
    "- navigation",
    "- main",
    'heading "florist.example',
    "Check again",
    "How mail comes in",
    "Name servers",
    "How mail goes out",
    "SPF",
    "DMARC",
    "Views of the domain",
    "spf-missing",
    "- contentinfo",
  ];
  let from = 0;
  for (const part of order) {
    const at = read.indexOf(part, from);
    expect(at, `"${part}" comes after the one before it:\n${read}`).toBeGreaterThanOrEqual(0);
    from = at;
  }
  await context.close();
});

it("leave time for an undo while one looks at it, and tell moments anew", async () => {
  const { page, context, complaints } = await demo.enter("demo", "/account");
  await page.clock.install();
  await page.reload();
  await page.getByText("this one").waitFor();
  await page.getByLabel("What is it for?").fill("a trial");
  await page.getByLabel("Password now").last().fill(DEMO_PASSWORD);
  await page.getByRole("button", { name: "Make a token" }).click();
  const remove = page.getByRole("button", { name: "Remove a trial" });
  // From here on time goes by where the test says so.
  await page.clock.pauseAt(Date.now() + 60_000);
  await remove.click();
  const message = page.locator(".toast");
  await message.hover();
  await page.clock.fastForward(120_000);
  expect(await message.count()).toBe(1);
  await message.getByRole("button", { name: "Undo" }).focus();
  await page.mouse.move(0, 0);
  await page.clock.fastForward(120_000);
  expect(await message.count()).toBe(1);
  await page.locator("h1").focus();
  await page.clock.fastForward(50_000);
  expect(await message.count()).toBe(1);
  const gone = page.waitForResponse((response) => response.request().method() === "DELETE");
  await page.clock.fastForward(20_000);
  expect((await gone).status()).toBe(204);
  await message.waitFor({ state: "detached" });
  await page.locator("summary", { hasText: "Tools" }).click();
  await page.getByRole("link", { name: "Explain" }).click();
  await page.getByLabel("Record").waitFor();
  expect(await page.locator("time").count()).toBe(0);
  await page.clock.fastForward(3_600_000);
  await page.goBack();
  await page.getByText("1 hour ago").first().waitFor();
  expect(complaints).toEqual([]);
  await context.close();
});

it("do not move for who wants no motion", async () => {
  const { page, context } = await demo.enter("demo", "/domains/florist.example");
  await page.emulateMedia({ reducedMotion: "reduce" });
  await page.locator(".way").first().waitFor();
  await page.getByRole("button", { name: "Check again" }).click();
  const moving = await page.evaluate<number>(
    "[...document.querySelectorAll('*')].filter((each) => { const style = getComputedStyle(each); return style.animationName !== 'none' || parseFloat(style.transitionDuration) > 0.01; }).length",
  );
  expect(moving).toBe(0);
  await context.close();
});

it.each<[timezoneId: string, locale: string, checked: RegExp]>([
  ["Pacific/Auckland", "en-GB", /Last checked/],
  ["America/Los_Angeles", "de-DE", /Zuletzt geprüft/],
])("tell times of %s in the words of %s", async (timezoneId, locale, checked) => {
  const context = await demo.browser.newContext({ baseURL: demo.url, locale, timezoneId });
  const page = await context.newPage();
  await logIn(page);
  await page.goto("/domains/florist.example");
  await page.getByText(checked).waitFor();
  const time = page.locator(".page-head time, .page-lead time, main time").first();
  const at = new Date((await time.getAttribute("datetime"))!);
  const hour = new Intl.DateTimeFormat(locale.slice(0, 2), {
    timeStyle: "short",
    timeZone: timezoneId,
  }).format(at);
  expect(await time.textContent()).toContain(hour);
  await context.close();
});

async function logIn(page: Tab["page"]): Promise<void> {
  await page.goto("/login");
  await page.locator("input[autocomplete^=username]").fill("demo");
  await page.locator("input[type=password]").fill(DEMO_PASSWORD);
  await page.keyboard.press("Enter");
  await page.locator(".domain-row").first().waitFor();
}
