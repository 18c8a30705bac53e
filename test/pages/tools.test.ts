/** The tools in the demo: from symptom, bounce and header to the fix; rules of receivers; records in words; ways. */
import type { Page } from "playwright-core";
import { afterAll, beforeAll, expect, it } from "vitest";
import { expectAccessible, type Tab } from "../support/browser.ts";
import { type DemoPages, startDemoPages } from "../support/demo-pages.ts";

const LOG_LINE = (domain: string) =>
  `Nov 20 10:00:00 mail postfix/smtp[1]: 4X1: to=<bob@gmail.com>, relay=gmail-smtp-in.l.google.com[192.0.2.200]:25, dsn=5.7.26, status=bounced (host gmail-smtp-in.l.google.com[192.0.2.200] said: 550-5.7.26 Unauthenticated email from ${domain} is not accepted due to domain's 550-5.7.26 DMARC policy. (in reply to end of DATA command))`;
const HEADER = `From: Anna <anna@florist.example>
Authentication-Results: mx.example.net;
 dkim=fail (no key for signature) header.d=florist.example;
 spf=pass smtp.mailfrom=florist.example
Subject: Flowers
`;

let demo: DemoPages;
let olga: Tab;
let page: Page;

beforeAll(async () => {
  demo = await startDemoPages();
  olga = await demo.enter("olga", "/troubleshoot");
  page = olga.page;
});
afterAll(() => demo?.close());

async function lookFor(domain: string, symptom: string): Promise<void> {
  await page.goto("/troubleshoot");
  await page.getByLabel("At which domain?").fill(domain);
  await page.getByText(symptom, { exact: true }).click();
  await page.getByRole("button", { name: "Look for the cause" }).click();
}

it.each([
  ["orchard.example", "Mail does not arrive", "The MX names the right host", "nothing is published yet"],
  ["florist.example", "Our mail is taken for spam", "SPF is right", "there is no SPF record"],
  ["florist.example", "DKIM fails", "The key is published where verifiers look", "there is no key"],
  ["florist.example", "SPF fails", "There is one record, of type TXT", "there is no record"],
])("%s, %s: stops at “%s”, with the fix (%s)", async (domain, symptom, step) => {
  await lookFor(domain, symptom);
  await page.getByText("This can be the cause.").waitFor({ timeout: 60_000 });
  expect(await page.locator(".step-cause").innerText()).toContain(step);
  await page.locator(".finding-plain .fix").first().waitFor();
  expect(await page.locator(".finding-plain .fix button").count()).toBeGreaterThan(0);
});

it("says so where nothing brings it about", async () => {
  await lookFor("bakery.example", "SPF fails");
  await page.getByText("Nothing here brings it about").waitFor({ timeout: 60_000 });
  expect(await page.locator(".step-cause").count()).toBe(0);
});

it("says nothing of a domain that is another's, and the same of one that is nobody's", async () => {
  for (const domain of ["clinic.example", "nobody.example"]) {
    await lookFor(domain, "Mail does not arrive");
    await page.getByText("There is no such thing here.").waitFor();
  }
});

it("reads a bounce, and shows what the domain has of it", async () => {
  await page.goto("/troubleshoot");
  await page.getByLabel(/^Bounce, log line/).fill(LOG_LINE("florist.example"));
  await page.getByRole("button", { name: "Read it" }).click();
  await page.getByText("What florist.example shows of it").waitFor();
  await page.getByText("550 5.7.26", { exact: true }).waitFor();
  await page.getByText("Publish an SPF record.").waitFor();
});

it("reads a bounce about another's domain, and shows nothing of the domain", async () => {
  for (const domain of ["clinic.example", "nobody.example"]) {
    await page.getByLabel(/^Bounce, log line/).fill(LOG_LINE(domain));
    await page.getByRole("button", { name: "Read it" }).click();
    await page.getByText(`It is about ${domain}, which is none of your domains here`).waitFor();
    expect(await page.locator(".finding-plain").count()).toBe(0);
  }
});

it("says what to paste where a text is neither", async () => {
  await page.getByLabel(/^Bounce, log line/).fill("Hello Bob, did my mail arrive?");
  await page.getByRole("button", { name: "Read it" }).click();
  await page.getByText(/no refusal was found in this text/).waitFor();
});

