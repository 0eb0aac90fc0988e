/** What each consumer of a log still needs, in files of its folder: any process may say it, and the writer's retention heeds it. */
import { randomUUID } from 'node:crypto';
import { mkdir, readdir, readFile, rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';

const PREFIX = 'consumer-';

/** Errors: RangeError where `consumer` is no name for a file. */
export async function releaseBatches(dir: string, consumer: string, batch: number): Promise<void> {
  if (!/^[a-z0-9-]{1,64}$/.test(consumer)) throw new RangeError(`not a consumer's name: ${consumer} (a-z, 0-9 and -, at most 64)`);
  await mkdir(dir, { recursive: true, mode: 0o700 });
  const path = join(dir, PREFIX + consumer);
  const unfinished = join(dir, `${PREFIX}${consumer}.${randomUUID()}.tmp`);
  await writeFile(unfinished, `${batch}\n`, { mode: 0o600 });
  await rename(unfinished, path);
}

/** The first batch that any consumer needs; Infinity where none has said so. What cannot be read needs everything. */
export async function neededFrom(dir: string): Promise<number> {
  const names = (await readdir(dir)).filter((n) => n.startsWith(PREFIX) && !n.endsWith('.tmp'));
  const texts = await Promise.all(names.map((n) => readFile(join(dir, n), 'utf8')));
  return Math.min(Infinity, ...texts.map((text) => (/^\d+\n$/.test(text) ? Number(text) : 0)));
}
