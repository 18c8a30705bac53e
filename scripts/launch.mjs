// Runs on whatever Node the machine has (16 or newer): installs what a command needs on first use, then goes
// on under the pinned Node that the lock file brings along. Usage: node scripts/launch.mjs COMMAND [ARGUMENT…]
import { spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { delimiter, dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const bin = join(root, "node_modules", ".bin");
const stamp = join(root, "node_modules", ".zonepost-installed");
const [command, ...rest] = process.argv.slice(2);

/** Nearly all that a check allocates dies young; the default would let it fill 100 MB before it is collected. */
const SMALL_HEAP = "--max-semi-space-size=16";

/** The steps of each command, run in order with the pinned Node in front of the path. */
const COMMANDS = {
  tour: { steps: [["node", "src/main.ts", "tour"]] },
  run: { steps: [["node", SMALL_HEAP, "src/main.ts", ...rest]] },
  test: {
    development: true,
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
      ["knip"],
      ["vitest", "run", "test/boundaries.test.ts", "test/docs.test.ts"],
    ],
  },
  format: { development: true, steps: [["biome", "check", "--write", "."]] },
  bench: { development: true, steps: [["node", SMALL_HEAP, "bench/main.ts", ...rest]] },
  docs: { development: true, steps: [["node", "scripts/write-reference.ts"]] },
  build: { development: true, steps: [["tsc", "-p", "tsconfig.build.json"]] },
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

const chosen = COMMANDS[command];
if (chosen === undefined) {
  process.stderr.write(
    `zonepost: no command "${command ?? ""}"; there are ${Object.keys(COMMANDS).join(", ")}\n`,
  );
  process.exit(64);
}
install(chosen.development ?? false);
const env = { ...process.env, PATH: `${bin}${delimiter}${process.env.PATH ?? ""}` };
const carried = existsSync(join(bin, "node"));
if (!carried && Number(process.versions.node.split(".")[0]) < 24) {
  process.stderr.write(
    `zonepost: needs Node 24 or newer; this machine has ${process.versions.node}, and there is no carried-along Node for ${process.platform} ${process.arch}\n`,
  );
  process.exit(1);
}
for (const step of chosen.steps) {
  const status = run(step, env);
  if (status !== 0) process.exit(status);
}
