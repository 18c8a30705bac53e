/** Both databases, held to one contract. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe } from "vitest";
import { openStore } from "../../src/store/open.ts";
import { type RunningPostgres, startPostgres } from "../support/postgres.ts";
import { describeWithServers } from "../support/real-server.ts";
import { storeContract } from "./store.ts";

describe("SQLite", () => {
  let directory: string;
  beforeAll(() => {
    directory = mkdtempSync(join(tmpdir(), "zonepost-store-"));
  });
  afterAll(() => rmSync(directory, { recursive: true }));
  storeContract(() => openStore({ kind: "sqlite", path: join(directory, "state", "zonepost.db") }));
});

describeWithServers(["initdb", "postgres"], "PostgreSQL", () => {
  let server: RunningPostgres;
  let url: string;
  beforeAll(async () => {
    server = await startPostgres();
    url = await server.createDatabase("contract");
  });
  afterAll(() => server?.stop());
  // Both connections are opened at once, on an empty database: the tables are made once.
  storeContract(() => openStore({ kind: "postgres", url }));
});
