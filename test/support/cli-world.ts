/** The command line on a table's world: `await look(["check", "example.org"], { zone: HEALTHY })`. */
import { type CliRun, type CliSetup, zonepost } from "./cli.ts";
import { tableWorld, type WorldRows } from "./table-world.ts";

export interface WorldRun extends CliRun {
  /** Whether the world was opened, and closed again. */
  readonly opened: number;
  readonly closed: number;
}

export async function look(
  words: readonly string[],
  rows: WorldRows,
  setup: CliSetup = {},
): Promise<WorldRun> {
  let opened = 0;
  let closed = 0;
  const run = await zonepost(words, {
    ...setup,
    tools: {
      ...setup.tools,
      organizationalDomain: tableWorld(rows).organizationalDomain,
      openWorld: async () => {
        opened += 1;
        return {
          world: tableWorld(rows),
          queriesSent: () => 0,
          close: async () => {
            closed += 1;
          },
        };
      },
    },
  });
  return { ...run, opened, closed };
}
