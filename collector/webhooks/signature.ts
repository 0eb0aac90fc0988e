/** Signing and verifying as Standard Webhooks 1.0 says: HMAC-SHA256 over `id.timestamp.body`, the very bytes that are sent. */
import { createHmac, timingSafeEqual } from 'node:crypto';

const VERSION = 'v1';
/** How far a delivery's timestamp may be from the receiver's clock, seconds: Standard Webhooks advises five minutes. */
export const TOLERANCE_SECONDS = 300;

export interface SignedHeaders {
  'webhook-id': string;
  /** Of the attempt, epoch seconds. */
  'webhook-timestamp': string;
  'webhook-signature': string;
}

/** The headers of one attempt. With several keys (a rotation) there is a signature by each, and one that fits is enough. */
export function signedHeaders(id: string, timestampSeconds: number, body: Buffer, keys: readonly Buffer[]): SignedHeaders {
  const timestamp = String(timestampSeconds);
  const signatures = keys.map((key) => signatureOf(id, timestamp, body, key));
  return { 'webhook-id': id, 'webhook-timestamp': timestamp, 'webhook-signature': signatures.join(' ') };
}

/** Why a delivery is not to be believed, or null where it is. `now`: epoch milliseconds; a tolerance of 0 checks no time. */
export function whyNotGenuine(
  headers: Partial<SignedHeaders>,
  body: Buffer,
  key: Buffer,
  now: number,
  toleranceSeconds = TOLERANCE_SECONDS,
): string | null {
  const { 'webhook-id': id, 'webhook-timestamp': timestamp, 'webhook-signature': signatures } = headers;
  if (!id || !timestamp || !signatures) return 'it lacks webhook-id, webhook-timestamp or webhook-signature';
  if (!/^\d{1,12}$/.test(timestamp)) return 'its webhook-timestamp is not a time in seconds';
  const expected = Buffer.from(signatureOf(id, timestamp, body, key));
  if (!signatures.split(' ').some((signature) => matches(signature, expected))) return 'no signature fits this secret and these bytes';
  const off = Math.abs(now / 1000 - Number(timestamp));
  if (toleranceSeconds > 0 && off > toleranceSeconds) return `its timestamp is ${Math.round(off)} s off, more than ${toleranceSeconds} s`;
  return null;
}

/** By its text: base64 has several spellings of the same bytes, and a verifier that takes another one is alone with that. */
function matches(signature: string, expected: Buffer): boolean {
  const given = Buffer.from(signature);
  return given.length === expected.length && timingSafeEqual(given, expected);
}

function signatureOf(id: string, timestamp: string, body: Buffer, key: Buffer): string {
  const digest = createHmac('sha256', key).update(`${id}.${timestamp}.`).update(body).digest('base64');
  return `${VERSION},${digest}`;
}
