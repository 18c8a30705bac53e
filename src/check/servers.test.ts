/** What stands behind the records: each server fault gives its own finding, and nothing else turns red. */
import { describe, expect, it } from "vitest";
import {
  BARE_SERVERS,
  BROKEN_SERVERS,
  DESCRIBED_SERVERS,
  HEALTHY_SERVERS,
} from "../../test/support/broken-servers.ts";
import { BROKEN_WORLDS } from "../../test/support/broken-worlds.ts";
import { DOMAIN } from "../../test/support/healthy-world.ts";
import { tableProber } from "../../test/support/table-prober.ts";
import { edited, NOW, tableWorld } from "../../test/support/table-world.ts";
import { checkDomain } from "./check.ts";
import type { Finding } from "./finding.ts";

const isRed = ({ severity }: Finding) => severity !== "ok" && severity !== "notice";
const codes = (findings: readonly Finding[]) => [...new Set(findings.map(({ code }) => code))].sort();

describe("healthy servers", () => {
  it.each([
    ["described", DESCRIBED_SERVERS],
    ["of which nothing is known", BARE_SERVERS],
  ])("%s have no fault", async (_, options) => {
    const prober = tableProber();
    const { findings } = await checkDomain(
      DOMAIN,
      { ...tableWorld({ zone: HEALTHY_SERVERS }), prober },
      options,
    );
    expect(findings.filter(isRed)).toEqual([]);
    expect(codes(findings)).toEqual(
      expect.arrayContaining([
        "smtp-ok",
        "service-ok",
        "mta-sts-policy-ok",
        "tlsa-ok",
        "settings-ok",
        "dnsbl-ok",
      ]),
    );
    expect(new Set(prober.probed).size).toBe(prober.probed.length);
  });
});

describe("one fault", () => {
  it.each(BROKEN_SERVERS)("$why: $red, and nothing else", async ({ rows, probes, options, red, also }) => {
    const world = { ...tableWorld(rows), prober: tableProber(probes) };
    const { findings } = await checkDomain(DOMAIN, world, options);
    expect(codes(findings.filter(isRed))).toEqual(red);
    expect(codes(findings)).toEqual(expect.arrayContaining([...also]));
  });

  it.each(BROKEN_SERVERS.filter(({ red }) => red.length > 0))(
    "$why: the severity fits what is known",
    async ({ rows, probes, options }) => {
      const world = { ...tableWorld(rows), prober: tableProber(probes) };
      const { findings } = await checkDomain(DOMAIN, world, options);
      for (const { code, severity } of findings.filter(isRed)) {
        expect(/untold|broken|no-route|no-answer/.test(code), code).toBe(severity === "unknown");
      }
    },
  );
});

it("a finding is observed in the same words tomorrow: looks are compared by them", async () => {
  const worlds = [
    ...BROKEN_WORLDS.map((world) => ({ ...world, probes: undefined })),
    ...BROKEN_SERVERS.map((world) => ({ ...world, domain: DOMAIN })),
  ];
  const wrong: string[] = [];
  for (const { why, rows, options, domain, probes } of worlds) {
    const look = async (now: Date) => {
      const prober = probes && { prober: tableProber(probes) };
      const { findings } = await checkDomain(domain, { ...tableWorld(rows), ...prober, now }, options);
      return Map.groupBy(findings, ({ code, owner, subject }) => `${code} ${owner} ${subject}`);
    };
    const today = await look(NOW);
    for (const [which, tomorrow] of await look(new Date(NOW.getTime() + 86_400_000))) {
      const words = (some: readonly Finding[] = []) => some.map(({ observed }) => observed).join("; ");
      const before = today.get(which);
      if (before !== undefined && words(before) !== words(tomorrow)) wrong.push(`${why}: ${words(tomorrow)}`);
    }
  }
  expect(wrong).toEqual([]);
});

describe("half an answer", () => {
  const look = async (why: string, failing: string) => {
    const worlds = [...BROKEN_WORLDS.map((one) => ({ ...one, probes: {} })), ...BROKEN_SERVERS];
    const { rows, options, probes } = worlds.find((one) => one.why === why)!;
    const world = {
      ...tableWorld({ ...rows, failing: { [failing]: "timeout" } }),
      prober: tableProber(probes),
    };
    return codes((await checkDomain(DOMAIN, world, options)).findings);
  };
  it("of a mail server's addresses does not make the domain's own another's", async () => {
    const found = await look("no MX, and the address is the mail server's", "mail.example.org A");
    expect(found).toContain("dns-no-answer");
    expect(found).not.toContain("mx-fallback-elsewhere");
  });
  it("of a block list's tests does not make it a list that works", async () => {
    const found = await look("struggle 22: a list that lists the world", `1.0.0.127.bl.example.net A`);
    expect(found).toContain("dnsbl-untold");
    expect(found).not.toContain("dnsbl-listed");
  });
});

describe("whom it connects to", () => {
  const inner = edited(HEALTHY_SERVERS, {
    without: ["mail.example.org A", "mail.example.org AAAA"],
    add: [
      "mail.example.org. A 10.0.0.25",
      "mail.example.org. AAAA fe80::25",
      "mail.example.org. A 127.0.0.1",
    ],
  });

  it("never an address that DNS points to inside, unless told", async () => {
    const prober = tableProber();
    await checkDomain(DOMAIN, { ...tableWorld({ zone: inner }), prober }, BARE_SERVERS);
    expect(prober.probed).toEqual([]);
    await checkDomain(
      DOMAIN,
      { ...tableWorld({ zone: inner }), prober },
      { ...BARE_SERVERS, allowPrivate: true },
    );
    expect(prober.probed.some((text) => text.includes("10.0.0.25"))).toBe(true);
  });

  it("no more addresses and servers than its bound", async () => {
    const many = Array.from({ length: 500 }, (_, at) => [
      `example.org. MX 10 m${at % 40}.example.org.`,
      `m${at % 40}.example.org. A 198.51.100.${at % 250}`,
    ]).flat();
    const prober = tableProber();
    const zone = edited(HEALTHY_SERVERS, { without: ["example.org MX"], add: [...new Set(many)] });
    await checkDomain(DOMAIN, { ...tableWorld({ zone }), prober }, BARE_SERVERS);
    expect(prober.probed.length).toBeGreaterThan(30);
    expect(prober.probed.length).toBeLessThanOrEqual(96);
  });

  it("nobody at all without a prober", async () => {
    const { findings } = await checkDomain(DOMAIN, tableWorld({ zone: HEALTHY_SERVERS }), BARE_SERVERS);
    expect(codes(findings).filter((code) => /^(smtp|service|settings|certificate)-/.test(code))).toEqual([]);
  });
});
