import { mkdir } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { type Lock, LockHeldError, takeLock } from '../lock.ts';
import { LogError, type LogStats, type LogWriter, type Offset } from '../log.ts';
import { type Disk, realDisk } from './disk.ts';
import { DurableFile } from './durable.ts';
import { toLogError } from './errors.ts';
import type { Fill } from './fill.ts';
import { FRAME_HEAD_BYTES } from './format.ts';
import { Group } from './group.ts';
import { announceGrowth } from './growth.ts';
import { Pace, type SyncMode } from './pace.ts';
import { Queue } from './queue.ts';
import { type Recovered, type Recovery, recoverLog } from './recover.ts';
import { Space } from './space.ts';
import { SegmentSupply } from './supply.ts';
import { type Committed, Tail } from './tail.ts';
import { Upkeep } from './upkeep.ts';

const MIB = 1024 * 1024;
const SEGMENT_BYTES = 64 * MIB;
/** With segments of that size: the newest is never removed, and the next one has to have room beside it. */
export const LEAST_LOG_BYTES = 2 * SEGMENT_BYTES;
/** After a refusal, the disk is looked at again at the first append past this time. */
const RETRY_MS = 1000;

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

/** Takes records in, makes batches of them, and answers for each when it is durable. Where it stands on disk, the tail alone knows. */
class Writer implements SegmentWriter {
  readonly stats: LogStats = { batches: 0, records: 0, bytes: 0, lastSyncMs: 0, syncMode: 'inline' };
  readonly recovery: Recovery;
  readonly #dir: string;
  readonly #uptime: () => number;
  readonly #lock: Lock;
  readonly #space: Space;
  readonly #tail: Tail;
  readonly #upkeep: Upkeep;
  readonly #queue: Queue;
  readonly #pace = new Pace();
  readonly #flush = () => this.#commitNext();
  #refusal: { error: LogError; until: number } | undefined;
  /** A flush is under way, or will be at the end of this turn of the event loop. */
  #flushing = false;
  #drained: (() => void) | undefined;
  #closing: Promise<void> | undefined;

  constructor(dir: string, options: SegmentOptions, lock: Lock, durable: DurableFile, recovered: Recovered) {
    const { maxAgeMs = Infinity, maxBytes = Infinity, reserveBytes = 0, consumers = [], segmentBytes = SEGMENT_BYTES } = options;
    const { now = Date.now, uptime = () => performance.now(), disk = realDisk, onFill = () => {} } = options;
    const limits = { maxAgeMs, maxBytes, reserveBytes, consumers };
    this.recovery = recovered.recovery;
    this.#dir = dir;
    this.#uptime = uptime;
    this.#lock = lock;
    this.#space = new Space(dir, limits, disk, now);
    const supply = new SegmentSupply(dir, segmentBytes, this.#space, uptime);
    this.#tail = new Tail(dir, recovered, { durable, disk, supply, now });
    const use = () => ({ unused: this.#tail.unused, full: this.#refusal?.error.code === 'full' });
    this.#upkeep = new Upkeep(dir, this.#space, { limits, segmentBytes, onFill, uptime, use });
    this.#queue = new Queue(options.maxBatchBytes ?? 4 * MIB);
  }

  /** Tells readers where the log ends. Where batches were lost, an empty one closes the gap, so that readers get past it. */
  async begin(): Promise<void> {
    await this.#space.trim();
    if (!this.#tail.isOpen) await this.#roll(FRAME_HEAD_BYTES);
    await this.#upkeep.measure();
    this.#tail.publish();
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
    await this.#upkeep.close();
    await this.#tail.close();
    await this.#lock.release();
  }

  #commitNext(): void {
    const group = this.#queue.take();
    if (!group) {
      this.#flushing = false;
      this.#drained?.();
    } else if (this.#tail.fits(group) && this.#pace.next() === 'inline') this.#commitInline(group);
    else void this.#rollAndCommit(group);
  }

  #commitInline(group: Group): void {
    let committed: Committed;
    try {
      committed = this.#tail.commitInline(group);
    } catch (error) {
      this.#refuse(group, error);
      return;
    }
    this.#settle(group, committed, 'inline');
  }

  async #rollAndCommit(group: Group): Promise<void> {
    try {
      if (!this.#tail.fits(group)) await this.#roll(group.size);
      await this.#commitInPool(group);
    } catch (error) {
      this.#refuse(group, error);
    }
  }

  async #commitInPool(group: Group): Promise<void> {
    this.#settle(group, await this.#tail.commitInPool(group), 'pool');
  }

  async #roll(frameBytes: number): Promise<void> {
    this.#upkeep.grew(await this.#tail.roll(frameBytes));
  }

  #settle(group: Group, { batch, bytes, ms }: Committed, by: SyncMode): void {
    if (this.#refusal) this.#upkeep.hasten();
    this.#refusal = undefined;
    this.#pace.took(ms, by);
    this.#count(group.records, bytes, ms);
    group.resolve(batch);
    this.#queue.recycle(group);
    announceGrowth(this.#dir);
    this.#tail.prepareAhead();
    this.#upkeep.keep();
    setImmediate(this.#flush);
  }

  #count(records: number, bytes: number, ms: number): void {
    this.stats.batches++;
    this.stats.records += records;
    this.stats.bytes += bytes;
    this.stats.lastSyncMs = ms;
    this.stats.syncMode = this.#pace.mode;
  }

  #refuse(group: Group, cause: unknown): void {
    const error = toLogError(cause);
    this.#refusal = { error, until: this.#uptime() + RETRY_MS };
    if (error.code === 'full') {
      this.#tail.refuseAll();
      this.#upkeep.tellFill();
    }
    group.reject(error);
    this.#queue.rejectAll(error);
    this.#flushing = false;
    this.#drained?.();
  }
}
