/** One tenant asks for more than their share: the others, and whoever publishes, get theirs. */
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { type HttpWorld, httpWorld } from "../../../test/support/http-world.ts";
import type { World } from "../../check/context.ts";
import { generateDkimKeyPair } from "../../keys/generate.ts";
import { domainName } from "../../standards/dns/name.ts";

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

describe("keys that are made", () => {
  let underWay = 0;
  let most = 0;
  let gate: PromiseWithResolvers<void>;
  const bits = { algorithm: "rsa", bits: 4096 };
  beforeEach(async () => {
    [underWay, most] = [0, 0];
    gate = Promise.withResolvers<void>();
    world = await httpWorld({
      makeKeyPair: async () => {
        most = Math.max(most, ++underWay);
        await gate.promise;
        underWay--;
        return generateDkimKeyPair({ algorithm: "ed25519" });
      },
    });
  });

  it("are one at a time for a domain, however many are asked for at once", async () => {
    const asked = Array.from({ length: 100 }, () =>
      ask("owner", "POST", "/api/domains/anna.example/keys", bits),
    );
    await Promise.race(asked);
    expect(most).toBe(1);
    gate.resolve();
    expect(await statuses(asked)).toEqual({ 201: 1, 409: 99 });
    expect((await ask("owner", "POST", "/api/domains/anna.example/keys", bits)).status).toBe(201);
  });

  it("are two at a time for all domains, and what has to wait too long is told so", async () => {
    const domains = Array.from({ length: 30 }, (_, at) => `d${at}.example`);
    for (const domain of domains) await ask("administrator", "POST", "/api/domains", { domain });
    const asked = domains.map((domain) => ask("administrator", "POST", `/api/domains/${domain}/keys`, bits));
    const { status, body } = await Promise.race(asked);
    expect([status, body]).toMatchObject([503, { what: expect.stringContaining("too many keys") }]);
    gate.resolve();
    expect(await statuses(asked)).toEqual({ 201: 18, 503: 12 });
    expect(most).toBe(2);
  });

  it("are two of one owner, under way or waiting: the others have their turns", async () => {
    const domains = Array.from({ length: 18 }, (_, at) => domainName(`d${at}.example`));
    for (const domain of domains) {
      const ownerId = world.users.anna.id;
      await world.parts.descriptions.putDomain({ domain, content: { domain }, ownerId }, 0, world.clock);
    }
    const hers = domains.map((domain) => ask("owner", "POST", `/api/domains/${domain}/keys`, bits));
    const { status, body } = await Promise.race(hers);
    expect([status, body]).toMatchObject([409, { what: expect.stringContaining("2 other keys") }]);
    const his = ask("other", "POST", "/api/domains/bert.example/keys", bits);
    gate.resolve();
    expect((await his).status).toBe(201);
    expect(await statuses(hers)).toEqual({ 201: 2, 409: 16 });
  });

  it("are never more than a domain may have", async () => {
    gate.resolve();
    const add = (at: number) =>
      ask("owner", "POST", "/api/domains/anna.example/keys", { selector: `s${at}`, algorithm: "ed25519" });
    for (let at = 0; at < 39; at++) expect((await add(at)).status).toBe(201);
    const privateKey = (await generateDkimKeyPair({ algorithm: "ed25519" })).privateKey.export({
      type: "pkcs8",
      format: "pem",
    });
    const take = (at: number) =>
      ask("owner", "POST", "/api/domains/anna.example/keys/import", { selector: `t${at}`, privateKey });
    await Promise.all([39, 40, 41, 42].flatMap((at) => [add(at), take(at)]));
    expect(await world.parts.keys.list(domainName("anna.example"))).toHaveLength(40);
  });
});
