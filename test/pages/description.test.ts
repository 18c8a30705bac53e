/** What a domain is meant to be: changed, given away, taken out; and where a file says it, only read. */
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Page } from "playwright-core";
import { afterAll, beforeAll, expect, it } from "vitest";
import { expectAccessible, openTab, type Tab } from "../support/browser.ts";
import { type DemoPages, startDemoPages } from "../support/demo-pages.ts";
import { serve } from "../support/served.ts";

let demo: DemoPages;
let directory: string;
let tab: Tab;
let page: Page;

const of = (domain: string) => `/domains/${domain}?view=description`;
const text = (within: Page) => within.getByLabel("Description of the domain (JSON)");
const save = (within: Page) => within.getByRole("button", { name: "Save", exact: true }).click();

beforeAll(async () => {
  directory = mkdtempSync(join(tmpdir(), "zonepost-description-"));
  demo = await startDemoPages();
  tab = await demo.enter("demo", of("example.org"));
  page = tab.page;
});
afterAll(async () => {
  await demo?.close();
  rmSync(directory, { recursive: true, force: true });
});

it("changes the policy by the form, keeps all else, and leads to what becomes of it", async () => {
  const policy = page.getByLabel("DMARC policy");
  await policy.waitFor();
  expect(await policy.inputValue()).toBe("reject");
  await page.getByRole("button", { name: "Edit as text" }).click();
  const before = JSON.parse(await text(page).inputValue());
  await page.getByRole("button", { name: "Edit as form" }).click();
  await policy.selectOption("quarantine");
  await save(page);
  await page.getByText("Saved. The domain is judged by it").waitFor();
  await page.getByRole("button", { name: "Edit as text" }).click();
  const after = JSON.parse(await text(page).inputValue());
  expect(after).toEqual({ ...before, dmarc: { ...before.dmarc, policy: "quarantine" } });
  await page.locator(".note-ok").getByRole("link", { name: "Records" }).click();
  await page.getByText("p=quarantine").first().waitFor();
  await page.getByRole("link", { name: "Description", exact: true }).click();
  await expect.poll(() => policy.inputValue()).toBe("quarantine");
});

it("takes a change back from the toast", async () => {
  const reports = page.getByLabel("TLS reports go to");
  await reports.fill("tls@example.org reports@example.net");
  await save(page);
  await page.locator(".note-ok").getByRole("link", { name: "Publish" }).waitFor();
  await page.locator(".toast").last().getByRole("button", { name: "Undo" }).click();
  await expect.poll(() => reports.inputValue()).toBe("tls@example.org");
});

it("refuses in place what is wrong, in the form and in the text", async () => {
  const reports = page.getByLabel("TLS reports go to");
  await reports.fill("nowhere");
  await save(page);
  await page
    .locator(".fault")
    .getByText(/"nowhere" is not a mailbox/)
    .waitFor();
  expect(await reports.getAttribute("aria-invalid")).toBe("true");
  await page.getByRole("button", { name: "Edit as text" }).click();
  const typed = await text(page).inputValue();
  await text(page).fill(typed.replace('"nowhere"', '"tls@example.org"').replace('"dmarc"', '"dmrac"'));
  await save(page);
  await page.locator(".fault").getByText(/dmrac/).waitFor();
  expect(await text(page).getAttribute("aria-invalid")).toBe("true");
  await text(page).fill("{");
  await save(page);
  await page.getByText("This is no JSON any more.").waitFor();
  expect(await text(page).inputValue()).toBe("{");
  await page.reload();
  await reports.waitFor();
  await expect.poll(() => reports.inputValue()).toBe("tls@example.org");
});

it("tells of somebody else's change, keeps mine, and takes either", async () => {
  const policy = page.getByLabel("DMARC policy");
  const reports = page.getByLabel("TLS reports go to");
  await policy.selectOption("none");
  const other = await tab.context.newPage();
  await other.goto(of("example.org"));
  await other.getByLabel("TLS reports go to").fill("theirs@example.org");
  await save(other);
  await other.getByText("Saved. The domain is judged by it").waitFor();
  await other.close();
  await save(page);
  const told = page.getByText(/Somebody else has changed this meanwhile/);
  await told.waitFor();
  expect(await policy.inputValue()).toBe("none");
  await page.getByText("What is another now").click();
  await page.getByText('"theirs@example.org"').waitFor();
  await page.getByRole("button", { name: "Take theirs" }).click();
  await expect.poll(() => reports.inputValue()).toBe("theirs@example.org");
  expect(await policy.inputValue()).toBe("quarantine");
  await page.locator(".toast").last().getByRole("button", { name: "Undo" }).click();
  await told.waitFor();
  expect(await policy.inputValue()).toBe("none");
  await page.getByRole("button", { name: "Save mine over it" }).click();
  await page.getByText("Saved. The domain is judged by it").waitFor();
  await page.reload();
  await policy.waitFor();
  await expect.poll(() => policy.inputValue()).toBe("none");
  expect(await reports.inputValue()).toBe("tls@example.org");
});

