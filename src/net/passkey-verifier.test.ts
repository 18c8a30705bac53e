import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { type HttpWorld, httpWorld, ORIGIN } from "../../test/support/http-world.ts";
import { softwarePasskey } from "../../test/support/software-passkey.ts";
import { createPasskeyVerifier } from "./passkey-verifier.ts";

let world: HttpWorld;
beforeEach(async () => {
  world = await httpWorld({ passkeys: createPasskeyVerifier(ORIGIN) });
});
afterEach(() => world.close());

const nobody = { name: "nobody", headers: { origin: ORIGIN } };
const cookiesOf = (headers: Readonly<Record<string, unknown>>) =>
  [headers["set-cookie"]].flat().map((one) => String(one).split(";")[0]!);
const challengeOf = (body: unknown) => (body as { challenge: string }).challenge;

/** The offer, with the cookie that comes back with the answer. */
async function offer(client: typeof nobody, path: string, body?: object) {
  const offered = await world.ask(client, "POST", path, body);
  expect(offered.status).toBe(200);
  const cookie = [client.headers["cookie" as never], ...cookiesOf(offered.headers)]
    .filter(Boolean)
    .join("; ");
  return {
    challenge: challengeOf(offered.body),
    client: { ...client, headers: { ...client.headers, cookie } },
  };
}

async function registered() {
  const passkey = softwarePasskey(ORIGIN);
  const owner = world.clients["owner"] as typeof nobody;
  const { challenge, client } = await offer(owner, "/api/account/passkeys/offer", {});
  const body = { label: "key", answer: passkey.create(challenge) };
  expect((await world.ask(client, "POST", "/api/account/passkeys", body)).status).toBe(201);
  return passkey;
}

describe("a passkey", () => {
  it("is registered, and opens a session of whose it is", async () => {
    const passkey = await registered();
    const { challenge, client } = await offer(nobody, "/api/login/passkey/offer");
    const answer = passkey.get(challenge);
    const login = await world.ask(client, "POST", "/api/login/passkey", { answer });
    expect(login.body).toMatchObject({ status: "in" });
    const cookie = cookiesOf(login.headers).find((one) => one.includes("session"))!;
    const session = await world.ask({ name: "", headers: { cookie } }, "GET", "/api/session");
    expect(session.body).toMatchObject({ user: { name: "anna" }, isComplete: true });
    // What was heard on the way is worth nothing a second time.
    expect((await world.ask(client, "POST", "/api/login/passkey", { answer })).status).toBe(401);
  });

  it.each<
    [answer: (passkey: ReturnType<typeof softwarePasskey>, challenge: string) => object, reason: string]
  >([
    [(passkey) => passkey.get("AAAA"), "another challenge"],
    [(passkey, challenge) => passkey.get(challenge, "https://evil.example"), "shown to another site"],
    [(passkey, challenge) => passkey.get(challenge, ORIGIN, 0x01), "nobody has proven to be its owner"],
    [(_, challenge) => softwarePasskey(ORIGIN).get(challenge), "a key that nobody registered"],
    [
      (passkey, challenge) => ({ ...softwarePasskey(ORIGIN).get(challenge), id: passkey.get("").id }),
      "another's signature under its name",
    ],
    [() => ({ id: "x" }), "half an answer"],
  ])("does not open: %# (%#)", async (answer) => {
    const passkey = await registered();
    const { challenge, client } = await offer(nobody, "/api/login/passkey/offer");
    const body = { answer: answer(passkey, challenge) };
    expect((await world.ask(client, "POST", "/api/login/passkey", body)).status).toBe(401);
  });

  it("is registered by who was asked alone, while it is asked", async () => {
    const passkey = softwarePasskey(ORIGIN);
    const owner = world.clients["owner"] as typeof nobody;
    const other = world.clients["other"] as typeof nobody;
    const { challenge, client } = await offer(owner, "/api/account/passkeys/offer", {});
    const kept = client.headers["cookie" as never] as string;
    const stolen = kept.split("; ").find((one) => one.includes("passkey"))!;
    const body = { label: "key", answer: passkey.create(challenge) };
    const headers = { ...other.headers, cookie: `${other.headers["cookie" as never]}; ${stolen}` };
    expect((await world.ask({ name: "", headers }, "POST", "/api/account/passkeys", body)).status).toBe(422);
    world.clock = new Date(world.clock.getTime() + 301_000);
    expect((await world.ask(client, "POST", "/api/account/passkeys", body)).status).toBe(422);
  });
});
