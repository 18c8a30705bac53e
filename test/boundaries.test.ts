/** Who may import whom, and what else keeps the rooms apart: the table of ARCHITECTURE.md, held. */
import { dirname, join } from "node:path";
import { describe, expect, it } from "vitest";
import { codeOf, filesBelow, type ImportKind, isTest, readImports } from "./support/source-reader.ts";

interface Room {
  /** Rooms whose code it may run; "standards" stands for all of them. */
  readonly runs: readonly string[];
  /** Rooms of which it may know the types alone, by `import type`. */
  readonly knows?: readonly string[];
  /** Modules of Node itself; nobody but those named here touches files, sockets or processes. */
  readonly modules: readonly string[];
  readonly packages?: readonly string[];
  /** Clock, chance, process and console: only what meets the world may have them as they are. */
  readonly ambient?: readonly Ambient[];
}

/** Hashes and IDNA: they compute, and touch nothing. */
const PURE_MODULES = ["node:crypto", "node:url"];

const STANDARD: Room = { runs: ["standards/dns", "standards/message"], modules: PURE_MODULES };

/** A room that is not here is a violation: a new room is a decision (docs/decisions). */
const ROOMS: Readonly<Record<string, Room>> = {
  "standards/dns": { ...STANDARD, runs: [] },
  "standards/dmarc": { ...STANDARD, knows: ["standards/spf", "standards/dkim"] },
  // The signatures of ARC are those of DKIM, with other tags (RFC 8617 §4.1).
  "standards/arc": { ...STANDARD, runs: [...STANDARD.runs, "standards/dkim"] },
  "standards/*": STANDARD,
  records: { runs: ["standards"], modules: PURE_MODULES, packages: ["yaml", "zod"] },
  check: { runs: ["standards", "records"], modules: PURE_MODULES },
  publish: { runs: ["standards", "records"], modules: PURE_MODULES, packages: ["zod"] },
  // To make pairs is what the room is for; who calls it hands it over as an argument (generate.ts).
  keys: { runs: ["standards"], modules: PURE_MODULES, ambient: ["keyMaking"] },
  milter: { runs: ["standards", "keys"], modules: PURE_MODULES },
  watch: { runs: ["standards", "records", "check", "publish", "keys"], modules: PURE_MODULES },
  access: { runs: ["standards"], modules: PURE_MODULES },
  demo: {
    runs: ["standards", "records", "check", "publish", "keys", "watch", "access"],
    modules: PURE_MODULES,
  },
  config: { runs: [], modules: [], packages: ["yaml", "zod"] },
  store: {
    runs: ["standards"],
    knows: ["records", "publish", "keys", "watch", "access"],
    modules: ["node:fs", "node:path", "node:sqlite", "node:worker_threads"],
    packages: ["kysely", "pg"],
    // To wait while another process writes, and to let others have their turn.
    ambient: ["timers", "stopwatch"],
  },
  "interface/cli": {
    runs: ["standards", "records", "check", "publish", "keys", "milter", "watch", "access", "config"],
    modules: PURE_MODULES,
    packages: ["commander"],
  },
  "interface/http": {
    runs: ["standards", "records", "check", "publish", "keys", "milter", "watch", "access", "config"],
    // A stream, for events as they happen.
    modules: [...PURE_MODULES, "node:stream"],
    packages: [
      "@fastify/cookie",
      "@fastify/static",
      "@fastify/swagger",
      "fastify",
      "fastify-type-provider-zod",
      "yaml",
      "zod",
    ],
  },
  // What runs in browsers: of the server it knows the API alone.
  "interface/web": {
    runs: [],
    modules: [],
    packages: [
      "@simplewebauthn/browser",
      "@tanstack/react-query",
      "@tanstack/react-router",
      "@tanstack/react-virtual",
      "chartist",
      "openapi-fetch",
      "qr",
      "react",
      "react-dom",
    ],
    ambient: ["clock", "timers", "fetch"],
  },
  net: {
    runs: ["standards"],
    knows: ["records", "check", "publish", "milter", "watch", "access"],
    // A process only to have a zone file checked before it is put in place, and for the local sendmail. A cluster for milters.
    modules: [
      ...PURE_MODULES,
      "node:child_process",
      "node:cluster",
      "node:dgram",
      "node:dns/promises",
      "node:events",
      "node:fs",
      "node:fs/promises",
      "node:http",
      "node:https",
      "node:net",
      "node:path",
      "node:tls",
    ],
    // Jobs of several nodes are shared through PostgreSQL.
    packages: ["@simplewebauthn/server", "graphile-worker", "openid-client", "pg"],
    // The process: milters of several, which speak with each other.
    ambient: ["stopwatch", "chance", "timers", "process"],
  },
  main: {
    runs: [
      "standards",
      "records",
      "check",
      "publish",
      "keys",
      "milter",
      "watch",
      "access",
      "config",
      "demo",
      "interface/cli",
      "interface/http",
      "net",
      "store",
    ],
    modules: [
      "node:crypto",
      "node:events",
      "node:fs",
      "node:module",
      "node:os",
      "node:path",
      "node:readline/promises",
      "node:stream",
      "node:stream/consumers",
      "node:timers/promises",
      "node:v8",
    ],
    packages: ["tldts"],
    ambient: ["clock", "chance", "process", "timers"],
  },
};

