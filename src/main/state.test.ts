import { mkdirSync, mkdtempSync, readdirSync, rmSync, symlinkSync, utimesSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { text } from "node:stream/consumers";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { openState, removeUnfinishedBackups, saveState } from "./state.ts";

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
