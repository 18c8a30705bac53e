import { setImmediate } from "node:timers/promises";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { a, tableResolver } from "../../test/support/table-resolver.ts";
import { domainName } from "../standards/dns/name.ts";
import type { Answer, Resolver } from "../standards/dns/resolver.ts";
import { openBudgetedResolver } from "./budgeted-resolver.ts";

const NAME = domainName("mail.example.org");
const TABLE = { "mail.example.org": [a("192.0.2.1")] };
const AMPLE = { milliseconds: 5_000, queries: 100 };
const overAfter = (detail: string) => ({ status: "unknown", cause: "timeout", detail });

const silent: Resolver = { lookup: () => new Promise<never>(() => {}) };

beforeEach(() => {
  vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout"] });
});
afterEach(() => vi.useRealTimers());

describe("within the budget", () => {
  it("answers are those of the resolver", async () => {
    const { resolver, close } = openBudgetedResolver(tableResolver(TABLE), AMPLE);
    expect(await resolver.lookup(NAME, "A")).toEqual(await tableResolver(TABLE).lookup(NAME, "A"));
    expect(await resolver.lookup(domainName("example.net"), "A")).toMatchObject({ kind: "nxdomain" });
    close();
  });

  it("a rejection is handed on, and is no answer that others get", async () => {
    const broken: Resolver = { lookup: () => Promise.reject(new TypeError("a bug")) };
    const { resolver, close } = openBudgetedResolver(broken, AMPLE);
    await expect(resolver.lookup(NAME, "A")).rejects.toThrow("a bug");
    close();
  });

  it("one timer runs, from the first question to the end", async () => {
    const { resolver, close } = openBudgetedResolver(tableResolver(TABLE), AMPLE);
    expect(vi.getTimerCount()).toBe(0);
    await Promise.all([resolver.lookup(NAME, "A"), resolver.lookup(NAME, "MX")]);
    await resolver.lookup(NAME, "TXT");
    expect(vi.getTimerCount()).toBe(1);
    close();
    expect(vi.getTimerCount()).toBe(0);
  });

  it("without a question there never is a timer", () => {
    openBudgetedResolver(silent, AMPLE).close();
    expect(vi.getTimerCount()).toBe(0);
  });
});

describe("beyond the questions", () => {
  it("nobody is asked, and those on their way are still answered", async () => {
    const table = tableResolver(TABLE);
    const { resolver, close } = openBudgetedResolver(table, { ...AMPLE, queries: 2 });
    const answers = await Promise.all([1, 2, 3, 4].map(() => resolver.lookup(NAME, "A")));
    const over = overAfter("one message may ask 2 questions, and has asked them");
    expect(answers).toMatchObject([{ status: "found" }, { status: "found" }, over, over]);
    expect(table.asked).toHaveLength(2);
    close();
  });
});

describe("beyond the time", () => {
  const over = overAfter("the 5 s of DNS for one message are over");

  it("those who wait hear it at once, and later questions are not asked", async () => {
    const asked: string[] = [];
    const counting: Resolver = {
      lookup: (name, type) => {
        asked.push(type);
        return silent.lookup(name, type);
      },
    };
    const { resolver } = openBudgetedResolver(counting, AMPLE);
    const first = resolver.lookup(NAME, "A");
    vi.advanceTimersByTime(3_000);
    const second = resolver.lookup(NAME, "MX");
    vi.advanceTimersByTime(1_999);
    expect(await isPending(first)).toBe(true);
    vi.advanceTimersByTime(1);
    expect(await Promise.all([first, second, resolver.lookup(NAME, "TXT")])).toEqual([over, over, over]);
    expect(asked).toEqual(["A", "MX"]);
    expect(vi.getTimerCount()).toBe(0);
  });

  it("what comes after it is dropped, an error too", async () => {
    const late: PromiseWithResolvers<never>[] = [];
    const { resolver } = openBudgetedResolver(
      {
        lookup: () => {
          late.push(Promise.withResolvers<never>());
          return late.at(-1)!.promise;
        },
      },
      AMPLE,
    );
    const answer = resolver.lookup(NAME, "A");
    vi.advanceTimersByTime(5_000);
    late[0]!.reject(new Error("too late to matter"));
    expect(await answer).toEqual(over);
  });
});

it("a message that is given up lets go of its questions", async () => {
  const { resolver, close } = openBudgetedResolver(silent, AMPLE);
  const answer = resolver.lookup(NAME, "A");
  close();
  close();
  const over = overAfter("the message that asked for it is done");
  expect([await answer, await resolver.lookup(NAME, "MX")]).toEqual([over, over]);
});

async function isPending(answer: Promise<Answer>): Promise<boolean> {
  return (await Promise.race([answer, setImmediate("none yet")])) === "none yet";
}
