import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { beginSave, loadRow, type SavedRow, Table, takeSaved } from '../../../watch/fold/table.ts';
import { SEED } from '../support/log.ts';

interface Row {
  n: number;
}

type Action =
  | { set: string; n: number }
  | { change: string; n: number }
  | { delete: string }
  | { drain: true }
  | { take: number }
  | { begin: true };

const key = fc.integer({ min: 0, max: 12 }).map((n) => `k${n}`);
const action: fc.Arbitrary<Action> = fc.oneof(
  { weight: 4, arbitrary: fc.record({ set: key, n: fc.nat() }) },
  { weight: 4, arbitrary: fc.record({ change: key, n: fc.nat() }) },
  { weight: 2, arbitrary: fc.record({ delete: key }) },
  { weight: 1, arbitrary: fc.constant({ drain: true } as const) },
  { weight: 4, arbitrary: fc.record({ take: fc.integer({ min: 1, max: 4 }) }) },
  { weight: 2, arbitrary: fc.constant({ begin: true } as const) },
);

/** Rows on disk: what a save's rows make of what was there. */
function write(disk: Map<string, string>, rows: readonly SavedRow[]): void {
  for (const { table, key: k, value } of rows) {
    if (value === null) disk.delete(`${table} ${k}`);
    else disk.set(`${table} ${k}`, value);
  }
}

function imageOf(tables: Record<string, Map<string, Row>>): Map<string, string> {
  return new Map(Object.entries(tables).flatMap(([name, rows]) => [...rows].map(([k, row]) => [`${name} ${k}`, JSON.stringify(row)])));
}

const sorted = (map: Map<string, string>) => [...map].sort();

function apply(table: Table<Row>, model: Map<string, Row>, a: Action): void {
  if ('set' in a) {
    table.set(a.set, { n: a.n });
    model.set(a.set, { n: a.n });
  } else if ('change' in a) {
    const row = table.change(a.change);
    if (row) row.n = a.n;
    if (model.has(a.change)) model.set(a.change, { n: a.n });
  } else if ('delete' in a) {
    table.delete(a.delete);
    model.delete(a.delete);
  } else if ('drain' in a) {
    expect(table.drain()).toEqual([...model.values()]);
    model.clear();
  }
}

describe('a save', () => {
  it('is what the tables were when it began, however they change while its slices are taken', () => {
    const step = fc.record({ table: fc.constantFrom('a', 'b'), action });

    fc.assert(
      fc.property(fc.array(step, { maxLength: 120 }), (steps) => {
        const tables = { a: new Table<Row>('a'), b: new Table<Row>('b') };
        const models = { a: new Map<string, Row>(), b: new Map<string, Row>() };
        const all = Object.values(tables) as unknown as Table<object>[];
        const disk = new Map<string, string>();
        let saving: Map<string, string> | null = null;
        const take = (limit: number): void => {
          const rows = takeSaved(all, limit);
          expect(rows.length).toBeLessThanOrEqual(limit);
          write(disk, rows);
          if (rows.length > 0) return;
          if (saving) expect(sorted(disk)).toEqual(sorted(saving));
          saving = null;
        };

        for (const { table, action: a } of steps) {
          if ('take' in a) take(a.take);
          else if ('begin' in a) {
            while (saving) take(3);
            beginSave(all);
            saving = imageOf(models);
          } else apply(tables[table as 'a' | 'b'], models[table as 'a' | 'b'], a);
        }
        while (saving) take(2);
        beginSave(all);
        saving = imageOf(models);
        while (saving) take(5);
      }),
      { seed: SEED, numRuns: 1000 },
    );
  });

  it('gives only what changed since the one before', () => {
    const table = new Table<Row>('t');
    const saved = (): string[] => {
      table.beginSave();
      return table.takeSaved(100).map((row) => row.key);
    };
    for (let n = 0; n < 50; n++) table.set(`k${n}`, { n });

    expect(saved()).toHaveLength(50);
    table.change('k7')!.n = 0;
    expect(saved()).toEqual(['k7']);
    expect(saved()).toEqual([]);
  });

  it('does not hold rows that were only read or loaded', () => {
    const table = new Table<Row>('t');
    table.load('k', '{"n":1}');
    table.get('k');
    table.beginSave();

    expect([table.takeSaved(10), table.get('k')]).toEqual([[], { n: 1 }]);
  });

  it('of a table that this fold does not know is refused', () => {
    expect(() => loadRow([new Table('t')], { table: 'other', key: 'k', value: '{}' })).toThrow('other');
  });
});
