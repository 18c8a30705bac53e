import { describe, expect, it } from "vitest";
import { BARE, DESCRIBED, DOMAIN, HEALTHY } from "../../test/support/healthy-world.ts";
import { edited, tableWorld, type WorldRows } from "../../test/support/table-world.ts";
import { checkDomain } from "./check.ts";
import { judgeCompliance, SENDER_RULES } from "./compliance.ts";

const judged = async (rows: WorldRows, options = DESCRIBED) =>
  judgeCompliance(await checkDomain(DOMAIN, tableWorld(rows), options));
const verdicts = async (rows: WorldRows, options = DESCRIBED) =>
  new Map((await judged(rows, options)).map(({ id, verdict }) => [id, verdict]));

describe("judgeCompliance", () => {
  it("meets whatever DNS can show where all is well, each rule with what it rests on", async () => {
    const rules = await judged({ zone: HEALTHY });
    expect(rules.filter(({ verdict }) => verdict === "not-met" || verdict === "could-not-tell")).toEqual([]);
    for (const { verdict, evidence, why } of rules) {
      if (verdict === "met") expect(evidence.length).toBeGreaterThan(0);
      else expect(why).toBeTruthy();
    }
  });

  it.each<[string, readonly string[], readonly string[], readonly string[]]>([
    [
      "no DMARC",
      ["_dmarc.example.org TXT"],
      [],
      ["google-dmarc", "yahoo-dmarc", "microsoft-dmarc", "apple-dmarc"],
    ],
    [
      "no reverse name",
      ["25.2.0.192.in-addr.arpa PTR"],
      [],
      ["google-reverse", "yahoo-reverse", "apple-reverse"],
    ],
    [
      "two SPF records",
      ["example.org TXT"],
      ['example.org. TXT "v=spf1 mx -all"', 'example.org. TXT "v=spf1 a -all"'],
      ["google-spf", "yahoo-spf", "microsoft-spf", "apple-spf"],
    ],
    ["a sender to whom nobody can answer", ["example.org MX"], ["example.org. MX 0 ."], ["microsoft-sender"]],
    [
      "neither SPF nor a key",
      ["example.org TXT", "default._domainkey.example.org TXT"],
      [],
      ["google-authentication", "google-spf", "google-dkim", "google-alignment", "yahoo-authentication"],
    ],
  ])("%s", async (_, without, add, broken) => {
    const found = await verdicts({ zone: edited(HEALTHY, { without, add }) });
    expect(broken.filter((id) => found.get(id) !== "not-met")).toEqual([]);
  });

  it("SPF alone is enough for those who send little", async () => {
    const found = await verdicts({
      zone: edited(HEALTHY, { without: ["default._domainkey.example.org TXT"] }),
    });
    expect(found.get("google-authentication")).toBe("met");
    expect(found.get("google-dkim")).toBe("not-met");
  });

  it.each([
    ["_dmarc.example.org TXT", "google-dmarc"],
    ["example.org TXT", "google-spf"],
    ["25.2.0.192.in-addr.arpa PTR", "google-reverse"],
    ["default._domainkey.example.org TXT", "google-dkim"],
  ])("a lookup of %s that failed leaves %s open", async (question, id) => {
    const found = await verdicts({ zone: HEALTHY, failing: { [question]: "timeout" } });
    expect(found.get(id)).toBe("could-not-tell");
  });

  it("a key under a selector that nobody guesses is not missing", async () => {
    const zone = edited(HEALTHY, {
      without: ["default._domainkey.example.org TXT"],
      add: ['x93k._domainkey.example.org. TXT "v=DKIM1; p="'],
    });
    expect((await verdicts({ zone }, BARE)).get("google-dkim")).toBe("could-not-tell");
  });

  it("has each rule once, with a source", () => {
    expect(new Set(SENDER_RULES.map(({ id }) => id)).size).toBe(SENDER_RULES.length);
    expect(new Set(SENDER_RULES.map(({ provider }) => provider)).size).toBe(4);
    for (const { source } of SENDER_RULES) expect(source).toMatch(/^https:\/\//);
  });
});
