/** Somebody without a browser tries what browsers would not. */
import { once } from "node:events";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { type IncomingMessage, request } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { type Client, HOST, type HttpWorld, httpWorld, ORIGIN } from "../../../test/support/http-world.ts";
import { tableWorld } from "../../../test/support/table-world.ts";
import { countLogin } from "../../access/attempt.ts";
import { hashPassword } from "../../access/password.ts";
import { beginSession } from "../../access/session.ts";
import { totpCode } from "../../access/totp.ts";
import { domainName } from "../../standards/dns/name.ts";

let world: HttpWorld;
beforeEach(async () => {
  world = await httpWorld();
});
afterEach(() => world.close());

const nobody: Client = { name: "nobody", headers: { origin: ORIGIN } };
const who = (name: string) => world.clients[name]!;
const PASSWORD = "a long and quiet evening";

async function givePassword(name: "anna" | "admin"): Promise<void> {
  const user = world.users[name];
  const passwordHash = await hashPassword(PASSWORD, world.parts.random);
  await world.access.changeUser(user, { ...user, passwordHash, revision: 2 });
}

const cookieOf = (headers: Readonly<Record<string, unknown>>): string =>
  [headers["set-cookie"]]
    .flat()
    .map(String)
    .find((one) => one.startsWith("__Host-zonepost-session=")) ?? "";
const clientOf = (answer: Awaited<ReturnType<HttpWorld["ask"]>>): Client => ({
  name: "logged in",
  headers: {
    origin: ORIGIN,
    cookie: cookieOf(answer.headers).split(";")[0]!,
    "x-csrf-token": (answer.body as { csrfToken: string }).csrfToken,
  },
});
const login = (client: Client, password = PASSWORD) =>
  world.ask(client, "POST", "/api/login", { name: "anna", password });

describe("sessions", () => {
  it("get a new secret at every step; a planted one is worth nothing", async () => {
    await givePassword("anna");
    const planted = await beginSession(
      world.users.bert,
      { address: "192.0.2.7", userAgent: "" },
      true,
      undefined,
      {
        store: world.access,
        now: world.parts.now,
        random: world.parts.random,
        times: { idleSeconds: 60, totalSeconds: 60 },
      },
    );
    const cookie = `__Host-zonepost-session=${planted}`;
    expect((await login({ name: "", headers: { origin: ORIGIN, cookie } })).status).toBe(403);
    const answer = await login({ name: "", headers: { origin: ORIGIN } });
    expect(answer.status).toBe(200);
    expect(cookieOf(answer.headers)).not.toContain(planted);
    expect(cookieOf(answer.headers)).toMatch(/; Path=\/; HttpOnly; Secure; SameSite=Strict$/);
  });

  it("are half open between password and code, and a code counts once", async () => {
    await givePassword("anna");
    let user = (await login(nobody)) && clientOf(await login(nobody));
    const offered = await world.ask(user, "POST", "/api/account/totp/offer", { password: PASSWORD });
    const { uri, pending } = offered.body as { uri: string; pending: string };
    const secret = Buffer.from(
      [...new URL(uri).searchParams.get("secret")!]
        .map((letter) => "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567".indexOf(letter).toString(2).padStart(5, "0"))
        .join("")
        .match(/.{8}/g)!
        .map((bits) => Number.parseInt(bits, 2)),
    );
    const code = () => totpCode(secret, Math.floor(world.clock.getTime() / 30_000));
    expect((await world.ask(user, "PUT", "/api/account/totp", { pending, code: code() })).status).toBe(204);
    world.clock = new Date(world.clock.getTime() + 60_000);
    const first = await login(nobody);
    expect(first.body).toMatchObject({ status: "second-factor" });
    user = clientOf(first);
    expect((await world.ask(user, "GET", "/api/domains")).status).toBe(401);
    expect((await world.ask(user, "POST", "/api/login/code", { code: "000000" })).status).toBe(401);
    const second = await world.ask(user, "POST", "/api/login/code", { code: code() });
    expect(second.body).toMatchObject({ status: "in" });
    expect(cookieOf(second.headers)).not.toBe(cookieOf(first.headers));
    expect((await world.ask(user, "GET", "/api/session")).status).toBe(401);
    expect((await world.ask(clientOf(second), "GET", "/api/domains")).status).toBe(200);
    const again = clientOf(await login(nobody));
    expect((await world.ask(again, "POST", "/api/login/code", { code: code() })).status).toBe(401);
  });

  it("end by being idle, by their age, by leaving, and with a new password", async () => {
    await givePassword("anna");
    const [one, other] = [clientOf(await login(nobody)), clientOf(await login(nobody))];
    const change = { password: PASSWORD, newPassword: "another long evening" };
    expect((await world.ask(one, "PUT", "/api/account/password", change)).status).toBe(204);
    expect((await world.ask(other, "GET", "/api/account")).status).toBe(401);
    expect((await world.ask(one, "GET", "/api/account")).status).toBe(200);
    expect((await world.ask(one, "POST", "/api/logout")).status).toBe(204);
    expect((await world.ask(one, "GET", "/api/account")).status).toBe(401);
    for (let hours = 0; hours < 9; hours++) {
      world.clock = new Date(world.clock.getTime() + 3_590_000);
      expect((await world.ask(who("other"), "GET", "/api/account")).status).toBe(200);
    }
    world.clock = new Date(world.clock.getTime() + 3_700_000);
    expect((await world.ask(who("other"), "GET", "/api/account")).status).toBe(401);
    expect((await world.ask(who("reader"), "GET", "/api/account")).status).toBe(401);
  });

  it("are slowed down, and do not tell who is there", async () => {
    await givePassword("anna");
    const wrong = await login(nobody, "not the password at all");
    const absent = await world.ask(nobody, "POST", "/api/login", {
      name: "zoe",
      password: "not the password",
    });
    expect({ ...wrong, headers: undefined }).toEqual({ ...absent, headers: undefined });
    for (let at = 0; at < 4; at++) await login(nobody, "not the password at all");
    const slowed = await login(nobody);
    expect([slowed.status, slowed.headers["retry-after"]]).toEqual([429, "60"]);
    world.clock = new Date(world.clock.getTime() + 61_000);
    expect((await login(nobody)).status).toBe(200);
  });
});

