import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { readProxyHeader } from '../../../broker/listeners/proxy-header.ts';
import { v2Header } from './bytes.ts';

const read = (text: string) => readProxyHeader(Buffer.from(text, 'latin1'));
const BAD = { kind: 'bad' };
const PARTIAL = { kind: 'partial' };

describe('a PROXY header of version 1', () => {
  it.each([
    ['PROXY TCP4 192.0.2.7 10.0.0.1 56324 1883\r\n', '192.0.2.7'],
    ['PROXY TCP6 2001:DB8:0::7 ::1 56324 1883\r\n', '2001:db8::7'],
    ['PROXY TCP6 ::ffff:192.0.2.7 ::1 56324 1883\r\n', '192.0.2.7'],
    ['PROXY UNKNOWN\r\n', undefined],
    ['PROXY UNKNOWN ffff:f...f:ffff ffff:f...f:ffff 65535 65535\r\n', undefined],
  ])('%j names the client, and ends where MQTT begins', (text, address) => {
    expect(read(`${text}\x10\r\n`)).toEqual({ kind: 'whole', bytes: text.length, address });
    for (let length = 0; length < text.length; length += 1) expect(read(text.slice(0, length))).toEqual(PARTIAL);
  });

  it.each([
    'PROXY TCP4 2001:db8::7 ::1 1 2\r\n',
    'PROXY TCP4 192.0.2.07 10.0.0.1 1 2\r\n',
    'PROXY TCP4 192.0.2.7 10.0.0.1 1\r\n',
    'PROXY TCP4 192.0.2.7 10.0.0.1 1 65536\r\n',
    'PROXY UDP4 192.0.2.7 10.0.0.1 1 2\r\n',
    'PROXY  TCP4 192.0.2.7 10.0.0.1 1 2\r\n',
    'proxy TCP4 192.0.2.7 10.0.0.1 1 2\r\n',
    `PROXY UNKNOWN ${'x'.repeat(100)}`,
  ])('%j is none', (text) => {
    expect(read(text)).toEqual(BAD);
  });
});

describe('a PROXY header of version 2', () => {
  it.each([
    ['an IPv4 client', v2Header('192.0.2.7'), '192.0.2.7'],
    ['an IPv6 client', v2Header('2001:db8::7'), '2001:db8::7'],
    ['an IPv4 client in the form of IPv6', v2Header('::ffff:192.0.2.7'), '192.0.2.7'],
    ['what the balancer adds of its own', v2Header('192.0.2.7', { more: Buffer.alloc(500, 7) }), '192.0.2.7'],
    ['the balancer itself', v2Header('192.0.2.7', { command: 0x20 }), undefined],
    ['a family without addresses', v2Header('192.0.2.7', { family: 0x00 }), undefined],
    ['a socket file', v2Header('192.0.2.7', { family: 0x31, more: Buffer.alloc(216) }), undefined],
  ])('for %s ends where MQTT begins', (_, header, address) => {
    expect(readProxyHeader(Buffer.concat([header, Buffer.from('\x10\r\n')]))).toEqual({ kind: 'whole', bytes: header.length, address });
    for (let length = 0; length < header.length; length += 1) expect(readProxyHeader(header.subarray(0, length))).toEqual(PARTIAL);
  });

  it.each([
    ['of another version', v2Header('192.0.2.7', { command: 0x11 })],
    ['with another command', v2Header('192.0.2.7', { command: 0x22 })],
    ['that is longer than a balancer has reason to', v2Header('192.0.2.7', { more: Buffer.alloc(2_048) })],
    ['too short for its addresses', v2Header('192.0.2.7', { family: 0x21 })],
  ])('%s is none', (_, header) => {
    expect(readProxyHeader(header)).toEqual(BAD);
  });
});

it('any other start is none, and whatever comes, at most 2 064 bytes are waited for', () => {
  const starts = fc.constantFrom(Buffer.alloc(0), Buffer.from('PROXY '), v2Header('192.0.2.7').subarray(0, 13), Buffer.from([0x10]));
  fc.assert(
    fc.property(starts, fc.uint8Array({ maxLength: 300 }), (start, bytes) => {
      const header = readProxyHeader(Buffer.concat([start, bytes, Buffer.alloc(2_064, 0x20)]));
      expect(header.kind).not.toBe('partial');
    }),
    { seed: 5, numRuns: 2_000 },
  );
  expect(read('\x10')).toEqual(BAD);
});
