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

test('a folder that is there keeps its mode, though others may read it', async () => {
  const dir = await tempDir();
  await chmod(dir, 0o755);

  await prepareDataDir(dir);

  expect(await modeOf(dir)).toBe(0o755);
});

test.each([0o770, 0o702, 0o720, 0o1777])(
  'a folder of mode %o is refused, as others could put files into it, and left as it is',
  async (mode) => {
    const dir = await tempDir();
    await chmod(dir, mode);

    const error = await prepareDataDir(dir).catch((error) => error);

    expect(error).toBeInstanceOf(DataDirError);
    expect(error.message).toBe(
      `the data folder ${dir} may be written by others than its owner (mode ${mode.toString(8)}): chmod 700 it, or give another in TILLWATCH_DATA_DIR`,
    );
    expect(await modeOf(dir)).toBe(mode & 0o777);
  },
);

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
