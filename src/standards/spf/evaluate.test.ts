import { describe, expect, it } from "vitest";
import { a, aaaa, mx, ptr, type Table, tableResolver, txt } from "../../../test/support/table-resolver.ts";
import { parseAddress } from "../dns/address.ts";
import type { UnknownCause } from "../dns/resolver.ts";
import { evaluateSpf, type SpfLimits, type SpfQuestion } from "./evaluate.ts";

interface Asked extends Partial<Omit<SpfQuestion, "clientIp">> {
  readonly ip?: string;
  readonly failing?: Record<string, UnknownCause>;
  readonly limits?: Partial<SpfLimits>;
}

function check(table: Table, { ip = "192.0.2.1", failing = {}, limits, ...question }: Asked = {}) {
  const clientIp = parseAddress(ip);
  if (!clientIp.ok) throw new TypeError(clientIp.problem);
  return evaluateSpf(
    { mailFrom: "me@example.org", helo: "mail.example.org", ...question, clientIp: clientIp.value },
    tableResolver(table, failing),
    limits,
  );
}

describe("the way to the decision", () => {
  const table: Table = {
    "example.org": [txt("v=spf1 a include:outer.example -all")],
    "outer.example": [txt("v=spf1 ip4:192.0.2.9 redirect=inner.example")],
    "inner.example": [txt("v=spf1 ip4:192.0.2.0/24 -all")],
  };

  it("names every include and redirect, and the term that matched", async () => {
    const { result, trail, lookupTerms, voidLookups } = await check(table);
    expect(trail.map(({ domain, term }) => `${domain} ${term.text}`)).toEqual([
      "example.org include:outer.example",
      "outer.example redirect=inner.example",
      "inner.example ip4:192.0.2.0/24",
    ]);
    expect({ result, lookupTerms, voidLookups }).toEqual({ result: "pass", lookupTerms: 3, voidLookups: 1 });
  });

  it("leaves a failed include out when another term decides", async () => {
    const { result, trail } = await check(table, { ip: "198.51.100.1" });
    expect(result).toBe("fail");
    expect(trail.map(({ term }) => term.text)).toEqual(["-all"]);
  });

  it("is empty where no term decided", async () => {
    expect(await check({ "example.org": [txt("v=spf1 ip4:192.0.2.9")] })).toMatchObject({
      result: "neutral",
      trail: [],
    });
  });
});

describe("problems in words", () => {
  const many = Array.from({ length: 11 }, (_, at) => mx(at, `mx${at}.example.org`));
  it.each<[string, Table, Asked, string, RegExp]>([
    ["no record", { "example.org": [txt("hello")] }, {}, "none", /example\.org has no SPF record/],
    [
      "two records",
      { "example.org": [txt("v=spf1 -all"), txt("v=spf1 a")] },
      {},
      "permerror",
      /2 SPF records/,
    ],
    ["syntax", { "example.org": [txt("v=spf1 ip4:192.0.2")] }, {}, "permerror", /"ip4:192\.0\.2"/],
    ["time-out", { "example.org": "timeout" }, {}, "temperror", /example\.org TXT .*\(timeout\)/],
    [
      "include of nothing",
      { "example.org": [txt("v=spf1 include:x.example -all")] },
      {},
      "permerror",
      /x\.example has no SPF/,
    ],
    [
      "loop",
      { "example.org": [txt("v=spf1 include:example.org")] },
      {},
      "permerror",
      /example\.org → example\.org/,
    ],
    [
      "redirect to no name",
      { "example.org": [txt("v=spf1 redirect=a..b.org")] },
      {},
      "permerror",
      /valid domain name/,
    ],
    [
      "eleven MX, none of ours",
      { "example.org": [txt("v=spf1 mx"), ...many] },
      {},
      "permerror",
      /more than 10 MX/,
    ],
    [
      "three voids",
      { "example.org": [txt("v=spf1 a:a.org a:b.org mx:c.org ip4:192.0.2.1")] },
      {},
      "permerror",
      /more than 2 lookups found nothing/,
    ],
    [
      "voids by choice",
      { "example.org": [txt("v=spf1 a:a.org ip4:192.0.2.1")] },
      { limits: { voidLookups: 0 } },
      "permerror",
      /more than 0/,
    ],
    ["address literal", {}, { mailFrom: "me@[192.0.2.1]" }, "none", /not a domain name/],
    ["single label", {}, { mailFrom: "me@localhost" }, "none", /at least two labels/],
    [
      "bogus MX",
      { "example.org": [txt("v=spf1 mx -all")] },
      { failing: { "example.org MX": "bogus" } },
      "temperror",
      /example\.org MX .*bogus/,
    ],
  ])("%s", async (_what, table, asked, result, problem) => {
    const outcome = await check(table, asked);
    expect(outcome.result).toBe(result);
    expect(outcome.problem).toMatch(problem);
  });
});

