import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, it } from "vitest";
import { zonepost } from "../../../test/support/cli.ts";
import { testKey } from "../../../test/support/dkim-keys.ts";
import { openStore } from "../../store/open.ts";
import { restoreSqlite } from "../../store/sqlite-file.ts";

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "zonepost-backup-"));
});
afterEach(() => rmSync(folder, { recursive: true }));

const file = (directory: string) => join(directory, "zonepost.db");
const openState = (directory: string) => openStore({ kind: "sqlite", path: file(directory) });
const tools = {
  openState,
  restoreState: (from: string, directory: string) => restoreSqlite(from, file(directory)),
};
const call = (...words: string[]) => zonepost([...words, "--state", join(folder, "state")], { tools });

it("saves the state and brings it back", async () => {
  const key = testKey("s1", "2026-11-21T12:00:00Z");
  const state = await openState(join(folder, "state"));
  await state.keys.put(key);
  const copy = join(folder, "copy.db");
  const saved = await call("backup", copy);
  expect([saved.exitCode, saved.out]).toEqual([0, `${copy}\n`]);
  expect(saved.err).toContain("The seal key is not in it");
  await state.keys.remove(key);

  const early = await call("restore", copy);
  expect([early.exitCode, early.out]).toEqual([2, ""]);
  expect(early.err).toContain("open in another program");
  await state.close();
  const run = await call("restore", copy, "--json");
  expect(run.err).toBe("");
  expect([run.exitCode, JSON.parse(run.out)]).toEqual([
    0,
    { restored: copy, state: join(folder, "state"), before: `${file(join(folder, "state"))}.before-restore` },
  ]);
  const after = await openState(join(folder, "state"));
  expect(await after.keys.list()).toEqual([key]);
  await after.close();

  const again = await call("backup", copy);
  expect([again.exitCode, again.err]).toEqual([2, expect.stringContaining("is there already")]);
  const none = await call("restore", join(folder, "none.db"));
  expect([none.exitCode, none.err]).toEqual([
    2,
    expect.stringContaining("is not there; nothing was changed"),
  ]);
});

it.each([
  ["zonepost-server.yaml", []],
  ["etc/server.yaml", ["--settings", "etc/server.yaml"]],
])("saves the database that %s names", async (name, words) => {
  const opened: unknown[] = [];
  const run = await zonepost(["backup", join(folder, "copy.db"), "--state", folder, ...words], {
    files: { [name]: "database: { env: ZONEPOST_URL }\n" },
    tools: {
      async openState(_, database) {
        opened.push(database);
        return openState(join(folder, "state"));
      },
    },
  });
  expect([run.exitCode, opened]).toEqual([0, [{ env: "ZONEPOST_URL" }]]);
});
