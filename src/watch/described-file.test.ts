import { expect, it } from "vitest";
import { memoryDescriptionStore } from "../../test/support/memory-description-store.ts";
import { memoryWatchStore } from "../../test/support/memory-watch-store.ts";
import { readDescriptionPieces } from "../records/description-pieces.ts";
import { domainName } from "../standards/dns/name.ts";
import { takeInFile } from "./described-file.ts";

const NOW = new Date("2026-11-21T12:00:00Z");
const LATER = new Date("2026-11-21T13:00:00Z");

function pieces(...domains: readonly string[]) {
  const text = `servers: [{ host: mail.example.org, addresses: 192.0.2.25 }]\ndomains:\n${domains
    .map((line) => `  - { domain: ${line} }\n`)
    .join("")}`;
  const read = readDescriptionPieces(text, () => "");
  if (!read.ok) throw new Error(JSON.stringify(read.problems));
  return read.pieces;
}

it("makes of the store what the file says: new, changed, gone; owners stay, and the rest is left alone", async () => {
  const descriptions = memoryDescriptionStore();
  const watch = memoryWatchStore();
  const first = pieces("a.example", "b.example", "c.example");
  expect(await takeInFile(first, descriptions, watch, NOW)).toEqual({
    isCommonNew: true,
    added: ["a.example", "b.example", "c.example"],
    changed: [],
    gone: [],
  });
  const b = (await descriptions.domain(domainName("b.example")))!;
  await descriptions.putDomain({ ...b, ownerId: "olga" }, b.revision, NOW);
  const due = await watch.takeDue(NOW, 10, LATER);
  expect(due.map(({ domain }) => domain)).toEqual(["a.example", "b.example", "c.example"]);

  const second = pieces("a.example", "b.example, receives: false", "d.example");
  expect(await takeInFile(second, descriptions, watch, LATER)).toEqual({
    isCommonNew: false,
    added: ["d.example"],
    changed: ["b.example"],
    gone: ["c.example"],
  });
  expect(await descriptions.domain(domainName("b.example"))).toMatchObject({
    ownerId: "olga",
    content: { receives: false },
  });
  expect(await watch.state(domainName("c.example"))).toBeUndefined();
  expect(await watch.state(domainName("b.example"))).toMatchObject({ ownerId: "olga" });
  expect((await descriptions.domain(domainName("a.example")))!.changedAt).toEqual(NOW);
  expect(await takeInFile(second, descriptions, watch, LATER)).toEqual({
    isCommonNew: false,
    added: [],
    changed: [],
    gone: [],
  });
});