describe("a name that is tried from everywhere", () => {
  const asAnna = (address: string, password = "a guess at the password") =>
    world.ask(nobody, "POST", "/api/login", { name: "anna", password }, { "x-forwarded-for": address });
  beforeEach(async () => {
    await world.close();
    world = await httpWorld({}, { trustedProxies: ["127.0.0.1"] });
    await givePassword("anna");
  });
  const hour = async () => {
    for (let at = 0; at < 101; at++) await countLogin(world.access, "anna", `198.51.100.${at}`, world.clock);
  };
  const DAY_MILLISECONDS = 86_400_000;

  it.each<[days: number, from: string, status: number, reason: string]>([
    [0, "192.0.2.17", 200, "where she came in just now"],
    [29, "192.0.2.17", 200, "where she came in four weeks ago"],
    [31, "192.0.2.17", 429, "too long ago"],
    [0, "192.0.2.18", 429, "where she has never been"],
  ])("after %i days lets her in from %s: %i (%s)", async (days, from, status) => {
    expect((await asAnna("192.0.2.17", PASSWORD)).status).toBe(200);
    world.clock = new Date(world.clock.getTime() + days * DAY_MILLISECONDS);
    await hour();
    expect((await asAnna(from, PASSWORD)).status).toBe(status);
  });

  it("is slowed down where its owner has been, as anywhere", async () => {
    expect((await asAnna("192.0.2.17", PASSWORD)).status).toBe(200);
    for (let at = 0; at < 5; at++) expect((await asAnna("192.0.2.17")).status).toBe(401);
    expect((await asAnna("192.0.2.17", PASSWORD)).status).toBe(429);
  });

  it("is not let in where somebody was right about the password alone", async () => {
    const { anna } = world.users;
    const before = (await world.access.user({ id: anna.id }))!;
    await world.access.changeUser(before, { ...before, sealedTotpSecret: "sealed", revision: 3 });
    expect((await asAnna("192.0.2.17", PASSWORD)).body).toMatchObject({ status: "second-factor" });
    await hour();
    expect((await asAnna("192.0.2.17", PASSWORD)).status).toBe(429);
  });
});

