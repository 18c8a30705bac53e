/** The OpenSPF suite for RFC 7208, all of it, explanations included. */
import { existsSync, readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { a, aaaa, cname, mx, ptr, tableResolver } from "../../../test/support/table-resolver.ts";
import { parseAddress } from "../dns/address.ts";
import { domainName } from "../dns/name.ts";
import type { Rdata } from "../dns/record.ts";
import type { Resolver, UnknownCause } from "../dns/resolver.ts";
import { evaluateSpf } from "./evaluate.ts";

const SUITE = "../shared/corpora/spf/rfc7208-tests.json";

interface Case {
  readonly helo: string;
  readonly host: string;
  readonly mailfrom: string;
  readonly result: string | readonly string[];
  readonly explanation?: string;
}
type Entry = "TIMEOUT" | Readonly<Record<string, string | string[] | [number, string]>>;
interface Scenario {
  readonly description: string;
  readonly tests: Readonly<Record<string, Case>>;
  readonly zonedata: Readonly<Record<string, readonly Entry[]>>;
}

const TYPES = ["A", "AAAA", "MX", "TXT", "SPF", "PTR", "CNAME"] as const;

/**
 * The rules of the suite: an SPF entry is a TXT record unless the name has a TXT entry of its own (`NONE` is
 * one, and stands for no record); a bare TIMEOUT fails every type that the name does not answer.
 */
function zoneResolver(zonedata: Scenario["zonedata"]): Resolver {
  const table: Record<string, Rdata[]> = {};
  const failing: Record<string, UnknownCause> = {};
  for (const [owner, entries] of Object.entries(zonedata)) {
    const name = domainName(owner);
    const data = entries.flatMap(rdataOf);
    const hasTxt = entries.some((entry) => entry !== "TIMEOUT" && "TXT" in entry);
    const copies = data.flatMap((d): Rdata[] => (d.type === "SPF" ? [{ ...d, type: "TXT" }] : []));
    table[name] = [...(table[name] ?? []), ...data, ...(hasTxt ? [] : copies)];
    if (!entries.includes("TIMEOUT")) continue;
    for (const type of TYPES) {
      const answers = table[name].some((d) => d.type === type);
      if (!answers) failing[`${name} ${type}`] = "timeout";
    }
  }
  return tableResolver(table, failing);
}

function rdataOf(entry: Entry): Rdata[] {
  if (entry === "TIMEOUT") return [];
  return Object.entries(entry).flatMap(([type, value]): Rdata[] => {
    const text = String(value);
    switch (type) {
      case "A":
        return [a(text)];
      case "AAAA":
        return [aaaa(text)];
      case "MX":
        return [mx(Number(value[0]), String(value[1]) || ".")];
      case "PTR":
        return [ptr(text)];
      case "CNAME":
        return [cname(text)];
      case "TXT":
      case "SPF":
        return value === "NONE"
          ? []
          : [{ type, strings: typeof value === "string" ? [value] : (value as string[]) }];
      default:
        throw new TypeError(`the suite has a new record type: ${type}`);
    }
  });
}

if (!existsSync(SUITE)) {
  console.warn(`SKIPPED: the OpenSPF suite is not at ${SUITE}`);
  it.runIf(existsSync(SUITE))("is not there", () => {});
} else {
  const { scenarios } = JSON.parse(readFileSync(SUITE, "utf8")) as { scenarios: readonly Scenario[] };

  it("sees the whole suite", () => {
    expect(scenarios.flatMap(({ tests }) => Object.keys(tests))).toHaveLength(203);
  });

  describe.each(scenarios)("$description", ({ tests, zonedata }) => {
    const resolver = zoneResolver(zonedata);
    it.each(Object.entries(tests))("%s", async (_id, { host, mailfrom, helo, result, explanation }) => {
      const clientIp = parseAddress(host);
      if (!clientIp.ok) throw new TypeError(clientIp.problem);
      const outcome = await evaluateSpf({ clientIp: clientIp.value, mailFrom: mailfrom, helo }, resolver);
      expect([result].flat(), outcome.problem).toContain(outcome.result);
      if (explanation === "DEFAULT") expect(outcome.explanation).toBeUndefined();
      else if (explanation !== undefined) expect(outcome.explanation).toBe(explanation);
    });
  });
}
