import { afterEach, beforeEach, expect, it } from "vitest";
import { readDescriptionPieces } from "../records/description-pieces.ts";
import { domainName } from "../standards/dns/name.ts";
import { type OpenedStore, openStore } from "../store/open.ts";
import { followDescription } from "./followed-description.ts";

let store: OpenedStore;
beforeEach(async () => {
  store = await openStore({ kind: "memory" });
});
afterEach(() => store.close());

function file(address: string, ...domains: readonly string[]) {
  const servers = `servers: [{ host: mail.example.org, addresses: ${address} }]\n`;
  const read = readDescriptionPieces(
    `${servers}domains: [${domains.map((domain) => `{ domain: ${domain} }`).join(", ")}]\n`,
    () => "",
  );
  if (!read.ok) throw new Error(JSON.stringify(read.problems));
  return { name: "zonepost.yaml", pieces: read.pieces };
}

/** No domain of this name can be written. */
const withoutRoomFor = (name: string): OpenedStore => ({
  ...store,
  descriptions: {
    ...store.descriptions,
    addDomains: async (...given) => {
      if (given[0].some(({ domain }) => domain === name)) throw new Error("the disk is full");
      return store.descriptions.addDomains(...given);
    },
  },
});

const dueAt = async (domain: string) => (await store.watch.state(domainName(domain)))!.nextCheckAt.getTime();

/** As if all had been checked, and were due in a day. */
async function putOff(...domains: readonly string[]): Promise<void> {
  for (const name of domains) {
    const state = (await store.watch.state(domainName(name)))!;
    const nextCheckAt = new Date(Date.now() + 86_400_000);
    await store.watch.record({ state: { ...state, nextCheckAt }, findings: "as-before", events: [] });
  }
}

it("says how far it came; the next one looks again at all, whose servers have changed before", async () => {
  await followDescription(store, 10).takeIn(file("192.0.2.25", "a.example"));
  await putOff("a.example");
  let isFull = true;
  const full = withoutRoomFor("b.example");
  const followed = followDescription(
    {
      ...store,
      descriptions: {
        ...store.descriptions,
        addDomains: (...given) => (isFull ? full : store).descriptions.addDomains(...given),
      },
    },
    10,
  );
  const next = file("192.0.2.26", "a.example", "b.example");
  expect(await followed.takeIn(next)).toEqual({
    sentences: ["zonepost.yaml: 0 domains new, 0 changed, 0 gone, what all share has changed"],
    failure: new Error("the disk is full"),
  });
  expect(await dueAt("a.example")).toBeGreaterThan(Date.now() + 3_600_000);
  isFull = false;
  expect(await followed.takeIn(next)).toEqual({
    sentences: ["zonepost.yaml: 1 domains new, 0 changed, 0 gone"],
  });
  expect(await dueAt("a.example")).toBeLessThan(Date.now() + 60_000);
  // Once is enough.
  await putOff("a.example");
  await followed.takeIn(next);
  expect(await dueAt("a.example")).toBeGreaterThan(Date.now() + 3_600_000);
});

it("looks again at all where that itself has failed before", async () => {
  await followDescription(store, 10).takeIn(file("192.0.2.25", "a.example"));
  await putOff("a.example");
  let isAway = true;
  const followed = followDescription(
    {
      ...store,
      watch: {
        ...store.watch,
        overview: async (filter) => {
          if (isAway) throw new Error("the database is away");
          return store.watch.overview(filter);
        },
      },
    },
    10,
  );
  const next = file("192.0.2.26", "a.example");
  expect((await followed.takeIn(next)).failure?.message).toBe("the database is away");
  isAway = false;
  expect((await followed.takeIn(next)).failure).toBeUndefined();
  expect(await dueAt("a.example")).toBeLessThan(Date.now() + 60_000);
});

it("rejects where nothing was taken over", async () => {
  const first = file("192.0.2.25", "a.example");
  await followDescription(store, 10).takeIn(first);
  const followed = followDescription(withoutRoomFor("b.example"), 10);
  const next = file("192.0.2.25", "a.example", "b.example");
  await expect(followed.takeIn(next)).rejects.toThrow("the disk is full");
});
