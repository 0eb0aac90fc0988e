import { randomBytes } from 'node:crypto';
import { closeSync, writeSync } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { type Lock, LockHeldError, takeLock } from '../lock.ts';
import { LogError, type LogStats, type LogWriter, type Offset } from '../log.ts';
import { type Disk, realDisk } from './disk.ts';
import { DurableFile } from './durable.ts';
import { toLogError } from './errors.ts';
import { activateSegment, type OpenSegment } from './files.ts';
import { type Fill, FillFile, fillOf } from './fill.ts';
import { FRAME_HEAD_BYTES, MARK_BYTES, SEGMENT_HEAD_BYTES } from './format.ts';
import { Group } from './group.ts';
import { announceGrowth } from './growth.ts';
import { Pace, type SyncMode } from './pace.ts';
import { Queue } from './queue.ts';
import { type Recovered, type Recovery, recoverLog } from './recover.ts';
import { type Limits, Space, type Stock } from './space.ts';
import { SegmentSupply } from './supply.ts';

const MIB = 1024 * 1024;
const SEGMENT_BYTES = 64 * MIB;
/** With segments of that size: the newest is never removed, and the next one has to have room beside it. */
export const LEAST_LOG_BYTES = 2 * SEGMENT_BYTES;
/** After a refusal, the disk is looked at again at the first append past this time. */
const RETRY_MS = 1000;
const RETENTION_EVERY_MS = 60_000;
const FILL_EVERY_MS = 1_000;

export interface SegmentOptions {
  /** The size of a segment file, bytes. Default 64 MiB. */
  segmentBytes?: number;
  /** What waits beyond so many bytes goes into the next batch. Default 4 MiB. */
  maxBatchBytes?: number;
  /** Segments whose last batch is older are removed, milliseconds. Default: none are. */
  maxAgeMs?: number;
  /** The log's files together, bytes; beyond it the oldest go, or appends are refused. Default: no limit. */
  maxBytes?: number;
  /** Those for whom everything is kept until they have said what they need: `release`. Default: whoever has said so. */
  consumers?: readonly string[];
  /** Disk space that the log leaves free, bytes. Default 0. */
  reserveBytes?: number;
  /** Told how full the log is, about each second while it grows. */
  onFill?: (fill: Fill) => void;
  /** Epoch milliseconds: the age of batches. */
  now?: () => number;
  /** Milliseconds of a clock that never steps: how long something lasts. */
  uptime?: () => number;
  disk?: Disk;
}

export interface SegmentWriter extends LogWriter {
  readonly recovery: Recovery;
}

/** Opens a log for appending, and puts its end in order after a crash. Errors: LogError `locked`, `corrupt`, `full`; the system's. */
export async function openSegmentWriter(dir: string, options: SegmentOptions = {}): Promise<SegmentWriter> {
  await mkdir(dir, { recursive: true, mode: 0o700 });
  const lock = await takeLock(join(dir, 'lock')).catch((error) => {
    throw error instanceof LockHeldError ? new LogError('locked', error.message, { cause: error }) : error;
  });
  const durable = new DurableFile(dir);
  try {
    durable.create();
    const recovered = await recoverLog(dir, durable.read(), options.segmentBytes ?? SEGMENT_BYTES);
    const writer = new Writer(resolve(dir), options, lock, durable, recovered);
    await writer.begin();
    return writer;
  } catch (error) {
    durable.close();
    await lock.release();
    throw error;
  }
}

class Writer implements SegmentWriter {
  readonly stats: LogStats = { batches: 0, records: 0, bytes: 0, lastSyncMs: 0, syncMode: 'inline' };
  readonly recovery: Recovery;
  readonly #dir: string;
  readonly #limits: Limits;
  readonly #now: () => number;
  readonly #uptime: () => number;
  readonly #disk: Disk;
  readonly #lock: Lock;
  readonly #durable: DurableFile;
  readonly #fillFile: FillFile;
  readonly #onFill: (fill: Fill) => void;
  readonly #segmentBytes: number;
  readonly #space: Space;
  readonly #supply: SegmentSupply;
  readonly #queue: Queue;
  readonly #pace = new Pace();
  readonly #flush = () => this.#commitNext();
  #segment: OpenSegment | undefined;
  #last: { batch: number; at: number };
  #next: number;
  #refusal: { error: LogError; until: number } | undefined;
  /** A flush is under way, or will be at the end of this turn of the event loop. */
  #flushing = false;
  #drained: (() => void) | undefined;
  #closing: Promise<void> | undefined;
  #retention: Promise<unknown> = Promise.resolve();
  #retentionAt: number;
  #measured: { stock: Stock; free: number } = { stock: { bytes: 0, needed: 0 }, free: Number.POSITIVE_INFINITY };
  #fillToldAt = Number.NEGATIVE_INFINITY;
  /** No other segment could be had: what little room there is in this one would make us look well to small batches alone. */
  #outOfRoom = false;

