/** Keys in the demo: made, copied, published, verified, rotated, taken in, taken out, given to a program. */
import { generateKeyPairSync } from "node:crypto";
import { readFileSync } from "node:fs";
import type { Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { DEMO_PASSWORD } from "../../src/demo/demo.ts";
import { expectAccessible, type Tab } from "../support/browser.ts";
import { type DemoPages, startDemoPages } from "../support/demo-pages.ts";

let demo: DemoPages;
let tab: Tab;
let page: Page;

beforeAll(async () => {
  demo = await startDemoPages();
  tab = await demo.enter("demo", "/");
  page = tab.page;
});
afterAll(() => demo?.close());

const card = (selector: string) => page.getByRole("article", { name: selector, exact: true });
const step = () => page.locator(".way-steps [aria-current=step]");

describe("a first key", () => {
  it("begins with the domain that it is for", async () => {
    await page.getByRole("navigation", { name: "Main menu" }).getByRole("link", { name: "DKIM" }).click();
    await page.getByLabel("Search domains").fill("orch");
    await page.getByRole("link", { name: "orchard.example" }).click();
    await page.getByText("No key yet").waitFor();
    expect(await step().textContent()).toBe("Key pair");
  });

  it("is a pair with the name that is proposed", async () => {
    expect(await page.getByLabel("Selector", { exact: true }).inputValue()).toMatch(/^20\d{4}$/);
    await page.getByLabel("Selector", { exact: true }).fill("first");
    await page.getByRole("button", { name: "Make the key" }).click();
    await card("first").getByText("not in DNS yet").waitFor();
    await expect.poll(() => page.evaluate("document.activeElement.textContent")).toBe("first");
    expect(await step().textContent()).toBe("Copy the record");
    // No moment can be promised before its record is anywhere.
    expect(await card("first").locator(".timeline time").count()).toBe(1);
  });

  it("has a record to be copied, in the words of whoever hosts the zone", async () => {
    await card("first").getByRole("button", { name: "Copy Value" }).click();
    const copied = () => page.evaluate<string>("navigator.clipboard.readText()");
    await expect.poll(copied).toMatch(/^v=DKIM1; k=rsa; p=[\w+/]{300,}=*$/);
    await card("first").getByLabel("Who hosts your DNS?").selectOption("cloudflare");
    await card("first").getByText("Content", { exact: true }).waitFor();
    await card("first").getByText("In other shapes").click();
    await card("first").getByRole("button", { name: "Copy zone file", exact: true }).click();
    await expect.poll(copied).toMatch(/^first\._domainkey\.orchard\.example\. 3600 IN TXT "/);
  });

  it("is said to be at no name server before it is published", async () => {
    await card("first").getByRole("button", { name: "Ask every name server" }).click();
    await card("first").getByText("0 of 2 name servers show it.").waitFor();
    await card("first").getByText("caches may hold the earlier answer for 5 minutes more").waitFor();
  });

  it("is looked for by itself without a word, and without taking the focus", async () => {
    const again = card("first").getByRole("button", { name: "Ask again" });
    await again.focus();
    await page.route("**/keys/verify", async (asked) => {
      expect(await page.locator(".key .busy").count()).toBe(0);
      expect(await again.getAttribute("aria-disabled")).toBe("false");
      await asked.continue();
    });
    await page.waitForResponse(/keys\/verify/);
    await page.unroute("**/keys/verify");
    expect(await page.evaluate("document.activeElement.textContent")).toBe("Ask again");
  });

  it("is published by who holds the zone, and then shown by every name server", async () => {
    await card("first").getByRole("button", { name: "Publish it now" }).click();
    await card("first").getByText("Every name server shows it.").waitFor({ timeout: 60_000 });
    await card("first").getByText("Caches let go of the earlier answer").waitFor();
    expect(await card("first").locator(".key-servers tbody tr").count()).toBe(2);
    await expect.poll(() => step().textContent()).toBe("Verify");
    // Now it can be said when it signs.
    const ahead = card("first").locator(".timeline li:not(.is-done, .is-now)");
    await expect.poll(() => ahead.filter({ hasText: "Signs" }).locator("time").count()).toBe(1);
  });

  it("leaves room for others, each by its own selector", async () => {
    await page.getByText("Make another key").click();
    await page.getByLabel("Ed25519").check();
    await page.getByLabel("Selector", { exact: true }).fill("modern");
    await page.getByRole("button", { name: "Make the key" }).click();
    await card("modern").getByText("Ed25519").first().waitFor();
    await page.getByLabel("Selector", { exact: true }).fill("not a selector");
    await page.getByRole("button", { name: "Make the key" }).click();
    await page.getByRole("alert").first().waitFor();
  });
});

describe("a key from elsewhere", () => {
  const pem = generateKeyPairSync("rsa", { modulusLength: 2048 })
    .privateKey.export({ format: "pem", type: "pkcs8" })
    .toString();

  it("is taken in, and a text that is none is refused in place", async () => {
    await page.getByText("Take in a key that you have").click();
    await page.getByLabel("Its selector").fill("legacy");
    await page.getByLabel("Private key (PEM)").fill("none at all");
    await page.getByRole("button", { name: "Take it in" }).click();
    await page.locator(".key-form .fault").waitFor();
    await page.getByLabel("Private key (PEM)").fill(pem);
    await page.getByRole("button", { name: "Take it in" }).click();
    await card("legacy").waitFor();
    await expect.poll(() => page.getByLabel("Private key (PEM)").inputValue()).toBe("");
  });

  it("is given to a signing program after the password alone", async () => {
    await card("legacy").getByText("Files for a signing program").click();
    await card("legacy").getByLabel("Your password").fill("a guess");
    await card("legacy").getByRole("button", { name: "Show the files" }).click();
    await card("legacy").getByText("that is not the password").waitFor();
    await card("legacy").getByLabel("Your password").fill(DEMO_PASSWORD);
    await card("legacy").getByRole("button", { name: "Show the files" }).click();
    await card("legacy").getByText("KeyTable", { exact: true }).waitFor();
    expect(await page.content()).not.toContain("PRIVATE KEY-----\n");
    const [download] = await Promise.all([
      page.waitForEvent("download"),
      card("legacy").getByRole("button", { name: "Save keys/orchard.example/legacy.private" }).click(),
    ]);
    expect(readFileSync(await download.path(), "utf8")).toContain("PRIVATE KEY");
    await card("legacy").getByRole("button", { name: "Put them away" }).click();
  });

  it("is taken out of use, with words about what that does", async () => {
    await card("legacy").getByText("Take it out of use").click();
    await card("legacy").getByText("mail under way fails too").waitFor();
    await card("legacy").getByRole("button", { name: "Revoke it" }).click();
    await card("legacy").getByText("revoked by hand").waitFor();
    expect(await card("legacy").getByRole("button", { name: "Retire it" }).count()).toBe(0);
  });
});

describe("a rotation", () => {
  it("says what comes next, and begins", async () => {
    await page.goto("/domains/library.example/dkim");
    // The old key retires: its record goes seven days after its last signature.
    await card("s202604").getByText("Next: Revoked").waitFor();
    await card("s202604").locator(".key-next time").waitFor();
    await card("s202611").getByText("Next: Retires").waitFor();
    expect(await card("s202611").locator(".key-next time").count()).toBe(0);
    await page.getByRole("button", { name: "Begin a rotation" }).click();
    await page.getByText("done, and in the zone").waitFor({ timeout: 60_000 });
    const made = page.getByRole("article").first();
    await made.getByText("Every name server shows it.").waitFor({ timeout: 60_000 });
    // From the successor's caches follows when the old one ends.
    await card("s202611").locator(".key-next time").waitFor();
    expect(await page.getByRole("button", { name: "Begin a rotation" }).count()).toBe(0);
  });
});

describe("what others see", () => {
  it("is no way to publish where the zone is not theirs", async () => {
    const olga = await demo.enter("olga", "/domains/museum.example/dkim");
    await olga.page.getByText("Make another key").click();
    await olga.page.getByLabel("Selector", { exact: true }).fill("mine");
    await olga.page.getByRole("button", { name: "Make the key" }).click();
    const own = olga.page.getByRole("article", { name: "mine" });
    await own.getByText("This TXT record belongs into the zone keys.example.").waitFor();
    await own.getByText("Nobody has told this server who hosts the zone").waitFor();
    expect(await own.getByRole("button", { name: "Publish it now" }).count()).toBe(0);
    expect(olga.complaints).toEqual([]);
    await olga.context.close();
  });

  it("is nothing to press for who may read alone", async () => {
    const rita = await demo.enter("rita", "/domains/school.example/dkim");
    await rita.page.getByRole("article", { name: "s202605" }).waitFor();
    expect(await rita.page.getByRole("main").getByRole("button").count()).toBe(0);
    expect(await rita.page.getByText("Files for a signing program").count()).toBe(0);
    await rita.context.close();
  });
});

it("breaks no rule of accessibility, and says nothing in the console", async () => {
  for (const fold of await page.locator("article details:not([open]) > summary").all())
    if (await fold.isVisible()) await fold.click();
  await expectAccessible(page);
  await page.goto("/dkim");
  await page.getByRole("link", { name: "orchard.example" }).waitFor();
  await expectAccessible(page);
  await page.goto("/domains/clinic.example/dkim");
  await page.getByText("Make another key").waitFor();
  expect(tab.complaints).toEqual([]);
});
