import { execFile } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { chmod, readdir, readFile, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { describe, expect, it } from 'vitest';
import { loadKeys, loadOrCreateKeys } from '../../../backbone/credentials/keys.ts';
import { tempDir } from '../../helpers/tempdir.ts';

const NOW = 1_763_798_400_000;
const load = (path: string) => loadOrCreateKeys(path, randomBytes, () => NOW);
const secret = (letter: string) => letter.repeat(43);

describe('the key ring', () => {
  it('is made at the first start, for its owner alone, and is the same at the next', async () => {
    const dir = await tempDir();
    const path = join(dir, 'data', 'keys.json');

    const first = await load(path);

    expect(first).toHaveLength(1);
    expect(first[0].createdAt).toBe(NOW);
    expect(Buffer.from(first[0].secret, 'base64url')).toHaveLength(32);
    expect((await stat(path)).mode & 0o777).toBe(0o600);
    expect((await stat(join(dir, 'data'))).mode & 0o777).toBe(0o700);
    expect(await readdir(join(dir, 'data'))).toEqual(['keys.json']);
    expect(await load(path)).toEqual(first);
    expect(await loadKeys(path)).toEqual(first);
  });

  it('is one for all who start at once', async () => {
    const path = join(await tempDir(), 'keys.json');

    const rings = await Promise.all(Array.from({ length: 20 }, () => load(path)));

    for (const ring of rings) expect(ring).toEqual(rings[0]);
    expect(JSON.parse(await readFile(path, 'utf8'))).toEqual({ keys: rings[0] });
  });

  it('is one for processes that start at once', async () => {
    const path = join(await tempDir(), 'keys.json');
    const module = new URL('../../../backbone/credentials/keys.ts', import.meta.url).href;
    const script = `import { randomBytes } from 'node:crypto';
      const { loadOrCreateKeys } = await import(${JSON.stringify(module)});
      console.log((await loadOrCreateKeys(${JSON.stringify(path)}, randomBytes, Date.now))[0].id);`;
    const run = () => promisify(execFile)(process.execPath, ['--import', 'tsx', '--input-type=module', '-e', script]);

    const outputs = await Promise.all([run(), run(), run()]);

    expect(new Set(outputs.map(({ stdout }) => stdout)).size).toBe(1);
  });

  it('signs with the newest key', async () => {
    const path = join(await tempDir(), 'keys.json');
    const keys = [
      { id: 'a', secret: secret('a'), createdAt: 1 },
      { id: 'c', secret: secret('c'), createdAt: 3 },
      { id: 'b', secret: secret('b'), createdAt: 2 },
    ];
    await writeFile(path, JSON.stringify({ keys }), { mode: 0o600 });

    expect((await load(path)).map((key) => key.id)).toEqual(['c', 'b', 'a']);
  });

  it.each([0o640, 0o604, 0o660])('is refused where others may read its file (mode %i)', async (mode) => {
    const path = join(await tempDir(), 'keys.json');
    await load(path);
    await chmod(path, mode);

    await expect(load(path)).rejects.toMatchObject({ code: 'exposed', message: expect.stringContaining(path) });
  });

  it.each([
    '',
    '{',
    '{"keys":[]}',
    '{"keys":[{"id":"a.b","secret":"s","createdAt":1}]}',
    JSON.stringify({ keys: [{ id: 'a', secret: 'short', createdAt: 1 }] }),
    JSON.stringify({ keys: [1, 2].map((createdAt) => ({ id: 'a', secret: secret('a'), createdAt })) }),
  ])('is refused where its file holds %j, and that file stays as it is', async (text) => {
    const path = join(await tempDir(), 'keys.json');
    await writeFile(path, text, { mode: 0o600 });

    await expect(load(path)).rejects.toMatchObject({ code: 'malformed' });
    expect(await readFile(path, 'utf8')).toBe(text);
  });

  it('is refused with one clear line where its place cannot be written', async () => {
    const path = join(await tempDir(), 'file');
    await writeFile(path, '');

    await expect(load(join(path, 'keys.json'))).rejects.toMatchObject({ code: 'unreadable', message: expect.not.stringContaining('\n') });
  });

  it('is missing, for one who must not make it', async () => {
    await expect(loadKeys(join(await tempDir(), 'keys.json'))).rejects.toMatchObject({ code: 'missing' });
  });
});
