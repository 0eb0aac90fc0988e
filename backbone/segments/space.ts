/** Retention: which segments go, and whether there is room for another. */
import { readdir, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { LogError } from '../log.ts';
import { neededFrom } from './consumers.ts';
import type { Disk } from './disk.ts';
import { listSegments, PREPARED } from './files.ts';
import { SegmentFile } from './segment-file.ts';

export interface Limits {
  maxAgeMs: number;
  maxBytes: number;
  reserveBytes: number;
  consumers: readonly string[];
}

/** Makes room for a new file of `bytes` bytes. Errors: LogError `full` where nothing more may be removed. */
export async function makeRoom(dir: string, bytes: number, limits: Limits, disk: Disk, now: number): Promise<void> {
  const total = await removeSegments(dir, bytes, limits, now);
  if (total + bytes > limits.maxBytes) throw new LogError('full', `${dir} holds ${total} bytes of at most ${limits.maxBytes}`);
  const free = await disk.freeBytes(dir);
  if (free - bytes < limits.reserveBytes) {
    throw new LogError(
      'full',
      `the disk of ${dir} has ${free} bytes free; ${bytes} are wanted and ${limits.reserveBytes} are held in reserve`,
    );
  }
}

/** Removes what is too old, or too much with `bytes` more, and no longer needed; the oldest first, the newest never. Returns what stays. */
export async function removeSegments(dir: string, bytes: number, { maxAgeMs, maxBytes, consumers }: Limits, now: number): Promise<number> {
  const segments = await listSegments(dir);
  const sizes = await Promise.all(segments.map(async ({ path }) => (await stat(path)).size));
  let total = sizes.reduce((sum, size) => sum + size, await preparedBytes(dir));
  const needed = await neededFrom(dir, consumers);
  for (let i = 0; i + 1 < segments.length; i++) {
    const { previous, previousAt } = headOf(segments[i + 1]!.path);
    const unwanted = previousAt < now - maxAgeMs || total + bytes > maxBytes;
    if (!unwanted || previous >= needed) break;
    await rm(segments[i]!.path);
    total -= sizes[i]!;
  }
  return total;
}

async function preparedBytes(dir: string): Promise<number> {
  const names = (await readdir(dir)).filter((n) => n.startsWith(PREPARED));
  const sizes = await Promise.all(names.map(async (n) => (await stat(join(dir, n))).size));
  return sizes.reduce((sum, size) => sum + size, 0);
}

function headOf(path: string): SegmentFile['head'] {
  const segment = SegmentFile.open(path);
  segment.close();
  return segment.head;
}
