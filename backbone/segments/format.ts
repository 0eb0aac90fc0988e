/**
 * How a segment file looks. Numbers are little-endian; batch numbers and times (epoch milliseconds) are f64, exact to 2^53.
 *
 * Head, 64 bytes:  magic 8 | version u32 | crc32 of the rest u32 | first batch f64 | last batch before it f64 | its time f64 | mark 8 | zeros
 * Frame:           mark 8 | crc32 of the rest u32 | length u32 | batch f64 | time f64 | records u32 | 0 u32 | (length u32, bytes) for each
 *                  record; zeros up to a multiple of 8. `length` counts from the frame's start, without those zeros.
 *
 * The mark is eight random bytes of each segment: nothing that a terminal sends can pass for a frame.
 */
import { crc32 } from 'node:zlib';

const MAGIC = Buffer.from('TILLWLOG', 'latin1');
const VERSION = 1;
export const SEGMENT_HEAD_BYTES = 64;
export const FRAME_HEAD_BYTES = 40;
export const MARK_BYTES = 8;

export interface SegmentHead {
  /** The number of the first batch in this segment. */
  first: number;
  /** The last batch of the segment before, and its time: what stands there after it is void. 0 where there is none. */
  previous: number;
  previousAt: number;
  mark: Buffer;
}

export interface FrameHead {
  batch: number;
  at: number;
  records: number;
}

export function encodeSegmentHead({ first, previous, previousAt, mark }: SegmentHead): Buffer {
  const bytes = Buffer.alloc(SEGMENT_HEAD_BYTES);
  MAGIC.copy(bytes);
  bytes.writeUInt32LE(VERSION, 8);
  bytes.writeDoubleLE(first, 16);
  bytes.writeDoubleLE(previous, 24);
  bytes.writeDoubleLE(previousAt, 32);
  mark.copy(bytes, 40);
  bytes.writeUInt32LE(crc32(bytes.subarray(16)), 12);
  return bytes;
}

/** The head that these bytes hold, or what is wrong with them. */
export function decodeSegmentHead(bytes: Buffer): SegmentHead | string {
  if (bytes.length < SEGMENT_HEAD_BYTES) return 'its head is cut short';
  if (!bytes.subarray(0, 8).equals(MAGIC)) return 'it is not a segment of a log';
  if (bytes.readUInt32LE(8) !== VERSION) return `it has format ${bytes.readUInt32LE(8)}, and this version reads format ${VERSION}`;
  if (crc32(bytes.subarray(16, SEGMENT_HEAD_BYTES)) !== bytes.readUInt32LE(12)) return 'its head fails its checksum';
  return {
    first: bytes.readDoubleLE(16),
    previous: bytes.readDoubleLE(24),
    previousAt: bytes.readDoubleLE(32),
    mark: Buffer.from(bytes.subarray(40, 40 + MARK_BYTES)),
  };
}

/** The bytes that a frame of this length takes in its segment. */
export function paddedSize(length: number): number {
  return Math.ceil(length / 8) * 8;
}

/** Fills in the head and the padding of a frame whose records stand in `buffer` from FRAME_HEAD_BYTES up to `length`. */
export function sealFrame(buffer: Buffer, length: number, mark: Buffer, { batch, at, records }: FrameHead): Buffer {
  const size = paddedSize(length);
  mark.copy(buffer);
  buffer.writeUInt32LE(length, 12);
  buffer.writeDoubleLE(batch, 16);
  buffer.writeDoubleLE(at, 24);
  buffer.writeUInt32LE(records, 32);
  buffer.writeUInt32LE(0, 36);
  buffer.fill(0, length, size);
  buffer.writeUInt32LE(crc32(buffer.subarray(12, length)), 8);
  return buffer.subarray(0, size);
}

/** The size of the frame that seems to start at `offset`, padding included; 0 where none does. Its checksum is not looked at. */
export function frameSize(bytes: Buffer, offset: number, mark: Buffer): number {
  if (offset + FRAME_HEAD_BYTES > bytes.length) return 0;
  if (bytes.compare(mark, 0, MARK_BYTES, offset, offset + MARK_BYTES) !== 0) return 0;
  const length = bytes.readUInt32LE(offset + 12);
  return length < FRAME_HEAD_BYTES ? 0 : paddedSize(length);
}

/** The head of the frame at `offset`, or undefined where it is not whole or fails its checksum. */
export function wholeFrame(bytes: Buffer, offset: number, mark: Buffer): FrameHead | undefined {
  const size = frameSize(bytes, offset, mark);
  if (size === 0 || offset + size > bytes.length) return undefined;
  const length = bytes.readUInt32LE(offset + 12);
  if (crc32(bytes.subarray(offset + 12, offset + length)) !== bytes.readUInt32LE(offset + 8)) return undefined;
  return { batch: frameBatch(bytes, offset), at: bytes.readDoubleLE(offset + 24), records: bytes.readUInt32LE(offset + 32) };
}

export function frameBatch(bytes: Buffer, offset: number): number {
  return bytes.readDoubleLE(offset + 16);
}

/** The records of a whole frame: views of `bytes`. */
export function frameRecords(bytes: Buffer, offset: number): Buffer[] {
  const records = new Array<Buffer>(bytes.readUInt32LE(offset + 32));
  let at = offset + FRAME_HEAD_BYTES;
  for (let i = 0; i < records.length; i++) {
    const start = at + 4;
    at = start + bytes.readUInt32LE(at);
    records[i] = bytes.subarray(start, at);
  }
  return records;
}
