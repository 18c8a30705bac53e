import { afterEach, describe, expect, it } from "vitest";
import { apiProviderContract } from "../../../test/contract/api-provider.ts";
import { changeOf, contentOf, findRrset, rrsetIn } from "../../../test/contract/provider.ts";
import { startHetznerApi } from "../../../test/support/apis/hetzner.ts";
import { createHttpClient } from "../../net/http-client.ts";
import { domainName } from "../../standards/dns/name.ts";
import { Secret } from "../secret.ts";
import { createHetznerProvider } from "./hetzner.ts";

const TOKEN = "hetzner-token";
const zone = domainName("example.org");
const problem = (status: number, code: string, message: string) => ({
  status,
  body: { error: { code, message } },
});

apiProviderContract({
  title: "Hetzner",
  token: TOKEN,
  async open() {
    const server = await startHetznerApi(TOKEN, zone);
    return {
      server,
      zone,
      unknownZone: domainName("example.net"),
      provider: (means, token) =>
        createHetznerProvider({ ...means, url: server.url, token: new Secret(token) }),
    };
  },
  replies: {
    refused: problem(422, "invalid_input", `invalid input in field 'records' ${TOKEN}`),
    expired: problem(401, "unauthorized", `the token ${TOKEN} is not valid`),
    tooMany: (seconds) => ({
      ...problem(429, "rate_limit_exceeded", "limit of 3600 requests per hour reached"),
      headers: { "retry-after": String(seconds) },
    }),
    broken: problem(500, "server_error", "server error"),
  },
});

describe("Hetzner", () => {
  const toClose: (() => Promise<void> | void)[] = [];
  afterEach(async () => {
    for (const close of toClose.splice(0)) await close();
  });
  const start = async () => {
    const server = await startHetznerApi(TOKEN, zone);
    const client = createHttpClient();
    toClose.push(client.close, server.close);
    const sleep = async () => {};
    const token = new Secret(TOKEN);
    const provider = createHetznerProvider({ http: client.request, sleep, url: server.url, token });
    return { server, provider };
  };
  const writes = (log: readonly string[]) => log.filter((line) => !line.startsWith("GET"));

  it("an RRset without a TTL has that of the zone", async () => {
    const { provider } = await start();
    expect(findRrset(await contentOf(provider, zone), zone, "NS")?.ttlSeconds).toBe(3600);
  });

  it("changes the TTL alone where the records stay, and keeps comments of records that stay", async () => {
    const { server, provider } = await start();
    server.rrsets.push({
      name: "@",
      type: "TXT",
      ttl: 300,
      records: [{ value: '"one"', comment: "theirs" }, { value: '"two"' }],
    });
    const seen = findRrset(await contentOf(provider, zone), zone, "TXT");
    const later = rrsetIn(zone, "@", "TXT", ['"one"', '"two"'], 600);
    expect(await provider.apply(zone, [changeOf(seen, later)])).toEqual({ status: "applied" });
    expect(writes(server.log)).toEqual(["POST /zones/example.org/rrsets/%40/TXT/actions/change_ttl"]);
    const other = rrsetIn(zone, "@", "TXT", ['"one"', '"three"'], 600);
    expect(await provider.apply(zone, [changeOf(later, other)])).toEqual({ status: "applied" });
    expect(server.rrsets.at(-1)).toMatchObject({
      ttl: 600,
      records: [{ value: '"one"', comment: "theirs" }, { value: '"three"' }],
    });
  });

  it("is interrupted between the records and the TTL of an RRset", async () => {
    const { server, provider } = await start();
    const first = rrsetIn(zone, "@", "TXT", ['"one"'], 300);
    await provider.apply(zone, [changeOf(undefined, first)]);
    const reply = problem(423, "locked", "the zone is locked");
    server.plan({ on: "write", skip: 1, fault: { reply } });
    const change = changeOf(first, rrsetIn(zone, "@", "TXT", ['"two"'], 600));
    expect(await provider.apply(zone, [change])).toMatchObject({
      status: "interrupted",
      applied: [],
      failure: { cause: "refused" },
    });
    expect(findRrset(await contentOf(provider, zone), zone, "TXT")).toMatchObject({ ttlSeconds: 300 });
  });

  it.each<["error" | "never", string]>([
    ["error", "failed (action_failed)"],
    ["never", "has not finished the change after 30 s"],
  ])("an action that ends with %s: nobody knows what was done", async (actionsEnd, words) => {
    const { server, provider } = await start();
    server.actionsEnd = actionsEnd;
    const change = changeOf(undefined, rrsetIn(zone, "@", "A", ["192.0.2.1"]));
    expect(await provider.apply(zone, [change])).toMatchObject({
      status: "interrupted",
      applied: [],
      failure: { cause: "provider-error", detail: expect.stringContaining(words) },
    });
  });

  it.each<[name: string, isThere: boolean]>([
    ["created what was to be created", false],
    ["took away what was to be changed", true],
  ])("is stale where somebody else %s meanwhile", async (_name, isThere) => {
    const { server, provider } = await start();
    const old = rrsetIn(zone, "@", "A", ["192.0.2.1"]);
    if (isThere) await provider.apply(zone, [changeOf(undefined, old)]);
    const change = changeOf(isThere ? old : undefined, rrsetIn(zone, "@", "A", ["192.0.2.2"]));
    const theirs = { name: "@", type: "A", ttl: 300, records: [{ value: "192.0.2.3" }] };
    const first = () => (isThere ? server.rrsets.pop() : server.rrsets.push(theirs));
    server.plan({ on: "write", fault: { first } });
    expect(await provider.apply(zone, [change])).toMatchObject({ status: "stale", changes: [change] });
  });
});
