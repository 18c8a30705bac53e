/** Started by namespace-prober.ts: its first message are the prober's options, each further one is a question. */
import type { Prober } from "../../src/check/probe.ts";
import { createProber, type ProberOptions } from "../../src/net/service-probe.ts";
import type { Answer, Question } from "./namespace-prober.ts";

let prober: Prober | undefined;

process.on("message", (message) => {
  if (prober === undefined) prober = createProber(message as ProberOptions);
  else void answer(prober, message as Question);
});

async function answer(asked: Prober, { id, method, argument }: Question): Promise<void> {
  let told: Answer;
  try {
    told = { id, value: await asked[method](argument as never) };
  } catch (error) {
    told = { id, problem: String(error) };
  }
  process.send?.(told);
}
