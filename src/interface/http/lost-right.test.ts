/** Rights that are taken away while something goes on that was begun with them. */
import { request } from "node:http";
import type { AddressInfo } from "node:net";
import { afterEach, describe, expect, it } from "vitest";
import { HOST, type HttpWorld, httpWorld } from "../../../test/support/http-world.ts";
import { domainName } from "../../standards/dns/name.ts";

let world: HttpWorld;
afterEach(() => world.close());

const DOMAIN = "/api/domains/anna.example";
const ANNAS = domainName("anna.example");
const ask = (name: string, method: string, path: string, body?: object) =>
  world.ask(world.clients[name]!, method, path, body);
const disable = async (user: "anna") => {
  const before = (await world.access.user({ id: world.users[user].id }))!;
  const after = { ...before, disabledAt: world.clock, revision: before.revision + 1 };
  expect(await world.access.changeUser(before, after)).toBe("changed");
};
const recover = async (user: "anna" | "admin") => {
  const before = (await world.access.user({ id: world.users[user].id }))!;
  const after = { ...before, revision: before.revision + 1 };
  expect(await world.access.changeUser(before, after, { isRecovery: true })).toBe("changed");
};
const tokenOf = async (label: string) =>
  (await world.access.tokens(world.users.admin.id)).find((token) => token.label === label)!;
const takeBack = async (label: string) => {
  const { userId, id } = await tokenOf(label);
  expect(await world.access.removeToken(userId, id)).toBe(true);
};
const endToken = async (label: string) => {
  const { userId, id, ...token } = await tokenOf(label);
  await world.access.removeToken(userId, id);
  const over = { ...token, userId, id, expiresAt: world.clock };
  expect(await world.access.addToken(over, (await world.access.user({ id: userId }))!)).toBe(true);
};
const give = async (ownerId: string) => {
  const { revision, content } = (await world.parts.descriptions.domain(ANNAS))!;
  await world.parts.descriptions.putDomain({ domain: ANNAS, content, ownerId }, revision, world.clock);
};

describe("a plan that waits for caches", () => {
  /** The MX waits for the address of its host. Acts while it waits. */
  async function applied(meanwhile: () => Promise<unknown>, by = "owner") {
    let acting: Promise<unknown> | undefined;
    world = await httpWorld({
      wait: async () => {
        acting ??= meanwhile();
        await acting;
      },
    });
    const servers = [{ host: "mail.anna.example", addresses: ["192.0.2.25"] }];
    await world.parts.descriptions.putCommon({ servers }, 1, world.clock);
    const plan = (await ask("owner", "GET", `${DOMAIN}/plan`)).body as { digest: string };
    const allow = ["dmarc-jump", "mx-unresolvable"];
    const begun = await ask(by, "POST", `${DOMAIN}/apply`, { digest: plan.digest, allow });
    const { job } = begun.body as { job: string };
    await world.settle();
    expect(acting).toBeDefined();
    const { result } = (await ask("reader", "GET", `/api/jobs/${job}`)).body as { result: object };
    return { result, hasMx: [...world.provider.rrsets.keys()].some((key) => / MX/.test(key)) };
  }

  it.each<[reason: string, meanwhile: () => Promise<unknown>, by: string]>([
    ["nothing was taken away", async () => {}, "owner"],
    ["the session is over", () => ask("owner", "POST", "/api/logout"), "owner"],
    ["another token is gone", () => takeBack("read"), "token publish"],
  ])("goes on (%s)", async (_, meanwhile, by) => {
    const { result, hasMx } = await applied(meanwhile, by);
    expect([result, hasMx]).toEqual([expect.objectContaining({ status: "done" }), true]);
  });

  it.each<[reason: string, meanwhile: () => Promise<unknown>, by: string]>([
    ["its owner is kept out", () => disable("anna"), "owner"],
    ["the domain is another's", () => give(world.users.bert.id), "owner"],
    ["who approved it was thrown out", () => recover("anna"), "owner"],
    ["the token's user was thrown out", () => recover("admin"), "token publish"],
    ["the token is gone", () => takeBack("publish"), "token publish"],
    ["the token is over", () => endToken("publish"), "token publish"],
  ])("publishes nothing more (%s)", async (_, meanwhile, by) => {
    const { result, hasMx } = await applied(meanwhile, by);
    expect([result, hasMx]).toEqual([expect.objectContaining({ status: "stopped", stepsDone: 1 }), false]);
  });
});

describe("a job of a domain that was given to somebody else", () => {
  it("is the new owner's, and no longer the former's", async () => {
    world = await httpWorld();
    const begun = await ask("owner", "POST", `${DOMAIN}/check`);
    const path = `/api/jobs/${(begun.body as { job: string }).job}`;
    expect((await ask("owner", "GET", path)).status).toBe(200);
    await give(world.users.bert.id);
    expect((await ask("owner", "GET", path)).status).toBe(404);
    expect((await ask("owner", "GET", `${path}/events`)).status).toBe(404);
    expect((await ask("other", "GET", path)).status).toBe(200);
    await world.settle();
  });
});

describe("a stream of events", () => {
  /** Resolves once the stream has come to its end; `beat` is what the clock does. */
  async function opened() {
    const beats = new Set<() => void>();
    world = await httpWorld({
      every: (_, act) => {
        beats.add(act);
        return () => beats.delete(act);
      },
    });
    await world.server.app.listen({ host: "127.0.0.1", port: 0 });
    const { port } = world.server.app.server.address() as AddressInfo;
    const task = { id: "long", kind: "none", domain: "anna.example", ownerId: world.users.anna.id };
    await world.parts.tasks.begin({ ...task, input: {}, startedAt: world.clock });
    const heard: string[] = [];
    const ended = Promise.withResolvers<"over">();
    const begun = Promise.withResolvers<void>();
    const headers = { ...world.clients["owner"]!.headers, host: HOST };
    const asking = request(
      { host: "127.0.0.1", port, path: "/api/jobs/long/events", headers },
      (response) => {
        expect(response.statusCode).toBe(200);
        begun.resolve();
        response.on("data", (octets: Buffer) => heard.push(octets.toString()));
        response.once("close", () => ended.resolve("over"));
        response.on("error", () => {});
      },
    );
    asking.on("error", () => ended.resolve("over")).end();
    const beat = () => {
      for (const act of beats) act();
    };
    // Headers go out with the first words.
    await expect.poll(() => beats.size).toBeGreaterThan(0);
    beat();
    await begun.promise;
    return { beat, heard, ended: ended.promise, close: () => asking.destroy() };
  }

  it("goes on for who may see it", async () => {
    const stream = await opened();
    stream.beat();
    await expect.poll(() => stream.heard.join("")).toContain(": still there");
    stream.close();
  });

  it.each<[reason: string, act: () => Promise<unknown>]>([
    ["they are kept out", () => disable("anna")],
    ["the domain is another's", () => give(world.users.bert.id)],
    ["the session is over", () => ask("owner", "POST", "/api/logout")],
  ])("ends with the next beat (%s)", async (_, act) => {
    const stream = await opened();
    await act();
    stream.heard.length = 0;
    stream.beat();
    expect(await stream.ended).toBe("over");
    expect(stream.heard).toEqual([]);
  });
});
