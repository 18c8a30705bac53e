/** The README shows the real thing: its transcript line by line, its pictures by files that are there. */
import { execFileSync } from "node:child_process";
import { readdirSync, readFileSync, statSync } from "node:fs";
import { expect, it } from "vitest";

it("quotes the tour as it runs", () => {
  const readme = readFileSync("README.md", "utf8");
  const transcript = /```console\n([\s\S]*?)```/.exec(readme)?.[1] ?? "";
  const quoted = transcript
    .split("\n")
    .filter((line) => line !== "" && line !== "…" && !line.startsWith("$ "));
  expect(quoted.length, "lines quoted").toBeGreaterThan(10);
  const output = execFileSync(process.execPath, ["src/main.ts", "tour"], {
    encoding: "utf8",
    env: { ...process.env, NO_COLOR: "1" },
  });
  const lines = new Set(output.split("\n"));
  expect(quoted.filter((line) => !lines.has(line))).toEqual([]);
});

const MAX_PICTURE_OCTETS = 150_000;

it("shows pictures that are there, near its top, in words too", () => {
  const readme = readFileSync("README.md", "utf8");
  const pictures = [...readme.matchAll(/!\[([^\]]*)\]\(([^)]+)\)/g)];
  expect(pictures.length).toBeGreaterThanOrEqual(2);
  expect(readme.slice(0, pictures[0]!.index).split("\n").length, "lines before the first").toBeLessThan(20);
  for (const [, words = "", path = ""] of pictures) {
    expect(words.length, `words for ${path}`).toBeGreaterThan(40);
    expect(statSync(path).size, path).toBeGreaterThan(10_000);
  }
});

it.each(readdirSync("docs/pictures"))("docs/pictures/%s is a picture of modest size", (name) => {
  expect(name).toMatch(/^[a-z-]+\.png$/);
  expect(statSync(`docs/pictures/${name}`).size).toBeLessThan(MAX_PICTURE_OCTETS);
});
