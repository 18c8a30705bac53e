/** The embedded store: what was said to be done is done, also after kill -9, and nothing is overwritten unseen. */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { chmodSync, mkdirSync, mkdtempSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { testKey } from "../../test/support/dkim-keys.ts";
import { PROJECT } from "../../test/support/source-reader.ts";
import { type DkimKey, inState } from "../keys/key.ts";
import type { SealedKey } from "../keys/sealing.ts";
import { domainName } from "../standards/dns/name.ts";
import { type OpenedStore, openSqliteStore } from "./sqlite.ts";

let directory: string;
let opened: OpenedStore[];
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), "zonepost-store-"));
  opened = [];
});
afterEach(() => {
  for (const store of opened) store.close();
  rmSync(directory, { recursive: true });
});

const path = () => join(directory, "state", "zonepost.db");
function open() {
  const store = openSqliteStore(path());
  opened.push(store);
  return store.keys;
}

const KEY = testKey("202611", "2026-11-21T12:00:00Z");
const NOW = new Date("2026-11-22T00:00:00Z");
const FULL: DkimKey = {
  ...inState(KEY, "signing", NOW),
  sighting: { everywhereSince: NOW, cachesClearAt: new Date(NOW.getTime() + 1), otherTtlSeconds: 300 },
  lastSignedAt: NOW,
  barred: "retired",
};

describe("the store of keys", () => {
  it.each([
    ["as it is made", KEY],
    ["with all that can be known of it", FULL],
  ])("gives back a key %s", (_, key) => {
    expect(open().put(key)).toBe("put");
    expect(open().get(key)).toEqual(key);
    expect(open().list()).toEqual([key]);
  });

  it("lists keys by domain, oldest first", () => {
    const keys = open();
    const older = testKey("old", "2025-01-01T00:00:00Z");
    const foreign = testKey("other", "2024-01-01T00:00:00Z", "example.net");
    for (const key of [KEY, older, foreign]) keys.put(key);
    expect(keys.list(domainName("example.org"))).toEqual([older, KEY]);
    expect(keys.list()).toEqual([foreign, older, KEY]);
    expect(keys.list(domainName("example.com"))).toEqual([]);
  });

  it("never puts a key in the place of another, not even of one that is removed from DNS", () => {
    const keys = open();
    keys.put(inState(KEY, "removed", NOW));
    const other = testKey("202611", "2026-11-23T00:00:00Z");
    expect(keys.put(other)).toBe("taken");
    expect(keys.get(KEY)).toEqual(inState(KEY, "removed", NOW));
    expect(() => keys.change([{ before: KEY, after: { ...KEY, publicKey: other.publicKey } }])).toThrow(
      /cannot become another/,
    );
  });

  it.each<[name: string, meanwhile: DkimKey]>([
    ["its state", inState(KEY, "published", NOW)],
    ["what was seen of it", { ...KEY, sighting: { everywhereSince: NOW } }],
    ["its seal", { ...KEY, sealed: "zonepost-sealed-1.x" as SealedKey }],
    ["when it signed", { ...KEY, lastSignedAt: NOW }],
    ["a person's word", { ...KEY, barred: "revoked" }],
  ])("changes nothing where somebody else has changed %s", (_, meanwhile) => {
    const [one, other] = [open(), open()];
    one.put(KEY);
    expect(one.change([{ before: KEY, after: meanwhile }])).toBe("changed");
    expect(other.change([{ before: KEY, after: inState(KEY, "signing", NOW) }])).toBe("stale");
    expect(other.remove(KEY)).toBe("stale");
    expect(other.get(KEY)).toEqual(meanwhile);
    expect(other.remove(meanwhile)).toBe("removed");
    expect(one.get(KEY)).toBeUndefined();
  });

  it("makes all changes of a call, or none", () => {
    const keys = open();
    const next = testKey("202612", "2026-12-01T00:00:00Z");
    for (const key of [KEY, next]) keys.put(key);
    const changes = [
      { before: KEY, after: inState(KEY, "retiring", NOW) },
      { before: inState(next, "proven", NOW), after: inState(next, "signing", NOW) },
    ];
    expect(keys.change(changes)).toBe("stale");
    expect(keys.list()).toEqual([KEY, next]);
    expect(keys.change([changes[0]!, { ...changes[1]!, before: next }])).toBe("changed");
    expect(keys.list().map(({ state }) => state)).toEqual(["retiring", "signing"]);
    expect(keys.change([])).toBe("changed");
  });

  it("lies in files that nobody else may read, whatever their rights were", () => {
    mkdirSync(join(directory, "state"), { mode: 0o700 });
    writeFileSync(path(), "");
    chmodSync(path(), 0o644);
    open().put(KEY);
    for (const ending of ["", "-wal", "-shm"]) expect(statSync(path() + ending).mode & 0o777).toBe(0o600);
    rmSync(join(directory, "state"), { recursive: true });
    open();
    expect(statSync(join(directory, "state")).mode & 0o777).toBe(0o700);
  });

  it("is not touched by a version that does not know its layout", () => {
    open().put(KEY);
    const database = new DatabaseSync(path());
    database.exec("PRAGMA user_version = 99");
    database.close();
    expect(open).toThrow(/written by a newer version/);
  });
});

