import { afterEach, describe, expect, it } from "vitest";
import { apiProviderContract } from "../../../test/contract/api-provider.ts";
import { changeOf, contentOf, findRrset, rrsetIn } from "../../../test/contract/provider.ts";
import { startDigitaloceanApi } from "../../../test/support/apis/digitalocean.ts";
import { createHttpClient } from "../../net/http-client.ts";
import { domainName } from "../../standards/dns/name.ts";
import type { RecordType } from "../../standards/dns/record.ts";
import { Secret } from "../secret.ts";
import { createDigitaloceanProvider } from "./digitalocean.ts";

const TOKEN = "digitalocean-token";
const zone = domainName("example.org");
const problem = (status: number, id: string, message: string) => ({ status, body: { id, message } });

apiProviderContract({
  title: "DigitalOcean",
  token: TOKEN,
  lacksTxt: (text) => text.includes("\\\\"),
  async open() {
    const server = await startDigitaloceanApi(TOKEN, zone);
    return {
      server,
      zone,
      unknownZone: domainName("example.net"),
      provider: (means, token) =>
        createDigitaloceanProvider({ ...means, url: server.url, token: new Secret(token) }),
    };
  },
  replies: {
    refused: problem(422, "unprocessable_entity", `Data is invalid. ${TOKEN}`),
    expired: problem(401, "unauthorized", `Unable to authenticate you: ${TOKEN} has expired`),
    tooMany: (seconds) => ({
      ...problem(429, "too_many_requests", "API rate limit exceeded."),
      headers: { "retry-after": String(seconds), "ratelimit-remaining": "0" },
    }),
    broken: problem(500, "server_error", "Unexpected server-side error"),
  },
});

describe("DigitalOcean", () => {
  const toClose: (() => Promise<void> | void)[] = [];
  afterEach(async () => {
    for (const close of toClose.splice(0)) await close();
  });
  const start = async () => {
    const server = await startDigitaloceanApi(TOKEN, zone);
    const client = createHttpClient();
    toClose.push(client.close, server.close);
    const sleep = async () => {};
    const token = new Secret(TOKEN);
    const provider = createDigitaloceanProvider({ http: client.request, sleep, url: server.url, token });
    return { server, provider };
  };
  const writes = (log: readonly string[]) => log.filter((line) => !line.startsWith("GET"));

  it("one value in the place of another is one request, and the record keeps its id", async () => {
    const { server, provider } = await start();
    const old = rrsetIn(zone, "@", "TXT", ['"v=spf1 mx -all"', '"theirs"']);
    await provider.apply(zone, [changeOf(undefined, old)]);
    server.log.length = 0;
    const wanted = rrsetIn(zone, "@", "TXT", ['"v=spf1 -all"', '"theirs"']);
    expect(await provider.apply(zone, [changeOf(old, wanted)])).toEqual({ status: "applied" });
    expect(writes(server.log)).toEqual(["PUT /domains/example.org/records/3"]);
    expect(server.records.slice(2).map(({ data }) => data)).toEqual(["v=spf1 -all", "theirs"]);
  });

  it("a target that is the zone itself comes back as @", async () => {
    const { server, provider } = await start();
    const rrset = rrsetIn(zone, "www", "CNAME", ["example.org."]);
    expect(await provider.apply(zone, [changeOf(undefined, rrset)])).toEqual({ status: "applied" });
    expect(server.records.at(-1)?.data).toBe("@");
    expect(findRrset(await contentOf(provider, zone), rrset.name, "CNAME")).toEqual(rrset);
  });

  it.each<[type: RecordType, data: string, words: string]>([
    ["TXT", '"back\\\\slash"', "backslash"],
    ["TXT", '""', "empty"],
    ["TXT", '"\\195\\164"', "ASCII"],
    ["TXT", `"${"x".repeat(255)}" "${"x".repeat(250)}"`, "504"],
    ["MX", "0 .", '"."'],
    ["CAA", '0 issue "letsencrypt.org; validationmethods=dns-01"', "spaces"],
  ])("refuses %s %s before anything is sent", async (type, data, words) => {
    const { server, provider } = await start();
    const change = changeOf(undefined, rrsetIn(zone, "@", type, [data]));
    expect(await provider.apply(zone, [change])).toMatchObject({
      cause: "refused",
      detail: expect.stringContaining(words),
    });
    expect(writes(server.log)).toEqual([]);
  });

  it.each([
    ['0 issue "letsencrypt.org"', "letsencrypt.org."],
    ['0 issuewild "ca.example.net"', "ca.example.net."],
    ['128 iodef "mailto:hostmaster@example.org"', "mailto:hostmaster@example.org"],
    ['0 iodef "https://example.org/"', "https://example.org/"],
  ])("CAA %s", async (data, sent) => {
    const { server, provider } = await start();
    const rrset = rrsetIn(zone, "@", "CAA", [data]);
    expect(await provider.apply(zone, [changeOf(undefined, rrset)])).toEqual({ status: "applied" });
    expect(JSON.parse(server.bodies.at(-1)!)).toMatchObject({ data: sent });
    expect(findRrset(await contentOf(provider, zone), zone, "CAA")).toEqual(rrset);
  });

  it("half an RRset is told as interrupted, and not as applied", async () => {
    const { server, provider } = await start();
    const reply = problem(422, "unprocessable_entity", "no more records");
    server.plan({ on: "write", skip: 1, fault: { reply } });
    const change = changeOf(undefined, rrsetIn(zone, "@", "A", ["192.0.2.1", "192.0.2.2"]));
    expect(await provider.apply(zone, [change])).toMatchObject({
      status: "interrupted",
      applied: [],
      failure: { cause: "refused" },
    });
  });

  it("what somebody else adds meanwhile stays; what somebody else takes away is stale", async () => {
    const { server, provider } = await start();
    const old = rrsetIn(zone, "@", "TXT", ['"one"']);
    await provider.apply(zone, [changeOf(undefined, old)]);
    const theirs = { ...server.records.at(-1)!, id: 99, data: "theirs" };
    server.plan({ on: "write", fault: { first: () => server.records.push(theirs) } });
    const two = rrsetIn(zone, "@", "TXT", ['"two"']);
    expect(await provider.apply(zone, [changeOf(old, two)])).toEqual({ status: "applied" });
    expect(server.records.slice(2).map(({ data }) => data)).toEqual(["two", "theirs"]);
    const seen = findRrset(await contentOf(provider, zone), zone, "TXT");
    server.plan({ on: "write", fault: { first: () => server.records.splice(2) } });
    expect(await provider.apply(zone, [changeOf(seen, undefined)])).toMatchObject({ status: "stale" });
  });

  it("pages that do not fit together are no zone", async () => {
    const { server, provider } = await start();
    const many = Array.from({ length: 12 }, (_, at) => ({ ...server.records[1]!, id: 10 + at }));
    server.records.push(...many);
    server.plan({ on: "read", skip: 1, fault: { first: () => server.records.shift() } });
    expect(await provider.readZone(zone)).toMatchObject({ status: "failed", cause: "provider-error" });
  });
});
