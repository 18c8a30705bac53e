/** Somebody was in once, or sits before a screen that was left open: what of that lasts. */
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { type Client, type HttpWorld, httpWorld, ORIGIN } from "../../../test/support/http-world.ts";
import type { Passkey, User } from "../../access/access-store.ts";
import { countCode } from "../../access/attempt.ts";
import { MAX_CREDENTIAL_ID } from "../../access/passkey.ts";
import { hashPassword } from "../../access/password.ts";
import { beginSession, csrfToken } from "../../access/session.ts";
import { makeToken } from "../../access/token.ts";

let credentialId = "AAAA";
let world: HttpWorld;
beforeEach(async () => {
  world = await httpWorld({
    passkeys: {
      registration: async () => ({ credentialId, publicKey: "AAAA", counter: 0, transports: [] }),
      login: async () => 1,
    },
  });
});
afterEach(() => world.close());

const who = (name: string): Client => world.clients[name]!;
const nobody: Client = { name: "nobody", headers: { origin: ORIGIN } };
const passkeyOf = (user: User, id = "AAAA"): Passkey => ({
  userId: user.id,
  credentialId: id,
  publicKey: "AAAA",
  counter: 0,
  transports: [],
  label: "the intruder's",
  createdAt: user.createdAt,
  lastUsedAt: undefined,
});

/** With the cookie that an offer has set. */
async function offered(client: Client, path: string): Promise<Client> {
  const { headers } = await world.ask(client, "POST", path, {});
  const cookie = [client.headers["cookie"], String([headers["set-cookie"]].flat()[0]).split(";")[0]]
    .filter(Boolean)
    .join("; ");
  return { ...client, headers: { ...client.headers, cookie } };
}
async function comeInByPasskey(id = "AAAA"): Promise<number> {
  const client = await offered(nobody, "/api/login/passkey/offer");
  return (await world.ask(client, "POST", "/api/login/passkey", { answer: { id } })).status;
}

describe("an intruder's passkey and token", () => {
  let token: Client;
  beforeEach(async () => {
    const { anna } = world.users;
    await world.access.addPasskey(passkeyOf(anna), anna);
    const made = await makeToken(
      anna,
      { label: "the intruder's", scopes: ["read"] },
      world.clock,
      world.parts.random,
      world.access,
    );
    token = { name: "token", headers: { authorization: `Bearer ${made!.secret}` } };
    expect(await comeInByPasskey()).toBe(200);
    expect((await world.ask(token, "GET", "/api/domains")).status).toBe(200);
  });
  const change = async (body: object) => {
    const { revision } = (await world.access.user({ id: world.users.anna.id }))!;
    const path = `/api/users/${world.users.anna.id}`;
    return (await world.ask(who("administrator"), "PUT", path, { ...body, revision })).status;
  };

  it("open nothing once an administrator has set a new password", async () => {
    expect(await change({ makePassword: true })).toBe(200);
    expect(await comeInByPasskey()).toBe(401);
    expect((await world.ask(token, "GET", "/api/domains")).status).toBe(401);
  });

  it("open nothing once an administrator has kept the user out, and let in again", async () => {
    expect(await change({ disabled: true })).toBe(200);
    expect(await change({ disabled: false })).toBe(200);
    expect(await comeInByPasskey()).toBe(401);
    expect((await world.ask(token, "GET", "/api/domains")).status).toBe(401);
  });

  it("open nothing once the user's subject is another one", async () => {
    expect(await change({ oidcSubject: "https://id.example anna" })).toBe(200);
    expect(await comeInByPasskey()).toBe(401);
    expect((await world.ask(token, "GET", "/api/domains")).status).toBe(401);
    expect((await world.ask(who("owner"), "GET", "/api/account")).status).toBe(401);
  });

  it("stay where the subject is written down as it is", async () => {
    expect(await change({ oidcSubject: null })).toBe(200);
    expect(await comeInByPasskey()).toBe(200);
    expect((await world.ask(who("owner"), "GET", "/api/account")).status).toBe(200);
  });

  it("stay where only the role is changed", async () => {
    expect(await change({ role: "reader" })).toBe(200);
    expect(await comeInByPasskey()).toBe(200);
    expect((await world.ask(token, "GET", "/api/domains")).status).toBe(200);
  });
});

it.each([
  [MAX_CREDENTIAL_ID, 201, 204, "as long as WebAuthn grants: it can be removed"],
  [MAX_CREDENTIAL_ID + 1, 422, 400, "longer: it is not taken in"],
])("a passkey with an id of %i characters: %i, then %i (%s)", async (length, added, removed) => {
  credentialId = "A".repeat(length);
  const other = passkeyOf(world.users.anna, "BBBB");
  await world.access.addPasskey(other, world.users.anna);
  const client = await offered(who("owner"), "/api/account/passkeys/offer");
  const body = { label: "long", answer: { id: credentialId } };
  expect((await world.ask(client, "POST", "/api/account/passkeys", body)).status).toBe(added);
  expect(await comeInByPasskey(credentialId)).toBe(added === 201 ? 200 : 401);
  const path = `/api/account/passkeys/${credentialId}`;
  expect((await world.ask(who("owner"), "DELETE", path)).status).toBe(removed);
  expect(await world.access.passkeys(world.users.anna.id)).toEqual([other]);
});

