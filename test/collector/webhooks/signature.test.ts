import fc from 'fast-check';
import { Webhook } from 'standardwebhooks';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { type SignedHeaders, signedHeaders, TOLERANCE_SECONDS, whyNotGenuine } from '../../../collector/webhooks/signature.ts';

/** The example that Standard Webhooks publishes. */
const PUBLISHED = {
  secret: 'whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw',
  id: 'msg_p5jXN8AQM9LWM0D4loKWxJek',
  seconds: 1_614_265_330,
  body: Buffer.from('{"test": 2432232314}'),
  signature: 'v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=',
};
const KEY = keyOf(PUBLISHED.secret);
const OTHER_KEY = Buffer.alloc(24, 7);
const NOW = PUBLISHED.seconds * 1000;
const HEADERS = signedHeaders(PUBLISHED.id, PUBLISHED.seconds, PUBLISHED.body, [KEY]);
const UNFIT = 'no signature fits this secret and these bytes';

afterEach(() => void vi.useRealTimers());

function keyOf(secret: string): Buffer {
  return Buffer.from(secret.slice('whsec_'.length), 'base64');
}

/** The verdict on the published delivery, with some headers changed. */
function verdict(changed: Partial<SignedHeaders>, body = PUBLISHED.body, key = KEY, now = NOW): string | null {
  return whyNotGenuine({ ...HEADERS, ...changed }, body, key, now);
}

const deliveries = fc.record({
  id: fc.stringMatching(/^[\w-]{1,40}$/),
  seconds: fc.integer({ min: 1_500_000_000, max: 4_000_000_000 }),
  text: fc.oneof(fc.string({ unit: 'binary' }), fc.json(), fc.constant('{"名称":"便利店 ☕"}')),
  key: fc.uint8Array({ minLength: 24, maxLength: 64 }).map((bytes) => Buffer.from(bytes)),
});

describe('a signature', () => {
  it('is the published one for the published secret, id, time and body', () => {
    expect(HEADERS).toEqual({
      'webhook-id': PUBLISHED.id,
      'webhook-timestamp': String(PUBLISHED.seconds),
      'webhook-signature': PUBLISHED.signature,
    });
    expect(new Webhook(PUBLISHED.secret).sign(PUBLISHED.id, new Date(NOW), PUBLISHED.body)).toBe(PUBLISHED.signature);
    expect(verdict({})).toBeNull();
  });

  it("is accepted by the standard's own library, whatever the body, the id and the secret", () => {
    vi.useFakeTimers({ toFake: ['Date'] });
    fc.assert(
      fc.property(deliveries, ({ id, seconds, text, key }) => {
        vi.setSystemTime(seconds * 1000);
        const body = Buffer.from(text);
        const library = new Webhook(`whsec_${key.toString('base64')}`);

        library.verify(body, { ...signedHeaders(id, seconds, body, [key]) }, { jsonParse: false });
      }),
      { seed: 7, numRuns: 200 },
    );
  });

  it("of the standard's own library is accepted, whatever the body, the id and the secret", () => {
    fc.assert(
      fc.property(deliveries, ({ id, seconds, text, key }) => {
        const signature = new Webhook(`whsec_${key.toString('base64')}`).sign(id, new Date(seconds * 1000), text);
        const headers = { 'webhook-id': id, 'webhook-timestamp': String(seconds), 'webhook-signature': signature };

        expect(whyNotGenuine(headers, Buffer.from(text), key, seconds * 1000)).toBeNull();
      }),
      { seed: 7, numRuns: 200 },
    );
  });

  it('is made by both keys during a rotation, and either fits, here and in the library', () => {
    vi.useFakeTimers({ toFake: ['Date'], now: NOW });
    const headers = signedHeaders(PUBLISHED.id, PUBLISHED.seconds, PUBLISHED.body, [OTHER_KEY, KEY]);

    expect(headers['webhook-signature'].split(' ')).toEqual([expect.stringMatching(/^v1,/), PUBLISHED.signature]);
    for (const key of [KEY, OTHER_KEY]) {
      expect(whyNotGenuine(headers, PUBLISHED.body, key, NOW)).toBeNull();
      new Webhook(`whsec_${key.toString('base64')}`).verify(PUBLISHED.body, { ...headers });
    }
    expect(whyNotGenuine(headers, PUBLISHED.body, Buffer.alloc(24, 8), NOW)).toBe(UNFIT);
  });

  it('of bytes that are not UTF-8 is over these bytes', () => {
    const body = Buffer.from([0xff, 0xfe, 0x00, 0xc3]);
    const headers = signedHeaders('msg_1', PUBLISHED.seconds, body, [KEY]);

    expect(whyNotGenuine(headers, body, KEY, NOW)).toBeNull();
    expect(whyNotGenuine(headers, Buffer.from(body.toString()), KEY, NOW)).toBe(UNFIT);
  });
});

