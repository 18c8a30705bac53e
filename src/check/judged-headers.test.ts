import { describe, expect, it } from "vitest";
import { readJudgedHeaders } from "./judged-headers.ts";

const words = (text: string) =>
  readJudgedHeaders(text)?.judgements.map(
    ({ method, result, domain, symptom }) => `${method}=${result} ${domain ?? "-"} ${symptom ?? "-"}`,
  );
const field = (value: string) => `Authentication-Results: ${value}\n`;

describe("readJudgedHeaders", () => {
  it.each<[string, string[] | undefined, string]>([
    [
      "mx.example.net; spf=fail smtp.mailfrom=a@example.org",
      ["spf=fail example.org spf-fails"],
      "an address",
    ],
    ["mx.example.net; spf=softfail smtp.helo=example.org", ["spf=softfail example.org spf-fails"], "HELO"],
    ["mx.example.net; dkim=fail header.d=example.org", ["dkim=fail example.org dkim-fails"], "a signature"],
    ["mx.example.net; dkim=none", ["dkim=none - dkim-fails"], "nobody signed"],
    [
      "mx.example.net; dmarc=fail header.from=example.org",
      ["dmarc=fail example.org marked-as-spam"],
      "DMARC",
    ],
    ["mx.example.net; spf=pass smtp.mailfrom=example.org", ["spf=pass example.org -"], "good news"],
    ["mx.example.net; spf=temperror smtp.mailfrom=example.org", ["spf=temperror example.org -"], "no news"],
    ["mx.example.net; iprev=fail policy.iprev=192.0.2.1", ["iprev=fail - -"], "of no symptom"],
    ["mx.example.net;\n spf=pass;\n\tdkim=fail", ["spf=pass - -", "dkim=fail - dkim-fails"], "folded"],
    ["mx.example.net; spf=fail smtp.mailfrom=<script>", ["spf=fail - spf-fails"], "no domain"],
    ["mx.example.net; none", undefined, "nothing was looked at"],
    ["(", undefined, "unreadable"],
  ])("%j → %j: %s", (value, expected) => {
    expect(words(field(value))).toEqual(expected);
  });

  it("reads every field, in any case, and nothing of another's name", () => {
    const text = `${field("a.example; spf=pass")}AUTHENTICATION-RESULTS : b.example; dkim=pass
ARC-Authentication-Results: i=1; c.example; spf=fail
X-Note: Authentication-Results: d.example; spf=fail
`;
    expect(readJudgedHeaders(text)?.judgements.map(({ by }) => by)).toEqual(["a.example", "b.example"]);
  });

  it.each([
    ["From: Anna <anna@example.org>\n", "example.org", "of From"],
    ["From: a@example.org, b@example.net\n", "example.com", "of DMARC, where From names two"],
    ["", "example.com", "of DMARC, where there is no From"],
  ])("with %j it is about %s: %s", (from, domain) => {
    expect(
      readJudgedHeaders(from + field("mx.example.net; dmarc=fail header.from=example.com"))?.domain,
    ).toBe(domain);
  });

  it("keeps what a receiver says beside, in its own script", () => {
    const read = readJudgedHeaders(field("mx.example.net; dkim=fail (schlüssel fehlt)"));
    expect(read?.judgements[0]?.detail).toBe("schlüssel fehlt");
  });

  it.each([
    ["", "nothing"],
    ["Hello Bob", "a letter"],
    [`Authentication-Results:${" (".repeat(60_000)}`, "comments without an end"],
    [`Authentication-Results: x${"\n ".repeat(60_000)}`, "lines without an end"],
  ])("finds nothing in %#: %s", (text) => {
    expect(readJudgedHeaders(text)).toBeUndefined();
  });

  it("takes a bounded number of them", () => {
    const many = field(`mx.example.net${"; spf=fail".repeat(90)}`).repeat(9);
    expect(readJudgedHeaders(many)?.judgements).toHaveLength(100);
  });
});
