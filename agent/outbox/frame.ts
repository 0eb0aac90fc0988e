/**
 * One message as bytes in a segment file: u32 length of the body, u32 CRC-32 of the body, then the body: u16 length of its head, the
 * head as JSON, and the payload. Numbers are big-endian.
 */
import { crc32 } from 'node:zlib';
import type { UpChannel } from '../../protocol/topics.ts';

/** What waits to be sent. `seq` is null for an `ack`, which is not counted. */
export interface Message {
  session: string;
  seq: number | null;
  channel: UpChannel;
  payload: Uint8Array;
}

/** Where a frame's body lies in its file. */
export interface Extent {
  offset: number;
  length: number;
}

export const FRAME_HEAD_BYTES = 8;

export function encodeFrame({ session, seq, channel, payload }: Message): Buffer {
  const head = Buffer.from(JSON.stringify([session, seq, channel]));
  const frame = Buffer.allocUnsafe(FRAME_HEAD_BYTES + 2 + head.length + payload.length);
  frame.writeUInt16BE(head.length, FRAME_HEAD_BYTES);
  frame.set(head, FRAME_HEAD_BYTES + 2);
  frame.set(payload, FRAME_HEAD_BYTES + 2 + head.length);
  frame.writeUInt32BE(frame.length - FRAME_HEAD_BYTES, 0);
  frame.writeUInt32BE(crc32(frame.subarray(FRAME_HEAD_BYTES)), 4);
  return frame;
}

export function decodeBody(body: Buffer): Message {
  const headEnd = 2 + body.readUInt16BE(0);
  const [session, seq, channel] = JSON.parse(body.toString('utf8', 2, headEnd)) as [string, number | null, UpChannel];
  return { session, seq, channel, payload: body.subarray(headEnd) };
}

/** The whole frames at the start of a file, and where they end: what comes after is torn. */
export function scanFrames(bytes: Buffer): { extents: Extent[]; end: number } {
  const extents: Extent[] = [];
  let end = 0;
  while (bytes.length - end >= FRAME_HEAD_BYTES) {
    const offset = end + FRAME_HEAD_BYTES;
    const length = bytes.readUInt32BE(end);
    // A file system may leave zeros where a write was lost, and zero is the checksum of nothing.
    if (length <= 2 || length > bytes.length - offset) break;
    if (crc32(bytes.subarray(offset, offset + length)) !== bytes.readUInt32BE(end + 4)) break;
    extents.push({ offset, length });
    end = offset + length;
  }
  return { extents, end };
}
