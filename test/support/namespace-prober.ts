/** The prober inside a network namespace: a process of its own that is asked from outside. */
import { type ChildProcess, fork } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";
import type { Prober } from "../../src/check/probe.ts";
import type { ProberOptions } from "../../src/net/service-probe.ts";
import type { NetworkNamespace } from "./network-namespace.ts";

export interface NamespaceProber extends Prober {
  stop(): Promise<void>;
}

export interface Question {
  readonly id: number;
  readonly method: keyof Prober;
  readonly argument: unknown;
}

export type Answer = { readonly id: number } & ({ readonly value: unknown } | { readonly problem: string });

export async function startProber(
  namespace: NetworkNamespace,
  options: ProberOptions,
): Promise<NamespaceProber> {
  const child = fork(fileURLToPath(new URL("./prober-process.ts", import.meta.url)), [], {
    execPath: "ip",
    execArgv: ["netns", "exec", namespace.name, process.execPath],
    // Octets and dates arrive as what they are.
    serialization: "advanced",
  });
  child.send(options);
  const waiting = new Map<number, (answer: Answer) => void>();
  child.on("message", (answer: Answer) => waiting.get(answer.id)?.(answer));
  child.on("exit", () => {
    for (const [id, tell] of waiting) tell({ id, problem: "the prober's process has ended" });
  });
  let asked = 0;
  const ask = (method: keyof Prober, argument: unknown): Promise<never> =>
    new Promise((resolve, reject) => {
      const id = ++asked;
      waiting.set(id, (answer) => {
        waiting.delete(id);
        if ("problem" in answer) reject(new Error(answer.problem));
        else resolve(answer.value as never);
      });
      child.send({ id, method, argument } satisfies Question);
    });
  return {
    probeService: (target) => ask("probeService", target),
    fetchHttps: (request) => ask("fetchHttps", request),
    stop: () => stop(child),
  };
}

async function stop(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const exited = once(child, "exit");
  child.disconnect();
  await exited;
}
