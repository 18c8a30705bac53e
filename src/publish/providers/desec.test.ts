import { afterEach, describe, expect, it } from "vitest";
import { apiProviderContract } from "../../../test/contract/api-provider.ts";
import { changeOf, contentOf, findRrset, rrsetIn } from "../../../test/contract/provider.ts";
import { startDesecApi } from "../../../test/support/apis/desec.ts";
import { createHttpClient } from "../../net/http-client.ts";
import { domainName } from "../../standards/dns/name.ts";
import { Secret } from "../secret.ts";
import { createDesecProvider } from "./desec.ts";

const TOKEN = "desec-token";
const zone = domainName("example.org");

apiProviderContract({
  title: "deSEC",
  token: TOKEN,
  async open() {
    const server = await startDesecApi(TOKEN, zone);
    return {
      server,
      zone,
      unknownZone: domainName("example.net"),
      provider: (means, token) =>
        createDesecProvider({ ...means, url: server.url, token: new Secret(token) }),
    };
  },
  replies: {
    refused: { status: 400, body: [{}, { records: [`Cannot parse ${TOKEN}.`] }] },
    expired: { status: 401, body: { detail: `Invalid token ${TOKEN}.` } },
    tooMany: (seconds) => ({
      status: 429,
      headers: { "retry-after": String(seconds) },
      body: { detail: `Request was throttled. Expected available in ${seconds} seconds.` },
    }),
    broken: { status: 504, body: "" },
  },
});

describe("deSEC", () => {
  const toClose: (() => Promise<void> | void)[] = [];
  afterEach(async () => {
    for (const close of toClose.splice(0)) await close();
  });
  const start = async () => {
    const server = await startDesecApi(TOKEN, zone);
    const client = createHttpClient();
    toClose.push(client.close, server.close);
    const sleep = async () => {};
    const token = new Secret(TOKEN);
    return { server, provider: createDesecProvider({ http: client.request, sleep, url: server.url, token }) };
  };

  it("says which field it does not like", async () => {
    const { server, provider } = await start();
    const body = [{}, { ttl: ["Ensure this value is less than or equal to 86400."] }];
    server.plan({ on: "write", fault: { reply: { status: 400, body } } });
    const change = changeOf(undefined, rrsetIn(zone, "@", "A", ["192.0.2.1"]));
    expect(await provider.apply(zone, [change])).toMatchObject({
      cause: "refused",
      detail: 'deSEC refuses it (HTTP 400, "ttl: Ensure this value is less than or equal to 86400").',
    });
  });

  it("the zone itself has an empty name", async () => {
    const { server, provider } = await start();
    const rrset = rrsetIn(zone, "@", "MX", ["10 mail.example.org."]);
    expect(await provider.apply(zone, [changeOf(undefined, rrset)])).toEqual({ status: "applied" });
    expect(server.rrsets.at(-1)).toMatchObject({ subname: "", records: ["10 mail.example.org."] });
    expect(findRrset(await contentOf(provider, zone), zone, "MX")).toEqual(rrset);
  });

  it("pages are not sought anywhere else", async () => {
    const { server, provider } = await start();
    const link = '<https://example.net/steal?cursor=7>; rel="next"';
    server.plan({ on: "read", fault: { reply: { status: 200, headers: { link }, body: [] } } });
    await provider.readZone(zone);
    expect(server.log).toEqual([
      "GET /domains/example.org/rrsets/?cursor=",
      "GET /domains/example.org/rrsets/?cursor=7",
    ]);
  });

  it("an RRset on two pages was moved while it was read", async () => {
    const { server, provider } = await start();
    server.rrsets.push(
      ...Array.from({ length: 10 }, (_, at) => ({
        subname: `host${at}`,
        type: "A",
        ttl: 3600,
        records: ["192.0.2.1"],
      })),
    );
    const edit = () =>
      server.rrsets.unshift({ subname: "new", type: "A", ttl: 3600, records: ["192.0.2.2"] });
    server.plan({ on: "read", skip: 1, fault: { first: edit } });
    expect(await provider.readZone(zone)).toMatchObject({ status: "failed", cause: "provider-error" });
  });
});
