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
  await expect(takeInFile(half, descriptions, watch, LATER, 207)).rejects.toThrow("208 of 300");
  expect((await takeInFile(half, descriptions, watch, LATER, 208)).gone).toHaveLength(208);
  // Of few, a file may drop what it likes.
  expect(
    (await takeInFile(pieces("new.example", ...names.slice(20, 92)), descriptions, watch, LATER)).gone,
  ).toHaveLength(20);
});

it("says how far it came where it ends in the middle, and goes on from there the next time", async () => {
  const descriptions = memoryDescriptionStore();
  const watch = memoryWatchStore();
  const full = {
    ...descriptions,
    putDomain: async (...given: Parameters<typeof descriptions.putDomain>) => {
      if (given[0].domain === "b.example") throw new Error("the disk is full");
      return descriptions.putDomain(...given);
    },
  };
  const file = pieces("a.example", "b.example", "c.example");
  expect(await takeInFile(file, full, watch, NOW)).toEqual({
    isCommonNew: true,
    added: ["a.example"],
    changed: [],
    gone: [],
    failure: new Error("the disk is full"),
  });
  expect(await takeInFile(file, descriptions, watch, LATER)).toEqual({
    isCommonNew: false,
    added: ["b.example", "c.example"],
    changed: [],
    gone: [],
  });
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
