import { expect, test } from 'vitest';
import { openLmdbState } from '../../backbone/lmdb.ts';
import { stateErrorOf } from '../../backbone/lmdb-errors.ts';
import { lacksMounts, smallDisk } from '../helpers/small-disk.ts';

const rows = (from: number, n: number) =>
  Array.from({ length: n }, (_, i) => ({ table: 't', key: `k${from + i}`, value: Buffer.alloc(3_000, 1) }));

/** LMDB's own way of finding out may end the process. */
const seenBeforeLmdb = expect.stringMatching(/\d+ bytes are free, and \d+ may be needed/);

const without = lacksMounts();

test.skipIf(without)(
  'a full disk refuses what is saved, each time anew, keeps what was committed, and takes the same calls again',
  async () => {
    const disk = await smallDisk(32);
    const path = `${disk.path}/state`;
    const store = await openLmdbState(path);
    await store.commit(rows(0, 10));
    await store.stage(rows(100, 10));
    disk.fill();

    for (let i = 0; i < 3; i++)
      await expect(store.stage(rows(0, 500))).rejects.toMatchObject({
        name: 'StateError',
        code: 'full',
        retry: true,
        message: seenBeforeLmdb,
      });
    await expect(store.commit(rows(500, 2_000))).rejects.toMatchObject({ code: 'full', message: seenBeforeLmdb });
    const whileFull = [...store.rows('t')].length;
    disk.free();
    await store.stage(rows(0, 500));
    await store.commit(rows(500, 2_000));
    await store.close();
    const again = await openLmdbState(path);

    expect([whileFull, [...again.rows('t')].length]).toEqual([10, 2_500]);
    await again.close();
  },
);

test.each([
  [{ code: -30_792, message: 'MDB_MAP_FULL' }, 'full', true],
  [{ code: 28, message: 'No space left on device: writing page' }, 'full', true],
  [{ code: 5, message: 'Input/output error' }, 'failed', true],
  [{ code: -30_795, message: 'MDB_PANIC: Update of meta page failed' }, 'broken', false],
  [{ code: -30_796, message: 'MDB_CORRUPTED' }, 'broken', false],
])('what LMDB says of %j is told as %s', async ({ code, message }, expected, retry) => {
  const commitError = Promise.reject(Object.assign(new Error(message), { code }));
  const error = Object.assign(new Error('Commit failed (see commitError for details)'), { commitError });

  expect(await stateErrorOf(error)).toMatchObject({ code: expected, retry, message: expect.stringContaining(message) });
});

test('a refusal whose reason never comes is a failure all the same', async () => {
  const error = Object.assign(new Error('Commit failed'), { commitError: new Promise(() => {}) });

  expect(await stateErrorOf(error)).toMatchObject({ code: 'failed', retry: true });
});
