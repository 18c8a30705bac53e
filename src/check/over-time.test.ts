import { describe, expect, it } from "vitest";
import { BARE, DOMAIN } from "../../test/support/healthy-world.ts";
import { type Failures, tableWorld } from "../../test/support/table-world.ts";
import { domainName } from "../standards/dns/name.ts";
import { checkDomain } from "./check.ts";
import type { Finding } from "./finding.ts";
import {
  compareInclude,
  compareTtl,
  lookBack,
  type Past,
  type PastInclude,
  type PastTtl,
} from "./over-time.ts";

const DAY = 86_400_000;
const NOW = Date.UTC(2026, 10, 21, 12);
const name = domainName("_spf.example.net");

describe("an include of somebody else", () => {
  const held = (holds: readonly string[], grewAt?: number): PastInclude => ({
    name,
    holds,
    count: holds.length,
    ...(grewAt !== undefined && { grewAt }),
  });
  const many = Array.from({ length: 120 }, (_, at) => `198.51.${at}.0/24`);
  const big = (count: number): PastInclude => ({ name, holds: many.slice(0, 100), count });

  it.each<
    [
      why: string,
      before: PastInclude | undefined,
      holds: readonly string[] | undefined,
      said: RegExp | undefined,
      kept: PastInclude | undefined,
    ]
  >([
    ["seen for the first time", undefined, ["192.0.2.0/24"], undefined, held(["192.0.2.0/24"])],
    ["the same", held(["192.0.2.0/24"]), ["192.0.2.0/24"], undefined, held(["192.0.2.0/24"])],
    [
      "a network more: what was before stays in mind",
      held(["192.0.2.0/24"]),
      ["192.0.2.0/24", "198.51.100.0/24"],
      /^_spf\.example\.net: 1 networks and terms before, 2 now; new: 198\.51\.100\.0\/24$/,
      held(["192.0.2.0/24"], NOW),
    ],
    [
      "another in its place",
      held(["192.0.2.0/24"]),
      ["198.51.100.0/24"],
      /new: 198\.51\.100\.0\/24/,
      held(["192.0.2.0/24"], NOW),
    ],
    [
      "a part of what was there",
      held(["192.0.2.0/24"]),
      ["192.0.2.64/26"],
      undefined,
      held(["192.0.2.64/26"]),
    ],
    [
      "wider than before",
      held(["192.0.2.64/26"]),
      ["192.0.2.0/24"],
      /new: 192\.0\.2\.0\/24/,
      held(["192.0.2.64/26"], NOW),
    ],
    [
      "one of IPv6",
      held(["2001:db8::/40"]),
      ["2001:db8::/40", "2001:db8:1::/48"],
      undefined,
      held(["2001:db8::/40", "2001:db8:1::/48"]),
    ],
    [
      "a name whose addresses may be any",
      held(["192.0.2.0/24"]),
      ["192.0.2.0/24", "a:relay.example.net"],
      /new: a:relay/,
      held(["192.0.2.0/24"], NOW),
    ],
    ["emptied", held(["192.0.2.0/24"]), [], undefined, held([])],
    [
      "nobody could tell: as before",
      held(["192.0.2.0/24"], NOW - DAY),
      undefined,
      undefined,
      held(["192.0.2.0/24"], NOW - DAY),
    ],
    ["nobody could ever tell", undefined, undefined, undefined, undefined],
    [
      "six days later it is still said",
      held(["192.0.2.0/24"], NOW - 6 * DAY),
      ["192.0.2.0/24", "198.51.100.0/24"],
      /1 networks/,
      held(["192.0.2.0/24"], NOW - 6 * DAY),
    ],
    [
      "a week later it is how things are",
      held(["192.0.2.0/24"], NOW - 7 * DAY),
      ["192.0.2.0/24", "198.51.100.0/24"],
      undefined,
      held(["192.0.2.0/24", "198.51.100.0/24"]),
    ],
    ["gone again", held(["192.0.2.0/24"], NOW - DAY), ["192.0.2.0/24"], undefined, held(["192.0.2.0/24"])],
    [
      "of more than are kept, their number counts",
      big(110),
      many,
      /110 networks and terms before, 120 now$/,
      { ...big(110), grewAt: NOW },
    ],
    ["of more than are kept, as many", big(120), many, undefined, big(120)],
  ])("%s", (_, before, holds, said, kept) => {
    const compared = compareInclude(before, { name, holds }, NOW);
    if (said === undefined) expect(compared.said).toBeUndefined();
    else expect(compared.said).toMatch(said);
    expect(compared.kept).toEqual(kept);
  });
});

