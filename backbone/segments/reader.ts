import { resolve } from 'node:path';
import { type Batch, LogError, type LogReader } from '../log.ts';
import { releaseBatches } from './consumers.ts';
import { type Durable, DurableFile } from './durable.ts';
import { listSegments } from './files.ts';
import { frameBatch, frameRecords, frameSize, SEGMENT_HEAD_BYTES, wholeFrame } from './format.ts';
import { announceGrowth, nextGrowth } from './growth.ts';
import { corruptFrame } from './scan.ts';
import { type Found, SegmentFile } from './segment-file.ts';

const POLL_MS = 25;
const AHEAD_BYTES = 1024 * 1024;
const FIRST_GUESS_BYTES = 16 * 1024;
/** Those who share a reader stand at different places: to find one again means to go over a segment from its start. */
const PLACES = 4;
/** Retention may remove a segment between looking and opening. */
const OPEN_TRIES = 5;

export interface ReaderOptions {
  /** How often to look whether a writer in another process has grown the log, milliseconds. Default 25. */
  pollMs?: number;
}

/** Opens a log for reading. There need not be one yet: until its writer comes it is empty. */
export async function openSegmentReader(dir: string, { pollMs = POLL_MS }: ReaderOptions = {}): Promise<LogReader> {
  return new Reader(resolve(dir), pollMs);
}

/** Where somebody stands who reads: the next batch, and where in which segment it must be. */
interface Cursor {
  segment: SegmentFile;
  position: number;
  next: number;
  /** The last batch of this segment; Infinity while it is the newest. */
  last: number;
  /** The newest segment's mark when this was found out. */
  newest: Buffer;
  /** What was read at once ends at this batch; what stood after it was not durable then. */
  windowUntil: number;
  /** About how many bytes a batch takes. */
  guess: number;
}

class Reader implements LogReader {
  readonly #dir: string;
  readonly #pollMs: number;
  readonly #durable: DurableFile;
  #closed = false;
  /** The last used first. */
  #cursors: Cursor[] = [];
  #turn: Promise<unknown> = Promise.resolve();

  constructor(dir: string, pollMs: number) {
    this.#dir = dir;
    this.#pollMs = pollMs;
    this.#durable = new DurableFile(dir);
  }

  read(batch: number, maxBytes: number, knownDurable = 0): Promise<Batch[]> {
    const turn = this.#turn.then(() => this.#read(Math.max(1, batch), maxBytes, knownDurable));
    this.#turn = turn.catch(() => {});
    return turn;
  }

  async end(): Promise<number> {
    return this.#durable.read().batch;
  }