it("takes no file that names far fewer than before, unless somebody says so", async () => {
  const descriptions = memoryDescriptionStore();
  const watch = memoryWatchStore();
  const names = Array.from({ length: 300 }, (_, at) => `d${at}.example`);
  await takeInFile(pieces(...names), descriptions, watch, NOW);
  const half = { ...pieces(...names.slice(0, 92), "new.example"), common: { servers: [] } };
  await expect(takeInFile(half, descriptions, watch, LATER)).rejects.toThrow(
    /^208 of 300 domains are no longer in the file \(d\d+\.example, .* start with --allow-removed 208$/,
  );
  expect(await descriptions.domain(domainName("new.example"))).toBeUndefined();
  expect((await descriptions.common()).changedAt).toEqual(NOW);
  expect(await watch.state(domainName("d299.example"))).toBeDefined();
  for (const allowedRemoved of [207, 209])
    await expect(takeInFile(half, descriptions, watch, LATER, { allowedRemoved })).rejects.toThrow(
      "208 of 300",
    );
  expect((await takeInFile(half, descriptions, watch, LATER, { allowedRemoved: 208 })).gone).toHaveLength(
    208,
  );
  // Of few, a file may drop some as it likes.
  expect(
    (await takeInFile(pieces("new.example", ...names.slice(20, 92)), descriptions, watch, LATER)).gone,
  ).toHaveLength(20);
});

it.each([
  [1, 0],
  [2, 1],
  [3, 1],
  [20, 10],
  [21, 10],
  [50, 30],
])("of %i domains leaves at least %i", async (stored, left) => {
  const descriptions = memoryDescriptionStore();
  const watch = memoryWatchStore();
  const names = Array.from({ length: stored }, (_, at) => `d${at}.example`);
  await takeInFile(pieces(...names), descriptions, watch, NOW);
  if (left > 0)
    await expect(
      takeInFile(pieces("new.example", ...names.slice(0, left - 1)), descriptions, watch, LATER),
    ).rejects.toThrow(`${stored - left + 1} of ${stored} domains`);
  expect(
    (await takeInFile(pieces("new.example", ...names.slice(0, left)), descriptions, watch, LATER)).gone,
  ).toHaveLength(stored - left);
});

it("says how far it came where it ends in the middle, and goes on from there the next time", async () => {
  const descriptions = memoryDescriptionStore();
  const watch = memoryWatchStore();
  const full = {
    ...descriptions,
    addDomains: async (...given: Parameters<typeof descriptions.addDomains>) => {
      if (given[0].some(({ domain }) => domain === "last.example")) throw new Error("the disk is full");
      return descriptions.addDomains(...given);
    },
  };
  const names = Array.from({ length: 600 }, (_, at) => `d${at}.example`);
  const file = pieces(...names, "last.example");
  const taken = await takeInFile(file, full, watch, NOW);
  expect(taken).toMatchObject({ isCommonNew: true, failure: new Error("the disk is full") });
  expect(taken.added.length).toBeGreaterThan(100);
  expect(taken.added).toEqual(names.slice(0, taken.added.length));
  expect(await descriptions.countDomains({})).toBe(taken.added.length);
  expect(await watch.takeDue(NOW, 1_000, LATER)).toHaveLength(taken.added.length);
  expect(await takeInFile(file, descriptions, watch, LATER)).toEqual({
    isCommonNew: false,
    added: [...names.slice(taken.added.length), "last.example"],
    changed: [],
    gone: [],
  });
});

it.each([0, 1, 2, 3])(
  "ends where it is told to, each step whole, and goes on from there (%i)",
  async (steps) => {
    const descriptions = memoryDescriptionStore();
    const watch = memoryWatchStore();
    const names = Array.from({ length: 900 }, (_, at) => `d${at}.example`);
    const ending = new AbortController();
    let done = 0;
    const told = {
      ...descriptions,
      addDomains: async (...given: Parameters<typeof descriptions.addDomains>) => {
        done += 1;
        if (done === steps) ending.abort(new Error("told to end"));
        return descriptions.addDomains(...given);
      },
    };
    if (steps === 0) ending.abort(new Error("told to end"));
    const taking = takeInFile(pieces(...names), told, watch, NOW, { signal: ending.signal });
    if (steps === 0) {
      await expect(taking).rejects.toThrow("told to end");
      expect(await descriptions.countDomains({})).toBe(0);
      return;
    }
    const { added, failure } = await taking;
    expect(failure).toEqual(new Error("told to end"));
    expect(added).toHaveLength(250 * steps);
    expect(await watch.takeDue(NOW, 1_000, LATER)).toHaveLength(250 * steps);
    const rest = await takeInFile(pieces(...names), descriptions, watch, LATER);
    expect(rest.added).toEqual(names.slice(250 * steps));
  },
);

it("puts the file's words over those of somebody who describes a new one at the same time", async () => {
  const descriptions = memoryDescriptionStore();
  const watch = memoryWatchStore();
  const [a, b, c] = [domainName("a.example"), domainName("b.example"), domainName("c.example")];
  const busy = {
    ...descriptions,
    addDomains: async (...given: Parameters<typeof descriptions.addDomains>) => {
      await descriptions.putDomain({ domain: b, content: { sends: false }, ownerId: "olga" }, 0, NOW);
      return descriptions.addDomains(...given);
    },
  };
  await watch.schedule(c, "olga", LATER);
  await takeInFile(pieces(a, b, c), busy, watch, NOW);
  expect(await descriptions.domain(b)).toMatchObject({ ownerId: "olga", content: {}, revision: 2 });
  const watched = await Promise.all([a, b, c].map((domain) => watch.state(domain)));
  expect(watched).toMatchObject([
    { ownerId: undefined, nextCheckAt: NOW },
    { ownerId: "olga", nextCheckAt: NOW },
    // What was left of a domain of before is nobody's.
    { ownerId: undefined, nextCheckAt: NOW },
  ]);
});

it("wins over somebody who changes the same domain at the same time", async () => {
  const descriptions = memoryDescriptionStore();
  const watch = memoryWatchStore();
  await takeInFile(pieces("a.example"), descriptions, watch, NOW);
  const { domain, content, revision } = (await descriptions.domain(domainName("a.example")))!;
  let isFirst = true;
  const busy = {
    ...descriptions,
    putDomain: async (...given: Parameters<typeof descriptions.putDomain>) => {
      if (isFirst) {
        isFirst = false;
        await descriptions.putDomain({ domain, content, ownerId: "olga" }, revision, NOW);
      }
      return descriptions.putDomain(...given);
    },
  };
  await takeInFile(pieces("a.example, sends: false"), busy, watch, LATER);
  expect(await descriptions.domain(domain)).toMatchObject({ ownerId: "olga", content: { sends: false } });
});
