import type { Offset } from '../log.ts';
import { FRAME_HEAD_BYTES, paddedSize, sealFrame } from './format.ts';

const FIRST_BYTES = 64 * 1024;

interface Waiting {
  index: number;
  resolve(offset: Offset): void;
  reject(error: Error): void;
}

/** The records that will be one batch, already in the bytes of its frame, and who waits for it. */
export class Group {
  records = 0;
  #buffer = Buffer.allocUnsafeSlow(FIRST_BYTES);
  #length = FRAME_HEAD_BYTES;
  readonly #waiting: Waiting[] = [];

  /** The bytes of its frame. */
  get size(): number {
    return paddedSize(this.#length);
  }

  /** What a frame would take with so many bytes of records more. */
  sizeWith(bytes: number): number {
    return paddedSize(this.#length + bytes);
  }

  get capacity(): number {
    return this.#buffer.length;
  }

  add(records: readonly Uint8Array[], bytes: number, resolve: Waiting['resolve'], reject: Waiting['reject']): void {
    this.#reserve(this.sizeWith(bytes));
    this.#waiting.push({ index: this.records, resolve, reject });
    let length = this.#length;
    for (const record of records) {
      this.#buffer.writeUInt32LE(record.length, length);
      this.#buffer.set(record, length + 4);
      length += 4 + record.length;
    }
    this.#length = length;
    this.records += records.length;
  }

  seal(mark: Buffer, batch: number, at: number): Buffer {
    this.#reserve(this.size);
    return sealFrame(this.#buffer, this.#length, mark, { batch, at, records: this.records });
  }

  resolve(batch: number): void {
    for (const { index, resolve } of this.#waiting) resolve({ batch, index });
  }

  reject(error: Error): void {
    for (const { reject } of this.#waiting) reject(error);
  }

  /** Empties it for another batch; the buffer stays. */
  clear(): void {
    this.records = 0;
    this.#length = FRAME_HEAD_BYTES;
    this.#waiting.length = 0;
  }

  #reserve(size: number): void {
    if (size <= this.#buffer.length) return;
    const larger = Buffer.allocUnsafeSlow(Math.max(size, 2 * this.#buffer.length));
    this.#buffer.copy(larger, 0, 0, this.#length);
    this.#buffer = larger;
  }
}

/** The bytes that records take in a frame. */
export function recordBytes(records: readonly Uint8Array[]): number {
  let bytes = 0;
  for (const record of records) bytes += 4 + record.length;
  return bytes;
}
