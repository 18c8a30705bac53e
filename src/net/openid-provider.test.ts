/** Against a real provider on loopback. */
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import Provider from "oidc-provider";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { type HttpWorld, httpWorld, ORIGIN } from "../../test/support/http-world.ts";
import { createOpenidProvider } from "./openid-provider.ts";

const redirectUri = `${ORIGIN}/api/login/provider/return`;
let http: Server;
let issuer: string;
let world: HttpWorld;

beforeAll(async () => {
  http = createServer();
  await new Promise<void>((done) => http.listen(0, "127.0.0.1", done));
  issuer = `http://127.0.0.1:${(http.address() as AddressInfo).port}`;
  const client = {
    client_id: "zonepost",
    client_secret: "a secret of the laboratory",
    redirect_uris: [redirectUri],
    response_types: ["code"],
    grant_types: ["authorization_code"],
  };
  http.on("request", new Provider(issuer, { clients: [client], pkce: { required: () => true } }).callback());
  const settings = {
    issuer,
    clientId: "zonepost",
    clientSecret: client.client_secret,
    title: "Laboratory",
    redirectUri,
  };
  world = await httpWorld({ identity: createOpenidProvider({ ...settings, allowInsecure: true }) });
  const { anna } = world.users;
  await world.access.changeUser(anna, { ...anna, oidcSubject: `${issuer} anna@laboratory`, revision: 2 });
});
afterAll(async () => {
  await world.close();
  await new Promise((done) => http.close(done));
});

const nobody = { name: "nobody", headers: { origin: ORIGIN } };
const stepOf = (headers: Readonly<Record<string, unknown>>) =>
  String([headers["set-cookie"]].flat()[0]).split(";")[0]!;

/** Logs in there as a person would, and stops at the address that leads back. */
async function walk(
  start: string,
  login: string | undefined,
  jar: Map<string, string> = new Map(),
): Promise<string> {
  let url = start;
  let form: URLSearchParams | undefined;
  for (let hop = 0; hop < 15; hop++) {
    const response = await fetch(url, {
      redirect: "manual",
      headers: { cookie: [...jar].map(([name, value]) => `${name}=${value}`).join("; ") },
      ...(form && { method: "POST", body: form }),
    });
    for (const cookie of response.headers.getSetCookie()) {
      const [, name = "", value = ""] = /^([^=]+)=([^;]*)/.exec(cookie) ?? [];
      jar.set(name, value);
    }
    form = undefined;
    const to = response.headers.get("location");
    if (to !== null) {
      url = new URL(to, url).href;
      if (url.startsWith(ORIGIN)) return url;
      continue;
    }
    const page = await response.text();
    const prompt = /name="prompt" value="(\w+)"/.exec(page)?.[1];
    if (prompt === undefined) throw new Error(`no way on: ${page.slice(0, 300)}`);
    if (prompt === "login" && login === undefined) throw new Error("asked to log in");
    form = new URLSearchParams({ prompt, ...(login && { login }), password: "any" });
    url = new URL(/action="([^"]+)"/.exec(page)?.[1] ?? url, url).href;
  }
  throw new Error("the way has no end");
}

async function begin(query = "") {
  const begun = await world.ask(nobody, "POST", `/api/login/provider${query}`);
  expect(begun.status).toBe(200);
  return { url: (begun.body as { url: string }).url, cookie: stepOf(begun.headers) };
}
const comeBack = (url: string, cookie: string) =>
  world.ask({ name: "", headers: { cookie } }, "GET", url.slice(ORIGIN.length));

