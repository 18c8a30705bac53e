/** What the API says of keys: the road ahead, what servers show, and who gets a private half. */
import { randomBytes } from "node:crypto";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { type HttpWorld, httpWorld } from "../../../test/support/http-world.ts";
import { tableWorld } from "../../../test/support/table-world.ts";
import { hashPassword } from "../../access/password.ts";
import { keyRecordText } from "../../keys/key-record-shapes.ts";
import { domainName } from "../../standards/dns/name.ts";

const ANNA = "/api/domains/anna.example";
const PASSWORD = "a quiet evening by the sea";
const SOA = "anna.example. 3600 IN SOA ns.anna.example. h.anna.example. 1 7200 3600 1209600 600";
const NS = "anna.example. 3600 IN NS ns.anna.example.\nns.anna.example. 3600 IN A 192.0.2.53";

let world: HttpWorld;
let zone: string;
const who = (name: string) => world.clients[name]!;

beforeEach(async () => {
  zone = `${SOA}\n${NS}`;
  world = await httpWorld({ world: () => tableWorld({ zone }) });
  const key = { selector: "sel", algorithm: "ed25519" };
  expect((await world.ask(who("owner"), "POST", `${ANNA}/keys`, key)).status).toBe(201);
});
afterEach(() => world.close());

async function publish(): Promise<void> {
  const [key] = await world.parts.keys.list(domainName("anna.example"));
  zone += `\nsel._domainkey.anna.example. 3600 IN TXT "${keyRecordText(key!)}"`;
}
const verify = async () => {
  const { body } = await world.ask(who("owner"), "POST", `${ANNA}/keys/verify`);
  return (body as { keys: Record<string, unknown>[] }).keys[0]!;
};
const rotation = async () =>
  (await world.ask(who("reader"), "GET", `${ANNA}/rotation`)).body as {
    canPublish: boolean;
    proposedSelector: string;
    keys: { past: { state: string }[]; ahead: { state: string; earliest: string | null }[] }[];
  };

it("says what is ahead, and with times once every name server shows the key", async () => {
  const before = await rotation();
  expect(before).toMatchObject({ canPublish: true, proposedSelector: "202611" });
  expect(before.keys[0]!.ahead.map(({ state, earliest }) => [state, earliest])).toEqual([
    ["published", null],
    ["proven", null],
    ["signing", null],
    ["retiring", null],
    ["revoked", null],
    ["removed", null],
  ]);
  expect(await verify()).toMatchObject({
    cachesClearAt: null,
    next: { action: "publish" },
    cachedSeconds: 600,
  });
  await publish();
  // The negative TTL of the zone is ten minutes.
  const clear = "2026-11-21T12:10:00.000Z";
  expect(await verify()).toMatchObject({
    state: "published",
    cachesClearAt: clear,
    servers: [{ server: "ns.anna.example", sight: "this", ttlSeconds: 3600 }],
    next: { action: "wait", until: clear },
  });
  expect((await rotation()).keys[0]!.ahead[0]).toMatchObject({ state: "proven", earliest: clear });
  world.clock = new Date(clear);
  expect(await verify()).toMatchObject({ state: "signing", next: { action: "sign-with" } });
  expect((await rotation()).keys[0]!.past.at(-1)).toMatchObject({ state: "signing" });
});

describe("a private half", () => {
  const wanted = { format: "opendkim", folder: "/etc/dkimkeys", password: PASSWORD };
  const ask = (name: string, change: object = {}) =>
    world.ask(who(name), "POST", `${ANNA}/keys/sel/export`, { ...wanted, ...change });

  beforeEach(async () => {
    const { anna } = world.users;
    const passwordHash = await hashPassword(PASSWORD, (count) => randomBytes(count));
    const { cookie = "" } = who("owner").headers;
    const { bearerHash } = await import("../../access/bearer-secret.ts");
    const kept = bearerHash("session", cookie.replace(/^.*?=/, ""))!;
    expect(await world.access.changeUser(anna, { ...anna, passwordHash }, { keepSession: kept })).not.toBe(
      "stale",
    );
  });

  it.each<[string, object, number, string]>([
    ["owner", { format: "pem" }, 200, "it is theirs, and the password is right"],
    ["owner", { format: "pem", password: "a guess of somebody" }, 422, "an open screen is not enough"],
    ["administrator", {}, 422, "an account without a password has none to show"],
    ["token keys", {}, 403, "a token is no person"],
    ["token admin", {}, 403, "a token is no person"],
    ["reader", {}, 403, "readers change nothing"],
    ["other", {}, 404, "another's domain is not there"],
    ["owner", { format: "pem", folder: "relative" }, 422, "programs want the folder written out"],
  ])("for %s with %j: %i, for %s", async (name, change, status) => {
    const answer = await ask(name, change);
    expect(answer.status).toBe(status);
    expect(answer.text.includes("PRIVATE KEY")).toBe(status === 200);
    const noted = (await world.access.auditLog({ limit: 50 })).filter(
      ({ action }) => action === "key.export",
    );
    expect(noted.length).toBe(status === 200 ? 1 : 0);
  });

  it("stops guessing", async () => {
    const statuses: number[] = [];
    for (let tries = 0; tries < 12; tries++) statuses.push((await ask("owner", { password: "x" })).status);
    expect(statuses).toContain(401);
  });
});

it("takes in no key that verifiers refuse", async () => {
  const { generateKeyPairSync } = await import("node:crypto");
  const { privateKey } = generateKeyPairSync("rsa", { modulusLength: 768 });
  const pem = privateKey.export({ format: "pem", type: "pkcs8" }).toString();
  const body = { selector: "short", privateKey: pem };
  const { status, text } = await world.ask(who("owner"), "POST", `${ANNA}/keys/import`, body);
  expect([status, text]).toEqual([422, expect.stringContaining("768 bits")]);
});
