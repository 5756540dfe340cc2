import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    // Of bench/, what computes the inputs: it is quick, and needs no tools.
    include: ['src/**/*.test.ts', 'test/**/*.test.ts', 'bench/boards/sound/*.test.ts'],
    testTimeout: 300_000,
    pool: 'forks',
    maxWorkers: 2,
  },
});
