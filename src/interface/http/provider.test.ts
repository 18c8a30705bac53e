/** Who holds zones, entered over the API: tried, kept, never shown, taken away and brought back. */
import { expect, it, onTestFinished } from "vitest";
import { httpWorld } from "../../../test/support/http-world.ts";
import { memoryProvider } from "../../../test/support/memory-provider.ts";
import { memoryProviderStore } from "../../../test/support/memory-provider-store.ts";
import type { Provider } from "../../publish/provider.ts";
import type { EnteredProvider, PublishEntry } from "../../records/publish-settings.ts";

const SECRET = "c2VjcmV0LW9mLXRoZS1rZXk=";
const TSIG = {
  provider: "rfc2136",
  zones: ["anna.example"],
  server: "192.0.2.53",
  key: { name: "zonepost", secret: SECRET },
};
const ZONE = "anna.example. 3600 IN SOA ns.anna.example. root.anna.example. 1 2 3 4 5\n";

async function world(
  change: (provider: Provider) => Provider = (provider) => provider,
  publishEntries: readonly PublishEntry[] = [],
) {
  const opened: (PublishEntry | EnteredProvider)[] = [];
  const providers = memoryProviderStore();
  const made = await httpWorld({
    providers,
    publishEntries,
    openProvider: async (entry) => {
      opened.push(entry);
      return change(memoryProvider(ZONE));
    },
  });
  onTestFinished(() => made.close());
  const call = async (method: "GET" | "POST" | "PUT" | "DELETE", url: string, payload?: object) => {
    const { status, text, body } = await made.ask(made.clients["administrator"]!, method, url, payload);
    // biome-ignore lint/suspicious/noExplicitAny: answers are looked at by their fields
    return { status, text, json: body as any };
  };
  return { made, call, opened, providers };
}

it("is tried and kept, and its secret is in no answer, log or row", async () => {
  const {
    made: { logged },
    call,
    opened,
    providers,
  } = await world();
  const made = await call("POST", "/api/providers", { entry: TSIG });
  expect(made.status, made.text).toBe(201);
  expect(made.json.trials).toEqual([{ zone: "anna.example", works: true, detail: expect.any(String) }]);
  expect(opened[0]).toMatchObject({ key: { secret: SECRET } });
  const list = await call("GET", "/api/providers");
  expect(list.json.providers).toEqual([
    {
      id: made.json.provider.id,
      provider: "rfc2136",
      zones: ["anna.example"],
      settings: { server: "192.0.2.53", key: { name: "zonepost", algorithm: "hmac-sha256" } },
      enteredAt: expect.any(String),
      enteredBy: "admin",
      revision: 1,
    },
  ]);
  const audit = await call("GET", "/api/audit");
  const everywhere =
    made.text + list.text + audit.text + logged.join() + JSON.stringify(await providers.list());
  expect(everywhere).not.toContain(SECRET);
  expect(audit.text).toContain("provider.create");
});

it("serves the plan of its zone", async () => {
  const { call, opened } = await world();
  expect((await call("GET", "/api/domains/anna.example/plan")).json.what).toContain("cannot publish");
  await call("POST", "/api/providers", { entry: TSIG });
  expect((await call("GET", "/api/domains/anna.example/plan")).status).toBe(200);
  expect(opened.at(-1)).toMatchObject({ provider: "rfc2136", key: { secret: SECRET } });
});

it("goes before one that takes all zones, and after one of the settings that names its zone", async () => {
  const zoneFile = { provider: "zone-file", file: "x", fragment: false, check: undefined, reload: undefined };
  for (const [zones, expected] of [
    [undefined, "rfc2136"],
    [["anna.example"], "zone-file"],
  ] as const) {
    const { call, opened } = await world(undefined, [{ ...zoneFile, zones } as PublishEntry]);
    await call("POST", "/api/providers", { entry: TSIG });
    await call("GET", "/api/domains/anna.example/plan");
    expect(opened.at(-1)?.provider).toBe(expected);
  }
});

const fails = { status: "failed", cause: "credentials", detail: "192.0.2.53 says BADKEY." } as const;

it.each<[what: string, change: (provider: Provider) => Provider]>([
  ["cannot be read", (provider) => ({ ...provider, readZone: async () => fails })],
  ["does not let us write", (provider) => ({ ...provider, tryWriting: async () => fails })],
])("is not kept where its zone %s, unless that is wanted", async (_, change) => {
  const { call } = await world(change);
  const refused = await call("POST", "/api/providers", { entry: TSIG });
  expect(refused.status).toBe(422);
  expect(refused.json.what).toContain("BADKEY");
  expect((await call("GET", "/api/providers")).json.providers).toEqual([]);
  const kept = await call("POST", "/api/providers", { entry: TSIG, evenUntried: true });
  expect(kept.json.trials[0]).toMatchObject({ works: false });
});

it("is refused with what is wrong in it, where it cannot even be opened", async () => {
  const { call } = await world(() => {
    throw new Error('publish, server: "ns1" is no address');
  });
  const refused = await call("POST", "/api/providers", { entry: TSIG, evenUntried: true });
  expect(refused.status).toBe(422);
  expect(refused.json.what).toContain('"ns1" is no address');
  expect((await call("GET", "/api/providers")).json.providers).toEqual([]);
});

it("is changed by who saw it last, tried again, taken away and brought back", async () => {
  const { made: around, call } = await world();
  const { json: made } = await call("POST", "/api/providers", { entry: TSIG });
  const at = `/api/providers/${made.provider.id}`;
  const entry = { provider: "desec", token: "another-secret" };
  expect((await call("PUT", at, { entry, revision: 7 })).status).toBe(409);
  expect(
    (await call("PUT", at, { entry, revision: 1, tryZone: "anna.example" })).json.provider,
  ).toMatchObject({
    provider: "desec",
    zones: null,
    revision: 2,
  });
  expect((await call("POST", `${at}/try`, {})).json.trials).toMatchObject([{ works: true }]);
  expect((await call("DELETE", at)).status).toBe(204);
  expect((await call("DELETE", at)).status).toBe(404);
  expect((await call("GET", "/api/providers")).json.providers).toEqual([]);
  around.clock = new Date(around.clock.getTime() + 60_000);
  expect((await call("POST", `${at}/restore`)).json.provider).toMatchObject({ id: made.provider.id });
  expect((await call("POST", `${at}/try`, {})).json.trials).toMatchObject([{ works: true }]);
});

it.each([
  ["a zone file, which would run programs", { provider: "zone-file", file: "/etc/passwd" }],
  [
    "a secret in a file of the server",
    { ...TSIG, key: { name: "zonepost", secret: { file: "/etc/shadow" } } },
  ],
  ["a secret with a line break", { provider: "gandi", token: "a\r\nX-Other: b" }],
  ["no secret", { provider: "gandi" }],
  ["a URL of another kind", { provider: "powerdns", url: "file:///etc/passwd", apiKey: "x" }],
])("refuses %s", async (_, entry) => {
  const { call } = await world();
  expect((await call("POST", "/api/providers", { entry })).status).toBe(400);
});
