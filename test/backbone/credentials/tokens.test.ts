import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { issueToken, type Key, type KeyRing, verifyToken } from '../../../backbone/credentials/tokens.ts';
import { nocUser, parseUser } from '../../../backbone/credentials/users.ts';

const NOW = 1_763_798_400_000;
const key = (id: string): Key => ({ id, secret: Buffer.alloc(32, id).toString('base64url'), createdAt: NOW });
const ring: KeyRing = [key('new'), key('old')];
const times = { now: NOW, expiresAt: NOW + 1_000 };

describe('tokens', () => {
  it('are accepted for the user they were issued to, until they expire', () => {
    const token = issueToken(ring[0], 'acme/SN000001', times);

    expect(verifyToken(ring, 'acme/SN000001', token, NOW + 999)).toEqual({ ok: true, keyId: 'new', issued: NOW, expires: NOW + 1_000 });
    expect(verifyToken(ring, 'acme/SN000001', token, NOW + 1_000)).toEqual({ ok: false, reason: 'expired' });
  });

  it('signed by an older key of the ring are still accepted, and by one that has left it no more', () => {
    const token = issueToken(key('old'), 'acme/SN000001', times);

    expect(verifyToken(ring, 'acme/SN000001', token, NOW).ok).toBe(true);
    expect(verifyToken([key('new')], 'acme/SN000001', token, NOW)).toEqual({ ok: false, reason: 'unknown_key' });
  });

  it('carry an HMAC-SHA256 over their own head and the user', () => {
    // printf 'tw1.new.1763798400000.1763798401000.acme/SN000001' | openssl dgst -sha256 -mac HMAC -macopt hexkey:$SECRET -binary | base64
    expect(issueToken(ring[0], 'acme/SN000001', times)).toBe(
      'tw1.new.1763798400000.1763798401000.pkPDpLQMoo9NbGnWL0nr2xM7E_PG9u1xChVkSbrkBdE',
    );
  });

  it('are refused for every other user', () => {
    fc.assert(
      fc.property(fc.string(), fc.string(), (mine, other) => {
        fc.pre(mine !== other);
        expect(verifyToken(ring, other, issueToken(ring[0], mine, times), NOW)).toEqual({ ok: false, reason: 'bad_signature' });
      }),
      { seed: 1 },
    );
  });

  it('are refused for every other terminal, whatever its acquirer and serial have in common with theirs', () => {
    // Names out of few characters, among them all that stand between parts of a token or a user name.
    const name = (min: number, characters: string) =>
      fc.string({ unit: fc.constantFrom(...characters), minLength: min, maxLength: min + 2 });
    const terminal = fc.tuple(name(1, 'ab-0'), name(4, 'aA-0')).map(([acquirer, sn]) => `${acquirer}/${sn}`);
    const tool = name(1, 'aA-0._').map(nocUser);
    const user = fc.oneof(terminal, tool);
    fc.assert(
      fc.property(user, user, fc.nat(3), (mine, other, cut) => {
        fc.pre(mine !== other);
        const token = issueToken(ring[0], mine, times);
        const shifted = `${token}.${mine.slice(0, cut)}`;
        for (const forged of [token, shifted, token.replace(`.${times.expiresAt}.`, `.${times.expiresAt}${cut}.`)])
          expect(verifyToken(ring, other, forged, NOW).ok).toBe(false);
        expect([parseUser(mine)?.user, verifyToken(ring, mine, token, NOW).ok]).toEqual([mine, true]);
      }),
      { seed: 4, numRuns: 2_000 },
    );
  });

  it('are refused after any one character of them was changed', () => {
    const token = issueToken(ring[0], 'acme/SN000001', times);
    fc.assert(
      fc.property(fc.nat(token.length - 1), fc.constantFrom(...'0129azAZ._-'), (position, character) => {
        fc.pre(token[position] !== character);
        const changed = token.slice(0, position) + character + token.slice(position + 1);
        expect(verifyToken(ring, 'acme/SN000001', changed, NOW).ok).toBe(false);
      }),
      { seed: 2, numRuns: 500 },
    );
  });

  it('that are no tokens at all are malformed, and nothing throws', () => {
    fc.assert(
      fc.property(
        fc.oneof(
          fc.string(),
          fc.string().map((text) => `tw1.new.${text}`),
        ),
        (text) => {
          expect(verifyToken(ring, 'acme/SN000001', text, NOW)).toEqual({ ok: false, reason: 'malformed' });
        },
      ),
      { seed: 3 },
    );
  });
});

describe('user names', () => {
  it('name a terminal or a monitoring tool', () => {
    expect(parseUser('acme/SN000001')).toEqual({ kind: 'terminal', user: 'acme/SN000001', acquirer: 'acme', sn: 'SN000001' });
    expect(parseUser(nocUser('grafana'))).toEqual({ kind: 'noc', user: 'noc:grafana', name: 'grafana' });
  });

  it.each(['', 'acme', 'acme/', 'acme/SN1/x', 'ACME/SN000001', 'acme/S N0001', 'noc:', 'noc:a/b', 'noc:a b', `noc:${'x'.repeat(65)}`])(
    'do not include %j',
    (user) => {
      expect(parseUser(user)).toBeUndefined();
    },
  );
});
