import { expect, it } from "vitest";
import { explainDmarc } from "./explain.ts";

it.each([
  [
    "p=none",
    "Mail from this domain that passes neither SPF nor DKIM in alignment is to be handled as usual; the domain only watches.",
  ],
  [
    "sp=reject",
    "Mail from its existing sub-domains that passes neither SPF nor DKIM in alignment is to be refused.",
  ],
  ["fo=1", "Failure reports are asked for when SPF or DKIM, either one, does not pass in alignment."],
  [
    "rua=mailto:a@example.org,mailto:b@example.org!5m",
    "Aggregate reports, daily and by source, go to a@example.org and b@example.org.",
  ],
  ["adkim=s", "A DKIM signature counts only if its d= is exactly the From domain."],
  ["pct=100", "Not a tag of DMARC today; receivers ignore it."],
  ["p=stop", "Not valid; receivers ignore it."],
  ["t=y", "The policy is being tested: receivers are asked to act one level below it."],
])("%s in words", (tag, meaning) => {
  expect(explainDmarc(`v=DMARC1; ${tag}`).terms[1]).toEqual({ text: tag, meaning });
});

it("goes through the record in its own order, remarks beside it", () => {
  const { terms, remarks } = explainDmarc("v=DMARC1; p=none;;; fo=1; rf=afrf; sp=none");
  expect(terms.map(({ text }) => text)).toEqual(["v=DMARC1", "p=none", "fo=1", "rf=afrf", "sp=none"]);
  expect(remarks.map(({ code }) => code)).toContain("dmarc-empty-tags");
});
