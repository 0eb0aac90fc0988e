import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    include: ['test/**/*.test.ts'],
    exclude: ['test/bench/**', '**/node_modules/**'],
    testTimeout: 30_000,
    hookTimeout: 60_000,
    // Tests start real servers and kill them: more at once on a small machine measures the machine.
    maxWorkers: 2,
    pool: 'forks',
    passWithNoTests: false,
  },
});
