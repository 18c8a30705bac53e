import { afterEach, describe, expect, it } from "vitest";
import { apiProviderContract } from "../../../test/contract/api-provider.ts";
import { changeOf, contentOf, findRrset, rrsetIn } from "../../../test/contract/provider.ts";
import { type CloudflareRecord, startCloudflareApi } from "../../../test/support/apis/cloudflare.ts";
import { createHttpClient } from "../../net/http-client.ts";
import { domainName } from "../../standards/dns/name.ts";
import { txtText } from "../../standards/dns/record.ts";
import { Secret } from "../secret.ts";
import { createCloudflareProvider } from "./cloudflare.ts";

const TOKEN = "cloudflare-token";
const zone = domainName("example.org");
const refusal = (status: number, code: number, message: string) => ({
  status,
  body: { success: false, errors: [{ code, message }], result: null },
});

apiProviderContract({
  title: "Cloudflare",
  token: TOKEN,
  async open() {
    const server = await startCloudflareApi(TOKEN, zone);
    return {
      server,
      zone,
      unknownZone: domainName("example.net"),
      provider: (means, token) =>
        createCloudflareProvider({ ...means, url: server.url, token: new Secret(token) }),
    };
  },
  replies: {
    refused: refusal(400, 9005, `Content for A record is invalid (${TOKEN})`),
    expired: refusal(403, 9109, `The access token ${TOKEN} has expired`),
    tooMany: (seconds) => ({
      ...refusal(429, 10013, "More than 1200 requests per 300 seconds reached"),
      headers: { "retry-after": String(seconds) },
    }),
    broken: { status: 502, body: "<html>Bad gateway</html>" },
  },
});

describe("Cloudflare", () => {
  const toClose: (() => Promise<void> | void)[] = [];
  afterEach(async () => {
    for (const close of toClose.splice(0)) await close();
  });
  const start = async (...records: Omit<CloudflareRecord, "id">[]) => {
    const server = await startCloudflareApi(TOKEN, zone);
    server.records.push(...records.map((record, at) => ({ ...record, id: `given${at}` })));
    const client = createHttpClient();
    toClose.push(client.close, server.close);
    const provider = createCloudflareProvider({
      http: client.request,
      sleep: async () => {},
      url: server.url,
      token: new Secret(TOKEN),
    });
    return { server, provider };
  };
  const txt = { name: "example.org", type: "TXT", ttl: 300 };

  it("the TTL 1 is automatic", async () => {
    const { provider } = await start({ ...txt, ttl: 1, content: '"text"' });
    expect(findRrset(await contentOf(provider, zone), zone, "TXT")?.ttlSeconds).toBe(300);
  });

  it.each<[content: string, text: string, reason: string]>([
    ['"v=spf1 -all"', "v=spf1 -all", "quoted"],
    ["v=spf1 -all", "v=spf1 -all", "of older days, without quotes"],
    ['"a" "b"', "ab", "several strings"],
    ['"a\\"b\\\\"', 'a"b\\', "escapes"],
    ['a "b" c', 'a "b" c', "quotes inside a text without quotes"],
  ])("reads TXT %s", async (content, text) => {
    const { provider } = await start({ ...txt, content });
    const [data] = findRrset(await contentOf(provider, zone), zone, "TXT")!.data;
    expect(data?.type === "TXT" && txtText(data)).toBe(text);
  });

  it("what stays keeps its id, comment and proxy; where it is proxied the TTL is not touched", async () => {
    const a = { name: "www.example.org", type: "A" };
    const { server, provider } = await start(
      { ...a, ttl: 1, content: "192.0.2.1", proxied: true, comment: "web" },
      { ...a, ttl: 1, content: "192.0.2.2", proxied: true },
    );
    const name = domainName("www.example.org");
    const seen = findRrset(await contentOf(provider, zone), name, "A");
    const wanted = rrsetIn(zone, "www", "A", ["192.0.2.1", "192.0.2.3"]);
    expect(await provider.apply(zone, [changeOf(seen, wanted)])).toEqual({ status: "applied" });
    expect(server.records).toMatchObject([
      { id: "given0", ttl: 1, proxied: true, comment: "web" },
      { content: "192.0.2.3", ttl: 3600 },
    ]);
  });

  it("what somebody else adds to the RRset meanwhile stays", async () => {
    const { server, provider } = await start({ ...txt, content: '"v=spf1 mx -all"' });
    const seen = findRrset(await contentOf(provider, zone), zone, "TXT");
    const theirs = { ...txt, id: "theirs", content: '"theirs"' };
    server.plan({ on: "write", fault: { first: () => server.records.push(theirs) } });
    const ours = rrsetIn(zone, "@", "TXT", ['"v=spf1 -all"'], 300);
    expect(await provider.apply(zone, [changeOf(seen, ours)])).toEqual({ status: "applied" });
    expect(server.records.map(({ content }) => content)).toEqual(['"theirs"', '"v=spf1 -all"']);
  });

  it.each<[name: string, edit: (records: CloudflareRecord[]) => unknown]>([
    ["takes away what was to be changed", (records) => records.splice(0)],
    ["adds what was to be added", (records) => records.push({ ...txt, id: "x", content: '"ours"' })],
  ])("is stale where somebody else %s", async (_name, edit) => {
    const { server, provider } = await start({ ...txt, content: '"old"' });
    const change = changeOf(
      findRrset(await contentOf(provider, zone), zone, "TXT"),
      rrsetIn(zone, "@", "TXT", ['"ours"']),
    );
    server.plan({ on: "write", fault: { first: () => edit(server.records) } });
    expect(await provider.apply(zone, [change])).toMatchObject({ status: "stale", changes: [change] });
  });

  it("pages that do not fit together are no zone", async () => {
    const many = Array.from({ length: 12 }, (_, at) => ({ ...txt, content: `"${at}"` }));
    const { server, provider } = await start(...many);
    server.plan({ on: "read", skip: 2, fault: { first: () => server.records.shift() } });
    expect(await provider.readZone(zone)).toMatchObject({ status: "failed", cause: "provider-error" });
  });

  it("more than 200 records at a time are refused, and nothing is changed", async () => {
    const { server, provider } = await start();
    const changes = Array.from({ length: 201 }, (_, at) =>
      changeOf(undefined, rrsetIn(zone, `host${at}`, "A", ["192.0.2.1"])),
    );
    expect(await provider.apply(zone, changes)).toMatchObject({ status: "failed", cause: "refused" });
    expect(server.records).toEqual([]);
  });
});
