import { expect, it } from "vitest";
import { memoryWatchStore } from "../../test/support/memory-watch-store.ts";
import { domainName } from "../standards/dns/name.ts";
import { lookAtAll } from "./look-again.ts";

const NOW = new Date("2026-11-21T12:00:00Z");
const at = (seconds: number) => new Date(NOW.getTime() + 1000 * seconds);

it("looks at all domains once, over as long as the checks take, and puts none off", async () => {
  const watch = memoryWatchStore();
  const names = Array.from({ length: 1_201 }, (_, index) => domainName(`d${index}.example`));
  for (const name of names) await watch.schedule(name, undefined, at(86_400));
  const soon = names[7]!;
  await watch.schedule(soon, undefined, NOW);
  expect(await lookAtAll(watch, NOW, 20)).toBe(names.length);
  const perTenth = new Array<number>(10).fill(0);
  for (const name of names) {
    const { nextCheckAt } = (await watch.state(name))!;
    const part = (nextCheckAt.getTime() - NOW.getTime()) / (1000 * (names.length / 20));
    perTenth[Math.floor(10 * part)]! += 1;
  }
  expect((await watch.state(soon))!.nextCheckAt).toEqual(NOW);
  // Chance would give 120 each; no tenth has none, and none has twice that.
  expect(Math.min(...perTenth)).toBeGreaterThan(60);
  expect(Math.max(...perTenth)).toBeLessThan(240);
});
