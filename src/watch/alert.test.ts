import { describe, expect, it } from "vitest";
import { CATALOGUE, type FindingCode } from "../check/catalogue.ts";
import { type DomainName, domainName } from "../standards/dns/name.ts";
import { type AlertChannel, type AlertMessage, messageOf, type News } from "./alert.ts";
import { alertRequest } from "./alert-request.ts";
import { messageText } from "./alert-text.ts";

const NOW = new Date("2026-11-21T12:00:00Z");
const WEBHOOK = {
  kind: "webhook",
  url: "https://hooks.example.net/",
  secret: { reveal: () => "s" },
} as const;
const CHANNEL: AlertChannel = { id: "operators", target: WEBHOOK, minimumSeverity: "notice" };

const names = (count: number, label = "d", below = "example.net"): DomainName[] =>
  Array.from({ length: count }, (_, at) => domainName(`${label}${at}.${below}`));

function news(domain: DomainName, code: FindingCode, owner: string, observed = "none", changes = 0): News {
  const { severity, expected, why, reference } = CATALOGUE[code];
  const change = {
    action: "create",
    owner: domain,
    type: "TXT",
    ttlSeconds: 3600,
    value: "v".repeat(4_000),
    zoneText: "v".repeat(4_000),
    form: {} as never,
    host: null,
  } as const;
  const fix = { summary: "Publish this record.", changes: Array(changes).fill(change) };
  return {
    id: `${domain} ${code} ${owner}`,
    domain,
    kind: "appeared",
    key: `${code} ${owner}`,
    finding: {
      code,
      severity,
      owner: domainName(owner),
      expected,
      observed,
      why,
      reference,
      fix,
      verify: `dig ${owner}`,
    },
    since: NOW.toISOString(),
    at: NOW.toISOString(),
  };
}

const messageFor = (all: readonly News[]): AlertMessage => messageOf(CHANNEL, all, NOW)!;

describe("one cause", () => {
  it.each<[ownerOf: (domain: DomainName) => string, groups: number, reason: string]>([
    [(domain) => domain, 1, "the domain's own name"],
    [(domain) => `_dmarc.${domain}`, 1, "a name below it"],
    [(domain) => `s1._domainkey.${domain}`, 1, "a selector that all have"],
    [() => "mail.example.org", 1, "a server for all"],
    [(domain) => `${domain.split(".")[0]}._domainkey.${domain}`, 30, "a selector of each one's own"],
    [(domain) => `x${domain}`, 30, "a name that only ends alike is no name below it"],
  ])("%# of thirty domains makes %i groups: %s", (ownerOf, groups) => {
    const message = messageFor(names(30).map((domain) => news(domain, "dmarc-missing", ownerOf(domain))));
    expect(message.groups.length + message.omittedGroups).toBe(groups);
  });

  it("is told with all names, by mail and by webhook", () => {
    const domains = names(1_000);
    const message = messageFor(domains.map((domain) => news(domain, "dmarc-missing", `_dmarc.${domain}`)));
    expect(message.groups[0]).toMatchObject({ domains: domains.toSorted(), domainCount: 1_000 });
    const text = messageText(message);
    expect(domains.filter((domain) => !text.includes(domain))).toEqual([]);
    expect(text.length).toBeLessThan(60_000);
  });
});

