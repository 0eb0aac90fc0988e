import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  CHANNELS,
  type Channel,
  isUpChannel,
  parseTerminalKey,
  parseTopic,
  terminalKey,
  topicOf,
  UP_CHANNELS,
} from '../../protocol/topics.ts';
import { SEED } from './arbitraries.ts';

const address = fc.record({
  acquirer: fc.stringMatching(/^[a-z0-9-]{1,32}$/),
  sn: fc.stringMatching(/^[A-Za-z0-9-]{4,32}$/),
  channel: fc.constantFrom(...(Object.keys(CHANNELS) as Channel[])),
});

describe('a topic', () => {
  it('gives back the address that it was made of', () => {
    fc.assert(
      fc.property(address, (a) => {
        expect(parseTopic(topicOf(a))).toEqual(a);
        expect(parseTerminalKey(terminalKey(a))).toEqual({ acquirer: a.acquirer, sn: a.sn });
      }),
      { seed: SEED },
    );
  });

  it('is spelled as the contract says', () => {
    expect(topicOf({ acquirer: 'acme', sn: 'SN000001', channel: 'report' })).toBe('pos/v1/acme/SN000001/report');
  });

  it('names an address only where it is the very topic of that address', () => {
    const near = fc
      .tuple(address.map(topicOf), fc.nat(60), fc.string({ maxLength: 2 }))
      .map(([t, i, s]) => t.slice(0, i) + s + t.slice(i + 1));
    fc.assert(
      fc.property(fc.oneof(near, fc.string()), (topic) => {
        const parsed = parseTopic(topic);
        return parsed === undefined || topicOf(parsed) === topic;
      }),
      { seed: SEED, numRuns: 2000 },
    );
  });

  it.each([
    '',
    'pos/v1/',
    'pos/v1/birth',
    'pos/v1/acme/birth',
    'pos/v1/acme/SN01/report/',
    '/pos/v1/acme/SN01/report',
    'pos/v2/acme/SN01/report',
    'POS/v1/acme/SN01/report',
    'pos/v1/ACME/SN01/report',
    'pos/v1/acme/SN1/report',
    'pos/v1/acme/SN01/extra/report',
    'pos/v1/acme/SN01/toString',
    'pos/v1/acme/SN01/__proto__',
    'pos/v1/acme/SN01/+',
    'pos/v1/+/SN01/report',
    'pos/v1/acme/#',
    'pos/v1/acme/SN01 /report',
    'pos/v1/acme/SN01\n/report',
    'pos/v1/acmé/SN01/report',
    `pos/v1/${'a'.repeat(33)}/SN01/report`,
    `pos/v1/acme/${'S'.repeat(33)}/report`,
    '$SYS/broker/uptime',
  ])('is refused where it is not ours: %j', (topic) => {
    expect(parseTopic(topic)).toBeUndefined();
  });
});

it('commands alone go down', () => {
  expect(UP_CHANNELS).toEqual(['birth', 'report', 'event', 'state', 'ack']);
  expect(isUpChannel('cmd')).toBe(false);
  expect(isUpChannel('constructor')).toBe(false);
});
