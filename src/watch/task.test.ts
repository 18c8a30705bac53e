import { expect, it } from "vitest";
import { memoryTaskStore } from "../../test/support/memory-task-store.ts";
import { Tasks } from "./task.ts";

let lastId = 0;
function openTasks(): Tasks {
  return new Tasks({
    store: memoryTaskStore(),
    queue: { add: async () => {} },
    now: () => new Date(),
    newId: () => `task-${++lastId}`,
    sleep: async () => {},
    onTrouble: () => {},
  });
}

const idOf = (begun: unknown) => (typeof begun === "string" ? begun : (begun as { id: string }).id);

it("one owner has so much under way and no more, others begin; what is under way is told to both", async () => {
  const tasks = openTasks();
  const check = tasks.define("check", async () => null);
  const apply = tasks.define("apply", async () => null, { publishes: true });
  const of = async (begin: typeof check, ownerId: string | undefined, count: number) => {
    const begun = Array.from({ length: count }, (_, at) =>
      begin({ domain: `d${at}.${ownerId}.example`, ownerId }, {}),
    );
    return (await Promise.all(begun)).map(idOf);
  };
  const [first, ...rest] = await of(check, "ann", 9);
  expect(rest.slice(0, -1)).not.toContain("enough");
  expect(rest.at(-1)).toBe("enough");
  expect((await of(apply, "ann", 13)).filter((one) => one === "enough")).toHaveLength(1);
  expect(await of(check, "bob", 8)).not.toContain("enough");
  // What is under way is nothing more to do.
  expect(idOf(await check({ domain: "d0.ann.example", ownerId: "ann" }, {}))).toBe(first);
  expect(await of(check, undefined, 80)).toContain("busy");
  expect(idOf(await check({ domain: "d0.ann.example", ownerId: "ann" }, {}))).toBe(first);
  expect(await check({ domain: "d9.bob.example", ownerId: undefined }, {})).toBe("busy");
});
