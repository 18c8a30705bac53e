/** The README's transcript is the real thing: every line of it is a line of the tour. */
import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
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
