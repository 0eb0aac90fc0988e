import type { Scenario } from './scenarios.ts';

export const DAY_MS = 86_400_000;

/** What is told. */
export interface Story {
  seed: number;
  terminals: number;
  scenario: Scenario;
  /** Epoch milliseconds. */
  startAt: number;
  /** Seconds of the story in one of the clock's. Beyond 1 the shops are always open. */
  speed: number;
  /** Incidents in 1 000 terminal-days; undefined: as the scenario draws them. */
  rate?: number | undefined;
}
