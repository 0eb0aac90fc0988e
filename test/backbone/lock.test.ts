import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, onTestFinished, test } from 'vitest';
import { LockHeldError, takeLock, whoHolds } from '../../backbone/lock.ts';
import { tempDir } from '../helpers/tempdir.ts';

const CHILD = fileURLToPath(new URL('lock.child.ts', import.meta.url));

test('a lock is held by one, and free once it is released', async () => {
  const dir = await tempDir();
  const path = join(dir, 'lock');
  const first = await takeLock(path);

  const [refusal, holder] = [await takeLock(path).catch((error) => error), await whoHolds(path)];
  await first.release();
  const free = await whoHolds(path);
  const second = await takeLock(path);
  await first.release();

  expect(refusal).toBeInstanceOf(LockHeldError);
  expect(refusal.message).toContain(`process ${process.pid} holds`);
  expect([holder, free, await whoHolds(path)]).toEqual([process.pid, undefined, process.pid]);
  await second.release();
  expect(await readdir(dir)).toEqual([]);
});

test('a lock ends with its process, also by kill -9', async () => {
  const path = join(await tempDir(), 'lock');
  const child = spawn(process.execPath, ['--import', 'tsx', CHILD, path], { stdio: ['ignore', 'pipe', 'inherit'] });
  onTestFinished(() => void child.kill('SIGKILL'));
  await once(child.stdout!, 'data');

  const [holder, refusal] = [await whoHolds(path), await takeLock(path).catch((error) => error)];
  const ended = once(child, 'exit');
  child.kill('SIGKILL');
  await ended;
  const lock = await takeLock(path);

  expect([holder, refusal.pid, await whoHolds(path)]).toEqual([child.pid, child.pid, process.pid]);
  await lock.release();
});

test.each([
  ['names a process of this number that was started at another time', JSON.stringify({ pid: process.pid, started: '1', id: 'x' })],
  ['was torn', '{"pid":'],
  ['is empty', ''],
])('a lock file that %s holds nothing', async (_, content) => {
  const path = join(await tempDir(), 'lock');
  await writeFile(path, content);

  expect(await whoHolds(path)).toBeUndefined();
  const lock = await takeLock(path);
  expect(await whoHolds(path)).toBe(process.pid);
  await lock.release();
});

test('of many who try for a free lock at once, one gets it', async () => {
  const path = join(await tempDir(), 'lock');

  const tries = await Promise.allSettled(Array.from({ length: 30 }, () => takeLock(path)));

  expect(tries.filter(({ status }) => status === 'fulfilled')).toHaveLength(1);
});

test('a folder that is not there is no lock, and nobody holds it', async () => {
  expect(await whoHolds(join(await tempDir(), 'missing', 'lock'))).toBeUndefined();
});
