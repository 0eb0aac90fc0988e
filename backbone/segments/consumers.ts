/** What each consumer of a log still needs, in files of its folder: any process may say it, and the writer's retention heeds it. */
import { randomUUID } from 'node:crypto';
import { mkdir, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { toLogError } from './errors.ts';

const PREFIX = 'consumer-';

/** Errors: RangeError where `consumer` is no name for a file; LogError. */
export async function releaseBatches(dir: string, consumer: string, batch: number): Promise<void> {
  if (!/^[a-z0-9-]{1,64}$/.test(consumer)) throw new RangeError(`not a consumer's name: ${consumer} (a-z, 0-9 and -, at most 64)`);
  const path = join(dir, PREFIX + consumer);
  const unfinished = join(dir, `${PREFIX}${consumer}.${randomUUID()}.tmp`);
  try {
    await mkdir(dir, { recursive: true, mode: 0o700 });
    await writeFile(unfinished, `${batch}\n`, { mode: 0o600 });
    await rename(unfinished, path);
  } catch (error) {
    await rm(unfinished, { force: true });
    throw toLogError(error);
  }
}

/**
 * The first batch that any consumer needs; Infinity where none has said so. What cannot be read needs everything, and so does one of
 * `expected` that has not said anything yet.
 */
export async function neededFrom(dir: string, expected: readonly string[]): Promise<number> {
  const names = (await readdir(dir)).filter((n) => n.startsWith(PREFIX) && !n.endsWith('.tmp'));
  if (expected.some((consumer) => !names.includes(PREFIX + consumer))) return 0;
  const texts = await Promise.all(names.map((n) => readFile(join(dir, n), 'utf8')));
  return Math.min(Infinity, ...texts.map((text) => (/^\d+\n$/.test(text) ? Number(text) : 0)));
}