const AMBIENT = {
  clock:
    /(?<![.\w$])(?:Date\.now\b|new\s+Date\s*(?:\(\s*\)|(?![\w$(\s]))|(?<!\bnew\s+)Date\s*\(|Temporal\.Now\b)/,
  /** Counts from no date: fit for deadlines, and for nothing that is written down. */
  stopwatch: /(?<![.\w$])performance\b/,
  chance: /\bMath\.random\b|(?<![\w$])random(?:Bytes|Fill|FillSync|Int|UUID)\b|\bgetRandomValues\b/,
  keyMaking: /\bgenerate(?:Key(?:Pair)?|Prime)(?:Sync)?\b/,
  timers: /(?<![.\w$])(?:setTimeout|setInterval|setImmediate)\b/,
  process: /(?<![.\w$])process(?=\s*[.[])/,
  console: /(?<![.\w$])console(?=\s*[.[])/,
  fetch: /(?<![.\w$])(?:fetch|WebSocket|XMLHttpRequest)\s*\(/,
  global: /(?<![.\w$])(?:globalThis|global|require)(?=\s*[.[(])/,
} as const;
type Ambient = keyof typeof AMBIENT;

/** RFCs that are no longer in force, and what is. The old number may stand where the line says so. */
const OBSOLETE_RFCS: Readonly<Record<string, string>> = {
  821: "5321",
  822: "5322",
  1886: "3596",
  2052: "2782",
  2065: "4033",
  2396: "3986",
  2437: "8017",
  2459: "5280",
  2476: "6409",
  2535: "4033",
  2554: "4954",
  2671: "6891",
  2672: "6672",
  2821: "5321",
  2822: "5322",
  2845: "8945",
  2915: "3403",
  3068: "7526",
  3330: "6890",
  3447: "8017",
  3490: "5890",
  3491: "5891",
  3501: "9051",
  3548: "4648",
  4408: "7208",
  4409: "6409",
  4635: "8945",
  4870: "6376",
  4871: "6376",
  5246: "8446",
  5451: "8601",
  5672: "6376",
  5735: "6890",
  5966: "7766",
  6125: "9525",
  6195: "6895",
  6844: "8659",
  7001: "8601",
  7489: "9989",
  7601: "8601",
  7719: "9499",
  8499: "9499",
  9091: "9989",
};

/** "src/standards/dns/name.ts" is of the room "standards/dns". */
function roomOf(path: string): string {
  const [, first = "", second = ""] = path.split("/");
  if (first === "main.ts") return "main";
  return first === "standards" || first === "interface" ? `${first}/${second}` : first;
}

function rulesOf(room: string): Room | undefined {
  return ROOMS[room] ?? (/^standards\/[^.]+$/.test(room) ? ROOMS["standards/*"] : undefined);
}

const isAmong = (room: string, rooms: readonly string[] = []): boolean =>
  rooms.includes(room) || rooms.includes(room.split("/")[0]!);

/** What a file breaks; empty where all is well. `path` is from the project's folder. */
function violations(path: string, source: string): string[] {
  const name = nameViolations(path);
  const room = roomOf(path);
  const rules = rulesOf(room);
  if (rules === undefined) return [...name, `there is no room "${room}"`];
  const cited = citationViolations(source);
  // What a test imports is its own affair: nothing else imports a test.
  if (isTest(path)) return [...name, ...cited];
  return [
    ...name,
    ...readImports(source).flatMap(({ kind, specifier }) => importViolations(path, rules, kind, specifier)),
    ...codeViolations(codeOf(source), rules),
    ...cited,
  ];
}

function importViolations(path: string, rules: Room, kind: ImportKind, specifier: string): string[] {
  if (kind === "computed") return ["imports what only running it can tell"];
  if (kind === "re-export") return [`passes on ${specifier}: import the file you mean`];
  if (specifier.startsWith("node:"))
    return rules.modules.includes(specifier) ? [] : [`may not use ${specifier}`];
  if (!specifier.startsWith(".")) {
    const name = specifier.split("/", specifier.startsWith("@") ? 2 : 1).join("/");
    return rules.packages?.includes(name) ? [] : [`may not use the package ${name}`];
  }
  if (isStyle(path, kind, specifier)) return [];
  if (!/\.tsx?$/.test(specifier)) return [`"${specifier}" lacks its ending`];
  const target = join(dirname(path), specifier);
  if (!target.startsWith("src/")) return [`${target} is no source`];
  if (target === "src/main.ts") return ["nobody imports main.ts"];
  if (isTest(target)) return [`${target} is a test`];
  const from = roomOf(path);
  const to = roomOf(target);
  if (to === from || isAmong(to, rules.runs)) return [];
  if (!isAmong(to, rules.knows)) return [`${from} may not import ${to}`];
  return kind === "type" ? [] : [`${from} may import of ${to} the types alone: import type`];
}

/** Pages bring their style along. */
const isStyle = (path: string, kind: ImportKind, specifier: string): boolean =>
  kind === "side-effect" && specifier.endsWith(".css") && roomOf(path) === "interface/web";

function codeViolations(code: string, rules: Room): string[] {
  const ambient = Object.entries(AMBIENT).flatMap(([name, pattern]) => {
    if (rules.ambient?.includes(name as Ambient)) return [];
    const [found] = pattern.exec(code) ?? [];
    return found === undefined ? [] : [`takes ${name} from its surroundings: ${found.trim()}`];
  });
  return /^export\s+default\b/m.test(code) ? [...ambient, "exports without a name"] : ambient;
}

function citationViolations(source: string): string[] {
  return source.split("\n").flatMap((line, at) => {
    if (/historic|obsolete/i.test(line)) return [];
    return [...line.matchAll(/\bRFC[ -]?0*(\d+)/g)].flatMap(([, number = ""]) => {
      const successor = OBSOLETE_RFCS[number];
      return successor === undefined ? [] : [`line ${at + 1}: RFC ${number} is obsolete; RFC ${successor}`];
    });
  });
}

const VAGUE = /^(?:.*-)?(?:utils?|helpers?|common|misc|managers?|services?|base)$/;

function nameViolations(path: string): string[] {
  return path.split("/").flatMap((part) => {
    const stem = part.replace(/(?:\.(?:test|d))?\.[a-z]+$/, "");
    if (stem === "index") return [`${part}: no barrels`];
    if (VAGUE.test(stem)) return [`"${stem}" says nothing of what is inside`];
    return /^[a-z0-9]+(?:-[a-z0-9]+)*$/.test(stem) ? [] : [`${part} is not kebab-case`];
  });
}

const files = [...filesBelow("src", ".ts"), ...filesBelow("src", ".tsx")];

describe("the rooms", () => {
  it("are kept apart", () => {
    const found = files.flatMap(({ path, source }) => violations(path, source).map((it) => `${path}: ${it}`));
    expect(found).toEqual([]);
  });

  it("and what surrounds them have names that say something", () => {
    const others = [...filesBelow("test", ".ts"), ...filesBelow("scripts", "s")];
    expect(others.length).toBeGreaterThan(5);
    expect(others.flatMap(({ path }) => nameViolations(path))).toEqual([]);
  });

  it("are all seen, and every kind of import between them", () => {
    const sources = files.filter(({ path }) => !isTest(path));
    const seen = new Set(
      sources.map(({ path }) => roomOf(path)).map((room) => (room in ROOMS ? room : "standards/*")),
    );
    expect(seen).toEqual(new Set(Object.keys(ROOMS)));
    expect(files.length - sources.length).toBeGreaterThan(20);
    const kinds = sources.flatMap(({ path, source }) =>
      readImports(source).map(({ kind, specifier }) => {
        if (!specifier.startsWith("."))
          return `${kind} of a ${specifier.startsWith("node:") ? "module" : "package"}`;
        return `${kind} of ${roomOf(join(dirname(path), specifier)) === roomOf(path) ? "its own" : "another"}`;
      }),
    );
    for (const kind of ["value of its own", "value of another", "value of a module", "value of a package"]) {
      expect(kinds).toContain(kind);
    }
    for (const kind of ["type of its own", "type of another"]) expect(kinds).toContain(kind);
  });

  it("have no import that the reader overlooks", () => {
    const overlooked = files.filter(({ source }) => {
      const words = codeOf(source).match(/^import\b|(?<![.\w$])import\s*\(/gm) ?? [];
      return readImports(source).filter(({ kind }) => kind !== "re-export").length !== words.length;
    });
    expect(overlooked.map(({ path }) => path)).toEqual([]);
  });
});

describe("violations", () => {
  const DNS = "src/standards/dns/wire.ts";
  const SPF = "src/standards/spf/record.ts";
  const DMARC = "src/standards/dmarc/evaluate.ts";
  const DERIVE = "src/records/derive.ts";
  const CHECK = "src/check/spf.ts";
  const NET = "src/net/zone-survey.ts";
  const CLI = "src/interface/cli/check.ts";
  const KEYS = "src/keys/generate.ts";
  const STORE = "src/store/open.ts";
  const MAIN = "src/main.ts";
  const WEB = "src/interface/web/pages/domain.tsx";

  it.each<[path: string, source: string, found: string | undefined, reason: string]>([
    [SPF, 'import { x } from "../dns/name.ts";', undefined, "a standard stands on DNS"],
    [SPF, 'import { x } from "./macro.ts";', undefined, "its own folder"],
    [
      SPF,
      'import { x } from "../dkim/record.ts";',
      "may not import standards/dkim",
      "not on another standard",
    ],
    [SPF, 'import type { X } from "../dkim/record.ts";', "may not import", "nor on its types"],
    [SPF, 'import { x } from "../../net/clock.ts";', "may not import net", "nor on sockets"],
    [
      SPF,
      'import {\n  type X,\n  y,\n} from "../../records/form.ts";',
      "may not import records",
      "over lines",
    ],
    [DNS, 'import { x } from "../spf/record.ts";', "may not import standards/spf", "DNS stands on nothing"],
    [DMARC, 'import type { X } from "../spf/evaluate.ts";', undefined, "results of SPF as types"],
    [DMARC, 'import { type X } from "../spf/evaluate.ts";', "types alone", "this one still runs the file"],
    [DMARC, 'import { x } from "../spf/evaluate.ts";', "types alone", "not its code"],
    [DERIVE, 'import { x } from "../check/finding.ts";', "may not import check", "the table is one-way"],
    [CHECK, 'import { x } from "../records/form.ts";', undefined, "check reads what records derive"],
    [
      CHECK,
      'import type { X } from "../net/dns-transport.ts";',
      "may not import net",
      "net plugs in from the side",
    ],
    [NET, 'import type { X } from "../check/view.ts";', undefined, "the interface that it implements"],
    [NET, 'import { x } from "../check/view.ts";', "types alone", "but no code"],
    [
      NET,
      'import type { X } from "../interface/cli/tools.ts";',
      "may not import interface/cli",
      "nor another's",
    ],
    [
      "src/milter/session.ts",
      'import { x } from "../net/milter-server.ts";',
      "may not import net",
      "octets in and out, whoever carries them",
    ],
    [NET, 'import type { X } from "../milter/session.ts";', undefined, "sockets know what they carry for"],
    [CLI, 'import { x } from "../../net/dns-server.ts";', "may not import net", "main.ts joins them"],
    [CLI, 'import { x } from "../http/server.ts";', "may not import interface/http", "interfaces stay apart"],
    [CHECK, 'import { x } from "../main.ts";', "nobody imports main.ts", "main.ts is the end"],
    [CHECK, 'import { x } from "./mx.test.ts";', "is a test", "no source needs a test"],
    [CHECK, 'import { x } from "../../test/support/table-resolver.ts";', "is no source", "nor its tools"],
    ["src/bells/alert.ts", "", 'no room "bells"', "a new room is a decision"],
    ["src/loose.ts", "", 'no room "loose.ts"', "nothing lies about outside of the rooms"],

    [DNS, 'import { domainToASCII } from "node:url";', undefined, "IDNA computes"],
    [DNS, 'import { createHash } from "node:crypto";', undefined, "so do hashes"],
    [DNS, 'import { readFileSync } from "node:fs";', "may not use node:fs", "no files"],
    [DNS, 'import type { Socket } from "node:net";', "may not use node:net", "not even their types"],
    [CHECK, 'import "node:fs";', "may not use node:fs", "for its effects"],
    [CHECK, 'const fs = await import("node:fs");', "may not use node:fs", "later on"],
    [CHECK, "const fs = await import(name);", "only running it can tell", "under a name made up"],
    [CHECK, 'type X = import("../net/clock.ts").X;', "may not import net", "inside a type"],
    [CHECK, "import fs from 'fs';", "may not use the package fs", "single quotes; no node: prefix"],
    [CHECK, 'import * as zod from "zod";', "may not use the package zod", "packages by room"],
    [CHECK, 'import x, { y } from "@scope/name/deep";', "may not use the package @scope/name", "scoped"],
    [DERIVE, 'import { z } from "zod";', undefined, "the description's schema"],
    [MAIN, 'import { getDomain } from "tldts";', undefined, "the suffix list, wired in"],
    [CHECK, 'import { getDomain } from "tldts";', "may not use the package tldts", "and nowhere else"],

    [CHECK, 'export { x } from "./mx.ts";', "passes on ./mx.ts", "no barrels"],
    [CHECK, 'export * from "./mx.ts";', "passes on ./mx.ts", "none at all"],
    [CHECK, 'import { x } from "./mx";', "lacks its ending", "sources run as they are"],
    [CHECK, "export default function x() {}", "exports without a name", "named exports only"],
    ["src/check/index.ts", "", "no barrels", "by name"],
    ["src/check/dns-utils.ts", "", '"dns-utils" says nothing', "vague, if with a prefix"],
    ["src/check/common/x.ts", "", '"common" says nothing', "a vague folder"],
    ["src/check/keyManager.ts", "", "not kebab-case", "camels"],
    ["src/standards/dns/service-parameters.ts", "", undefined, "a term of RFC 9460"],

    [CHECK, "const now = Date.now();", "takes clock", "time is an argument"],
    [CHECK, "const now = new Date();", "takes clock", "as an object too"],
    [CHECK, "const now = new Date;", "takes clock", "without parentheses"],
    [CHECK, "const then = new Date(seconds * 1000);", undefined, "a given time"],
    [CHECK, "const text = `\u0024{new Date()}`;", "takes clock", "inside a template"],
    [CHECK, "const x = Math.random();", "takes chance", "chance is an argument"],
    [DNS, 'import { randomBytes } from "node:crypto";', "takes chance", "not by the back door"],
    [KEYS, 'import { generateKeyPair } from "node:crypto";', undefined, "what the room is for"],
    [KEYS, 'import { randomBytes } from "node:crypto";', "takes chance", "any other chance is an argument"],
    [DNS, 'import { generateKeyPairSync } from "node:crypto";', "takes keyMaking", "and nobody else's"],
    [STORE, 'import { DatabaseSync } from "node:sqlite";', undefined, "one file, on disk"],
    [STORE, 'import { Kysely } from "kysely";', undefined, "one query layer"],
    [CHECK, 'import pg from "pg";', "may not use the package pg", "and nowhere else"],
    [STORE, 'import type { X } from "../keys/key.ts";', undefined, "what is stored"],
    [STORE, 'import { x } from "../keys/rotation.ts";', "types alone", "decides nothing"],
    [NET, "const x = Math.random();", undefined, "net meets the world"],
    [NET, "const now = Date.now();", "takes clock", "though time is its argument too"],
    [NET, "const start = performance.now();", undefined, "but a stopwatch it has"],
    [CHECK, "const start = performance.now();", "takes stopwatch", "which no check has"],
    [CHECK, "setTimeout(done, 1);", "takes timers", "nor waiting"],
    [CLI, "process.exit(1);", "takes process", "main.ts has the process"],
    [CLI, 'console.log("x");', "takes console", "a terminal is passed in"],
    [CHECK, 'await fetch("https://example.org");', "takes fetch", "no network"],
    [CHECK, 'globalThis["process"];', "takes global", "no detour"],
    [WEB, 'import { x } from "../parts/when.tsx";', undefined, "its own room, with markup"],
    [
      WEB,
      'import type { X } from "../../http/problem.ts";',
      "may not import interface/http",
      "the API alone",
    ],
    [WEB, 'import "../style/page.css";', undefined, "a page with its style"],
    [CHECK, 'import "./x.css";', "lacks its ending", "nobody else has any"],
    [WEB, 'import { readFileSync } from "node:fs";', "may not use node:fs", "a browser has no Node"],
    [WEB, "process.exit();", "takes process", "nor a process"],
    [
      CLI,
      'import { x } from "../web/api/client.ts";',
      "may not import interface/web",
      "nobody imports pages",
    ],
    [MAIN, "process.exitCode = 1;", undefined, "wiring"],
    [CHECK, "// process.exit(), console.log, Date.now()", undefined, "comments are no code"],
    [CHECK, "/** new Date() */", undefined, "nor are these"],
    [CHECK, 'const x = "new Date() \\" process.env";', undefined, "nor texts"],
    [
      CHECK,
      "const x = `Date.now \u0024{`Math.random`} process.env`;",
      undefined,
      "nor templates in templates",
    ],
    [
      CHECK,
      "const x = `\u0024{{ a: 1 }.a} \\` process.env`; Date.now();",
      "takes clock",
      "but what follows is",
    ],
    [
      CHECK,
      "const x = text.split(/[`'\"/]/); Date.now();",
      "takes clock",
      "quotes inside expressions open nothing",
    ],
    [CHECK, "const x = a / b; const y = 'process.env' / c;", undefined, "division opens nothing"],
    [CHECK, '// import { x } from "node:fs";', undefined, "an import that is none"],
    [CHECK, 'const x = `\nimport { x } from "node:fs";\n`;', undefined, "nor is this"],

    [CHECK, "/** RFC 4408 §5 */", "RFC 4408 is obsolete; RFC 7208", "cite what is in force"],
    [CHECK, 'const reference = "RFC 7489 §6.3";', "RFC 7489 is obsolete; RFC 9989", "in texts too"],
    [CHECK, "// as in RFC 7489 (historic)", undefined, "history is told as such"],
    ["src/check/mx.test.ts", "// RFC 2821 §5", "RFC 2821 is obsolete", "tests cite as well"],
    ["src/check/mx.test.ts", 'import { x } from "../net/clock.ts";', undefined, "but import what they need"],
  ])("%s: %j → %j (%s)", (path, source, found) => {
    const all = violations(path, source);
    if (found === undefined) expect(all).toEqual([]);
    else expect(all).toEqual([expect.stringContaining(found)]);
  });

  it("names no successor that is obsolete itself", () => {
    expect(Object.values(OBSOLETE_RFCS).filter((rfc) => rfc in OBSOLETE_RFCS)).toEqual([]);
  });
});