describe("details", () => {
  it.each<[string, Table, Asked, string]>([
    [
      "an IPv4-mapped client is IPv4",
      { "example.org": [txt("v=spf1 ip4:192.0.2.1 -all")] },
      { ip: "::ffff:192.0.2.1" },
      "pass",
    ],
    [
      "a covers AAAA (R34)",
      { "example.org": [txt("v=spf1 a -all"), aaaa("2001:db8::1")] },
      { ip: "2001:db8::1" },
      "pass",
    ],
    ["the null MX has no hosts", { "example.org": [txt("v=spf1 mx -all"), mx(0, ".")] }, {}, "fail"],
    [
      "an empty MAIL FROM asks HELO",
      { "mail.example.org": [txt("v=spf1 ip4:192.0.2.1 -all")] },
      { mailFrom: "" },
      "pass",
    ],
    [
      "an international domain is asked as A-labels",
      { "xn--bcher-kva.example": [txt("v=spf1 -all")] },
      { mailFrom: "x@Bücher.example" },
      "fail",
    ],
    [
      "so is %{o}",
      {
        "xn--bcher-kva.example": [txt("v=spf1 exists:%{o}.x.example -all")],
        "xn--bcher-kva.example.x.example": [a("127.0.0.2")],
      },
      { mailFrom: "x@Bücher.example" },
      "pass",
    ],
    [
      "a sender without local-part is postmaster",
      { "example.org": [txt("v=spf1 exists:%{l}.x.example -all")], "postmaster.x.example": [a("127.0.0.2")] },
      { mailFrom: "example.org" },
      "pass",
    ],
    [
      "a name that cannot be asked matches nothing",
      { "example.org": [txt("v=spf1 -a:%{h} ?all")] },
      { helo: "a..b" },
      "neutral",
    ],
    [
      "ptr within the target",
      {
        "example.org": [txt("v=spf1 ptr -all")],
        "1.2.0.192.in-addr.arpa": [ptr("m.example.org")],
        "m.example.org": [a("192.0.2.1")],
      },
      {},
      "pass",
    ],
    [
      "a name that only ends alike is not within",
      {
        "example.org": [txt("v=spf1 ptr -all")],
        "1.2.0.192.in-addr.arpa": [ptr("bad-example.org")],
        "bad-example.org": [a("192.0.2.1")],
      },
      {},
      "fail",
    ],
    [
      "an error of PTR is no match",
      { "example.org": [txt("v=spf1 ptr -all")] },
      { failing: { "1.2.0.192.in-addr.arpa PTR": "servfail" } },
      "fail",
    ],
  ])("%s", async (_what, table, asked, result) => {
    expect((await check(table, asked)).result).toBe(result);
  });

  const twoHosts: Table = {
    "example.org": [txt("v=spf1 mx -all"), mx(1, "one.example.org"), mx(2, "two.example.org")],
    "two.example.org": [a("192.0.2.1")],
  };
  it.each([
    ["192.0.2.1", "pass", "the other host matches whatever happened to the first"],
    ["192.0.2.2", "temperror", "the failed host might have matched"],
  ])("an MX host that times out: %s is %s, since %s", async (ip, result) => {
    const failing = { "one.example.org A": "timeout" as const };
    expect((await check(twoHosts, { ip, failing })).result).toBe(result);
  });

  it("an MX host without AAAA is no void lookup", async () => {
    const table = {
      "example.org": [txt("v=spf1 mx ip6:2001:db8::1 -all"), mx(1, "a.org"), mx(2, "b.org"), mx(3, "c.org")],
    };
    expect(await check(table, { ip: "2001:db8::1" })).toMatchObject({ result: "pass", voidLookups: 0 });
  });

  it("only the first ten PTR names count", async () => {
    const names = Array.from(
      { length: 11 },
      (_, at) => `h${at}.${at === 10 ? "example.org" : "example.net"}`,
    );
    const table: Record<string, ReturnType<typeof a>[]> = {
      "example.org": [txt("v=spf1 ptr ~all")],
      "1.2.0.192.in-addr.arpa": names.map(ptr),
    };
    for (const name of names) table[name] = [a("192.0.2.1")];
    expect((await check(table)).result).toBe("softfail");
    expect((await check(table, { limits: { ptrNames: 11 } })).result).toBe("pass");
  });

  it("a %{p} costs its own lookup", async () => {
    const table = { "example.org": [txt("v=spf1 exists:%{p}.example.org -all")] };
    expect(await check(table)).toMatchObject({ result: "fail", lookupTerms: 2 });
  });
});

describe("explanations", () => {
  const explained = (text: string) => ({
    "example.org": [txt("v=spf1 -all exp=why.example.org")],
    "why.example.org": [txt(text)],
  });

  it("fill in the message", async () => {
    const asked = { receiver: "mx.example.net", now: new Date("2026-05-01T12:00:00Z") };
    const { explanation } = await check(explained("%{i} may not send for %{o} at %{t}, says %{r}"), asked);
    expect(explanation).toBe("192.0.2.1 may not send for example.org at 1777636800, says mx.example.net");
  });

  it("are cut to what an SMTP reply can hold", async () => {
    expect((await check(explained("x".repeat(2000)))).explanation).toHaveLength(450);
  });

  it.each<[string, Asked, string]>([
    ["%{h}", { helo: "a\r\n250 ok" }, "a line break must not reach the reply"],
    ["%{l}", { mailFrom: "é@example.org" }, "only US-ASCII"],
    ["100%", {}, "a broken macro"],
  ])("%j gives none: %o, %s", async (text, asked, _why) => {
    const outcome = await check(explained(text), asked);
    expect(outcome.result).toBe("fail");
    expect(outcome.explanation).toBeUndefined();
  });
});
