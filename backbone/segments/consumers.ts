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

/** Each consumer that has said what it needs, and the first batch that it needs: 0 where that cannot be read. */
export async function consumersOf(dir: string): Promise<Map<string, number>> {
  const all = await readdir(dir).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return [];
    throw error;
  });
  const names = all.filter((n) => n.startsWith(PREFIX) && !n.endsWith('.tmp'));
  const read = async (name: string): Promise<[string, number]> => {
    const text = await readFile(join(dir, name), 'utf8');
    return [name.slice(PREFIX.length), /^\d+\n$/.test(text) ? Number(text) : 0];
  };
  return new Map(await Promise.all(names.sort().map(read)));
}

/** The first batch that any consumer needs: all of them where one of `expected` has said nothing yet; Infinity where there is none. */
export async function neededFrom(dir: string, expected: readonly string[]): Promise<number> {
  const consumers = await consumersOf(dir);
  if (expected.some((consumer) => !consumers.has(consumer))) return 0;
  return Math.min(Number.POSITIVE_INFINITY, ...consumers.values());
}