it("of two administrators who demote each other, one after the other, the second is told that they are the last", async () => {
  const { admin, bert } = world.users;
  await world.access.changeUser(bert, { ...bert, role: "administrator", revision: 2 });
  const demote = (by: string, { id }: User, revision: number) =>
    world.ask(who(by), "PUT", `/api/users/${id}`, { role: "owner", revision });
  expect((await demote("administrator", bert, 2)).status).toBe(200);
  const { status, text } = await demote("administrator", admin, 1);
  expect([status, text]).toEqual([422, expect.stringContaining("the last administrator")]);
});

const PASSWORD = "a long and quiet evening";
const LATER_MILLISECONDS = 10 * 60_000 + 1;

/** What outlives a session, as far as an open screen gets with it. */
const LASTING: readonly (readonly [method: string, path: string, body: object, field: string])[] = [
  ["POST", "/api/users", { name: "mine", role: "administrator", makePassword: true }, "ownPassword"],
  ["POST", "/api/users", { name: "mine", role: "owner", oidcSubject: "https://id.example x" }, "ownPassword"],
  ["PUT", "/api/users/id-of-admin", { revision: 0, makePassword: true, removeTotp: true }, "ownPassword"],
  ["PUT", "/api/users/id-of-admin", { revision: 0, oidcSubject: "https://id.example x" }, "ownPassword"],
  ["PUT", "/api/users/id-of-bert", { revision: 1, role: "administrator" }, "ownPassword"],
  ["POST", "/api/account/tokens", { label: "mine", scopes: ["admin"] }, "password"],
  ["POST", "/api/account/passkeys/offer", {}, "password"],
  ["POST", "/api/account/totp/offer", {}, "password"],
  ["PUT", "/api/account/password", { newPassword: "mine for ever and a day" }, "password"],
  ["POST", "/api/backup", {}, "password"],
];

describe.each(LASTING)("at an open screen of an administrator, %s %s %j", (method, path, body, field) => {
  const ask = async (client: Client, more: object = {}) => {
    const { revision } = (await world.access.user({ id: world.users.admin.id }))!;
    const current = "revision" in body && path.endsWith("admin") ? { revision } : {};
    return world.ask(client, method, path, { ...body, ...current, ...more });
  };

  it("wants the password, and keeps it nowhere", async () => {
    const { admin } = world.users;
    const passwordHash = await hashPassword(PASSWORD, world.parts.random);
    const caller = { address: "192.0.2.7", userAgent: "test" };
    await world.access.changeUser(admin, { ...admin, passwordHash, revision: 2 });
    const tools = { store: world.access, now: world.parts.now, random: world.parts.random };
    const times = { idleSeconds: 3600, totalSeconds: 3600 };
    const secret = (await beginSession({ ...admin, passwordHash }, caller, true, undefined, {
      ...tools,
      times,
    }))!;
    const cookie = `__Host-zonepost-session=${secret}`;
    const headers = { cookie, origin: ORIGIN, "x-csrf-token": csrfToken(secret) };
    const screen: Client = { name: "an open screen", headers };
    for (const more of [{}, { [field]: "a guess at the password" }]) {
      const refused = await ask(screen, more);
      expect([refused.status, refused.body]).toEqual([
        422,
        expect.objectContaining({ where: `body.${field}` }),
      ]);
    }
    expect((await ask(screen, { [field]: PASSWORD })).status).toBeLessThan(300);
    expect(world.access.dump() + world.logged.join("")).not.toContain(PASSWORD);
  });

  it("wants a new login where there is no password", async () => {
    world.clock = new Date(world.clock.getTime() + LATER_MILLISECONDS);
    const { status, text } = await ask(who("administrator"));
    expect([status, text]).toEqual([422, expect.stringContaining("log in again")]);
  });

  it("is done soon after a login without a password", async () => {
    world.clock = new Date(world.clock.getTime() + LATER_MILLISECONDS - 1);
    expect((await ask(who("administrator"))).status).toBeLessThan(300);
  });
});

