/** The files of a log's folder: `<first batch>.seg`, one `prepared` that will be the next, `durable`, `fill`, `lock` and `consumer-<name>`. */
import { closeSync, fdatasync, openSync, write, writeSync } from 'node:fs';
import { open, readdir, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { encodeSegmentHead, SEGMENT_HEAD_BYTES, type SegmentHead } from './format.ts';

const fdatasyncInPool = promisify(fdatasync);
const writeInPool = promisify(write);
const ZEROS = Buffer.alloc(1024 * 1024);
/** A sync each so many bytes keeps the disk free for the segment in use. */
const ZEROS_A_SYNC = 8 * ZEROS.length;
/** What the names of files begin with that are not segments yet. */
export const PREPARED = 'prepared';

export interface SegmentName {
  first: number;
  path: string;
}

/** A segment that can be written to. */
export interface OpenSegment {
  fd: number;
  path: string;
  head: SegmentHead;
  /** Where the next frame goes. */
  position: number;
  capacity: number;
}

/** A zero-filled file without a name of its own yet. */
export interface Prepared {
  fd: number;
  path: string;
  capacity: number;
}

export function segmentPath(dir: string, first: number): string {
  return join(dir, `${String(first).padStart(16, '0')}.seg`);
}

/** The segments of a folder, oldest first; none where there is no folder. */
export async function listSegments(dir: string): Promise<SegmentName[]> {
  const names = await readdir(dir).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return [];
    throw error;
  });
  const segments = names.filter((n) => /^\d{16}\.seg$/.test(n)).map((n) => ({ first: Number(n.slice(0, 16)), path: join(dir, n) }));
  return segments.sort((a, b) => a.first - b.first);
}

/** Removes what a crash left half made. */
export async function removeUnfinished(dir: string): Promise<void> {
  const names = await readdir(dir);
  await Promise.all(names.filter((n) => n.startsWith(PREPARED)).map((n) => rm(join(dir, n), { force: true })));
}

/** Really allocates: zeros, written and synced through the thread pool. */
export async function prepareSegment(dir: string, capacity: number, name: string): Promise<Prepared> {
  const path = join(dir, name);
  const fd = openSync(path, 'w', 0o600);
  try {
    for (let done = 0; done < capacity; ) {
      done += (await writeInPool(fd, ZEROS, 0, Math.min(ZEROS.length, capacity - done), done)).bytesWritten;
      if (done % ZEROS_A_SYNC === 0 || done >= capacity) await fdatasyncInPool(fd);
    }
    return { fd, path, capacity };
  } catch (error) {
    closeSync(fd);
    await rm(path, { force: true });
    throw error;
  }
}

/** Makes a prepared file the log's next segment. Its head is durable before it has its name. */
export async function activateSegment(dir: string, prepared: Prepared, head: SegmentHead): Promise<OpenSegment> {
  const { fd, capacity } = prepared;
  const path = segmentPath(dir, head.first);
  try {
    writeSync(fd, encodeSegmentHead(head), 0, SEGMENT_HEAD_BYTES, 0);
    await fdatasyncInPool(fd);
    await rename(prepared.path, path);
    await syncFolder(dir);
  } catch (error) {
    closeSync(fd);
    throw error;
  }
  return { fd, path, head, position: SEGMENT_HEAD_BYTES, capacity };
}

export async function syncFolder(dir: string): Promise<void> {
  const handle = await open(dir, 'r');
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}
