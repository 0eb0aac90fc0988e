/** The end of a log: the segment in use, where its next frame goes, and which batch that will be. */
import { randomBytes } from 'node:crypto';
import { closeSync, writeSync } from 'node:fs';
import type { Disk } from './disk.ts';
import type { DurableFile } from './durable.ts';
import { activateSegment, type OpenSegment } from './files.ts';
import { FRAME_HEAD_BYTES, MARK_BYTES, SEGMENT_HEAD_BYTES } from './format.ts';
import type { Group } from './group.ts';
import type { Recovered } from './recover.ts';
import type { SegmentSupply } from './supply.ts';

/** A batch that is durable. */
export interface Committed {
  batch: number;
  bytes: number;
  /** What its write and sync took. */
  ms: number;
}

interface Parts {
  durable: DurableFile;
  disk: Disk;
  supply: SegmentSupply;
  now: () => number;
}

export class Tail {
  readonly #dir: string;
  readonly #parts: Parts;
  #segment: OpenSegment | undefined;
  #last: { batch: number; at: number };
  #next: number;
  /** No other segment could be had: what little room there is in this one would make us look well to small batches alone. */
  #outOfRoom = false;

  constructor(dir: string, { active, last, next }: Recovered, parts: Parts) {
    this.#dir = dir;
    this.#parts = parts;
    this.#segment = active;
    this.#last = last;
    this.#next = next;
  }

  /** Whether a segment is in use: none is after a failed sync. */
  get isOpen(): boolean {
    return this.#segment !== undefined;
  }

  /** Bytes of the segment in use that are still free. */
  get unused(): number {
    return this.#segment ? this.#segment.capacity - this.#segment.position : 0;
  }

  fits(group: Group): boolean {
    return this.#segment !== undefined && !this.#outOfRoom && group.size <= this.unused;
  }

  /** Nothing fits until there is another segment. */
  refuseAll(): void {
    this.#outOfRoom = true;
  }

  /** Tells readers where the log ends. */
  publish(): void {
    this.#parts.durable.publish(this.#next - 1, this.#segment!.head.mark);
  }

  /** Writes and syncs a batch on the event loop. Errors: the system's; the segment is then given up. */
  commitInline(group: Group): Committed {
    const { disk, durable, now } = this.#parts;
    const segment = this.#segment!;
    const frame = group.seal(segment.head.mark, this.#next, now());
    const began = performance.now();
    try {
      disk.commit(segment.fd, frame, segment.position);
      durable.publish(this.#next, segment.head.mark);
    } catch (error) {
      this.#abandon();
      throw error;
    }
    return this.#advance(frame.length, performance.now() - began);
  }

  /** The same in the thread pool. */
  async commitInPool(group: Group): Promise<Committed> {
    const { disk, durable, now } = this.#parts;
    const segment = this.#segment!;
    const frame = group.seal(segment.head.mark, this.#next, now());
    const began = performance.now();
    try {
      await disk.commitInPool(segment.fd, frame, segment.position);
      durable.publish(this.#next, segment.head.mark);
    } catch (error) {
      this.#abandon();
      throw error;
    }
    return this.#advance(frame.length, performance.now() - began);
  }

  /** Goes on to another segment, in which a frame of so many bytes fits; returns its size. Errors: LogError `full`; the system's. */
  async roll(frameBytes: number): Promise<number> {
    const prepared = await this.#parts.supply.take(SEGMENT_HEAD_BYTES + frameBytes);
    const { batch, at } = this.#last;
    const head = { first: this.#next, previous: batch, previousAt: at, mark: randomBytes(MARK_BYTES) };
    const segment = await activateSegment(this.#dir, prepared, head);
    if (this.#segment) closeSync(this.#segment.fd);
    this.#segment = segment;
    this.#outOfRoom = false;
    return segment.capacity;
  }

  /** Begins to make the next segment's file once this one is half full. */
  prepareAhead(): void {
    const { position, capacity } = this.#segment!;
    if (position > capacity / 2) this.#parts.supply.prepareAhead();
  }

  async close(): Promise<void> {
    await this.#parts.supply.close();
    if (this.#segment) closeSync(this.#segment.fd);
    this.#parts.durable.close();
  }

  #advance(bytes: number, ms: number): Committed {
    const batch = this.#next++;
    this.#segment!.position += bytes;
    this.#last = { batch, at: this.#parts.now() };
    return { batch, bytes, ms };
  }

  /**
   * After a failed sync the kernel may have dropped the pages and call the next sync a success, so nothing more is trusted to that
   * file. The next batch takes the same number in a fresh segment, which makes whatever stands here under that number void.
   */
  #abandon(): void {
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
