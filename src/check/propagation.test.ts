import { describe, expect, it } from "vitest";
import { recordsOf } from "../../test/support/table-world.ts";
import { domainName } from "../standards/dns/name.ts";
import type { Rdata } from "../standards/dns/record.ts";
import type { Answer } from "../standards/dns/resolver.ts";
import {
  arrivalAtServers,
  begin,
  cacheBound,
  type Goal,
  heldUntil,
  type Look,
  observe,
  pauseSeconds,
  type Seen,
  verdictOf,
  type Want,
} from "./propagation.ts";

const NAME = domainName("_dmarc.example.org");
const START = new Date("2026-11-21T12:00:00Z");
const at = (seconds: number) => new Date(START.getTime() + seconds * 1000);

const found = (ttlSeconds: number, ...texts: string[]): Answer => ({
  status: "found",
  records: texts.map((text) => recordsOf(`${NAME}. ${ttlSeconds} TXT ${text}`)[0]!) as never,
  aliases: [],
  canonicalName: NAME,
});
const NEW = found(3600, '"v=DMARC1; p=none"');
const OLD = found(600, '"v=DMARC1; p=reject"');
const NOTHING: Answer = { status: "absent", kind: "nxdomain", aliases: [], negativeTtlSeconds: 300 };
const SILENT: Answer = { status: "unknown", cause: "timeout", detail: "no answer in 1.5 s" };

const text = (...strings: string[]): Rdata => ({ type: "TXT", strings });
const VALUES: Want = { kind: "values", values: [text("v=DMARC1; p=none")] };
const goal = (want: Want): Goal => ({ name: NAME, type: "TXT", want });
const seen = (prefix: string, answers: readonly Answer[]): Seen[] =>
  answers.map((answer, index) => ({ from: `${prefix}${index + 1}`, answer }));
const look = (
  seconds: number,
  servers: readonly Answer[],
  resolvers?: readonly Answer[],
  negativeTtlSeconds?: number,
): Look => ({
  at: at(seconds),
  servers: seen("ns", servers),
  resolvers: resolvers && seen("resolver", resolvers),
  negativeTtlSeconds,
});

describe("at the name servers", () => {
  const BOTH = found(3600, '"v=DMARC1; p=none"', '"v=DMARC1; p=reject"');
  const CUT = found(3600, '"v=DMARC1;" " p=none"');
  const PUBLISHED: Want = { kind: "published" };
  const GONE: Want = { kind: "absent", values: [] };
  const OLD_GONE: Want = { kind: "absent", values: [text("v=DMARC1; p=reject")] };
  it.each<[want: Want, servers: Answer[], arrived: string, why: string]>([
    [VALUES, [NEW, NEW], "yes", "all have it"],
    [VALUES, [NEW, NOTHING], "no", "one has nothing"],
    [VALUES, [NEW, OLD], "no", "one has the old value"],
    [VALUES, [BOTH, NEW], "yes", "it may stand beside others"],
    [VALUES, [CUT], "yes", "however TXT is cut"],
    [VALUES, [NEW, SILENT], "yes", "who does not answer is not waited for"],
    [VALUES, [SILENT, SILENT], "unknown", "nobody answers"],
    [VALUES, [], "unknown", "no zone was found"],
    [PUBLISHED, [NEW, NEW], "yes", "any record"],
    [PUBLISHED, [NEW, OLD], "no", "they do not agree"],
    [PUBLISHED, [NOTHING], "no", "none"],
    [GONE, [NOTHING, NOTHING], "yes", "gone"],
    [GONE, [NOTHING, OLD], "no", "one still has it"],
    [GONE, [NOTHING, SILENT], "yes", "silence is no record, and no absence either"],
    [OLD_GONE, [NEW], "yes", "that value is gone, another stands there"],
    [OLD_GONE, [BOTH], "no", "it is still there"],
  ])("%j %#: %s (%s)", (want, servers, arrived) => {
    expect(arrivalAtServers(begin(goal(want), look(0, servers)))).toBe(arrived);
  });

  it("another answer than at first", () => {
    const first = begin(goal({ kind: "changed" }), look(0, [OLD, OLD]));
    expect(arrivalAtServers(first)).toBe("no");
    const half = observe(first, look(2, [NEW, OLD]));
    expect(arrivalAtServers(half)).toBe("no");
    expect(arrivalAtServers(observe(half, look(4, [NEW, NEW])))).toBe("yes");
  });
});

