import { afterEach, describe, expect, it } from "vitest";
import { apiProviderContract } from "../../../test/contract/api-provider.ts";
import { changeOf, contentOf, findRrset, rrsetIn } from "../../../test/contract/provider.ts";
import {
  ACCESS_KEY_ID,
  hostedZoneXml,
  type Route53Rrset,
  route53Error,
  startRoute53Api,
} from "../../../test/support/apis/route53.ts";
import { createHttpClient } from "../../net/http-client.ts";
import { domainName } from "../../standards/dns/name.ts";
import { Secret } from "../secret.ts";
import { createRoute53Provider } from "./route53.ts";

const SECRET = "route53-secret-access-key";
const zone = domainName("example.org");
const now = () => Date.parse("2026-11-21T12:00:00Z");
const accessKeyId = new Secret(ACCESS_KEY_ID);

apiProviderContract({
  title: "Route 53",
  token: SECRET,
  async open() {
    const server = await startRoute53Api(SECRET, zone, now);
    return {
      server,
      zone,
      unknownZone: domainName("example.net"),
      provider: (means, secret) =>
        createRoute53Provider({
          ...means,
          now,
          url: server.url,
          accessKeyId,
          secretAccessKey: new Secret(secret),
        }),
    };
  },
  replies: {
    refused: route53Error(400, "InvalidInput", `Invalid XML ${SECRET}`),
    expired: route53Error(403, "ExpiredToken", `The security token ${SECRET} is expired`),
    tooMany: () => route53Error(400, "Throttling", "Rate exceeded"),
    broken: { status: 503, body: "<html><br>Service unavailable</html>" },
  },
});

