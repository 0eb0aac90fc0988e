import { expect, it } from 'vitest';
import { PROBLEMS } from './history.ts';
import { type Figures, tableOf } from './table.ts';

const figures = (seed: number, rate: number, found: Partial<Figures['problems']> = {}): Figures => ({
  scenario: 'any',
  seed,
  faults: { 'kill broker': 2, [`stop ${seed}`]: 1 },
  offered: 100,
  acknowledged: 90,
  stored: 91,
  rate: { offered: 2 * rate, acknowledged: rate },
  problems: { ...(Object.fromEntries(PROBLEMS.map((kind) => [kind, 0])) as Figures['problems']), ...found },
});

it('adds up what rounds came to, and tells each kind of fault', () => {
  const rounds = [figures(1, 50, { missing: 3, early_puback: 1 }), figures(2, 10, { doubled: 2 }), figures(3, 30, { alert_lost: 4 })];

  const [, , , row, faults] = tableOf('all of it', rounds).split('\n');

  expect(row).toBe('| all of it | 3 | 9 | 300 | 270 | 273 | 3 | 2 | 1 | 4 | 60 (20 to 100) | 30 (10 to 50) |');
  expect(faults).toBe('kill broker 6, stop 1 1, stop 2 1, stop 3 1');
});

it('is a table of nothing where no round was judged', () => {
  expect(tableOf('none', []).split('\n')[3]).toBe('| none | 0 | 0 | 0 | 0 | 0 | 0 | 0 | 0 | 0 | – | – |');
});
