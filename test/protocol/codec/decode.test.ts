import { deflateSync } from 'node:zlib';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { decodePayload } from '../../../protocol/codec/decode.ts';
import { type Decoded, QUARANTINE_REASONS } from '../../../protocol/codec/decoded.ts';
import { UP_CHANNELS } from '../../../protocol/topics.ts';
import { message, plain, SEED } from '../arbitraries.ts';

const bytes = (value: unknown) => Buffer.from(typeof value === 'string' ? value : JSON.stringify(value));
const report = (samples: unknown, rest: object = {}) => bytes({ v: 1, session: 's', seq: 1, samples, ...rest });
const GOOD = report([{ at: 1 }]);

function refusal(decoded: Decoded) {
  expect(decoded.ok).toBe(false);
  return decoded as Extract<Decoded, { ok: false }>;
}

function body(decoded: Decoded) {
  if (!decoded.ok) throw new Error(`refused: ${decoded.reason} ${decoded.detail}`);
  return decoded.message.body as Record<string, unknown>;
}

describe('decodePayload reads', () => {
  it('JSON', () => {
    expect(body(decodePayload('report', GOOD))).toEqual({ v: 1, session: 's', seq: 1, samples: [{ at: 1 }] });
  });

  it('the same deflated, at any level of deflation', () => {
    for (const level of [0, 1, 6, 9])
      expect(body(decodePayload('report', deflateSync(GOOD, { level })))).toEqual(plain(JSON.parse(GOOD.toString())));
  });

  it('samples in columns, deflated or not', () => {
    const columnar = bytes({ v: 1, session: 's', seq: 1, at: [1, 2], cols: { 'signal.rsrp': [-101, null], outcomes: [null, []] } });
    const expected = [
      { at: 1, signal: { rsrp: -101 } },
      { at: 2, outcomes: [] },
    ];
    expect(body(decodePayload('report', columnar)).samples).toEqual(expected);
    expect(body(decodePayload('report', deflateSync(columnar))).samples).toEqual(expected);
  });

  it('a message with unknown members, without them', () => {
    const raw = report([{ at: 1, mood: 'fine', signal: { rsrp: -90, colour: 3 }, radio: { secondsByRat: { lte: 3, sixth: 4 } } }], {
      extra: [1],
    });
    expect(body(decodePayload('report', raw))).toEqual({
      v: 1,
      session: 's',
      seq: 1,
      samples: [{ at: 1, signal: { rsrp: -90 }, radio: { secondsByRat: { lte: 3 } } }],
    });
  });

  it('of a member that stands twice the last', () => {
    expect(body(decodePayload('state', bytes('{"v":1,"session":"a","state":"lost","session":"b"}'))).session).toBe('b');
  });

  it('a __proto__ member as any unknown one, and nothing inherits from it', () => {
    const raw = bytes(
      '{"v":1,"session":"s","state":"lost","__proto__":{"at":5,"polluted":true},"constructor":{"prototype":{"polluted":true}}}',
    );
    const read = body(decodePayload('state', raw));
    expect(read.at).toBeUndefined();
    expect(Object.getPrototypeOf(read)).toBe(Object.prototype);
    expect(({} as Record<string, unknown>).polluted).toBeUndefined();
  });

  it('a birth without an interval or a keepalive as one with the defaults', () => {
    expect(body(decodePayload('birth', bytes({ v: 1, session: 's', at: 5 })))).toMatchObject({ interval: 300, keepalive: 330 });
  });
});

