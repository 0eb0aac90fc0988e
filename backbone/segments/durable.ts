/**
 * How far the log is durable, told to readers in any process: the writer puts it into a small file after each sync. The file itself
 * is not synced: after a power loss it says less than is true, never more, and the next writer puts it right.
 */
import { closeSync, constants, openSync, readSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { crc32 } from 'node:zlib';
import { MARK_BYTES } from './format.ts';

const BYTES = 20;
const TORN_READS = 50;

export interface Durable {
  /** The last durable batch; 0 is none. */
  batch: number;
  /** The mark of the segment that it stands in, so that a reader learns when the writer has gone on to another. */
  mark: Buffer;
}

const NOTHING: Durable = { batch: 0, mark: Buffer.alloc(MARK_BYTES) };

export class DurableFile {
  readonly #path: string;
  readonly #bytes = Buffer.alloc(BYTES);
  #fd: number | undefined;
  #last: Durable = NOTHING;

  constructor(dir: string) {
    this.#path = join(dir, 'durable');
  }

  /** For the writer: makes the file where it is missing. */
  create(): void {
    this.#fd = openSync(this.#path, constants.O_RDWR | constants.O_CREAT, 0o600);
  }

  /** What the file says now. What cannot be read, because no writer has put it right yet, is what was last known. */
  read(): Durable {
    const fd = this.#open();
    if (fd === undefined) return this.#last;
    for (let tries = 0; tries < TORN_READS; tries++) {
      const read = readSync(fd, this.#bytes, 0, BYTES, 0);
      if (read === BYTES && crc32(this.#bytes.subarray(0, 16)) === this.#bytes.readUInt32LE(16)) return this.#decode();
      if (read === 0) break;
    }
    return this.#last;
  }

  publish(batch: number, mark: Buffer): void {
    this.#bytes.writeDoubleLE(batch, 0);
    mark.copy(this.#bytes, 8);
    this.#bytes.writeUInt32LE(crc32(this.#bytes.subarray(0, 16)), 16);
    writeSync(this.#fd!, this.#bytes, 0, BYTES, 0);
  }

  close(): void {
    if (this.#fd !== undefined) closeSync(this.#fd);
    this.#fd = undefined;
  }

  #open(): number | undefined {
    try {
      this.#fd ??= openSync(this.#path, 'r');
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
    }
    return this.#fd;
  }

  #decode(): Durable {
    const batch = this.#bytes.readDoubleLE(0);
    if (batch !== this.#last.batch || this.#bytes.compare(this.#last.mark, 0, MARK_BYTES, 8, 16) !== 0) {
      this.#last = { batch, mark: Buffer.from(this.#bytes.subarray(8, 16)) };
    }
    return this.#last;
  }
}
