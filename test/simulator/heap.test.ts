import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type Due, moved, push } from '../../simulator/heap.ts';

describe('what is due', () => {
  it('comes in order of its time, however often its time is changed', () => {
    const time = fc.integer({ min: 0, max: 30 });
    fc.assert(
      fc.property(fc.array(time, { minLength: 1, maxLength: 40 }), fc.array(fc.tuple(fc.nat(), time)), (times, changes) => {
        const all: Due[] = times.map((nextAt, order) => ({ nextAt, order, key: 0, slot: 0 }));
        const heap: Due[] = [];
        for (const one of all) push(heap, one);
        for (const [which, nextAt] of changes) {
          const one = all[which % all.length]!;
          one.nextAt = nextAt;
          moved(heap, one);
        }

        const order = all.map(() => {
          const { nextAt, order } = heap[0]!;
          heap[0]!.nextAt = Number.POSITIVE_INFINITY;
          moved(heap, heap[0]!);
          return [nextAt, order];
        });

        expect(order).toEqual([...order].sort(([a, b], [c, d]) => a! - c! || b! - d!));
      }),
    );
  });
});