describe('decodePayload refuses', () => {
  it.each([
    ['more than 64 KiB on the wire', Buffer.alloc(65_537, 0x20), 'oversized'],
    ['a bomb', deflateSync(Buffer.alloc(40_000_000)), 'inflated_too_large'],
    ['one byte more than 1 MiB inflated', deflateSync(Buffer.alloc(1_048_577, 0x20)), 'inflated_too_large'],
    ['a torn zlib stream', deflateSync(GOOD).subarray(0, 20), 'bad_deflate'],
    ['a zlib stream with a wrong checksum', flipped(deflateSync(GOOD), -1), 'bad_deflate'],
    ['garbage after a zlib stream', Buffer.concat([deflateSync(GOOD), bytes('x')]), 'bad_deflate'],
    ['two zlib streams in a row', Buffer.concat([deflateSync(GOOD), deflateSync(GOOD)]), 'bad_deflate'],
    ['a zlib stream that wants a dictionary', deflateSync(GOOD, { dictionary: Buffer.from('session') }), 'bad_deflate'],
    ['the letter that begins zlib streams alone', bytes('x'), 'bad_deflate'],
    ['bytes that are not UTF-8', Buffer.from([0x22, 0xc3, 0x28, 0x22]), 'bad_utf8'],
    ['a lone surrogate encoded as if it were a character', Buffer.from([0x22, 0xed, 0xa0, 0x80, 0x22]), 'bad_utf8'],
    ['a byte order mark', Buffer.concat([Buffer.from([0xef, 0xbb, 0xbf]), GOOD]), 'bad_json'],
    ['nothing', Buffer.alloc(0), 'bad_json'],
    ['torn JSON', GOOD.subarray(0, 20), 'bad_json'],
    ['NaN', bytes('{"v":1,"session":"s","seq":NaN,"samples":[]}'), 'bad_json'],
    ['two objects in a row', Buffer.concat([GOOD, GOOD]), 'bad_json'],
    ['columns of unlike lengths', bytes({ v: 1, session: 's', seq: 1, at: [1, 2], cols: { 'signal.rsrp': [-1] } }), 'bad_columns'],
    ['an array', bytes('[1]'), 'bad_schema'],
    ['null', bytes('null'), 'bad_schema'],
    ['a number beyond all numbers', bytes('{"v":1,"session":"s","seq":1e999,"samples":[{"at":1}]}'), 'bad_schema'],
    ['another version', report([{ at: 1 }], { v: 2 }), 'bad_schema'],
    ['no samples', report([]), 'bad_schema'],
    ['more samples than a message may hold', deflateSync(report(Array.from({ length: 4097 }, () => ({ at: 1 })))), 'bad_schema'],
  ])('%s', (_, raw, reason) => {
    expect(refusal(decodePayload('report', raw)).reason).toBe(reason);
  });

  it('nothing that has exactly the size that it may have', () => {
    const padded = (n: number) => Buffer.concat([GOOD, Buffer.alloc(n - GOOD.length, 0x20)]);
    expect(decodePayload('report', padded(65_536)).ok).toBe(true);
    expect(decodePayload('report', deflateSync(padded(1_048_576))).ok).toBe(true);
  });

  it('very deep nesting, or reads around it, and does not crash', () => {
    const deep = (open: string, close: string, n: number) => `${open.repeat(n)}1${close.repeat(n)}`;
    expect(refusal(decodePayload('report', deflateSync(bytes(deep('[', ']', 500_000))))).reason).toBe('bad_schema');
    expect(refusal(decodePayload('report', bytes('['.repeat(60_000)))).reason).toBe('bad_json');
    const hidden = `{"v":1,"session":"s","state":"lost","x":${deep('{"a":', '}', 100_000)}}`;
    expect(body(decodePayload('state', deflateSync(bytes(hidden))))).toEqual({ v: 1, session: 's', state: 'lost' });
  });
});

describe('the detail of a refusal', () => {
  it.each([
    ['report', report([{ at: 'noon' }]), 'samples.0.at: expected number'],
    ['report', report([{ at: 1.5 }]), 'samples.0.at: expected whole number'],
    ['report', report([{ at: 1, signal: { rsrp: '-101' } }]), 'samples.0.signal.rsrp: expected number'],
    ['report', report([{ at: 1, place: { lat: 121, lon: 31 } }]), 'samples.0.place.lat: expected at most 90'],
    ['report', bytes({ v: 1, seq: 1, samples: [{ at: 1 }] }), 'session: expected string'],
    ['birth', bytes({ v: 1, session: 's', at: 1, interval: 0 }), 'interval: expected at least 1'],
    ['birth', bytes({ v: 1, session: 's', at: 1, keepalive: 1201 }), 'keepalive: expected at most 1200'],
    ['state', bytes({ v: 1, session: 's', state: 'tired' }), 'state: expected "online" or "goodbye" or "lost"'],
    ['report', bytes({ v: 1, session: 's', seq: 1, at: [1, 2], cols: { 'signal.rsrp': 5 } }), 'cols.signal.rsrp: expected array'],
    ['report', bytes('[]'), 'message: expected object'],
  ] as const)('names the member: on %s %#', (channel, raw, detail) => {
    expect(refusal(decodePayload(channel, raw)).detail).toBe(detail);
  });

  it('stays under 500 characters whatever is wrong', () => {
    const outcomes = Array.from({ length: 1000 }, () => ({ system: '', code: 5, n: -1, card: 'gold' }));
    expect(refusal(decodePayload('report', deflateSync(report([{ at: 1, outcomes }])))).detail.length).toBeLessThanOrEqual(500);
  });

  it('never tells what the payload held, be it a value, a key or torn text', () => {
    const card = '6222021234567890123';
    const payloads = [
      `{"v":1,"session":${card},"seq":"${card}","samples":[{"at":"${card}","signal":{"rat":"${card}","mcc":"${card}","lac":"${card}"}}]}`,
      `{"v":1,"session":"s","seq":1,"samples":[{"at":1,"outcomes":[{"system":"u","code":${card},"n":"${card}","card":"${card}"}],"radio":{"secondsByRat":{"${card}":"${card}"}}}]}`,
      `{"v":1,"session":"s","seq":1,"at":["${card}"],"cols":{"${card}":[1,2],"signal.rsrp":"${card}"}}`,
      `{"v":1,"session":"s","at":1,"expected":{"tz":"${card}","week":["${card}"]},"${card}":{}}`,
      `{"track2": ${card}x`,
      `"${card}`,
      `${card} ${card}`,
    ];
    for (const channel of UP_CHANNELS) {
      for (const text of payloads) {
        const { detail } = refusal(decodePayload(channel, bytes(text)));
        expect(detail).not.toMatch(/\d{7}/);
      }
    }
  });
});

