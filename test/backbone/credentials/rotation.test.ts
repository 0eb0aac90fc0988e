import { randomBytes } from 'node:crypto';
import { chmod, readdir, readFile, stat } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { openControlWriter } from '../../../backbone/control.ts';
import { loadKeys, loadOrCreateKeys } from '../../../backbone/credentials/keys.ts';
import { openKeys } from '../../../backbone/credentials/rotation.ts';
import { openSegmentReader } from '../../../backbone/segments/reader.ts';
import { decodeControl } from '../../../protocol/control.ts';
import { tempDir } from '../../helpers/tempdir.ts';

const NOW = 1_763_798_400_000;

async function ring(now = () => NOW) {
  const dir = await tempDir();
  const [path, log] = [join(dir, 'keys.json'), join(dir, 'control')];
  const control = await openControlWriter(log);
  const keys = openKeys(path, control, randomBytes, now);
  const told = async () => {
    const reader = await openSegmentReader(log);
    const batches = await reader.read(1, 65_536);
    await reader.close();
    return batches.flatMap(({ records }) => records.map((record) => decodeControl(record).kind));
  };
  return { path, keys, told, close: () => control.close() };
}

describe('rotating the keys', () => {
  it('makes a key that signs, keeps the others, and tells the brokers', async () => {
    const { path, keys, told, close } = await ring();
    const [first] = await loadOrCreateKeys(path, randomBytes, () => NOW - 1);

    const made = await keys.rotate();
    await close();

    const loaded = await loadKeys(path);
    expect(loaded.map(({ id }) => id)).toEqual([made.id, first.id]);
    expect(loaded[1]).toEqual(first);
    expect(await keys.list()).toEqual([
      { id: made.id, createdAt: NOW, signs: true },
      { id: first.id, createdAt: NOW - 1, signs: false },
    ]);
    expect(await told()).toEqual(['keys']);
  });

  it.each([0, -60_000])('makes the one that signs, also where the clock was put back by %i ms', async (ms) => {
    let at = NOW;
    const { keys, close } = await ring(() => at);
    const first = await keys.rotate();
    at += ms;

    const made = [await keys.rotate(), await keys.rotate()];
    await close();

    expect((await keys.list()).map(({ id }) => id).slice(0, 3)).toEqual([made[1]!.id, made[0]!.id, first.id]);
  });

  it('leaves a file for its owner alone, and nothing beside it', async () => {
    const { path, keys, close } = await ring();
    await keys.rotate();
    await close();

    expect((await stat(path)).mode & 0o777).toBe(0o600);
    expect((await readdir(dirname(path))).sort()).toEqual(['control', 'keys.json']);
  });

  it('is one change after the other, however many ask at once', async () => {
    const { keys, close } = await ring();

    await Promise.all(Array.from({ length: 10 }, () => keys.rotate()));
    await close();

    // The first of them found no file, and made it with a key of its own.
    expect(await keys.list()).toHaveLength(11);
  });

  it('does nothing to a file that others may read', async () => {
    const { path, keys, told, close } = await ring();
    await keys.list();
    await chmod(path, 0o644);
    const before = await readFile(path, 'utf8');

    await expect(keys.rotate()).rejects.toMatchObject({ code: 'exposed' });
    await close();

    expect([await readFile(path, 'utf8'), await told()]).toEqual([before, []]);
  });
});

describe('retiring a key', () => {
  it('takes it out of the ring, and tells the brokers', async () => {
    const { path, keys, told, close } = await ring();
    const [first] = await loadOrCreateKeys(path, randomBytes, () => NOW - 1);
    const { id } = await keys.rotate();

    await keys.retire(first.id);
    await close();

    expect((await loadKeys(path)).map((key) => key.id)).toEqual([id]);
    expect(await told()).toEqual(['keys', 'keys']);
  });

  it('is refused for the one that signs, and for one that is not there', async () => {
    const { keys, told, close } = await ring();
    const { id } = (await keys.list())[0]!;

    await expect(keys.retire(id)).rejects.toMatchObject({ code: 'signing', message: expect.stringContaining('rotate the keys first') });
    await expect(keys.retire('k0')).rejects.toMatchObject({ code: 'unknown', message: expect.stringContaining('k0') });
    await close();

    expect(await told()).toEqual([]);
  });
});
