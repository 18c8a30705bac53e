/** Chromium, pages in it, and everything that must never happen in any of them. */
import { AxeBuilder } from "@axe-core/playwright";
import { type Browser, type BrowserContext, chromium, type Page } from "playwright-core";
import { expect } from "vitest";

export const PHONE = { width: 360, height: 740 };
export const DESKTOP = { width: 1280, height: 860 };

const QUIET = [
  "--no-sandbox",
  "--disable-gpu",
  "--disable-quic",
  "--no-first-run",
  "--disable-background-networking",
  "--disable-component-update",
  "--disable-sync",
];

export const openBrowser = (): Promise<Browser> =>
  chromium.launch({ executablePath: "/usr/bin/chromium", headless: true, args: QUIET });

export interface Tab {
  readonly page: Page;
  readonly context: BrowserContext;
  /** What the console said that it should not: errors, and what the CSP has kept away. */
  readonly complaints: string[];
}

interface TabOptions {
  readonly locale?: string;
  readonly viewport?: { width: number; height: number };
  /** Certificates of tests, which nobody else has issued. */
  readonly ignoreHTTPSErrors?: boolean;
}

/** A browser of its own: other cookies than any other tab has. */
export async function openTab(
  browser: Browser,
  baseURL: string,
  { locale = "en-GB", ...rest }: TabOptions = {},
): Promise<Tab> {
  const context = await browser.newContext({
    baseURL,
    locale,
    viewport: rest.viewport ?? DESKTOP,
    ignoreHTTPSErrors: rest.ignoreHTTPSErrors ?? false,
    timezoneId: "Europe/Berlin",
    permissions: ["clipboard-read", "clipboard-write"],
  });
  const page = await context.newPage();
  page.setDefaultTimeout(20_000);
  const complaints: string[] = [];
  page.on("pageerror", (error) => complaints.push(String(error)));
  page.on("console", (message) => {
    // What the server refuses is said by the page; the browser's own line about it is no fault.
    if (message.type() === "error" && !/the server responded with a status of/.test(message.text()))
      complaints.push(message.text());
  });
  return { page, context, complaints };
}

const OF_COLOURS = ["color-contrast", "link-in-text-block"];
const TAGS = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"];

/** No rule of axe is broken, at phone and desktop width, light and dark; and nothing is wider than a phone. */
export async function expectAccessible(page: Page): Promise<void> {
  const before = page.viewportSize();
  for (const viewport of [PHONE, DESKTOP]) {
    await page.setViewportSize(viewport);
    for (const colorScheme of ["light", "dark"] as const) {
      await page.emulateMedia({ colorScheme });
      const axe = new AxeBuilder({ page });
      // Colours alone differ: all else was looked at in light.
      const { violations } = await (colorScheme === "light"
        ? axe.withTags(TAGS)
        : axe.withRules(OF_COLOURS)
      ).analyze();
      const said = violations.map(
        ({ id, nodes }) =>
          `${id}: ${nodes.map(({ target, failureSummary }) => `${target}: ${failureSummary}`).join(" · ")}`,
      );
      expect(said, `${page.url()} at ${viewport.width} px, ${colorScheme}`).toEqual([]);
    }
    const overflow = await page.evaluate<number>(
      "document.documentElement.scrollWidth - document.documentElement.clientWidth",
    );
    expect(overflow, `${page.url()} is wider than ${viewport.width} px`).toBeLessThanOrEqual(0);
  }
  await page.emulateMedia({ colorScheme: "light" });
  if (before) await page.setViewportSize(before);
}
