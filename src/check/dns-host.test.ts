/** Fixes in the words of the zone's own DNS host. */
import { expect, it } from "vitest";
import { look } from "../../test/support/cli-world.ts";
import { BARE, DESCRIBED, DESCRIPTION, DOMAIN, HEALTHY } from "../../test/support/healthy-world.ts";
import { edited, tableWorld, type WorldRows } from "../../test/support/table-world.ts";
import { checkDomain } from "./check.ts";

/** The healthy zone on other name servers. */
const at = (servers: readonly string[], without: readonly string[] = []) =>
  edited(HEALTHY, {
    without: ["example.org NS", ...without],
    add: servers.flatMap((server, index) => [
      `example.org. NS ${server}.`,
      `${server}. A 198.51.100.${60 + index}`,
    ]),
  });
const findings = async (rows: WorldRows, options = BARE) =>
  (await checkDomain(DOMAIN, tableWorld(rows), options)).findings;
const CLOUDFLARE = ["ada.ns.cloudflare.com", "bob.ns.cloudflare.com"];

it.each<[servers: readonly string[], severity: string | undefined, said: RegExp, why: string]>([
  [CLOUDFLARE, "ok", /^Cloudflare hosts the DNS of example\.org$/, "one host"],
  [
    ["dns1.p01.nsone.net", "dns2.p01.nsone.net"],
    "ok",
    /^NS1 .* \(Netlify has name servers of NS1 too\)$/,
    "name servers that two hosts have in common",
  ],
  [
    ["ada.ns.cloudflare.com", "ns1.digitalocean.com"],
    "notice",
    /shared by Cloudflare \(ada\.ns\.cloudflare\.com\), DigitalOcean/,
    "two hosts",
  ],
  [
    ["ada.ns.cloudflare.com", "ns1.example.org"],
    "notice",
    /shared by Cloudflare \(.*\), ns1\.example\.org/,
    "one of them not known",
  ],
])("%j: %s: %s (%s)", async (servers, severity, said) => {
  const zone = servers.includes("ns1.example.org") ? at(servers, ["ns1.example.org"]) : at(servers);
  const found = (await findings({ zone })).find(({ code }) => code === "dns-host");
  expect(found?.severity).toBe(severity);
  expect(found?.observed).toMatch(said);
});

it("says nothing of name servers that nobody knows", async () => {
  const found = await findings({ zone: HEALTHY });
  expect(found.filter(({ code }) => code === "dns-host")).toEqual([]);
});

it("counts what the zone's own servers list too", async () => {
  const rows = { zone: at(CLOUDFLARE), delegatedTo: ["ns1.digitalocean.com"] };
  const found = (await findings(rows)).find(({ code }) => code === "dns-host");
  expect(found?.severity).toBe("notice");
});

it("gives each change in the form of the host", async () => {
  const found = await findings({ zone: at(CLOUDFLARE, ["_dmarc.example.org"]) }, DESCRIBED);
  const [change] = found
    .flatMap(({ fix }) => fix?.changes ?? [])
    .filter(({ owner }) => owner.startsWith("_dmarc"));
  expect(change?.host).toMatchObject({
    id: "cloudflare",
    cannotStore: null,
    fields: [
      { label: "Type", value: "TXT" },
      { label: "Name", value: "_dmarc" },
      { label: "Content", value: expect.stringMatching(/^v=DMARC1/) },
      { label: "TTL", value: "3600" },
    ],
  });
});

it("leaves the host open where it is not known", async () => {
  const found = await findings({ zone: edited(HEALTHY, { without: ["_dmarc.example.org"] }) }, DESCRIBED);
  const changes = found.flatMap(({ fix }) => fix?.changes ?? []);
  expect(changes.length).toBeGreaterThan(0);
  expect(changes.map(({ host }) => host)).toEqual(changes.map(() => null));
});

it("says what the host cannot hold, once it is wanted and not there", async () => {
  const servers = ["ns1.digitalocean.com", "ns2.digitalocean.com"];
  const published = await findings({ zone: at(servers) }, DESCRIBED);
  expect(published.filter(({ code }) => code === "dns-host-cannot-store")).toEqual([]);
  const without = await findings({ zone: at(servers, ["_25._tcp.mail.example.org TLSA"]) }, DESCRIBED);
  const said = without.find(({ code }) => code === "dns-host-cannot-store");
  expect(said?.owner).toBe("_25._tcp.mail.example.org");
  expect(said?.fix?.summary).toContain("delegate _tcp.mail.example.org as a zone of its own");
  const missing = without.find(({ code }) => code === "record-missing");
  expect(missing?.fix?.changes[0]?.host?.cannotStore).toContain("DigitalOcean cannot hold TLSA");
});

it("knows that the way out was taken: a zone below, at other servers", async () => {
  const servers = ["ns1.digitalocean.com", "ns2.digitalocean.com"];
  const zone = `${at(servers, ["_25._tcp.mail.example.org TLSA"])}
_tcp.mail.example.org. SOA ns1.example.org. hostmaster.example.org. 1 7200 900 1209600 300
_tcp.mail.example.org. NS ns1.example.org.`;
  const found = await findings({ zone }, DESCRIBED);
  expect(found.filter(({ code }) => code === "dns-host-cannot-store")).toEqual([]);
  const changes = found.flatMap(({ fix }) => fix?.changes ?? []).filter(({ type }) => type === "TLSA");
  expect(changes.map(({ form, host }) => [form.name, host])).toEqual([["_25", null]]);
});

it("calls nothing missing where the lookup failed", async () => {
  const zone = at(["ns1.digitalocean.com"], ["_25._tcp.mail.example.org TLSA"]);
  const failing = { "_25._tcp.mail.example.org TLSA": "timeout" } as const;
  const found = await findings({ zone, failing }, DESCRIBED);
  expect(found.filter(({ code }) => code === "dns-host-cannot-store")).toEqual([]);
});

it("prints both: zone text, and the host's form", async () => {
  const zone = at(
    ["ns1.digitalocean.com", "ns2.digitalocean.com"],
    ["_25._tcp.mail.example.org TLSA", "_dmarc.example.org"],
  );
  const { out } = await look(
    ["check", "example.org", "--config", "a.yaml", "--assume-public", "192.0.2.0/24"],
    { zone },
    { files: { "a.yaml": DESCRIPTION }, columns: 200 },
  );
  expect(out).toMatch(/\+ _dmarc\.example\.org\. IN TXT "v=DMARC1/);
  expect(out).toMatch(/in a form +of DigitalOcean:\n +Type: TXT \| Hostname: _dmarc \| Value: v=DMARC1/);
  expect(out).toContain("DigitalOcean cannot hold TLSA records: delegate _tcp.mail.example.org");
});
