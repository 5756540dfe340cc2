import { defineConfig } from 'vitest/config';

/** Commands that measure or compare and write a table to bench/results; `npm test` does not run them. */
export default defineConfig({
  test: { include: ['bench/**/*.test.ts'], testTimeout: 3_600_000, pool: 'forks', maxWorkers: 1 },
});