it("gives a domain to an owner and takes it back, and what is typed stays", async () => {
  await page.goto(of("library.example"));
  const owner = page.getByLabel("Whose it is");
  await owner.waitFor();
  expect(await owner.inputValue()).toBe("");
  expect(await owner.locator("option").allTextContents()).toEqual(["administrators alone", "olga"]);
  await page.getByLabel("DMARC policy").selectOption("none");
  await owner.selectOption("olga");
  await page.getByText(/makes its findings and its history begin anew/).waitFor();
  await page.getByRole("button", { name: "Hand it over" }).click();
  await page.getByText("It belongs to olga now.").waitFor();
  expect(await page.evaluate("document.activeElement.tagName")).toBe("SELECT");
  const { page: hers, context } = await demo.enter("olga", of("library.example"));
  await hers.getByLabel("DMARC policy").waitFor();
  await page.locator(".toast").last().getByRole("button", { name: "Undo" }).click();
  await expect.poll(() => owner.inputValue()).toBe("");
  expect(await page.getByLabel("DMARC policy").inputValue()).toBe("none");
  expect(await page.getByText(/Somebody else has changed this/).count()).toBe(0);
  await hers.reload();
  await hers.getByText("there is no such thing here").waitFor();
  await context.close();
});

it("removes a domain at once, and brings it back with its description and its owner", async () => {
  await page.goto(of("gallery.example"));
  await page.getByRole("button", { name: "Edit as text" }).click();
  const before = await text(page).inputValue();
  const owner = await page.getByLabel("Whose it is").inputValue();
  expect(owner).not.toBe("");
  await page.getByRole("button", { name: "Remove gallery.example" }).click();
  await page.getByRole("heading", { name: "Your domains" }).waitFor();
  await page.locator(".domain-row").first().waitFor();
  const row = page.locator(".domain-row").filter({ hasText: "gallery.example" });
  await expect.poll(() => row.count()).toBe(0);
  await page.locator(".toast").last().getByRole("button", { name: "Undo" }).click();
  await page.getByText("gallery.example is here again.").waitFor();
  await page.goto(of("gallery.example"));
  await page.getByRole("button", { name: "Edit as text" }).click();
  expect(await text(page).inputValue()).toBe(before);
  expect(await page.getByLabel("Whose it is").inputValue()).toBe(owner);
});

it("lets owners change their own, and nobody but administrators give or remove", async () => {
  const { page: hers, context, complaints } = await demo.enter("olga", of("bakery.example"));
  await hers.getByLabel("DMARC policy").selectOption("quarantine");
  await save(hers);
  await hers.getByText("Saved. The domain is judged by it").waitFor();
  expect(await hers.getByRole("button", { name: /^Remove / }).count()).toBe(0);
  expect(await hers.getByLabel("Whose it is").count()).toBe(0);
  expect(complaints).toEqual([]);
  await context.close();
});

it("shows a reader what is described, and nothing to change it with", async () => {
  const { page: hers, context, complaints } = await demo.enter("rita", of("florist.example"));
  await hers.getByText("Your role may read this").waitFor();
  await hers.getByText("reject: refuse it").waitFor();
  await hers.getByText("The whole of it").click();
  await hers.getByText('"clientSetup": false').waitFor();
  const view = hers.getByRole("region", { name: "Description" });
  expect(await view.locator("button, input, select, textarea").count()).toBe(0);
  expect(complaints).toEqual([]);
  await context.close();
});

it("is accessible, narrow and wide, light and dark", async () => {
  await page.goto(of("example.org"));
  await page.getByLabel("Whose it is").waitFor();
  await expectAccessible(page);
  expect(tab.complaints).toEqual([]);
});

const PASSWORD = "a long enough password";

it("says where a file describes the domains which it is, and has no way to add or change any", async () => {
  const file = join(directory, "zonepost.yaml");
  const settings = join(directory, "server.yaml");
  const servers = "servers: [{ host: mail.example.org, addresses: 192.0.2.25 }]\n";
  writeFileSync(file, `${servers}domains: [{ domain: example.org, dmarc: { policy: quarantine } }]\n`);
  writeFileSync(settings, "watch: { enabled: false }\n");
  const server = await serve(["--state", join(directory, "state"), "-c", file, "--settings", settings]);
  const { page: admins, context, complaints } = await openTab(demo.browser, server.url);
  try {
    const link = /\/setup#\S+/;
    await expect.poll(server.out).toMatch(link);
    await admins.goto(link.exec(server.out())![0]);
    await admins.getByLabel("Password").fill(PASSWORD);
    await admins.getByRole("button", { name: "Begin" }).click();
    await admins.getByRole("link", { name: /example\.org/ }).click();
    await admins.getByRole("link", { name: "Description", exact: true }).click();
    await admins.getByText(/This is described in zonepost\.yaml on the server's machine/).waitFor();
    await admins.getByText("quarantine: to the junk folder").waitFor();
    expect(await admins.getByRole("button", { name: /^(?:Save|Remove )/ }).count()).toBe(0);
    const add = admins.getByRole("link", { name: "Add a domain" });
    expect(await add.count()).toBe(0);
    await admins.goto("/add");
    const word = admins.getByText(/The domains are described in zonepost\.yaml/);
    await word.waitFor();
    expect(await admins.locator("form").count()).toBe(0);

    writeFileSync(file, `${servers}domains: []\n`);
    server.process.kill("SIGHUP");
    await expect.poll(server.err).toContain("1 gone");
    await admins.goto("/");
    await admins.getByText("No domain yet").waitFor();
    await word.waitFor();
    expect(await add.count()).toBe(0);
    expect(complaints).toEqual([]);
  } finally {
    await context.close();
    await server.stop();
  }
});
