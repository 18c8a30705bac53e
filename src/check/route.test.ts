import { describe, expect, it } from "vitest";
import { BARE_SERVERS, HEALTHY_SERVERS } from "../../test/support/broken-servers.ts";
import { type ProbeRows, tableProber, tlsSession } from "../../test/support/table-prober.ts";
import { edited, tableWorld, type WorldRows } from "../../test/support/table-world.ts";
import { formatPolicy } from "../standards/mta-sts/policy.ts";
import { Context } from "./context.ts";
import type { HttpsAnswer, ServiceProbe, ServiceSession, SmtpReply } from "./probe.ts";
import { findRoute, parseMailAddress } from "./route.ts";

const HOST = "mail.example.org";
const silent: ServiceProbe = { status: "timeout", detail: "no answer in 5 s" };
const refused: ServiceProbe = { status: "refused", detail: "refused" };
const cut: ServiceProbe = { status: "broken", detail: "reset" };
const NO_DANE = ["_25._tcp.mail.example.org TLSA", "_25._tcp.mail.example.org RRSIG"];
const session = (change: Partial<ServiceSession>) => (healthy: ServiceSession) => ({ ...healthy, ...change });
const replying = (...replies: SmtpReply[]) => session({ replies });
const enforce = (mx: string) => (healthy: HttpsAnswer) => ({
  ...healthy,
  body: formatPolicy({ mode: "enforce", maxAgeSeconds: 604_800, mx: [mx] }),
});
const SECOND = ["example.org. MX 20 mx2.example.net.", "mx2.example.net. A 198.51.100.26"];

interface Case {
  readonly why: string;
  readonly address?: string;
  readonly without?: readonly string[];
  readonly add?: readonly string[];
  readonly probes?: ProbeRows;
  readonly rows?: Omit<WorldRows, "zone">;
  readonly rcptFrom?: string;
  readonly verdict: string;
  readonly hops: readonly string[];
}

async function routeOf({
  address = "bob@example.org",
  without = [],
  add = [],
  probes = {},
  rows = {},
  rcptFrom,
}: Case) {
  const parsed = parseMailAddress(address);
  if (!parsed.ok) throw new Error(parsed.problem);
  const zone = edited(HEALTHY_SERVERS, { without, add });
  const world = { ...tableWorld({ ...rows, zone }), prober: tableProber(probes) };
  return findRoute(parsed.value, new Context(parsed.value.domain, world, BARE_SERVERS), rcptFrom);
}

