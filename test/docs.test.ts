/** What the documents say of the code, held against the code. */
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { stripTypeScriptTypes } from "node:module";
import { dirname, join } from "node:path";
import { pathToFileURL } from "node:url";
import { inspect } from "node:util";
import { Ajv2020 } from "ajv/dist/2020.js";
import { describe, expect, it } from "vitest";
import { parse } from "yaml";
import { API_TYPES_FILE, apiTypes, readApiDocument } from "../scripts/write-api-types.ts";
import { referenceFiles } from "../scripts/write-reference.ts";
import { CATALOGUE, isFindingCode } from "../src/check/catalogue.ts";
import { VERSION } from "../src/interface/cli/program.ts";
import { descriptionJsonSchema, parseDescription } from "../src/records/description.ts";
import { filesBelow, isTest, PROJECT } from "./support/source-reader.ts";

const read = (path: string): string => readFileSync(join(PROJECT, path), "utf8");
const exists = (path: string): boolean => existsSync(join(PROJECT, path));
const sources = [...filesBelow("src", ".ts"), ...filesBelow("src", ".tsx")].filter(
  ({ path }) => !isTest(path),
);

/** The numbers of the RFCs that the sources below a folder of src/ cite. */
function citedBelow(folder: string): Set<string> {
  const below = sources.filter(({ path }) => path.startsWith(`src/${folder}`));
  return new Set(below.flatMap(({ source }) => [...source.matchAll(/\bRFC (\d+)/g)].map(([, rfc]) => rfc!)));
}

