/** Publishing in the demo: the plan, its guards, approved, followed, read back, and taken back. */
import type { Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { DEMO_PASSWORD } from "../../src/demo/demo.ts";
import { expectAccessible, type Tab } from "../support/browser.ts";
import { type DemoPages, startDemoPages } from "../support/demo-pages.ts";
import { logIn } from "../support/served.ts";

let demo: DemoPages;
let tab: Tab;
let page: Page;

beforeAll(async () => {
  demo = await startDemoPages();
  tab = await demo.enter("demo", "/domains/florist.example");
  page = tab.page;
});
afterAll(() => demo?.close());

const publish = () => page.getByRole("button", { name: /^Publish \d/ });
const rows = (change: string) => page.locator(`.plan-values .plan-${change}`);

describe("a plan", () => {
  it("says what comes, what stays and whose it is", async () => {
    await page.getByRole("link", { name: "Publish", exact: true }).click();
    await page.getByText("by the demo's own name servers").waitFor();
    await page.getByText("3 records come").waitFor();
    expect(await rows("create").count()).toBe(3);
    expect(await rows("create").first().textContent()).toContain("florist.example");
    await page.getByText(/records? of others stays? untouched/).waitFor();
    await page.getByText(/records? of ours stays? as/).click();
    await expect.poll(() => rows("keep").first().isVisible()).toBe(true);
  });

  it("is not carried out against a guard, until one says that one wants it", async () => {
    await page.getByText("would go from no policy to p=reject in one step").waitFor();
    expect(await publish().isDisabled()).toBe(true);
    await expectAccessible(page);
    await page.getByLabel("Do it all the same dmarc-jump").check();
    expect(await publish().isEnabled()).toBe(true);
  });

  it("is followed while it is carried out, and read back from every name server", async () => {
    await publish().click();
    await page.getByRole("heading", { name: "Publishing" }).waitFor();
    const job = new URL(page.url()).searchParams.get("job");
    expect(job).not.toBeNull();
    // Before anything is in it: else the outcome would not be read aloud.
    const outcome = page.locator(".follow > div[role=status]:not(.busy)");
    await outcome.waitFor({ state: "attached" });
    await outcome.getByText("Done: every name server shows it.").waitFor({ timeout: 60_000 });
    // Three changes at two name servers.
    expect(await page.locator(".follow tbody tr").count()).toBe(6);
    await expect.poll(() => page.locator(".follow").getByText("as it should").count()).toBe(6);
    await expectAccessible(page);
    // Its address leads back to it.
    await page.reload();
    await page.getByText("Done: every name server shows it.").waitFor();
  });

  it("has nothing to do afterwards, and can be taken back", async () => {
    await page.getByRole("button", { name: "To the plan as it is now" }).click();
    await page.getByText("The zone holds all that is described").waitFor();
    await page.getByText("3 record sets would be as before").click();
    await page.locator(".undo-changes").getByText("_dmarc.florist.example").waitFor();
    await page.getByRole("button", { name: "Take it back" }).click();
    await page.getByRole("heading", { name: "Taking back" }).waitFor();
    await page.getByText("Done: every name server shows it.").waitFor({ timeout: 60_000 });
    expect(await page.locator(".follow").getByText("no such record").count()).toBe(6);
    await page.getByRole("button", { name: "To the plan as it is now" }).click();
    await page.getByText("3 records come").waitFor();
  });

  it("cannot be carried out where a guard has no way around it", async () => {
    await page.goto("/domains/gallery.example/publish");
    await page.getByText("This cannot be overridden").waitFor();
    const mend = page.getByRole("link", { name: "To the description" });
    expect(await mend.getAttribute("href")).toBe("/domains/gallery.example?view=description");
    expect(await page.getByRole("checkbox").count()).toBe(0);
    expect(await publish().isDisabled()).toBe(true);
  });

  it("waits between its steps, says so before and meanwhile", async () => {
    const admin = await logIn(demo.url, "demo", DEMO_PASSWORD);
    const { body } = await admin.ask("GET", "/api/domains/bakery.example");
    const { content, revision } = body as { content: object; revision: number };
    const changed = { content: { ...content, mtaSts: { mode: "testing" } }, revision };
    expect((await admin.ask("PUT", "/api/domains/bakery.example", changed)).status).toBeLessThan(300);
    await page.goto("/domains/bakery.example/publish");
    await page.getByRole("heading", { name: "In this order" }).waitFor();
    expect(await page.locator(".plan-order > ol > li").count()).toBe(2);
    await page.getByText("then wait 5 minutes").waitFor();
    await publish().click();
    await page.getByText("Waiting 5 minutes before the next step.").waitFor();
    await page.getByText("Done: every name server shows it.").waitFor({ timeout: 60_000 });
  });
});

it("is refused where it is another plan by now, and shows the new one", async () => {
  await page.goto("/domains/garage.example/publish");
  await publish().waitFor();
  const other = await demo.enter("demo", "/domains/garage.example/publish");
  await other.page.getByRole("button", { name: /^Publish \d/ }).click();
  await other.page.getByText("Done: every name server shows it.").waitFor({ timeout: 60_000 });
  await other.context.close();
  await publish().click();
  await page.getByText("nothing was published").waitFor();
  await page.getByText("The zone holds all that is described").waitFor();
  expect(await publish().count()).toBe(0);
});

it("is nothing for who may read alone", async () => {
  const rita = await demo.enter("rita", "/domains/florist.example");
  await rita.page.getByRole("link", { name: "Records" }).waitFor();
  expect(await rita.page.getByRole("link", { name: "Publish", exact: true }).count()).toBe(0);
  await rita.page.goto("/domains/florist.example/publish");
  await rita.page.getByText("your role may read alone").waitFor();
  expect(await rita.page.getByRole("main").getByRole("button").count()).toBe(0);
  await rita.context.close();
});

it("says nothing in the console", () => {
  expect(tab.complaints).toEqual([]);
});
