/** Codes of an app, passkeys, a provider's word: turned on, used to come in, and used above a page that waits. */

import { execFile } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { promisify } from "node:util";
import type { Browser, Locator, Page } from "playwright-core";
import { decodeQR } from "qr/decode.js";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { totpCode } from "../../src/access/totp.ts";
import { expectAccessible, openBrowser, openTab, type Tab } from "../support/browser.ts";
import { freePort } from "../support/free-port.ts";
import { type IdentityProviderHandle, startIdentityProvider } from "../support/identity-provider.ts";
import { type ServedPages, startServedPages } from "../support/served-pages.ts";
import { PROJECT } from "../support/source-reader.ts";

const PASSWORD = "a quiet evening by the sea";

let directory: string;
let identity: IdentityProviderHandle;
let served: ServedPages;
let browser: Browser;
let tab: Tab;
let page: Page;
let secret: Buffer;

beforeAll(async () => {
  directory = mkdtempSync(join(tmpdir(), "zonepost-ways-in-"));
  const port = await freePort();
  // A passkey is bound to a name: an address has none.
  const url = `http://localhost:${port}`;
  identity = await startIdentityProvider(`${url}/api/login/provider/return`);
  const [secretFile, authorityFile] = ["client-secret", "authority.pem"].map((name) => join(directory, name));
  writeFileSync(secretFile!, identity.clientSecret);
  writeFileSync(authorityFile!, identity.authority);
  const identityProvider = {
    issuer: identity.issuer,
    clientId: "zonepost",
    clientSecret: { file: secretFile },
    title: "Laboratory",
  };
  [browser, served] = await Promise.all([
    openBrowser(),
    startServedPages({
      directory,
      port,
      settings: { url, identityProvider },
      environment: { NODE_EXTRA_CA_CERTS: authorityFile! },
    }),
  ]);
  tab = await openTab(browser, served.url, { ignoreHTTPSErrors: true });
  page = tab.page;
  // The provider's own page asks for a typeface of a third party: nothing leaves this machine.
  await tab.context.route(
    ({ hostname }) => !["localhost", "127.0.0.1"].includes(hostname),
    (asked) => asked.fulfill({ body: "", contentType: "text/css" }),
  );
  await page.goto(served.setupLink!);
  await page.getByLabel("Password").fill(PASSWORD);
  await page.getByRole("button", { name: "Begin" }).click();
  await page.getByRole("heading", { name: "Your domains" }).waitFor();
});
afterAll(async () => {
  await browser?.close();
  await served?.stop();
  await identity?.close();
  rmSync(directory, { recursive: true, force: true });
});

const button = (name: string, at: Page | Locator = page) => at.getByRole("button", { name, exact: true });
const partOf = (heading: string | RegExp) =>
  page.locator("section", { has: page.getByRole("heading", { name: heading }) });

async function leave(): Promise<void> {
  await page.getByRole("button", { name: /Logged in as/ }).click();
  await button("Log out").click();
  await page.getByRole("heading", { name: "Log in" }).waitFor();
}

async function typePassword(at: Page | Locator = page): Promise<void> {
  await at.getByLabel("Name", { exact: true }).fill("admin");
  await at.getByLabel("Password", { exact: true }).fill(PASSWORD);
  await button("Log in", at).click();
}

/** A form that is half filled in when the session ends: it has to be there still. */
async function endSessionOverForm(): Promise<Locator> {
  await page.goto("/users");
  await page.getByLabel("Name", { exact: true }).fill("half a name");
  await page.getByLabel("Your own password").fill(PASSWORD);
  await tab.context.clearCookies();
  await button("Add").click();
  const dialog = page.getByRole("dialog", { name: "Your session is over" });
  await dialog.waitFor();
  return dialog;
}

async function expectGoesOn(dialog: Locator): Promise<void> {
  await dialog.waitFor({ state: "detached" });
  expect(new URL(page.url()).pathname).toBe("/users");
  expect(await page.getByLabel("Name", { exact: true }).inputValue()).toBe("half a name");
}

/** What a camera sees: the picture's pixels, decoded. */
async function lookWithCamera(picture: Locator): Promise<string> {
  const png = (await picture.screenshot()).toString("base64");
  const drawing = await browser.newPage();
  const { width, height, octets } = await drawing.evaluate<{
    width: number;
    height: number;
    octets: number[];
  }>(`
    (async () => {
      const image = new Image();
      image.src = "data:image/png;base64,${png}";
      await image.decode();
      const { width, height } = image;
      const context = new OffscreenCanvas(width, height).getContext("2d");
      context.drawImage(image, 0, 0);
      return { width, height, octets: [...context.getImageData(0, 0, width, height).data] };
    })()`);
  await drawing.close();
  return decodeQR({ width, height, data: Uint8Array.from(octets) });
}

