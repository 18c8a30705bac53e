import { describe, expect, it } from "vitest";
import { BROKEN_SERVERS } from "../../test/support/broken-servers.ts";
import { BROKEN_WORLDS, type BrokenWorld, SILENT_WORLD } from "../../test/support/broken-worlds.ts";
import { BARE, DESCRIBED, DOMAIN, HEALTHY } from "../../test/support/healthy-world.ts";
import { tableProber } from "../../test/support/table-prober.ts";
import { recordsOf, tableWorld } from "../../test/support/table-world.ts";
import { zoneLine } from "../records/zone-listing.ts";
import { formatRdata } from "../standards/dns/rdata-text.ts";
import { type ResourceRecord, typeOf } from "../standards/dns/record.ts";
import { CATALOGUE, type FindingCode, GROUPS, type Group } from "./catalogue.ts";
import { checkDomain } from "./check.ts";
import { leavesSomethingOpen } from "./concern.ts";
import { type DomainReport, type Finding, summarize } from "./finding.ts";
import { SEVERITIES } from "./severity.ts";

const isRed = ({ severity }: Finding) => severity !== "ok" && severity !== "notice";
const codes = (findings: readonly Finding[]) => [...new Set(findings.map(({ code }) => code))].sort();

describe("a healthy world", () => {
  it.each([
    ["described", DESCRIBED],
    ["of which nothing is known", BARE],
  ])("%s has no fault", async (_, options) => {
    const { findings } = await checkDomain(DOMAIN, tableWorld({ zone: HEALTHY }), options);
    expect(findings.filter(isRed)).toEqual([]);
    expect(findings.length).toBeGreaterThan(15);
  });
});

describe("one fault", () => {
  it.each(BROKEN_WORLDS)("$why: $red, and nothing else", async ({ domain, rows, options, red, also }) => {
    const { findings } = await checkDomain(domain, tableWorld(rows), options);
    expect(codes(findings.filter(isRed))).toEqual(red);
    expect(codes(findings)).toEqual(expect.arrayContaining([...also]));
  });
});

const reportsOn = (worlds: readonly BrokenWorld[]) =>
  Promise.all(
    worlds.map(async (world) => ({
      ...world,
      report: await checkDomain(world.domain, tableWorld(world.rows), world.options),
    })),
  );
const reports = reportsOn(BROKEN_WORLDS);
/** The same faults, where a description says how it should be. */
const describedReports = reportsOn(
  BROKEN_WORLDS.filter(
    ({ options, domain, rows }) => options === BARE && domain === DOMAIN && rows.zone !== SILENT_WORLD.zone,
  ).map((world) => ({
    ...world,
    options: DESCRIBED,
  })),
);

const serverReports = Promise.all(
  BROKEN_SERVERS.map(({ rows, probes, options }) =>
    checkDomain(DOMAIN, { ...tableWorld(rows), prober: tableProber(probes) }, options),
  ),
);

/** Codes that none of these worlds can bring about, and why. This list may only shrink. */
const NEVER_HERE: readonly (readonly [RegExp, string])[] = [
  [
    /^mta-sts-(policy-(duplicate-key|empty-line|mode|mx|no-mx|size|syntax|unknown-key|version)|mode-none|max-age-short|duplicate-mx)$/,
    "of the policy's text: policy.test.ts has them all",
  ],
  [/^(tlsa|caa|srv)-syntax$/, "of texts that `explain` is given; what DNS carries has been read already"],
  [/^srv-(protocol|clear-text)$/, "of names that a check does not ask for, and `explain` is shown"],
  [/^dmarc-policy-too-early$/, "of the ladder, which needs to know since when a policy stands"],
  [
    /^(address-is-name|address-with-priority|ptr-wrong-owner|zone-foreign-owner|zone-cname-and-other)$/,
    "of zone text: lint.test.ts",
  ],
  [/^(spf-include-grew|zone-ttl-lowered)$/, "of an earlier look: over-time.test.ts"],
  [/^dkim-key-old$/, "of keys that are kept: key-age.test.ts in watch/"],
  [
    /^dkim-(signing-key-lost|rotation-stuck|rotation-waits)$/,
    "of keys that are kept: key-trouble.test.ts in watch/",
  ],
  [/^(dns-no-answer|zone-unreachable)$/, "of lookups that fail: unknown.test.ts"],
];

describe("the catalogue", () => {
  it("holds nothing that no broken world brings about", async () => {
    const seen = new Set<FindingCode>();
    const all = [...(await reports).map(({ report }) => report), ...(await serverReports)];
    for (const { findings } of all) for (const { code } of findings) seen.add(code);
    const never = (Object.keys(CATALOGUE) as FindingCode[]).filter((code) => !seen.has(code));
    expect(never.filter((code) => !NEVER_HERE.some(([pattern]) => pattern.test(code)))).toEqual([]);
    for (const [pattern] of NEVER_HERE)
      expect(
        never.some((code) => pattern.test(code)),
        `${pattern}`,
      ).toBe(true);
    for (const code of never) expect(seen.has(code)).toBe(false);
  });

  it("cites standards that are in force", () => {
    const OBSOLETE = /RFC (821|2821|974|4408|4871|5672|6844|7489|9091|5617|4870|2672|1123 §5\.2)\b/;
    const cited = Object.values(CATALOGUE).map(({ reference }) => reference);
    expect(cited.filter((reference) => OBSOLETE.test(reference))).toEqual([]);
    expect(cited.filter((reference) => !/^(RFC \d+( §[0-9.]+)?|draft-[a-z-]+)$/.test(reference))).toEqual([]);
  });
});

