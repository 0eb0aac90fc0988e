import { LogError } from '../log.ts';
import { frameBatch, frameSize, MARK_BYTES, SEGMENT_HEAD_BYTES, wholeFrame } from './format.ts';
import type { SegmentFile } from './segment-file.ts';

const AHEAD_BYTES = 1024 * 1024;
const ZEROS = Buffer.alloc(AHEAD_BYTES);

/** What stands in a segment: its last whole batch, and where the frames end. */
export interface Scan {
  /** 0 where it holds none. */
  last: number;
  lastAt: number;
  end: number;
  /** Bytes after `end` that are not zero, counted to the last of them: a frame that was never finished. */
  tornBytes: number;
}

/** Errors: LogError `corrupt` where a damaged frame has whole ones after it: that was no crash while writing. */
export async function scanSegment(segment: SegmentFile): Promise<Scan> {
  const scan: Scan = { last: 0, lastAt: 0, end: SEGMENT_HEAD_BYTES, tornBytes: 0 };
  for (;;) {
    const found = await segment.frameAt(scan.end, AHEAD_BYTES);
    const frame = found && wholeFrame(found.bytes, found.offset, segment.head.mark);
    if (!found || frame?.batch !== (scan.last || segment.head.first - 1) + 1) break;
    scan.last = frame.batch;
    scan.lastAt = frame.at;
    scan.end += found.size;
  }
  scan.tornBytes = await tornBytes(segment, scan.end);
  if (scan.tornBytes > 0) await refuseLaterFrames(segment, scan);
  return scan;
}

/** Bytes from `end` on that are not zero, counted to the last of them. */
export async function tornBytes(segment: SegmentFile, end: number): Promise<number> {
  let torn = 0;
  for (let position = end; ; ) {
    const bytes = await segment.bytesAt(position, AHEAD_BYTES);
    if (bytes.length === 0) return torn;
    if (!bytes.equals(ZEROS.subarray(0, bytes.length))) torn = position + lastNonZero(bytes) + 1 - end;
    position += bytes.length;
  }
}

function lastNonZero(bytes: Buffer): number {
  let i = bytes.length - 1;
  while (bytes[i] === 0) i--;
  return i;
}

async function refuseLaterFrames(segment: SegmentFile, { last, end }: Scan): Promise<void> {
  const later = await findFrame(segment, end, last + 1);
  if (later) throw corruptFrame(segment.path, end, `batch ${last + 1} is damaged and batch ${later.batch} after it is whole`);
}

/** The next whole frame from `position` on of a batch after `batch`. */
export async function findFrame(
  segment: SegmentFile,
  position: number,
  batch: number,
): Promise<{ position: number; batch: number } | undefined> {
  for (;;) {
    const bytes = await segment.bytesAt(position, AHEAD_BYTES);
    const at = bytes.indexOf(segment.head.mark);
    if (at < 0) {
      if (bytes.length < AHEAD_BYTES) return undefined;
      position += bytes.length - MARK_BYTES;
      continue;
    }
    const found = await wholeBatchAt(segment, position + at);
    if (found > batch) return { position: position + at, batch: found };
    position += at + 1;
  }
}

async function wholeBatchAt(segment: SegmentFile, position: number): Promise<number> {
  const found = await segment.frameAt(position, 0);
  if (!found || frameSize(found.bytes, found.offset, segment.head.mark) === 0) return 0;
  return wholeFrame(found.bytes, found.offset, segment.head.mark) ? frameBatch(found.bytes, found.offset) : 0;
}

export function corruptFrame(path: string, offset: number, what: string): LogError {
  return new LogError('corrupt', `${path} at offset ${offset}: ${what}; restore the file from a backup, or move it away`);
}
