/** What examples/transcripts shows is what the commands print today; `vitest run -u` writes them anew. */
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { rerun, TRANSCRIPT_WORLDS } from "./support/transcript.ts";

const FOLDER = join(import.meta.dirname, "../examples/transcripts");
const names = readdirSync(FOLDER);
const texts = names.map((name) => readFileSync(join(FOLDER, name), "utf8"));

describe("the transcripts", () => {
  it.each(names.map((name, at) => [name, texts[at]!]))("%s", async (name, text) => {
    expect(text).toContain("```console\n$ zonepost ");
    await expect(await rerun(text)).toMatchFileSnapshot(join(FOLDER, name));
  });

  it("use every world that there is for them", () => {
    const used = texts.flatMap((text) =>
      [...text.matchAll(/<!-- world: (.*?) -->/g)].map(([, name]) => name),
    );
    expect([...new Set(used)].sort()).toEqual(Object.keys(TRANSCRIPT_WORLDS).sort());
  });
});
