import { availableParallelism } from "node:os";
import { defineConfig } from "vitest/config";

export default defineConfig({
  test: {
    include: ["src/**/*.test.ts", "test/**/*.test.ts"],
    testTimeout: 30_000,
    hookTimeout: 60_000,
    // Much of the time goes by in waiting for servers: on two cores the usual number would be one.
    maxWorkers: Math.max(2, availableParallelism() - 1),
  },
});
