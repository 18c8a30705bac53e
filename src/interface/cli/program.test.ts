import { describe, expect, it } from "vitest";
import { fakeTools, zonepost } from "../../../test/support/cli.ts";
import { createProgram } from "./program.ts";

const program = createProgram(fakeTools().tools, () => undefined);
const commands = program.commands.flatMap((command) => [
  [command.name()],
  ...command.commands.map((below) => [command.name(), below.name()]),
]);

describe("the command line", () => {
  it("has its commands", () => {
    expect(commands.map((words) => words.join(" "))).toEqual(
      expect.arrayContaining([
        "check",
        "explain",
        "init",
        "lint",
        "lookup",
        "records",
        "spf test",
        "spf tree",
        "tour",
      ]),
    );
  });

  it.each(commands.map((words) => [words.join(" "), words] as const))(
    "%s explains itself",
    async (name, words) => {
      const { exitCode, out, err } = await zonepost([...words, "--help"]);
      expect({ exitCode, err }).toEqual({ exitCode: 0, err: "" });
      expect(out).toContain(`Usage: zonepost ${name}`);
      expect(out).toMatch(/--json|Commands:/);
    },
  );

  it.each([
    [["chekc", "example.org"], "Did you mean check?"],
    [["explian"], "Did you mean explain?"],
    [["lokup", "example.org"], "Did you mean lookup?"],
    [["spf", "tset", "example.org"], "Did you mean test?"],
    [["check", "--quite", "example.org"], "Did you mean --quiet?"],
  ])("%j is answered with the nearest word", async (words, answer) => {
    const { exitCode, err, out } = await zonepost(words);
    expect({ exitCode, out }).toEqual({ exitCode: 64, out: "" });
    expect(err).toMatch(new RegExp(answer.replace(/\?$/, "\\?")));
  });

  it("without words says what there is", async () => {
    const { exitCode, out } = await zonepost([]);
    expect(exitCode).toBe(0);
    for (const [name] of commands) expect(out).toContain(name);
  });

  it("tells its version", async () => {
    expect(await zonepost(["--version"])).toMatchObject({
      exitCode: 0,
      out: expect.stringMatching(/^\d+\.\d+\.\d+\n$/),
    });
  });
});