describe("login at an identity provider", () => {
  it("opens a session of the user with that subject, once", async () => {
    const { url, cookie } = await begin();
    const back = await walk(url, "anna@laboratory");
    const answer = await comeBack(back, cookie);
    expect([answer.status, answer.headers["location"]]).toEqual([303, "/"]);
    expect(String(answer.headers["set-cookie"])).toContain("__Host-zonepost-session=zps_");
    expect((await comeBack(back, cookie)).status).toBe(401);
    expect(world.access.log.findLast(({ action }) => action === "login")).toMatchObject({ actor: "anna" });
    expect(world.logged.join("")).not.toContain(new URL(back).searchParams.get("code"));
  });

  it("opens sessions for any number who come from one address", async () => {
    const jar = new Map<string, string>();
    for (let time = 0; time < 45; time++) {
      const { url, cookie } = await begin();
      const { status } = await comeBack(await walk(url, "anna@laboratory", jar), cookie);
      expect(status, `login ${time}`).toBe(303);
    }
  });

  it("opens nothing for a subject that nobody was given", async () => {
    const { url, cookie } = await begin();
    expect((await comeBack(await walk(url, "zoe@laboratory"), cookie)).status).toBe(401);
  });

  it("opens nothing in another browser, nor with another answer's state", async () => {
    const [one, other] = [await begin(), await begin()];
    const back = await walk(one.url, "anna@laboratory");
    expect((await comeBack(back, "none=1")).status).toBe(401);
    expect((await comeBack(back, other.cookie)).status).toBe(401);
  });

  it("says so where the provider does not answer", async () => {
    const settings = {
      issuer: "http://127.0.0.1:1",
      clientId: "x",
      clientSecret: "x",
      title: "x",
      redirectUri,
    };
    const alone = await httpWorld({ identity: createOpenidProvider({ ...settings, allowInsecure: true }) });
    expect((await alone.ask(nobody, "POST", "/api/login/provider")).status).toBe(502);
    await alone.close();
  });
});

describe("what asks for a login just now", () => {
  /** A browser whose owner is logged in at the provider, and left the screen open. */
  let jar: Map<string, string>;
  beforeEach(async () => {
    jar = new Map();
    await walk((await begin("?again=true")).url, "anna@laboratory", jar);
  });
  /** Whether a token may be made with the session that comes of it. */
  async function makesToken(
    login: string | undefined,
    query: string,
    onItsWay: (url: URL) => void = () => {},
  ): Promise<number> {
    const { url: text, cookie } = await begin(query);
    const url = new URL(text);
    onItsWay(url);
    const answer = await comeBack(await walk(url.href, login, jar), cookie);
    expect(answer.status).toBe(303);
    const session = [answer.headers["set-cookie"]]
      .flat()
      .map(String)
      .find((one) => one.includes("zps_"))!;
    const headers = { origin: ORIGIN, cookie: session.split(";")[0]! };
    const { body } = await world.ask({ name: "", headers }, "GET", "/api/session");
    const { csrfToken } = body as { csrfToken: string };
    const client = { name: "anna", headers: { ...headers, "x-csrf-token": csrfToken } };
    return (await world.ask(client, "POST", "/api/account/tokens", { label: "x", scopes: ["read"] })).status;
  }
  const MINUTES = 60_000;

  it("is not content with a login of which it is not known when it was", async () => {
    expect(await makesToken(undefined, "")).toBe(422);
  });

  it("is content with one that was asked for anew", async () => {
    world.clock = new Date();
    await expect(makesToken(undefined, "?again=true")).rejects.toThrow("asked to log in");
    expect(await makesToken("anna@laboratory", "?again=true")).toBe(201);
  });

  it("is not content where the browser has left out that it is to be asked for", async () => {
    world.clock = new Date();
    const leftOut = (url: URL) => {
      expect([url.searchParams.get("max_age"), url.searchParams.get("prompt")]).toEqual(["0", "login"]);
      url.searchParams.delete("max_age");
      url.searchParams.delete("prompt");
    };
    expect(await makesToken(undefined, "?again=true", leftOut)).toBe(422);
  });

  it.each<[minutes: number, status: number]>([
    [9, 201],
    [11, 422],
  ])("counts from when they proved it: after %i minutes %i", async (minutes, status) => {
    world.clock = new Date(Date.now() + minutes * MINUTES);
    const known = (url: URL) => {
      url.searchParams.set("max_age", "100000");
      url.searchParams.delete("prompt");
    };
    expect(await makesToken(undefined, "?again=true", known)).toBe(status);
  });

  it("takes a provider's clock that is ahead for now, and no later", async () => {
    world.clock = new Date(Date.now() - 60 * MINUTES);
    expect(await makesToken("anna@laboratory", "?again=true")).toBe(201);
    const sessions = await world.access.sessions(world.users.anna.id);
    expect(sessions.map(({ provenAt }) => provenAt)).toContainEqual(world.clock);
  });
});
