/** The demo in a browser: one server, and a tab for each of its people. */
import type { Browser } from "playwright-core";
import { DEMO_PASSWORD } from "../../src/demo/demo.ts";
import { openBrowser, openTab, type Tab } from "./browser.ts";
import { serve } from "./served.ts";

export interface DemoPages {
  readonly browser: Browser;
  readonly url: string;
  /** Logged in, at `path`. */
  enter(name: "demo" | "olga" | "rita", path: string): Promise<Tab>;
  close(): Promise<void>;
}

export async function startDemoPages(): Promise<DemoPages> {
  const [browser, served] = await Promise.all([openBrowser(), serve(["--demo"])]);
  return {
    browser,
    url: served.url,
    async enter(name, path) {
      const tab = await openTab(browser, served.url);
      const { page } = tab;
      await page.goto(path);
      await page.getByLabel("Name").fill(name);
      await page.getByLabel("Password").fill(DEMO_PASSWORD);
      await page.getByRole("button", { name: "Log in", exact: true }).click();
      await page.waitForURL((url) => url.pathname === new URL(path, served.url).pathname);
      return tab;
    },
    async close() {
      await browser.close();
      await served.stop();
    },
  };
}
