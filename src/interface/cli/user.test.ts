import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { zonepost } from "../../../test/support/cli.ts";
import type { User } from "../../access/access-store.ts";
import { verifyPassword } from "../../access/password.ts";
import { type OpenedStore, openStore } from "../../store/open.ts";

let folder: string;
let state: OpenedStore;
beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), "zonepost-user-"));
  state = await openState(folder);
});
afterEach(async () => {
  await state.close();
  rmSync(folder, { recursive: true });
});

const openState = (directory: string) => openStore({ kind: "sqlite", path: join(directory, "zonepost.db") });
const call = (...words: string[]) =>
  zonepost(["user", ...words, "--state", folder], { tools: { openState } });

const lost: User = {
  id: "a",
  name: "anna",
  role: "administrator",
  passwordHash: "one that nobody knows",
  sealedTotpSecret: "of a phone in the sea",
  totpStep: 7,
  oidcSubject: undefined,
  createdAt: new Date("2026-01-02T03:04:05Z"),
  disabledAt: new Date("2026-02-02T00:00:00Z"),
  revision: 1,
  recoveries: 0,
};

async function withAnna(): Promise<void> {
  await state.access.addUser(lost);
  const bert: User = {
    ...lost,
    id: "b",
    name: "bert",
    role: "owner",
    passwordHash: undefined,
    sealedTotpSecret: undefined,
    oidcSubject: "https://id.example bert",
    disabledAt: undefined,
  };
  await state.access.addUser(bert);
  const passkey = {
    userId: "b",
    credentialId: "AAAA",
    publicKey: "AAAA",
    counter: 0,
    transports: [],
    label: "key ring",
    createdAt: lost.createdAt,
    lastUsedAt: undefined,
  };
  await state.access.addPasskey(passkey, bert);
}

describe("user list", () => {
  it("says how to begin where there is nobody", async () => {
    const { exitCode, out } = await call("list");
    expect([exitCode, out]).toEqual([0, expect.stringContaining("link for the first administrator")]);
    expect(JSON.parse((await call("list", "--json")).out)).toEqual({ users: [] });
  });

  it("lists who there is, and by what they come in, without a secret", async () => {
    await withAnna();
    const { out } = await call("list");
    expect(out).toMatch(/anna +administrator, kept out +password and code +2026-01-02/);
    expect(out).toMatch(/bert +owner +passkey, identity provider +2026-01-02/);
    const json = await call("list", "--json");
    expect(JSON.parse(json.out).users[0]).toEqual({
      name: "anna",
      role: "administrator",
      waysIn: ["password and code"],
      isDisabled: true,
      createdAt: "2026-01-02T03:04:05.000Z",
    });
    for (const text of [out, json.out]) expect(text).not.toMatch(/nobody knows|in the sea/);
  });
});

describe("user reset", () => {
  it("lets in who has lost password and phone, and writes that down", async () => {
    await withAnna();
    const run = await call("reset", "Anna");
    expect([run.exitCode, run.out]).toEqual([0, expect.stringMatching(/^\w{4}(-\w{4}){4}\n$/)]);
    const anna = (await state.access.user({ name: "anna" }))!;
    expect(anna).toMatchObject({ sealedTotpSecret: undefined, totpStep: undefined, disabledAt: undefined });
    expect(await verifyPassword(run.out.trim(), anna.passwordHash!)).toBe("right");
    const [entry] = await state.access.auditLog({ limit: 1 });
    expect(entry).toMatchObject({ actor: "system", action: "user.change", target: "anna" });
    expect(JSON.stringify(entry)).not.toContain(run.out.trim());
  });

  it("prints JSON", async () => {
    await withAnna();
    const { out } = await call("reset", "bert", "--json");
    expect(JSON.parse(out)).toEqual({ user: "bert", temporaryPassword: expect.stringMatching(/^\w{4}-/) });
    // Whoever was in before does not stay.
    expect(await state.access.passkeys("b")).toEqual([]);
  });

  it.each([
    ["ana", "did you mean anna?"],
    ["zoroaster", "zonepost user list says who there is"],
  ])("knows no %s", async (name, advice) => {
    await withAnna();
    const { exitCode, out, err } = await call("reset", name);
    expect([exitCode, out]).toEqual([2, ""]);
    expect(err).toContain(advice);
  });

  it("doubts the place where there is nobody at all", async () => {
    expect((await call("reset", "anna")).err).toContain("is --state or --settings the one of the server?");
  });
});
