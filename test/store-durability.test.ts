/** What was said to be done is done: also after kill -9, a full disk, a server that dies, a copy made under load. */
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import {
  chmodSync,
  chownSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  rmSync,
  statSync,
  truncateSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { setTimeout as sleep } from "node:timers/promises";
import { sql } from "kysely";
import pg from "pg";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { domainName } from "../src/standards/dns/name.ts";
import { LATEST_LAYOUT } from "../src/store/migrations/all.ts";
import { type OpenedStore, openStore, type StoreSettings } from "../src/store/open.ts";
import { openPostgres } from "../src/store/postgres.ts";
import { restoreSqlite } from "../src/store/sqlite-file.ts";
import { startCutLine } from "./support/cut-line.ts";
import { testKey } from "./support/dkim-keys.ts";
import { type RunningPostgres, run, startPostgres } from "./support/postgres.ts";
import { describeWithServers, isRoot } from "./support/real-server.ts";
import { PROJECT } from "./support/source-reader.ts";

let directory: string;
let opened: OpenedStore[];
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), "zonepost-store-"));
  opened = [];
});
afterEach(async () => {
  for (const store of opened) await store.close().catch(() => undefined);
  rmSync(directory, { recursive: true, force: true });
});

const path = () => join(directory, "state", "zonepost.db");
const sqlite = (file = path()): StoreSettings => ({ kind: "sqlite", path: file });
async function open(settings = sqlite()): Promise<OpenedStore> {
  const store = await openStore(settings);
  opened.push(store);
  return store;
}
const KEY = testKey("202611", "2026-11-21T12:00:00Z");

const SCRIPT = join(PROJECT, "test/support/store-writer.ts");

interface Writer {
  readonly child: ChildProcess;
  readonly domain: string;
  /** The lines that are whole. */
  readonly said: () => string[];
}

function startWriter(
  settings: StoreSettings,
  domain: string,
  wrap: readonly string[] = [],
  patient = false,
): Writer {
  const words = [
    ...wrap,
    process.execPath,
    SCRIPT,
    JSON.stringify(settings),
    domain,
    ...(patient ? ["patient"] : []),
  ];
  const child = spawn(words[0]!, words.slice(1), {
    stdio: ["ignore", "pipe", "ignore"],
    env: { ...process.env, NODE_COMPILE_CACHE: join(tmpdir(), "zonepost-compile-cache") },
  });
  let text = "";
  child.stdout!.on("data", (chunk: Buffer) => {
    text += chunk.toString();
  });
  return { child, domain, said: () => text.split("\n").slice(0, -1) };
}

/** All that writers were told is there, and no step is half done. */
async function expectKept(
  store: OpenedStore,
  writers: readonly Pick<Writer, "domain" | "said">[],
): Promise<number> {
  let lines = 0;
  for (const { domain, said } of writers) {
    const keys = await store.keys.list(domainName(domain));
    const states = new Map(keys.map(({ dkimSelector, state }) => [dkimSelector as string, state]));
    for (const line of said()) {
      const [act, selector = ""] = line.split(" ");
      if (act !== "put" && act !== "signing") continue;
      expect(states.has(selector), `${domain}: ${line}`).toBe(true);
      if (act === "signing") expect(["signing", "retiring"]).toContain(states.get(selector));
      lines += 1;
    }
    // The switch is one: never two that sign.
    const signing = keys.filter(({ state }) => state === "signing");
    expect(signing.length).toBeLessThanOrEqual(1);
    if (keys.some(({ state }) => state === "retiring")) expect(signing).toHaveLength(1);
  }
  return lines;
}

const WRITERS = 3;
const ROUNDS = 17;

/** 51 writers, each killed at another moment while it writes. */
async function killWriters(settings: StoreSettings): Promise<void> {
  const store = await open(settings);
  let lines = 0;
  for (let round = 0; round < ROUNDS; round++) {
    const writers = Array.from({ length: WRITERS }, (_, index) => startWriter(settings, `d${index}.example`));
    await Promise.all(
      writers.map(async ({ child, said }, index) => {
        const closed = once(child, "close");
        while (said().length < 1 + round && child.exitCode === null) await sleep(2 + index);
        child.kill("SIGKILL");
        await closed;
        expect(child.signalCode, "a writer that failed by itself").toBe("SIGKILL");
      }),
    );
    lines += await expectKept(store, writers);
  }
  expect(lines).toBeGreaterThan((WRITERS * ROUNDS * ROUNDS) / 2);
}