/** RFC 4648 §6, the other way round. */
function fromBase32(text: string): Buffer {
  const bits = [...text].map((letter) =>
    "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567".indexOf(letter).toString(2).padStart(5, "0"),
  );
  return Buffer.from((bits.join("").match(/.{8}/g) ?? []).map((eight) => Number.parseInt(eight, 2)));
}

const steps = () => Math.floor(Date.now() / 30_000);

/** No code counts twice; the half minute until the next one passes here. */
function letHalfMinutePass(): void {
  const state = new DatabaseSync(join(directory, "zonepost.db"), { timeout: 10_000 });
  state.exec("UPDATE account SET totp_step = NULL");
  state.close();
}

describe("codes of an app", () => {
  it("begin with a picture that a camera reads, in a dark room as well", async () => {
    await page.goto("/account");
    const codes = partOf(/Codes of an/);
    await codes.getByLabel("Password now").fill(PASSWORD);
    await button("Turn codes on", codes).click();
    const picture = page.getByRole("img", { name: "QR code with the secret" });
    const link = await page.getByRole("link", { name: "Open in the app" }).getAttribute("href");
    for (const colorScheme of ["light", "dark"] as const) {
      await page.emulateMedia({ colorScheme });
      expect(await lookWithCamera(picture)).toBe(link);
    }
    await expectAccessible(page);
    const typed = (await codes.locator("code.secret").textContent())!.replaceAll(" ", "");
    expect(new URL(link!).searchParams.get("secret")).toBe(typed);
    secret = fromBase32(typed);
  });

  it("are on with the first right one", async () => {
    await page.getByLabel("The code that the app shows now").fill("000000");
    await button("Confirm").click();
    await partOf(/Codes of an/)
      .getByRole("alert")
      .or(page.locator(".fault"))
      .first()
      .waitFor();
    await page.getByLabel("The code that the app shows now").fill(totpCode(secret, steps()));
    await button("Confirm").click();
    await page.getByText("On: each login asks for a code.").waitFor();
  });

  it("are asked for at the login, and no code counts twice", async () => {
    letHalfMinutePass();
    await leave();
    await typePassword();
    const code = page.getByLabel("Code", { exact: true });
    await code.waitFor();
    await expectAccessible(page);
    const right = totpCode(secret, steps());
    await code.fill(`${right.slice(0, 3)} ${right.slice(3)}`);
    await button("Go on").click();
    await page.getByRole("heading", { name: "Your domains" }).waitFor();
    await leave();
    await typePassword();
    await code.fill(right);
    await button("Go on").click();
    await page.getByText("That is not right.").waitFor();
    letHalfMinutePass();
    await code.fill(totpCode(secret, steps()));
    await button("Go on").click();
    await page.getByRole("heading", { name: "Your domains" }).waitFor();
  });

  it("are asked for above a page that waits", async () => {
    letHalfMinutePass();
    const dialog = await endSessionOverForm();
    await dialog.getByLabel("Password", { exact: true }).fill(PASSWORD);
    await button("Log in", dialog).click();
    await dialog.getByLabel("Code", { exact: true }).fill(totpCode(secret, steps()));
    await button("Go on", dialog).click();
    await expectGoesOn(dialog);
  });
});

describe("a way in for who has lost theirs", () => {
  it("is made at the machine while the server runs: password and phone are not asked for any more", async () => {
    await leave();
    await page.getByText("zonepost user reset").waitFor();
    const { stdout } = await promisify(execFile)(
      process.execPath,
      ["src/main.ts", "user", "reset", "admin", "--state", directory],
      { cwd: PROJECT },
    );
    await typePassword();
    await page.getByText("That is not right.").waitFor();
    await page.getByLabel("Password", { exact: true }).fill(stdout.trim());
    await button("Log in").click();
    await page.getByRole("heading", { name: "Your domains" }).waitFor();
    await page.goto("/account");
    const password = partOf("Password");
    await password.getByLabel("Password now").fill(stdout.trim());
    await password.getByLabel("New password").fill(PASSWORD);
    await button("Change the password", password).click();
    await page.getByText("The password is changed").waitFor();
    await button("Turn codes on").waitFor();
  });
});

