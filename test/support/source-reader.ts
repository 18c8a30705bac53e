/** The project's own sources as tests look at them: which files there are, and what a file imports. */
import { readdirSync, readFileSync } from "node:fs";
import { join, relative } from "node:path";
import { fileURLToPath } from "node:url";

export const PROJECT = fileURLToPath(new URL("../..", import.meta.url));

export interface SourceFile {
  /** From the project's folder: "src/standards/dns/name.ts". */
  readonly path: string;
  readonly source: string;
}

/** All files below a folder of the project with this ending, in the order of their paths. */
export function filesBelow(folder: string, ending: string): SourceFile[] {
  return readdirSync(join(PROJECT, folder), { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && entry.name.endsWith(ending))
    .map((entry) => join(entry.parentPath, entry.name))
    .sort()
    .map((path) => ({ path: relative(PROJECT, path), source: readFileSync(path, "utf8") }));
}

export const isTest = (path: string): boolean => /\.test\.tsx?$/.test(path);

/**
 * `value` runs the file, `type` vanishes with the types, `side-effect` names nothing, `re-export` passes on,
 * `dynamic` is `import("…")`, `computed` is an `import(…)` of which the text does not say what it loads.
 */
export type ImportKind = "value" | "type" | "side-effect" | "re-export" | "dynamic" | "computed";

export interface Import {
  readonly kind: ImportKind;
  /** As written; empty where it is computed. */
  readonly specifier: string;
}

const STATEMENT =
  /^(?<word>import|export)\b(?<type>\s+type\b(?!\s+from\b))?(?<names>\s*(?:[\w$]+\s*,\s*)?(?:\{[^{}"]*\}|\*(?:\s*as\s+[\w$]+)?|[\w$]+)\s*from)?\s*["'](?<specifier> *)["']/dgm;
const CALL = /(?<![.\w$])import\s*\((?:\s*["'](?<specifier> *)["'])?/dg;

/** What a file imports, comments and texts aside. */
export function readImports(source: string): Import[] {
  const code = codeOf(source);
  const specifierOf = ({ indices }: RegExpMatchArray): string => {
    const place = indices?.groups?.["specifier"];
    return place === undefined ? "" : source.slice(...place);
  };
  const statements = [...code.matchAll(STATEMENT)].map((match): Import => {
    const { word, type, names } = match.groups!;
    const imported = type !== undefined ? "type" : names === undefined ? "side-effect" : "value";
    return { kind: word === "export" ? "re-export" : imported, specifier: specifierOf(match) };
  });
  const calls = [...code.matchAll(CALL)].map((match): Import => {
    const specifier = specifierOf(match);
    return { kind: specifier === "" ? "computed" : "dynamic", specifier };
  });
  return [...statements, ...calls];
}

/** Where something other than plain code begins; a slash behind an operator begins a regular expression. */
const TOKEN =
  /\/\/.*|\/\*[\s\S]*?\*\/|"(?:\\.|[^"\\\n])*"|'(?:\\.|[^'\\\n])*'|[`{}]|(?<=(?:^|[(,=:[!&|?{};+>]|\breturn)\s*)\/(?:\\.|\[(?:\\.|[^\]\\\n])*\]|[^/\\[\n])+\/[a-z]*/gm;
/** The rest of a template's text, up to a placeholder or the end. */
const TEMPLATE_TEXT = /(?:\\[\s\S]|\$(?!\{)|[^`\\$])*(?:`|\$\{)/g;

/**
 * The source with comments, texts and regular expressions blanked out, every character that stays in its
 * place. Quotes stay too, so that one sees where a text was.
 */
export function codeOf(source: string): string {
  let code = "";
  let at = 0;
  const open: ("{" | "${")[] = [];
  const blankTo = (end: number) => {
    code += source.slice(at, end).replace(/[^\n]/g, " ");
    at = end;
  };
  const skipTemplateText = () => {
    TEMPLATE_TEXT.lastIndex = at;
    const text = TEMPLATE_TEXT.exec(source)?.[0] ?? source.slice(at);
    blankTo(at + text.length);
    if (text.endsWith("${")) open.push("${");
  };
  for (;;) {
    TOKEN.lastIndex = at;
    const token = TOKEN.exec(source);
    if (token === null) return code + source.slice(at);
    code += source.slice(at, token.index);
    at = token.index;
    const [text] = token;
    if (text === "`") {
      blankTo(at + 1);
      skipTemplateText();
    } else if (text === "{" || text === "}") {
      if (text === "{") open.push("{");
      const closed = text === "}" ? open.pop() : undefined;
      if (closed === "${") {
        blankTo(at + 1);
        skipTemplateText();
      } else {
        code += text;
        at++;
      }
    } else if (text.startsWith('"') || text.startsWith("'")) {
      code += text[0];
      at++;
      blankTo(at + text.length - 2);
      code += text[0];
      at++;
    } else {
      blankTo(at + text.length);
    }
  }
}