describe("SQLite", () => {
  it("has lost nothing to 51 kills", async () => {
    await killWriters(sqlite());
  }, 400_000);

  it("lies in files that nobody else may read, whatever their rights were", async () => {
    mkdirSync(join(directory, "state"), { mode: 0o700 });
    writeFileSync(path(), "");
    chmodSync(path(), 0o644);
    await (await open()).keys.put(KEY);
    for (const ending of ["", "-wal", "-shm"]) expect(statSync(path() + ending).mode & 0o777).toBe(0o600);
    await open(sqlite(join(directory, "new", "zonepost.db")));
    expect(statSync(join(directory, "new")).mode & 0o777).toBe(0o700);
  });

  it("waits for another that writes, and says so where that takes too long", async () => {
    const store = await open();
    const rival = new DatabaseSync(path());
    rival.exec("BEGIN IMMEDIATE");
    let ticks = 0;
    const ticking = setInterval(() => {
      ticks += 1;
    }, 10);
    const put = store.keys.put(KEY);
    // Meanwhile nothing else stands still.
    while (ticks < 10) await sleep(20);
    rival.exec("COMMIT");
    expect(await put).toBe("put");
    clearInterval(ticking);
    rival.exec("BEGIN IMMEDIATE");
    await expect(store.keys.remove(KEY)).rejects.toMatchObject({
      kind: "busy",
      message: expect.stringContaining("another program keeps it locked"),
    });
    expect(await store.keys.get(KEY)).toEqual(KEY);
    rival.close();
  });

  it.each([1, 2])("takes over a file of layout %i with all that it holds", async (layout) => {
    const store = await open();
    await store.keys.put(KEY);
    await store.close();
    const file = new DatabaseSync(path());
    const tables = file.prepare("SELECT name FROM sqlite_schema WHERE type = 'table'").all();
    const old = ["dkim_key", "owned_value", "publish_apply", ...(layout === 2 ? ["tlsa_sighting"] : [])];
    file.exec("PRAGMA foreign_keys = OFF");
    for (const { name } of tables)
      if (!old.includes(String(name)) && !String(name).startsWith("sqlite_")) file.exec(`DROP TABLE ${name}`);
    for (const column of ["holder", "held_until", "waits_until"])
      file.exec(`ALTER TABLE publish_apply DROP COLUMN ${column}`);
    const owned = [{ name: "example.org", type: "MX", value: "10 mx.example.org" }];
    file.prepare("INSERT INTO owned_value VALUES (?, ?)").run("example.org", JSON.stringify(owned));
    file.exec(`PRAGMA user_version = ${layout}`);
    file.close();
    const after = await open();
    expect(await after.keys.list()).toEqual([KEY]);
    expect(await after.publish.ownedIn(domainName("example.org"))).toEqual(owned);
    await after.watch.schedule(domainName("example.org"), undefined, new Date(0));
    await after.access.audit({
      id: "1",
      at: new Date(0),
      actor: "",
      address: undefined,
      action: "",
      target: "",
      details: {},
    });
  });

  it("is not touched by a version that does not know its layout, and not where it is something else", async () => {
    await (await open()).close();
    const file = new DatabaseSync(path());
    file.exec("PRAGMA user_version = 99");
    file.close();
    await expect(open()).rejects.toMatchObject({
      kind: "newer",
      message: expect.stringContaining("layout 99"),
    });
    const other = join(directory, "other.db");
    writeFileSync(other, "not a database at all".repeat(100));
    await expect(open(sqlite(other))).rejects.toMatchObject({ kind: "damaged" });
  });

  it("is copied under load as of one moment, and brought back", async () => {
    const store = await open();
    const writers = [0, 1].map((index) => startWriter(sqlite(), `d${index}.example`));
    const enough = async (count: number) => {
      while (writers.some(({ said }) => said().length < count)) await sleep(2);
    };
    await enough(50);
    const copy = join(directory, "copies", "one.db");
    const before = writers.map(({ said, domain }) => {
      const lines = said();
      return { domain, said: () => lines };
    });
    await store.backup(copy);
    await enough(writers[0]!.said().length + 20);
    for (const { child } of writers) {
      const closed = once(child, "close");
      child.kill("SIGKILL");
      await closed;
    }
    expect(statSync(copy).mode & 0o777).toBe(0o600);
    expect(readdirSync(join(directory, "copies"))).toEqual(["one.db"]);
    await expect(store.backup(copy)).rejects.toThrow(/is there already/);
    const now = (await store.keys.list()).length;
    await expect(restoreSqlite(copy, path())).rejects.toMatchObject({
      kind: "busy",
      message: expect.stringContaining("open in another program"),
    });
    expect(await store.keys.list()).toHaveLength(now);
    await store.close();
    expect(await restoreSqlite(copy, path())).toEqual({ before: `${path()}.before-restore` });
    const restored = await open();
    await expectKept(restored, before);
    expect((await restored.keys.list()).length).toBeLessThan(now);
    const kept = await open(sqlite(`${path()}.before-restore`));
    expect(await kept.keys.list()).toHaveLength(now);
    // Into a place where there is nothing yet.
    const fresh = join(directory, "fresh", "zonepost.db");
    expect(await restoreSqlite(copy, fresh)).toEqual({ before: undefined });
    await expectKept(await open(sqlite(fresh)), before);
  });

  it.runIf(isRoot)("gives what an administrator brings back to whom it was before", async () => {
    const store = await open();
    const copy = join(directory, "copy.db");
    await store.backup(copy);
    await store.close();
    const [uid, gid] = [65_534, 65_534];
    chownSync(path(), uid, gid);
    await restoreSqlite(copy, path());
    expect(statSync(path())).toMatchObject({ uid, gid });
    const fresh = join(directory, "fresh");
    mkdirSync(fresh);
    chownSync(fresh, uid, gid);
    await restoreSqlite(copy, join(fresh, "zonepost.db"));
    expect(statSync(join(fresh, "zonepost.db"))).toMatchObject({ uid, gid });
  });

  it("refuses to bring back what is not whole, and leaves what is there", async () => {
    const store = await open();
    for (let count = 0; count < 50; count++)
      await store.keys.put(testKey(`s${count}`, "2026-11-21T12:00:00Z"));
    const copy = join(directory, "copy.db");
    await store.backup(copy);
    await store.close();
    const { size } = statSync(copy);
    truncateSync(copy, size - 4096 * 3);
    await expect(restoreSqlite(copy, path())).rejects.toMatchObject({ kind: "damaged" });
    await expect(restoreSqlite(join(directory, "none.db"), path())).rejects.toThrow(/is not there/);
    const foreign = join(directory, "foreign.db");
    const database = new DatabaseSync(foreign);
    database.exec("CREATE TABLE x (y)");
    database.close();
    await expect(restoreSqlite(foreign, path())).rejects.toThrow(/no store of zonepost/);
    expect(readdirSync(join(directory, "state"))).toEqual(["zonepost.db"]);
    expect(await (await open()).keys.list()).toHaveLength(50);
  });
});