/** Puts key after key, and rotates between each two; a line for whatever is done. */
const WRITER = `
import { openSqliteStore } from "${PROJECT}/src/store/sqlite.ts";
import { inState } from "${PROJECT}/src/keys/key.ts";
import { testKey } from "${PROJECT}/test/support/dkim-keys.ts";
const { keys } = openSqliteStore(process.argv[2]);
const at = new Date("2026-11-22T00:00:00Z");
let before = keys.list().findLast(({ state }) => state === "signing");
for (let count = keys.list().length; ; count++) {
  const made = testKey("s" + count, new Date(1.7e12 + count * 1000).toISOString());
  if (keys.put(made) !== "put") throw new Error("taken");
  process.stdout.write("put s" + count + "\\n");
  const signing = inState(made, "signing", at);
  const changes = [{ before: made, after: signing }];
  if (before) changes.push({ before, after: inState(before, "retiring", at) });
  if (keys.change(changes) !== "changed") throw new Error("stale");
  process.stdout.write("signing s" + count + "\\n");
  before = signing;
}
`;

describe("killed at any moment", () => {
  it("has lost nothing that was done, 30 times over", async () => {
    const script = join(directory, "writer.ts");
    writeFileSync(script, WRITER);
    let puts = 0;
    for (let round = 0; round < 30; round++) {
      const child = spawn(process.execPath, [script, path()], { stdio: ["ignore", "pipe", "inherit"] });
      let said = "";
      child.stdout.on("data", (chunk: Buffer) => {
        said += chunk.toString();
        // At another moment in each round.
        if (said.length > 20 + round * 17) child.kill("SIGKILL");
      });
      await once(child, "close");
      expect(child.signalCode, "a writer that failed by itself").toBe("SIGKILL");
      const keys = openSqliteStore(path());
      try {
        const lines = said.split("\n").slice(0, -1);
        for (const line of lines) {
          const [act, selector] = line.split(" ");
          const key = keys.keys.list().find(({ dkimSelector }) => dkimSelector === selector);
          expect(key, line).toBeDefined();
          if (act === "signing") expect(["signing", "retiring"]).toContain(key!.state);
        }
        puts += lines.filter((line) => line.startsWith("put")).length;
        const states = keys.keys.list().map(({ state }) => state);
        expect(states.length).toBeGreaterThanOrEqual(puts);
        // The switch is one: never two that sign, never none.
        expect(states.filter((state) => state === "signing")).toHaveLength(1);
      } finally {
        keys.close();
      }
    }
  }, 120_000);
});
