/** What checkers of today get wrong, each of it seen in one of them; this one must not. */
import { describe, expect, it } from "vitest";
import { txtLine } from "../../test/support/broken-worlds.ts";
import { BARE, DKIM_KEY, DOMAIN, HEALTHY, optionsOf } from "../../test/support/healthy-world.ts";
import { edited, tableWorld } from "../../test/support/table-world.ts";
import { domainName } from "../standards/dns/name.ts";
import type { UnknownCause } from "../standards/dns/resolver.ts";
import { mxMatches, parsePolicy } from "../standards/mta-sts/policy.ts";
import { checkDomain } from "./check.ts";
import type { CheckOptions } from "./context.ts";
import type { Finding } from "./finding.ts";

interface Edit {
  readonly without?: readonly string[];
  readonly add?: readonly string[];
}

const check = async (edit: Edit, options: CheckOptions = BARE, failing: Record<string, UnknownCause> = {}) =>
  (await checkDomain(DOMAIN, tableWorld({ zone: edited(HEALTHY, edit), failing }), options)).findings;
const spf = (text: string, ...add: string[]): Edit => ({
  without: ["example.org TXT"],
  add: [txtLine("example.org", text), ...add],
});
const find = (findings: readonly Finding[], code: string) =>
  findings.find((finding) => finding.code === code);

describe("defects of other checkers", () => {
  it("an MTA-STS pattern matches the whole host, not the beginning of one", () => {
    const host = (name: string) => domainName(name);
    expect(mxMatches("mx.example.com", host("mx.example.com"))).toBe(true);
    expect(mxMatches("mx.example.com", host("mx.example.com.attacker.net"))).toBe(false);
    expect(mxMatches("*.example.com", host("a.b.example.com"))).toBe(false);
  });

  it("an MTA-STS policy without max_age is none", () => {
    const policy = (maxAge: string) => `version: STSv1\r\nmode: enforce\r\nmx: mx.example.com\r\n${maxAge}`;
    expect(parsePolicy(policy("max_age: 86400\r\n")).ok).toBe(true);
    expect(parsePolicy(policy("")).ok).toBe(false);
  });

  it("a second copy of an include is counted again", async () => {
    const shared =
      'shared.example.net. TXT "v=spf1 a:mx.example.net a:mail.example.org a:ns1.example.org -all"';
    const both = ["one", "two"].map(
      (name) => `${name}.example.net. TXT "v=spf1 include:shared.example.net -all"`,
    );
    const findings = await check(
      spf("v=spf1 mx include:one.example.net include:two.example.net ~all", shared, ...both),
    );
    expect(find(findings, "spf-too-many-lookups")?.why).toContain("11 DNS lookup terms");
  });

  it("an include of a name without SPF is an error, not a warning", async () => {
    const findings = await check(spf("v=spf1 mx include:mx.example.net ~all"));
    expect(find(findings, "spf-include-without-record")).toMatchObject({
      severity: "error",
      reference: "RFC 7208 §5.2",
    });
  });

  it("eleven mx terms are too many, whatever else is counted", async () => {
    const hosts = Array.from({ length: 11 }, (_, at) => `h${at}.example.net`);
    const records = hosts.map((host) => `${host}. MX 10 mail.example.org.`);
    const findings = await check(
      spf(`v=spf1 ${hosts.map((host) => `mx:${host}`).join(" ")} ~all`, ...records),
    );
    expect(find(findings, "spf-too-many-lookups")).toMatchObject({ severity: "error" });
  });

  it("a bare all costs nothing", async () => {
    const findings = await check(spf("v=spf1 ip4:192.0.2.25 ip6:2001:db8::25 -all"));
    expect(find(findings, "spf-ok")?.observed).toContain("(0 lookups of 10)");
  });

  it.each([
    ["v=spf1 ip4:192.0.2.0/27 ip6:2001:db8::/64 -all", "spf-ok", "the network holds the server"],
    ["v=spf1 a/26 ip6:2001:db8::/64 -all", "spf-address-not-covered", "192.0.2.80/26 does not"],
    ["v=spf1 a/25 ip6:2001:db8::/64 -all", "spf-ok", "192.0.2.80/25 does"],
    ["v=spf1 mx/32//128 -all", "spf-ok", "both lengths of a dual CIDR"],
  ])("prefix lengths count: %s → %s (%s)", async (text, code) => {
    expect(find(await check(spf(text)), code)).toBeDefined();
  });

  it("a DKIM key without k= is an RSA key", async () => {
    const owner = "default._domainkey.example.org";
    const findings = await check({ without: [owner], add: [txtLine(owner, `v=DKIM1; p=${DKIM_KEY}`)] });
    expect(find(findings, "dkim-ok")?.observed).toContain("RSA with 2048 bits");
  });

  it("np, t and psd are tags of DMARC", async () => {
    const text = "v=DMARC1; p=quarantine; np=reject; t=n; psd=n; rua=mailto:dmarc@example.org";
    const findings = await check({
      without: ["_dmarc.example.org"],
      add: [txtLine("_dmarc.example.org", text)],
    });
    expect(findings.filter(({ code }) => code.startsWith("dmarc-")).map(({ code }) => code)).toEqual([
      "dmarc-ok",
    ]);
  });

  it.each<[string, string, UnknownCause]>([
    ["example.org MX", "mx-missing", "timeout"],
    ["example.org TXT", "spf-missing", "timeout"],
    ["_dmarc.example.org TXT", "dmarc-missing", "servfail"],
    ["default._domainkey.example.org TXT", "dkim-missing", "refused"],
    ["25.2.0.192.in-addr.arpa PTR", "ptr-missing", "timeout"],
    ["example.org CAA", "caa-missing", "timeout"],
    ["_mta-sts.example.org TXT", "mta-sts-missing", "network"],
  ])("%s that fails is never %s", async (question, code, cause) => {
    const described =
      optionsOf(`servers: [{ host: mail.example.org, addresses: [192.0.2.25, "2001:db8::25"] }]
domains: [{ domain: example.org, dkim: [{ selector: default, publicKey: ${DKIM_KEY} }] }]
`);
    const findings = await check({}, described, { [question]: cause });
    expect(find(findings, code)).toBeUndefined();
    expect(
      findings.filter(({ severity }) => severity === "unknown").map(({ observed }) => observed),
    ).toContain(`${cause}: the table fails ${question.split(" ")[0]}. with ${cause}`);
  });
});
