/** What pages have read, kept and read anew; what is worth trying again is. */
import { notifyManager, QueryClient } from "@tanstack/react-query";
import { whenBack } from "./connection.ts";
import { ApiProblem, ConnectionLost, isProblem } from "./problem.ts";

// A button that is under way is shown so before the second click of two can come.
notifyManager.setScheduler(queueMicrotask);

const MAX_WAITS = 3;
const LONGEST_WAIT_SECONDS = 30;

export function createQueryClient(): QueryClient {
  const client = new QueryClient({
    defaultOptions: {
      queries: {
        staleTime: 15_000,
        networkMode: "always",
        retry: (count, error) => {
          if (error instanceof ConnectionLost) return true;
          if (!isProblem(error, "too-many") || count >= MAX_WAITS) return false;
          return (error.retryAfterSeconds ?? 1) <= LONGEST_WAIT_SECONDS;
        },
        retryDelay: (count, error) =>
          error instanceof ApiProblem
            ? (error.retryAfterSeconds ?? 1) * 1000
            : Math.min(1000 * 2 ** count, 8000),
      },
      mutations: { networkMode: "always", retry: false },
    },
  });
  whenBack(() => void client.refetchQueries({ type: "active" }));
  return client;
}
