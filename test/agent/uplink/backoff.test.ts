import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { fullJitter, slowDelay } from '../../../agent/uplink/backoff.ts';

const chance = fc.double({ min: 0, max: 1, noNaN: true, maxExcluded: true });

describe('the wait before a reconnection', () => {
  test('is from 0 to the doubled base, and never beyond five minutes', () => {
    fc.assert(
      fc.property(fc.nat(2000), chance, (failures, random) => {
        const wait = fullJitter(failures, 3600, () => random);
        const bound = failures > 8 ? 300_000 : 1000 * 2 ** failures;
        expect(wait).toBeGreaterThanOrEqual(0);
        expect(wait).toBeLessThan(bound);
        expect(wait).toBeCloseTo(random * bound, 6);
      }),
      { seed: 1 },
    );
  });

  test('leaves a terminal time to be heard within one interval of a broker that came back', () => {
    fc.assert(
      fc.property(fc.nat(2000), fc.integer({ min: 1, max: 86_400 }), chance, (failures, interval, random) => {
        expect(fullJitter(failures, interval, () => random)).toBeLessThan(interval * 500);
      }),
      { seed: 1 },
    );
  });

  test('is minutes after a refusal of the credentials', () => {
    fc.assert(
      fc.property(chance, (random) => {
        expect(slowDelay(() => random)).toBeGreaterThanOrEqual(150_000);
        expect(slowDelay(() => random)).toBeLessThan(300_000);
      }),
      { seed: 1 },
    );
  });
});
