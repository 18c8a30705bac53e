import { afterEach, describe, expect, it } from "vitest";
import { apiProviderContract } from "../../../test/contract/api-provider.ts";
import { changeOf, contentOf, findRrset, rrsetIn } from "../../../test/contract/provider.ts";
import { type GandiRrset, startGandiApi } from "../../../test/support/apis/gandi.ts";
import { createHttpClient } from "../../net/http-client.ts";
import { domainName } from "../../standards/dns/name.ts";
import { Secret } from "../secret.ts";
import { createGandiProvider } from "./gandi.ts";

const TOKEN = "gandi-token";
const zone = domainName("example.org");

apiProviderContract({
  title: "Gandi",
  token: TOKEN,
  async open() {
    const server = await startGandiApi(TOKEN, zone);
    return {
      server,
      zone,
      unknownZone: domainName("example.net"),
      provider: (means, token) =>
        createGandiProvider({ ...means, url: server.url, token: new Secret(token) }),
    };
  },
  replies: {
    refused: { status: 400, body: { status: "error", errors: [{ description: `bad value ${TOKEN}` }] } },
    expired: {
      status: 403,
      body: { code: 403, message: `The token ${TOKEN} has expired`, object: "HTTPForbidden" },
    },
    tooMany: (seconds) => ({
      status: 429,
      headers: { "retry-after": String(seconds) },
      body: { code: 429, message: "Too many requests" },
    }),
    broken: { status: 500, body: "Internal Server Error" },
  },
});

describe("Gandi", () => {
  const toClose: (() => Promise<void> | void)[] = [];
  afterEach(async () => {
    for (const close of toClose.splice(0)) await close();
  });
  const start = async (...rrsets: GandiRrset[]) => {
    const server = await startGandiApi(TOKEN, zone);
    server.rrsets.push(...rrsets);
    const client = createHttpClient();
    toClose.push(client.close, server.close);
    const sleep = async () => {};
    const token = new Secret(TOKEN);
    return { server, provider: createGandiProvider({ http: client.request, sleep, url: server.url, token }) };
  };
  const rrset = (name: string, type: string, ...values: string[]): GandiRrset => ({
    rrset_name: name,
    rrset_type: type,
    rrset_ttl: 600,
    rrset_values: values,
  });

  it("targets are relative to the zone", async () => {
    const { provider } = await start(rrset("@", "MX", "10 mail"), rrset("www", "CNAME", "@"));
    const content = await contentOf(provider, zone);
    expect(findRrset(content, zone, "MX")).toEqual(rrsetIn(zone, "@", "MX", ["10 mail.example.org."], 600));
    const www = domainName("www.example.org");
    expect(findRrset(content, www, "CNAME")).toEqual(rrsetIn(zone, "www", "CNAME", ["example.org."], 600));
  });

  it.each([5, 100, 103])("%i RRsets that come all at once, whatever page is asked for", async (count) => {
    const many = Array.from({ length: count }, (_, at) => rrset(`host${at}`, "A", "192.0.2.1"));
    const { server, provider } = await start(...many);
    server.hasPages = false;
    expect((await contentOf(provider, zone)).rrsets).toHaveLength(count);
  });

  it("pages that do not fit together are no zone", async () => {
    const many = Array.from({ length: 20 }, (_, at) => rrset(`host${at}`, "A", "192.0.2.1"));
    const { server, provider } = await start(...many);
    server.plan({ on: "read", skip: 1, fault: { first: () => server.rrsets.shift() } });
    expect(await provider.readZone(zone)).toMatchObject({ status: "failed", cause: "provider-error" });
  });

  it("is stale where somebody else took away what was to be taken away", async () => {
    const { server, provider } = await start(rrset("@", "A", "192.0.2.1"));
    const change = changeOf(rrsetIn(zone, "@", "A", ["192.0.2.1"]), undefined);
    server.plan({ on: "write", fault: { first: () => server.rrsets.pop() } });
    expect(await provider.apply(zone, [change])).toMatchObject({ status: "stale", changes: [change] });
  });
});