describe("a check of some groups alone", () => {
  /** A lookup that failed is said by whoever looked, so it belongs to no group for certain. */
  const inGroup = ({ findings }: DomainReport, group: Group) =>
    codes(
      findings.filter(
        ({ code }) => CATALOGUE[code].group === group && code !== "dns-no-answer" && code !== "dnssec-bogus",
      ),
    );

  it("says all that the whole check says of them", async () => {
    const differing: string[] = [];
    for (const { why, rows, options, domain, report } of await reports) {
      const [first] = report.findings.filter(isRed);
      if (first === undefined) continue;
      const { group } = CATALOGUE[first.code];
      const part = await checkDomain(domain, tableWorld(rows), options, { groups: new Set([group]) });
      if (inGroup(part, group).join() !== inGroup(report, group).join())
        differing.push(`${why}: ${inGroup(report, group)}; alone ${inGroup(part, group)}`);
    }
    for (const [at, { why, rows, probes, options }] of BROKEN_SERVERS.entries()) {
      const whole = (await serverReports)[at]!;
      const [first] = whole.findings.filter(isRed);
      if (first === undefined) continue;
      const { group } = CATALOGUE[first.code];
      const world = { ...tableWorld(rows), prober: tableProber(probes) };
      const part = await checkDomain(DOMAIN, world, options, { groups: new Set([group]) });
      if (inGroup(part, group).join() !== inGroup(whole, group).join())
        differing.push(`${why}: ${inGroup(whole, group)}; alone ${inGroup(part, group)}`);
    }
    expect(differing).toEqual([]);
  });
});

describe("a report", () => {
  it("has findings of one fixed shape", async () => {
    const all = [...(await reports).map(({ report }) => report), ...(await serverReports)];
    for (const report of all) {
      for (const { subject = "none", leavesOpen, ...finding } of report.findings) {
        expect(Object.keys(JSON.parse(JSON.stringify(finding)))).toEqual(SHAPE);
        const { code, severity, owner, fix, ...texts } = finding;
        expect(subject, code).toMatch(/\S/);
        expect(leavesOpen === undefined || leavesSomethingOpen(finding), code).toBe(true);
        expect(SEVERITIES).toContain(severity);
        for (const text of [code, owner, ...Object.values(texts)]) expect(text, code).toMatch(/\S/);
        expect(texts.why, code).toMatch(/[.!?)]$/);
        for (const change of fix?.changes ?? []) {
          expect(Object.keys(change)).toEqual([
            "action",
            "owner",
            "type",
            "ttlSeconds",
            "value",
            "zoneText",
            "form",
            "host",
          ]);
          expect(recordsOf(change.zoneText), change.zoneText).toHaveLength(1);
        }
      }
    }
  });

  it("counts what it holds, and sorts the worst to the front", async () => {
    for (const { report } of await reports) {
      const { findings, summary } = report;
      const count = (severity: string) => findings.filter((finding) => finding.severity === severity).length;
      expect(summary).toEqual(summarize(findings));
      expect([summary.errors, summary.unknown, summary.warnings, summary.notices, summary.ok]).toEqual(
        SEVERITIES.map(count),
      );
      const ranks = findings.map(
        ({ severity, code }) =>
          SEVERITIES.indexOf(severity) * 100 + Object.keys(GROUPS).indexOf(CATALOGUE[code].group),
      );
      expect(ranks).toEqual(ranks.toSorted((x, y) => x - y));
    }
  });
});

const SHAPE = ["code", "severity", "owner", "expected", "observed", "why", "reference", "fix", "verify"];

/** Each change as it stands, read from the zone text that people copy. */
function applied(zone: string, { findings }: DomainReport): string {
  const key = ({ name, data }: ResourceRecord) => `${name} ${typeOf(data)} ${formatRdata(data)}`;
  const records = new Map(recordsOf(zone).map((record) => [key(record), record]));
  for (const { action, zoneText } of findings.flatMap(({ fix }) => fix?.changes ?? [])) {
    const [record] = recordsOf(zoneText);
    const isThere = records.has(key(record!));
    if (action === "delete") records.delete(key(record!));
    else if (!isThere) records.set(key(record!), record!);
  }
  return [...records.values()].map(zoneLine).join("\n");
}

describe("the fixes", () => {
  it.each([
    ["without a description", reports],
    ["with one", describedReports],
  ])("mend what they say they mend, %s", async (_, worlds) => {
    const failures: string[] = [];
    let mended = 0;
    for (const { why, rows, options, domain, report } of await worlds) {
      const promised = report.findings.filter(
        (finding) => isRed(finding) && (finding.fix?.changes.length ?? 0) > 0,
      );
      if (promised.length === 0) continue;
      mended += 1;
      const after = await checkDomain(
        domain,
        tableWorld({ ...rows, zone: applied(rows.zone, report) }),
        options,
      );
      const left = codes(after.findings.filter(isRed));
      const before = codes(report.findings.filter(isRed));
      const stubborn = codes(promised).filter((code) => left.includes(code));
      // Where no policy was, "none" is the first step, and not the last.
      const fresh = left.filter((code) => !before.includes(code) && code !== "dmarc-policy-none");
      if (stubborn.length + fresh.length > 0)
        failures.push(`${why}: still ${stubborn.join(", ")}; new ${fresh.join(", ")}`);
    }
    expect(failures).toEqual([]);
    expect(mended).toBeGreaterThan(40);
  });
});
