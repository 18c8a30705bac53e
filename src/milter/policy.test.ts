import { describe, expect, it } from "vitest";
import type { DkimResult } from "../standards/dkim/result.ts";
import type { DkimVerification } from "../standards/dkim/verify.ts";
import type { DmarcOutcome } from "../standards/dmarc/evaluate.ts";
import { parseIpv4 } from "../standards/dns/address.ts";
import { domainName } from "../standards/dns/name.ts";
import { headerField } from "../standards/message/header-field.ts";
import type { MailAuthentication } from "./authentication.ts";
import { decide } from "./policy.ts";
import { type MilterPolicy, TAG_ONLY } from "./settings.ts";

const address = parseIpv4("192.0.2.1");
if (!address.ok) throw new Error(address.problem);
const AUTHOR = domainName("example.org");

const dkim = (result: DkimResult, isTesting = false): DkimVerification => ({
  result,
  field: headerField("DKIM-Signature", ""),
  signature: undefined,
  key: undefined,
  isTesting,
  cause: undefined,
  problem: undefined,
});

const dmarc = (result: DmarcOutcome["result"], disposition: DmarcOutcome["disposition"] = "none") => ({
  status: "evaluated" as const,
  authorDomain: AUTHOR,
  outcome: { result, disposition, identifiers: [] } as unknown as DmarcOutcome,
});

/** A message that passes everything, but for what is said. */
function facts(other: Partial<MailAuthentication> = {}): MailAuthentication {
  return {
    origin: {
      clientIp: address.ok ? address.value : (undefined as never),
      helo: "a.example.org",
      mailFrom: "a@example.org",
    },
    iprev: { result: "pass", names: [], problem: undefined },
    spf: { result: "pass", identity: "mailfrom", domain: AUTHOR, trail: [], lookupTerms: 0, voidLookups: 0 },
    dkim: [dkim("pass")],
    skippedSignatures: 0,
    arc: { result: "none", isTemporary: false, sets: [], oldestPass: undefined, problem: undefined },
    dmarc: dmarc("pass"),
    ...other,
  };
}

const spf = (result: MailAuthentication["spf"]["result"]) => ({ ...facts().spf, result });
const iprev = (result: MailAuthentication["iprev"]["result"]) => ({ ...facts().iprev, result });
const arc = (result: "none" | "pass" | "fail", isTemporary = false) => ({
  ...facts().arc,
  result,
  isTemporary,
});

const STRICT: Partial<MilterPolicy> = {
  dmarcFail: "reject",
  spfFail: "reject",
  dkimFail: "reject",
  iprevFail: "reject",
  noAuthor: "reject",
  arcFail: "reject",
  temporary: "tempfail",
};

