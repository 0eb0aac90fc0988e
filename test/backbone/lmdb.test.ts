import { stat } from 'node:fs/promises';
import { join } from 'node:path';
import { open } from 'lmdb';
import { expect, test } from 'vitest';
import { openLmdbState } from '../../backbone/lmdb.ts';
import type { StateStore } from '../../backbone/state.ts';
import { stateContract } from '../contract/state.contract.ts';
import { tempDir } from '../helpers/tempdir.ts';

stateContract('LMDB', async () => openLmdbState(await tempDir()));

const put = (key: string, value: string) => ({ table: 't', key, value: Buffer.from(value) });
const rowsOf = (store: StateStore) => [...store.rows('t')].map(({ key, value }) => [key, Buffer.from(value).toString()]);

async function entriesIn(path: string): Promise<number> {
  const entries = open({ path, encoding: 'binary', keyEncoding: 'binary', overlappingSync: false });
  const count = entries.getKeysCount({ start: Buffer.from([0, 2]) });
  await entries.close();
  return count;
}

test('a save without a commit leaves no trace after a crash, nor after the saves that follow', async () => {
  const path = await tempDir();
  let store = await openLmdbState(path);
  await store.commit([put('a', '1'), put('b', '1')]);
  await store.stage([put('a', 'lost'), put('c', 'lost'), { table: 't', key: 'b', value: null }]);
  await store.close();

  store = await openLmdbState(path);
  const found = rowsOf(store);
  await store.commit([put('d', '2')]);
  await store.commit([put('d', '3')]);
  await store.close();
  store = await openLmdbState(path);

  expect(found).toEqual([
    ['a', '1'],
    ['b', '1'],
  ]);
  expect(rowsOf(store)).toEqual([...found, ['d', '3']]);
  await store.close();
});

test('a commit is found again by the next process', async () => {
  const path = await tempDir();
  let store = await openLmdbState(path);
  await store.stage([put('a', '1')]);
  await store.commit([put('b', '2')]);
  await store.close();

  store = await openLmdbState(path);

  expect(rowsOf(store)).toEqual([
    ['a', '1'],
    ['b', '2'],
  ]);
  await store.close();
});

test('the entries of removed rows are dropped by the next save, also after a restart', async () => {
  const path = await tempDir();
  let store = await openLmdbState(path);
  await store.commit([put('a', '1'), put('b', '1'), put('c', '1')]);
  await store.commit(['a', 'b'].map((key) => ({ table: 't', key, value: null })));
  await store.close();
  const held = await entriesIn(path);
  store = await openLmdbState(path);

  const rows = rowsOf(store);
  await store.commit([]);
  await store.close();

  expect(rows).toEqual([['c', '1']]);
  expect([held, await entriesIn(path)]).toEqual([5, 1]);
});

test('the files are for their owner alone', async () => {
  const path = join(await tempDir(), 'state');
  const store = await openLmdbState(path);

  const modes = await Promise.all([path, join(path, 'data.mdb'), join(path, 'lock.mdb')].map(async (p) => (await stat(p)).mode & 0o777));

  expect(modes).toEqual([0o700, 0o600, 0o600]);
  await store.close();
});
