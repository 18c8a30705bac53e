/** Sightings of TLSA records: kept over restarts, and beside what older versions have written. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { afterEach, beforeEach, expect, it } from "vitest";
import type { TlsaSighting } from "../keys/tlsa-sighting.ts";
import type { TlsaData } from "../standards/dane/tlsa.ts";
import { domainName } from "../standards/dns/name.ts";
import { openSqliteStore } from "./sqlite.ts";

let directory: string;
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), "zonepost-store-"));
});
afterEach(() => rmSync(directory, { recursive: true }));
const path = () => join(directory, "zonepost.db");

const OWNER = domainName("_25._tcp.mail.example.org");
const tlsa = (octet: number): TlsaData => ({
  type: "TLSA",
  usage: 3,
  tlsaSelector: 1,
  matchingType: 1,
  associationData: new Uint8Array(32).fill(octet),
});
const at = (minute: number) => new Date(Date.UTC(2026, 10, 21, 12, minute));

function withStore<T>(act: (store: ReturnType<typeof openSqliteStore>["tlsaSightings"]) => T): T {
  const store = openSqliteStore(path());
  try {
    return act(store.tlsaSightings);
  } finally {
    store.close();
  }
}

const FULL: TlsaSighting = {
  everywhereSince: at(1),
  lackingAt: at(0),
  liveSince: at(2),
  longestTtlSeconds: 3600,
  current: tlsa(1),
};

it.each<[TlsaSighting, string]>([
  [{}, "nothing seen yet"],
  [{ everywhereSince: at(1), longestTtlSeconds: 0 }, "a TTL of 0 is not none"],
  [FULL, "all of it"],
])("reads back %j: %s", (sighting) => {
  withStore((store) => store.put(OWNER, tlsa(2), FULL));
  withStore((store) => store.put(OWNER, tlsa(2), sighting));
  expect(withStore((store) => store.get(OWNER, tlsa(2)))).toEqual(sighting);
  expect(withStore((store) => store.get(OWNER, tlsa(3)))).toBeUndefined();
  expect(withStore((store) => store.get(domainName("_25._tcp.mx2.example.org"), tlsa(2)))).toBeUndefined();
});

it("comes into a file of the layout before, and leaves what is there", () => {
  withStore(() => undefined);
  const before = new DatabaseSync(path());
  before.exec(`DROP TABLE tlsa_sighting; PRAGMA user_version = 1;
    INSERT INTO owned_value VALUES ('example.org', '[]');`);
  before.close();
  withStore((store) => store.put(OWNER, tlsa(2), FULL));
  expect(withStore((store) => store.get(OWNER, tlsa(2)))).toEqual(FULL);
  const after = new DatabaseSync(path());
  expect(after.prepare("SELECT zone FROM owned_value").all()).toEqual([{ zone: "example.org" }]);
  expect(after.prepare("PRAGMA user_version").get()).toEqual({ user_version: 2 });
  after.close();
});
