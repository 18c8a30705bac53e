import { describe, expect, it } from "vitest";
import { a, aaaa, mx, type Table, tableResolver, txt } from "../../../test/support/table-resolver.ts";
import { domainName } from "../dns/name.ts";
import type { UnknownCause } from "../dns/resolver.ts";
import { remarksOnSpfTree } from "./remarks.ts";
import { lookupSpfTree, lookupSpfTreeOf, recordsOf, type SpfTree } from "./tree.ts";

const DOMAIN = domainName("example.org");

function treeOf(table: Table, failing: Record<string, UnknownCause> = {}): Promise<SpfTree> {
  return lookupSpfTree(DOMAIN, tableResolver(table, failing));
}

const record = (text: string) => [txt(`v=spf1 ${text}`)];

describe("lookupSpfTree", () => {
  it("counts a second copy of an include again, and asks for it once", async () => {
    const resolver = tableResolver({
      "example.org": record("include:a.example include:b.example -all"),
      "a.example": record("include:shared.example"),
      "b.example": record("include:shared.example"),
      "shared.example": record("mx a"),
    });
    const tree = await lookupSpfTree(DOMAIN, resolver);
    expect(tree.lookupTerms).toBe(8);
    expect(resolver.asked.filter((question) => question === "shared.example TXT")).toHaveLength(1);
    expect(Array.from(recordsOf(tree.root), ({ domain, lookupTerms }) => `${domain} ${lookupTerms}`)).toEqual(
      ["example.org 8", "a.example 3", "shared.example 2", "b.example 3", "shared.example 2"],
    );
  });

  it.each<[string, number, string]>([
    ["-all", 0, "a bare all costs nothing"],
    ["ip4:192.0.2.1 ip6:2001:db8::1 exp=e.example -all", 0, "addresses and exp are free"],
    ["a mx ptr exists:%{i}.example -all", 4, "one each"],
    ["-all a mx", 0, "behind all nothing is evaluated"],
    ["a redirect=b.example ?all", 1, "nor is a redirect beside all"],
    ["a redirect=b.example", 3, "a redirect and what it leads to"],
  ])("%s costs %i: %s", async (text, cost) => {
    const tree = await treeOf({ "example.org": record(text), "b.example": record("mx") });
    expect(tree.lookupTerms).toBe(cost);
  });

  it("follows %{d}, and marks what depends on the message", async () => {
    const tree = await treeOf({
      "example.org": record("include:_spf.%{d} exists:%{i}.%{d} include:%{o}.x.example -all"),
      "_spf.example.org": record("ip4:192.0.2.1"),
    });
    const [include, exists, perSender] = tree.root.state === "record" ? tree.root.terms : [];
    expect(include).toMatchObject({
      target: "_spf.example.org",
      dependsOnMessage: false,
      node: { state: "record" },
    });
    expect(exists).toMatchObject({ target: undefined, dependsOnMessage: true, lookupTerms: 1 });
    expect(perSender).toMatchObject({ target: undefined, dependsOnMessage: true, lookupTerms: 1 });
  });

  it("finds the addresses of both families behind a and mx", async () => {
    const tree = await treeOf({
      "example.org": [...record("a mx -all"), a("192.0.2.1"), mx(10, "mail.example.org")],
      "mail.example.org": [a("192.0.2.2"), aaaa("2001:db8::2")],
    });
    const terms = tree.root.state === "record" ? tree.root.terms : [];
    expect(terms.map(({ found }) => found?.addresses.map(({ text }) => text))).toEqual([
      ["192.0.2.1"],
      ["192.0.2.2", "2001:db8::2"],
      undefined,
    ]);
  });

  it("names each void lookup, and an unknown is none", async () => {
    const tree = await treeOf(
      {
        "example.org": record("a:gone.example include:b.example a:slow.example -all"),
        "b.example": record("mx:gone.example"),
      },
      { "slow.example A": "timeout", "slow.example AAAA": "timeout" },
    );
    expect(tree.voidLookups.map(({ domain, term, name }) => [domain, term.text, name])).toEqual([
      ["example.org", "a:gone.example", "gone.example"],
      ["b.example", "mx:gone.example", "gone.example"],
    ]);
    expect(tree.unknowns.map(({ name, unknown }) => `${name} ${unknown.cause}`)).toEqual([
      "slow.example timeout",
      "slow.example timeout",
    ]);
  });

  it("takes a level of the tree in one round trip", async () => {
    let waiting: (() => void)[] = [];
    const table = tableResolver({
      "example.org": record("include:a.example include:b.example mx:c.example a:d.example -all"),
      "a.example": record("-all"),
      "b.example": record("-all"),
    });
    const rounds: number[] = [];
    const done = lookupSpfTree(DOMAIN, {
      lookup: async (name, type) => {
        await new Promise<void>((resolve) => waiting.push(resolve));
        return await table.lookup(name, type);
      },
    });
    const settledTree = done.then(() => true);
    // Each round answers all that is asked so far, as a network with one constant delay would.
    while (!(await Promise.race([settledTree, new Promise((resolve) => setImmediate(resolve, false))]))) {
      rounds.push(waiting.length);
      const answered = waiting;
      waiting = [];
      for (const answer of answered) answer();
    }
    expect(rounds.filter((size) => size > 0)).toEqual([1, 5]);
  });

  it("asks for no name twice, in a loop neither", async () => {
    const resolver = tableResolver({
      "example.org": record("include:a.example"),
      "a.example": record("include:example.org"),
    });
    const tree = await lookupSpfTree(DOMAIN, resolver);
    expect(resolver.asked).toEqual(["example.org TXT", "a.example TXT"]);
    expect(JSON.stringify(tree.root)).toContain('"state":"loop"');
  });

  it("stops at its bounds and says so", async () => {
    const wide = Array.from({ length: 60 }, (_, at) => `include:i${at}.example`).join(" ");
    const table: Record<string, ReturnType<typeof record>> = { "example.org": record(wide) };
    for (let at = 0; at < 60; at++) table[`i${at}.example`] = record("-all");
    const resolver = tableResolver(table);
    const tree = await lookupSpfTree(DOMAIN, resolver);
    expect(tree.complete).toBe(false);
    expect(resolver.asked.length).toBeLessThanOrEqual(40);

    const deep: Record<string, ReturnType<typeof record>> = { "example.org": record("include:i0.example") };
    for (let at = 0; at < 30; at++) deep[`i${at}.example`] = record(`include:i${at + 1}.example`);
    expect((await treeOf(deep)).complete).toBe(false);
  });

  it("does not blow up where includes double at every level", async () => {
    const table: Record<string, ReturnType<typeof record>> = { "example.org": record("include:i0.example") };
    for (let at = 0; at < 9; at++) table[`i${at}.example`] = record(`include:i${at + 1}.example `.repeat(10));
    expect((await treeOf(table)).complete).toBe(false);
  });

  it("takes an unpublished record in place of the published one", async () => {
    const tree = await lookupSpfTreeOf(
      "v=spf1 mx -all",
      DOMAIN,
      tableResolver({ "example.org": record("a a a -all") }),
    );
    expect(tree.lookupTerms).toBe(1);
  });
});

