/** The program as it is shipped: built, taken elsewhere, with nothing beside it but what it names as standing outside. */
import { execFileSync } from "node:child_process";
import {
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { buildProgram } from "./support/built-program.ts";
import { startPostgres } from "./support/postgres.ts";
import { describeWithServers } from "./support/real-server.ts";
import { serve } from "./support/served.ts";

const PROJECT = join(import.meta.dirname, "..");
/** As in vite.program.config.ts. */
const OUTSIDE = ["graphile-worker", "pg"];
/** Of files that a start opens, in the folder; each costs a start a third of a millisecond. */
const MOST_FILES = 150;

let directory: string;
let program: string;
beforeAll(() => {
  directory = mkdtempSync(join(tmpdir(), "zonepost-program-"));
  buildProgram(join(directory, "dist/program"));
  program = join(directory, "dist/program/main.js");
  mkdirSync(join(directory, "node_modules"));
  for (const name of OUTSIDE)
    symlinkSync(join(PROJECT, "node_modules", name), join(directory, "node_modules", name));
  mkdirSync(join(directory, "dist/web"));
  writeFileSync(join(directory, "dist/web/index.html"), "<!doctype html><title>the pages</title>");
  writeFileSync(join(directory, "package.json"), '{ "type": "module" }');
}, 120_000);
afterAll(() => rmSync(directory, { recursive: true }));

const run = (...words: readonly string[]): string =>
  execFileSync(process.execPath, [program, ...words], { cwd: directory, encoding: "utf8" });

describe("the program as it is shipped", () => {
  it("knows its version and its commands", () => {
    const { version } = JSON.parse(readFileSync(join(PROJECT, "package.json"), "utf8")) as {
      version: string;
    };
    expect(run("--version").trim()).toContain(version);
    expect(readFileSync(program, "utf8")).toMatch(/^#!\/usr\/bin\/env node\n/);
    for (const command of ["records", "check", "publish", "keys", "milter", "serve", "tlsa"])
      expect(run(command, "--help")).toContain(`zonepost ${command}`);
  });

  it("derives the records that the sources derive", () => {
    const words = ["records", "--config", join(PROJECT, "examples/one-server.yaml")];
    const fromSources = execFileSync(process.execPath, ["src/main.ts", ...words], {
      cwd: PROJECT,
      encoding: "utf8",
    });
    expect(fromSources).toContain("v=spf1");
    expect(run(...words)).toBe(fromSources);
  });

  it("serves the API and the pages beside it on SQLite", async () => {
    const server = await serve(["--state", join(directory, "state")], {}, { program });
    try {
      expect(await (await fetch(server.url)).text()).toContain("the pages");
      const { openapi } = (await (await fetch(`${server.url}/api/openapi.json`)).json()) as {
        openapi: string;
      };
      expect(openapi).toBe("3.1.0");
    } finally {
      expect(await server.stop()).toBe(0);
    }
  });

  it("is few files, and says whose work is in them", () => {
    const files = readdirSync(join(directory, "dist/program"), { recursive: true, encoding: "utf8" });
    const programs = files.filter((name) => name.endsWith(".js"));
    expect(programs).toContain("main.js");
    expect(programs.length).toBeLessThan(MOST_FILES);
    const licences = readFileSync(join(directory, "dist/program/licenses-of-libraries.md"), "utf8");
    for (const library of ["fastify", "kysely", "zod", "yaml"])
      expect(licences).toContain(`## ${library} - `);
  });
});

describeWithServers(["initdb", "postgres"], "the program as it is shipped, on PostgreSQL", () => {
  it("serves, with the job queue, and ends well when told so at its first moment", async () => {
    const database = await startPostgres();
    try {
      const environment = { ZONEPOST_DATABASE: await database.createDatabase("shipped") };
      const server = await serve(["--state", join(directory, "postgres")], environment, { program });
      expect((await fetch(`${server.url}/livez`)).status).toBe(200);
      expect(await server.stop()).toBe(0);
    } finally {
      await database.stop();
    }
  });
});
