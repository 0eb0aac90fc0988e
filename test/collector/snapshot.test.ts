import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { openMemoryState } from '../../backbone/memory.ts';
import type { StateStore } from '../../backbone/state.ts';
import { Snapshot } from '../../collector/snapshot.ts';
import { beginSave, loadRow, Table } from '../../watch/fold/table.ts';
import { LastingState } from './owner/harness.ts';

interface Row {
  n: number;
}

const RENEWAL = { times: 4, least: 4 };

/** Tables of one process, and their snapshot. */
class Process {
  readonly tables = { a: new Table<Row>('a'), b: new Table<Row>('b') };
  readonly all = Object.values(this.tables) as unknown as Table<object>[];
  readonly #state: StateStore;
  readonly #snapshot: Snapshot;
  /** Rows of all saves. */
  written = 0;

  constructor(state: StateStore) {
    this.#state = state;
    this.#snapshot = new Snapshot(state, this.all, RENEWAL);
    for (const row of this.#snapshot.rows()) loadRow(this.all, row);
  }

  /** `meanwhile` is done once the moment is fixed. */
  async save(meanwhile = () => {}): Promise<void> {
    this.#snapshot.renew();
    for (const { changed } of this.all) this.written += changed;
    beginSave(this.all);
    meanwhile();
    await this.#snapshot.stage((changes) => this.#state.stage(changes));
  }

  image(): [string, number][] {
    const rows = Object.entries(this.tables).flatMap(([name, table]) =>
      [...table.entries()].map(([key, { n }]): [string, number] => [`${name} ${key}`, n]),
    );
    return rows.sort(([one], [two]) => (one < two ? -1 : 1));
  }
}

const packsOf = (state: StateStore) => [...state.rows('packs')];
const rowsIn = (state: StateStore) =>
  packsOf(state).reduce((sum, { value }) => sum + Buffer.from(value).toString().split('\n').length - 1, 0);

const change = fc.record({ table: fc.constantFrom('a', 'b'), key: fc.integer({ min: 0, max: 9 }), n: fc.option(fc.nat()) });
const step = fc.oneof(
  { weight: 8, arbitrary: fc.record({ change }) },
  { weight: 4, arbitrary: fc.record({ save: fc.array(change, { maxLength: 3 }) }) },
  { weight: 1, arbitrary: fc.record({ crash: fc.boolean() }) },
);

describe('a snapshot', () => {
  it('gives back the tables as they were when the last save began, whatever was taken up anew or dropped on the way', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 80 }), async (steps) => {
        const state = new LastingState(openMemoryState());
        let process = new Process(state);
        let saved = process.image();
        const apply = ({ table, key, n }: { table: string; key: number; n: number | null }) => {
          const into = process.tables[table as 'a' | 'b'];
          if (n === null) into.delete(`k${key}`);
          else into.set(`k${key}`, { n });
        };
        for (const one of steps) {
          if ('change' in one) apply(one.change);
          else if ('save' in one) {
            const before = process.image();
            await process.save(() => one.save.forEach(apply));
            await state.commit([]);
            saved = before;
          } else {
            // In the midst of a save, or between two.
            if (one.crash) await process.save();
            state.forgetStaged();
            process = new Process(state);
            expect(process.image()).toEqual(saved);
          }
        }
        expect(new Process(state).image()).toEqual(saved);
      }),
      { seed: 20_261_129, numRuns: 500 },
    );
  });

  it('keeps a few times as many rows as there are, however often they change, and writes few for that', async () => {
    const state = openMemoryState();
    const process = new Process(state);
    const most: number[] = [];
    for (let n = 0; n < 40; n++) process.tables.a.set(`still${n}`, { n });

    for (let n = 0; n < 1_000; n++) {
      for (let i = 0; i < 10; i++) process.tables.b.set(`busy${(n + i) % 20}`, { n });
      await process.save();
      await state.commit([]);
      most.push(rowsIn(state));
    }

    // Four times as many, and while all 60 are taken up anew as many again, and as many that change.
    expect(Math.max(...most)).toBeLessThan(4 * 60 + 4 + 2 * 60 + 20);
    expect(process.written).toBeLessThan(1.5 * 10 * 1_000);
    expect(new Process(state).image()).toEqual(process.image());
  });

  it('writes rows in packs of at most 500, each as it was when the save began', async () => {
    const state = openMemoryState();
    const process = new Process(state);
    for (let n = 0; n < 1_200; n++) process.tables.a.set(`k${n}`, { n });

    await process.save(() => {
      for (let n = 0; n < 1_200; n += 7) process.tables.a.change(`k${n}`)!.n = -1;
    });
    await state.commit([]);

    expect(packsOf(state).map(({ value }) => Buffer.from(value).toString().split('\n').length - 1)).toEqual([500, 500, 200]);
    expect(new Process(state).image().every(([key, n]) => key === `a k${n}`)).toBe(true);
  });
});
