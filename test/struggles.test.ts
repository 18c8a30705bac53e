/** Thirty troubles that mail administrators tell each other of: each as a world, and the finding that names it. */
import { describe, expect, it } from "vitest";
import type { FindingCode } from "../src/check/catalogue.ts";
import { checkDomain } from "../src/check/check.ts";
import type { CheckOptions } from "../src/check/context.ts";
import type { HttpsAnswer, ServiceSession } from "../src/check/probe.ts";
import { formatPolicy } from "../src/standards/mta-sts/policy.ts";
import { BARE_SERVERS, DESCRIBED_SERVERS, HEALTHY_SERVERS } from "./support/broken-servers.ts";
import { txtLine } from "./support/broken-worlds.ts";
import { DKIM_KEY, DOMAIN, OTHER_DKIM_KEY } from "./support/healthy-world.ts";
import { type ProbeRows, tableProber, tlsSession } from "./support/table-prober.ts";
import { edited, tableWorld, type WorldRows } from "./support/table-world.ts";

interface Struggle {
  readonly number: number;
  readonly trouble: string;
  readonly names: FindingCode;
  readonly without?: readonly string[];
  readonly add?: readonly string[];
  readonly rows?: Omit<WorldRows, "zone">;
  readonly probes?: ProbeRows;
  readonly options?: CheckOptions;
}

const KEY = "default._domainkey.example.org";
const HOST = "mail.example.org";
const PTR6 = "5.2.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.8.b.d.0.1.0.0.2.ip6.arpa";
const PTR4 = "25.2.0.192.in-addr.arpa";
const key = (value: string) => ({
  without: [`${KEY} TXT`],
  add: [txtLine(KEY, `v=DKIM1; k=rsa; p=${value}`)],
  options: { ...BARE_SERVERS, dkimSelectors: ["default"] },
});
const spf = (...texts: readonly string[]) => ({
  without: ["example.org TXT"],
  add: texts.map((text) => txtLine("example.org", text)),
});
const dmarc = (...texts: readonly string[]) => ({
  without: ["_dmarc.example.org TXT"],
  add: texts.map((text) => txtLine("_dmarc.example.org", text)),
});
const answer = (change: Partial<HttpsAnswer>) => (healthy: HttpsAnswer) => ({ ...healthy, ...change });
const enforce = (mx: string) =>
  answer({ body: formatPolicy({ mode: "enforce", maxAgeSeconds: 604_800, mx: [mx] }) });
const named = (serverName: string) => (healthy: ServiceSession) => ({ ...healthy, serverName });

