/** Writes the types of the API for the pages, from the API's own description; test/docs.test.ts holds them current. */
import { readFileSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";

/** As much of JSON Schema as the API's description uses; what is unknown here throws. */
interface Schema {
  readonly $ref?: string;
  readonly type?: string | readonly string[];
  readonly const?: unknown;
  readonly enum?: readonly unknown[];
  readonly anyOf?: readonly Schema[];
  readonly oneOf?: readonly Schema[];
  readonly items?: Schema;
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly required?: readonly string[];
  readonly additionalProperties?: boolean | Schema;
  readonly propertyNames?: Schema;
}

interface Content {
  readonly content?: Readonly<Record<string, { readonly schema: Schema }>>;
}

interface Operation {
  readonly summary: string;
  readonly parameters?: readonly {
    readonly in: "path" | "query";
    readonly name: string;
    readonly required?: boolean;
    readonly schema: Schema;
  }[];
  readonly requestBody?: Content & { readonly required?: boolean };
  readonly responses: Readonly<Record<string, Content>>;
}

export interface ApiDocument {
  readonly paths: Readonly<Record<string, Readonly<Record<string, Operation>>>>;
  readonly components: { readonly schemas: Readonly<Record<string, Schema>> };
}

const GENERATED = "/** Written by `npm run docs` from test/golden/openapi.json; edit the routes instead. */";

/** The project's own document. */
export function readApiDocument(): ApiDocument {
  return JSON.parse(
    readFileSync(fileURLToPath(new URL("../test/golden/openapi.json", import.meta.url)), "utf8"),
  );
}

export const API_TYPES_FILE = fileURLToPath(new URL("../src/interface/web/api/schema.ts", import.meta.url));

/** The shape that openapi-fetch takes its types from: `paths`, and `components` for what is named. */
export function apiTypes({ paths, components }: ApiDocument): string {
  const routes = Object.entries(paths).map(([path, methods]) => {
    const operations = Object.entries(methods).map(
      ([method, operation]) => `/** ${operation.summary} */\n${method}: ${operationType(operation)};`,
    );
    return `${JSON.stringify(path)}: {\n${operations.join("\n")}\n};`;
  });
  const named = Object.entries(components.schemas).map(
    ([name, schema]) => `${propertyName(name)}: ${typeOf(schema)};`,
  );
  return [
    GENERATED,
    `export interface paths {\n${routes.join("\n")}\n}`,
    `export interface components {\nschemas: {\n${named.join("\n")}\n};\n}`,
    "",
  ].join("\n\n");
}

function operationType({ parameters = [], requestBody, responses }: Operation): string {
  const place = (where: "path" | "query") => {
    const own = parameters.filter((parameter) => parameter.in === where);
    if (own.length === 0) return `${where}?: never;`;
    const isNeeded = own.some(({ required }) => required);
    const lines = own.map(
      ({ name, required, schema }) => `${propertyName(name)}${required ? "" : "?"}: ${typeOf(schema)};`,
    );
    return `${where}${isNeeded ? "" : "?"}: {\n${lines.join("\n")}\n};`;
  };
  const answers = Object.entries(responses).map(
    ([status, content]) =>
      `${/^\d+$/.test(status) ? status : propertyName(status)}: ${contentType(content)};`,
  );
  return `{
parameters: {\n${place("query")}\n${place("path")}\n};
${requestBody === undefined ? "requestBody?: never;" : `requestBody: ${contentType(requestBody)};`}
responses: {\n${answers.join("\n")}\n};
}`;
}

function contentType({ content = {} }: Content): string {
  const kinds = Object.entries(content).filter(([, { schema }]) => schema.type !== "null");
  if (kinds.length === 0) return "{ content?: never }";
  const lines = kinds.map(([mediaType, { schema }]) => `${JSON.stringify(mediaType)}: ${typeOf(schema)};`);
  return `{\ncontent: {\n${lines.join("\n")}\n};\n}`;
}

function typeOf(schema: Schema): string {
  const { $ref, type, const: only, enum: words, anyOf, oneOf } = schema;
  if ($ref !== undefined) {
    const [, name] = /^#\/components\/schemas\/(\w+)$/.exec($ref) ?? [];
    if (name === undefined) throw new TypeError(`no place for ${$ref}`);
    return `components["schemas"][${JSON.stringify(name)}]`;
  }
  if (only !== undefined) return JSON.stringify(only);
  if (words !== undefined) return words.map((word) => JSON.stringify(word)).join(" | ");
  const choices = anyOf ?? oneOf;
  if (choices !== undefined) return [...new Set(choices.map(typeOf))].join(" | ");
  if (Array.isArray(type)) return type.map((one: string) => typeOf({ ...schema, type: one })).join(" | ");
  switch (type) {
    case "string":
    case "boolean":
    case "null":
      return type;
    case "number":
    case "integer":
      return "number";
    case "array":
      return `(${typeOf(schema.items ?? {})})[]`;
    case "object":
      return objectType(schema);
    case undefined:
      return "unknown";
    default:
      throw new TypeError(`no word for a value of type ${type}`);
  }
}

function objectType({ properties = {}, required = [], additionalProperties, propertyNames }: Schema): string {
  const isOpen = additionalProperties !== undefined && additionalProperties !== false;
  const names = propertyNames === undefined ? "string" : typeOf(propertyNames);
  const rest = typeof additionalProperties === "object" ? typeOf(additionalProperties) : "unknown";
  const lines = Object.entries(properties).map(
    ([name, each]) => `${propertyName(name)}${required.includes(name) ? "" : "?"}: ${typeOf(each)};`,
  );
  if (lines.length === 0) {
    if (!isOpen) return "Record<string, never>";
    return names === "string" ? `Record<string, ${rest}>` : `Partial<Record<${names}, ${rest}>>`;
  }
  if (isOpen) lines.push("[key: string]: unknown;");
  return `{\n${lines.join("\n")}\n}`;
}

const propertyName = (name: string): string =>
  /^[A-Za-z_$][\w$]*$/.test(name) ? name : JSON.stringify(name);

if (import.meta.main) {
  writeFileSync(API_TYPES_FILE, apiTypes(readApiDocument()));
  process.stdout.write(`${API_TYPES_FILE}\n`);
}
