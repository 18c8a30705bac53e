/** A process of ours inside a network namespace, that is asked from outside: one message for a question, one for its answer. */
import { type ChildProcess, fork } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";
import type { NetworkNamespace } from "./network-namespace.ts";

export interface NamespaceQuestion {
  readonly id: number;
  readonly method: string;
  readonly argument: unknown;
}

export type NamespaceAnswer = { readonly id: number } & (
  | { readonly value: unknown }
  | { readonly problem: string }
);

export interface NamespaceProcess {
  ask(method: string, argument: unknown): Promise<never>;
  stop(): Promise<void>;
}

export function startInNamespace(namespace: NetworkNamespace, program: URL): NamespaceProcess {
  const child = fork(fileURLToPath(program), [], {
    execPath: "ip",
    execArgv: ["netns", "exec", namespace.name, process.execPath],
    // Octets and dates arrive as what they are.
    serialization: "advanced",
  });
  const waiting = new Map<number, (answer: NamespaceAnswer) => void>();
  child.on("message", (answer: NamespaceAnswer) => waiting.get(answer.id)?.(answer));
  child.on("exit", () => {
    for (const [id, tell] of waiting) tell({ id, problem: "the process inside the namespace has ended" });
  });
  let asked = 0;
  return {
    ask: (method, argument) =>
      new Promise((resolve, reject) => {
        const id = ++asked;
        waiting.set(id, (answer) => {
          waiting.delete(id);
          if ("problem" in answer) reject(new Error(answer.problem));
          else resolve(answer.value as never);
        });
        child.send({ id, method, argument } satisfies NamespaceQuestion);
      }),
    stop: () => stop(child),
  };
}

async function stop(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const exited = once(child, "exit");
  child.disconnect();
  await exited;
}

/** Inside: answers each question by the method of its name, until nobody is there to ask. */
export function answerQuestions(methods: Readonly<Record<string, (argument: never) => unknown>>): void {
  process.on("message", async ({ id, method, argument }: NamespaceQuestion) => {
    let told: NamespaceAnswer;
    try {
      const act = methods[method];
      if (act === undefined) throw new TypeError(`there is no ${method} here`);
      told = { id, value: await act(argument as never) };
    } catch (error) {
      told = { id, problem: String(error) };
    }
    process.send?.(told);
  });
  process.on("disconnect", () => process.exit());
}