describe('what was tampered with is refused', () => {
  it.each<[string, Partial<SignedHeaders>]>([
    ['another id', { 'webhook-id': 'msg_other' }],
    ['another time', { 'webhook-timestamp': String(PUBLISHED.seconds + 1) }],
    ['the same time in another spelling', { 'webhook-timestamp': `0${PUBLISHED.seconds}` }],
    ['another version', { 'webhook-signature': PUBLISHED.signature.replace('v1,', 'v2,') }],
    ['no version', { 'webhook-signature': PUBLISHED.signature.slice(3) }],
    ['no base64 after the version', { 'webhook-signature': 'v1' }],
    ['an empty signature', { 'webhook-signature': 'v1,' }],
    ['half a signature', { 'webhook-signature': PUBLISHED.signature.slice(0, 20) }],
    ['a signature with more behind it', { 'webhook-signature': `${PUBLISHED.signature},more` }],
    ['the same bytes in another spelling', { 'webhook-signature': PUBLISHED.signature.replace('1OE=', '1OF=') }],
    ['the same bytes without their padding', { 'webhook-signature': PUBLISHED.signature.replace('=', '') }],
    ['the signature of another body', { 'webhook-signature': signedHeaders('msg', 1, Buffer.from('{}'), [KEY])['webhook-signature'] }],
  ])('%s', (_, changed) => {
    expect(verdict(changed)).toBe(UNFIT);
  });

  it('each single bit of body and signature', () => {
    const flipped = (bytes: Buffer, bit: number) => {
      const copy = Buffer.from(bytes);
      copy[bit >> 3]! ^= 1 << (bit & 7);
      return copy;
    };
    const digest = Buffer.from(PUBLISHED.signature.slice(3), 'base64');

    for (let bit = 0; bit < PUBLISHED.body.length * 8; bit++) expect(verdict({}, flipped(PUBLISHED.body, bit))).toBe(UNFIT);
    for (let bit = 0; bit < digest.length * 8; bit++) {
      expect(verdict({ 'webhook-signature': `v1,${flipped(digest, bit).toString('base64')}` })).toBe(UNFIT);
    }
  });

  it('a delivery that another key signed', () => {
    expect(verdict({}, PUBLISHED.body, OTHER_KEY)).toBe(UNFIT);
  });

  it.each(['webhook-id', 'webhook-timestamp', 'webhook-signature'] as const)('a delivery without %s', (name) => {
    const { [name]: _, ...others } = HEADERS;

    for (const headers of [others, { ...HEADERS, [name]: '' }]) {
      expect(whyNotGenuine(headers, PUBLISHED.body, KEY, NOW)).toBe('it lacks webhook-id, webhook-timestamp or webhook-signature');
    }
  });

  it.each(['soon', '-1', '1.5', '1e9', ' 1614265330', '1614265330000', '0x10'])('the time "%s"', (time) => {
    const headers = { ...HEADERS, 'webhook-timestamp': time };

    expect(whyNotGenuine(headers, PUBLISHED.body, KEY, NOW)).toBe('its webhook-timestamp is not a time in seconds');
  });
});

describe('the time of a delivery', () => {
  it.each([-TOLERANCE_SECONDS, 0, TOLERANCE_SECONDS])('may be %s s off', (seconds) => {
    expect(verdict({}, PUBLISHED.body, KEY, NOW + seconds * 1000)).toBeNull();
  });

  it.each([-TOLERANCE_SECONDS - 1, TOLERANCE_SECONDS + 1])('may not be %s s off', (seconds) => {
    expect(verdict({}, PUBLISHED.body, KEY, NOW + seconds * 1000)).toBe('its timestamp is 301 s off, more than 300 s');
  });

  it('is as tolerant as the receiver wants, and not looked at with a tolerance of 0', () => {
    const at = (tolerance: number) => whyNotGenuine(HEADERS, PUBLISHED.body, KEY, NOW + 60_000, tolerance);

    expect(at(60)).toBeNull();
    expect(at(59)).toBe('its timestamp is 60 s off, more than 59 s');
    expect(at(0)).toBeNull();
    expect(whyNotGenuine(HEADERS, PUBLISHED.body, OTHER_KEY, NOW, 0)).toBe(UNFIT);
  });
});
