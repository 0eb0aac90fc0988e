import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { newestAt, pointsOf, withPoint } from '../../../watch/fleet/recent.ts';
import { MINUTE, MONDAY, SEED } from '../support/log.ts';

describe('the recent levels', () => {
  it('are the last so many', () => {
    let recent = '';
    for (let n = 0; n < 9; n++) recent = withPoint(recent, 3, MONDAY + n * MINUTE, -80 - n);

    expect(pointsOf(recent)).toEqual([6, 7, 8].flatMap((n) => [MONDAY + n * MINUTE, -80 - n]));
    expect(newestAt(recent)).toBe(MONDAY + 8 * MINUTE);
  });

  it('have no newest where there are none', () => {
    expect(newestAt('')).toBeNull();
    expect(pointsOf('')).toEqual([]);
  });

  it('come back to five seconds and a hundredth of a decibel, from JSON in UTF-8 too', () => {
    const at = fc.integer({ min: 0, max: Date.UTC(2120, 0) });

    fc.assert(
      fc.property(at, fc.double({ min: -157, max: -1, noNaN: true }), (time, level) => {
        const saved = Buffer.from(JSON.stringify(withPoint('', 6, time, level)), 'utf8');
        const [t, l] = pointsOf(JSON.parse(saved.toString('utf8'))) as [number, number];

        expect(Math.abs(t - time)).toBeLessThanOrEqual(2_500);
        expect(Math.abs(l - level)).toBeLessThan(0.006);
      }),
      { seed: SEED },
    );
  });
});