describeWithServers(
  ["unshare", "mount"],
  "SQLite on a full disk",
  () => {
    it("refuses writes in plain words, goes on reading, and is whole", async () => {
      const disk = join(directory, "disk");
      mkdirSync(disk);
      const copy = join(directory, "copy.db");
      const settings = JSON.stringify(sqlite(join(disk, "zonepost.db")));
      // The disk is there for this process alone, and goes with it; what it held is brought out.
      const script = `mount -t tmpfs -o size=1m tmpfs "$1" && "$2" "$3" "$4" example.org patient && cp "$1/zonepost.db" "$5" && (cp "$1/zonepost.db-wal" "$5-wal" 2>/dev/null || true)`;
      const words = [disk, process.execPath, SCRIPT, settings, copy];
      const child = spawn("unshare", ["-m", "sh", "-c", script, "sh", ...words], {
        stdio: ["ignore", "pipe", "pipe"],
      });
      let said = "";
      child.stdout.on("data", (chunk) => {
        said += chunk;
      });
      await once(child, "close");
      const lines = said.split("\n").slice(0, -1);
      expect(lines.at(-2)).toMatch(/^refused full .*zonepost\.db: the disk is full; nothing was changed/);
      const [, read] = /^read (\d+)$/.exec(lines.at(-1)!) ?? [];
      expect(Number(read)).toBeGreaterThan(10);
      expect(existsSync(copy)).toBe(true);
      const store = await open(sqlite(copy));
      await expectKept(store, [{ domain: "example.org", said: () => lines }]);
      const file = new DatabaseSync(copy);
      expect(file.prepare("PRAGMA integrity_check").get()).toEqual({ integrity_check: "ok" });
      file.close();
    });
  },
  { asRoot: true },
);

