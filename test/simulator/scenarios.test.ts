import { describe, expect, it } from 'vitest';
import { REASONS } from '../../protocol/alerts.ts';
import { SCENARIOS } from '../../simulator/scenarios.ts';
import { tell } from './support.ts';

describe('the truth beside them', () => {
  it('knows every type of alert, given days and terminals', () => {
    const { truth } = tell('day', { terminals: 150, days: 10, seed: 3, rate: 150 });
    const types = new Set(truth.map(({ type }) => type));

    expect(Object.keys(REASONS).filter((type) => !types.has(type as keyof typeof REASONS))).toEqual([]);
  });

  it.each(SCENARIOS.filter(({ name }) => name in REASONS).map(({ name }) => ({ name })))('of $name is of that type alone', ({ name }) => {
    const { truth } = tell(name, { terminals: 120, seed: 9 });

    expect(truth.length).toBeGreaterThan(0);
    for (const { type, reason, startsAt, endsAt, firedBetween } of truth) {
      expect(type).toBe(name);
      const known: readonly string[] = REASONS[type];
      expect(known).toEqual(expect.arrayContaining(reason));
      expect(startsAt).toBeLessThan(endsAt ?? Number.POSITIVE_INFINITY);
      if (firedBetween) expect(firedBetween[0]).toBeLessThan(firedBetween[1]);
    }
  });

  it('knows nothing of a quiet day', () => {
    expect(tell('quiet', { days: 2 }).truth).toEqual([]);
  });
});
