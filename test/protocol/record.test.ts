import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { decodeRecord, encodeRecord } from '../../protocol/record.ts';
import { UP_CHANNELS } from '../../protocol/topics.ts';
import { SEED } from './arbitraries.ts';

const at = fc.integer({ min: 0, max: 253_402_300_799_999 });
const ascii = fc.stringMatching(/^[a-zA-Z0-9.-]{1,60}$/);
const text = fc.string({ unit: 'grapheme', maxLength: 40 });

const arrival = fc.record({
  kind: fc.constant('arrival' as const),
  at,
  node: ascii,
  acquirer: fc.stringMatching(/^[a-z0-9-]{1,32}$/),
  sn: fc.stringMatching(/^[A-Za-z0-9-]{4,32}$/),
  channel: fc.constantFrom(...UP_CHANNELS),
  payload: fc.uint8Array({ maxLength: 400 }),
});
const heartbeat = fc.record({ kind: fc.constant('heartbeat' as const), at, node: ascii, boot: ascii, uptime: fc.nat() });
const refusal = fc.record({ kind: fc.constant('refusal' as const), at, node: ascii, user: text, reason: text, detail: text });

describe('a record', () => {
  it('gives back what it was made of, wherever its bytes lie', () => {
    fc.assert(
      fc.property(fc.oneof(arrival, heartbeat, refusal), fc.nat(9), (record, offset) => {
        const bytes = encodeRecord(record);
        const within = new Uint8Array(offset + bytes.length + 3).fill(0xff);
        within.set(bytes, offset);
        const decoded = decodeRecord(within.subarray(offset, offset + bytes.length));
        expect({ ...decoded, payload: 'payload' in decoded ? [...decoded.payload] : [] }).toEqual({
          ...record,
          payload: 'payload' in record ? [...record.payload] : [],
        });
      }),
      { seed: SEED, numRuns: 1000 },
    );
  });

  it('keeps the payload byte for byte, also where it is no message at all', () => {
    const payload = Uint8Array.from({ length: 256 }, (_, i) => i);
    const decoded = decodeRecord(
      encodeRecord({ kind: 'arrival', at: 1, node: 'n', acquirer: 'acme', sn: 'SN01', channel: 'report', payload }),
    );
    expect(decoded).toMatchObject({ kind: 'arrival' });
    expect([...(decoded as { payload: Uint8Array }).payload]).toEqual([...payload]);
  });

  it('of a kind or channel that is not known is an error that says so', () => {
    const bytes = encodeRecord({
      kind: 'arrival',
      at: 1,
      node: 'n',
      acquirer: 'acme',
      sn: 'SN01',
      channel: 'ack',
      payload: new Uint8Array(),
    });
    expect(() => decodeRecord(Uint8Array.from(bytes).fill(9, 0, 1))).toThrow(/unknown kind 9/);
    expect(() => decodeRecord(Uint8Array.from([...bytes.slice(0, -1), 0x78]))).toThrow(/unknown channel acx/);
  });
});