describe("another site", () => {
  it.each<[headers: Record<string, string>, reason: string]>([
    [{ "x-csrf-token": "" }, "no token"],
    [{ "x-csrf-token": "x".repeat(43) }, "a token made up"],
    [{ origin: "https://evil.example" }, "another origin, with the right token"],
    [{ origin: "null" }, "a sandboxed page"],
    [{ "sec-fetch-site": "cross-site" }, "the browser says so"],
    [{ "sec-fetch-site": "same-site" }, "a neighbour below the same domain"],
  ])("changes nothing: %j (%s)", async (headers) => {
    const { status, body } = await world.ask(who("administrator"), "POST", "/api/users", {}, headers);
    expect([status, (body as { title: string }).title]).toEqual([403, "other site"]);
  });

  it("cannot post forms, nor come by another name", async () => {
    const form = { "content-type": "application/x-www-form-urlencoded" };
    expect((await world.ask(who("administrator"), "POST", "/api/users", "a=b", form)).status).toBe(415);
    expect(
      (await world.ask(who("administrator"), "POST", "/api/users", "{}", { "content-type": "text/plain" }))
        .status,
    ).toBe(415);
    expect(
      (await world.ask(who("administrator"), "GET", "/api/users", undefined, { host: "evil.example" }))
        .status,
    ).toBe(421);
  });

  it("gets strict headers with every answer, faults too", async () => {
    for (const path of ["/api/docs", "/api/domains", "/nothing", "/healthz"]) {
      const { headers } = await world.ask(nobody, "GET", path);
      expect(headers["content-security-policy"]).toContain("default-src 'none'");
      expect(headers).toMatchObject({ "x-content-type-options": "nosniff", "cache-control": "no-store" });
      expect(headers["access-control-allow-origin"]).toBeUndefined();
    }
    const { text } = await world.ask(nobody, "GET", "/api/docs");
    expect(text).not.toMatch(/<script|(?:src|href)="https?:/);
  });
});

describe("files of the pages", () => {
  let folder: string;
  let open: HttpWorld;
  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), "zonepost-attack-"));
    mkdirSync(join(folder, "web/assets"), { recursive: true });
    writeFileSync(join(folder, "secret.js"), "kept apart");
    writeFileSync(join(folder, "web/manifest.json"), "kept apart");
    writeFileSync(join(folder, "web/index.html"), "<!doctype html>the page");
    writeFileSync(join(folder, "web/assets/index-AbCd1234.js"), "the script");
    writeFileSync(join(folder, "web/assets/index-AbCd1234.js.br"), "the script, small");
    writeFileSync(join(folder, "web/assets/.hidden"), "kept apart");
    open = await httpWorld({ pages: join(folder, "web") });
    await open.server.app.listen({ host: "127.0.0.1", port: 0 });
  });
  afterAll(async () => {
    await open.close();
    rmSync(folder, { recursive: true });
  });

  /** Over a socket: nothing on the way tidies the path up. */
  async function rawly(path: string) {
    const { port } = open.server.app.server.address() as AddressInfo;
    const [response] = (await once(
      request({ host: "127.0.0.1", port, path, headers: { host: HOST } }).end(),
      "response",
    )) as [IncomingMessage];
    return { status: response.statusCode, headers: response.headers, text: await text(response) };
  }

  it.each<[path: string, status: number, content: string, kept: string, reason: string]>([
    ["/", 200, "the page", "no-cache", "the page, asked for each time"],
    ["/domains/anna.example?at=1", 200, "the page", "no-cache", "an address of the page's own"],
    ["/login", 200, "the page", "no-cache", "another"],
    ["/assets/index-AbCd1234.js", 200, "the script", "immutable", "its name says what is in it"],
    ["/assets/../index.html", 404, "", "no-store", "only what was built has an address"],
    ["/assets/../../secret.js", 404, "", "no-store", "dots"],
    ["/assets/..%2f..%2fsecret.js", 404, "", "no-store", "dots, encoded"],
    ["/assets/%2e%2e/%2e%2e/secret.js", 404, "", "no-store", "all of it encoded"],
    ["/assets/..%5c..%5csecret.js", 404, "", "no-store", "backslashes"],
    ["/assets//etc/passwd", 404, "", "no-store", "an absolute path"],
    ["/assets/%00", 404, "", "no-store", "a NUL"],
    ["/assets/.hidden", 404, "", "no-store", "what is hidden"],
    ["/assets/", 404, "", "no-store", "no list of files"],
    ["/assets", 404, "", "no-store", "nor this"],
    ["/manifest.json", 404, "", "no-store", "what the build has left beside"],
    ["/favicon.ico", 404, "", "no-store", "a file is no page"],
    ["/.env", 404, "", "no-store", "what scanners ask for"],
    ["/..%2fsecret.js", 404, "", "no-store", "out of the folder"],
    ["/x/../../secret.js", 404, "", "no-store", "out of it further down"],
    ["//evil.example/x", 404, "", "no-store", "another host's address"],
    ["/api/nothing", 404, "", "no-store", "the API speaks JSON where there is nothing"],
  ])("%s → %i %j %s (%s)", async (path, status, content, kept) => {
    const answer = await rawly(path);
    expect(answer.status).toBe(status);
    expect(answer.text).not.toContain("kept apart");
    expect(answer.text).toContain(content);
    expect(answer.headers["cache-control"]).toContain(kept);
    expect(answer.headers["content-security-policy"]).toContain("script-src 'self'");
    if (status === 404) expect(JSON.parse(answer.text)).toMatchObject({ status: 404 });
  });

  it("are sent small to who takes them so, and only by their own host's name", async () => {
    const small = await open.ask(nobody, "GET", "/assets/index-AbCd1234.js", undefined, {
      "accept-encoding": "br",
    });
    expect([small.headers["content-encoding"], small.text]).toEqual(["br", "the script, small"]);
    expect((await open.ask(nobody, "GET", "/", undefined, { host: "evil.example" })).status).toBe(421);
    expect((await open.ask(nobody, "POST", "/login", {})).status).toBe(404);
  });

  it("that are not built are said to be so, and how to build them", async () => {
    const { status, text } = await world.ask(nobody, "GET", "/");
    expect([status, text]).toEqual([503, expect.stringContaining("npm run build")]);
  });
});

