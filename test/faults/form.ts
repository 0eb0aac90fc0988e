/**
 * How long the fault tests are: the short form runs with all other tests, the full one by hand and alone, for some hours, one file
 * after another: `TILLWATCH_FAULTS=full npm test -- test/faults --maxWorkers 1`.
 */
import { test } from 'vitest';

const FULL = process.env.TILLWATCH_FAULTS === 'full';

export function byForm<T>(short: T, full: T): T {
  return FULL ? full : short;
}

/** Of each scenario. */
export const ROUNDS = Number(process.env.TILLWATCH_ROUNDS ?? byForm(3, 50));

/** For rounds that mostly wait, each for an installation of its own: side by side in the short form, one after the other in the full one. */
export const waitingTest = byForm(test.concurrent, test);

export function seeds(first: number, rounds = ROUNDS): number[] {
  return Array.from({ length: rounds }, (_, round) => first + round);
}
