import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Tally } from '../../../watch/fleet/tally.ts';
import { SEED } from '../support/log.ts';

/** Adds a key, or takes one away where there is one. */
const CHANGES = fc.array(fc.record({ key: fc.constantFrom('a', 'b', 'c'), isMore: fc.boolean() }), { maxLength: 40 });

describe('a tally', () => {
  it('counts as a map would, whatever comes and goes', () => {
    fc.assert(
      fc.property(CHANGES, (changes) => {
        const tally = new Tally<string>();
        const counts = new Map<string, number>();
        for (const { key, isMore } of changes) {
          const before = counts.get(key) ?? 0;
          if (!isMore && before === 0) continue;
          tally.add(key, isMore ? 1 : -1);
          counts.set(key, before + (isMore ? 1 : -1));
        }
        const present = [...counts].filter(([, count]) => count > 0);
        expect(tally.isEmpty).toBe(present.length === 0);
        expect(tally.only).toBe(present.length === 1 ? present[0]![0] : undefined);
        for (const key of ['a', 'b', 'c']) expect(tally.sumOf((other) => other === key)).toBe(counts.get(key) ?? 0);
      }),
      { seed: SEED, numRuns: 300 },
    );
  });
});