describe("another tenant", () => {
  it("cannot reach a domain through a job, a delegation, a name inside, or an owner", async () => {
    const begun = await world.ask(who("owner"), "POST", "/api/domains/anna.example/check");
    const { job } = begun.body as { job: string };
    expect((await world.ask(who("other"), "GET", `/api/jobs/${job}`)).status).toBe(404);
    expect((await world.ask(who("other"), "GET", `/api/jobs/${job}/events`)).status).toBe(404);

    const renamed = { content: { domain: "anna.example" }, revision: 1 };
    expect((await world.ask(who("other"), "PUT", "/api/domains/bert.example", renamed)).status).toBe(422);
    const delegated = {
      content: { delegation: { zone: "anna.example" }, dmarc: { reports: ["x@anna.example"] } },
      revision: 1,
    };
    expect((await world.ask(who("other"), "PUT", "/api/domains/bert.example", delegated)).status).toBe(200);
    const key = { algorithm: "ed25519" };
    expect((await world.ask(who("other"), "POST", "/api/domains/bert.example/keys", key)).status).toBe(201);
    const rotate = { publish: true };
    const published = await world.ask(who("other"), "POST", "/api/domains/bert.example/keys/rotate", rotate);
    expect(published.status).toBe(422);
    expect(world.provider.applies).toBe(0);
    const plan = await world.ask(who("owner"), "GET", "/api/domains/anna.example/plan");
    expect(plan.status).toBe(200);
    expect(plan.text).not.toContain("bert.example");
  });

  it("cannot have a file read, nor a command set", async () => {
    const content = { dkim: [{ selector: "x", file: "/etc/passwd" }] };
    const answer = await world.ask(who("owner"), "PUT", "/api/domains/anna.example", {
      content,
      revision: 1,
    });
    expect([answer.status, answer.text.includes("root:")]).toEqual([422, false]);
    const servers = {
      content: { publish: [{ provider: "zone-file", file: "/tmp/x", reload: ["sh"] }] },
      revision: 1,
    };
    expect((await world.ask(who("administrator"), "PUT", "/api/servers", servers)).status).toBe(422);
  });

  it("makes no token at an open screen, and guesses no password there", async () => {
    await givePassword("anna");
    const session = clientOf(await login(nobody));
    const body = { label: "x", scopes: ["read"] };
    const make = (password?: string) =>
      world.ask(session, "POST", "/api/account/tokens", { ...body, ...(password && { password }) });
    expect((await make()).status).toBe(422);
    expect((await make("not the password at all")).status).toBe(422);
    expect((await make(PASSWORD)).status).toBe(201);
    const guesses = await Promise.all(Array.from({ length: 10 }, () => make("a guess at the password")));
    const statuses = guesses.map(({ status }) => status);
    // With the one from before they are five.
    expect(statuses.toSorted()).toEqual([...Array(6).fill(401), ...Array(4).fill(422)]);
    expect((await make(PASSWORD)).status).toBe(401);
  });

  it("does not see in the log what it should not, and no secret stands in any", async () => {
    await givePassword("anna");
    await login(nobody, "a wrong password of 40 letters or more..");
    const { body } = await world.ask(who("other"), "POST", "/api/account/tokens", {
      label: "x",
      scopes: ["read"],
      passwort: PASSWORD,
    });
    expect(body).toMatchObject({ status: 400 });
    const log = world.logged.join("") + world.access.dump();
    expect(world.logged.length).toBeGreaterThan(2);
    expect(log).not.toMatch(/zps_|zpt_|wrong password|quiet evening/);
  });
});

