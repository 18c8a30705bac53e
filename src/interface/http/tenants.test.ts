/** One tenant asks for more than their share: the others, and whoever publishes, get theirs. */
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { type HttpWorld, httpWorld } from "../../../test/support/http-world.ts";
import type { World } from "../../check/context.ts";

let world: HttpWorld;
afterEach(() => world.close());
const ask = (name: string, method: string, path: string, body?: object) =>
  world.ask(world.clients[name]!, method, path, body);
const statuses = async (answers: readonly Promise<{ readonly status: number }>[]) => {
  const all = (await Promise.all(answers)).map(({ status }) => status);
  return Object.fromEntries([...Map.groupBy(all, String)].map(([status, { length }]) => [status, length]));
};

describe("a name that does not answer, asked for again and again", () => {
  let gate: PromiseWithResolvers<void>;
  beforeEach(async () => {
    gate = Promise.withResolvers<void>();
    world = await httpWorld();
    const open = world.parts.world;
    const slowly = (): World => {
      const opened = open();
      const lookup: World["authoritative"]["lookup"] = async (name, type) => {
        if (name.endsWith("tarpit.example")) await gate.promise;
        return opened.authoritative.lookup(name, type);
      };
      return { ...opened, authoritative: { ...opened.authoritative, lookup } };
    };
    (world.parts as { world: () => World }).world = slowly;
  });
  afterEach(async () => {
    gate.resolve();
    await world.settle();
  });
  const askFor = (name: string, count: number) =>
    statuses(
      Array.from({ length: count }, () => ask(name, "POST", "/api/route", { address: "x@tarpit.example" })),
    );

  it("holds up nobody else, and no apply", async () => {
    expect(await askFor("owner", 125)).toEqual({ 202: 8, 409: 117 });
    expect(await askFor("other", 1)).toEqual({ 202: 1 });
    expect((await ask("other", "POST", "/api/domains/bert.example/check")).status).toBe(202);
    const { digest } = (await ask("owner", "GET", "/api/domains/anna.example/plan")).body as {
      digest: string;
    };
    const allow = ["dmarc-jump", "mx-unresolvable"];
    const begun = await ask("owner", "POST", "/api/domains/anna.example/apply", { digest, allow });
    expect(begun.status).toBe(202);
    const path = `/api/jobs/${(begun.body as { job: string }).job}`;
    await expect.poll(async () => (await ask("owner", "GET", path)).body).toMatchObject({ state: "done" });
  });

  it("is begun again once something has ended", async () => {
    await askFor("owner", 10);
    const refused = await ask("owner", "POST", "/api/route", { address: "x@tarpit.example" });
    expect([refused.status, refused.text]).toEqual([409, expect.stringContaining("same owner")]);
    gate.resolve();
    await world.settle();
    expect(await askFor("owner", 1)).toEqual({ 202: 1 });
  });
});