it.each<[change: object, of: "bert" | "rita" | "deputy", status: number, reason: string]>([
  [{ disabled: true }, "bert", 200, "taking away asks for nothing"],
  [{ role: "reader" }, "deputy", 200, "an administrator who is less"],
  [{ role: "owner", disabled: true }, "deputy", 200, "and kept out"],
  [{ role: "owner" }, "bert", 200, "as they are"],
  [{ disabled: false }, "bert", 422, "let in"],
  [{ role: "reader" }, "bert", 422, "a reader sees what an owner does not"],
  [{ role: "owner" }, "rita", 422, "an owner changes what a reader does not"],
  [{ disabled: true, removeTotp: true }, "bert", 422, "codes off, for later"],
  [{ disabled: true, makePassword: true }, "bert", 422, "a way in, for later"],
  [{ oidcSubject: "https://id.example x" }, "bert", 422, "a way in"],
])("without the password, %j of %s: %i (%s)", async (change, of, status) => {
  const { admin, rita } = world.users;
  const after = { ...admin, passwordHash: "$argon2id$none", revision: 2 };
  const { secretHash } = (await world.access.sessions(admin.id))[0]!;
  await world.access.changeUser(admin, after, { keepSession: secretHash });
  if (of === "deputy") await world.access.changeUser(rita, { ...rita, role: "administrator", revision: 2 });
  const { id } = of === "deputy" ? rita : world.users[of];
  const { revision } = (await world.access.user({ id }))!;
  const answer = await world.ask(who("administrator"), "PUT", `/api/users/${id}`, { ...change, revision });
  expect(answer.status).toBe(status);
  expect((await world.access.user({ id }))!.revision).toBe(revision + (status === 200 ? 1 : 0));
});

describe("who guesses at an open screen", () => {
  const TOKEN = { label: "x", scopes: ["read"] };
  let logIn: (password: string) => Promise<Client>;
  beforeEach(async () => {
    const { anna } = world.users;
    const passwordHash = await hashPassword(PASSWORD, world.parts.random);
    await world.access.changeUser(anna, { ...anna, passwordHash, revision: 2 });
    logIn = async (password) => {
      const given = { name: "anna", password };
      const { status, body, headers } = await world.ask(nobody, "POST", "/api/login", given);
      expect(status).toBe(200);
      const cookie = String([headers["set-cookie"]].flat()[0]).split(";")[0]!;
      const { csrfToken } = body as { csrfToken: string };
      return { name: "anna", headers: { origin: ORIGIN, cookie, "x-csrf-token": csrfToken } };
    };
  });
  const make = async (screen: Client, password?: string) => {
    const body = { ...TOKEN, ...(password !== undefined && { password }) };
    return (await world.ask(screen, "POST", "/api/account/tokens", body)).status;
  };
  const times = async (count: number, act: () => Promise<number>) => {
    const statuses = [];
    for (let at = 0; at < count; at++) statuses.push(await act());
    return statuses;
  };

  it("ends that session, and keeps its owner from nothing", async () => {
    const screen = await logIn(PASSWORD);
    const own = await logIn(PASSWORD);
    expect(await times(7, () => make(screen, "a guess at the password"))).toEqual([
      ...Array(5).fill(422),
      401,
      401,
    ]);
    expect((await world.ask(screen, "GET", "/api/account")).status).toBe(401);
    expect(await make(own, PASSWORD)).toBe(201);
  });

  it("does not guess where nothing is typed", async () => {
    const screen = await logIn(PASSWORD);
    expect(await times(30, () => make(screen))).toEqual(Array(30).fill(422));
    expect(await make(screen, PASSWORD)).toBe(201);
  });

  it("guesses at codes there, and keeps nobody from the codes of a login", async () => {
    const screen = await logIn(PASSWORD);
    const body = { pending: "none", code: "000000" };
    const guess = async () => (await world.ask(screen, "PUT", "/api/account/totp", body)).status;
    expect(await times(6, guess)).toEqual([...Array(5).fill(422), 429]);
    const { id } = world.users.anna;
    expect((await countCode(world.access, id, world.clock)).granted).toBe(true);
  });

  it("or at the login, stands in the way of who got a new password no more", async () => {
    const { id } = world.users.anna;
    const guess = () =>
      world.ask(nobody, "POST", "/api/login", { name: "anna", password: "a guess at the password" });
    for (let at = 0; at < 6; at++) await guess();
    expect((await guess()).status).toBe(429);
    for (let at = 0; at < 6; at++) await countCode(world.access, id, world.clock);
    const change = { revision: 2, makePassword: true };
    const { body } = await world.ask(who("administrator"), "PUT", `/api/users/${id}`, change);
    const { temporaryPassword } = body as { temporaryPassword: string };
    expect(await make(await logIn(temporaryPassword), temporaryPassword)).toBe(201);
    expect((await countCode(world.access, id, world.clock)).granted).toBe(true);
  });
});

it("with a passkey any number come in from one address", async () => {
  await world.access.addPasskey(passkeyOf(world.users.anna), world.users.anna);
  const statuses = [];
  for (let time = 0; time < 45; time++) statuses.push(await comeInByPasskey());
  expect(new Set(statuses)).toEqual(new Set([200]));
  for (let time = 0; time < 45; time++) statuses.push(await comeInByPasskey("nobody's"));
  expect(statuses.filter((status) => status === 401)).toHaveLength(40);
  expect(statuses.at(-1)).toBe(429);
});
