import { describe, expect, it } from "vitest";
import type { Finding } from "../check/finding.ts";
import type { Severity } from "../check/severity.ts";
import { domainName } from "../standards/dns/name.ts";
import { newsOf } from "./alert.ts";
import { areSame, compareFindings } from "./compare.ts";
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
  compared.map(({ news }) =>
    news.map(({ kind, code, severity, before }) => {
      return `${kind} ${code} ${severity}${before === undefined || before === severity ? "" : `, was ${before}`}`;
    }),
  );

const MISSING = finding("spf-missing", "error");
const NO_ANSWER = finding("dns-no-answer", "unknown");
const FOREIGN = {
  ...finding("dns-no-answer", "unknown"),
  owner: domainName("example.org._report._dmarc.example.net"),
};
const EXPIRED = finding("certificate-expired", "error");
const FINE = finding("spf-ok", "ok");
const MILD = finding("spf-missing", "warning");
const NOTICE = finding("spf-missing", "notice");
const UNTOLD = finding("smtp-untold", "unknown", "no answer on port 25 from example.org (192.0.2.1)");
const GREW = finding("spf-include-grew", "notice");
const at = (subject: string, observed = `no answer at ${subject}`) => ({
  ...finding("smtp-timeout", "error", observed),
  subject,
});
const [A, B] = [at("192.0.2.1"), at("192.0.2.2")];

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
      "that it is gone, once a second check has not seen it",
      [[MISSING], [MISSING], [FINE], [FINE], [FINE]],
      [[], ["appeared spf-missing error"], [], ["gone spf-missing error"], []],
    ],
    [
      "nothing while it cannot be looked at",
      [[MISSING], [MISSING], [NO_ANSWER], [MISSING]],
      [[], ["appeared spf-missing error"], [], []],
    ],
    [
      "that it is gone, though a name of others does not answer",
      [[MISSING], [MISSING], [FINE, FOREIGN], [FINE, FOREIGN]],
      [[], ["appeared spf-missing error"], [], ["gone spf-missing error"]],
    ],
    ["nothing of an unknown itself", [[FINE], [NO_ANSWER], [NO_ANSWER]], [[], [], []]],
    [
      "that it is gone, though a server cannot be reached",
      [[MISSING], [MISSING], [UNTOLD], [UNTOLD]],
      [[], ["appeared spf-missing error"], [], ["gone spf-missing error"]],
    ],
    [
      "nothing of a certificate that nobody can look at",
      [[EXPIRED], [EXPIRED], [UNTOLD], [UNTOLD]],
      [[], ["appeared certificate-expired error"], [], []],
    ],
    [
      "nothing of one good look at what comes and goes",
      [[MISSING], [MISSING], [FINE], [MISSING], [FINE], [MISSING]],
      [[], ["appeared spf-missing error"], [], [], [], []],
    ],
    [
      "nothing while the second look cannot be made",
      [[MISSING], [MISSING], [FINE], [NO_ANSWER], [FINE]],
      [[], ["appeared spf-missing error"], [], [], ["gone spf-missing error"]],
    ],
    [
      "that it became worse, once a second check has seen it",
      [[MILD], [MILD], [MISSING], [MISSING], [MISSING]],
      [[], ["appeared spf-missing warning"], [], ["changed spf-missing error, was warning"], []],
    ],
    [
      "nothing where one check saw it worse",
      [[MILD], [MILD], [MISSING], [MILD], [MISSING], [MILD]],
      [[], ["appeared spf-missing warning"], [], [], [], []],
    ],
    [
      "of two that are worse what both have seen",
      [[NOTICE], [NOTICE], [MISSING], [MILD], [MILD]],
      [[], ["appeared spf-missing notice"], [], ["changed spf-missing warning, was notice"], []],
    ],
    [
      "nothing of what is worse and then not seen, as of two checks in a row",
      [[MILD], [MILD], [MISSING], [FINE], [MISSING], [MISSING]],
      [[], ["appeared spf-missing warning"], [], [], [], ["changed spf-missing error, was warning"]],
    ],
    [
      "that it became better, for who need not hear of it any more, and what it was when it goes",
      [[MISSING], [MISSING], [NOTICE], [NOTICE], [FINE], [FINE]],
      [
        [],
        ["appeared spf-missing error"],
        [],
        ["changed spf-missing notice, was error"],
        [],
        ["gone spf-missing notice"],
      ],
    ],
    [
      "what it was when it goes before a second check has seen it better",
      [[MISSING], [MISSING], [NOTICE], [FINE], [FINE]],
      [[], ["appeared spf-missing error"], [], [], ["gone spf-missing notice, was error"]],
    ],
    [
      "nothing where its severity could not be told",
      [[MILD], [MILD], [finding("spf-missing", "unknown")], [MILD], [MILD]],
      [[], ["appeared spf-missing warning"], [], [], []],
    ],
    [
      "that it is gone, where the same code says that all is well",
      [[NOTICE], [NOTICE], [finding("spf-missing", "ok")], [finding("spf-missing", "ok")]],
      [[], ["appeared spf-missing notice"], [], ["gone spf-missing notice"]],
    ],
    [
      "nothing of what has run out",
      [[GREW], [GREW], [], []],
      [[], ["appeared spf-include-grew notice"], [], []],
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
    const missed = compareFindings(STATE, known, { findings: [FINE] }, now);
    expect([missed.news, missed.events]).toEqual([[], []]);
    const gone = compareFindings(STATE, missed.findings, { findings: [FINE] }, now);
    expect([gone.news.length, gone.events.length]).toEqual([0, 1]);
    const back = compareFindings(STATE, missed.findings, { findings: [MISSING] }, now);
    expect(back.findings).toEqual(known);
    const same = compareFindings(STATE, known, { findings: [MISSING] }, now);
    expect(same.findings[0]!.acknowledgedBy).toBe("ann");
    const other = compareFindings(STATE, known, { findings: [finding("spf-missing", "error", "y")] }, now);
    expect(other.findings[0]!.acknowledgedBy).toBeUndefined();
    const untold = compareFindings(STATE, known, { findings: [finding("spf-missing", "unknown")] }, now);
    expect(untold.findings).toEqual(known);
    const better = compareFindings(STATE, known, { findings: [MILD] }, now);
    const stillBetter = compareFindings(STATE, better.findings, { findings: [MILD] }, now);
    expect([stillBetter.findings[0]!.acknowledgedBy, stillBetter.news]).toEqual(["ann", []]);
    const worse = compareFindings(STATE, stillBetter.findings, { findings: [MISSING] }, now);
    expect([worse.findings[0]!.acknowledgedBy, worse.news]).toEqual(["ann", []]);
    const stillWorse = compareFindings(STATE, worse.findings, { findings: [MISSING] }, now);
    expect([stillWorse.findings[0]!.acknowledgedBy, stillWorse.news.length]).toEqual([undefined, 1]);
  });

  it.each<[why: string, was: Finding, is: Finding, isKnown: boolean]>([
    [
      "what it is about is named, and is the same",
      at("192.0.2.1", "no answer"),
      at("192.0.2.1", "connection refused"),
      true,
    ],
    [
      "serials move on with each change of the zone",
      finding("zone-serials-differ", "warning", "2 at ns1.example.org; 1 at ns2.example.org"),
      finding("zone-serials-differ", "warning", "4 at ns1.example.org; 1 at ns2.example.org"),
      true,
    ],
    [
      "a provider has other words for the same",
      finding("dkim-rotation-waits", "warning", "publish it; this server could not: request 1 failed"),
      finding("dkim-rotation-waits", "warning", "publish it; this server could not: request 2 failed"),
      true,
    ],
    [
      "it is worse in the end",
      finding("dkim-rotation-waits", "warning", "publish it"),
      finding("dkim-rotation-waits", "error", "it must not count any more"),
      false,
    ],
    [
      "the record is another",
      finding("spf-syntax", "error", "x"),
      finding("spf-syntax", "error", "y"),
      false,
    ],
  ])("of which somebody knows, in other words: %s", (_, was, is, isKnown) => {
    const [, second] = watch([was], [was]);
    const known = second!.findings.map((one) => ({ ...one, acknowledgedBy: "ann" }));
    const now = new Date("2026-11-21T15:00:00Z");
    const first = compareFindings(STATE, known, { findings: [is] }, now);
    const [last] = compareFindings(STATE, first.findings, { findings: [is] }, now).findings;
    expect([last!.finding.observed, last!.acknowledgedBy]).toEqual([
      is.observed,
      isKnown ? "ann" : undefined,
    ]);
  });

  it("counts what there is, with the worst", () => {
    const [only] = watch([MISSING, finding("dmarc-missing", "warning"), FINE]);
    expect([only!.worst, only!.counts]).toEqual(["error", { error: 1, warning: 1, ok: 1 }]);
    expect(watch([])[0]!.worst).toBe("ok");
  });

  it("is of a fault that has run out in its history", () => {
    const [, , , last] = watch([GREW], [GREW], [], []);
    expect(last!.events.map(({ kind }) => kind)).toEqual(["gone"]);
  });

  it("counts nothing of what the last check has not seen any more", () => {
    const [, , third, last] = watch([MISSING], [MISSING], [FINE], [FINE]);
    expect([third!.worst, third!.counts, third!.needsConfirmation]).toEqual(["ok", { ok: 1 }, true]);
    expect(third!.events).toEqual([]);
    expect(last!.needsConfirmation).toBe(false);
    expect(last!.findings.map(({ key }) => key)).toEqual(["spf-ok example.org"]);
  });
});

