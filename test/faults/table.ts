/** What rounds of a scenario came to, as a line each and as a table. */
import { writeSync } from 'node:fs';
import { afterAll } from 'vitest';
import type { PROBLEMS } from './history.ts';

export interface Figures {
  scenario: string;
  seed: number;
  /** What was done to what, and how often: `kill broker`. */
  faults: Readonly<Record<string, number>>;
  /** Reports that terminals took, that were acknowledged, and that the store has. */
  offered: number;
  acknowledged: number;
  stored: number;
  /** Reports a second that were offered, and that were acknowledged, before the first fault; null where nobody measured. */
  rate: { offered: number; acknowledged: number } | null;
  /** What the checker found, by kind. */
  problems: Readonly<Record<(typeof PROBLEMS)[number], number>>;
}

/** The rounds of a scenario, to be filled in; printed as a table when the file's tests have run. */
export function tabled(scenario: string): Figures[] {
  const rounds: Figures[] = [];
  afterAll(() => say(tableOf(scenario, rounds)));
  return rounds;
}

/** Past the test runner's own output. */
export function say(text: string): void {
  writeSync(2, `${text}\n`);
}

export function tableOf(scenario: string, rounds: readonly Figures[]): string {
  const sum = (of: (figures: Figures) => number) => rounds.reduce((total, figures) => total + of(figures), 0);
  const { missing, doubled, early_puback, ...others } = sums(rounds.map(({ problems }) => problems));
  const faults = sums(rounds.map((figures) => figures.faults));
  const cells = {
    scenario,
    rounds: rounds.length,
    faults: Object.values(faults).reduce((total, times) => total + times, 0),
    offered: sum(({ offered }) => offered),
    acknowledged: sum(({ acknowledged }) => acknowledged),
    stored: sum(({ stored }) => stored),
    missing: missing ?? 0,
    duplicates: doubled ?? 0,
    'early PUBACKs': early_puback ?? 0,
    'other problems': Object.values(others).reduce((total, times) => total + times, 0),
    'offered/s': range(rounds.flatMap(({ rate }) => (rate ? [rate.offered] : []))),
    'acknowledged/s': range(rounds.flatMap(({ rate }) => (rate ? [rate.acknowledged] : []))),
  };
  const row = (texts: readonly (string | number)[]) => `| ${texts.join(' | ')} |`;
  const done = Object.entries(faults).map(([what, times]) => `${what} ${times}`);
  return ['', row(Object.keys(cells)), row(Object.keys(cells).map(() => '---')), row(Object.values(cells)), done.join(', '), ''].join('\n');
}

function sums(all: readonly Readonly<Record<string, number>>[]): Record<string, number> {
  const total: Record<string, number> = {};
  for (const one of all) for (const [name, count] of Object.entries(one)) total[name] = (total[name] ?? 0) + count;
  return total;
}

function range(values: readonly number[]): string {
  if (values.length === 0) return '–';
  const [least, median, most] = [0, Math.floor(values.length / 2), values.length - 1].map((i) => values.toSorted((a, b) => a - b)[i]);
  return `${median} (${least} to ${most})`;
}
