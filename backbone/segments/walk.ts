/**
 * Goes over everything that a log's files hold and checks each frame. It changes nothing and takes no lock, so it may run beside the
 * log's writer; what that appends meanwhile is left out.
 */
import { join } from 'node:path';
import { whoHolds } from '../lock.ts';
import { LogError } from '../log.ts';
import { DurableFile } from './durable.ts';
import { listSegments, type SegmentName } from './files.ts';
import { frameRecords, SEGMENT_HEAD_BYTES, wholeFrame } from './format.ts';
import { findFrame, tornBytes } from './scan.ts';
import { isBlank, SegmentFile } from './segment-file.ts';

const AHEAD_BYTES = 1024 * 1024;

export type Step =
  | { kind: 'segment'; path: string; bytes: number }
  | { kind: 'batch'; batch: number; at: number; bytes: number; records: readonly Buffer[] }
  /** Batches that were durable once, and are not whole or not there. The walk goes on behind them. */
  | { kind: 'damage'; path: string; offset: number; what: string }
  /** What a crash left of a batch that nobody was told of: the next writer cuts it. */
  | { kind: 'torn'; path: string; offset: number; bytes: number };

/** Errors: the system's. */
export async function* walkLog(dir: string): AsyncGenerator<Step> {
  const isWritten = (await whoHolds(join(dir, 'lock'))) !== undefined;
  // Read before the files are listed: so the batch that it names stands in one of them.
  const durable = durableOf(dir);
  const names = await listSegments(dir);
  if (names.length === 0 && durable > 0) yield missing(dir, 0, 1, durable);
  for (const [i, name] of names.entries()) {
    const [before, following] = [names[i - 1], names[i + 1]];
    if (!following && isWritten && name.first > durable) return;
    const segment = opened(name, following === undefined);
    if (segment === undefined) continue; // retention was quicker
    if (!(segment instanceof SegmentFile)) {
      yield segment;
      continue;
    }
    try {
      const lost = before ? segment.head.previous + 1 : name.first;
      if (lost < name.first) yield missing(name.path, 0, lost, name.first - 1, 'since before this file was begun');
      yield* inSegment(segment, following ? lastBefore(following) : durable, following === undefined && !isWritten);
    } finally {
      segment.close();
    }
  }
}

function durableOf(dir: string): number {
  const file = new DurableFile(dir);
  try {
    return file.read().batch;
  } finally {
    file.close();
  }
}

/** The segment, or what is wrong with it; undefined where it has been removed since. */
function opened(name: SegmentName, isNewest: boolean): SegmentFile | Step | undefined {
  try {
    const segment = SegmentFile.open(name.path);
    if (segment.head.first === name.first) return segment;
    segment.close();
    return damaged(name, `it is named after batch ${name.first} and begins with batch ${segment.head.first}`);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    if (!(error instanceof LogError)) throw error;
    if (isNewest && isBlank(name.path)) return { kind: 'torn', path: name.path, offset: 0, bytes: 0 };
    return damaged(name, 'its head is damaged, and none of its batches can be read');
  }
}

function damaged({ path }: SegmentName, what: string): Step {
  return { kind: 'damage', path, offset: 0, what };
}

/** The last batch before a segment. What stands behind it in the segment before is void: its writer had refused it. */
function lastBefore({ first, path }: SegmentName): number {
  try {
    const segment = SegmentFile.open(path);
    segment.close();
    return segment.head.previous;
  } catch {
    return first - 1;
  }
}

/** `toTheEnd`: nobody writes to it, so what stands behind `until` is whole, too, or torn. */
async function* inSegment(segment: SegmentFile, until: number, toTheEnd: boolean): AsyncGenerator<Step> {
  const { path, head } = segment;
  yield { kind: 'segment', path, bytes: segment.size };
  let position = SEGMENT_HEAD_BYTES;
  for (let batch = head.first; batch <= until || toTheEnd; ) {
    const found = await segment.frameAt(position, AHEAD_BYTES);
    const frame = found && wholeFrame(found.bytes, found.offset, head.mark);
    if (found && frame?.batch === batch) {
      yield { kind: 'batch', batch, at: frame.at, bytes: found.size, records: frameRecords(found.bytes, found.offset) };
      position += found.size;
      batch++;
      continue;
    }
    const later = await findFrame(segment, position, batch);
    if (later && (later.batch <= until || toTheEnd)) yield missing(path, position, batch, later.batch - 1);
    else {
      if (batch <= until) yield missing(path, position, batch, until);
      else if (toTheEnd) yield* torn(segment, position);
      return;
    }
    position = later.position;
    batch = later.batch;
  }
}

async function* torn(segment: SegmentFile, offset: number): AsyncGenerator<Step> {
  const bytes = await tornBytes(segment, offset);
  if (bytes > 0) yield { kind: 'torn', path: segment.path, offset, bytes };
}

function missing(path: string, offset: number, from: number, to: number, where = 'here'): Step {
  const batches = from === to ? `batch ${from} is` : `batches ${from} to ${to} are`;
  return { kind: 'damage', path, offset, what: `${batches} damaged or missing ${where}` };
}