describe("the verdict", () => {
  it.each<[servers: Answer[], resolvers: Answer[] | undefined, verdict: string, why: string]>([
    [[NEW], [NEW], "visible", "everywhere"],
    [[NEW], [], "visible", "no resolver to ask"],
    [[NEW], [NEW, OLD], "waiting", "one resolver has the old one"],
    [[NEW], [NOTHING], "waiting", "a resolver remembers the absence"],
    [[NEW], [SILENT], "unknown", "a resolver that does not answer"],
    [[NEW], [SILENT, OLD], "waiting", "what is known to be old weighs more"],
    [[NEW, SILENT], [NEW], "unknown", "nobody knows what the silent server has"],
    [[NOTHING], undefined, "waiting", "not published"],
    [[SILENT], undefined, "unknown", "nobody answers: nothing is said of what is published"],
  ])("%#: %s, %s", (servers, resolvers, verdict) => {
    expect(verdictOf(begin(goal(VALUES), look(0, servers, resolvers)))).toBe(verdict);
  });

  it("without a value, a resolver has to say what the name servers say", () => {
    expect(verdictOf(begin(goal({ kind: "published" }), look(0, [NEW], [OLD])))).toBe("waiting");
    expect(verdictOf(begin(goal({ kind: "published" }), look(0, [NEW], [NEW])))).toBe("visible");
  });
});

describe("until when caches may hold the old answer", () => {
  it("is open while a name server still has it; the TTL is the longest seen", () => {
    const progress = begin(goal(VALUES), look(0, [OLD, found(900, '"x"')]));
    expect(cacheBound(progress)).toEqual({
      until: undefined,
      text: "Once every name server has the new answer, caches may hold the old one for up to 900 s more.",
    });
  });

  it("counts from the first look at which all had the new one, not from the last sight of the old one", () => {
    const progress = [look(2, [NEW, OLD]), look(5, [NEW, NEW]), look(9, [NEW, NEW])].reduce(
      observe,
      begin(goal(VALUES), look(0, [OLD, OLD])),
    );
    expect(cacheBound(progress).until).toEqual(at(5 + 600));
    expect(cacheBound(progress).text).toBe("The old answer may be cached until 2026-11-21 12:10:05 UTC.");
  });

  it("begins anew where a server goes back", () => {
    const progress = [look(2, [NEW, NEW]), look(5, [NEW, OLD]), look(9, [NEW, NEW])].reduce(
      observe,
      begin(goal(VALUES), look(0, [OLD, OLD])),
    );
    expect(cacheBound(progress).until).toEqual(at(9 + 600));
  });

  it("is not moved by a look at which nobody answered", () => {
    const progress = [look(5, [NEW]), look(9, [SILENT]), look(12, [NEW])].reduce(
      observe,
      begin(goal(VALUES), look(0, [OLD])),
    );
    expect(cacheBound(progress).until).toEqual(at(5 + 600));
  });

  it("is the negative TTL where there was nothing (RFC 2308 §5)", () => {
    const progress = observe(begin(goal(VALUES), look(0, [NOTHING])), look(3, [NEW]));
    expect(cacheBound(progress).until).toEqual(at(3 + 300));
  });

  it("takes the zone's negative TTL where the absence came without one", () => {
    const { negativeTtlSeconds: _, ...bare } = NOTHING as Extract<Answer, { status: "absent" }>;
    const progress = observe(begin(goal(VALUES), look(0, [bare], undefined, 120)), look(3, [NEW]));
    expect(cacheBound(progress).until).toEqual(at(3 + 120));
  });

  it("is what was told where the old answer is gone already", () => {
    expect(cacheBound(begin(goal(VALUES), look(0, [NEW]), 86_400)).until).toEqual(at(86_400));
  });

  it("is not made up where nobody saw or told it", () => {
    const bound = cacheBound(begin(goal(VALUES), look(0, [NEW], [], 300)));
    expect(bound.until).toBeUndefined();
    expect(bound.text).toMatch(/not known \(--old-ttl tells it; where nothing was there, 300 s after/);
  });

  it("goes on for a resolver that keeps it longer, by what is left there", () => {
    const progress = begin(goal(VALUES), look(0, [NEW], [found(42, '"old"')]));
    expect(heldUntil(progress.last.resolvers![0]!, progress)).toEqual(at(42));
    expect(cacheBound(progress).until).toEqual(at(42));
  });

  it("is over once it is over", () => {
    const progress = observe(begin(goal(VALUES), look(0, [NEW], [], 300), 10), look(11, [NEW], [NEW]));
    expect(cacheBound(progress).text).toBe("Every cache must have let go of the old answer by now.");
  });
});

it("looks less and less often", () => {
  expect([0, 1, 2, 5, 20].map(pauseSeconds)).toEqual([2, 3, 4.5, 15.1875, 30]);
});
