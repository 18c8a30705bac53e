import { describe, expect, it } from "vitest";
import { BROKEN_SERVERS, HEALTHY_SERVERS } from "../../test/support/broken-servers.ts";
import { BROKEN_WORLDS } from "../../test/support/broken-worlds.ts";
import { DOMAIN } from "../../test/support/healthy-world.ts";
import { tableProber } from "../../test/support/table-prober.ts";
import { type ServerRow, tableWorld } from "../../test/support/table-world.ts";
import { CATALOGUE, type FindingCode } from "../check/catalogue.ts";
import { checkDomain } from "../check/check.ts";
import type { Finding } from "../check/finding.ts";
import type { Prober, ServiceProbe } from "../check/probe.ts";
import { type DomainName, domainName } from "../standards/dns/name.ts";
import { blindness } from "./blindness.ts";

const WORLDS = [
  ...BROKEN_WORLDS.map((world) => ({ ...world, probes: undefined })),
  ...BROKEN_SERVERS.map((world) => ({ ...world, domain: DOMAIN })),
];

/** What leaves nothing open and yet is not seen, and why. This list may only shrink. */
const GAPS: readonly (readonly [FindingCode, RegExp, string])[] = [
  ["servers-differ", /^example\.org MX$/, "one of two name servers still answers, and differs from nobody"],
  ["spf-redundant-term", /^example\.org MX$/, "the same: its MX is not that of the other"],
  [
    "dkim-selector-unused",
    /_domainkey\.example\.org TXT$/,
    "a guess at a selector that failed is worth no word",
  ],
];

/** All of them take minutes; each world has its share, another than the next one's. */
const ONE_IN = 16;

type Silence = Pick<Prober, "probeService" | "fetchHttps">;
const nothing = { status: "timeout", detail: "no answer" } as const;
const hanging = { status: "broken", detail: "it hung" } as const;
/** What may be silent beside DNS, and how. */
const SILENCES: readonly (readonly [string, (healthy: Prober) => Silence])[] = [
  ["port 25", (healthy) => ({ ...healthy, probeService: ofProtocol("smtp", nothing, healthy) })],
  ["SMTP that hangs", (healthy) => ({ ...healthy, probeService: ofProtocol("smtp", hanging, healthy) })],
  ["IMAP", (healthy) => ({ ...healthy, probeService: ofProtocol("imaps", hanging, healthy) })],
  ["the web", (healthy) => ({ ...healthy, fetchHttps: async () => nothing })],
  [
    "IPv6",
    (healthy) => ({
      ...healthy,
      probeService: async (target) =>
        target.address.family === 6
          ? { status: "unreachable", detail: "no way" }
          : healthy.probeService(target),
    }),
  ],
];
const ofProtocol =
  (protocol: string, probe: ServiceProbe, healthy: Prober): Prober["probeService"] =>
  async (target) => {
    const is = await healthy.probeService(target);
    return target.protocol === protocol && is.status === "answered" ? probe : is;
  };

type Tried = (typeof WORLDS)[number];
const lookAt = async (
  { rows, options, domain, probes }: Tried,
  failing: Record<string, "timeout">,
  silence?: (healthy: Prober) => Silence,
) => {
  const world = tableWorld({ ...rows, failing: { ...rows.failing, ...failing } });
  const table = probes && tableProber(probes);
  const prober = table && (silence?.(table) ?? table);
  const { findings } = await checkDomain(domain, { ...world, ...(prober && { prober }) }, options);
  return { findings, asked: world.asked };
};

/** What was told, is not seen for what failed, and would be taken for gone. */
function lost(
  domain: DomainName,
  before: readonly Finding[],
  findings: readonly Finding[],
): readonly Finding[] {
  const isOpen = blindness({ domain, findings });
  const isSeen = (known: Finding) =>
    findings.some(
      ({ code, owner, subject }) => code === known.code && owner === known.owner && subject === known.subject,
    );
  return before.filter(
    (known) => known.severity !== "ok" && known.severity !== "unknown" && !isSeen(known) && !isOpen(known),
  );
}

describe("what fails leaves open whatever is not seen for it", () => {
  it("lookups", { timeout: 120_000 }, async () => {
    const wrong: string[] = [];
    for (const [at, world] of WORLDS.entries()) {
      const before = await lookAt(world, {});
      const asked = [...new Set(before.asked)].filter((_, which) => which % ONE_IN === at % ONE_IN);
      for (const question of asked) {
        const { findings } = await lookAt(world, { [question]: "timeout" });
        for (const { code, owner } of lost(world.domain, before.findings, findings)) {
          const isExcused = GAPS.some(([gap, pattern]) => gap === code && pattern.test(question));
          if (!isExcused) wrong.push(`${world.why}: ${code} ${owner} without ${question}`);
        }
      }
    }
    expect(wrong).toEqual([]);
  });

  it.each(SILENCES)("%s", { timeout: 120_000 }, async (_, silence) => {
    const wrong: string[] = [];
    for (const world of WORLDS.filter(({ probes }) => probes !== undefined)) {
      const { findings: before } = await lookAt(world, {});
      const { findings } = await lookAt(world, {}, silence);
      for (const { code, owner, subject } of lost(world.domain, before, findings))
        wrong.push(`${world.why}: ${code} ${owner} ${subject}`);
    }
    expect(wrong).toEqual([]);
  });
});