  constructor(dir: string, options: SegmentOptions, lock: Lock, durable: DurableFile, { active, last, next, recovery }: Recovered) {
    const { maxAgeMs = Infinity, maxBytes = Infinity, reserveBytes = 0, consumers = [], segmentBytes = SEGMENT_BYTES } = options;
    this.recovery = recovery;
    this.#dir = dir;
    this.#limits = { maxAgeMs, maxBytes, reserveBytes, consumers };
    this.#now = options.now ?? Date.now;
    this.#uptime = options.uptime ?? (() => performance.now());
    this.#disk = options.disk ?? realDisk;
    this.#lock = lock;
    this.#durable = durable;
    this.#fillFile = new FillFile(dir);
    this.#onFill = options.onFill ?? (() => {});
    this.#segmentBytes = segmentBytes;
    this.#space = new Space(dir, this.#limits, this.#disk, this.#now);
    this.#supply = new SegmentSupply(dir, segmentBytes, this.#space, this.#uptime);
    this.#queue = new Queue(options.maxBatchBytes ?? 4 * MIB);
    this.#segment = active;
    this.#last = last;
    this.#next = next;
    this.#retentionAt = this.#uptime();
  }

  /** Tells readers where the log ends. Where batches were lost, an empty one closes the gap, so that readers get past it. */
  async begin(): Promise<void> {
    await this.#space.trim();
    if (!this.#segment) await this.#roll(FRAME_HEAD_BYTES);
    await this.#measure();
    this.#durable.publish(this.#next - 1, this.#segment!.head.mark);
    if (this.recovery.lostBatches === 0) return;
    this.#flushing = true;
    await this.#commitInPool(new Group());
  }

  append(records: readonly Uint8Array[]): Promise<Offset> {
    if (records.length === 0) return Promise.reject(new RangeError('nothing to append'));
    return new Promise((resolve, reject) => this.#enqueue(records, resolve, reject));
  }

  add(record: Uint8Array, done: (error?: Error) => void): void {
    this.#enqueue([record], () => done(), done);
  }

  #enqueue(records: readonly Uint8Array[], resolve: (offset: Offset) => void, reject: (error: Error) => void): void {
    if (this.#closing) return reject(new LogError('failed', 'this writer is closed'));
    if (this.#refusal && this.#uptime() < this.#refusal.until) return reject(this.#refusal.error);
    this.#queue.add(records, resolve, reject);
    if (this.#flushing) return;
    this.#flushing = true;
    // Not before the end of this turn: what one turn appends is one batch.
    setImmediate(this.#flush);
  }

  close(): Promise<void> {
    this.#closing ??= this.#finish();
    return this.#closing;
  }

  async #finish(): Promise<void> {
    if (this.#flushing) {
      await new Promise<void>((resolve) => {
        this.#drained = resolve;
      });
    }
    await this.#supply.close();
    await this.#retention;
    if (this.#segment) closeSync(this.#segment.fd);
    this.#durable.close();
    this.#fillFile.close();
    await this.#lock.release();
  }

  #commitNext(): void {
    const group = this.#queue.take();
    if (!group) {
      this.#flushing = false;
      this.#drained?.();
    } else if (this.#fits(group) && this.#pace.next() === 'inline') this.#commitInline(group);
    else void this.#rollAndCommit(group);
  }

  #fits(group: Group): boolean {
    return this.#segment !== undefined && !this.#outOfRoom && this.#segment.position + group.size <= this.#segment.capacity;
  }

  #commitInline(group: Group): void {
    const segment = this.#segment!;
    const frame = group.seal(segment.head.mark, this.#next, this.#now());
    const began = performance.now();
    try {
      this.#disk.commit(segment.fd, frame, segment.position);
      this.#durable.publish(this.#next, segment.head.mark);
    } catch (error) {
      this.#abandonSegment();
      this.#refuse(group, error);
      return;
    }
    this.#settle(group, frame.length, performance.now() - began, 'inline');
  }

  async #rollAndCommit(group: Group): Promise<void> {
    try {
      if (!this.#fits(group)) await this.#roll(group.size);
      await this.#commitInPool(group);
    } catch (error) {
      this.#refuse(group, error);
    }
  }

  async #commitInPool(group: Group): Promise<void> {
    const segment = this.#segment!;
    const frame = group.seal(segment.head.mark, this.#next, this.#now());
    const began = performance.now();
    try {
      await this.#disk.commitInPool(segment.fd, frame, segment.position);
      this.#durable.publish(this.#next, segment.head.mark);
    } catch (error) {
      this.#abandonSegment();
      throw error;
    }
    this.#settle(group, frame.length, performance.now() - began, 'pool');
  }

  async #roll(frameBytes: number): Promise<void> {
    const prepared = await this.#supply.take(SEGMENT_HEAD_BYTES + frameBytes);
    const { batch, at } = this.#last;
    const head = { first: this.#next, previous: batch, previousAt: at, mark: randomBytes(MARK_BYTES) };
    const segment = await activateSegment(this.#dir, prepared, head);
    if (this.#segment) closeSync(this.#segment.fd);
    this.#segment = segment;
    this.#outOfRoom = false;
    this.#measured.stock.needed += segment.capacity;
    this.#retentionAt = Number.NEGATIVE_INFINITY;
  }

  #settle(group: Group, bytes: number, ms: number, by: SyncMode): void {
    const segment = this.#segment!;
    const batch = this.#next++;
    segment.position += bytes;
    this.#last = { batch, at: this.#now() };
    if (this.#refusal) this.#retentionAt = Number.NEGATIVE_INFINITY;
    this.#refusal = undefined;
    this.#pace.took(ms, by);
    this.#count(group.records, bytes, ms);
    group.resolve(batch);
    this.#queue.recycle(group);
    announceGrowth(this.#dir);
    if (segment.position > segment.capacity / 2) this.#supply.prepareAhead();
    this.#keepRetention();
    setImmediate(this.#flush);
  }

  #count(records: number, bytes: number, ms: number): void {
    this.stats.batches++;
    this.stats.records += records;
    this.stats.bytes += bytes;
    this.stats.lastSyncMs = ms;
    this.stats.syncMode = this.#pace.mode;
  }

  /** A failure here is met again, and told, where the next segment is made. */
  #keepRetention(): void {
    const now = this.#uptime();
    if (now >= this.#fillToldAt + FILL_EVERY_MS) this.#tellFill();
    if (now < this.#retentionAt + RETENTION_EVERY_MS) return;
    this.#retentionAt = now;
    this.#retention = this.#measure().catch(() => {});
  }

  async #measure(): Promise<void> {
    this.#measured = await this.#space.trim();
    this.#tellFill();
  }

  #tellFill(): void {
    this.#fillToldAt = this.#uptime();
    const { stock, free } = this.#measured;
    const unused = this.#segment ? this.#segment.capacity - this.#segment.position : 0;
    const full = this.#refusal?.error.code === 'full';
    const fill = { ...fillOf(stock, unused, free, this.#limits, this.#segmentBytes), full };
    this.#onFill(fill);
    try {
      this.#fillFile.publish(fill);
    } catch {
      // It is told again at the next measure.
    }
  }

  #refuse(group: Group, cause: unknown): void {
    const error = toLogError(cause);
    this.#refusal = { error, until: this.#uptime() + RETRY_MS };
    if (error.code === 'full') {
      this.#outOfRoom = true;
      this.#tellFill();
    }
    group.reject(error);
    this.#queue.rejectAll(error);
    this.#flushing = false;
    this.#drained?.();
  }

  /**
   * After a failed sync the kernel may have dropped the pages and call the next sync a success, so nothing more is trusted to that
   * file. The next batch takes the same number in a fresh segment, which makes whatever stands here under that number void.
   */
  #abandonSegment(): void {
    const { fd, position } = this.#segment!;
    this.#segment = undefined;
    try {
      writeSync(fd, Buffer.alloc(FRAME_HEAD_BYTES), 0, FRAME_HEAD_BYTES, position);
    } catch {
      // The disk fails: a frame that stays is only found where no later segment exists.
    }
    closeSync(fd);
  }
}
