/** The HTTP API with the PowerDNS that people run. */

import { afterAll, beforeAll, expect, it } from "vitest";
import { createHttpClient } from "../../src/net/http-client.ts";
import type { Provider } from "../../src/publish/provider.ts";
import { createPowerdnsProvider } from "../../src/publish/providers/powerdns.ts";
import { rrsetKey, sameRrset } from "../../src/publish/rrset.ts";
import { Secret } from "../../src/publish/secret.ts";
import { domainName } from "../../src/standards/dns/name.ts";
import { changeOf, contentOf, findRrset, providerContract, rrsetIn } from "../contract/provider.ts";
import type { ZoneText } from "../support/dns-program.ts";
import { freePort } from "../support/free-port.ts";
import { POWERDNS_PROGRAMS, startPowerdns } from "../support/powerdns.ts";
import { describeWithServers, type RunningServer } from "../support/real-server.ts";

const zone = domainName("example.org");
const contractZone = domainName("contract.example.org");
const KEY = "api-key-of-the-test";
const zones: ZoneText[] = [zone, contractZone].map((apex) => ({
  apex,
  text: `$TTL 300
$ORIGIN ${apex}.
@ SOA ns.${apex}. hostmaster.${apex}. 1 3600 600 86400 60
@ NS ns.${apex}.
ns A 127.0.0.1
`,
}));

describeWithServers(POWERDNS_PROGRAMS, "PowerDNS over HTTP", () => {
  const client = createHttpClient();
  let server: RunningServer;
  let provider: Provider;
  let wrong: Provider;

  beforeAll(async () => {
    const [port, apiPort] = [await freePort(), await freePort()];
    server = await startPowerdns({ address: "127.0.0.1", port, zones, api: { port: apiPort, key: KEY } });
    const create = (key: string) =>
      createPowerdnsProvider({
        http: client.request,
        sleep: async () => {},
        url: `http://127.0.0.1:${apiPort}`,
        server: "localhost",
        apiKey: new Secret(key),
      });
    provider = create(KEY);
    wrong = create("another key");
  });
  afterAll(async () => {
    client.close();
    await server.stop();
  });

  providerContract("PowerDNS over HTTP", () => ({
    provider,
    zone: contractZone,
    unknownZone: domainName("example.net"),
    withWrongCredentials: wrong,
    close() {},
  }));

  it("does all changes of a call, or none", async () => {
    const good = rrsetIn(zone, "good", "A", ["192.0.2.1"]);
    const outcome = await provider.apply(zone, [
      changeOf(undefined, good),
      changeOf(undefined, rrsetIn(zone, "ns", "CNAME", ["good.example.org."])),
    ]);
    expect(outcome).toMatchObject({ status: "failed", cause: "refused" });
    const content = await contentOf(provider, zone);
    expect(findRrset(content, good.name, "A")).toBeUndefined();
    expect(findRrset(content, domainName("ns.example.org"), "A")).toBeDefined();
  });

  it("takes null targets and TXT of any octets", async () => {
    const rrsets = [
      rrsetIn(zone, "nomail", "MX", ["0 ."]),
      rrsetIn(zone, "_pop3._tcp", "SRV", ["0 0 0 ."]),
      rrsetIn(zone, "octets", "TXT", [`"${"\\200".repeat(200)}" "${"x".repeat(255)}"`, '""']),
      rrsetIn(zone, "*", "A", ["192.0.2.1"]),
    ];
    const changes = rrsets.map((rrset) => changeOf(undefined, rrset));
    expect(await provider.apply(zone, changes)).toEqual({ status: "applied" });
    const content = await contentOf(provider, zone);
    for (const rrset of rrsets) {
      expect(sameRrset(findRrset(content, rrset.name, rrset.type), rrset), rrsetKey(rrset)).toBe(true);
    }
  });
});
