/** The guides and the unit for systemd, as far as they can be run: commands, options, description, lines for Postfix. */
import { spawnSync } from "node:child_process";
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import type { MilterJob } from "../src/interface/cli/tools.ts";
import { parseDescription } from "../src/records/description.ts";
import { openStore } from "../src/store/open.ts";
import { zonepost } from "./support/cli.ts";
import { findProgram } from "./support/real-server.ts";
import { PROJECT } from "./support/source-reader.ts";

const GUIDES = join(PROJECT, "docs/guides");
const UNIT = readFileSync(join(PROJECT, "examples/systemd/zonepost-milter.service"), "utf8");
const SYSTEMD_ANALYZE = findProgram("systemd-analyze");
const guides = readdirSync(GUIDES).map((name) => ({ name, text: readFileSync(join(GUIDES, name), "utf8") }));
const MILTER_GUIDE = guides.find(({ name }) => name === "sign-mail-with-postfix.md")!;

const blocks = (text: string, language: string): readonly string[] =>
  [...text.matchAll(new RegExp(`^\`\`\`${language}\\n([\\s\\S]*?)^\`\`\`$`, "gm"))].map(
    ([, block]) => block!,
  );
/** From blocks and from the running text. */
const commands = (text: string): readonly string[] => [
  ...blocks(text, "sh").flatMap((block) => block.split("\n").filter((line) => line.startsWith("zonepost "))),
  ...[...text.replace(/^```[\s\S]*?^```$/gm, "").matchAll(/`(zonepost [^`]+)`/g)].map(([, line]) => line!),
];
const directory = mkdtempSync(join(tmpdir(), "zonepost-guides-"));
afterAll(() => rmSync(directory, { recursive: true }));

describe.each(guides)("$name", ({ text }) => {
  it("fits on a screen or two", () => {
    expect(text.split("\n").length).toBeLessThan(100);
  });

  it.each(commands(text))("%s: there is such a command, with such options", async (line) => {
    const words = line.split(" ").slice(1);
    const first = words.findIndex((word) => word.startsWith("-"));
    const names = (first < 0 ? words : words.slice(0, first)).filter((word) => !word.includes("."));
    const { exitCode, out } = await zonepost([...names, "--help"]);
    expect(exitCode).toBe(0);
    expect(out).toMatch(new RegExp(`^Usage: zonepost ${names.join(" ")}\\b`, "m"));
    for (const word of words.filter((each) => each.startsWith("--"))) {
      expect(out).toMatch(new RegExp(`(?:^|\\s)${word}\\b`, "m"));
    }
  });

  it.each(blocks(text, "yaml"))("describes what can be: %#", (block) => {
    expect(parseDescription(block)).toMatchObject({ ok: true });
  });
});

describe("sign-mail-with-postfix.md", () => {
  const { text } = MILTER_GUIDE;

  it("has the lines for Postfix that the command prints", async () => {
    const [lines = ""] = blocks(text, "ini");
    const { out } = await zonepost(["milter", "postfix-config"]);
    expect(lines.split("\n").length).toBe(4);
    expect(out).toContain(`# main.cf\n${lines}`);
    const option = "-o milter_macro_daemon_name=ORIGINATING";
    expect([text.includes(`\`${option}\``), out.includes(`  ${option}\n`)]).toEqual([true, true]);
  });

  it("makes keys as it says", async () => {
    const files = { "/etc/zonepost/seal.key": "gAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=" };
    const openState = () => openStore({ kind: "sqlite", path: join(directory, "keys", "zonepost.db") });
    const made = [];
    for (const line of commands(text).filter((each) =>
      each.startsWith("zonepost keys generate example.org"),
    )) {
      const words = line.split(" ").slice(1);
      const run = await zonepost([...words, "--json"], {
        files,
        tools: { openState, isAdministrator: true },
      });
      expect({ exitCode: run.exitCode, line }).toEqual({ exitCode: 0, line });
      made.push(run.out);
    }
    expect(made.join("")).toMatch(/"202611"[\s\S]*"202611-ed"/);
  });
});

describe("zonepost-milter.service", () => {
  const command = /^ExecStart=\/usr\/local\/bin\/zonepost (.*)$/m.exec(UNIT)?.[1] ?? "";

  it("runs a command that is understood, with what the guide describes", async () => {
    const [description = ""] = blocks(MILTER_GUIDE.text, "yaml");
    let job: MilterJob | undefined;
    let authservId: string | undefined;
    const { exitCode } = await zonepost(command.split(" "), {
      files: { "/etc/zonepost/zonepost.yaml": description },
      tools: {
        openState: () => openStore({ kind: "sqlite", path: join(directory, "milter", "zonepost.db") }),
        serveMilter: async (given) => {
          job = given;
          authservId = (await given.load()).settings.authservId;
        },
      },
    });
    expect(exitCode).toBe(0);
    expect(job).toMatchObject({
      address: { kind: "unix", path: "/var/spool/postfix/zonepost/milter.sock" },
      socketGroup: "postfix",
      socketMode: 0o660,
      graceMilliseconds: 30_000,
    });
    expect(authservId).toBe("mail.example.org");
  });

  it("lets the milter write where it writes, and leaves it time to end", () => {
    expect(UNIT).toMatch(/^ReadWritePaths=\/var\/spool\/postfix\/zonepost$/m);
    expect(UNIT).toMatch(/^StateDirectory=zonepost$/m);
    expect(Number(/^TimeoutStopSec=(\d+)$/m.exec(UNIT)?.[1])).toBeGreaterThan(30 + 5);
  });

  it.skipIf(SYSTEMD_ANALYZE === undefined)("is a unit that systemd understands", () => {
    const path = join(directory, "zonepost-milter.service");
    // The program is not installed here, and users are not made.
    writeFileSync(path, UNIT.replace("/usr/local/bin/zonepost", process.execPath));
    const words = ["verify", "--man=no", path];
    const { stdout, stderr } = spawnSync(SYSTEMD_ANALYZE!, words, { encoding: "utf8" });
    const said = `${stdout}${stderr}`.split("\n").filter((line) => line.includes("zonepost-milter"));
    expect(said).toEqual([]);
    writeFileSync(path, `${UNIT}\nNoNewPrivilege=yes\n`);
    const again = spawnSync(SYSTEMD_ANALYZE!, words, { encoding: "utf8" });
    expect(again.stderr).toContain("NoNewPrivilege");
  });
});
