import { randomBytes } from 'node:crypto';
import fc from 'fast-check';
import { Webhook } from 'standardwebhooks';
import { describe, expect, it } from 'vitest';
import { newSecret, readSecret } from '../../../collector/webhooks/secrets.ts';

const written = (bytes: number) => `whsec_${Buffer.alloc(bytes, 0xfb).toString('base64')}`;

describe('a secret', () => {
  it('that is made has 32 bytes, which are read back', () => {
    const bytes = randomBytes(32);
    const secret = newSecret((n) => bytes.subarray(0, n));

    expect(secret).toBe(`whsec_${bytes.toString('base64')}`);
    expect(readSecret(secret)).toEqual({ ok: true, key: bytes });
  });

  it.each([24, 25, 32, 63, 64])('may have %s bytes', (bytes) => {
    expect(readSecret(written(bytes))).toEqual({ ok: true, key: Buffer.alloc(bytes, 0xfb) });
  });

  it.each([1, 16, 23, 65, 128])('may not have %s bytes, and the answer says how many it needs', (bytes) => {
    const problem = `a secret has 24 to 64 bytes, and this one has ${bytes}: leave it out, and one is made`;

    expect(readSecret(written(bytes))).toEqual({ ok: false, problem });
  });

  it.each<[string, string]>([
    ['nothing', ''],
    ['a prefix alone', 'whsec_'],
    ['no prefix', written(32).slice('whsec_'.length)],
    ['a prefix in capitals', written(32).replace('whsec', 'WHSEC')],
    ['a public key', written(32).replace('whsec', 'whpk')],
    ['a passphrase', 'whsec_correct horse battery staple, and more'],
    ['the alphabet of addresses', written(32).replaceAll('+', '-').replaceAll('/', '_')],
    ['a line feed at its end', `${written(32)}\n`],
    ['no padding', written(32).replace('=', '')],
    ['too much padding', `${written(32)}=`],
    ['a letter too many', `whsec_${'A'.repeat(45)}`],
    ['bits beyond its last byte', written(32).replace(/.=$/, '/=')],
  ])('is refused where it has %s: libraries would not agree on its bytes', (_, secret) => {
    expect(readSecret(secret)).toEqual({ ok: false, problem: 'a secret is whsec_ and base64' });
  });

  it('is never quoted in what is wrong with it', () => {
    fc.assert(
      fc.property(fc.oneof(fc.string({ minLength: 8 }), fc.base64String({ minLength: 8, maxLength: 20 })), (text) => {
        const read = readSecret(`whsec_${text}`);

        expect(read.ok ? '' : read.problem).not.toContain(text);
      }),
      { seed: 7 },
    );
  });

  it("that is taken is the same key to the standard's own library", () => {
    fc.assert(
      fc.property(fc.uint8Array({ minLength: 24, maxLength: 64 }), (bytes) => {
        const secret = `whsec_${Buffer.from(bytes).toString('base64')}`;
        const read = readSecret(secret);
        const at = new Date(1_700_000_000_000);

        expect(read.ok && new Webhook(read.key, { format: 'raw' }).sign('msg', at, '{}')).toBe(new Webhook(secret).sign('msg', at, '{}'));
      }),
      { seed: 7 },
    );
  });
});
