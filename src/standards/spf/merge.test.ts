import { expect, it } from "vitest";
import { mergeSpf } from "./merge.ts";
import { formatSpfRecord, parseSpfRecord } from "./record.ts";

const read = (text: string) => {
  const parsed = parseSpfRecord(text);
  if (!parsed.ok) throw new TypeError(parsed.problem);
  return parsed.value;
};

it.each<[string[], string, string, number, string]>([
  [["v=spf1 mx -all", "v=spf1 a -all"], "", "v=spf1 mx a -all", 0, "a union"],
  [["v=spf1 mx -all", "v=spf1 MX a -all"], "", "v=spf1 mx a -all", 0, "copies go"],
  [
    ["v=spf1 mx -all", "v=spf1 include:a.example ~all"],
    "",
    "v=spf1 mx include:a.example ~all",
    1,
    "the weakest ending",
  ],
  [["v=spf1 mx ~all", "v=spf1 a ?all"], "", "v=spf1 mx a ?all", 1, "the weakest ending"],
  [["v=spf1 mx -all", "v=spf1 a +all"], "", "v=spf1 mx a ?all", 2, "+all is not carried over"],
  [["v=spf1 mx", "v=spf1 a"], "", "v=spf1 mx a ~all", 1, "no ending at all"],
  [
    ["v=spf1 mx -all"],
    "v=spf1 ip4:192.0.2.1 ~all",
    "v=spf1 ip4:192.0.2.1 mx ~all",
    0,
    "the wanted ending wins",
  ],
  [
    ["v=spf1 include:a.example ?all"],
    "v=spf1 mx",
    "v=spf1 mx include:a.example ?all",
    0,
    "the record's ending stays",
  ],
  [
    ["v=spf1 redirect=r.example", "v=spf1 mx -all"],
    "",
    "v=spf1 include:r.example mx -all",
    1,
    "redirect to include",
  ],
  [
    ["v=spf1 redirect=r.example", "v=spf1 include:r.example -all"],
    "",
    "v=spf1 include:r.example -all",
    1,
    "the same include",
  ],
  [
    ["v=spf1 redirect=r.example", "v=spf1 redirect=r.example"],
    "",
    "v=spf1 redirect=r.example",
    0,
    "all there is",
  ],
  [["v=spf1 mx -all redirect=r.example"], "", "v=spf1 mx -all", 0, "a dead redirect goes"],
  [["v=spf1 -all a:dead.example"], "", "v=spf1 -all", 0, "dead terms go"],
  [
    ["v=spf1 a exp=e.example -all", "v=spf1 exp=f.example -all"],
    "",
    "v=spf1 a -all exp=e.example",
    1,
    "one exp",
  ],
])("%j with %j is %s", (texts, wanted, merged, decisions) => {
  const result = mergeSpf(texts.map(read), wanted === "" ? [] : read(wanted).terms);
  expect(formatSpfRecord(result.record)).toBe(merged);
  expect(result.decisions).toHaveLength(decisions);
  expect(parseSpfRecord(merged).ok).toBe(true);
});
