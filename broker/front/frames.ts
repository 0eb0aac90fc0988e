/**
 * MQTT's frames: where each ends, and which are too long. That is known before a body is gathered: mqtt-packet has no limit and would
 * hold a packet of 256 MB in memory.
 */
import { MAX_WIRE_BYTES } from '../../protocol/codec/limits.ts';

/** A payload, and 2 KiB for what stands around it: topic and id in a PUBLISH, names and the password in a CONNECT with a Will. */
export const MAX_FRAME_BYTES = MAX_WIRE_BYTES + 2 * 1024;

/** MQTT 3.1.1, 2.2.3: the remaining length is 1 to 4 bytes of 7 bits, the lowest first; the high bit says that another follows. */
const MAX_LENGTH_BYTES = 4;

export class OversizedFrameError extends Error {
  constructor() {
    super(`a packet may have ${MAX_FRAME_BYTES} bytes`);
    this.name = 'OversizedFrameError';
  }
}

/** The bytes of the frame at `at`, its head included: 0 where its length has not wholly come, Infinity where it is too long. */
export function frameSize(bytes: Uint8Array, at: number): number {
  let length = 0;
  for (let i = 0; i < MAX_LENGTH_BYTES; i += 1) {
    const byte = bytes[at + 1 + i];
    if (byte === undefined) return 0;
    length += (byte & 0x7f) << (7 * i);
    if (length > MAX_FRAME_BYTES) return Infinity;
    if (byte < 0x80) return 2 + i + length;
  }
  return Infinity;
}

/** Follows the frames of a connection, chunk by chunk. */
export class FrameMeter {
  /** Frames that have wholly come. */
  frames = 0;
  readonly #limit: number;
  #bodyLeft = 0;
  /** Of the length that is under way; -1 where the next byte begins a frame, or is of a body. */
  #lengthBytes = -1;
  #length = 0;

  constructor(limit = MAX_FRAME_BYTES) {
    this.#limit = limit;
  }

  /** Whether the next byte begins a frame. */
  get between(): boolean {
    return this.#bodyLeft === 0 && this.#lengthBytes === -1;
  }

  /** False where a frame in these bytes says that it is longer than allowed. */
  take(chunk: Uint8Array): boolean {
    let position = 0;
    while (position < chunk.length) {
      if (this.#bodyLeft > 0) position += this.#skip(chunk.length - position);
      else if (!this.#takeHeadByte(chunk[position++]!)) return false;
    }
    return true;
  }

  #skip(available: number): number {
    const skipped = Math.min(this.#bodyLeft, available);
    this.#bodyLeft -= skipped;
    if (this.#bodyLeft === 0) this.frames += 1;
    return skipped;
  }

  #takeHeadByte(byte: number): boolean {
    if (this.#lengthBytes === -1) {
      this.#lengthBytes = 0;
      this.#length = 0;
      return true;
    }
    this.#length += (byte & 0x7f) << (7 * this.#lengthBytes);
    this.#lengthBytes += 1;
    const more = byte >= 0x80;
    if (this.#length > this.#limit || (more && this.#lengthBytes === MAX_LENGTH_BYTES)) return false;
    if (!more) {
      this.#bodyLeft = this.#length;
      this.#lengthBytes = -1;
      if (this.#length === 0) this.frames += 1;
    }
    return true;
  }
}
