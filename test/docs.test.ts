/** What the documents say of the code, held against the code. */
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { stripTypeScriptTypes } from "node:module";
import { dirname, join } from "node:path";
import { describe, expect, it } from "vitest";
import { filesBelow, isTest, PROJECT } from "./support/source-reader.ts";

const read = (path: string): string => readFileSync(join(PROJECT, path), "utf8");
const exists = (path: string): boolean => existsSync(join(PROJECT, path));
const sources = filesBelow("src", ".ts").filter(({ path }) => !isTest(path));

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
