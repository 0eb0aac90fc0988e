import { describe, expect, it } from 'vitest';
import { parseRanges, refusalOf } from '../../../collector/webhooks/addresses.ts';

const allowing = (text: string) => parseRanges(text).ranges;

describe('an address is not dialled by default', () => {
  it.each<[string, string]>([
    ['0.0.0.0', 'this host'],
    ['0.1.2.3', 'this network'],
    ['127.0.0.1', 'loopback'],
    ['127.255.255.254', 'loopback'],
    ['10.0.0.1', 'private'],
    ['172.16.0.1', 'private'],
    ['172.31.255.255', 'private'],
    ['192.168.1.1', 'private'],
    ['169.254.0.1', 'link-local'],
    ['169.254.169.254', 'cloud metadata'],
    ['100.64.0.1', "a carrier's own (CGNAT)"],
    ['100.100.100.200', 'cloud metadata behind CGNAT'],
    ['192.0.0.192', 'protocol assignments, and cloud metadata'],
    ['192.0.2.1', 'documentation'],
    ['198.51.100.1', 'documentation'],
    ['203.0.113.1', 'documentation'],
    ['198.18.0.1', 'benchmarking'],
    ['224.0.0.1', 'multicast'],
    ['239.255.255.255', 'multicast'],
    ['240.0.0.1', 'reserved'],
    ['255.255.255.255', 'broadcast'],
    ['::', 'this host'],
    ['::1', 'loopback'],
    ['::ffff:127.0.0.1', 'loopback, v4-mapped'],
    ['::ffff:7f00:1', 'loopback, v4-mapped in hexadecimal'],
    ['::ffff:10.0.0.1', 'private, v4-mapped'],
    ['::ffff:169.254.169.254', 'cloud metadata, v4-mapped'],
    ['::127.0.0.1', 'loopback, v4-compatible'],
    ['::8.8.8.8', 'v4-compatible'],
    ['64:ff9b::7f00:1', 'loopback behind NAT64'],
    ['64:ff9b::808:808', 'NAT64'],
    ['64:ff9b:1::1', 'local NAT64'],
    ['2002:7f00:1::', 'loopback behind 6to4'],
    ['2002:808:808::1', '6to4'],
    ['2001::1', 'Teredo'],
    ['2001:db8::1', 'documentation'],
    ['3fff::1', 'documentation'],
    ['2001:2::1', 'benchmarking'],
    ['100::1', 'discard'],
    ['fc00::1', 'private'],
    ['fd12:3456::1', 'private'],
    ['fd00:ec2::254', 'cloud metadata'],
    ['fe80::1', 'link-local'],
    ['fe80::1%eth0', 'link-local with its zone'],
    ['fec0::1', 'site-local'],
    ['ff02::1', 'multicast'],
    ['5f00::1', 'segment routing'],
    ['4000::1', 'given out to nobody'],
  ])('%s (%s)', (address) => {
    for (const tls of [true, false]) {
      expect(refusalOf(address, tls, [])).toContain(`${address} is not a public address`);
      expect(refusalOf(address, tls, [])).toContain('TILLWATCH_WEBHOOK_ALLOW');
    }
  });
});

describe('a public address', () => {
  const PUBLIC = ['8.8.8.8', '1.1.1.1', '172.15.0.1', '172.32.0.1', '100.63.0.1', '100.128.0.1', '2606:4700::1111', '2a00:1450::1'];

  it.each([...PUBLIC, '::ffff:8.8.8.8'])('is dialled over TLS: %s', (address) => {
    expect(refusalOf(address, true, [])).toBeNull();
  });

  it.each([...PUBLIC, '::ffff:8.8.8.8'])('is not dialled without TLS: %s', (address) => {
    expect(refusalOf(address, false, [])).toBe('a receiver on the public network must be reached over https');
  });

  it('is dialled without TLS where an operator allows it', () => {
    expect(refusalOf('8.8.8.8', false, allowing('8.8.8.0/24'))).toBeNull();
    expect(refusalOf('8.8.9.8', false, allowing('8.8.8.0/24'))).not.toBeNull();
  });
});

describe('a range that an operator allows', () => {
  it.each<[string, string[], string[]]>([
    ['10.0.0.0/8', ['10.0.0.0', '10.255.255.255', '::ffff:10.1.2.3'], ['127.0.0.1', '::10.1.2.3', 'fc00::1']],
    ['192.168.1.7', ['192.168.1.7'], ['192.168.1.6', '192.168.1.8']],
    ['192.168.1.7/24', ['192.168.1.0', '192.168.1.255'], ['192.168.2.0']],
    ['fd00::/8', ['fd00::1', 'fdff::1'], ['fc00::1', 'fe80::1', '10.0.0.1']],
    ['::1', ['::1'], ['::2', '127.0.0.1', '::ffff:127.0.0.1']],
    ['0.0.0.0/0', ['127.0.0.1', '::ffff:127.0.0.1'], ['::1', 'fd00::1']],
  ])('%s is dialled, with TLS and without, and no other is', (range, inside, outside) => {
    for (const tls of [true, false]) {
      for (const address of inside) expect([address, refusalOf(address, tls, allowing(range))]).toEqual([address, null]);
      for (const address of outside) expect([address, refusalOf(address, tls, allowing(range))]).toEqual([address, expect.any(String)]);
    }
  });

  it('may be one of several, with commas or blanks between them', () => {
    const { ranges, bad } = parseRanges(' 10.0.0.0/8,fd00::/8\n 127.0.0.1 , ');

    expect(ranges.map(([address, bits]) => `${address}/${bits}`)).toEqual(['10.0.0.0/8', 'fd00::/8', '127.0.0.1/32']);
    expect(bad).toEqual([]);
    expect(parseRanges('')).toEqual({ ranges: [], bad: [] });
  });

  it.each([
    'localhost',
    'bank.example/8',
    '10.0.0.0/33',
    'fd00::/129',
    '10.0.0.0/',
    '10.0.0.0/-1',
    '10.0.0.0/8/8',
    '10.0.0.0-10.0.0.9',
    '10.*',
    '256.0.0.1',
    '10',
    '10/8',
    '10.0/16',
    '010.0.0.0/8',
    '0x0a.0.0.0/8',
    '167772160/8',
    '/8',
    'all',
  ])('is refused where it is written as "%s", and the others are read', (text) => {
    const { ranges, bad } = parseRanges(`10.0.0.0/8,${text}`);

    expect(bad).toEqual([text]);
    expect(ranges).toHaveLength(1);
  });
});
