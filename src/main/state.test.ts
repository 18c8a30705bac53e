import { randomBytes } from "node:crypto";
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  rmSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { text } from "node:stream/consumers";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { totpBinding } from "../access/login.ts";
import { createSecretBox } from "../access/secret-box.ts";
import { readMasterKey } from "../keys/sealing.ts";
import { providerBinding } from "../publish/provider-store.ts";
import { type OpenedStore, openStore } from "../store/open.ts";
import { openState, readServerSealKey, removeUnfinishedBackups, saveState } from "./state.ts";

let directory: string;
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), "zonepost-state-"));
});
afterEach(() => rmSync(directory, { recursive: true, force: true }));

describe("a backup that nobody finished", () => {
  const NOW = new Date("2026-11-22T12:00:00Z");
  const minutesAgo = (minutes: number) => new Date(NOW.getTime() - minutes * 60_000);

  it.each<[names: string[], minutes: number, isGone: boolean, reason: string]>([
    [[".zonepost-saving-aB3xY9/zonepost.db.unfinished"], 61, true, "nobody is at it any more"],
    [[".zonepost-saving-aB3xY9/"], 61, true, "it had not begun to write"],
    [[".zonepost-saving-aB3xY9/zonepost.db-wal"], 59, false, "another process may be at it"],
    [["backup-202606/zonepost.db"], 9_999, false, "somebody's own"],
    [["backup-weekly/zonepost.db"], 9_999, false, "somebody's own"],
    [[".zonepost-saving-aB3xY9/zonepost.db", ".zonepost-saving-aB3xY9/notes"], 61, false, "with more in it"],
    [[".zonepost-saving-aB3xY9/zonepost.db/deep"], 61, false, "that is no file"],
    [[".zonepost-saving-aB3xY9"], 61, false, "a file"],
    [[".zonepost-saving-for-june/zonepost.db"], 61, false, "another name"],
  ])("%j, %i minutes old: gone is %s (%s)", (names, minutes, isGone) => {
    for (const name of names) {
      const path = join(directory, name);
      mkdirSync(name.endsWith("/") ? path : dirname(path), { recursive: true });
      if (!name.endsWith("/")) writeFileSync(path, "");
    }
    const folder = join(directory, names[0]!.split("/")[0]!);
    const inside = names.flatMap((name) => (name.endsWith("/") ? [] : [join(directory, name)]));
    for (const path of [...inside, folder]) utimesSync(path, minutesAgo(minutes), minutesAgo(minutes));
    removeUnfinishedBackups(directory, NOW);
    expect(readdirSync(directory).length).toBe(isGone ? 0 : 1);
  });

  it("stays where one file of it is young", () => {
    const folder = join(directory, ".zonepost-saving-aB3xY9");
    mkdirSync(folder);
    writeFileSync(join(folder, "zonepost.db.unfinished"), "");
    utimesSync(join(folder, "zonepost.db.unfinished"), minutesAgo(1), minutesAgo(1));
    utimesSync(folder, minutesAgo(61), minutesAgo(61));
    removeUnfinishedBackups(directory, NOW);
    expect(readdirSync(directory).length).toBe(1);
  });

  it("is none where the name leads elsewhere", () => {
    const other = join(directory, "elsewhere");
    mkdirSync(other);
    symlinkSync(other, join(directory, ".zonepost-saving-aB3xY9"));
    removeUnfinishedBackups(directory, new Date(Date.now() + 1e9));
    expect(readdirSync(directory).length).toBe(2);
  });
});

describe("the server's seal key", () => {
  const KEYS = ["0123456789abcdef".repeat(4), "fedcba9876543210".repeat(4)] as const;
  const at = new Date("2026-11-22T12:00:00Z");
  const box = (text: string) => {
    const master = readMasterKey(Buffer.from(text));
    if (!master.ok) throw new Error(master.problem);
    return createSecretBox(master.value.key, (count) => randomBytes(count));
  };
  const addUser = (state: OpenedStore, key: string) =>
    state.access.addUser({
      id: "u1",
      name: "ann",
      role: "owner",
      passwordHash: undefined,
      sealedTotpSecret: box(key).seal(Buffer.from("code"), totpBinding("u1")),
      totpStep: undefined,
      oidcSubject: undefined,
      createdAt: at,
      disabledAt: undefined,
      revision: 1,
      recoveries: 0,
    });
  const addProvider = (state: OpenedStore, key: string) =>
    state.providers.add({
      id: "p1",
      settings: {},
      sealed: box(key).seal(Buffer.from("token"), providerBinding("p1")),
      enteredAt: at,
      enteredBy: "ann",
      revision: 1,
      removedAt: undefined,
    });
  const nothing = async () => undefined;

  it.each<
    [
      sealed: string,
      add: (state: OpenedStore, key: string) => Promise<unknown>,
      file: string | undefined,
      said: RegExp | undefined,
    ]
  >([
    ["nothing", nothing, undefined, undefined],
    ["nothing", nothing, KEYS[1], undefined],
    ["a user's code", addUser, KEYS[0], undefined],
    ["a user's code", addUser, KEYS[1], /of the user ann does not open with the seal key/],
    ["a user's code", addUser, undefined, /the seal key is not there/],
    ["a provider", addProvider, KEYS[0], undefined],
    ["a provider", addProvider, KEYS[1], /of the provider p1 does not open/],
    ["a provider", addProvider, undefined, /the seal key is not there/],
  ])("where %s is sealed, and nobody noted under which, is proven by it (%#)", async (_, add, file, said) => {
    const state = await openStore({ kind: "memory" });
    const path = join(directory, "seal.key");
    await add(state, KEYS[0]);
    if (file !== undefined) writeFileSync(path, file);
    const read = readServerSealKey({}, directory, state);
    if (said === undefined) expect((await read).id).toBe(await state.seal.known());
    else {
      await expect(read).rejects.toThrow(said);
      expect(await state.seal.known()).toBeUndefined();
      expect(existsSync(path)).toBe(file !== undefined);
    }
    await state.close();
  });
});

it("a backup that is under way is left alone by another start, and leaves nothing", async () => {
  const state = await openState(directory, undefined);
  const names: string[] = [];
  const seen = {
    ...state,
    async backup(path: string) {
      await state.backup(path);
      removeUnfinishedBackups(directory, new Date());
      names.push(...readdirSync(directory).filter((name) => !name.startsWith("zonepost.db")));
    },
  };
  const { octets, content } = await saveState(seen, directory);
  expect((await text(content)).length).toBeGreaterThan(0);
  expect(octets).toBeGreaterThan(4_096);
  expect(names).toEqual([expect.stringMatching(/^\.zonepost-saving-\w{6}$/)]);
  expect(readdirSync(directory).filter((name) => !name.startsWith("zonepost.db"))).toEqual([]);
  await state.close();
});
