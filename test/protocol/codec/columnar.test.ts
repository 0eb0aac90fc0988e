import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { COLUMNS, expandColumns, toColumns } from '../../../protocol/codec/columnar.ts';
import type { Sample } from '../../../protocol/schemas/sample.ts';
import { plain, SEED, sample } from '../arbitraries.ts';

describe('columns', () => {
  it('give back the samples that they were made of', () => {
    fc.assert(
      fc.property(fc.array(sample, { maxLength: 30 }), (list) => {
        const samples = plain(list) as Sample[];
        expect(expandColumns(plain({ seq: 1, ...toColumns(samples) }))).toEqual({ ok: true, value: { seq: 1, samples } });
      }),
      { seed: SEED, numRuns: 500 },
    );
  });

  it('exist only for members that some sample has, null where another lacks it', () => {
    const samples = [{ at: 1 }, { at: 2, signal: { rsrp: -90 } }, { at: 3, outcomes: [] }];
    expect(toColumns(samples)).toEqual({ at: [1, 2, 3], cols: { 'signal.rsrp': [null, -90, null], outcomes: [null, null, []] } });
  });

  it('bear the paths of the members of a sample', () => {
    for (const name of ['signal.rsrp', 'radio.secondsByRat.lte', 'bindings.terminals.bound', 'outcomes', 'place.datum'])
      expect(COLUMNS.has(name)).toBe(true);
    for (const name of ['at', 'signal', 'radio.secondsByRat']) expect(COLUMNS.has(name)).toBe(false);
  });

  it('with unknown names are kept out, whatever they hold', () => {
    const cols = JSON.parse('{"signal.mood":[1,2,3],"__proto__":[5],"at":[9],"constructor":7,"signal":[{}]}');
    expect(expandColumns({ at: [1], cols })).toEqual({ ok: true, value: { samples: [{ at: 1 }] } });
  });

  it('keep values of wrong types for the schema to judge', () => {
    expect(expandColumns({ at: ['x'], cols: { 'signal.rsrp': [{}] } })).toEqual({
      ok: true,
      value: { samples: [{ at: 'x', signal: { rsrp: {} } }] },
    });
  });

  it.each([
    ['times are no array', { at: 5, cols: {} }, 'at: expected array'],
    ['times are missing', { cols: {} }, 'at: expected array'],
    ['columns are no object', { at: [1], cols: [] }, 'cols: expected object'],
    ['a column is no array', { at: [1], cols: { outcomes: 5 } }, 'cols.outcomes: expected array'],
    ['a column is too long', { at: [1], cols: { outcomes: [null, null] } }, 'cols.outcomes: expected as many items as in at'],
    ['there are too many samples', { at: Array(4097).fill(1), cols: {} }, 'at: expected at most 4096 items'],
  ])('are refused where %s', (_, value, detail) => {
    expect(expandColumns(value)).toEqual({ ok: false, detail });
  });

  it.each([[null], [5], ['text'], [[]], [{ samples: [], cols: 5 }], [{ at: 5 }]])('leave %j as it is', (value) => {
    expect(expandColumns(value)).toEqual({ ok: true, value });
  });
});
