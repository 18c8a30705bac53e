/**
 * Pictures of the demo's pages for the documents, into docs/pictures. Run by hand after a change that can be seen:
 *
 *     npm run build && node scripts/write-screenshots.ts
 *
 * Dates are replaced by one date, so that a picture changes where its page does: how long ago it was says the demo.
 */
import { mkdirSync, statSync } from "node:fs";
import { join } from "node:path";
import type { Page } from "playwright-core";
import { DESKTOP } from "../test/support/browser.ts";
import { type DemoPages, startDemoPages } from "../test/support/demo-pages.ts";

const FOLDER = join(import.meta.dirname, "../docs/pictures");
const MAX_OCTETS = 150_000;
const WIDE = { width: 1200, height: 800 };
const PHONE = { width: 390, height: 844 };

interface Picture {
  readonly name: string;
  readonly path: string;
  readonly scheme?: "light" | "dark";
  readonly size?: { readonly width: number; readonly height: number };
  /** Until what is to be seen is there. */
  readonly ready: (page: Page) => Promise<unknown>;
}

const shown = (selector: string) => (page: Page) => page.locator(selector).first().waitFor();

const PICTURES: readonly Picture[] = [
  { name: "overview", path: "/", ready: shown(".domain-row") },
  { name: "overview-dark", path: "/", scheme: "dark", ready: shown(".domain-row") },
  { name: "overview-phone", path: "/", size: PHONE, ready: shown(".domain-row") },
  { name: "domain", path: "/domains/florist.example", ready: shown("details.finding") },
  {
    name: "finding",
    path: "/domains/florist.example",
    ready: async (page) => {
      await page.locator("details.finding[open]").first().waitFor();
      await page.evaluate(
        "document.querySelector('details.finding[open]').scrollIntoView(); scrollBy(0, -70)",
      );
    },
  },
  { name: "dkim", path: "/domains/bakery.example/dkim", ready: shown(".key") },
  { name: "publish", path: "/domains/florist.example/publish", ready: shown(".plan-values") },
  {
    name: "troubleshoot-dark",
    path: "/troubleshoot?domain=florist.example&symptom=spf-fails",
    scheme: "dark",
    ready: async (page) => {
      await page.locator("main form button.primary").first().click();
      await page.locator(".diagnosis").waitFor();
      await page.evaluate("scrollTo(0, 0)");
    },
  },
];

const MOMENT = "21 Nov 2026, 12:00";

async function take(demo: DemoPages, page: Page, picture: Picture): Promise<void> {
  const { name, path, ready, scheme = "light", size = WIDE } = picture;
  await page.setViewportSize(size);
  await page.emulateMedia({ colorScheme: scheme, reducedMotion: "reduce" });
  await page.goto(`${demo.url}${path}`);
  await ready(page);
  await page.evaluate(`for (const each of document.querySelectorAll("time"))
    each.textContent = each.textContent.replace(/^.+ \\(/, "${MOMENT} (")`);
  const file = join(FOLDER, `${name}.png`);
  await page.screenshot({ path: file, animations: "disabled", caret: "hide" });
  const { size: octets } = statSync(file);
  process.stdout.write(`${name}.png ${(octets / 1000).toFixed(0)} kB\n`);
  if (octets > MAX_OCTETS) throw new Error(`${file}: ${octets} octets, and ${MAX_OCTETS} are the limit`);
}

mkdirSync(FOLDER, { recursive: true });
const demo = await startDemoPages();
try {
  const { page } = await demo.enter("demo", "/");
  await page.setViewportSize(DESKTOP);
  for (const picture of PICTURES) await take(demo, page, picture);
} finally {
  await demo.close();
}