const entry = (code: FindingCode, owner: string = DOMAIN, more: Partial<Finding> = {}): Finding => ({
  code,
  severity: CATALOGUE[code].severity,
  owner: domainName(owner),
  expected: "",
  observed: "",
  why: "",
  reference: "",
  fix: null,
  verify: "",
  ...more,
});
const MAIL = "mail.example.org";
const silent = (owner: string, type: string, ...leavesOpen: NonNullable<Finding["leavesOpen"]>) =>
  entry("dns-no-answer", owner, {
    expected: `an answer for ${type}`,
    ...(leavesOpen.length > 0 && { leavesOpen }),
  });

const [NS1, NS2, NS3] = [
  "ns1.example.org (192.0.2.1)",
  "ns2.example.org (192.0.2.2)",
  "ns3.example.org (192.0.2.3)",
] as const;
const SILENT_NS2 = entry("zone-server-silent", DOMAIN, { subject: NS2, leavesOpen: ["zone"] });

describe("what is not seen", () => {
  const REPORTS = "example.org._report._dmarc.example.net";
  const UNTOLD = entry("smtp-untold", DOMAIN, {
    observed: `no answer on port 25 from ${MAIL} (192.0.2.25), and nothing to compare with`,
    leavesOpen: ["smtp"],
  });
  const NO_ROUTE = entry("smtp-no-route", DOMAIN, {
    observed: `no way from here to ${MAIL} (192.0.2.25)`,
    leavesOpen: ["smtp"],
  });
  const BROKEN = entry("smtp-broken", MAIL, { subject: "192.0.2.25", leavesOpen: ["smtp"] });
  it.each<[why: string, known: Finding, now: readonly Finding[], isOpen: boolean]>([
    ["a name of others says nothing of SPF", entry("spf-missing"), [silent(REPORTS, "TXT", "dmarc")], false],
    [
      "nor of the policy",
      entry("dmarc-missing", "_dmarc.example.org"),
      [silent(REPORTS, "TXT", "dmarc")],
      false,
    ],
    [
      "but of the reports",
      entry("dmarc-report-unauthorized", REPORTS),
      [silent(REPORTS, "TXT", "dmarc")],
      true,
    ],
    [
      "where reports go is no mail server",
      entry("mx-is-alias", MAIL),
      [silent("example.net", "MX", "dmarc")],
      false,
    ],
    [
      "a PTR's host is no mail server",
      entry("smtp-refused", MAIL),
      [silent("host.example.net", "A", "reverse")],
      false,
    ],
    ["by its name alone: a report host", entry("spf-missing"), [silent(REPORTS, "TXT")], false],
    ["by its name alone: the TXT", entry("spf-syntax"), [silent("example.org", "TXT")], true],
    [
      "an include that is silent, whose name stands in the record",
      entry("spf-missing"),
      [silent("_spf.example.net", "TXT", "spf")],
      false,
    ],
    [
      "an include that is silent hides what it holds",
      entry("spf-too-many-lookups"),
      [silent("_spf.example.net", "TXT", "spf")],
      true,
    ],
    [
      "an SPF result that nobody has",
      entry("spf-address-not-covered"),
      [entry("dns-no-answer", MAIL, { expected: "an SPF result for HELO" })],
      true,
    ],
    [
      "a record that the description misses, beside another",
      entry("record-missing"),
      [entry("record-differs"), silent("example.org", "CAA", "drift")],
      true,
    ],
    ["the zone", entry("spf-missing"), [entry("zone-unreachable")], true],
    [
      "the zone, though a resolver has said much",
      entry("zone-lame-server"),
      [entry("zone-unreachable"), entry("mx-ok")],
      true,
    ],
    [
      "its only name server",
      entry("spf-missing"),
      [entry("zone-server-silent", DOMAIN, { severity: "unknown" }), entry("mx-ok")],
      true,
    ],
    [
      "one name server of several",
      entry("spf-missing"),
      [entry("zone-server-silent"), entry("mx-ok")],
      false,
    ],
    [
      "the name server that differed is silent",
      entry("servers-differ", DOMAIN, { subject: "MX", observed: `${NS1}: 10 a.; ${NS2}: 10 b.` }),
      [SILENT_NS2, entry("mx-ok")],
      true,
    ],
    [
      "one that had no part in it is silent",
      entry("servers-differ", DOMAIN, { subject: "MX", observed: `${NS1}: 10 a.; ${NS3}: 10 b.` }),
      [SILENT_NS2, entry("mx-ok")],
      false,
    ],
    [
      "the name server that may lack the key is silent",
      entry("dkim-signing-key-lost", `now._domainkey.${DOMAIN}`),
      [SILENT_NS2, entry("mx-ok")],
      true,
    ],
    [
      "the name server that was behind is silent",
      entry("zone-serials-differ", DOMAIN, { observed: `2 at ${NS1}; 1 at ${NS2}` }),
      [SILENT_NS2, entry("mx-ok")],
      true,
    ],
    [
      "the name server that listed others is silent",
      entry("zone-ns-mismatch", DOMAIN, { observed: `the zone lists ns9.example.org (at ${NS2})` }),
      [SILENT_NS2, entry("mx-ok")],
      true,
    ],
    [
      "the name server that did not know the zone is silent",
      entry("zone-lame-server", DOMAIN, { subject: NS2 }),
      [SILENT_NS2, entry("mx-ok")],
      true,
    ],
    [
      "another one did not know the zone",
      entry("zone-lame-server", DOMAIN, { subject: NS3 }),
      [SILENT_NS2, entry("mx-ok")],
      false,
    ],
    [
      "a domain that is not there any more has mended nothing",
      entry("spf-missing"),
      [entry("zone-not-found")],
      true,
    ],
    ["nor one whose name servers do not know it", entry("spf-missing"), [entry("zone-lame-server")], true],
    ["name servers that know it again", entry("zone-lame-server"), [entry("zone-not-found")], false],
    [
      "a resolver that is silent hides what it held",
      entry("resolver-differs", DOMAIN, { subject: "MX at 192.0.2.53" }),
      [{ ...silent("example.org", "MX", "zone"), subject: "MX at 192.0.2.53" }, entry("mx-ok")],
      true,
    ],
    [
      "and no MX",
      entry("mx-missing"),
      [{ ...silent("example.org", "MX", "zone"), subject: "MX at 192.0.2.53" }, entry("spf-ok")],
      false,
    ],
    [
      "and no name server",
      entry("zone-lame-server"),
      [{ ...silent("example.org", "MX", "zone"), subject: "MX at 192.0.2.53" }, entry("mx-ok")],
      false,
    ],
    ["port 25 closed here: the mail server", entry("smtp-no-starttls", MAIL), [UNTOLD], true],
    [
      "port 25 closed here: its certificate",
      entry("certificate-expired", MAIL, { subject: "smtp" }),
      [UNTOLD],
      true,
    ],
    [
      "port 25 closed here: a certificate of which nobody wrote where",
      entry("certificate-expired", MAIL),
      [UNTOLD],
      true,
    ],
    [
      "port 25 closed here: the certificate of IMAP",
      entry("certificate-expired", MAIL, { subject: "imaps 192.0.2.25:993" }),
      [UNTOLD],
      false,
    ],
    [
      "port 25 closed here: the certificate of the web",
      entry("certificate-expired", "autoconfig.example.org", { subject: "https 443" }),
      [UNTOLD],
      false,
    ],
    ["no way to a mail server", entry("smtp-refused", MAIL), [NO_ROUTE], true],
    ["no way to another one", entry("smtp-refused", "mx2.example.org"), [NO_ROUTE], false],
    ["port 25 closed here: TLSA held against it", entry("tlsa-mismatch", `_25._tcp.${MAIL}`), [UNTOLD], true],
    [
      "port 25 closed here: TLSA by themselves",
      entry("tlsa-without-dnssec", `_25._tcp.${MAIL}`),
      [UNTOLD],
      false,
    ],
    ["port 25 closed here: CAA", entry("caa-missing"), [UNTOLD], false],
    ["port 25 closed here: the authority of its certificate", entry("caa-forbids-issuer"), [UNTOLD], true],
    [
      "port 25 closed here: the policy",
      entry("mta-sts-policy-status", "mta-sts.example.org"),
      [UNTOLD],
      false,
    ],
    ["port 25 closed here: settings", entry("settings-tls", "autoconfig.example.org"), [UNTOLD], false],
    ["port 25 closed here: services", entry("service-closed", MAIL), [UNTOLD], false],
    [
      "no IPv6 here: what was seen there",
      entry("smtp-timeout", MAIL, { observed: "no answer at [2001:db8::25]:25" }),
      [entry("probe-no-ipv6", DOMAIN, { leavesOpen: ["smtp"] }), entry("smtp-ok", MAIL)],
      true,
    ],
    [
      "no IPv6 here: what was seen elsewhere",
      entry("smtp-timeout", MAIL, { observed: "no answer at 192.0.2.25:25" }),
      [entry("probe-no-ipv6", DOMAIN, { leavesOpen: ["smtp"] }), entry("smtp-ok", MAIL)],
      false,
    ],
    [
      "one server that hangs",
      entry("smtp-rejects", MAIL, { observed: "mail.example.org at 192.0.2.25:25 greets" }),
      [BROKEN],
      true,
    ],
    ["another one", entry("smtp-rejects", "mx2.example.org"), [BROKEN], false],
    [
      "the same one at another address",
      entry("smtp-rejects", MAIL, { observed: "mail.example.org at 192.0.2.26:25 greets" }),
      [BROKEN],
      false,
    ],
    [
      "settings that cannot be fetched hide their certificate",
      entry("certificate-expired", "autoconfig.example.org"),
      [entry("settings-untold", "autoconfig.example.org", { leavesOpen: ["client"] })],
      true,
    ],
    [
      "and no other",
      entry("certificate-expired", MAIL),
      [entry("settings-untold", "autoconfig.example.org", { leavesOpen: ["client"] })],
      false,
    ],
    [
      "a block list that says nothing hides its own listings",
      entry("dnsbl-listed", "25.2.0.192.bl.example.net"),
      [entry("dnsbl-refuses", "bl.example.net", { leavesOpen: ["reputation"] })],
      true,
    ],
    [
      "and no other's",
      entry("dnsbl-listed", "25.2.0.192.list.example.net"),
      [entry("dnsbl-refuses", "bl.example.net", { leavesOpen: ["reputation"] })],
      false,
    ],
    [
      "a signer that cannot be read says nothing of its keys",
      entry("dkim-signer-key-differs", "s._domainkey.example.org"),
      [entry("dkim-signer-no-domain", DOMAIN, { severity: "unknown", leavesOpen: ["dkim"] })],
      true,
    ],
    [
      "and all is told of what is published",
      entry("dkim-key-short", "s._domainkey.example.org"),
      [entry("dkim-signer-no-domain", DOMAIN, { severity: "unknown", leavesOpen: ["dkim"] })],
      false,
    ],
    [
      "a selector that is silent hides no other",
      entry("dkim-key-short", "s._domainkey.example.org"),
      [silent("t._domainkey.example.org", "TXT", "dkim")],
      false,
    ],
  ])("%s", (_, known, findings, isOpen) => {
    // Where the zone answers there is always something to say.
    const isLookup = findings.some(({ code }) => code === "dns-no-answer");
    const seen = isLookup ? [...findings, entry("bimi-ok")] : findings;
    expect(blindness({ domain: DOMAIN, findings: seen })(known)).toBe(isOpen);
  });
});