  async first(): Promise<number> {
    return (await listSegments(this.#dir))[0]?.first ?? 1;
  }

  async grown(batch: number, signal: AbortSignal): Promise<void> {
    while (!signal.aborted && !this.#closed && this.#durable.read().batch <= batch) {
      await nextGrowth(this.#dir, this.#pollMs, signal);
    }
  }

  release(consumer: string, batch: number): Promise<void> {
    return releaseBatches(this.#dir, consumer, batch);
  }

  async close(): Promise<void> {
    this.#closed = true;
    announceGrowth(this.#dir);
    await this.#turn;
    for (const { segment } of this.#cursors.splice(0)) segment.close();
    this.#durable.close();
  }

  async #read(batch: number, maxBytes: number, knownDurable: number): Promise<Batch[]> {
    const told = this.#durable.read();
    if (batch <= told.batch) return this.#readUntil({ ...told, batch: Math.max(told.batch, knownDurable) }, batch, maxBytes);
    if (batch > knownDurable) return [];
    try {
      return await this.#readUntil({ ...told, batch: knownDurable }, batch, maxBytes);
    } catch (error) {
      // A disk that did not keep its word: the writer tells of it, and closes the gap.
      if (error instanceof LogError) return [];
      throw error;
    }
  }

  async #readUntil(durable: Durable, batch: number, maxBytes: number): Promise<Batch[]> {
    const batches: Batch[] = [];
    let cursor = await this.#seek(batch, durable);
    for (let bytes = 0; cursor.next <= durable.batch && (bytes < maxBytes || batches.length === 0); ) {
      if (cursor.next > cursor.last) {
        cursor = await this.#seek(cursor.next, durable);
        continue;
      }
      const found = await this.#frame(cursor, durable, maxBytes);
      if (!found) {
        // What is whole before the damage is handed over first; the next read tells.
        if (batches.length > 0) break;
        throw corruptFrame(cursor.segment.path, cursor.position, `batch ${cursor.next} is damaged`);
      }
      if (batches.length > 0 && bytes + found.size > maxBytes) break;
      batches.push({ batch: cursor.next, records: frameRecords(found.bytes, found.offset) });
      bytes += found.size;
      cursor.next++;
      cursor.position += found.size;
    }
    return batches;
  }

  /** The whole frame of the cursor's next batch, or undefined where it is damaged. */
  async #frame(cursor: Cursor, durable: Durable, maxBytes: number): Promise<Found | undefined> {
    const { segment, position, next } = cursor;
    if (next > cursor.windowUntil) {
      segment.refresh();
      cursor.windowUntil = durable.batch;
    }
    const unread = (durable.batch - next + 1) * cursor.guess;
    const found = await segment.frameAt(position, Math.min(unread, maxBytes, AHEAD_BYTES));
    if (!found || wholeFrame(found.bytes, found.offset, segment.head.mark)?.batch !== next) return undefined;
    cursor.guess = found.size;
    return found;
  }

  /** A cursor at `batch`, or at the first one after a gap. Errors: LogError `gone`, `corrupt`. */
  async #seek(batch: number, durable: Durable): Promise<Cursor> {
    const here = this.#cursors.find(({ newest, next, last }) => next === batch && batch <= last && newest.equals(durable.mark));
    if (here) return this.#keep(here);
    const cursor = this.#keep(await this.#locate(batch, durable));
    await this.#skipTo(cursor, batch);
    return cursor;
  }

  async #locate(batch: number, durable: Durable): Promise<Cursor> {
    const { segment, last } = await this.#openFor(batch);
    // In the same file as before: go on from where somebody stood in it rather than from its start.
    const before = this.#cursors.filter((c) => c.segment.head.mark.equals(segment.head.mark) && c.next <= batch);
    const nearest = before.reduce<Cursor | undefined>((best, c) => (best && best.next >= c.next ? best : c), undefined);
    const { position, next, guess } = nearest ?? { position: SEGMENT_HEAD_BYTES, next: segment.head.first, guess: FIRST_GUESS_BYTES };
    return { segment, position, next, last, newest: durable.mark, windowUntil: 0, guess };
  }

  /** As the last used; the one that was not used for longest goes. */
  #keep(cursor: Cursor): Cursor {
    this.#cursors = [cursor, ...this.#cursors.filter((c) => c !== cursor)];
    for (const { segment } of this.#cursors.splice(PLACES)) segment.close();
    return cursor;
  }

  /** The segment that holds `batch`, or that follows the gap which it fell into; with its last batch. */
  async #openFor(batch: number): Promise<{ segment: SegmentFile; last: number }> {
    for (let tries = 0; ; tries++) {
      const segments = await listSegments(this.#dir);
      const at = segments.findLastIndex((s) => s.first <= batch);
      if (at < 0) throw new LogError('gone', `batch ${batch} of ${this.#dir}; the first one kept is ${segments[0]?.first ?? 'none'}`);
      try {
        const after = segments[at + 1] && SegmentFile.open(segments[at + 1]!.path);
        if (!after) return { segment: SegmentFile.open(segments[at]!.path), last: Infinity };
        const { previous } = after.head;
        if (batch > previous) return { segment: after, last: await this.#lastOf(segments[at + 2]?.path) };
        after.close();
        return { segment: SegmentFile.open(segments[at]!.path), last: previous };
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code !== 'ENOENT' || tries >= OPEN_TRIES) throw error;
      }
    }
  }

  async #lastOf(following: string | undefined): Promise<number> {
    if (!following) return Infinity;
    const segment = SegmentFile.open(following);
    segment.close();
    return segment.head.previous;
  }

  /** Goes over frames, by their lengths alone, up to `batch`. */
  async #skipTo(cursor: Cursor, batch: number): Promise<void> {
    const { segment } = cursor;
    while (cursor.next < batch) {
      const found = await segment.frameAt(cursor.position, AHEAD_BYTES);
      const size = found && frameSize(found.bytes, found.offset, segment.head.mark);
      if (!size || frameBatch(found.bytes, found.offset) !== cursor.next) {
        throw corruptFrame(segment.path, cursor.position, `batch ${cursor.next} is damaged`);
      }
      cursor.position += size;
      cursor.next++;
    }
  }
}