const STRUGGLES: readonly Struggle[] = [
  { number: 1, trouble: "the key was cut off", names: "dkim-key-cut-off", ...key(DKIM_KEY.slice(0, 210)) },
  {
    number: 1,
    trouble: "the parts of the key were joined with a blank",
    names: "dkim-chunk-join-scar",
    ...key(`${DKIM_KEY.slice(0, 237)} ${DKIM_KEY.slice(237)}`),
  },
  {
    number: 1,
    trouble: "the form stored the quotes",
    names: "dkim-stored-quotes",
    ...key(DKIM_KEY),
    add: [txtLine(KEY, `"v=DKIM1; k=rsa; p=${DKIM_KEY}"`)],
  },
  {
    number: 2,
    trouble: "the form added the domain once more",
    names: "zone-doubled-name",
    add: ["mail.example.org.example.org. A 192.0.2.25"],
  },
  {
    number: 3,
    trouble: "the key stands at the domain itself",
    names: "dkim-wrong-owner",
    add: [txtLine("example.org", `v=DKIM1; k=rsa; p=${DKIM_KEY}`)],
  },
  {
    number: 4,
    trouble: "a reinstalled signer has another key than DNS",
    names: "dkim-key-differs",
    ...key(OTHER_DKIM_KEY),
    options: DESCRIBED_SERVERS,
  },
  {
    number: 5,
    trouble: "mail is signed with a key that is not published",
    names: "dkim-missing",
    without: [`${KEY} TXT`],
    options: DESCRIBED_SERVERS,
  },
  {
    number: 6,
    trouble: "the mail host is behind a web proxy",
    names: "host-proxied",
    without: [`${HOST} A`],
    add: [`${HOST}. A 104.16.3.4`],
  },
  {
    number: 7,
    trouble: "SPF asks for too much",
    names: "spf-too-many-lookups",
    ...spf(`v=spf1 ${Array.from({ length: 11 }, (_, at) => `a:h${at}.example.net`).join(" ")} -all`),
  },
  {
    number: 8,
    trouble: "two SPF records",
    names: "spf-several-records",
    ...spf("v=spf1 mx -all", "v=spf1 a -all"),
  },
  {
    number: 9,
    trouble: "includes that are gone",
    names: "spf-void-lookups",
    ...spf("v=spf1 mx a:gone1.example.net a:gone2.example.net a:gone3.example.net -all"),
  },
  { number: 10, trouble: "no PTR", names: "ptr-missing", without: [`${PTR4} PTR`] },
  {
    number: 10,
    trouble: "the provider's own name",
    names: "ptr-generic",
    without: [`${PTR4} PTR`],
    add: [`${PTR4}. PTR 25-2-0-192.pool.example.net.`, "25-2-0-192.pool.example.net. A 192.0.2.25"],
  },
  {
    number: 10,
    trouble: "HELO of another name",
    names: "smtp-name-differs",
    probes: { [`smtp ${HOST}`]: named("www.example.org") },
  },
  { number: 11, trouble: "IPv6 without a PTR", names: "ptr-missing", without: [`${PTR6} PTR`] },
  {
    number: 12,
    trouble: "a resolver still holds the old answer",
    names: "resolver-differs",
    rows: {
      resolvers: [
        {
          label: "198.51.100.1",
          zone: edited(HEALTHY_SERVERS, {
            without: ["example.org MX"],
            add: ["example.org. MX 10 old.example.org."],
          }),
        },
      ],
    },
  },
  {
    number: 13,
    trouble: "the office's resolver answers on its own",
    names: "split-horizon",
    rows: {
      resolvers: [
        {
          label: "192.0.2.1",
          zone: edited(HEALTHY_SERVERS, { without: [`${HOST} A`], add: [`${HOST}. A 10.0.0.25`] }),
        },
      ],
    },
  },
  {
    number: 15,
    trouble: "TLSA of the certificate before the last renewal",
    names: "tlsa-mismatch",
    without: ["_25._tcp.mail.example.org TLSA"],
    add: [`_25._tcp.mail.example.org. TLSA 3 1 1 ${"0e".repeat(32)}`],
  },
  {
    number: 16,
    trouble: "the enforced policy does not name the MX",
    names: "mta-sts-mx-not-in-policy",
    probes: { "https mta-sts.example.org": enforce("*.mail.example.org") },
  },
  {
    number: 17,
    trouble: "reports to a domain that did not agree",
    names: "dmarc-report-unauthorized",
    without: ["example.org._report._dmarc.reports.example.net TXT"],
  },
  {
    number: 18,
    trouble: "a blank before the version",
    names: "dmarc-version",
    ...dmarc("v = DMARC 1; p=none"),
  },
  {
    number: 18,
    trouble: "several records",
    names: "dmarc-several-records",
    ...dmarc("v=DMARC1; p=none", "v=DMARC1; p=reject"),
  },
  {
    number: 19,
    trouble: "senders under other names fail strict alignment",
    names: "dmarc-strict-alignment",
    ...dmarc("v=DMARC1; p=reject; adkim=s; aspf=s; rua=mailto:dmarc@example.org"),
  },
  {
    number: 20,
    trouble: "forwarded mail fails SPF, and nothing else vouches for it",
    names: "dmarc-reject-on-spf-alone",
    ...dmarc("v=DMARC1; p=reject; rua=mailto:dmarc@example.org"),
    without: ["_dmarc.example.org TXT", `${KEY} TXT`],
  },
  {
    number: 21,
    trouble: "the address is on a block list",
    names: "dnsbl-listed",
    add: ["25.2.0.192.bl.example.net. A 127.0.0.3"],
  },
  {
    number: 22,
    trouble: "a block list that turns public resolvers away",
    names: "dnsbl-refuses",
    without: ["2.0.0.127.bl.example.net A"],
    add: ["2.0.0.127.bl.example.net. A 127.255.255.254"],
  },
  {
    number: 24,
    trouble: "port 25 is closed on the way out",
    names: "smtp-outbound-blocked",
    options: { ...BARE_SERVERS, testOutbound: true },
    probes: { "smtp witness.example.net": { status: "timeout", detail: "no answer" } },
  },
  {
    number: 25,
    trouble: "autodiscover shows the certificate of the web site",
    names: "certificate-name-mismatch",
    probes: { "https autodiscover.example.org": answer({ tls: tlsSession("www.example.org") }) },
  },
  {
    number: 25,
    trouble: "imaps on port 995",
    names: "srv-wrong-port",
    without: ["_imaps._tcp.example.org SRV"],
    add: ["_imaps._tcp.example.org. SRV 0 1 995 mail.example.org."],
  },
  {
    number: 26,
    trouble: "autodiscover answers with a web page",
    names: "settings-not-served",
    probes: { "https autodiscover.example.org": answer({ contentType: "text/html", body: "<html>" }) },
  },
  {
    number: 27,
    trouble: "a wildcard answers for everything",
    names: "zone-wildcard",
    add: ["*.example.org. A 192.0.2.80"],
  },
  {
    number: 28,
    trouble: "the MX is an alias",
    names: "mx-is-alias",
    without: ["example.org MX"],
    add: ["example.org. MX 10 mx.example.org.", "mx.example.org. CNAME mail.example.org."],
  },
  {
    number: 28,
    trouble: "the MX is an address",
    names: "mx-is-address",
    without: ["example.org MX"],
    add: ["example.org. MX 10 192.0.2.25."],
  },
  {
    number: 30,
    trouble: "p=none for ever",
    names: "dmarc-policy-none",
    ...dmarc("v=DMARC1; p=none; rua=mailto:dmarc@example.org"),
  },
  {
    number: 30,
    trouble: "sp=none leaves the sub-domains open",
    names: "dmarc-weaker-subdomain-policy",
    ...dmarc("v=DMARC1; p=reject; sp=none; rua=mailto:dmarc@example.org"),
  },
  {
    number: 30,
    trouble: "t=y was left in the key",
    names: "dkim-testing",
    ...key(DKIM_KEY),
    add: [txtLine(KEY, `v=DKIM1; k=rsa; t=y; p=${DKIM_KEY}`)],
  },
];

