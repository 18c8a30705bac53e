/** DNS for one message, and no more of it than the message is worth: so many questions, so much time. */
import type { DomainName } from "../standards/dns/name.ts";
import type { RecordType } from "../standards/dns/record.ts";
import type { Answer, Resolver, Unknown } from "../standards/dns/resolver.ts";

export interface ResolverBudget {
  /** From the first question on. */
  readonly milliseconds: number;
  /** Questions, whether a cache knows the answer or not. */
  readonly queries: number;
}

export interface BudgetedResolver {
  readonly resolver: Resolver;
  /** The message is done: who still waits for an answer, or asks for one, hears that there is none. */
  close(): void;
}

/** What goes beyond the budget is `unknown` with the cause "timeout", and nobody is asked. */
export function openBudgetedResolver(resolver: Resolver, budget: ResolverBudget): BudgetedResolver {
  const budgeted = new Budgeted(resolver, budget);
  return { resolver: budgeted, close: () => budgeted.end("the message that asked for it is done") };
}

class Budgeted implements Resolver {
  readonly #resolver: Resolver;
  readonly #budget: ResolverBudget;
  readonly #waiting = new Set<(answer: Unknown) => void>();
  #queriesLeft: number;
  #timer: NodeJS.Timeout | undefined;
  /** Once there is one, it is the answer to everything. */
  #end: Unknown | undefined;

  constructor(resolver: Resolver, budget: ResolverBudget) {
    this.#resolver = resolver;
    this.#budget = budget;
    this.#queriesLeft = budget.queries;
  }

  lookup<T extends RecordType>(name: DomainName, type: T): Promise<Answer<T>> {
    if (this.#end !== undefined) return Promise.resolve(this.#end);
    const { queries, milliseconds } = this.#budget;
    if (this.#queriesLeft <= 0)
      return Promise.resolve(refusal(`one message may ask ${queries} questions, and has asked them`));
    this.#queriesLeft -= 1;
    this.#timer ??= setTimeout(
      () => this.end(`the ${milliseconds / 1_000} s of DNS for one message are over`),
      milliseconds,
    );
    // Not Promise.race: it would keep every answer for as long as a server is silent.
    return new Promise((resolve, reject) => {
      const waiting = this.#waiting.add(resolve);
      this.#resolver.lookup(name, type).then(
        (answer) => {
          waiting.delete(resolve);
          resolve(answer);
        },
        (error: unknown) => {
          waiting.delete(resolve);
          reject(error);
        },
      );
    });
  }

  end(detail: string): void {
    if (this.#end !== undefined) return;
    clearTimeout(this.#timer);
    this.#end = refusal(detail);
    for (const answer of this.#waiting) answer(this.#end);
    this.#waiting.clear();
  }
}

function refusal(detail: string): Unknown {
  return { status: "unknown", cause: "timeout", detail };
}