const CASES: readonly Case[] = [
  {
    why: "the one server takes it, and DANE is what the sender insists on",
    verdict: "delivered",
    hops: ["192.0.2.25:25 dane takes", "[2001:db8::25]:25 dane takes"],
  },
  {
    why: "R4, R5: the lowest preference first, the next when it is off",
    without: NO_DANE,
    add: SECOND,
    probes: { [`smtp ${HOST}`]: refused },
    verdict: "delivered",
    hops: [
      "192.0.2.25:25 opportunistic skipped",
      "[2001:db8::25]:25 opportunistic skipped",
      "198.51.100.26:25 opportunistic takes",
    ],
  },
  {
    why: "nobody listens anywhere: mail waits",
    probes: { [`smtp ${HOST}`]: silent },
    verdict: "deferred",
    hops: ["192.0.2.25:25 dane skipped", "[2001:db8::25]:25 dane skipped"],
  },
  {
    why: "a server that breaks off tells nothing",
    probes: { [`smtp ${HOST}`]: cut },
    verdict: "unknown",
    hops: ["192.0.2.25:25 dane untold", "[2001:db8::25]:25 dane untold"],
  },
  {
    why: "R11: a null MX takes nothing",
    without: ["example.org MX"],
    add: ["example.org. MX 0 ."],
    verdict: "refused",
    hops: [],
  },
  {
    why: "R11, E20: without MX the domain's own address",
    without: ["example.org MX"],
    verdict: "delivered",
    hops: ["192.0.2.80:25 opportunistic takes"],
  },
  {
    why: "E20: the fallback is AAAA as well",
    without: ["example.org MX", "example.org A"],
    add: ["example.org. AAAA 2001:db8::80"],
    verdict: "delivered",
    hops: ["[2001:db8::80]:25 opportunistic takes"],
  },
  {
    why: "neither MX nor address",
    without: ["example.org MX", "example.org A"],
    verdict: "refused",
    hops: [],
  },
  { why: "a domain that is not there", address: "bob@nowhere.example", verdict: "refused", hops: [] },
  {
    why: "the MX cannot be told",
    rows: {
      failing: { "example.org MX": "servfail" },
      servers: { "ns1.example.org": { state: "unknown" }, "ns2.example.org": { state: "unknown" } },
    },
    verdict: "unknown",
    hops: [],
  },
  {
    why: "MTA-STS enforced, and the MX is not in the policy",
    without: NO_DANE,
    probes: { "https mta-sts.example.org": enforce("other.example.org") },
    verdict: "deferred",
    hops: ["192.0.2.25:25 mta-sts skipped", "[2001:db8::25]:25 mta-sts skipped"],
  },
  {
    why: "MTA-STS enforced, and the certificate is for another name",
    without: NO_DANE,
    probes: {
      "https mta-sts.example.org": enforce(HOST),
      [`smtp ${HOST}`]: session({ tls: tlsSession("www.example.org") }),
    },
    verdict: "deferred",
    hops: ["192.0.2.25:25 mta-sts skipped", "[2001:db8::25]:25 mta-sts skipped"],
  },
  {
    why: "the same certificate where nobody looks at it",
    without: NO_DANE,
    probes: { [`smtp ${HOST}`]: session({ tls: tlsSession("www.example.org") }) },
    verdict: "delivered",
    hops: ["192.0.2.25:25 opportunistic takes", "[2001:db8::25]:25 opportunistic takes"],
  },
  {
    why: "TLSA of another key: DANE senders do not deliver",
    without: ["_25._tcp.mail.example.org TLSA"],
    add: [`_25._tcp.mail.example.org. TLSA 3 1 1 ${"0e".repeat(32)}`],
    verdict: "deferred",
    hops: ["192.0.2.25:25 dane skipped", "[2001:db8::25]:25 dane skipped"],
  },
  {
    why: "TLSA that cannot be looked up: senders put the mail off, and nobody can tell",
    rows: { failing: { "_25._tcp.mail.example.org TLSA": "servfail" } },
    verdict: "unknown",
    hops: ["192.0.2.25:25 dane untold", "[2001:db8::25]:25 dane untold"],
  },
  {
    why: "nor where its signatures cannot be",
    rows: { failing: { "_25._tcp.mail.example.org TLSA RRSIG": "timeout" } },
    verdict: "unknown",
    hops: ["192.0.2.25:25 dane untold", "[2001:db8::25]:25 dane untold"],
  },
  {
    why: "the same TLSA without DNSSEC counts for nothing",
    without: NO_DANE,
    add: [`_25._tcp.mail.example.org. TLSA 3 1 1 ${"0e".repeat(32)}`],
    verdict: "delivered",
    hops: ["192.0.2.25:25 opportunistic takes", "[2001:db8::25]:25 opportunistic takes"],
  },
  {
    why: "an address beyond ASCII needs SMTPUTF8",
    address: "jürgen@example.org",
    verdict: "refused",
    hops: ["192.0.2.25:25 dane refuses", "[2001:db8::25]:25 dane refuses"],
  },
  {
    why: "the recipient is asked for, and not known",
    rcptFrom: "",
    probes: { [`smtp ${HOST}`]: replying({ command: "RCPT TO", code: 550, text: "5.1.1 no such user" }) },
    verdict: "refused",
    hops: ["192.0.2.25:25 dane refuses", "[2001:db8::25]:25 dane takes"],
  },
  {
    why: "greylisted at the first, taken at the second",
    rcptFrom: "alice@example.net",
    without: NO_DANE,
    add: SECOND,
    probes: {
      [`smtp ${HOST}`]: replying({ command: "RCPT TO", code: 450, text: "4.7.1 come back" }),
      "smtp mx2.example.net": replying(
        { command: "MAIL FROM", code: 250, text: "ok" },
        { command: "RCPT TO", code: 250, text: "ok" },
      ),
    },
    verdict: "delivered",
    hops: [
      "192.0.2.25:25 opportunistic skipped",
      "[2001:db8::25]:25 opportunistic skipped",
      "198.51.100.26:25 opportunistic takes",
    ],
  },
];

describe("a route", () => {
  it.each(CASES)("$why: $verdict", async (row) => {
    const { verdict, hops, sentence } = await routeOf(row);
    expect({ verdict, hops: hops.map(({ at, tls, outcome }) => `${at} ${tls} ${outcome}`) }).toEqual({
      verdict: row.verdict,
      hops: row.hops,
    });
    expect(sentence).toMatch(/\.$/);
  });

  it("of equal preference stands side by side (R6)", async () => {
    const { hops } = await routeOf({
      why: "",
      add: ["example.org. MX 10 mx2.example.net.", "mx2.example.net. A 198.51.100.26"],
      verdict: "",
      hops: [],
    });
    expect(new Set(hops.map(({ preference }) => preference))).toEqual(new Set([10]));
  });
});

describe("an address", () => {
  it.each([
    ["bob@example.org", true, "plain"],
    ["a@b@example.org", true, "the last @ divides"],
    ["jürgen@müller.example", true, "internationalised"],
    ["bob", false, "no domain"],
    ["@example.org", false, "nobody"],
    ["a b@example.org", false, "a blank would end the command"],
    ["a\r\nRCPT@example.org", false, "so would a line break"],
    ["<bob@example.org", false, "no angle brackets"],
    [`${"x".repeat(65)}@example.org`, false, "RFC 5321 §4.5.3.1.1"],
  ])("%j: %s (%s)", (text, ok) => {
    expect(parseMailAddress(text).ok).toBe(ok);
  });
});