it("what only one name server showed stays open when that one falls silent", async () => {
  const stale = HEALTHY_SERVERS.replace(" 2026112101 ", " 2026112100 ")
    .replace("example.org. IN MX 10 mail.", "example.org. IN MX 10 elsewhere.")
    .replace("example.org. NS ns1.example.org.", "example.org. NS ns9.example.org.");
  const look = async (row: ServerRow) => {
    const world = tableWorld({ zone: HEALTHY_SERVERS, servers: { "ns2.example.org": row } });
    return (await checkDomain(DOMAIN, world, WORLDS[0]!.options)).findings;
  };
  const before = await look({ zone: stale });
  const codes = ["servers-differ", "zone-ns-mismatch", "zone-serials-differ"];
  expect(before.map(({ code }) => code)).toEqual(expect.arrayContaining(codes));
  const isLost = async (state: "ok" | "unknown") =>
    lost(DOMAIN, before, await look({ state }))
      .map(({ code }) => code)
      .filter((code) => codes.includes(code))
      .sort();
  expect(await isLost("unknown")).toEqual([]);
  expect(await isLost("ok")).toEqual(codes);
});

it("a check says of what it could not tell which checks it leaves open, once where several of them say it", async () => {
  const open = async (failing: Record<string, "timeout">) => {
    const { findings } = await checkDomain(
      DOMAIN,
      tableWorld({ zone: HEALTHY_SERVERS, failing }),
      WORLDS[0]!.options,
    );
    return findings.flatMap(({ code, owner, leavesOpen }) =>
      leavesOpen ? [[code, owner as DomainName, ...leavesOpen]] : [],
    );
  };
  expect(await open({})).toEqual([]);
  expect(await open({ "example.org TXT": "timeout" })).toEqual([["dns-no-answer", DOMAIN, "spf", "dkim"]]);
});