describe('decodePayload never throws, and gives a reason of the closed set', () => {
  const channel = fc.constantFrom(...UP_CHANNELS);
  const holds = (decoded: Decoded) => decoded.ok || (QUARANTINE_REASONS.includes(decoded.reason) && decoded.detail.length <= 500);

  it('on any bytes', () => {
    const zlibLike = fc.uint8Array({ maxLength: 300 }).map((b) => Uint8Array.from([0x78, 0x9c, ...b]));
    const any = fc.oneof(
      fc.uint8Array({ maxLength: 300 }),
      zlibLike,
      fc.uint8Array({ maxLength: 300 }).map((b) => deflateSync(b)),
    );
    fc.assert(
      fc.property(channel, any, (c, raw) => holds(decodePayload(c, raw))),
      { seed: SEED, numRuns: 2000 },
    );
  });

  it('on any JSON, also in the place of a part of a message', () => {
    const at = { v: 1, session: 's', seq: 1 };
    const any = fc.jsonValue({ maxDepth: 6 });
    const around = fc.oneof(
      any,
      any.map((samples) => ({ ...at, samples })),
      any.map((part) => ({ ...at, samples: [part] })),
      any.map((cols) => ({ ...at, at: [1], cols })),
      fc.tuple(any, any).map(([times, column]) => ({ ...at, at: times, cols: { 'signal.rsrp': column, outcomes: column } })),
    );
    fc.assert(
      fc.property(channel, around, (c, value) => holds(decodePayload(c, bytes(JSON.stringify(value))))),
      { seed: SEED, numRuns: 2000 },
    );
  });

  it('on a valid message with one byte changed, cut or put in, deflated or not', () => {
    const mutation = fc.record({
      where: fc.nat(5000),
      what: fc.nat(255),
      how: fc.constantFrom('change', 'cut', 'put'),
      deflated: fc.boolean(),
    });
    fc.assert(
      fc.property(message, mutation, (valid, { where, what, how, deflated }) => {
        const raw = deflated ? deflateSync(bytes(valid.body)) : bytes(valid.body);
        const i = where % raw.length;
        const tail = how === 'put' ? raw.subarray(i) : raw.subarray(i + 1);
        const mutated = Buffer.concat([raw.subarray(0, i), ...(how === 'cut' ? [] : [Buffer.from([what])]), tail]);
        return holds(decodePayload(valid.channel, mutated));
      }),
      { seed: SEED, numRuns: 2000 },
    );
  });

  it('and reads every valid message as it was', () => {
    fc.assert(
      fc.property(message, ({ channel: c, body: sent }) => {
        expect(decodePayload(c, bytes(sent))).toEqual({ ok: true, message: { channel: c, body: plain(sent) } });
      }),
      { seed: SEED, numRuns: 1000 },
    );
  });
});

function flipped(raw: Buffer, index: number): Buffer {
  const copy = Buffer.from(raw);
  copy[copy.length + index]! ^= 0xff;
  return copy;
}
