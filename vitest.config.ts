import { availableParallelism } from "node:os";
import { defineConfig } from "vitest/config";

export default defineConfig({
  test: {
    include: ["src/**/*.test.ts", "test/**/*.test.ts"],
    // Far beyond what anything takes: a machine that is slow for a while must fail nothing.
    testTimeout: 120_000,
    hookTimeout: 180_000,
    expect: { poll: { timeout: 20_000 } },
    // Much of the time goes by in waiting for servers: on two cores the usual number would be one.
    maxWorkers: Math.max(2, availableParallelism() - 1),
  },
});