describe("a TTL", () => {
  const ttl = (ttlSeconds: number, loweredAt?: number): PastTtl => ({
    name: DOMAIN,
    type: "MX",
    ttlSeconds,
    ...(loweredAt !== undefined && { loweredAt }),
  });
  it.each<
    [
      why: string,
      before: PastTtl | undefined,
      now: number | "absent" | "unknown",
      said: boolean,
      kept: PastTtl | undefined,
    ]
  >([
    ["seen for the first time, however low", undefined, 60, false, ttl(60)],
    ["from a day to five minutes", ttl(86_400), 300, true, ttl(86_400, NOW)],
    ["from an hour to fifteen minutes", ttl(3600), 900, true, ttl(3600, NOW)],
    ["from a day to an hour: still long", ttl(86_400), 3600, false, ttl(3600)],
    ["from twenty minutes to ten: hardly lower", ttl(1200), 600, false, ttl(600)],
    ["as low as it always was", ttl(60), 60, false, ttl(60)],
    ["back again", ttl(3600, NOW - DAY), 3600, false, ttl(3600)],
    ["still low", ttl(3600, NOW - DAY), 300, true, ttl(3600, NOW - DAY)],
    ["low for a week: it is meant so", ttl(3600, NOW - 7 * DAY), 300, false, ttl(300)],
    ["nobody could tell", ttl(3600, NOW - DAY), "unknown", false, ttl(3600, NOW - DAY)],
    ["the record is gone", ttl(3600), "absent", false, undefined],
  ])("%s", (_, before, ttlSeconds, said, kept) => {
    const compared = compareTtl(before, { name: DOMAIN, type: "MX", ttlSeconds }, NOW);
    expect(compared.said !== undefined).toBe(said);
    expect(compared.kept).toEqual(kept);
  });
});

describe("two looks at one domain", () => {
  const zone = ({ ttl = 3600, own = "ip4:192.0.2.25", theirs = "ip4:198.51.100.0/24" } = {}) => `
example.org. 3600 SOA ns.example.org. hostmaster.example.org. 1 3600 600 86400 300
example.org. 3600 NS ns.example.org.
ns.example.org. 3600 A 192.0.2.53
example.org. ${ttl} MX 10 mail.example.org.
mail.example.org. ${ttl} A 192.0.2.25
example.org. 3600 TXT "v=spf1 include:_own.example.org include:_spf.example.net -all"
_own.example.org. 3600 TXT "v=spf1 ${own} include:deep.example.com -all"
example.net. 3600 SOA ns.example.net. hostmaster.example.net. 1 3600 600 86400 300
example.net. 3600 NS ns.example.net.
ns.example.net. 3600 A 192.0.2.54
_spf.example.net. 3600 TXT "v=spf1 include:more.example.net a:out.example.net mx exists:%{i}.x.example.net ~all"
more.example.net. 3600 TXT "v=spf1 ${theirs} ~all"
example.com. 3600 SOA ns.example.com. hostmaster.example.com. 1 3600 600 86400 300
example.com. 3600 NS ns.example.com.
ns.example.com. 3600 A 192.0.2.55
deep.example.com. 3600 TXT "v=spf1 ip4:203.0.113.0/28 -all"
`;
  const look = async (text: string, past?: Past, failing: Failures = {}) => {
    let kept: Past | undefined;
    let found: readonly Finding[] = [];
    const world = tableWorld({ zone: text, failing });
    const options = { ...BARE, domain: DOMAIN };
    await checkDomain(DOMAIN, world, options, {
      beside: [
        async (context) => {
          const back = await lookBack(past, context);
          kept = back.past;
          found = back.findings;
          return back.findings;
        },
      ],
    });
    return { past: kept!, findings: found, asked: world.asked.length };
  };

  it("the first remembers what others hold, wherever it is included, and nothing of our own", async () => {
    const { past, findings } = await look(zone());
    expect(findings).toEqual([]);
    expect(past).toEqual({
      includes: [
        { name: "deep.example.com", holds: ["203.0.113.0/28"], count: 1 },
        {
          name: "_spf.example.net",
          holds: [
            "198.51.100.0/24",
            "a:out.example.net",
            "exists:%{i}.x.example.net",
            "mx of _spf.example.net",
          ],
          count: 4,
        },
      ],
      ttls: [
        { name: "example.org", type: "MX", ttlSeconds: 3600 },
        { name: "mail.example.org", type: "A", ttlSeconds: 3600 },
      ],
    });
    expect(JSON.parse(JSON.stringify(past))).toEqual(past);
  });

  it.each<[why: string, Parameters<typeof zone>[0], Failures, readonly string[]]>([
    ["nothing has changed", {}, {}, []],
    ["an address of our own", { own: "ip4:192.0.2.26" }, {}, []],
    [
      "a network of theirs, deep below",
      { theirs: "ip4:198.51.100.0/24 ip4:203.0.113.0/24" },
      {},
      ["spf-include-grew example.org"],
    ],
    [
      "a network of theirs, behind an include that nobody answers for",
      { theirs: "ip4:198.51.100.0/24 ip4:203.0.113.0/24" },
      { "more.example.net TXT": "timeout" },
      [],
    ],
    [
      "somebody prepares a move",
      { ttl: 300 },
      {},
      ["zone-ttl-lowered example.org", "zone-ttl-lowered mail.example.org"],
    ],
    ["the zone cannot be asked", { ttl: 300 }, { "example.org ZONE": "timeout" }, []],
  ])("%s", async (_, changed, failing, said) => {
    const { past } = await look(zone());
    const { findings } = await look(zone(changed), past, failing);
    expect(findings.map(({ code, owner }) => `${code} ${owner}`)).toEqual(said);
  });

  it("asks for nothing that the check does not ask for", async () => {
    const world = tableWorld({ zone: zone() });
    await checkDomain(DOMAIN, world, BARE);
    expect((await look(zone())).asked).toBe(world.asked.length);
  });
});
