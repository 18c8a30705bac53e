/** `npm run bench -- NAME`: figures by hand, never a test. Each prints ratios against a peer or a limit of the same run. */
import { benchCheck } from "./check.ts";
import { benchMilter } from "./milter.ts";
import { benchPages } from "./pages.ts";
import { benchPublish } from "./publish.ts";
import { benchServe } from "./serve.ts";
import { benchStore } from "./store.ts";
import { benchWatch } from "./watch.ts";

const BENCHMARKS: Readonly<Record<string, (words: readonly string[]) => Promise<void>>> = {
  check: benchCheck,
  milter: benchMilter,
  pages: benchPages,
  publish: benchPublish,
  serve: benchServe,
  store: benchStore,
  watch: benchWatch,
};

const [name = "", ...words] = process.argv.slice(2);
const chosen = BENCHMARKS[name];
if (chosen === undefined) {
  process.stderr.write(
    `bench: there are ${Object.keys(BENCHMARKS).join(", ")}; as in npm run bench -- check\n`,
  );
  process.exitCode = 64;
} else {
  await chosen(words);
}