describe("a passkey", () => {
  it("is made with the password, and listed", async () => {
    const authenticator = await tab.context.newCDPSession(page);
    await authenticator.send("WebAuthn.enable");
    await authenticator.send("WebAuthn.addVirtualAuthenticator", {
      options: {
        protocol: "ctap2",
        transport: "internal",
        hasResidentKey: true,
        hasUserVerification: true,
        isUserVerified: true,
        automaticPresenceSimulation: true,
      },
    });
    const passkeys = partOf("Passkeys");
    await passkeys.getByLabel("Name of the passkey").fill("this laptop");
    await passkeys.getByLabel("Password now").fill("not the password");
    await button("Add a passkey", passkeys).click();
    await passkeys.getByRole("alert").waitFor();
    await passkeys.getByLabel("Password now").fill(PASSWORD);
    await button("Add a passkey", passkeys).click();
    await button("Remove this laptop").waitFor();
    await expectAccessible(page);
  });

  it("is not made twice on one device, and the page says so in words", async () => {
    const passkeys = partOf("Passkeys");
    await passkeys.getByLabel("Name of the passkey").fill("this laptop again");
    await passkeys.getByLabel("Password now").fill(PASSWORD);
    await button("Add a passkey", passkeys).click();
    await passkeys.getByText("This device has a passkey for you already.").waitFor();
  });

  it("is all that a login needs", async () => {
    await leave();
    await button("With a passkey").click();
    await page.getByRole("heading", { name: "Your domains" }).waitFor();
  });

  it("opens the page that waits", async () => {
    const dialog = await endSessionOverForm();
    await button("With a passkey", dialog).click();
    await expectGoesOn(dialog);
  });

  it("opens nothing once it is removed", async () => {
    await page.goto("/account");
    await button("Remove this laptop").click();
    await button("Remove this laptop").waitFor({ state: "detached" });
    await leave();
    await button("With a passkey").click();
    await page.getByText("this passkey opens nothing here", { exact: false }).waitFor();
    await typePassword();
    await page.getByRole("heading", { name: "Your domains" }).waitFor();
  });
});

describe("a provider's word", () => {
  async function logInThere(at: Page, name: string): Promise<void> {
    await at.locator("[name=login]").fill(name);
    await at.locator("[name=password]").fill("any");
    await at.locator("[type=submit]").click();
    // What it asks for consent to.
    await at.locator("[type=submit]").click();
  }

  it("opens nothing for who has no account, and says so in the page", async () => {
    await leave();
    await button("Laboratory").click();
    await logInThere(page, "stranger");
    await page.getByText("That login opens nothing here.").waitFor();
    await expectAccessible(page);
    await tab.context.clearCookies({ domain: "127.0.0.1" });
  });

  it("opens the page that one wanted to see, for who has", async () => {
    await typePassword();
    await page.getByRole("heading", { name: "Your domains" }).waitFor();
    await page.goto("/users");
    await page.getByLabel("Name", { exact: true }).fill("ida");
    await page.getByRole("radio", { name: /^Administrator/ }).check();
    await page.getByText("Comes in by", { exact: false }).first().click();
    await page.getByLabel(/Subject/).fill(`${identity.issuer} ida@laboratory`);
    await page.getByLabel("Your own password").fill(PASSWORD);
    await button("Add").click();
    await page.getByLabel("Role: ida").waitFor();
    await leave();
    await page.goto("/audit?actor=admin");
    await button("Laboratory").click();
    await logInThere(page, "ida@laboratory");
    await page.getByRole("heading", { name: "Audit log" }).waitFor();
    expect(new URL(page.url()).search).toBe("?actor=admin");
    await page.getByRole("button", { name: "Logged in as ida" }).waitFor();
  });

  it("is asked for anew for what outlasts a session", async () => {
    await page.goto("/account");
    const tokens = partOf("Tokens");
    const make = async () => {
      await tokens.locator("[name=label]").fill("for a program");
      await tokens.getByRole("checkbox").first().check();
      await button("Make a token", tokens).click();
    };
    await make();
    await page.getByText("It is not known when you proved who you are", { exact: false }).waitFor();
    await expectAccessible(page);
    await button("Log in again: Laboratory").click();
    await page.locator("[name=login]").fill("ida@laboratory");
    await page.locator("[name=password]").fill("any");
    await page.locator("[type=submit]").click();
    await page.waitForURL("**/account");
    await make();
    await page.getByText("for a program").first().waitFor();
  });

  it("opens the page that waits, from another tab", async () => {
    await page.goto("/users");
    await page.getByLabel("Name", { exact: true }).fill("half a name");
    await tab.context.clearCookies({ domain: "localhost" });
    await button("Add").click();
    const dialog = page.getByRole("dialog", { name: "Your session is over" });
    const opened = tab.context.waitForEvent("page");
    await button("Laboratory", dialog).click();
    // There the session goes on: nothing is asked.
    const there = await opened;
    await there.getByRole("heading", { name: "Your domains" }).waitFor();
    await dialog.getByText("then come back to this one").waitFor();
    await there.close();
    await page.bringToFront();
    await page.evaluate('window.dispatchEvent(new Event("focus"))');
    await expectGoesOn(dialog);
  });
});

it("has had nothing to complain of, and no secret in the log", () => {
  expect(tab.complaints).toEqual([]);
  const log = served.logged.join("");
  for (const word of [PASSWORD, identity.clientSecret]) expect(log).not.toContain(word);
});