describe("more causes than a message says in full", () => {
  const domains = names(300);
  const many = domains.map((domain, at) =>
    news(domain, at % 2 === 0 ? "dmarc-missing" : "spf-missing", domain, `seen ${at}`),
  );
  const message = messageFor(many);

  it("are all named, by kind", () => {
    expect(message.groups).toHaveLength(20);
    expect(message.omittedGroups).toBe(280);
    const named = [...message.groups, ...message.further!].flatMap((group) => group.domains);
    expect(named.toSorted()).toEqual(domains.toSorted());
    expect(message.further!.map(({ code }) => code).toSorted()).toEqual(["dmarc-missing", "spf-missing"]);
    const text = messageText(message);
    expect(domains.filter((domain) => !text.includes(domain))).toEqual([]);
    expect(text).toContain("dmarc-missing: d");
    expect(text).not.toContain("zonepost check shows");
  });

  it.each<[target: "ntfy" | "slack", most: number, reason: string]>([
    ["ntfy", 3_800, "ntfy makes a file of what is longer"],
    ["slack", 2_900, "chats refuse what is longer"],
  ])("are counted and named as far as %s has room (%i: %s)", (kind, most) => {
    const { body } = alertRequest({ kind, url: "https://chat.example.net/topic" }, message, NOW);
    const read = JSON.parse(body);
    const text: string = kind === "ntfy" ? read.message : read.blocks[1].text.text;
    expect(Buffer.byteLength(text)).toBeLessThanOrEqual(most);
    // Either code with some of its domains, and how many there are beside them.
    expect(text).toMatch(/dmarc-missing: d\d+\.example\.net, d.* and \d+ more/);
    expect(text).toMatch(/spf-missing: d\d+\.example\.net, d.* and \d+ more/);
    const named = new Set(text.match(/d\d+\.example\.net/g)).size;
    const beside = [...text.matchAll(/ and (\d+) more/g)].reduce((sum, [, count]) => sum + Number(count), 0);
    expect(named + beside).toBe(300);
  });

  it("are cut where a webhook would get more than it may, and counted", () => {
    const long = Array(3).fill("x".repeat(60)).join(".");
    const message = messageFor(
      names(5_000, "d", `${long}.example.net`).map((domain, at) =>
        news(domain, "dmarc-missing", domain, `seen ${at % 40}`, 100),
      ),
    );
    const { body } = alertRequest(WEBHOOK, message, NOW);
    expect(Buffer.byteLength(body)).toBeLessThan(1_000_000);
    const { groups, further, omittedGroups } = JSON.parse(body) as AlertMessage;
    expect(groups.length + omittedGroups).toBe(40);
    expect(further!.length).toBeGreaterThan(0);
    expect(
      further!.map(({ domainCount }) => domainCount).reduce((sum, count) => sum + count),
    ).toBeGreaterThanOrEqual(2_500);
    expect(messageText(message).length).toBeLessThan(70_000);
  });
});

it("a cause of one domain keeps its name beside one that thousands have", () => {
  const many = names(15_000, "customer-number-", "a-long-name.example.net");
  const single = domainName("example.org");
  const shared = (domain: DomainName) => news(domain, "smtp-timeout", "mail.example.com");
  const rare = names(25).map((domain, at) => news(domain, "mx-missing", domain, `seen ${at}`));
  const message = messageFor([...many.map(shared), ...rare, news(single, "dkim-key-short", single)]);
  const all = [...message.groups, ...message.further!];
  expect(all.filter(({ domains }) => domains.length === 0)).toEqual([]);
  const cut = all.filter(({ domains, domainCount }) => domains.length < domainCount);
  expect(cut.map(({ domainCount }) => domainCount)).toEqual([15_000]);
  expect(cut[0]!.domains.length).toBeGreaterThan(5_000);
  const characters = all.flatMap(({ domains }) => domains).reduce((sum, name) => sum + name.length + 3, 0);
  expect(characters).toBeLessThan(400_000);
  const text = messageText(message);
  expect(text).toContain("example.org");
  expect(text).not.toMatch(/undefined|Domains?: +and/);
});

it("the same news has the same id, and other news another", () => {
  const [one, other] = names(2).map((domain) => news(domain, "dmarc-missing", domain));
  const idOf = (...all: News[]) => messageFor(all).id;
  expect(idOf(one!, other!)).toBe(idOf(other!, one!));
  expect(idOf(one!)).not.toBe(idOf(one!, other!));
  expect(idOf({ ...one!, at: "2026-11-22T12:00:00.000Z" })).not.toBe(idOf(one!));
});