describe("awkward requests", () => {
  it.each<[method: string, path: string, body: unknown, status: number, reason: string]>([
    ["GET", "/api/domains/..%2f..%2fetc%2fpasswd", undefined, 400, "a path out of the tree"],
    ["GET", "/api/domains/%00", undefined, 400, "a NUL"],
    ["GET", "/api/domains/%zz", undefined, 400, "no percent-encoding"],
    ["GET", `/api/domains/${"a".repeat(5000)}`, undefined, 400, "a name without end"],
    ["GET", "//api/users", undefined, 404, "two slashes"],
    ["GET", "/api/domains?limit=999999", undefined, 400, "more than a page"],
    ["GET", "/api/domains?after=%ff", undefined, 400, "no place in a list"],
    ["GET", "/api/domains?limit=1&limit=2", undefined, 400, "the same twice"],
    ["POST", "/api/users", "{", 400, "half of JSON"],
    ["POST", "/api/users", '{"__proto__":{"role":"administrator"}}', 400, "a prototype"],
    ["POST", "/api/users", "[".repeat(50_000), 400, "deep nesting"],
    ["POST", "/api/users", "[]", 400, "a list"],
    ["POST", "/api/users", `"${"x".repeat(300_000)}"`, 413, "too much"],
    [
      "POST",
      "/api/users",
      { name: "a\r\nset-cookie: x=y", password: PASSWORD, role: "owner" },
      422,
      "lines in a name",
    ],
    ["POST", "/api/explain", { text: "v=spf1 \u0000 -all", more: 1 }, 400, "a field that is none"],
    ["POST", "/api/domains", { domain: "127.0.0.1" }, 400, "an address is no domain"],
    ["POST", "/api/domains", { domain: "x.example", content: { a: "b" } }, 422, "a key that is none"],
    ["PATCH", "/api/users", undefined, 404, "a method that is none"],
  ])("%s %s → %j %i (%s)", async (method, path, body, status) => {
    const answer = await world.ask(who("administrator"), method, path, body);
    expect(answer.status).toBe(status);
    expect(answer.body).toMatchObject({ status, what: expect.any(String), remedy: expect.any(String) });
    expect(answer.headers["set-cookie"]).toBeUndefined();
  });

  it("believes no proxy that is not named", async () => {
    await givePassword("anna");
    await world.ask(
      nobody,
      "POST",
      "/api/login",
      { name: "anna", password: "no" },
      { "x-forwarded-for": "203.0.113.9", "x-forwarded-host": "evil.example" },
    );
    expect(world.access.log.at(-1)?.address).toBe("127.0.0.1");
    const behind = await httpWorld({}, { trustedProxies: ["127.0.0.1"] });
    await behind.ask(
      nobody,
      "POST",
      "/api/login",
      { name: "anna", password: "no" },
      { "x-forwarded-for": "198.51.100.1, 203.0.113.9" },
    );
    expect(behind.access.log.at(-1)?.address).toBe("203.0.113.9");
    await behind.close();
  });
});

