import { relative } from 'node:path';
import { defineConfig } from 'vitest/config';
import { BaseSequencer, type TestSpecification } from 'vitest/node';

/** Those that take minutes, so that none of them is left alone at the end. */
const LONG =
  /^test\/(faults\/(kill|influx|clock|bad-influx|disk|power-loss)|broker\/hostile-process|e2e\/(namespaces|demo|dashboards)|fuzz\/)/;

class LongestFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const isLong = ({ moduleId }: TestSpecification) => LONG.test(relative(import.meta.dirname, moduleId));
    const sorted = await super.sort(files);
    return [...sorted.filter(isLong), ...sorted.filter((file) => !isLong(file))];
  }
}

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
    sequence: { sequencer: LongestFirst },
  },
});
