/** The tree-walk and alignment vectors of RFC 9989 §4.10 and B.4, and of mail-dmarc. */
import { existsSync, readFileSync } from "node:fs";
import { expect, it } from "vitest";
import { a, tableResolver, txt } from "../../../test/support/table-resolver.ts";
import { domainName } from "../dns/name.ts";
import type { Rdata } from "../dns/record.ts";
import { evaluateDmarc } from "./evaluate.ts";
import { organizationalDomainOf } from "./tree-walk.ts";

const VECTORS = "../shared/corpora/dmarc/dmarc-treewalk.json";

interface Vector {
  readonly id: string;
  readonly from: string;
  readonly spf?: string;
  readonly dkim?: string;
  readonly zone: Readonly<Record<string, string | readonly string[]>>;
  readonly exists?: readonly string[];
  readonly queries?: readonly string[];
  /** Null: the source says nothing about the result. */
  readonly dmarc: string | null;
  readonly policy?: string;
  readonly org?: string;
}

/** A name exists if it has a row, or something below it has; an address stands for "other types". */
function resolverOf({ zone, exists = [] }: Vector) {
  const table: Record<string, Rdata[]> = {};
  for (const [name, texts] of Object.entries(zone)) table[name] = [texts].flat().map(txt);
  for (const name of exists) table[name] = [...(table[name] ?? []), a("192.0.2.1")];
  return tableResolver(table);
}

if (!existsSync(VECTORS)) {
  console.warn(`SKIPPED: the DMARC vectors are not at ${VECTORS}`);
  it.runIf(existsSync(VECTORS))("is not there", () => {});
} else {
  const { cases } = JSON.parse(readFileSync(VECTORS, "utf8")) as { cases: readonly Vector[] };

  it("sees all vectors", () => {
    expect(cases).toHaveLength(19);
  });

  it.each(cases)("$id", async (vector) => {
    const resolver = resolverOf(vector);
    const pass = (domain: string) => ({ result: "pass" as const, domain: domainName(domain) });
    const outcome = await evaluateDmarc(
      {
        authorDomain: domainName(vector.from),
        ...(vector.spf === undefined ? {} : { spf: pass(vector.spf) }),
        dkim: vector.dkim === undefined ? [] : [pass(vector.dkim)],
      },
      resolver,
    );
    const { discovery } = outcome;
    if (vector.dmarc !== null) expect(outcome.result).toBe(vector.dmarc);
    if (vector.queries !== undefined) {
      expect(discovery.walk.queries.map(({ domain }) => `_dmarc.${domain}`)).toEqual(vector.queries);
      expect(resolver.asked).toEqual(vector.queries.map((name) => `${name} TXT`));
    }
    if (vector.policy !== undefined) {
      expect(discovery).toMatchObject({ status: "found", requested: vector.policy });
    }
    if (vector.org !== undefined) {
      const org = organizationalDomainOf(discovery.walk);
      expect(org).toEqual({ status: "found", domain: vector.org });
    }
  });
}
