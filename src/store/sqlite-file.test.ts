import {
  linkSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { giveToOwnerOf } from "./sqlite-file.ts";

describe("what is given to the owner of a place", () => {
  let directory: string;
  beforeEach(() => {
    directory = mkdtempSync(join(tmpdir(), "zonepost-owner-"));
  });
  afterEach(() => rmSync(directory, { recursive: true, force: true }));

  it("is the file", () => {
    const file = join(directory, "zonepost.db.unfinished");
    writeFileSync(file, "");
    giveToOwnerOf(directory, file);
    const { uid, gid } = statSync(directory);
    expect(lstatSync(file)).toMatchObject({ uid, gid });
  });

  it.each<[put: (victim: string, file: string) => void, said: RegExp, reason: string]>([
    [(victim, file) => symlinkSync(victim, file), /ELOOP/, "a symbolic link in its place"],
    [(victim, file) => linkSync(victim, file), /no longer the file that was written/, "another name of it"],
    [(_, file) => mkdirSync(file), /no longer the file that was written/, "a directory"],
  ])("is never somebody else's (%#)", (put, said) => {
    const [victim, file] = ["victim", "zonepost.db.unfinished"].map((name) => join(directory, name)) as [
      string,
      string,
    ];
    writeFileSync(victim, "");
    put(victim, file);
    const { ctimeMs } = statSync(victim);
    expect(() => giveToOwnerOf(directory, file)).toThrow(said);
    // A chown changes it, whoever it gives the file to.
    expect(statSync(victim).ctimeMs).toBe(ctimeMs);
  });
});
