import { afterEach, describe, expect, it } from "vitest";
import { apiProviderContract } from "../../../test/contract/api-provider.ts";
import { changeOf, contentOf, findRrset, rrsetIn } from "../../../test/contract/provider.ts";
import { startPowerdnsApi } from "../../../test/support/apis/powerdns.ts";
import { createHttpClient } from "../../net/http-client.ts";
import { domainName } from "../../standards/dns/name.ts";
import { Secret } from "../secret.ts";
import { createPowerdnsProvider } from "./powerdns.ts";

const TOKEN = "powerdns-api-key";
const zone = domainName("example.org");

apiProviderContract({
  title: "PowerDNS",
  token: TOKEN,
  async open() {
    const server = await startPowerdnsApi(TOKEN, zone);
    return {
      server,
      zone,
      unknownZone: domainName("example.net"),
      provider: (means, apiKey) =>
        createPowerdnsProvider({
          ...means,
          url: server.url,
          server: "localhost",
          apiKey: new Secret(apiKey),
        }),
    };
  },
  replies: {
    refused: { status: 422, body: { error: `Record not in expected format (${TOKEN})` } },
    expired: { status: 401, body: "Unauthorized" },
    tooMany: (seconds) => ({ status: 429, headers: { "retry-after": String(seconds) }, body: {} }),
    broken: { status: 500, body: { error: "Internal Server Error" } },
  },
});

describe("PowerDNS", () => {
  const toClose: (() => Promise<void> | void)[] = [];
  afterEach(async () => {
    for (const close of toClose.splice(0)) await close();
  });
  const start = async (path = "") => {
    const server = await startPowerdnsApi(TOKEN, zone);
    const client = createHttpClient();
    toClose.push(client.close, server.close);
    const provider = createPowerdnsProvider({
      http: client.request,
      sleep: async () => {},
      url: `${server.url}${path}`,
      server: "localhost",
      apiKey: new Secret(TOKEN),
    });
    return { server, provider, stored: () => server.zones.get("example.org.")! };
  };

  it.each(["/", "/api/v1", "/api/v1/"])("its address may end with %s", async (path) => {
    const { provider } = await start(path);
    expect((await contentOf(provider, zone)).serial).toBe(7);
  });

  it("records that are switched off are not seen, and stay", async () => {
    const { provider, stored } = await start();
    const off = { content: '"off"', disabled: true };
    const name = "example.org.";
    stored().push({ name, type: "TXT", ttl: 60, records: [off, { content: '"on"', disabled: false }] });
    const seen = findRrset(await contentOf(provider, zone), zone, "TXT");
    expect(seen).toEqual(rrsetIn(zone, "@", "TXT", ['"on"'], 60));
    const other = rrsetIn(zone, "@", "TXT", ['"other"'], 60);
    expect(await provider.apply(zone, [changeOf(seen, other)])).toEqual({ status: "applied" });
    expect(stored().at(-1)?.records).toEqual([{ content: '"other"', disabled: false }, off]);
    expect(await provider.apply(zone, [changeOf(other, undefined)])).toEqual({ status: "applied" });
    expect(stored().at(-1)).toEqual({ name, type: "TXT", ttl: 60, records: [off] });
  });

  it("types and data that cannot be read are left alone", async () => {
    const { provider, stored } = await start();
    const record = (content: string) => ({ content, disabled: false });
    stored().push(
      { name: "example.org.", type: "ALIAS", ttl: 60, records: [record("example.net.")] },
      { name: "example.org.", type: "MX", ttl: 60, records: [record("ten mail.example.org.")] },
      { name: "www.example.net.", type: "A", ttl: 60, records: [record("192.0.2.1")] },
    );
    const before = structuredClone(stored());
    const content = await contentOf(provider, zone);
    expect(content.rrsets.map(({ type }) => type)).toEqual(["NS"]);
    const ours = changeOf(undefined, rrsetIn(zone, "@", "MX", ["10 mail.example.org."]));
    expect(await provider.apply(zone, [ours])).toMatchObject({ status: "failed", cause: "refused" });
    expect(stored()).toEqual(before);
  });

  it("old versions say in other words that they have no such zone", async () => {
    const { server, provider } = await start();
    const body = { error: "Could not find domain 'example.org.'" };
    server.plan({ on: "read", fault: { reply: { status: 422, body } } });
    expect(await provider.readZone(zone)).toMatchObject({ status: "failed", cause: "no-zone" });
  });
});
