import { closeSync, fdatasyncSync, fstatSync, openSync, writeSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import type { Durable } from './durable.ts';
import { listSegments, type OpenSegment, removeUnfinished, type SegmentName } from './files.ts';
import { corruptFrame, type Scan, scanSegment } from './scan.ts';
import { isBlank, SegmentFile } from './segment-file.ts';

/** What opening a log found and did. */
export interface Recovery {
  /** A frame that a crash left unfinished was cut from this file: so many bytes at this offset. */
  cut: { path: string; offset: number; bytes: number } | null;
  /** Batches that had been durable and are not there any more: the disk did not keep its word, or someone changed the files. */
  lostBatches: number;
}

export interface Recovered {
  /** Where writing goes on; undefined where a new segment must be begun. */
  active: OpenSegment | undefined;
  last: { batch: number; at: number };
  /** The number of the next batch. Never one that a reader may have seen. */
  next: number;
  recovery: Recovery;
}

/** Finds the end of a log and puts it in order. Errors: LogError `corrupt`. */
export async function recoverLog(dir: string, durable: Durable, segmentBytes: number): Promise<Recovered> {
  await removeUnfinished(dir);
  const name = await lastSegment(dir);
  if (!name) {
    const lostBatches = durable.batch;
    return { active: undefined, last: { batch: 0, at: 0 }, next: lostBatches + 1, recovery: { cut: null, lostBatches } };
  }
  const { scan, head } = await scanLast(name);
  const fd = openSync(name.path, 'r+');
  const cut = scan.tornBytes > 0 ? { path: name.path, offset: scan.end, bytes: scan.tornBytes } : null;
  if (cut) writeSync(fd, Buffer.alloc(cut.bytes), 0, cut.bytes, cut.offset);
  // A whole frame may be one that was written and not yet synced.
  fdatasyncSync(fd);
  const last = scan.last > 0 ? { batch: scan.last, at: scan.lastAt } : { batch: head.previous, at: head.previousAt };
  const lostBatches = Math.max(0, durable.batch - Math.max(last.batch, head.first - 1));
  if (lostBatches > 0) {
    closeSync(fd);
    return { active: undefined, last, next: durable.batch + 1, recovery: { cut, lostBatches } };
  }
  const capacity = Math.max(fstatSync(fd).size, segmentBytes);
  const active = { fd, path: name.path, head, position: scan.end, capacity };
  return { active, last, next: Math.max(last.batch + 1, head.first), recovery: { cut, lostBatches: 0 } };
}

async function scanLast(name: SegmentName): Promise<{ scan: Scan; head: SegmentFile['head'] }> {
  const segment = SegmentFile.open(name.path);
  try {
    if (segment.head.first !== name.first)
      throw corruptFrame(name.path, 0, `it is named after batch ${name.first} and begins with batch ${segment.head.first}`);
    return { scan: await scanSegment(segment), head: segment.head };
  } finally {
    segment.close();
  }
}

/** The last segment that was ever used: one without a single byte in it is what a power loss left of a new one. */
async function lastSegment(dir: string): Promise<SegmentName | undefined> {
  const segments = await listSegments(dir);
  for (let name = segments.pop(); name; name = segments.pop()) {
    if (!isBlank(name.path)) return name;
    await rm(name.path);
  }
  return undefined;
}