it("reads a header, and leads to the cause", async () => {
  await page.getByLabel(/^Bounce, log line/).fill(HEADER);
  await page.getByRole("button", { name: "Read it" }).click();
  await page.getByText("dkim=fail").waitFor();
  expect(await page.getByRole("link", { name: /^Find the cause/ }).count()).toBe(1);
  await page.getByRole("link", { name: "Find the cause: dkim" }).click();
  await expect.poll(() => page.getByLabel("At which domain?").inputValue()).toBe("florist.example");
  expect(await page.getByRole("radio", { name: /^DKIM fails/ }).isChecked()).toBe(true);
});

it("holds a domain against the rules of large receivers, each with its evidence", async () => {
  await page.goto("/domains/florist.example");
  await page.getByRole("link", { name: "Rules", exact: true }).click();
  for (const name of ["Google", "Yahoo", "Microsoft"])
    await page.getByRole("heading", { name, exact: true }).waitFor();
  const broken = page.locator(".rule-not-met").first();
  await broken.locator("summary").first().click();
  await broken.getByText("Publish an SPF record.").waitFor();
  expect(await page.locator(".rule-met").count()).toBeGreaterThan(0);
  expect(await page.locator(".rule-not-visible").count()).toBeGreaterThan(0);
});

it("puts a record into words, with what is wrong with it", async () => {
  await page.goto("/explain");
  await page.getByLabel("Record").fill("v=spf1 mx ptr +all");
  await page.getByRole("button", { name: "Explain it" }).click();
  await page.getByRole("heading", { name: /SPF record/ }).waitFor();
  expect(await page.locator(".terms > div").count()).toBe(4);
  await page.locator(".remarks .badge-error").waitFor();
  await page.getByLabel("Record").fill("good morning");
  await page.getByRole("button", { name: "Explain it" }).click();
  await page.getByText(/none of the records known here/).waitFor();
});

it("goes the way of a mail, also to another's domain", async () => {
  await page.goto("/route");
  await page.getByLabel("Address").fill("bob@example.org");
  await page.getByRole("button", { name: "Find the way" }).click();
  await page.getByText(/Mail goes to mail\.example\.org/).waitFor({ timeout: 60_000 });
  expect(await page.locator(".hop-takes").count()).toBe(2);
  await page.getByLabel("Address").fill("bob");
  await page.getByRole("button", { name: "Find the way" }).click();
  await page.getByText(/is not an address such as/).waitFor();
});

it("asks no server for a reader, who reads bounces all the same", async () => {
  const { page: hers, context, complaints } = await demo.enter("rita", "/troubleshoot");
  await hers.getByText("readers may not do that").waitFor();
  expect(await hers.getByRole("button", { name: "Look for the cause" }).count()).toBe(0);
  await hers.getByLabel(/^Bounce, log line/).fill(LOG_LINE("florist.example"));
  await hers.getByRole("button", { name: "Read it" }).click();
  await hers.getByText("What florist.example shows of it").waitFor();
  await hers.goto("/route");
  await hers.getByText("readers may not do that").waitFor();
  expect(await hers.getByRole("button", { name: "Find the way" }).count()).toBe(0);
  expect(complaints).toEqual([]);
  await context.close();
});

it("shows the troubleshooter to everybody, narrow and wide, light and dark", async () => {
  await lookFor("florist.example", "SPF fails");
  await page.getByText("This can be the cause.").waitFor({ timeout: 60_000 });
  await page.getByLabel(/^Bounce, log line/).fill(LOG_LINE("florist.example"));
  await page.getByRole("button", { name: "Read it" }).click();
  await page.getByText("What florist.example shows of it").waitFor();
  await expectAccessible(page);
});

it("shows the rules to everybody", async () => {
  await page.goto("/domains/florist.example?view=compliance");
  await page.locator(".rule-not-met summary").first().click();
  await expectAccessible(page);
});

it("shows records in words, and ways, to everybody", async () => {
  await page.goto("/explain");
  await page.getByLabel("Record").fill("v=spf1 mx ptr +all");
  await page.getByRole("button", { name: "Explain it" }).click();
  await page.locator(".terms").waitFor();
  await expectAccessible(page);
  await page.goto("/route");
  await page.getByLabel("Address").fill("bob@example.org");
  await page.getByRole("button", { name: "Find the way" }).click();
  await page.locator(".hops").waitFor({ timeout: 60_000 });
  await page.locator("summary", { hasText: "Tools" }).click();
  await expectAccessible(page);
});

it("has had nothing to complain of", () => {
  expect(olga.complaints).toEqual([]);
});
