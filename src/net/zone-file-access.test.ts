/** The disk below a zone file's provider: all or nothing, whatever happens in between. */
import { spawnSync } from "node:child_process";
import {
  chmodSync,
  chownSync,
  lstatSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { createZoneFileAccess, type ZoneFileAccessOptions } from "./zone-file-access.ts";

let folder: string;
let path: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "zonepost-zone-file-"));
  path = join(folder, "example.org.zone");
  writeFileSync(path, "old\n");
});
afterEach(() => rmSync(folder, { recursive: true }));

const access = (options: Partial<ZoneFileAccessOptions> = {}) => createZoneFileAccess({ path, ...options });
const files = () => readdirSync(folder).sort();
const now = () => readFileSync(path, "utf8");

describe("reading", () => {
  it("gives the text octet by octet, BOM and line ends too", async () => {
    writeFileSync(path, "\ufeff; ä\r\n");
    expect(await access().read()).toEqual({ status: "read", text: "\ufeff; ä\r\n" });
  });

  it.each<[reason: string, prepare: () => void, expected: object]>([
    ["nothing there", () => rmSync(path), { status: "absent" }],
    [
      "a journal: the server writes it",
      () => writeFileSync(`${path}.jnl`, ""),
      { status: "dynamic", journal: expect.stringContaining(".jnl") },
    ],
    [
      "octets that are no UTF-8",
      () => writeFileSync(path, Uint8Array.of(0x61, 0xff)),
      { status: "failed", detail: expect.stringContaining("not UTF-8") },
    ],
    [
      "too long",
      () => writeFileSync(path, "x".repeat(101)),
      { status: "failed", detail: expect.stringContaining("100 octets") },
    ],
  ])("%s", async (_reason, prepare, expected) => {
    prepare();
    expect(await access({ maxOctets: 100 }).read()).toMatchObject(expected);
  });

  it("a folder is no file", async () => {
    expect(await access({ path: folder }).read()).toMatchObject({
      status: "failed",
      detail: "it is not a file",
    });
  });
});

describe("replacing", () => {
  it("puts the new text in place, with the mode and owner of the old, and leaves nothing else behind", async () => {
    chmodSync(path, 0o640);
    if (process.getuid?.() === 0) chownSync(path, 1, 2);
    const before = statSync(path);
    expect(await access().replace("old\n", "new\n")).toEqual({ status: "replaced" });
    const after = statSync(path);
    expect([now(), after.mode, after.uid, after.gid]).toEqual(["new\n", before.mode, before.uid, before.gid]);
    expect(files()).toEqual(["example.org.zone"]);
  });

  it("leaves a file alone that is another by now", async () => {
    expect(await access().replace("older\n", "new\n")).toEqual({ status: "changed" });
    expect([now(), files()]).toEqual(["old\n", ["example.org.zone"]]);
  });

  it("sees a change that comes while the check is running", async () => {
    const check = ["sh", "-c", `echo theirs > ${path}`] as const;
    expect(await access({ check }).replace("old\n", "new\n")).toEqual({ status: "changed" });
    expect([now(), files()]).toEqual(["theirs\n", ["example.org.zone"]]);
  });

  it("makes a file where there is none, and not over one that came meanwhile", async () => {
    rmSync(path);
    expect(await access().replace(undefined, "new\n")).toEqual({ status: "replaced" });
    expect(await access().replace(undefined, "newer\n")).toEqual({ status: "changed" });
    expect(now()).toBe("new\n");
  });

  it("keeps a symbolic link one", async () => {
    const link = join(folder, "link");
    symlinkSync(path, link);
    expect(await access({ path: link }).replace("old\n", "new\n")).toEqual({ status: "replaced" });
    expect(now()).toBe("new\n");
    expect(lstatSync(link).isSymbolicLink()).toBe(true);
  });

  it.each<[reason: string, check: [string, ...string[]], detail: string]>([
    ["the check's own words", ["sh", "-c", "echo bad: $1; exit 1", "sh", "{}"], "bad: the new text"],
    ["a check without words", ["false"], "false ended with 1"],
    ["no such program", ["zonepost-no-such-check"], "cannot be run"],
    ["a check that never ends", ["sleep", "60"], "sleep was ended by SIGKILL"],
  ])("what is checked and found wanting is not put in place: %s", async (_reason, check, detail) => {
    const outcome = await access({ check, checkTimeoutMilliseconds: 500 }).replace("old\n", "new\n");
    expect(outcome).toEqual({ status: "rejected", detail: expect.stringContaining(detail) });
    expect([now(), files()]).toEqual(["old\n", ["example.org.zone"]]);
  });

  it("the check reads the new text", async () => {
    const check = ["grep", "-q", "^new$", "{}"] as const;
    expect(await access({ check }).replace("old\n", "new\n")).toEqual({ status: "replaced" });
  });

  it("the name server is told to load what is in place by then", async () => {
    const reload = ["grep", "-q", "^new$", "{}"] as const;
    expect(await access({ reload }).replace("old\n", "new\n")).toEqual({ status: "replaced" });
  });

  it("what the name server does not load is in place all the same, and said", async () => {
    const reload = ["sh", "-c", "echo no such zone; exit 1"] as const;
    const outcome = await access({ reload }).replace("old\n", "new\n");
    expect(outcome).toEqual({ status: "not-loaded", detail: "no such zone" });
    expect(now()).toBe("new\n");
  });

  it("ended between writing and renaming, the old file is there, whole, and can be replaced later", async () => {
    // The check is that moment: it ends the process that waits for it.
    const script = `
      import { createZoneFileAccess } from ${JSON.stringify(join(import.meta.dirname, "zone-file-access.ts"))};
      const check = ["sh", "-c", "kill -9 $PPID"];
      await createZoneFileAccess({ path: ${JSON.stringify(path)}, check }).replace("old\\n", "new\\n");
    `;
    const child = spawnSync(process.execPath, ["--input-type=module", "-e", script]);
    expect(child.signal, String(child.stderr)).toBe("SIGKILL");
    expect(now()).toBe("old\n");
    expect(files()).toHaveLength(2);
    expect(await access().replace("old\n", "new\n")).toEqual({ status: "replaced" });
    expect(now()).toBe("new\n");
  });

  it("says where it may not write", async ({ skip }) => {
    if (process.getuid?.() === 0) return skip("root may write everywhere");
    chmodSync(folder, 0o555);
    expect(await access().replace("old\n", "new\n")).toMatchObject({ status: "failed", isForbidden: true });
    chmodSync(folder, 0o755);
  });
});
