import { deflateSync } from 'node:zlib';
import { MAX_SAMPLES } from '../schemas/messages.ts';
import type { Sample } from '../schemas/sample.ts';
import { toColumns } from './columnar.ts';
import { MAX_INFLATED_BYTES, MAX_WIRE_BYTES } from './limits.ts';

/** Below this a deflated message saves less than its zlib frame and its reader's time cost. */
const MIN_DEFLATED_BYTES = 200;

/** Whether to deflate: `auto` where that is smaller, `never` for a text that can be read on the wire. */
export interface EncodeOptions {
  deflate?: 'auto' | 'never';
}

/** A payload's bytes; or `oversized`, where the sender must split its samples over several messages. */
export type Encoded = { ok: true; bytes: Uint8Array } | { ok: false; reason: 'oversized'; detail: string };

/**
 * A message's body as the bytes to publish, of a form that decodePayload reads: JSON, with the samples of a batch in columns where that
 * is shorter, deflated where that is smaller. The body is not checked.
 */
export function encodePayload(body: object, { deflate = 'auto' }: EncodeOptions = {}): Encoded {
  const samples = 'samples' in body && Array.isArray(body.samples) ? (body.samples as Sample[]) : [];
  if (samples.length > MAX_SAMPLES) return oversized(`${samples.length} samples, at most ${MAX_SAMPLES}`);
  const json = new TextEncoder().encode(shorterText(body, samples));
  if (json.length > MAX_INFLATED_BYTES) return oversized(`${json.length} bytes before deflation, at most ${MAX_INFLATED_BYTES}`);
  const bytes = deflate === 'auto' && json.length > MIN_DEFLATED_BYTES ? smaller(json, deflateSync(json)) : json;
  return bytes.length > MAX_WIRE_BYTES ? oversized(`${bytes.length} bytes, at most ${MAX_WIRE_BYTES}`) : { ok: true, bytes };
}

function shorterText(body: object, samples: readonly Sample[]): string {
  const plain = JSON.stringify(body);
  if (samples.length < 2) return plain;
  const columnar = JSON.stringify({ ...body, samples: undefined, ...toColumns(samples) });
  return columnar.length < plain.length ? columnar : plain;
}

function smaller(a: Uint8Array, b: Uint8Array): Uint8Array {
  return b.length < a.length ? b : a;
}

function oversized(detail: string): Encoded {
  return { ok: false, reason: 'oversized', detail };
}
