/** What is wrong with a description, in plain sentences: zod's issues said in the words of the file. */
import type { z } from "zod";
import { closest } from "./closest.ts";

export interface PlacedProblem {
  readonly path: readonly PropertyKey[];
  readonly problem: string;
}

/** JSON Schema, as far as it is needed to know which keys belong where. */
export interface SchemaNode {
  readonly properties?: Readonly<Record<string, SchemaNode>>;
  readonly items?: SchemaNode;
  readonly anyOf?: readonly SchemaNode[];
}

type Issue = z.core.$ZodIssue;

/** "domains[2].mx[0]" */
export function formatPath(path: readonly PropertyKey[]): string {
  return path.reduce<string>((text, key) => {
    if (typeof key === "number") return `${text}[${key}]`;
    return text === "" ? String(key) : `${text}.${String(key)}`;
  }, "");
}

/** `schema` knows the keys of each place; the issues need zod's `reportInput`. */
export function problemsOf(issues: readonly Issue[], schema: SchemaNode): readonly PlacedProblem[] {
  return issues.flatMap((issue) => problemsOfIssue(issue, [], schema));
}

function problemsOfIssue(
  issue: Issue,
  outer: readonly PropertyKey[],
  schema: SchemaNode,
): readonly PlacedProblem[] {
  const path = [...outer, ...issue.path];
  const one = (problem: string) => [{ path, problem }];
  switch (issue.code) {
    case "unrecognized_keys": {
      const known = keysAt(path, schema);
      return issue.keys.map((key) => ({ path: [...path, key], problem: unknownKey(key, known) }));
    }
    case "invalid_union": {
      const fitting = issue.errors.filter((branch) => kindExpected(branch) === undefined);
      if (fitting[0] !== undefined) {
        return fitting[0].flatMap((inner) => problemsOfIssue(inner, path, schema));
      }
      return one(
        wrongKind(
          issue.errors.flatMap((branch) => kindExpected(branch) ?? []),
          issue.input,
        ),
      );
    }
    case "invalid_type":
      return one(wrongKind([issue.expected], issue.input));
    case "invalid_value": {
      const values = issue.values.map(String);
      if (typeof issue.input !== "string") return one(`${said(issue.input)} is none of ${values.join(", ")}`);
      const near = closest(issue.input, values);
      return one(
        `"${issue.input}" is none of ${values.join(", ")}${near ? `; did you mean "${near}"?` : ""}`,
      );
    }
    case "too_small":
      return one(`must be ${issue.minimum} or more, not ${issue.input}`);
    case "too_big":
      if (issue.origin === "array")
        return one(
          `holds ${(issue.input as readonly unknown[]).length} entries; ${issue.maximum} are the most`,
        );
      return one(`must be ${issue.maximum} or less, not ${issue.input}`);
    default:
      return one(issue.message);
  }
}

/** What a branch of a union wanted where it did not even get the right kind of value. */
function kindExpected(branch: readonly Issue[]): string | undefined {
  const mismatch = branch.find((issue) => issue.path.length === 0 && issue.code === "invalid_type");
  return mismatch?.code === "invalid_type" ? mismatch.expected : undefined;
}

const KINDS: Readonly<Record<string, string>> = {
  string: "a text",
  array: "a list",
  object: "a group of keys",
  boolean: "true or false",
  int: "a whole number",
  number: "a number",
};

function wrongKind(expected: readonly string[], input: unknown): string {
  if (input === undefined) return "is missing";
  const wanted = [...new Set(expected)].map((kind) => KINDS[kind] ?? kind).join(" or ");
  if (input === null) return `nothing is written here; ${wanted} belongs here, or leave the key out`;
  return `${wanted} belongs here, not ${said(input)}${hint(expected, input)}`;
}

/** The slip behind the commonest mismatches: YAML reads 2024 as a number, and "a:" as a key. */
function hint(expected: readonly string[], input: unknown): string {
  if (expected.length === 1 && expected[0] === "string") {
    if (typeof input === "number" || typeof input === "boolean") return "; put it in quotes";
    if (typeof input === "object" && !Array.isArray(input)) return "; put a text with a colon in quotes";
  }
  if (typeof input !== "string") return "";
  if (expected.includes("array")) return `; write [${shortened(input)}]`;
  const isQuotedNumber = expected.includes("number") && /^\d+$/.test(input);
  return isQuotedNumber ? "; write it without quotes" : "";
}

function said(input: unknown): string {
  if (Array.isArray(input)) return "a list";
  switch (typeof input) {
    case "string":
      return `the text "${shortened(input)}"`;
    case "number":
      return `the number ${input}`;
    case "boolean":
      return `${input}`;
    default:
      return "a group of keys";
  }
}

const shortened = (text: string) => (text.length > 40 ? `${text.slice(0, 39)}…` : text);

function unknownKey(key: string, known: readonly string[]): string {
  const near = closest(key, known);
  const help = near ? `did you mean "${near}"?` : `the keys here are ${known.join(", ")}`;
  return `unknown key "${shortened(key)}"; ${help}`;
}

/** The keys that may stand at a path; several groups of keys may be allowed there. */
function keysAt(path: readonly PropertyKey[], schema: SchemaNode): readonly string[] {
  const branches = [schema, ...(schema.anyOf ?? [])];
  const [step, ...rest] = path;
  if (step === undefined) return branches.flatMap((branch) => Object.keys(branch.properties ?? {}));
  const next = branches.flatMap((branch) =>
    typeof step === "number" ? (branch.items ?? []) : (branch.properties?.[String(step)] ?? []),
  );
  return next.flatMap((branch) => keysAt(rest, branch));
}
