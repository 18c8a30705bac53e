import { expect, it } from "vitest";
import { contentWith, type DescribedFields, fieldsOf } from "./described-fields.ts";

const DOMAIN = "example.org";
const change = (content: Record<string, unknown>, part: Partial<DescribedFields>) =>
  contentWith(content, { ...fieldsOf(content, DOMAIN), ...part }, DOMAIN);

const WRITTEN = {
  domain: DOMAIN,
  sends: true,
  mx: ["mail.example.org"],
  dmarc: { reports: "mailto:a@example.org", testing: true },
  mtaSts: { maxAgeSeconds: 604_800 },
  tlsReports: "tls@example.org",
};

it.each<[content: Record<string, unknown>, reason: string]>([
  [{}, "what is usual is not written down"],
  [WRITTEN, "it stays in the words in which it was written"],
  [{ receives: false, dmarc: { policy: "reject", reports: [] } }, "nor does a refusal change"],
  [{ mtaSts: { mode: "none", host: "www.example.org" } }, "off, as a policy that asks for nothing"],
  [{ dmarc: 5, mtaSts: "x", tlsReports: null, mx: 7 }, "of a text that means nothing"],
])("a form as it was read changes nothing: %j: %s", (content) => {
  expect(JSON.stringify(change(content, {}))).toBe(JSON.stringify(content));
});

it.each<[content: Record<string, unknown>, part: Partial<DescribedFields>, changed: object, reason: string]>([
  [WRITTEN, { policy: "reject" }, { dmarc: { ...WRITTEN.dmarc, policy: "reject" } }, "beside what is there"],
  [{}, { policy: "quarantine" }, { dmarc: { policy: "quarantine" } }, "where nothing was said"],
  [
    WRITTEN,
    { reports: "a@example.org,  b@example.org" },
    { dmarc: { ...WRITTEN.dmarc, reports: ["a@example.org", "b@example.org"] } },
    "blanks and commas",
  ],
  [{}, { reports: "" }, { dmarc: { reports: [] } }, "none is another thing than nothing said"],
  [WRITTEN, { mode: "enforce" }, { mtaSts: { maxAgeSeconds: 604_800, mode: "enforce" } }, "its age stays"],
  [WRITTEN, { mode: "off" }, { mtaSts: { maxAgeSeconds: 604_800, mode: "none" } }, "senders are told"],
  [{}, { mode: "testing" }, { mtaSts: { mode: "testing" } }, "turned on"],
  [WRITTEN, { sends: false }, { sends: false }, "sends no more"],
])("%j with %j: %s", (content, part, changed) => {
  expect(change(content, part)).toEqual({ ...content, ...changed });
});

it("takes away what would say nothing any more", () => {
  const { tlsReports: _none, ...rest } = WRITTEN;
  expect(change(WRITTEN, { tlsReports: " " })).toEqual(rest);
  expect(change({ receives: false }, { receives: true })).toEqual({});
  expect(change({ mtaSts: {} }, { receives: false, mode: "off" })).toEqual({ receives: false });
});

it.each<[content: Record<string, unknown>, part: Partial<DescribedFields>, reason: string]>([
  [{}, { reports: "dmarc@example.org", policy: "none", mode: "off" }, "what is usual"],
  [{ receives: false }, { reports: "" }, "who receives no mail asks for no reports"],
  [{ mtaSts: {} }, { mode: "testing" }, "the mode where none is named"],
  [
    { tlsReports: ["a@example.org", "https://example.org/tls"] },
    { tlsReports: "a@example.org https://example.org/tls" },
    "a list",
  ],
])("%j shows %j: %s", (content, part) => {
  expect(fieldsOf(content, DOMAIN)).toMatchObject(part);
});
