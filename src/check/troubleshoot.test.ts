import { describe, expect, it } from "vitest";
import { BROKEN_SERVERS } from "../../test/support/broken-servers.ts";
import { BROKEN_WORLDS } from "../../test/support/broken-worlds.ts";
import { BARE, DESCRIBED, DOMAIN, HEALTHY } from "../../test/support/healthy-world.ts";
import { tableProber } from "../../test/support/table-prober.ts";
import { edited, tableWorld, type WorldRows } from "../../test/support/table-world.ts";
import { CATALOGUE, GROUPS } from "./catalogue.ts";
import { checkDomain } from "./check.ts";
import { STEPS, SYMPTOMS, type Symptom, troubleshoot } from "./troubleshoot.ts";

const report = (rows: WorldRows, options = BARE) => checkDomain(DOMAIN, tableWorld(rows), options);
const SYMPTOM_NAMES = Object.keys(SYMPTOMS) as Symptom[];

describe("troubleshoot", () => {
  it.each(SYMPTOM_NAMES)("%s: finds no cause where all is well", async (symptom) => {
    const { steps, cause } = troubleshoot(symptom, await report({ zone: HEALTHY }, DESCRIBED), {
      described: true,
    });
    expect(cause).toBeUndefined();
    expect(steps.filter(({ state }) => state === "cause" || state === "unknown")).toEqual([]);
    expect(steps.some(({ state }) => state === "fine")).toBe(true);
  });

  it.each<[Symptom, string, readonly string[], readonly string[], string, number]>([
    [
      "not-received",
      "an MX that is an alias",
      ["example.org MX", "autoconfig.example.org"],
      ["example.org. MX 10 autoconfig.example.org.", "autoconfig.example.org. CNAME mail.example.org."],
      "mx-is-alias",
      1,
    ],
    [
      "not-received",
      "a mail host without addresses",
      ["mail.example.org A", "mail.example.org AAAA"],
      [],
      "mx-host-no-address",
      2,
    ],
    [
      "not-received",
      "a private address",
      ["mail.example.org A"],
      ["mail.example.org. A 10.0.0.1"],
      "address-special",
      2,
    ],
    [
      "marked-as-spam",
      "a broken SPF record before all else",
      ["example.org TXT", "_dmarc.example.org TXT"],
      ['example.org. TXT "v=spf1 mx ip4:192.0.2.0/33 -all"'],
      "spf-syntax",
      0,
    ],
    ["marked-as-spam", "no DMARC", ["_dmarc.example.org TXT"], [], "dmarc-missing", 2],
    ["marked-as-spam", "no reverse name", ["25.2.0.192.in-addr.arpa PTR"], [], "ptr-missing", 4],
    ["dkim-fails", "a key that is not there", ["default._domainkey.example.org TXT"], [], "dkim-missing", 0],
    [
      "dkim-fails",
      "a key that no verifier can read",
      ["default._domainkey.example.org TXT"],
      ['default._domainkey.example.org. TXT "v=DKIM1; k=dsa; p=AAAA"'],
      "dkim-key-type",
      4,
    ],
    [
      "spf-fails",
      "an address that is not covered",
      ["example.org TXT"],
      ['example.org. TXT "v=spf1 ip4:192.0.2.25 include:_spf.example.net -all"'],
      "spf-address-not-covered",
      0,
    ],
    [
      "spf-fails",
      "a mistake of writing",
      ["example.org TXT"],
      ['example.org. TXT "v=spf1 mx ip4:192.0.2.0/33 -all"'],
      "spf-syntax",
      1,
    ],
    [
      "spf-fails",
      "two records",
      ["example.org TXT"],
      ['example.org. TXT "v=spf1 mx -all"', 'example.org. TXT "v=spf1 a -all"'],
      "spf-several-records",
      2,
    ],
    ["spf-fails", "no record: nothing else of it is fine", ["example.org TXT"], [], "spf-missing", 2],
    [
      "spf-fails",
      "everybody may send",
      ["example.org TXT"],
      ['example.org. TXT "v=spf1 mx +all"'],
      "spf-pass-all",
      3,
    ],
  ])("%s: %s", async (symptom, _, without, add, code, step) => {
    const found = troubleshoot(
      symptom,
      await report({ zone: edited(HEALTHY, { without, add }) }, DESCRIBED),
      {
        described: true,
      },
    );
    expect(found.cause?.code).toBe(code);
    expect(found.steps.map(({ state }) => state === "cause").indexOf(true)).toBe(step);
    expect(found.steps.slice(0, step).map(({ state }) => state)).toEqual(
      Array(step).fill(code === "spf-several-records" || code === "spf-missing" ? "not-run" : "fine"),
    );
    expect(found.steps.slice(step + 1).every(({ state }) => state === "not-run")).toBe(true);
  });

  it.each<[string, Symptom, string | undefined, number]>([
    ["R14: port 25 refuses", "not-received", "smtp-refused", 3],
    ["R14: 554 at every address", "not-received", "smtp-rejects", 3],
    ["no way to the server", "not-received", undefined, -1],
    ["EHLO localhost", "not-received", undefined, -1],
    ["struggle 24: no way out on port 25", "not-received", undefined, -1],
    ["the certificate of port 25 has ended", "not-received", "certificate-expired", 4],
    ["EHLO localhost", "marked-as-spam", "smtp-name-invalid", 5],
    ["struggle 21: on a block list", "marked-as-spam", "dnsbl-listed", 6],
  ])("behind sound DNS, %j: %s", async (why, symptom, code, step) => {
    const { rows, probes, options } = BROKEN_SERVERS.find((world) => world.why === why)!;
    const world = { ...tableWorld(rows), prober: tableProber(probes) };
    const found = troubleshoot(symptom, await checkDomain(DOMAIN, world, options));
    expect(found.cause?.code).toBe(code);
    expect(found.steps.map(({ state }) => state === "cause").indexOf(true)).toBe(step);
  });

  it("says that nothing looked where nothing did", async () => {
    const { steps } = troubleshoot("dkim-fails", await report({ zone: HEALTHY }));
    expect(steps.filter(({ state }) => state === "not-run").map(({ title }) => title)).toEqual([
      "The selector is that of the signer",
      "The published key is that of the signer",
    ]);
  });

  it.each<[string, Symptom, readonly string[]]>([
    ["example.org MX", "not-received", ["The MX names the right host"]],
    ["_dmarc.example.org TXT", "not-received", []],
    ["_dmarc.example.org TXT", "marked-as-spam", ["DMARC is right, and not too strict for its age"]],
  ])("a lookup of %s that failed is no cause of %s; open: %j", async (question, symptom, open) => {
    const found = await report({ zone: HEALTHY, failing: { [question]: "timeout" } });
    const { steps, cause } = troubleshoot(symptom, found);
    expect(cause).toBeUndefined();
    expect(steps.filter(({ state }) => state === "unknown").map(({ title }) => title)).toEqual(open);
  });

  it("has no step that no finding belongs to, but those of groups to come", () => {
    const known = new Set([...Object.keys(CATALOGUE), ...Object.keys(GROUPS)]);
    for (const steps of Object.values(STEPS)) {
      for (const { about, except = [] } of steps) {
        expect([...about, ...except].filter((word) => !known.has(word))).toEqual([]);
      }
    }
  });

  it("gives each broken world the same cause each time, with what it says", async () => {
    for (const { rows, options, domain } of BROKEN_WORLDS.slice(0, 80)) {
      const found = await checkDomain(domain, tableWorld(rows), options);
      for (const symptom of SYMPTOM_NAMES) {
        const { cause, steps } = troubleshoot(symptom, found);
        if (cause !== undefined) expect(found.findings).toContain(cause);
        expect(steps).toHaveLength(STEPS[symptom].length);
      }
    }
  });
});