describe("remarksOnSpfTree", () => {
  const codes = async (table: Table) => remarksOnSpfTree(await treeOf(table)).map(({ code }) => code);
  const hosts = (count: number) => Array.from({ length: count }, (_, at) => `a:h${at}.example`).join(" ");
  const hostRows = (count: number): Table =>
    Object.fromEntries(
      Array.from({ length: count }, (_, at) => [
        `h${at}.example`,
        [a(`198.51.100.${at}`), aaaa(`2001:db8::${at}`)],
      ]),
    );
  const manyMx = (count: number) => Array.from({ length: count }, (_, at) => mx(at, `m${at}.example`));

  it.each<[string, Table, string[]]>([
    ["nothing to say", { "example.org": record("ip4:203.0.113.1 -all") }, []],
    ["no record", { "example.org": [txt("hello")] }, ["spf-missing"]],
    ["two records", { "example.org": [...record("-all"), ...record("a -all")] }, ["spf-several-records"]],
    ["a broken record", { "example.org": record("ip4:192.0.2 -all") }, ["spf-syntax"]],
    ["a failing name is neither", { "example.org": "servfail" }, []],
    ["eight lookups", { "example.org": record(`${hosts(8)} -all`), ...hostRows(8) }, []],
    ["nine lookups", { "example.org": record(`${hosts(9)} -all`), ...hostRows(9) }, ["spf-lookup-headroom"]],
    ["ten lookups", { "example.org": record(`${hosts(10)} -all`), ...hostRows(10) }, ["spf-lookup-headroom"]],
    [
      "eleven lookups",
      { "example.org": record(`${hosts(11)} -all`), ...hostRows(11) },
      ["spf-too-many-lookups"],
    ],
    [
      "eleven mx: terms are too many lookups, unlike what others count",
      {
        "example.org": record(`${hosts(11).replaceAll("a:", "mx:")} -all`),
        ...Object.fromEntries(
          Array.from({ length: 11 }, (_, at) => [`h${at}.example`, [mx(1, `m${at}.example`)]]),
        ),
      },
      ["spf-too-many-lookups"],
    ],
    ["ten MX records", { "example.org": [...record("mx -all"), ...manyMx(10)] }, []],
    ["eleven MX records", { "example.org": [...record("mx -all"), ...manyMx(11)] }, ["spf-too-many-mx"]],
    ["an include of no name", { "example.org": record("include:a..example -all") }, ["spf-invalid-name"]],
    ["a name behind all", { "example.org": record("-all a:a..example") }, ["spf-term-after-all"]],
    ["two voids", { "example.org": record("a:x.example a:y.example -all") }, ["spf-void-lookup"]],
    [
      "three voids",
      { "example.org": record("a:x.example a:y.example mx:z.example -all") },
      ["spf-void-lookups"],
    ],
    [
      "three hosts without IPv6",
      {
        "example.org": record("a:x.example a:y.example a:z.example -all"),
        "x.example": [a("198.51.100.1")],
        "y.example": [a("198.51.100.2")],
        "z.example": [a("198.51.100.3")],
      },
      ["spf-void-lookups-ipv6"],
    ],
    [
      "an include of nothing",
      { "example.org": record("include:x.example -all") },
      ["spf-include-without-record"],
    ],
    [
      "an include of two records",
      { "example.org": record("include:x.example -all"), "x.example": [...record("a"), ...record("mx")] },
      ["spf-include-several-records"],
    ],
    [
      "an include of a broken record",
      { "example.org": record("include:x.example -all"), "x.example": record("foo") },
      ["spf-include-broken"],
    ],
    [
      "an include that fails to answer",
      { "example.org": record("include:x.example -all"), "x.example": "timeout" },
      [],
    ],
    [
      "a loop",
      { "example.org": record("include:x.example -all"), "x.example": record("include:example.org") },
      ["spf-loop"],
    ],
  ])("%s", async (_what, table, expected) => {
    expect(await codes(table)).toEqual(expected);
  });

  it("R33: names the terms that others cover, a before mx", async () => {
    const tree = await treeOf({
      "example.org": [
        ...record("+mx +a:example.org +a:mail.example.org -all"),
        mx(1, "mail.example.org"),
        a("192.0.2.1"),
      ],
      "mail.example.org": [a("192.0.2.1"), aaaa("2001:db8::1")],
    });
    const redundant = remarksOnSpfTree(tree).filter(({ code }) => code === "spf-redundant-term");
    expect(redundant.map(({ offset, length }) => [offset, length])).toEqual([
      [11, 14],
      [26, 19],
    ]);
  });

  it("does not call a term redundant that covers more, or stands among others' signs", async () => {
    const rows = (text: string): Table => ({
      "example.org": [...record(text), a("192.0.2.1"), aaaa("2001:db8::1")],
    });
    expect(await codes(rows("a ip4:192.0.2.1 -all"))).toEqual([]);
    expect(await codes(rows("a/24 ip4:192.0.2.1 ip6:2001:db8::1 -all"))).toEqual([]);
    expect(await codes(rows("a -ip4:192.0.2.1 ip6:2001:db8::1 -all"))).toEqual([]);
    expect(await codes(rows("a ip4:192.0.2.1 ip6:2001:db8::1 -all"))).toEqual(["spf-redundant-term"]);
  });
});
