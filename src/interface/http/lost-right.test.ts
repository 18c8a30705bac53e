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
const give = async (ownerId: string) => {
  const { revision, content } = (await world.parts.descriptions.domain(ANNAS))!;
  await world.parts.descriptions.putDomain({ domain: ANNAS, content, ownerId }, revision, world.clock);
};

describe("a plan that waits for caches", () => {
  /** The MX waits for the address of its host. Acts while it waits. */
  async function applied(meanwhile: () => Promise<unknown>) {
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
    const begun = await ask("owner", "POST", `${DOMAIN}/apply`, { digest: plan.digest, allow });
    const { job } = begun.body as { job: string };
    await world.settle();
    expect(acting).toBeDefined();
    const { result } = (await ask("administrator", "GET", `/api/jobs/${job}`)).body as { result: object };
    return { result, hasMx: [...world.provider.rrsets.keys()].some((key) => / MX/.test(key)) };
  }

  it("goes on where nothing was taken away", async () => {
    const { result, hasMx } = await applied(async () => {});
    expect([result, hasMx]).toEqual([expect.objectContaining({ status: "done" }), true]);
  });

  it.each<[reason: string, meanwhile: () => Promise<unknown>]>([
    ["its owner is kept out", () => disable("anna")],
    ["the domain is another's", () => give(world.users.bert.id)],
  ])("publishes nothing more (%s)", async (_, meanwhile) => {
    const { result, hasMx } = await applied(meanwhile);
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