describe("docs/standards.md", () => {
  const rows = [...read("docs/standards.md").matchAll(/^\| (\d+) +\| (.+?) +\| (\S+) +\| (.+?) +\|$/gm)].map(
    ([, rfc, what, status, where]) => ({
      rfc: rfc!,
      what: what!,
      status: status!,
      folders: [...where!.matchAll(/`([^`]+)`/g)].map(([, folder]) => folder!),
    }),
  );

  it("lists every RFC that the sources cite", () => {
    const listed = new Set(rows.map(({ rfc }) => rfc));
    const missing = [...citedBelow("")].filter((rfc) => !listed.has(rfc));
    expect(missing.map((rfc) => `RFC ${rfc} is cited, but not listed`)).toEqual([]);
    expect(rows.length).toBeGreaterThan(80);
  });

  it("lists each once, with a status, and with folders unless it is planned", () => {
    const wrong = rows.filter(
      ({ status, folders }) =>
        !["implemented", "partly", "planned"].includes(status) ||
        (status === "planned") !== (folders.length === 0),
    );
    expect(wrong).toEqual([]);
    expect(rows).toHaveLength(new Set(rows.map(({ rfc }) => rfc)).size);
  });

  it("names folders that cite the RFC", () => {
    const wrong = rows.flatMap(({ rfc, folders }) =>
      folders.flatMap((folder) => {
        if (!exists(`src/${folder}`)) return [`RFC ${rfc}: there is no src/${folder}`];
        return citedBelow(`${folder}/`).has(rfc) ? [] : [`RFC ${rfc} is not cited in src/${folder}`];
      }),
    );
    expect(wrong).toEqual([]);
  });

  it("calls nothing planned that a standard's own folder is built on", () => {
    const planned = rows.filter(({ status }) => status === "planned").map(({ rfc }) => rfc);
    const built = citedBelow("standards/");
    expect(planned.filter((rfc) => built.has(rfc))).toEqual([]);
  });
});

/** The rooms: each has a page of its own that says what it does, lists its files and shows an example. */
describe("the rooms' pages", () => {
  const roomsIn = (folder: string) =>
    readdirSync(join(PROJECT, folder), { withFileTypes: true })
      .filter((entry) => entry.isDirectory())
      .map((entry) => `${folder}/${entry.name}`);
  // The pages are of another world, and many: they have a page of their own.
  const WEB = "src/interface/web";
  const rooms = [...roomsIn("src"), ...roomsIn("src/standards"), WEB];
  const pages = rooms.map((room) => ({ path: `${room}/README.md` })).filter(({ path }) => exists(path));

  it("are all there", () => {
    expect(rooms.filter((room) => !exists(`${room}/README.md`))).toEqual([]);
  });

  it.each(pages)("$path has a title, a table of what is inside, and an example", ({ path }) => {
    const page = read(path);
    expect(page).toMatch(/^# \S/);
    expect(page).toMatch(/^\| (?:file|folder) +\| what +\|$/m);
    expect(page).toMatch(/^```\w+$/m);
    expect(page.split("\n").length).toBeLessThanOrEqual(80);
  });

  it.each(pages)("$path names the files that there are, and no others", ({ path }) => {
    const room = dirname(path);
    const inTable = read(path)
      .split("\n")
      .filter((line) => line.startsWith("| `") || line.startsWith("| ["));
    const named = inTable.flatMap((line) =>
      [...line.split(" | ")[0]!.matchAll(/`([^`]+)`/g)].map(([, name]) => name!),
    );
    expect(named.filter((name) => !exists(join(room, name)))).toEqual([]);
    if (named.every((name) => name.endsWith("/"))) {
      expect(new Set(named)).toEqual(
        new Set(roomsIn(room).map((folder) => `${folder.slice(room.length + 1)}/`)),
      );
    } else {
      const there = sources
        .map((file) => file.path)
        .filter((file) => file.startsWith(`${room}/`) && (room === WEB || !file.startsWith(`${WEB}/`)));
      expect(
        there.map((file) => file.slice(room.length + 1)).filter((file) => !named.includes(file)),
      ).toEqual([]);
    }
  });

  const examples = pages.flatMap(({ path }) =>
    [...read(path).matchAll(/^```ts\n([\s\S]*?)^```$/gm)].map(([, code]) => ({ path, code: code! })),
  );

  it.each(examples)("$path: the example is TypeScript", ({ code }) => {
    expect(stripTypeScriptTypes(`async () => {\n${code.replace(/^import .*$/gm, "")}\n};`)).not.toBe("");
  });

  const whole = examples.filter(({ code }) => code.startsWith("import "));

  it.each(whole)("$path: the example shows what it says", async ({ path, code }) => {
    const shown = await runExample(code, dirname(path));
    expect(shown.length).toBeGreaterThan(0);
    for (const { value, said } of shown) {
      expect(typeof value === "string" ? JSON.stringify(value) : inspect(value)).toBe(said);
    }
  });

  it("have examples that run", () => {
    expect(whole.map(({ path }) => path)).toEqual(
      expect.arrayContaining(["src/records/README.md", "src/check/README.md"]),
    );
  });
});

/** Runs an example as it stands: what each `expression; // → "value"` came to, beside what it was said to be. */
async function runExample(code: string, folder: string): Promise<{ value: unknown; said: string }[]> {
  const here = pathToFileURL(join(PROJECT, folder, "/")).href;
  const script = code
    .replace(/ from "(\.[^"]+)"/g, (_, path: string) => ` from "${new URL(path, here).href}"`)
    .replace(/^(.+); \/\/ → (.+)$/gm, (_, expression: string, said: string) => {
      return `shown.push({ value: ${expression}, said: ${JSON.stringify(said)} });`;
    });
  const module = `export const shown = [];\n${stripTypeScriptTypes(script)}`;
  const { shown } = await import(/* @vite-ignore */ `data:text/javascript,${encodeURIComponent(module)}`);
  return shown;
}

describe("docs/reference", () => {
  const files = referenceFiles();

  it.each([...files])("%s is what `npm run docs` writes", (name, content) => {
    expect(read(`docs/reference/${name}`)).toBe(content);
  });

  it("and the types of the API are what `npm run docs` writes", () => {
    expect(readFileSync(API_TYPES_FILE, "utf8")).toBe(apiTypes(readApiDocument()));
  });

  it("holds nothing else", () => {
    expect(new Set(readdirSync(join(PROJECT, "docs/reference")))).toEqual(new Set(files.keys()));
  });

  const isValid = new Ajv2020({ validateFormats: false }).compile(descriptionJsonSchema());

  it.each([
    ["domains: [{ domain: example.org, receives: false, sends: false }]", true, "all that is needed"],
    ["servers: [{ host: mail.example.org, addresses: 192.0.2.1 }]\ndomains: []", true, "one address"],
    ["servers: [{ host: mail.example.org }]\ndomains: []", false, "a server without addresses"],
    ["domains: [{ domain: example.org, recieves: false }]", false, "a slip in a key"],
    ["domains: [{ domain: example.org, dmarc: { policy: strict } }]", false, "a policy that does not exist"],
  ])("zonepost.schema.json judges as the reader does: %s (%s)", (text, expected) => {
    expect(isValid(parse(text))).toBe(expected);
    expect(parseDescription(text).ok).toBe(expected);
  });
});

it("the version is one", () => {
  expect(JSON.parse(read("package.json"))).toMatchObject({ version: VERSION });
  expect(/^## (\d\S*)$/m.exec(read("CHANGELOG.md"))?.[1]).toBe(VERSION);
});

describe("links", () => {
  const pages = ["src", "docs"]
    .flatMap((folder) => filesBelow(folder, ".md"))
    .concat(
      ["README.md", "ARCHITECTURE.md", "CHANGELOG.md"]
        .filter(exists)
        .map((path) => ({ path, source: read(path) })),
    );

  it("lead somewhere", () => {
    const links = pages.flatMap(({ path, source }) =>
      [
        ...source.replace(/^```[\s\S]*?^```$/gm, "").matchAll(/\]\((?!https?:|mailto:|#)([^)\s#]+)[^)]*\)/g),
      ].map(([, to]) => ({ path, to: to! })),
    );
    expect(links.length).toBeGreaterThan(10);
    expect(links.filter(({ path, to }) => !exists(join(dirname(path), to)))).toEqual([]);
  });
});

/** How the sources say a code: as a finding, a remark, or what becomes one. */
const CODE = '"([a-z0-9]+(?:-[a-z0-9]+)+)"';
const SAYS = [
  `\\.finding\\(\\s*${CODE}`,
  // A queue is given jobs.
  `(?<!queue\\.)\\b(?:add|remark|\\w+Remark|fault)\\(\\s*${CODE}`,
  `\\bcode: ${CODE}`,
  `\\bcode: [\\w.]+ \\? ${CODE}`,
  `\\bcode: [\\w.]+ \\? "[^"]+" : ${CODE}`,
].map((pattern) => new RegExp(pattern, "g"));

/** What explain and import say of texts that people paste: no published record has these faults. */
const OF_PASTED_TEXT = ["src/standards/dns/txt-rendering.ts", "src/check/pasted.ts", "src/records/import/"];

/** Codes are permanent, and the reference of them is written from the catalogue: nothing may be said outside of it. */
describe("finding codes", () => {
  const prefixes = [...new Set(Object.keys(CATALOGUE).map((code) => code.slice(0, code.indexOf("-"))))];
  const words = new RegExp(`"((?:${prefixes.join("|")})-[a-z0-9-]+)"`, "g");
  const used = new Map(
    sources
      .filter(({ path }) => path !== "src/check/catalogue.ts")
      .flatMap(({ path, source }) => [...source.matchAll(words)].map(([, code]) => [code!, path])),
  );
  const said = sources
    .filter(
      ({ path }) =>
        path !== "src/check/catalogue.ts" && !OF_PASTED_TEXT.some((start) => path.startsWith(start)),
    )
    .flatMap(({ path, source }) =>
      SAYS.flatMap((pattern) => [...source.matchAll(pattern)].map(([, code]) => ({ code: code!, path }))),
    );

  /** `mta-sts-mode-${mode}`: a beginning of three words or more, that a value completes. */
  const madeOf = sources.flatMap(({ source }) =>
    [...source.matchAll(/\(`((?:[a-z0-9]+-){3,})\$\{\w+\}`/g)].map(([, beginning]) => beginning!),
  );

  it("that are said are in the catalogue", () => {
    expect(said.length).toBeGreaterThan(100);
    const strangers = said.filter(({ code }) => !isFindingCode(code));
    expect([...new Set(strangers.map(({ code, path }) => `${code} in ${path}`))]).toEqual([]);
  });

  it("of the catalogue are all said somewhere", () => {
    const isSaid = (code: string) => used.has(code) || madeOf.some((beginning) => code.startsWith(beginning));
    expect(Object.keys(CATALOGUE).filter((code) => !isSaid(code))).toEqual([]);
  });
});
