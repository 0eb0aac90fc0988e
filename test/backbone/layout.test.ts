import { chmod, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { DataDirError, layout, prepareDataDir } from '../../backbone/layout.ts';
import { tempDir } from '../helpers/tempdir.ts';

const modeOf = async (path: string) => (await stat(path)).mode & 0o777;

test('the data folder is made, with the folders above it, for its owner alone', async () => {
  const dir = join(await tempDir(), 'deep', 'data');

  const paths = await prepareDataDir(dir);

  expect([await modeOf(dir), paths]).toEqual([0o700, layout(dir)]);
});

test('a folder that others could read is closed to them', async () => {
  const dir = await tempDir();
  await chmod(dir, 0o755);

  await prepareDataDir(dir);

  expect(await modeOf(dir)).toBe(0o700);
});

test('a folder that cannot be used is one error that names it and says what to do', async () => {
  const file = join(await tempDir(), 'file');
  await writeFile(file, '');

  const errors = await Promise.all([file, join(file, 'data')].map((dir) => prepareDataDir(dir).catch((error) => error)));

  for (const error of errors) {
    expect(error).toBeInstanceOf(DataDirError);
    expect(error.message).toMatch(/^the data folder .*file.* cannot be used \(\w+\): give another in TILLWATCH_DATA_DIR/);
  }
});

test('every path lies in the data folder, and no two are the same', () => {
  const { root, ...paths } = layout('/srv/tillwatch');

  expect(root).toBe('/srv/tillwatch');
  expect(Object.values(paths).every((path) => path.startsWith('/srv/tillwatch/'))).toBe(true);
  expect(new Set(Object.values(paths)).size).toBe(Object.keys(paths).length);
  expect(paths.adminToken).toBe('/srv/tillwatch/admin-token');
});
