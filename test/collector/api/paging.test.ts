import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { cursorKey, leastOf, pageOf } from '../../../collector/api/paging.ts';

const byKey = (a: { key: string }, b: { key: string }) => (a.key < b.key ? -1 : 1);

describe('pages', () => {
  it('follow one another to every row that passes, none skipped and none twice, each after a bounded look', () => {
    const lists = fc.uniqueArray(fc.record({ key: fc.stringMatching(/^[a-z]{1,3}$/), passes: fc.boolean() }), {
      selector: ({ key }) => key,
    });
    fc.assert(
      fc.property(lists, fc.integer({ min: 1, max: 5 }), fc.integer({ min: 1, max: 5 }), (list, limit, most) => {
        const rows = list.toSorted(byKey).map(({ key, passes }) => ({ key, item: passes ? key : undefined }));
        const seen: string[] = [];
        let pages = 0;
        for (let cursor: string | null | undefined; cursor !== null; pages++) {
          const after = cursorKey(cursor, /^[a-z]+$/);
          const { items, next } = pageOf(
            rows.filter(({ key }) => after === undefined || key > after),
            limit,
            most,
          );
          expect(items.length).toBeLessThanOrEqual(Math.min(limit, most));
          seen.push(...items);
          cursor = next;
        }
        expect(seen).toEqual(rows.flatMap(({ item }) => (item === undefined ? [] : [item])));
        expect(pages).toBeLessThanOrEqual(rows.length + 1);
      }),
      { seed: 7, numRuns: 300 },
    );
  });

  it('take the least keys out of rows in any order, as a sort of all would', () => {
    fc.assert(
      fc.property(fc.uniqueArray(fc.string({ maxLength: 3 }), { maxLength: 60 }), fc.integer({ min: 1, max: 12 }), (keys, count) => {
        const rows = keys.map((key) => ({ key }));

        expect(leastOf(rows, count)).toEqual(rows.toSorted(byKey).slice(0, count));
      }),
      { seed: 7, numRuns: 500 },
    );
  });
});
