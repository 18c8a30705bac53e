/** Several resolvers as one. */
import type { DomainName } from "./name.ts";
import type { RecordType } from "./record.ts";
import type { Answer, Resolver, Unknown } from "./resolver.ts";

/** Asks the resolvers in their order until one gives an answer; validation that failed is an answer too. */
export function createFailoverResolver(resolvers: readonly Resolver[]): Resolver {
  const [only] = resolvers;
  if (only !== undefined && resolvers.length === 1) return only;
  return {
    async lookup<T extends RecordType>(name: DomainName, type: T): Promise<Answer<T>> {
      let first: Unknown | undefined;
      for (const resolver of resolvers) {
        const answer = await resolver.lookup(name, type);
        if (answer.status !== "unknown" || answer.cause === "bogus") return answer;
        first ??= answer;
      }
      return first ?? { status: "unknown", cause: "network", detail: "no resolver is configured" };
    },
  };
}
