import { describe, expect, it } from "vitest";
import { anyName, rdataOfType } from "../../test/support/arbitrary-records.ts";
import { fc } from "../../test/support/random-inputs.ts";
import { type DomainName, domainName, ROOT, tryPrepend } from "../standards/dns/name.ts";
import { formatRdata } from "../standards/dns/rdata-text.ts";
import { type Rdata, type ResourceRecord, toCharacterStrings, txtText } from "../standards/dns/record.ts";
import {
  cannotStore,
  dnsHostById,
  dnsHostOfServer,
  formFor,
  hostFormLine,
  readForm,
  recognizeDnsHost,
} from "./dns-host.ts";
import { DNS_HOSTS } from "./dns-hosts.ts";

const zone = domainName("example.org");
const host = (id: string) => dnsHostById(id)!;

describe("the host of a name server", () => {
  it.each<[server: string, id: string | undefined, why: string]>([
    ["ada.ns.cloudflare.com", "cloudflare", "any first name"],
    ["ADA.NS.Cloudflare.com", "cloudflare", "DNS knows no case"],
    ["ns.cloudflare.com.evil.example", undefined, "something behind the host's name"],
    ["ada.ns.cloudflare.com.evil.example", undefined, "the same with a first name"],
    ["ada.ns.evilcloudflare.com", undefined, "something in front of it"],
    ["a.b.ns.cloudflare.com", undefined, "one label too many"],
    ["ns.cloudflare.com", undefined, "one label too few"],
    ["cloudflare.com", undefined, "the host's own name"],
    ["ns-1234.awsdns-56.co.uk", "route53", "two stars, and a suffix of two labels"],
    ["ns-.awsdns-56.co.uk", undefined, "a star stands for one character at least"],
    ["ns-12.awsdns-56.de", undefined, "a suffix that the host does not have"],
    ["xns-12.awsdns-56.com", undefined, "a label begins where the pattern begins"],
    ["helium.ns.hetzner.de", "hetzner", "by its whole name"],
    ["helium.ns.hetzner.com", undefined, "the right name under the wrong suffix"],
    ["ns41.domaincontrol.com", "godaddy", "a number"],
    ["dns1.registrar-servers.com", "namecheap", ""],
    ["dns1.p05.nsone.net", "ns1", ""],
    ["ns1.example.org", undefined, "a name server of one's own"],
  ])("%s is %s: %s", (server, id) => {
    expect(dnsHostOfServer(domainName(server))?.id).toBe(id);
  });

  it("is never two: no name fits the patterns of two hosts", () => {
    const names = DNS_HOSTS.flatMap(({ nameServers }) =>
      nameServers.map((pattern) => domainName(pattern.replaceAll("*", "9a9"))),
    );
    expect(names.length).toBeGreaterThan(60);
    for (const name of names) {
      const matching = DNS_HOSTS.filter((each) => recognizeIn(each.id, name));
      expect(matching).toHaveLength(1);
    }
  });

  const recognizeIn = (id: string, name: DomainName) => dnsHostOfServer(name)?.id === id;

  it.each<[servers: string[], id: string | undefined, why: string]>([
    [["ada.ns.cloudflare.com", "bob.ns.cloudflare.com"], "cloudflare", "all of one host"],
    [["ada.ns.cloudflare.com", "ns1.digitalocean.com"], undefined, "two hosts"],
    [["ada.ns.cloudflare.com", "ns1.example.org"], undefined, "one that nobody knows"],
    [[], undefined, "none"],
  ])("recognizeDnsHost %j: %s: %s", (servers, id) => {
    expect(recognizeDnsHost(servers.map(domainName))?.id).toBe(id);
  });
});

describe("the list of hosts", () => {
  it("has each once, with a source for what it says", () => {
    expect(DNS_HOSTS.length).toBeGreaterThanOrEqual(40);
    expect(new Set(DNS_HOSTS.map(({ id }) => id)).size).toBe(DNS_HOSTS.length);
    for (const { id, form, store } of DNS_HOSTS) {
      expect(id).toMatch(/^[a-z0-9]+(-[a-z0-9]+)*$/);
      for (const facts of [form, store]) {
        if (facts === undefined) continue;
        expect(facts.sources.length, id).toBeGreaterThan(0);
        for (const { url } of facts.sources) expect(URL.canParse(url), url).toBe(true);
      }
    }
  });

  it("has no limit on TXT below one string, and no TTL beyond an hour", () => {
    for (const { id, form, store } of DNS_HOSTS) {
      expect(store?.maxTxtOctets ?? 255, id).toBeGreaterThanOrEqual(255);
      expect(form?.minTtlSeconds ?? 0, id).toBeLessThanOrEqual(3600);
    }
  });
});

const record = (name: string, data: Rdata, ttlSeconds = 3600): ResourceRecord => ({
  name: domainName(name),
  ttlSeconds,
  data,
});
const mx = record("example.org", { type: "MX", preference: 10, exchange: domainName("mail.example.org") });
const srv = record("_imaps._tcp.example.org", {
  type: "SRV",
  priority: 0,
  weight: 1,
  port: 993,
  target: domainName("mail.example.org"),
});
const caa = record("example.org", { type: "CAA", flags: 0, tag: "issue", value: "letsencrypt.org" });
const tlsa = record("_25._tcp.mail.example.org", {
  type: "TLSA",
  usage: 3,
  tlsaSelector: 1,
  matchingType: 1,
  associationData: Uint8Array.of(0xab, 0xcd),
});
const txt = (name: string, text: string) => record(name, { type: "TXT", strings: toCharacterStrings(text) });

