/** One node that works at jobs on PostgreSQL until it is killed: `node job-node-process.ts URL`. Tells each job it begins. */
import { openGraphileJobQueue } from "../../src/net/graphile-job-queue.ts";
import { endWhereSilent } from "../../src/store/silent-line.ts";

const queue = await openGraphileJobQueue({
  url: process.argv[2]!,
  onTrouble: (trouble) => process.stderr.write(`${trouble}\n`),
  onConnection: endWhereSilent,
  maxAttempts: 5,
  pollMilliseconds: 100,
  rescueMilliseconds: 300,
});
await queue.work(
  {
    "rotation-step": async ({ domain }) => {
      process.stdout.write(`${domain}\n`);
      // Longer than it will live.
      await new Promise((resolve) => setTimeout(resolve, 60_000));
    },
  },
  { concurrency: 2 },
);
