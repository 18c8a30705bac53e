import { describe, expect, it } from "vitest";
import type { Finding } from "../check/finding.ts";
import type { Severity } from "../check/severity.ts";
import { domainName } from "../standards/dns/name.ts";
import { areSame, compareFindings, keyFindings } from "./compare.ts";
import type { DomainState, KnownFinding } from "./watch-store.ts";

const DOMAIN = domainName("example.org");
const STATE: DomainState = {
  domain: DOMAIN,
  ownerId: undefined,
  checkedAt: undefined,
  nextCheckAt: new Date("2026-11-21T12:00:00Z"),
  worst: undefined,
  counts: {},
  revision: 0,
};

function finding(code: Finding["code"], severity: Severity, observed = "x"): Finding {
  return {
    code,
    severity,
    owner: DOMAIN,
    expected: "",
    observed,
    why: "",
    reference: "",
    fix: null,
    verify: "",
  };
}

/** Checks one after the other, an hour between them; what each of them had to tell. */
function watch(...checks: (readonly Finding[])[]) {
  let known: readonly KnownFinding[] = [];
  return checks.map((findings, at) => {
    const now = new Date(Date.UTC(2026, 10, 21, 12 + at));
    const compared = compareFindings(STATE, known, { findings }, now);
    known = compared.findings;
    return compared;
  });
}

const told = (compared: ReturnType<typeof watch>) =>
  compared.map(({ news }) => news.map(({ kind, code, severity }) => `${kind} ${code} ${severity}`));

const MISSING = finding("spf-missing", "error");
const NO_ANSWER = finding("dns-no-answer", "unknown");
const FOREIGN = {
  ...finding("dns-no-answer", "unknown"),
  owner: domainName("example.org._report._dmarc.example.net"),
};
const EXPIRED = finding("certificate-expired", "error");
const FINE = finding("spf-ok", "ok");

describe("news", () => {
  it.each<[string, (readonly Finding[])[], string[][]]>([
    ["nothing, where all is well", [[FINE], [FINE]], [[], []]],
    [
      "a problem, once a second check has seen it",
      [[MISSING], [MISSING], [MISSING]],
      [[], ["appeared spf-missing error"], []],
    ],
    ["nothing of what one check saw and the next did not", [[FINE], [MISSING], [FINE]], [[], [], []]],
    [
      "that it is gone, when it was told",
      [[MISSING], [MISSING], [FINE]],
      [[], ["appeared spf-missing error"], ["gone spf-missing error"]],
    ],
    [
      "nothing while it cannot be looked at",
      [[MISSING], [MISSING], [NO_ANSWER], [MISSING]],
      [[], ["appeared spf-missing error"], [], []],
    ],
    [
      "that it is gone, though a name of others does not answer",
      [[MISSING], [MISSING], [FINE, FOREIGN], [FINE, FOREIGN]],
      [[], ["appeared spf-missing error"], ["gone spf-missing error"], []],
    ],
    ["nothing of an unknown itself", [[FINE], [NO_ANSWER], [NO_ANSWER]], [[], [], []]],
    [
      "that it is gone, though a server cannot be reached",
      [[MISSING], [MISSING], [finding("smtp-untold", "unknown")]],
      [[], ["appeared spf-missing error"], ["gone spf-missing error"]],
    ],
    [
      "nothing of a certificate that nobody can look at",
      [[EXPIRED], [EXPIRED], [finding("smtp-untold", "unknown")]],
      [[], ["appeared certificate-expired error"], []],
    ],
    [
      "that it became worse",
      [[finding("spf-missing", "warning")], [finding("spf-missing", "warning")], [MISSING]],
      [[], ["appeared spf-missing warning"], ["changed spf-missing error"]],
    ],
    [
      "nothing where it became better",
      [[MISSING], [MISSING], [finding("spf-missing", "notice")]],
      [[], ["appeared spf-missing error"], []],
    ],
  ])("is %s", (_what, checks, expected) => {
    expect(told(watch(...checks))).toEqual(expected);
  });

  it("asks for a second look at what is new, and remembers since when it has been there", () => {
    const [first, second, third] = watch([MISSING], [MISSING], [finding("spf-missing", "error", "y")]);
    expect([first!.needsConfirmation, second!.needsConfirmation]).toEqual([true, false]);
    expect(third!.findings[0]!.since).toEqual(new Date("2026-11-21T12:00:00Z"));
    expect(third!.events.map(({ kind, observed }) => [kind, observed])).toEqual([["changed", "y"]]);
  });

  it("says nothing of what somebody knows of, until it changes", () => {
    const [, second] = watch([MISSING], [MISSING]);
    const known = second!.findings.map((one) => ({ ...one, acknowledgedBy: "ann" }));
    const now = new Date("2026-11-21T15:00:00Z");
    const gone = compareFindings(STATE, known, { findings: [FINE] }, now);
    expect([gone.news.length, gone.events.length]).toEqual([0, 1]);
    const same = compareFindings(STATE, known, { findings: [MISSING] }, now);
    expect(same.findings[0]!.acknowledgedBy).toBe("ann");
    const other = compareFindings(STATE, known, { findings: [finding("spf-missing", "error", "y")] }, now);
    expect(other.findings[0]!.acknowledgedBy).toBeUndefined();
  });

  it("counts what there is, with the worst", () => {
    const [only] = watch([MISSING, finding("dmarc-missing", "warning"), FINE]);
    expect([only!.worst, only!.counts]).toEqual(["error", { error: 1, warning: 1, ok: 1 }]);
    expect(watch([])[0]!.worst).toBe("ok");
  });

  it("tells findings of one kind apart", () => {
    expect(keyFindings([MISSING, MISSING]).map(([key]) => key)).toEqual([
      "spf-missing example.org",
      "spf-missing example.org 2",
    ]);
  });
});

describe("what is as it was", () => {
  const NOW = new Date("2026-11-21T12:00:00Z");
  const known: KnownFinding = { key: "spf-missing x", finding: MISSING, since: NOW, confirmed: true };
  it.each<[why: string, now: readonly KnownFinding[], same: boolean]>([
    ["the same", [known], true],
    [
      "as it comes from a store",
      [JSON.parse(JSON.stringify(known), (key, value) => (key === "since" ? new Date(value) : value))],
      true,
    ],
    ["nothing any more", [], false],
    ["one more", [known, known], false],
    ["another name", [{ ...known, key: "spf-missing y" }], false],
    ["since another time", [{ ...known, since: new Date(0) }], false],
    ["not confirmed", [{ ...known, confirmed: false }], false],
    ["somebody knows of it", [{ ...known, acknowledgedBy: "ann" }], false],
    ["something else is seen", [{ ...known, finding: { ...MISSING, observed: "y" } }], false],
    ["another fix", [{ ...known, finding: { ...MISSING, fix: { summary: "so", changes: [] } } }], false],
  ])("%s", (_, now, same) => {
    expect(areSame([known], now)).toBe(same);
  });
});