describe("what becomes of a message", () => {
  it.each<[string, Partial<MailAuthentication>, Partial<MilterPolicy>, string]>([
    ["passes all", {}, STRICT, "accept"],
    [
      "fails all, with nothing but tags",
      { spf: spf("fail"), dkim: [dkim("fail")], dmarc: dmarc("fail", "reject") },
      {},
      "accept",
    ],
    ["fails SPF (RFC 7372 §3.2)", { spf: spf("fail") }, { spfFail: "reject" }, "550 5.7.23"],
    ["is softly refused by SPF", { spf: spf("softfail") }, STRICT, "accept"],
    [
      "has no signature that passes (RFC 7372 §3.1)",
      { dkim: [dkim("fail"), dkim("permerror")] },
      { dkimFail: "reject" },
      "550 5.7.20",
    ],
    ["has one that passes among others", { dkim: [dkim("fail"), dkim("pass")] }, STRICT, "accept"],
    ["has no signature at all", { dkim: [] }, STRICT, "accept"],
    ["fails with a key in testing", { dkim: [dkim("fail", true)] }, STRICT, "accept"],
    [
      "comes from a client without a name (RFC 7372 §3.3)",
      { iprev: iprev("permerror") },
      { iprevFail: "reject" },
      "550 5.7.25",
    ],
    [
      "comes from a client whose names lead elsewhere",
      { iprev: iprev("fail") },
      { iprevFail: "quarantine" },
      "quarantine",
    ],
    ["comes while names cannot be looked up", { iprev: iprev("temperror") }, STRICT, "accept"],
    [
      "fails several at once (RFC 7372 §3.4)",
      { spf: spf("fail"), iprev: iprev("fail") },
      STRICT,
      "550 5.7.26",
    ],
    ["fails DMARC", { dmarc: dmarc("fail", "none") }, { dmarcFail: "reject" }, "550 5.7.1"],
    [
      "fails DMARC, and its owner asks for nothing",
      { dmarc: dmarc("fail", "none") },
      { dmarcFail: "as-asked" },
      "accept",
    ],
    [
      "fails DMARC, and its owner asks to hold it",
      { dmarc: dmarc("fail", "quarantine") },
      { dmarcFail: "as-asked" },
      "quarantine",
    ],
    [
      "fails DMARC, and its owner asks to refuse it",
      { dmarc: dmarc("fail", "reject") },
      { dmarcFail: "as-asked" },
      "550 5.7.1",
    ],
    ["breaks a chain of seals", { arc: arc("fail") }, { arcFail: "reject" }, "550 5.7.29"],
    [
      "has no author",
      { dmarc: { status: "no-author-domain", problem: "there is no From field" } },
      { noAuthor: "reject" },
      "550 5.7.1",
    ],
    [
      "has several authors",
      { dmarc: { ...dmarc("pass"), problem: "From names 2 domains" } },
      { noAuthor: "quarantine" },
      "quarantine",
    ],
    [
      "is refused rather than held",
      { spf: spf("fail"), iprev: iprev("fail") },
      { spfFail: "quarantine", iprevFail: "reject" },
      "550 5.7.25",
    ],
    ["might pass when DNS answers", { dmarc: dmarc("temperror") }, STRICT, "451 4.7.24"],
    ["might pass, and is let in", { dmarc: dmarc("temperror") }, { ...STRICT, temporary: "tag" }, "accept"],
    [
      "has a key that cannot be had, and nothing else",
      { spf: spf("neutral"), dkim: [dkim("temperror")], dmarc: dmarc("none") },
      STRICT,
      "451 4.7.24",
    ],
    [
      "has a key that cannot be had, and SPF passes",
      { dkim: [dkim("temperror")], dmarc: dmarc("none") },
      STRICT,
      "accept",
    ],
    [
      "passes DMARC, whatever else cannot be had",
      { spf: spf("temperror"), dkim: [dkim("temperror"), dkim("pass")] },
      STRICT,
      "accept",
    ],
  ])("that %s", (_what, other, policy, expected) => {
    const { action } = decide(facts(other), { ...TAG_ONLY, ...policy }, []);
    expect(action.kind === "reply" ? `${action.code} ${action.status}` : action.kind).toBe(expected);
  });
});

describe("sealers that are trusted", () => {
  const LIST = domainName("lists.example.net");
  const set = (instance: number, signingDomain: string, authenticationResults: string) => ({
    instance,
    signingDomain: domainName(signingDomain),
    authenticationResults,
  });
  const seen = "lists.example.net; dmarc=pass header.from=example.org";
  const policy = { ...TAG_ONLY, ...STRICT };
  const vouch = (
    sets: ReturnType<typeof set>[],
    result: "pass" | "fail" = "pass",
    other: Partial<MailAuthentication> = {},
  ) =>
    decide(
      facts({
        dmarc: dmarc("fail", "reject"),
        spf: spf("fail"),
        dkim: [dkim("fail")],
        arc: { ...arc(result), sets },
        ...other,
      }),
      policy,
      [LIST],
    );

  it.each<[string, ReturnType<typeof vouch>, string | undefined]>([
    ["one that saw it pass", vouch([set(1, LIST, seen)]), LIST],
    [
      "one that wrote the whole address",
      vouch([set(1, LIST, seen.replace("=example.org", "=ann@EXAMPLE.org"))]),
      LIST,
    ],
    ["one that saw it fail", vouch([set(1, LIST, seen.replace("=pass", "=fail"))]), undefined],
    [
      "one that saw another author",
      vouch([set(1, LIST, seen.replace("example.org", "example.com"))]),
      undefined,
    ],
    ["one that nobody trusts", vouch([set(1, "other.example", seen)]), undefined],
    [
      "one behind another that nobody trusts",
      vouch([set(2, "other.example", "x; none"), set(1, LIST, seen)]),
      undefined,
    ],
    ["one behind another trusted one", vouch([set(2, LIST, "x; dmarc=fail"), set(1, LIST, seen)]), LIST],
    ["one whose chain is broken", vouch([set(1, LIST, seen)], "fail"), undefined],
    [
      "one for a message with several authors",
      vouch([set(1, LIST, seen)], "pass", { dmarc: { ...dmarc("fail", "reject"), problem: "two" } }),
      undefined,
    ],
  ])("%s", (_what, { action, vouchedBy }, expected) => {
    expect(vouchedBy).toBe(expected);
    expect(action.kind).toBe(expected === undefined ? "reply" : "accept");
  });

  it("do not speak for the client's address", () => {
    const { action, vouchedBy } = vouch([set(1, LIST, seen)], "pass", { iprev: iprev("fail") });
    expect(vouchedBy).toBe(LIST);
    expect(action).toMatchObject({ kind: "reply", status: "5.7.25" });
  });
});
