import { randomBytes } from 'node:crypto';
import { chmod } from 'node:fs/promises';
import { describe, expect, it } from 'vitest';
import { loadKeys } from '../../backbone/credentials/keys.ts';
import { openKeys } from '../../backbone/credentials/rotation.ts';
import { issueToken, type Key } from '../../backbone/credentials/tokens.ts';
import { eventually } from '../helpers/eventually.ts';
import { START, type TestBroker, testBroker } from './harness.ts';

const USER = 'acme/SN000001';

/** Changes the broker's keys as the collector does; `told`: whether the broker hears of it. */
function keysOf({ keysFile, order }: TestBroker, told = true) {
  return openKeys(
    keysFile,
    { append: (entry) => (told ? order(entry) : Promise.resolve()), close: async () => {} },
    randomBytes,
    () => START,
  );
}

/** A token under the newest key, issued in the file's present state. */
async function newToken({ keysFile }: TestBroker, user = USER): Promise<string> {
  const [key] = await loadKeys(keysFile);
  return issueToken(key, user, { now: START - 400, expiresAt: START + 3_600_000 });
}

const stranger = (): Key => ({ id: 'stranger', secret: Buffer.alloc(32).toString('base64url'), createdAt: 0 });

describe('a broker whose keys are rotated', () => {
  it('lets a token of the new key in at once, and those of the old one still; open connections stay', async () => {
    const broker = await testBroker();
    const client = await broker.terminal(USER);

    await keysOf(broker).rotate();

    expect((await broker.terminal('acme/SN000002', { password: await newToken(broker, 'acme/SN000002') })).returnCode).toBe(0);
    expect((await broker.terminal('acme/SN000003')).returnCode).toBe(0);
    await client.ping();
  });

  it('does so before it has heard of the rotation: a token that was issued is never refused', async () => {
    const broker = await testBroker();
    const keys = keysOf(broker, false);

    for (let n = 0; n < 10; n++) {
      await keys.rotate();
      expect((await broker.terminal(USER, { password: await newToken(broker) })).returnCode).toBe(0);
    }

    expect(broker.broker.stats().refusals).toEqual({});
  });

  it('counts a token of no key of ours as one, and reads the file for a storm of them no more than it has to', async () => {
    const broker = await testBroker({ limits: { address_failures: 0, identity_failures: 0 } });
    const forged = issueToken(stranger(), USER, { now: START - 400, expiresAt: START + 1_000 });

    const answers = await Promise.all(Array.from({ length: 50 }, () => broker.terminal(USER, { password: forged })));

    expect(new Set(answers.map(({ returnCode }) => returnCode))).toEqual(new Set([4]));
    expect(broker.broker.stats().refusals).toEqual({ unknown_key: 50 });
    expect((await broker.terminal(USER)).returnCode).toBe(0);
  });
});

describe('a broker of whose keys one is retired', () => {
  it('ends the connections that logged in by it, without their Wills, and refuses its tokens; no time has to pass', async () => {
    const broker = await testBroker();
    const will = { topic: `pos/v1/${USER}/state`, payload: '{}' };
    const [old, other] = [await broker.terminal(USER, { will }), await broker.terminal('acme/SN000002')];
    const keys = keysOf(broker);
    await keys.rotate();
    const fresh = await broker.terminal('acme/SN000003', { password: await newToken(broker, 'acme/SN000003') });

    await keys.retire(broker.key.id);
    await Promise.all([old.closed, other.closed]);

    expect((await broker.terminal(USER)).returnCode).toBe(4);
    await fresh.ping();
    expect(broker.arrivals()).toEqual([]);
  });

  it('finds out by itself where nobody told it, and where it could not read the file at first', async () => {
    const broker = await testBroker();
    const keys = keysOf(broker, false);
    const old = await broker.terminal(USER);
    await keys.rotate();
    await keys.retire(broker.key.id);
    await chmod(broker.keysFile, 0o644);
    await eventually(() => {
      broker.clock.pass(1_000);
      expect(broker.lines).toEqual([expect.stringMatching(/chmod 600.*the keys known before are used on/)]);
    });
    await old.ping();

    await chmod(broker.keysFile, 0o600);
    broker.clock.pass(1_000);

    await old.closed;
  });
});
