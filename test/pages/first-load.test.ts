/** What a browser has to fetch before anything is seen, from what the build says of itself. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { describe, expect, it } from "vitest";
import { PROJECT } from "../support/source-reader.ts";

const OUT = join(PROJECT, "dist/web");
const MAX_SCRIPT_KILOBYTES = 160;

interface Chunk {
  readonly file: string;
  readonly imports?: readonly string[];
  readonly dynamicImports?: readonly string[];
}

const manifest = JSON.parse(readFileSync(join(OUT, "manifest.json"), "utf8")) as Record<string, Chunk>;
const page = readFileSync(join(OUT, "index.html"), "utf8");

/** A chunk and all that it imports before it runs. */
function withImports(name: string, seen = new Set<string>()): Set<string> {
  if (seen.has(name)) return seen;
  seen.add(name);
  for (const each of manifest[name]?.imports ?? []) withImports(each, seen);
  return seen;
}

const kilobytes = (names: Iterable<string>): number =>
  [...names].reduce(
    (sum, name) => sum + gzipSync(readFileSync(join(OUT, manifest[name]!.file))).length / 1000,
    0,
  );

describe("the first load", () => {
  const pages = Object.keys(manifest).filter((name) => name.startsWith("pages/"));

  it.each(pages)("of %s is at most 160 kB of script", (name) => {
    const needed = new Set(["index.html", name, "texts/de.ts"].flatMap((each) => [...withImports(each)]));
    const size = kilobytes(needed);
    expect(size).toBeGreaterThan(50);
    expect(size).toBeLessThanOrEqual(MAX_SCRIPT_KILOBYTES);
  });

  it("is of each page its own", () => {
    expect(pages.length).toBeGreaterThan(2);
    for (const name of pages) expect([...withImports("index.html")]).not.toContain(name);
  });

  it("has nothing inline, and nothing from elsewhere", () => {
    expect(page.match(/<script(?![^>]*\ssrc="\/assets\/)|<style|\sstyle=|\son\w+=|https?:/g)).toBeNull();
  });
});
