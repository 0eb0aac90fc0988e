import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { createWheel, MAX_TICKS } from '../../../broker/front/wheel.ts';

describe('the wheel', () => {
  it('has each entry due after just its ticks, and one that was taken out never', () => {
    const entry = fc.record({ at: fc.nat(300), ticks: fc.integer({ min: 1, max: MAX_TICKS }), takenOutAt: fc.option(fc.nat(3_000)) });
    fc.assert(
      fc.property(fc.array(entry, { maxLength: 30 }), (entries) => {
        const due: [number, number][] = [];
        const wheel = createWheel<number>((index) => due.push([index, wheel.now()]));
        const slots = new Map<number, { delete(index: number): boolean }>();
        while (wheel.now() < 300 + MAX_TICKS) {
          entries.forEach(({ at, ticks, takenOutAt }, index) => {
            if (at === wheel.now()) slots.set(index, wheel.add(index, ticks));
            if (takenOutAt === wheel.now()) slots.get(index)?.delete(index);
          });
          wheel.tick();
        }
        const left = entries
          .map(({ at, ticks, takenOutAt }, index) => ({
            index,
            due: at + ticks,
            out: takenOutAt !== null && takenOutAt >= at && takenOutAt < at + ticks,
          }))
          .filter(({ out }) => !out);
        expect(due.toSorted((a, b) => a[0] - b[0])).toEqual(left.map((one) => [one.index, one.due]));
      }),
      { seed: 21 },
    );
  });

  it('takes an entry again while it is due', () => {
    const due: number[] = [];
    const wheel = createWheel<string>((entry) => {
      due.push(wheel.now());
      wheel.add(entry, 2);
    });
    wheel.add('x', 1);

    for (let i = 0; i < 6; i += 1) wheel.tick();

    expect(due).toEqual([1, 3, 5]);
  });
});
