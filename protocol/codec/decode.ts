import { inflateSync } from 'node:zlib';
import type { UpChannel } from '../topics.ts';
import { checkPayload } from './check.ts';
import type { Decoded, QuarantineReason } from './decoded.ts';
import { MAX_INFLATED_BYTES, MAX_WIRE_BYTES } from './limits.ts';

/** The first byte of a zlib stream with a 32 KiB window (RFC 1950 section 2.2); no JSON text begins with it. */
const ZLIB_FIRST_BYTE = 0x78;

const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

type Step<T> = { ok: true; value: T } | { ok: false; reason: QuarantineReason; detail: string };

/**
 * A payload as it came from the wire: JSON in UTF-8, or the same deflated by zlib; a report's samples plain or in columns. Of a member
 * that stands twice the last counts, as JSON.parse has it. Never throws; memory is bounded whatever the bytes are. The detail of a
 * refusal names members and sizes, never what they hold.
 */
export function decodePayload(channel: UpChannel, raw: Uint8Array): Decoded {
  const plain = inflated(raw);
  if (!plain.ok) return plain;
  const json = parsed(plain.value);
  return json.ok ? checkPayload(channel, json.value) : json;
}

function inflated(raw: Uint8Array): Step<Uint8Array> {
  if (raw.length > MAX_WIRE_BYTES) return no('oversized', `${raw.length} bytes, at most ${MAX_WIRE_BYTES}`);
  if (raw[0] !== ZLIB_FIRST_BYTE) return { ok: true, value: raw };
  try {
    const { buffer, engine } = inflateSync(raw, { maxOutputLength: MAX_INFLATED_BYTES, info: true }) as unknown as Inflated;
    const trailing = raw.length - engine.bytesWritten;
    return trailing === 0 ? { ok: true, value: buffer } : no('bad_deflate', `${trailing} bytes after the end of the zlib stream`);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'ERR_BUFFER_TOO_LARGE') return no('inflated_too_large', `more than ${MAX_INFLATED_BYTES} bytes once inflated`);
    return no('bad_deflate', `not a whole zlib stream (${code ?? 'unreadable'})`);
  }
}

/** What zlib's convenience methods return with `info`; @types/node does not know of it. `bytesWritten` counts the input consumed. */
interface Inflated {
  buffer: Buffer;
  engine: { bytesWritten: number };
}

function parsed(bytes: Uint8Array): Step<unknown> {
  let text: string;
  try {
    text = utf8.decode(bytes);
  } catch {
    return no('bad_utf8', `${bytes.length} bytes that are not UTF-8`);
  }
  try {
    return { ok: true, value: JSON.parse(text) };
  } catch (error) {
    return no('bad_json', `${bytes.length} bytes that are not JSON${positionIn(error)}`);
  }
}

/** The engine's message also quotes the text, so only its position is taken over. */
function positionIn(error: unknown): string {
  const position = /at position (\d+)/.exec(String(error))?.[1];
  return position === undefined ? '' : ` (at character ${position})`;
}

function no(reason: QuarantineReason, detail: string): Step<never> & { ok: false } {
  return { ok: false, reason, detail };
}
