import fc from 'fast-check';
import { describe, expect, onTestFinished, test } from 'vitest';
import type { Change, StateStore } from '../../backbone/state.ts';

const put = (key: string, value: string, table = 't'): Change => ({ table, key, value: Buffer.from(value) });
const remove = (key: string, table = 't'): Change => ({ table, key, value: null });
const text = (bytes: Uint8Array | undefined) => (bytes ? Buffer.from(bytes).toString() : undefined);
const rowsOf = (store: StateStore, table = 't', range?: { after: string }) =>
  [...store.rows(table, range)].map(({ key, value }) => [key, text(value)]);

/** What every adapter of the state port must do. `open` gives an empty store of its own to each test. */
export function stateContract(name: string, open: () => Promise<StateStore>): void {
  async function opened(): Promise<StateStore> {
    const store = await open();
    onTestFinished(() => store.close());
    return store;
  }

  describe(`the state port on ${name}`, () => {
    test('what was never put is absent', async () => {
      const store = await opened();

      expect([store.get('t', 'a'), rowsOf(store)]).toEqual([undefined, []]);
    });

    test('a commit makes its changes visible', async () => {
      const store = await opened();

      await store.commit([put('a', '1'), put('b', '2')]);

      expect(rowsOf(store)).toEqual([
        ['a', '1'],
        ['b', '2'],
      ]);
      expect(text(store.get('t', 'b'))).toBe('2');
    });

    test('what is staged stays unseen until the commit, and is seen with it', async () => {
      const store = await opened();
      await store.commit([put('a', 'old'), put('gone', 'x')]);

      await store.stage([put('a', 'new'), put('b', 'new')]);
      await store.stage([remove('gone')]);
      const before = rowsOf(store);
      await store.commit([put('c', 'new')]);

      expect(before).toEqual([
        ['a', 'old'],
        ['gone', 'x'],
      ]);
      expect(rowsOf(store)).toEqual([
        ['a', 'new'],
        ['b', 'new'],
        ['c', 'new'],
      ]);
      expect(store.get('t', 'gone')).toBeUndefined();
    });

    test('of several changes to a row in one save the last holds', async () => {
      const store = await opened();

      await store.stage([put('a', '1'), put('b', '1'), put('c', '1')]);
      await store.stage([put('a', '2'), remove('b'), remove('c')]);
      await store.commit([put('a', '3'), put('c', '2')]);

      expect(rowsOf(store)).toEqual([
        ['a', '3'],
        ['c', '2'],
      ]);
    });

    test('a row that was removed can be put again, and a row that never was can be removed', async () => {
      const store = await opened();
      await store.commit([put('a', '1'), remove('b')]);
      await store.commit([remove('a')]);
      const removed = rowsOf(store);

      await store.commit([put('a', '2')]);

      expect([removed, rowsOf(store)]).toEqual([[], [['a', '2']]]);
    });

    test('tables are apart, also where the name of one begins another', async () => {
      const store = await opened();

      await store.commit([put('a', '1', 't'), put('a', '2', 'table'), put('ablea', '3', 't')]);

      expect([rowsOf(store, 't'), rowsOf(store, 'table'), rowsOf(store, 'tab')]).toEqual([
        [
          ['a', '1'],
          ['ablea', '3'],
        ],
        [['a', '2']],
        [],
      ]);
    });

    test('rows come in the order of the bytes of their keys, whatever those are', async () => {
      const store = await opened();
      const keys = ['', 'a', 'a\u0000', 'a\u0000\u0000', 'a\u0000\u0001', 'a\u0001', 'ab', 'b', 'é', '\uFFFD', '😀'];

      await store.commit([...keys].reverse().map((key) => put(key, key)));
      await store.commit([...keys].reverse().map((key) => put(key, key)));

      expect(rowsOf(store)).toEqual(keys.map((key) => [key, key]));
      for (const [i, after] of keys.entries()) expect(rowsOf(store, 't', { after }).map(([key]) => key)).toEqual(keys.slice(i + 1));
    });

    test('rows after a key that is not there begin with the next one', async () => {
      const store = await opened();
      await store.commit([put('a', '1'), put('c', '3')]);

      expect(rowsOf(store, 't', { after: 'b' })).toEqual([['c', '3']]);
    });

    test('values stay what they were after later reads and writes, and may be empty', async () => {
      const store = await opened();
      await store.commit([put('a', 'one'), put('b', ''), put('c', 'three')]);

      const [a, rows] = [store.get('t', 'a'), [...store.rows('t')]];
      store.get('t', 'c');
      await store.commit([put('a', 'changed'), put('c', 'changed')]);

      expect(text(a)).toBe('one');
      expect(rows.map(({ value }) => text(value))).toEqual(['one', '', 'three']);
    });

    test('keys of 500 bytes are kept, and longer ones are refused with nothing written', async () => {
      const store = await opened();
      const longest = '\u0000'.repeat(500);

      await store.commit([put(longest, '1')]);
      await expect(store.commit([put('a', '1'), put('x'.repeat(501), '1')])).rejects.toBeInstanceOf(RangeError);
      await store.commit([]);

      expect(rowsOf(store)).toEqual([[longest, '1']]);
    });

    test('saves that are not waited for take effect in their order', async () => {
      const store = await opened();

      await Promise.all([
        store.commit([put('a', '1')]),
        store.stage([put('a', '2')]),
        store.commit([put('b', '2')]),
        store.commit([remove('b')]),
      ]);

      expect(rowsOf(store)).toEqual([['a', '2']]);
    });

    test('after any saves the rows are those of a plain map', async () => {
      const changes = fc.array(fc.record({ key: fc.constantFrom('a', 'b', 'c', 'd'), value: fc.option(fc.constantFrom('1', '2', '3')) }), {
        maxLength: 4,
      });
      const toChange = ({ key, value }: { key: string; value: string | null }) => (value === null ? remove(key) : put(key, value));
      await fc.assert(
        fc.asyncProperty(
          fc.array(fc.record({ slices: fc.array(changes, { maxLength: 3 }), last: changes }), { maxLength: 8 }),
          async (saves) => {
            const store = await open();
            const model = new Map<string, string>();
            for (const { slices, last } of saves) {
              for (const slice of slices) await store.stage(slice.map(toChange));
              await store.commit(last.map(toChange));
              for (const { key, value } of [...slices.flat(), ...last]) value === null ? model.delete(key) : model.set(key, value);
              expect(rowsOf(store)).toEqual([...model].sort(([a], [b]) => (a < b ? -1 : 1)));
            }
            await store.close();
          },
        ),
        { seed: 21, numRuns: 30 },
      );
    });
  });
}
