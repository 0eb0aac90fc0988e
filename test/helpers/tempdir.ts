import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { onTestFinished } from './side-by-side.ts';

/** A new empty folder of the running test, removed when it has finished. */
export async function tempDir(): Promise<string> {
  const dir = await mkdtemp(join(tmpdir(), 'tillwatch-'));
  onTestFinished(() => rm(dir, { recursive: true, force: true }));
  return dir;
}
