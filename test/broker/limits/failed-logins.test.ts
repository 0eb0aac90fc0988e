import { describe, expect, it } from 'vitest';
import { issueToken } from '../../../backbone/credentials/tokens.ts';
import { rateOf } from '../../../broker/limits/bucket.ts';
import { createFailedLogins, networkOf, REMEMBERED } from '../../../broker/limits/failed-logins.ts';
import { connectMqtt } from '../../helpers/mqtt.ts';
import { START, testBroker } from '../harness.ts';

const USER = 'acme/SN000001';
const HERE = '192.0.2.1';
const THERE = '198.51.100.7';

function limiter({ address = 3, identity = 2 } = {}) {
  const time = { now: 0 };
  const limits = createFailedLogins({
    perAddress: rateOf(address, 60_000),
    perIdentity: rateOf(identity, 60_000),
    uptime: () => time.now,
  });
  return { time, ...limits };
}

describe('failed log-ins', () => {
  it('over the limit of an address stop all from there and nobody elsewhere, until one is made up for', () => {
    const { time, blocked, failed } = limiter();
    for (const user of ['acme/SN000001', 'acme/SN000002', 'acme/SN000003']) {
      expect(blocked(user, HERE)).toBeUndefined();
      failed(user, HERE);
    }

    expect([blocked('acme/SN000009', HERE), blocked('acme/SN000009', THERE)]).toEqual(['failing_address', undefined]);
    time.now = 19_999;
    expect(blocked('acme/SN000009', HERE)).toBe('failing_address');
    time.now = 20_000;
    expect(blocked('acme/SN000009', HERE)).toBeUndefined();
  });

  it('over the limit of a name, from many addresses, stop whoever failed; the terminal itself comes in from its own', () => {
    const { time, blocked, failed } = limiter();
    failed(USER, HERE);
    failed(USER, '192.0.2.2');

    expect([blocked(USER, HERE), blocked(USER, '192.0.2.2'), blocked(USER, THERE)]).toEqual([
      'failing_identity',
      'failing_identity',
      undefined,
    ]);
    expect(blocked('acme/SN000002', HERE)).toBeUndefined();
    time.now = 60_000;
    expect(blocked(USER, HERE)).toBeUndefined();
  });

  it('are without limit where that is 0, and where nobody knows the address', () => {
    const { blocked, failed } = limiter({ address: 0, identity: 0 });
    for (let i = 0; i < 1_000; i += 1) failed(USER, HERE);
    expect(blocked(USER, HERE)).toBeUndefined();

    const known = limiter();
    for (let i = 0; i < 1_000; i += 1) known.failed(USER, undefined);
    expect(known.blocked(USER, undefined)).toBeUndefined();
  });

  it('of more addresses than are remembered forget the oldest alone', () => {
    const { blocked, failed } = limiter({ address: 1 });
    for (let i = 0; i <= REMEMBERED; i += 1) failed(undefined, `10.0.${i >> 8}.${i & 255}`);

    expect([blocked('', '10.0.0.0'), blocked('', '10.0.0.1')]).toEqual([undefined, 'failing_address']);
  });

  it.each([
    ['192.0.2.1', '::ffff:192.0.2.1', true],
    ['2001:db8:1:2::1', '2001:db8:1:2:ffff::9', true],
    ['2001:db8:1:2::1', '2001:db8:1:3::1', false],
    ['192.0.2.1', '192.0.2.2', false],
  ])('%s and %s count as one: %s', (one, other, same) => {
    expect(networkOf(one) === networkOf(other)).toBe(same);
  });
});

describe('a broker that is stormed with wrong log-ins', () => {
  it('answers them unseen, lets the same terminal in from elsewhere, keeps open connections, and counts', async () => {
    const { terminal, port, token, broker, clock } = await testBroker({
      listeners: [{ scheme: 'mqtt', host: '0.0.0.0', port: 0 }],
      limits: { address_failures: 5 },
    });
    const open = await terminal('acme/SN000002');

    for (let i = 0; i < 5; i += 1) expect((await terminal(USER, { password: 'guess' })).returnCode).toBe(4);
    for (let i = 0; i < 3; i += 1) expect((await terminal(USER)).returnCode).toBe(3);

    const login = { port, clientId: 'SN000001', username: USER, password: token(USER) };
    const elsewhere = await connectMqtt({ ...login, localAddress: '127.0.0.2' });
    expect(elsewhere.returnCode).toBe(0);
    await open.ping();
    expect(broker.stats()).toMatchObject({ refusals: { malformed: 5, failing_address: 3 }, limits: { address_failures: 3 } });

    clock.pass(12_000);
    expect((await terminal(USER)).returnCode).toBe(0);
  });

  it('counts neither expired tokens, which were ours, nor its own troubles as failures', async () => {
    const { terminal, key, log, broker, clock } = await testBroker({ limits: { address_failures: 1, identity_failures: 1 } });
    const expired = issueToken(key, USER, { now: START - 2, expiresAt: START - 1 });
    for (let i = 0; i < 3; i += 1) expect((await terminal(USER, { password: expired })).returnCode).toBe(5);
    log.fail('full');
    clock.pass(1_000);
    while (broker.stats().refusals.log_unavailable === undefined) await terminal(USER).then((client) => client.breakOff());
    log.heal();

    expect(broker.stats().limits).toMatchObject({ address_failures: 0, identity_failures: 0 });
  });

  it('stops guesses under one name from an address that would have more of its own', async () => {
    const { terminal, broker } = await testBroker({ limits: { identity_failures: 2 } });
    for (let i = 0; i < 2; i += 1) expect((await terminal(USER, { password: 'guess' })).returnCode).toBe(4);

    expect((await terminal(USER)).returnCode).toBe(3);
    expect((await terminal('acme/SN000002')).returnCode).toBe(0);
    expect(broker.stats().limits).toMatchObject({ identity_failures: 1 });
  });
});