describe("a domain that points inside", () => {
  it.each<[address: string, reason: string]>([
    ["127.0.0.1", "this machine"],
    ["10.0.0.5", "the network behind"],
    ["169.254.169.254", "the cloud's own data"],
    ["192.168.1.1", "the router"],
  ])("%s is not connected to (%s)", async (address) => {
    const connected: string[] = [];
    const refuse = async (target: { address: { text: string } }) => {
      connected.push(target.address.text);
      return { status: "refused" as const, detail: "refused" };
    };
    const zone = `anna.example. 60 IN SOA ns.anna.example. h.anna.example. 1 2 3 4 5
anna.example. 60 IN NS ns.anna.example.
ns.anna.example. 60 IN A 192.0.2.53
anna.example. 60 IN MX 1 inside.anna.example.
anna.example. 60 IN MX 2 outside.anna.example.
anna.example. 60 IN A ${address}
inside.anna.example. 60 IN A ${address}
outside.anna.example. 60 IN A 192.0.2.25
mta-sts.anna.example. 60 IN A ${address}
_mta-sts.anna.example. 60 IN TXT "v=STSv1; id=1"
`;
    const inside = await httpWorld({ world: () => ({ ...tableWorld({ zone }), prober: proberOf(refuse) }) });
    const client = inside.clients["owner"]!;
    for (const [path, body] of [
      ["/api/domains/anna.example/check", undefined],
      ["/api/route", { address: "x@anna.example" }],
    ] as const) {
      const begun = await inside.ask(client, "POST", path, body);
      await inside.settle();
      const { job } = begun.body as { job: string };
      expect((await inside.ask(client, "GET", `/api/jobs/${job}`)).body).toMatchObject({ state: "done" });
    }
    expect(connected).toContain("192.0.2.25");
    expect(new Set(connected)).toEqual(new Set(["192.0.2.25"]));
    await inside.close();
  });
});

/** Whatever method of a prober is called: it is noted where to. */
function proberOf(refuse: (target: { address: { text: string } }) => Promise<object>) {
  return new Proxy({}, { get: () => refuse }) as never;
}

describe("a plan", () => {
  const owner = () => who("owner");
  it("is carried out by its digest alone, and taken back", async () => {
    const plan = await world.ask(owner(), "GET", "/api/domains/anna.example/plan");
    const { digest } = plan.body as { digest: string };
    const other = await world.ask(owner(), "POST", "/api/domains/anna.example/apply", {
      digest: "0".repeat(64),
    });
    expect(other.status).toBe(409);
    expect(world.provider.applies).toBe(0);
    const allow = ["dmarc-jump", "mx-unresolvable"];
    const begun = await world.ask(owner(), "POST", "/api/domains/anna.example/apply", { digest, allow });
    expect(begun.status).toBe(202);
    await world.settle();
    const { job } = begun.body as { job: string };
    const stream = await world.ask(owner(), "GET", `/api/jobs/${job}/events`);
    expect(stream.headers["content-type"]).toBe("text/event-stream");
    expect(stream.text).toMatch(/event: progress\ndata: .*\n\nevent: done\ndata: \{"status":"done"/s);
    expect(world.provider.rrsets.size).toBeGreaterThan(3);
    const undo = await world.ask(owner(), "GET", "/api/domains/anna.example/undo");
    const back = { digest: (undo.body as { digest: string }).digest };
    expect((await world.ask(owner(), "POST", "/api/domains/anna.example/undo", back)).status).toBe(202);
    await world.settle();
    expect(world.provider.rrsets.size).toBe(3);
    expect(world.access.log.map(({ action }) => action)).toEqual(
      expect.arrayContaining(["zone.apply", "zone.apply.done", "zone.undo", "zone.undo.done"]),
    );
  });

  it("is made from revisions: of two changes on one, the second is refused", async () => {
    const change = { content: { receives: false }, revision: 1 };
    expect((await world.ask(owner(), "PUT", "/api/domains/anna.example", change)).status).toBe(200);
    expect((await world.ask(owner(), "PUT", "/api/domains/anna.example", change)).status).toBe(409);
    expect((await world.parts.descriptions.domain(domainName("anna.example")))?.ownerId).toBe(
      world.users.anna.id,
    );
  });
});