describe("Route 53", () => {
  const toClose: (() => Promise<void> | void)[] = [];
  afterEach(async () => {
    for (const close of toClose.splice(0)) await close();
  });
  const start = async (...rrsets: Route53Rrset[]) => {
    const server = await startRoute53Api(SECRET, zone, now);
    server.rrsets.push(...rrsets);
    const client = createHttpClient();
    toClose.push(client.close, server.close);
    const create = (time: () => number) =>
      createRoute53Provider({
        http: client.request,
        sleep: async () => {},
        now: time,
        url: server.url,
        accessKeyId,
        secretAccessKey: new Secret(SECRET),
      });
    return { server, provider: create(now), create };
  };
  const text = (...values: string[]): Route53Rrset => ({
    name: "example.org.",
    type: "TXT",
    ttl: 300,
    values,
  });

  it("wildcards and octets have octal escapes there", async () => {
    const { server, provider } = await start();
    const rrset = rrsetIn(zone, "*", "TXT", ['"\\195\\164 \\\\ \\""']);
    expect(await provider.apply(zone, [changeOf(undefined, rrset)])).toEqual({ status: "applied" });
    expect(server.rrsets.at(-1)).toMatchObject({ values: ['"\\303\\244 \\\\ \\""'] });
    expect(findRrset(await contentOf(provider, zone), rrset.name, "TXT")).toEqual(rrset);
    expect(await provider.apply(zone, [changeOf(rrset, undefined)])).toEqual({ status: "applied" });
  });

  it("deletes in the words in which it was stored", async () => {
    const stored = text('"one" "two"', '"\\116hree"');
    const { server, provider } = await start(stored);
    const seen = findRrset(await contentOf(provider, zone), zone, "TXT");
    expect(await provider.apply(zone, [changeOf(seen, undefined)])).toEqual({ status: "applied" });
    expect(server.rrsets).not.toContain(stored);
  });

  it.each<[name: string, edit: (rrsets: Route53Rrset[]) => unknown, isThere: boolean]>([
    ["adds a value", (rrsets) => (rrsets.at(-1)!.values = ['"old"', '"theirs"']), true],
    ["changes the TTL", (rrsets) => (rrsets.at(-1)!.ttl = 60), true],
    ["takes it away", (rrsets) => rrsets.pop(), true],
    ["creates it", (rrsets) => rrsets.push(text('"theirs"')), false],
  ])("Amazon itself refuses where somebody %s in the last moment", async (_name, edit, isThere) => {
    const { server, provider } = await start(...(isThere ? [text('"old"')] : []));
    const seen = findRrset(await contentOf(provider, zone), zone, "TXT");
    const ours = changeOf(seen, rrsetIn(zone, "@", "TXT", ['"ours"']));
    const beside = changeOf(undefined, rrsetIn(zone, "beside", "A", ["192.0.2.1"]));
    server.plan({ on: "write", fault: { first: () => edit(server.rrsets) } });
    const outcome = await provider.apply(zone, [beside, ours]);
    expect(outcome.status).toBe("stale");
    expect(outcome.status === "stale" && outcome.changes).toContain(ours);
    expect(server.rrsets.map(({ name }) => name)).not.toContain("beside.example.org.");
  });

  it("names the error where the message is an element of its own", async () => {
    const { server, provider } = await start();
    const body = `<InvalidChangeBatch xmlns="https://route53.amazonaws.com/doc/2013-04-01/"><Messages><Message>Tried to create resource record set but it already exists</Message></Messages></InvalidChangeBatch>`;
    server.plan({ on: "write", fault: { reply: { status: 400, body } } });
    const change = changeOf(undefined, rrsetIn(zone, "@", "TXT", ['"a"']));
    expect(await provider.apply(zone, [change])).toMatchObject({ status: "stale", changes: [change] });
  });

  it.each<[what: string, rrset: Route53Rrset]>([
    [
      "an alias",
      {
        name: "example.org.",
        type: "A",
        ttl: 0,
        values: [],
        extra: "<AliasTarget><DNSName>lb.example.net.</DNSName></AliasTarget>",
      },
    ],
    [
      "one of several to choose from",
      {
        name: "example.org.",
        type: "A",
        ttl: 60,
        values: ["192.0.2.1"],
        extra: "<SetIdentifier>x</SetIdentifier><Weight>1</Weight>",
      },
    ],
  ])("%s is left alone", async (_what, rrset) => {
    const { server, provider } = await start(rrset);
    expect(findRrset(await contentOf(provider, zone), zone, "A")).toBeUndefined();
    const change = changeOf(undefined, rrsetIn(zone, "@", "A", ["192.0.2.2"]));
    expect(await provider.apply(zone, [change])).toMatchObject({ status: "failed", cause: "refused" });
    expect(server.rrsets.at(-1)).toBe(rrset);
  });

  it("private zones do not count; two public ones of a name are one too many", async () => {
    const { server, provider } = await start();
    server.hostedZones.push(hostedZoneXml("ZPRIVATE", zone, true));
    expect(await provider.readZone(zone)).toMatchObject({ status: "read" });
    server.hostedZones.push(hostedZoneXml("ZSECOND", zone));
    expect(await provider.readZone(zone)).toMatchObject({ status: "failed", cause: "refused" });
  });

  it("a clock that is wrong", async () => {
    const { create } = await start();
    const late = create(() => Date.parse("2026-11-22T12:00:00Z"));
    expect(await late.readZone(zone)).toMatchObject({ status: "failed", cause: "clock" });
  });

  it("more than a batch can hold is refused, and nothing is changed", async () => {
    const { server, provider } = await start();
    const before = structuredClone(server.rrsets);
    const changes = Array.from({ length: 40 }, (_, at) =>
      changeOf(
        undefined,
        rrsetIn(zone, `host${at}`, "TXT", [`"${"x".repeat(250)}" "${"y".repeat(250)}"`, '"z"']),
      ),
    );
    const longer = Array.from({ length: 1001 }, (_, at) =>
      changeOf(undefined, rrsetIn(zone, `host${at}`, "A", ["192.0.2.1"])),
    );
    expect(await provider.apply(zone, longer)).toMatchObject({ status: "failed", cause: "refused" });
    expect(server.rrsets).toEqual(before);
    expect(await provider.apply(zone, changes)).toEqual({ status: "applied" });
  });
});