describe("findings of one code at one name", () => {
  const names = (compared: ReturnType<typeof watch>) =>
    compared.map(({ news }) => news.map(({ kind, observed }) => `${kind} ${observed.split(" ").at(-1)}`));
  const [X, Y] = [finding("spf-syntax", "error", "term x"), finding("spf-syntax", "error", "term y")];

  it.each<[string, (readonly Finding[])[], string[][]]>([
    [
      "the first of two recovers",
      [[A, B], [A, B], [B], [B]],
      [[], ["appeared 192.0.2.1", "appeared 192.0.2.2"], [], ["gone 192.0.2.1"]],
    ],
    [
      "one recovers when the other fails",
      [[A], [A], [B], [B]],
      [[], ["appeared 192.0.2.1"], [], ["appeared 192.0.2.2", "gone 192.0.2.1"]],
    ],
    [
      "one that is sorted first comes later",
      [[B], [B], [A, B], [A, B]],
      [[], ["appeared 192.0.2.2"], [], ["appeared 192.0.2.1"]],
    ],
    [
      "one is seen otherwise",
      [[A], [A], [at("192.0.2.1", "connection refused")], [at("192.0.2.1", "connection refused")]],
      [[], ["appeared 192.0.2.1"], [], []],
    ],
    [
      "without a subject, by their words: the first goes",
      [[X, Y], [X, Y], [Y], [Y]],
      [[], ["appeared x", "appeared y"], [], ["gone x"]],
    ],
    [
      "without a subject, by their words: one comes in front",
      [[Y], [Y], [X, Y], [X, Y]],
      [[], ["appeared y"], [], ["appeared x"]],
    ],
    [
      "without a subject and in other words, in their order",
      [[X], [X], [Y], [Y]],
      [[], ["appeared x"], [], []],
    ],
  ])("%s", (_, checks, expected) => {
    expect(names(watch(...checks))).toEqual(expected);
  });

  it.each<[string, (readonly Finding[])[], string[][]]>([
    [
      "another comes beside one that is known",
      [[A], [A], [A, B], [A, B]],
      [[], ["appeared 192.0.2.1 12"], [], ["appeared 192.0.2.2 14"]],
    ],
    [
      "the second of two goes",
      [[A, B], [A, B], [A], [A]],
      [[], ["appeared 192.0.2.1 12", "appeared 192.0.2.2 12"], [], ["gone 192.0.2.2 12"]],
    ],
    [
      "both go, one after the other",
      [[A, B], [A, B], [A], []],
      [[], ["appeared 192.0.2.1 12", "appeared 192.0.2.2 12"], [], ["gone 192.0.2.2 12"]],
    ],
  ])("in the same words, each under its own key and since its own hour: %s", (_, checks, expected) => {
    const same = checks.map((findings) => findings.map((one) => ({ ...one, observed: "no answer" })));
    const keys = watch(...same).map(({ news }) =>
      newsOf(news).map(({ kind, key, finding: { subject }, since }) => {
        expect(key).toBe(`smtp-timeout example.org ${subject}`);
        return `${kind} ${subject} ${new Date(since).getUTCHours()}`;
      }),
    );
    expect(keys).toEqual(expected);
  });

  it("have keys of their own, also where one is not seen at the moment, and keep them", () => {
    const [first, second, third] = watch([X, A, B], [X, A, B], [X, Y, B]);
    expect(first!.findings.map(({ key }) => key)).toEqual([
      "spf-syntax example.org",
      "smtp-timeout example.org 192.0.2.1",
      "smtp-timeout example.org 192.0.2.2",
    ]);
    expect(second!.findings.map(({ key }) => key)).toEqual(first!.findings.map(({ key }) => key));
    expect(third!.findings.map(({ key, missed }) => [key, missed])).toEqual([
      ["spf-syntax example.org", undefined],
      ["spf-syntax example.org 2", undefined],
      ["smtp-timeout example.org 192.0.2.2", undefined],
      ["smtp-timeout example.org 192.0.2.1", true],
    ]);
  });

  it("that were kept before they had subjects, by number, are still known by their words", () => {
    const since = new Date("2026-11-01T00:00:00Z");
    const kept = [A, B].map(
      ({ subject: _, ...finding }, at): KnownFinding => ({
        key: `smtp-timeout example.org${at === 0 ? "" : " 2"}`,
        finding,
        since,
        confirmed: true,
        acknowledgedBy: "ann",
      }),
    );
    const now = new Date("2026-11-21T12:00:00Z");
    const { findings, news, events } = compareFindings(STATE, kept, { findings: [B] }, now);
    expect([news, events]).toEqual([[], []]);
    expect(findings).toEqual([
      { ...kept[1], finding: B },
      { ...kept[0], missed: true },
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
    ["another severity was told", [{ ...known, told: "warning" }], false],
    ["the last look has not seen it", [{ ...known, missed: true }], false],
    ["somebody knows of it", [{ ...known, acknowledgedBy: "ann" }], false],
    ["something else is seen", [{ ...known, finding: { ...MISSING, observed: "y" } }], false],
    ["another fix", [{ ...known, finding: { ...MISSING, fix: { summary: "so", changes: [] } } }], false],
  ])("%s", (_, now, same) => {
    expect(areSame([known], now)).toBe(same);
  });
});