/** Those that no single look at a domain shows, and the tests that have them. */
const ELSEWHERE: Readonly<Record<number, string>> = {
  14: "what a DNS host cannot store: dns-host.test.ts, and the world of dns-host-cannot-store",
  23: "junked though all is well: troubleshoot.test.ts",
  29: "records of one's own zone and of others told apart: the drift worlds of broken-worlds.ts",
};

async function codesOf({ without = [], add = [], rows = {}, probes = {}, options = BARE_SERVERS }: Struggle) {
  const zone = edited(HEALTHY_SERVERS, { without, add });
  const world = { ...tableWorld({ ...rows, zone }), prober: tableProber(probes) };
  const { findings } = await checkDomain(DOMAIN, world, options);
  return new Set(findings.map(({ code }) => code));
}

describe("the thirty troubles", () => {
  it.each(STRUGGLES)("$number: $trouble → $names", async (struggle) => {
    const [broken, healthy] = await Promise.all([
      codesOf(struggle),
      codesOf({ ...struggle, without: [], add: [], rows: {}, probes: {} }),
    ]);
    expect([...broken]).toContain(struggle.names);
    expect([...healthy]).not.toContain(struggle.names);
  });

  it("are all there", () => {
    const told = new Set([...STRUGGLES.map(({ number }) => number), ...Object.keys(ELSEWHERE).map(Number)]);
    expect([...told].sort((x, y) => x - y)).toEqual(Array.from({ length: 30 }, (_, at) => at + 1));
  });
});
