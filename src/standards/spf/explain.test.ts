import { expect, it } from "vitest";
import { explainSpf } from "./explain.ts";

it.each([
  [
    "mx",
    "The mail servers (MX) of this domain, by their IPv4 and IPv6 addresses, may send (pass). Costs one lookup.",
  ],
  ["a", "Hosts at the addresses (A and AAAA) of this domain may send (pass). Costs one lookup."],
  [
    "?a:example.org/24//64",
    "Hosts at the addresses (A and AAAA) of example.org and their networks (/24 for IPv4, /64 for IPv6) may or may not send (neutral). Costs one lookup.",
  ],
  ["ip4:192.0.2.1", "The address 192.0.2.1 may send (pass). Costs no lookup."],
  ["-ip6:2001:db8::/32", "Addresses in 2001:db8::/32 may not send (fail). Costs no lookup."],
  ["-all", "Any other sender may not send (fail). Costs no lookup."],
  ["~all", "Any other sender probably may not send (softfail). Costs no lookup."],
  ["foo", 'Not valid: there is no mechanism "foo".'],
])("R34: %s in words", (term, meaning) => {
  expect(explainSpf(`v=spf1 ${term}`).terms[1]).toEqual({ text: term, meaning });
});

it("keeps the order of the text, good and broken terms alike", () => {
  const texts = explainSpf(
    "v=spf1 a foo include:b.example ptr exists:%{i}.c.example redirect=d.example exp=e.f x=y",
  ).terms;
  expect(texts.map(({ text }) => text).join(" ")).toBe(
    "v=spf1 a foo include:b.example ptr exists:%{i}.c.example redirect=d.example exp=e.f x=y",
  );
  expect(new Set(texts.map(({ meaning }) => meaning)).size).toBe(texts.length);
});

it("says nothing of a text that is no SPF record, but why", () => {
  expect(explainSpf("v=spf1;mx")).toMatchObject({ terms: [], remarks: [{ code: "spf-version" }] });
});
