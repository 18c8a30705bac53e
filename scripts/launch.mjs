// Runs on whatever Node the machine has (16 or newer): installs what a command needs on first use, then goes
// on under the pinned Node that the lock file brings along. Usage: node scripts/launch.mjs COMMAND [ARGUMENT…]
import { spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { delimiter, dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const bin = join(root, "node_modules", ".bin");
const stamp = join(root, "node_modules", ".zonepost-installed");
const [command, ...rest] = process.argv.slice(2);

/** Nearly all that a check allocates dies young; the default would let it fill 100 MB before it is collected. */
const SMALL_HEAP = "--max-semi-space-size=16";

/** The steps of each command, run in order with the pinned Node in front of the path. */
const BUILD_PAGES = ["vite", "build", "--logLevel", "warn"];
const BUILD_PROGRAM = ["vite", "build", "--config", "vite.program.config.ts", "--logLevel", "warn"];
const COMMANDS = {
  start: { pages: "fresh", steps: [["node", SMALL_HEAP, "src/main.ts", "serve", ...rest]] },
  run: { steps: [["node", SMALL_HEAP, "src/main.ts", ...rest]] },
  test: {
    development: true,
    pages: "fresh",
    steps: [
      ["sh", "scripts/install-servers.sh"],
      ["vitest", "run", ...rest],
    ],
  },
  check: {
    development: true,
    steps: [
      ["biome", "check", "."],
      ["tsc", "-p", "."],
      ["tsc", "-p", "src/interface/web"],
      ["knip"],
      ["vitest", "run", "test/boundaries.test.ts", "test/docs.test.ts"],
    ],
  },
  format: { development: true, steps: [["biome", "check", "--write", "."]] },
  bench: { development: true, steps: [["node", SMALL_HEAP, "bench/main.ts", ...rest]] },
  docs: {
    development: true,
    steps: [
      ["node", "scripts/write-reference.ts"],
      ["node", "scripts/write-api-types.ts"],
    ],
  },
  build: { development: true, pages: "anew", steps: [BUILD_PROGRAM] },
};

function run([program, ...args], env = process.env) {
  const { status, signal, error } = spawnSync(program, args, { cwd: root, stdio: "inherit", env });
  if (error) {
    process.stderr.write(`zonepost: cannot start ${program}: ${error.message}\n`);
    return 127;
  }
  return signal ? 130 : (status ?? 1);
}

/** Installs from the lock file unless this very lock file was installed before, with at least these parts. */
function install(development) {
  const digest = createHash("sha256")
    .update(readFileSync(join(root, "package-lock.json")))
    .digest("hex");
  const installed = existsSync(stamp) ? readFileSync(stamp, "utf8") : "";
  if (installed === `${digest} all` || (!development && installed === `${digest} run`)) return;
  process.stderr.write("zonepost: installing what it needs from package-lock.json (once) …\n");
  const npm = [
    "npm",
    "ci",
    "--no-audit",
    "--no-fund",
    "--loglevel=error",
    ...(development ? [] : ["--omit=dev"]),
  ];
  const status = run(npm);
  if (status !== 0) {
    process.stderr.write(
      "zonepost: the installation failed; see npm's words above, then run the command again\n",
    );
    process.exit(status);
  }
  writeFileSync(stamp, `${digest} ${development ? "all" : "run"}`);
}

const pagesStamp = join(root, "dist", "web.digest");

/** Of all that the pages are built from. Times of files say nothing: a checkout sets them as it likes. */
function pagesDigest() {
  const digest = createHash("sha256");
  const add = (path) => digest.update(`${path}\0`).update(readFileSync(join(root, path)));
  const addBelow = (folder) => {
    const entries = readdirSync(join(root, folder), { withFileTypes: true });
    for (const entry of entries.sort((x, y) => (x.name < y.name ? -1 : 1))) {
      const path = `${folder}/${entry.name}`;
      if (entry.isDirectory()) addBelow(path);
      else if (!/\.(?:md|test\.tsx?)$/.test(entry.name)) add(path);
    }
  };
  add("package-lock.json");
  add("vite.config.ts");
  addBelow("src/interface/web");
  return digest.digest("hex");
}

function arePagesFresh() {
  if (!existsSync(join(root, "dist", "web", "index.html")) || !existsSync(pagesStamp)) return false;
  return readFileSync(pagesStamp, "utf8") === pagesDigest();
}

function buildPages(env) {
  process.stderr.write("zonepost: building the pages …\n");
  const digest = pagesDigest();
  const status = run(BUILD_PAGES, env);
  if (status !== 0) process.exit(status);
  mkdirSync(dirname(pagesStamp), { recursive: true });
  writeFileSync(pagesStamp, digest);
}

const chosen = COMMANDS[command];
if (chosen === undefined) {
  process.stderr.write(
    `zonepost: no command "${command ?? ""}"; there are ${Object.keys(COMMANDS).join(", ")}\n`,
  );
  process.exit(64);
}
const needsPages = chosen.pages === "anew" || (chosen.pages === "fresh" && !arePagesFresh());
install(chosen.development || needsPages);
const env = { ...process.env, PATH: `${bin}${delimiter}${process.env.PATH ?? ""}` };
const carried = existsSync(join(bin, "node"));
if (!carried && Number(process.versions.node.split(".")[0]) < 24) {
  process.stderr.write(
    `zonepost: needs Node 24 or newer; this machine has ${process.versions.node}, and there is no carried-along Node for ${process.platform} ${process.arch}\n`,
  );
  process.exit(1);
}
if (needsPages) buildPages(env);
for (const step of chosen.steps) {
  const status = run(step, env);
  if (status !== 0) process.exit(status);
}
