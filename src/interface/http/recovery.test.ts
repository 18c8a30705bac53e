/** Somebody is thrown out while a request of theirs is still looked at: it comes to nothing. */
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { type Client, type HttpWorld, httpWorld, ORIGIN } from "../../../test/support/http-world.ts";
import type { User } from "../../access/access-store.ts";
import { hashPassword } from "../../access/password.ts";

const PASSWORD = "a long and quiet evening";
const nobody: Client = { name: "nobody", headers: { origin: ORIGIN } };

let world: HttpWorld;
/** What happens between the look at somebody and what they begin. */
let meanwhile: (() => Promise<unknown>) | undefined;
const now = async () => {
  const act = meanwhile;
  meanwhile = undefined;
  await act?.();
};

beforeEach(async () => {
  world = await httpWorld({
    passkeys: {
      registration: async () => {
        await now();
        return { credentialId: "BBBB", publicKey: "AAAA", counter: 0, transports: [] };
      },
      login: async () => {
        await now();
        return 1;
      },
    },
    identity: {
      title: "Laboratory",
      authorizationUrl: async ({ state }) => `https://id.example/?state=${state}`,
      identity: async () => ({ subject: "https://id.example anna", provenAt: undefined }),
    },
  });
  const { anna } = world.users;
  const passwordHash = await hashPassword(PASSWORD, world.parts.random);
  const after = { ...anna, passwordHash, oidcSubject: "https://id.example anna", revision: 2 };
  await world.access.changeUser(anna, after);
  const passkey = { credentialId: "AAAA", publicKey: "AAAA", counter: 0, transports: [] };
  const lasting = { userId: anna.id, label: "x", createdAt: anna.createdAt, lastUsedAt: undefined };
  expect(await world.access.addPasskey({ ...passkey, ...lasting }, (await annaNow())!)).toBe("added");
});
afterEach(() => world.close());

const annaNow = () => world.access.user({ id: world.users.anna.id });
const sessionOf = (headers: Readonly<Record<string, unknown>>, name = "session") =>
  [headers["set-cookie"]]
    .flat()
    .map(String)
    .find((one) => one.startsWith(`__Host-zonepost-${name}=`))
    ?.split(";")[0];
async function loggedIn(): Promise<Client> {
  const { headers, body } = await world.ask(nobody, "POST", "/api/login", {
    name: "anna",
    password: PASSWORD,
  });
  const { csrfToken } = body as { csrfToken: string };
  return {
    name: "anna",
    headers: { origin: ORIGIN, cookie: sessionOf(headers)!, "x-csrf-token": csrfToken },
  };
}
/** With the cookie of a step. */
async function stepped(client: Client, path: string, step: string, body?: object): Promise<Client> {
  const { headers } = await world.ask(client, "POST", path, body);
  const cookie = [client.headers["cookie"], sessionOf(headers, step)].filter(Boolean).join("; ");
  return { ...client, headers: { ...client.headers, cookie } };
}

/** The store says who it is, and then it is not so any more, before the password has been looked at. */
function onceRead(act: () => Promise<unknown>): void {
  const { user } = world.access;
  world.access.user = async (by) => {
    const found = await user(by);
    world.access.user = user;
    await act();
    return found;
  };
}

type Change = Partial<Pick<User, "disabledAt" | "passwordHash">>;
const change = async (more: Change, isRecovery = false) => {
  const before = (await annaNow())!;
  expect(
    await world.access.changeUser(
      before,
      { ...before, ...more, revision: before.revision + 1 },
      { isRecovery },
    ),
  ).toBe("changed");
};
const RECOVERIES: readonly (readonly [reason: string, act: () => Promise<unknown>])[] = [
  ["a new password that was given them", () => change({ passwordHash: "$argon2id$none" }, true)],
  ["a reset that leaves the password as it is", () => change({}, true)],
  [
    "kept out, and let in again",
    async () => {
      await change({ disabledAt: world.clock });
      await change({ disabledAt: undefined });
    },
  ],
];

describe.each(RECOVERIES)("%s", (_, recover) => {
  const isLeft = async () => {
    const { id } = world.users.anna;
    const [sessions, tokens] = [await world.access.sessions(id), await world.access.tokens(id)];
    return [...sessions, ...tokens, ...(await world.access.passkeys(id))].length;
  };

  it("leaves nothing to who logs in with a password at that moment", async () => {
    onceRead(recover);
    const { status, headers } = await world.ask(nobody, "POST", "/api/login", {
      name: "anna",
      password: PASSWORD,
    });
    expect([status, sessionOf(headers), await isLeft()]).toEqual([401, undefined, 0]);
  });

  it("leaves nothing to who logs in with a passkey at that moment", async () => {
    const client = await stepped(nobody, "/api/login/passkey/offer", "passkey");
    meanwhile = recover;
    const { status, headers } = await world.ask(client, "POST", "/api/login/passkey", {
      answer: { id: "AAAA" },
    });
    expect([status, sessionOf(headers), await isLeft()]).toEqual([401, undefined, 0]);
  });

  it("leaves nothing to who comes from an identity provider at that moment", async () => {
    const client = await stepped(nobody, "/api/login/provider", "identity");
    onceRead(recover);
    const { status, headers } = await world.ask(client, "GET", "/api/login/provider/return");
    expect([status, sessionOf(headers), await isLeft()]).toEqual([401, undefined, 0]);
  });

  it("leaves no token that is made at that moment", async () => {
    const client = await loggedIn();
    onceRead(recover);
    const body = { label: "x", scopes: ["read"], password: PASSWORD };
    expect((await world.ask(client, "POST", "/api/account/tokens", body)).status).toBe(401);
    expect(await isLeft()).toBe(0);
  });

  it("leaves no passkey that is registered at that moment", async () => {
    const client = await stepped(await loggedIn(), "/api/account/passkeys/offer", "passkey", {
      password: PASSWORD,
    });
    meanwhile = recover;
    const answer = await world.ask(client, "POST", "/api/account/passkeys", {
      label: "x",
      answer: { id: "BBBB" },
    });
    expect([answer.status, await isLeft()]).toEqual([422, 0]);
  });
});
