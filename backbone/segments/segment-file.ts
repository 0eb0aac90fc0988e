import { closeSync, fstatSync, openSync, read, readSync } from 'node:fs';
import { promisify } from 'node:util';
import { LogError } from '../log.ts';
import { decodeSegmentHead, FRAME_HEAD_BYTES, frameSize, SEGMENT_HEAD_BYTES, type SegmentHead } from './format.ts';

const readInPool = promisify(read);
/** What is read at the log's end was just written and stands in memory: the thread pool would cost more than the read. */
const SYNC_READ_BYTES = 256 * 1024;

/** Bytes of a segment, and where in them a frame starts. */
export interface Found {
  bytes: Buffer;
  offset: number;
  size: number;
}

/** A segment open for reading, through a window that moves forward. Windows are never written again: records may be views of them. */
export class SegmentFile {
  readonly path: string;
  readonly head: SegmentHead;
  readonly #fd: number;
  #window = Buffer.alloc(0);
  #windowStart = 0;

  private constructor(path: string, fd: number, head: SegmentHead) {
    this.path = path;
    this.#fd = fd;
    this.head = head;
  }

  /** Errors: LogError `corrupt` where its head is damaged; the system's error where it cannot be opened. */
  static open(path: string): SegmentFile {
    const fd = openSync(path, 'r');
    try {
      const bytes = Buffer.alloc(SEGMENT_HEAD_BYTES);
      const head = decodeSegmentHead(bytes.subarray(0, readSync(fd, bytes, 0, bytes.length, 0)));
      if (typeof head === 'string') throw new LogError('corrupt', `${path}: ${head}; restore the file from a backup, or move it away`);
      return new SegmentFile(path, fd, head);
    } catch (error) {
      closeSync(fd);
      throw error;
    }
  }

  /** Bytes of the file, of which the last may not have been used yet. */
  get size(): number {
    return fstatSync(this.#fd).size;
  }

  /** The frame that seems to start at `position`, all of its bytes, or undefined where none does. Reads about `ahead` bytes at once. */
  async frameAt(position: number, ahead: number): Promise<Found | undefined> {
    if (!this.#holds(position, FRAME_HEAD_BYTES)) await this.#load(position, Math.max(ahead, FRAME_HEAD_BYTES));
    const size = frameSize(this.#window, position - this.#windowStart, this.head.mark);
    if (size === 0) return undefined;
    if (!this.#holds(position, size)) {
      // A damaged length must not make us allocate gigabytes.
      if (position + size > this.size) return undefined;
      await this.#load(position, Math.max(ahead, size));
    }
    return this.#holds(position, size) ? { bytes: this.#window, offset: position - this.#windowStart, size } : undefined;
  }

  /** Up to `bytes` bytes from `position` on; fewer at the file's end. */
  async bytesAt(position: number, bytes: number): Promise<Buffer> {
    await this.#load(position, bytes);
    return this.#window;
  }

  /** Forgets what was read: it may have been written since. */
  refresh(): void {
    this.#window = Buffer.alloc(0);
  }

  close(): void {
    closeSync(this.#fd);
  }

  #holds(position: number, bytes: number): boolean {
    return position >= this.#windowStart && position + bytes <= this.#windowStart + this.#window.length;
  }

  async #load(position: number, bytes: number): Promise<void> {
    const buffer = Buffer.allocUnsafeSlow(bytes);
    const got =
      bytes <= SYNC_READ_BYTES
        ? readSync(this.#fd, buffer, 0, bytes, position)
        : (await readInPool(this.#fd, buffer, 0, bytes, position)).bytesRead;
    this.#window = buffer.subarray(0, got);
    this.#windowStart = position;
  }
}

/** Whether a file holds no byte but zeros: what a power loss left of a new segment. */
export function isBlank(path: string): boolean {
  const fd = openSync(path, 'r');
  try {
    const bytes = Buffer.alloc(SEGMENT_HEAD_BYTES * 64);
    for (let position = 0; ; position += bytes.length) {
      const got = readSync(fd, bytes, 0, bytes.length, position);
      if (got === 0) return true;
      if (!bytes.subarray(0, got).every((byte) => byte === 0)) return false;
    }
  } finally {
    closeSync(fd);
  }
}
