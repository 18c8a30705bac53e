/** "Could not tell" is a third answer: no lookup that fails may look like a record that is missing. */
import { describe, expect, it } from "vitest";
import { BARE, DESCRIBED, DOMAIN, HEALTHY } from "../../test/support/healthy-world.ts";
import { edited, tableWorld, type WorldRows } from "../../test/support/table-world.ts";
import type { UnknownCause } from "../standards/dns/resolver.ts";
import { checkDomain } from "./check.ts";
import type { CheckOptions } from "./context.ts";
import type { DomainReport, Finding } from "./finding.ts";

const CAUSES: readonly UnknownCause[] = [
  "servfail",
  "timeout",
  "refused",
  "bogus",
  "network",
  "malformed",
  "loop",
];

/** Nothing of a domain's own is known here but that it is there: every check has something to miss. */
const BARREN = edited(HEALTHY, {
  without: HEALTHY.split("\n")
    .filter((line) => !/ (SOA|NS|DS|DNSKEY|RRSIG) |^ns\d/.test(line))
    .flatMap((line) => {
      const [name = "", ...rest] = line.split(" ");
      const type = rest.find((word) => /^(A|AAAA|MX|TXT|CNAME|SRV|CAA|TLSA|PTR)$/.test(word));
      return [`${name.slice(0, -1)} ${type}`];
    }),
});

const WORLDS: readonly (readonly [string, WorldRows, CheckOptions])[] = [
  ["a healthy world, described", { zone: HEALTHY }, DESCRIBED],
  ["a healthy world of which nothing is known", { zone: HEALTHY }, BARE],
  ["a healthy world, asked for a selector", { zone: HEALTHY }, { ...BARE, dkimSelectors: ["default"] }],
  [
    "a PTR of another name, and reports to a host without MX",
    {
      zone: edited(HEALTHY, {
        without: ["25.2.0.192.in-addr.arpa", "reports.example.net MX"],
        add: [
          "25.2.0.192.in-addr.arpa. PTR box.example.net.",
          "box.example.net. A 192.0.2.25",
          "reports.example.net. A 198.51.100.26",
        ],
      }),
    },
    BARE,
  ],
  ["an unsigned wildcard zone", { zone: `${HEALTHY}\n*.example.org. A 192.0.2.80` }, BARE],
  ["a described domain that has nothing yet", { zone: BARREN }, DESCRIBED],
];

/** Lookups whose failure changes nothing, and why. This list may only shrink. */
const WITHOUT_EFFECT: readonly (readonly [RegExp, string])[] = [
  [/^example\.org SOA$/, "the walk to the zone stands in: it only tells that the domain is there"],
  [/^_tcp\.example\.org SRV$/, "a short cut: each service is asked by itself then"],
  [/^(box|reports)\.example\.net AAAA$/, "the A was found, and is the family that counts, or enough"],
  [/^mta-sts\.example\.org (A|AAAA)$/, "one family was found, and is enough to fetch a policy"],
  [
    /^(?!default)[a-z0-9]+\._domainkey\.example\.org TXT$/,
    "a guess at a selector, beside one that was found",
  ],
];

const excused = new Set<RegExp>();

async function askedIn(rows: WorldRows, options: CheckOptions): Promise<readonly string[]> {
  const world = tableWorld(rows);
  await checkDomain(DOMAIN, world, options);
  return [...new Set(world.asked)];
}

const claimsAbsence = ({ code, observed, severity }: Finding) =>
  severity !== "unknown" &&
  (/(-missing|-not-found|-without-record|-unresolvable)$|-no-(?!evidence|ipv6)|^dnssec-unsigned$|differs$/.test(
    code,
  ) ||
    /does not exist|no such|\bno (?:TXT|MX|PTR|SPF|CAA|address|DS)\b|has neither|neither A nor/.test(
      observed,
    ));

const nameOf = ({ code, owner, expected }: Finding) => `${code} ${owner} ${expected}`;

describe.each(WORLDS)("%s", (_, rows, options) => {
  const reportOf = (failing: Record<string, UnknownCause>): Promise<DomainReport> =>
    checkDomain(DOMAIN, tableWorld({ ...rows, failing }), options);

  it.each(CAUSES)("a lookup that fails with %s is never shown as a missing record", async (cause) => {
    const before = new Set((await reportOf({})).findings.filter(claimsAbsence).map(nameOf));
    const wrong: string[] = [];
    const silent: string[] = [];
    for (const question of await askedIn(rows, options)) {
      const { findings } = await reportOf({ [question]: cause });
      for (const finding of findings.filter(claimsAbsence)) {
        if (!before.has(nameOf(finding))) wrong.push(`${question}: ${finding.code}: ${finding.observed}`);
      }
      const isTold = findings.some(
        ({ code, severity }) => severity === "unknown" || (cause === "bogus" && code === "dnssec-bogus"),
      );
      if (isTold) continue;
      const excuse = WITHOUT_EFFECT.find(([pattern]) => pattern.test(question));
      if (excuse === undefined) silent.push(question);
      else excused.add(excuse[0]);
    }
    expect({ wrong, silent }).toEqual({ wrong: [], silent: [] });
  });

  it("a network that lets nothing through has one thing to say", async () => {
    const failing = Object.fromEntries(
      (await askedIn(rows, options)).map((question) => [question, "timeout" as const]),
    );
    const { findings } = await reportOf(failing);
    expect(findings.map(({ code, severity }) => `${severity} ${code}`)).toEqual(["unknown zone-unreachable"]);
  });
});

it("asks enough for these tests to mean something", async () => {
  const [described, bare] = await Promise.all([
    askedIn({ zone: HEALTHY }, DESCRIBED),
    askedIn({ zone: HEALTHY }, BARE),
  ]);
  expect(described.length).toBeGreaterThan(40);
  expect(bare.length).toBeGreaterThan(70);
  expect(WITHOUT_EFFECT.filter(([pattern]) => !excused.has(pattern))).toEqual([]);
});