describe("the form of a host", () => {
  it.each<[id: string, record: ResourceRecord, line: string]>([
    ["cloudflare", mx, "Type: MX | Name: @ | Priority: 10 | Mail server: mail.example.org | TTL: 3600"],
    [
      "cloudflare",
      srv,
      "Type: SRV | Name: _imaps._tcp | Priority: 0 | Weight: 1 | Port: 993 | Target: mail.example.org | TTL: 3600",
    ],
    [
      "cloudflare",
      caa,
      "Type: CAA | Name: @ | Flags: 0 | Tag: issue | CA domain name: letsencrypt.org | TTL: 3600",
    ],
    [
      "route53",
      mx,
      "Record type: MX | Record name: (empty) | Value: 10 mail.example.org | TTL (seconds): 3600",
    ],
    ["hetzner", mx, "Type: MX | Name: @ | Priority: 10 | Value: mail.example.org. | TTL: 3600"],
    ["porkbun", mx, "Type: MX | Host: (empty) | Priority: 10 | Answer: mail.example.org | TTL: 3600"],
    [
      "namecheap",
      srv,
      "Type: SRV | Service: _imaps | Protocol: _tcp | Host: @ | Priority: 0 | Weight: 1 | Port: 993 | Target: mail.example.org | TTL: 3600",
    ],
    [
      "porkbun",
      { ...mx, ttlSeconds: 60 },
      "Type: MX | Host: (empty) | Priority: 10 | Answer: mail.example.org | TTL: 600",
    ],
    [
      "hurricane-electric",
      mx,
      "Type: MX | Name: example.org | Priority: 10 | Value: mail.example.org | TTL: 3600",
    ],
    ["one-com", mx, "Type: MX | Name: @ | Priority: 10 | Value: mail.example.org | TTL: 3600"],
  ])("%s", (id, each, line) => {
    expect(hostFormLine(formFor(each, zone, host(id)))).toBe(line);
  });

  it("cuts a long TXT where the host does not", () => {
    const long = txt("k._domainkey.example.org", "x".repeat(300));
    const value = (id: string) => formFor(long, zone, host(id)).find(({ key }) => key === "value")!.value;
    expect(value("route53")).toBe(`"${"x".repeat(255)}" "${"x".repeat(45)}"`);
    expect(value("cloudflare")).toBe("x".repeat(300));
  });
});

/** TXT as mail has it: forms differ in what they make of quotes and backslashes. */
const mailText = fc
  .array(fc.constantFrom(..."abcXYZ0189=;:./+~-_ @"), { minLength: 1, maxLength: 700 })
  .map((characters) => characters.join("").trim())
  .filter((text) => text !== "");
const written: fc.Arbitrary<Rdata> = fc.oneof(
  ...(["A", "AAAA", "MX", "SRV", "TLSA", "CAA", "CNAME", "NS", "PTR"] as const).map(rdataOfType),
  mailText.map((text) => ({ type: "TXT" as const, strings: toCharacterStrings(text) })),
);
const sameText = (data: Rdata) => (data.type === "TXT" ? txtText(data) : formatRdata(data));

it.each(DNS_HOSTS.map(({ id }) => id))("%s: form → record → form", (id) => {
  fc.assert(
    fc.property(anyName, written, fc.integer({ min: 3600, max: 86_400 }), (prefix, data, ttlSeconds) => {
      const name = prefix === ROOT ? zone : tryPrepend(prefix, zone);
      fc.pre(name !== undefined);
      const original: ResourceRecord = { name: name!, ttlSeconds, data };
      const fields = formFor(original, zone, host(id));
      const read = readForm(fields, zone, host(id));
      expect(read).toMatchObject({ ok: true, value: { name, ttlSeconds } });
      if (!read.ok) return;
      expect(sameText(read.value.data)).toBe(sameText(data));
      expect(formFor(read.value, zone, host(id))).toEqual(fields);
    }),
    { numRuns: 60 },
  );
});

describe("what a host cannot hold", () => {
  const nullMx = record("example.org", { type: "MX", preference: 0, exchange: ROOT });
  const nullSrv = record("_imap._tcp.example.org", {
    type: "SRV",
    priority: 0,
    weight: 0,
    port: 0,
    target: ROOT,
  });
  const key = txt("k._domainkey.example.org", `v=DKIM1; p=${"A".repeat(700)}`);

  it.each<[id: string, record: ResourceRecord, said: RegExp | undefined, why: string]>([
    ["digitalocean", tlsa, /delegate _tcp\.mail\.example\.org as a zone/, "the way out is a zone below"],
    ["cloudflare", tlsa, undefined, "it can"],
    ["dreamhost", tlsa, undefined, "not known is not no"],
    ["strato", caa, /leave it out/, "nothing depends on CAA"],
    ["digitalocean", nullMx, /receives no mail either/, ""],
    ["digitalocean", mx, undefined, "an ordinary MX"],
    ["loopia", nullSrv, /leave it out/, ""],
    ["loopia", srv, undefined, "an ordinary SRV"],
    ["digitalocean", key, /at most 504 octets, and this one has 711: make k\._domainkey.* a CNAME/, ""],
    ["digitalocean", txt("example.org", `v=spf1 ${"a ".repeat(300)}-all`), /include/, "SPF can be spread"],
    ["digitalocean", txt("example.org", "x".repeat(504)), undefined, "just fits"],
    ["digitalocean", txt("example.org", "x".repeat(505)), /has 505/, "just does not"],
    ["route53", key, undefined, "room enough"],
  ])("%s", (id, each, said) => {
    const problem = cannotStore(each, host(id));
    if (said === undefined) expect(problem).toBeUndefined();
    else expect(problem).toMatch(said);
  });
});
