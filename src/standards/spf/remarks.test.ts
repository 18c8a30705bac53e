import { describe, expect, it } from "vitest";
import { looksLikeSpf, remarksOnSpfText } from "./remarks.ts";

describe("remarksOnSpfText", () => {
  it.each<[string, string[], string]>([
    ["v=spf1 mx -all", [], "R32"],
    ["v=spf1 mx ip4:203.0.113.1 ip4:203.0.113.2 -all", [], "R32"],
    ["v=spf1  mx   -ALL ", [], "spaces and case are free"],
    ["v=spf1 mx/24 -all", [], "mx takes a prefix length"],
    ["v=spf1 redirect=_spf.example.org", [], "a redirect is an ending"],
    ["v=spf1 mx +all", ["spf-pass-all"], "everyone"],
    ["v=spf1 mx all", ["spf-pass-all"], "all without a sign is +all"],
    ["v=spf1 mx ?all", ["spf-neutral-all"], "says nothing"],
    ["v=spf1 mx", ["spf-no-all"], "no ending"],
    ["v=spf1 -all mx", ["spf-term-after-all"], "R36"],
    ["v=spf1 mx -all redirect=a.example", ["spf-redirect-ignored"], "all turns redirect off"],
    ["v=spf1 mx -all exp=e.example", [], "exp may stand behind all"],
    ["v=spf1 ptr -all", ["spf-ptr"], "do not use"],
    ["v=spf1 exists:%{p}.example.org -all", ["spf-macro-p"], "ptr in disguise"],
    ["v=spf1 redirect=a.example redirect=b.example", ["spf-duplicate-modifier"], "twice"],
    ["v=spf1 a +A -all", ["spf-duplicate-term"], "the same test"],
    ["v=spf1 a -a -all", ["spf-duplicate-term"], "the first decides, whatever the second's sign"],
    ["v=spf1 ip4:203.0.113.0/24 ip4:203.0.113.7 -all", ["spf-redundant-network"], "within"],
    ["v=spf1 ip4:203.0.113.7 ip4:203.0.113.0/24 -all", [], "the wider one comes later and adds"],
    ["v=spf1 ip4:10.0.0.0/8 -all", ["spf-wide-network"], "a /8"],
    ["v=spf1 ip4:0.0.0.0/0 -all", ["spf-wide-network"], "everyone"],
    ["v=spf1 -ip4:0.0.0.0/0 ~all", ["spf-special-address"], "refusing a wide network is no danger"],
    ["v=spf1 ip4:192.168.1.2 -all", ["spf-special-address"], "E2"],
    ["v=spf1 ip6:fdeb:37d7:ef39:e063::1 -all", ["spf-special-address"], "E3"],
    ["v=spf1 include:a.example-all", ["spf-no-all", "spf-missing-space"], "reads as the name a.example-all"],
    ["v=spf1 ip4=203.0.113.1 -all", ["spf-unknown-modifier"], "= for a colon"],
    ["v=spf1 moo=cow -all", ["spf-unknown-modifier"], "unknown"],
    ["v=spf1 include:me@example.org -all", ["spf-mail-address"], "a mail address"],
    ["v=spf1 mx v=spf1 a -all", ["spf-second-version"], "pasted twice"],
    [`v=spf1 include:${"a.".repeat(220)}example -all`, ["spf-size"], "more than 450"],
    [
      `v=spf1 ${Array.from({ length: 11 }, (_, at) => `a:h${at}.example`).join(" ")} -all`,
      ["spf-too-many-lookups"],
      "11",
    ],
    [
      `v=spf1 -all ${Array.from({ length: 11 }, (_, at) => `exp${at}=a.b`).join(" ")}`,
      new Array(11).fill("spf-unknown-modifier"),
      "free",
    ],
    ["v=spf1; mx -all", ["spf-version"], "a semicolon"],
    ["v=spf2 mx", ["spf-version"], "another version"],
    ["", ["spf-version"], "nothing"],
  ])("%s → %j: %s", (text, codes) => {
    expect(remarksOnSpfText(text).map(({ code }) => code)).toEqual(codes);
  });

  it.each([
    ["v=spf1 ipv4:203.0.113.1 -all", 'write "ip4:203.0.113.1"'],
    ["v=spf1 ip:203.0.113.1 -all", 'write "ip4:203.0.113.1"'],
    ["v=spf1 ip:2001:db8::1 -all", 'write "ip6:2001:db8::1"'],
    ["v=spf1 ip4:mail.example.org -all", '"a:mail.example.org"'],
    ["v=spf1 ip4:2001:db8::1 -all", 'write "ip6:2001:db8::1"'],
    ["v=spf1 ip6:203.0.113.1 -all", 'write "ip4:203.0.113.1"'],
    ["v=spf1 ip4:203.0.113.0/255.255.255.0 -all", "net mask"],
    ["v=spf1 ip4:203.0.113 -all", "four numbers"],
    ["v=spf1 ip4:203.0.113.1:25 -all", "port"],
    ["v=spf1 ip4:203.0.113.1,ip4:203.0.113.2 -all", "commas"],
    ["v=spf1 ip4:203.0.113.1; -all", "semicolons"],
    ["v=spf1 ip4:203.0.113.1include:a.example -all", '"ip4:203.0.113.1 include:a.example"'],
    ["v=spf1 ip4:203.0.113.1-all", '"ip4:203.0.113.1 -all"'],
    ["v=spf1 include:a.example~all", '"include:a.example ~all"'],
    ["v=spf1 a:203.0.113.1 -all", 'write "ip4:203.0.113.1"'],
    ["v=spf1 mx:203.0.113.0/24 -all", 'write "ip4:203.0.113.0/24"'],
    ["v=spf1 include a.example -all", "directly behind it"],
    ["v=spf1 include: a.example -all", "without a space"],
    ["v=spf1 203.0.113.1 -all", '"ip4:203.0.113.1"'],
    ["v=spf1 mail.example.org -all", '"a:mail.example.org"'],
    ["v=spf1 redirect:a.example", 'write "redirect=a.example"'],
    ["v=spf1 ~ all", '"~all"'],
    ["v=spf1 -all.", 'write "-all"'],
    ["v=spf1 mx “-all”", "quotation marks"],
    ["v=spf1 mx \u2013all", "plain hyphen"],
    ["v=spf1 mx\t-all", "plain spaces"],
    ["v=spf1 mx \xe2\x80\x9c-all", "quotation marks"],
    ["v=spf1; -all", "without a semicolon"],
    [' "v=spf1 -all"', "must begin with v=spf1"],
    ['"v=spf1 -all"', "quotation marks"],
    [" v=spf1 -all", "blanks stand in front"],
    ["v = spf1 -all", "no space within"],
  ])("%s: says %s", (text, remedy) => {
    expect(remarksOnSpfText(text)[0]).toMatchObject({
      severity: "error",
      message: expect.stringContaining(remedy),
      offset: expect.any(Number),
    });
  });

  it("shows every broken term, not only the first", () => {
    const faults = remarksOnSpfText("v=spf1 foo ip4:x.example -all").filter(
      ({ code }) => code === "spf-syntax",
    );
    expect(faults.map(({ offset, length }) => [offset, length])).toEqual([
      [7, 3],
      [15, 9],
    ]);
  });
});

it.each([
  ["v=spf1 -all", true],
  ["v=spf1;-all", true],
  ["spf1 mx", true],
  ["v=DMARC1; p=none", false],
  ["google-site-verification=x", false],
])("looksLikeSpf(%s) is %s", (text, expected) => {
  expect(looksLikeSpf(text)).toBe(expected);
});

it("takes a record of 64 KiB in its stride", () => {
  // Quadratic work over some ten thousand terms would run into the test's time limit.
  const many = `v=spf1 ${"a mx ".repeat(13_000)}-all`;
  const remarks = remarksOnSpfText(many);
  expect(remarks.filter(({ code }) => code === "spf-duplicate-term")).toHaveLength(25_998);
});
