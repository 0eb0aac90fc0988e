import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { decodePayload } from '../../../protocol/codec/decode.ts';
import { encodePayload } from '../../../protocol/codec/encode.ts';
import { message, plain, SEED } from '../arbitraries.ts';

const DEFLATED = 0x78;
const batch = (n: number, more: object = {}) => ({
  v: 1,
  session: 's',
  seq: 1,
  samples: Array.from({ length: n }, (_, i) => ({
    at: 1_763_798_400_000 + i * 1000,
    signal: { rat: 'lte', rsrp: -100 - (i % 7) },
    ...more,
  })),
});

function bytesOf(body: object, deflate: 'auto' | 'never' = 'auto'): Uint8Array {
  const encoded = encodePayload(body, { deflate });
  if (!encoded.ok) throw new Error(encoded.detail);
  return encoded.bytes;
}

describe('encodePayload', () => {
  it('makes bytes that decode to the same message', () => {
    fc.assert(
      fc.property(message, fc.constantFrom('auto' as const, 'never' as const), ({ channel, body }, deflate) => {
        expect(decodePayload(channel, bytesOf(body, deflate))).toEqual({ ok: true, message: { channel, body: plain(body) } });
      }),
      { seed: SEED, numRuns: 1000 },
    );
  });

  it('leaves a short message as text', () => {
    expect(new TextDecoder().decode(bytesOf({ v: 1, session: 's', state: 'online' }))).toBe('{"v":1,"session":"s","state":"online"}');
  });

  it('deflates a batch in columns to less than a fifth of its plain text', () => {
    const body = batch(60);
    const bytes = bytesOf(body);
    expect(bytes[0]).toBe(DEFLATED);
    expect(bytes.length).toBeLessThan(JSON.stringify(body).length / 5);
  });

  it('leaves a text that deflation would not make smaller', () => {
    const noise = Array.from({ length: 260 }, (_, i) => String.fromCodePoint(0x10000 + ((i * 7919) % 60_000))).join('');
    const body = { v: 1, id: 'x', ok: false, error: noise };
    const bytes = bytesOf(body);
    expect(bytes.length).toBeLessThanOrEqual(Buffer.byteLength(JSON.stringify(body)));
    expect(decodePayload('ack', bytes)).toMatchObject({ ok: true, message: { body } });
  });

  it('deflates nothing where it was told so', () => {
    expect(bytesOf(batch(60), 'never')[0]).toBe('{'.charCodeAt(0));
  });

  it('says so where a message would be too large for the wire, or have too many samples', () => {
    expect(encodePayload(batch(4000), { deflate: 'never' })).toMatchObject({ ok: false, reason: 'oversized' });
    expect(encodePayload(batch(4097))).toMatchObject({ ok: false, reason: 'oversized' });
    const wide = batch(4000, { outcomes: Array.from({ length: 10 }, () => ({ system: 'unionpay', code: '00', n: 1 })) });
    expect(encodePayload(wide)).toMatchObject({ ok: false, reason: 'oversized' });
  });

  it('sends a batch of thousands of samples where they fit', () => {
    const body = batch(4000);
    expect(decodePayload('report', bytesOf(body))).toEqual({ ok: true, message: { channel: 'report', body } });
  });
});