describeWithServers(["initdb", "postgres"], "PostgreSQL", () => {
  let server: RunningPostgres;
  beforeAll(async () => {
    server = await startPostgres();
  });
  afterAll(() => server?.stop());
  const postgres = async (name: string): Promise<StoreSettings & { kind: "postgres" }> => ({
    kind: "postgres",
    url: await server.createDatabase(name),
  });

  it("has lost nothing to 51 kills", async () => {
    await killWriters(await postgres("kills"));
  }, 400_000);

  it("has lost nothing where the server itself is killed, and is asked again by itself", async () => {
    const settings = await postgres("crashes");
    const store = await open(settings);
    const writers: Writer[] = [];
    for (let round = 0; round < 3; round++) {
      const now = [0, 1].map((index) => startWriter(settings, `d${round}${index}.example`, [], true));
      while (now.some(({ said }) => said().length < 10 + 7 * round)) await sleep(2);
      await server.kill();
      await expect(store.ping()).rejects.toMatchObject({
        kind: "gone",
        message: expect.stringContaining("127.0.0.1"),
      });
      const exits = now.map(({ child }) => once(child, "close").then(([code]) => code));
      await server.start();
      expect(await Promise.all(exits)).toEqual([0, 0]);
      for (const { said } of now) {
        expect(said().at(-2)).toMatch(/^refused gone .*127\.0\.0\.1/);
        expect(said().at(-1)).toMatch(/^read \d+$/);
      }
      writers.push(...now);
      expect(await expectKept(store, writers)).toBeGreaterThan(0);
    }
  }, 120_000);

  it("asks on another line where one was cut without a word", async () => {
    const { url } = await postgres("cuts");
    // Making the tables takes as long as the disk does: that is not what is meant here.
    await (await openPostgres(url)).query.destroy();
    const line = await startCutLine(Number(new URL(url).port));
    const { query } = await openPostgres(url.replace(/:\d+\//, `:${line.port}/`), {
      statement: 10_000,
      lock: 10_000,
      silence: 3_000,
    });
    const ask = () => sql`SELECT 1`.execute(query);
    try {
      await ask();
      line.cut();
      await expect(ask()).rejects.toThrow("timeout");
      await ask();
      await query
        .transaction()
        .execute(async (tx) => {
          line.cut();
          await expect(sql`SELECT 1`.execute(tx)).rejects.toThrow("timeout");
        })
        .catch(() => undefined);
      await ask();
    } finally {
      await query.destroy();
      await line.close();
    }
  });

  it("makes its tables once, however many nodes start at the same time", async () => {
    const settings = await postgres("starts");
    const stores = await Promise.all(Array.from({ length: 6 }, () => open(settings)));
    await Promise.all(stores.map((store) => store.ping()));
    expect(await run(settings.url, "SELECT layout FROM zonepost_layout")).toEqual([
      { layout: String(LATEST_LAYOUT) },
    ]);
    await run(settings.url, "UPDATE zonepost_layout SET layout = 99");
    await expect(open(settings)).rejects.toMatchObject({
      kind: "newer",
      message: expect.stringContaining("layout 99"),
    });
  });

  it.each<[what: string, url: (right: string) => string, kind: string, words: RegExp]>([
    [
      "a wrong password",
      (right) => right.replace("postgres@", "asked:hunter2@"),
      "refused",
      /refuses the user or the password/,
    ],
    ["no such database", (right) => right.replace(/\w+$/, "nowhere"), "refused", /no such database/],
    ["nobody there", () => "postgres://u:hunter2@127.0.0.1:1/x", "gone", /does not answer/],
    ["no address", () => "postgres//u:hunter2@x", "refused", /cannot be read/],
    ["another database's address", () => "mysql://u:hunter2@x/y", "refused", /cannot be read/],
  ])("says %s in plain words, and no password", async (_, url, kind, words) => {
    const { url: right } = await postgres("words").catch(() => ({ url: server.url("words") }));
    const error = await openStore({ kind: "postgres", url: url(right) }).catch((caught: unknown) => caught);
    expect(error).toMatchObject({ kind, message: expect.stringMatching(words) });
    expect(String((error as Error).stack)).not.toContain("hunter2");
    expect(JSON.stringify(error)).not.toContain("hunter2");
  });

  it("waits for its indexes as long as it takes, and makes them once", async () => {
    const { url } = await postgres("indexes");
    await (await openPostgres(url)).query.destroy();
    await run(url, "DROP INDEX described_domain_part, domain_state_part");
    const writer = new pg.Client({ connectionString: url });
    await writer.connect();
    await writer.query("BEGIN");
    await writer.query("LOCK TABLE described_domain IN ROW EXCLUSIVE MODE");
    const opening = openPostgres(url, { statement: 20_000, lock: 100, silence: 20_000 });
    const waiting = () => run(url, "SELECT 1 FROM pg_locks WHERE locktype = 'relation' AND NOT granted");
    await expect.poll(waiting).toHaveLength(1);
    // Longer than anybody else waits for a lock.
    await sleep(300);
    await writer.query("COMMIT");
    await writer.end();
    await (await opening).query.destroy();
    const indexes =
      "SELECT oid FROM pg_class WHERE relname LIKE '%_domain_part' OR relname = 'domain_state_part'";
    const made = await run(url, indexes);
    expect(made).toHaveLength(2);
    await (await openPostgres(url)).query.destroy();
    expect(await run(url, indexes)).toEqual(made);
  });

  it("says that it is saved by other means", async () => {
    const store = await open({ kind: "postgres", url: server.url("words") });
    await expect(store.backup(join(directory, "x"))).rejects.toThrow(/pg_dump/);
  });
});
