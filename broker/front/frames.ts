/**
 * Watches the bytes of a connection for MQTT frames that are too long, before the parser gathers them: mqtt-packet has no limit
 * and would hold a packet of 256 MB in memory.
 */
import type { Socket } from 'node:net';
import { MAX_WIRE_BYTES } from '../protocol/codec/limits.ts';

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

/** Takes a connection's bytes, chunk by chunk; false where a frame in them says that it is longer than allowed. */
export function createFrameMeter(limit = MAX_FRAME_BYTES): (chunk: Uint8Array) => boolean {
  let bodyLeft = 0;
  let lengthBytes = -1;
  let length = 0;
  const takeHeaderByte = (byte: number): boolean => {
    if (lengthBytes === -1) {
      lengthBytes = 0;
      length = 0;
      return true;
    }
    length += (byte & 0x7f) * 2 ** (7 * lengthBytes);
    lengthBytes += 1;
    const more = byte >= 0x80;
    if (length > limit || (more && lengthBytes === MAX_LENGTH_BYTES)) return false;
    if (!more) {
      bodyLeft = length;
      lengthBytes = -1;
    }
    return true;
  };
  return (chunk) => {
    let position = 0;
    while (position < chunk.length) {
      if (bodyLeft > 0) {
        const skipped = Math.min(bodyLeft, chunk.length - position);
        bodyLeft -= skipped;
        position += skipped;
      } else if (!takeHeaderByte(chunk[position++]!)) return false;
    }
    return true;
  };
}

/**
 * Destroys `socket` with an OversizedFrameError as soon as the length of such a frame has come. `push` is where a Readable takes
 * its bytes in; wrapping it costs no second stream per connection.
 */
export function limitFrames(socket: Socket): void {
  const fits = createFrameMeter();
  const push = socket.push.bind(socket);
  socket.push = (chunk: Uint8Array | null, encoding?: BufferEncoding) => {
    if (chunk === null || fits(chunk)) return push(chunk, encoding);
    socket.destroy(new OversizedFrameError());
    return false;
  };
}
