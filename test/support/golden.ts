/** The golden domains: descriptions, and the records that must come of them. */
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { derive } from "../../src/records/derive.ts";
import type { Derived } from "../../src/records/derived-record.ts";
import { type Description, parseDescription } from "../../src/records/description.ts";

const ROOT_FOLDER = join(import.meta.dirname, "../golden/domains");

export interface GoldenDomain {
  readonly name: string;
  readonly folder: string;
  readonly description: Description;
  readonly derived: Derived;
}

export const GOLDEN_DOMAINS: readonly GoldenDomain[] = readdirSync(ROOT_FOLDER)
  .sort()
  .map((name) => {
    const folder = join(ROOT_FOLDER, name);
    const description = described(readFileSync(join(folder, "description.yaml"), "utf8"));
    return { name, folder, description, derived: derive(description) };
  });

export function golden(name: string): GoldenDomain {
  const found = GOLDEN_DOMAINS.find((each) => each.name === name);
  if (found === undefined) throw new TypeError(`there is no golden domain "${name}"`);
  return found;
}

/** A description that must be right; throws all that is wrong with it. */
export function described(yaml: string, readFile?: (path: string) => string): Description {
  const result = parseDescription(yaml, readFile);
  if (result.ok) return result.description;
  throw new TypeError(result.problems.map(({ path, problem }) => `${path}: ${problem}`).join("\n"));
}
