import { writeFile } from 'node:fs/promises';
import { describe, expect, it } from 'vitest';
import { issueToken } from '../../backbone/credentials/tokens.ts';
import { eventually } from '../helpers/eventually.ts';
import { connectMqtt } from '../helpers/mqtt.ts';
import { START, testBroker } from './harness.ts';

const USER = 'acme/SN000001';

describe('logging in', () => {
  it('accepts a terminal with its own token and client id, in a clean session and in one that is kept', async () => {
    const { terminal } = await testBroker();

    expect(await terminal(USER)).toMatchObject({ returnCode: 0, sessionPresent: false });
    const kept = await terminal(USER, { clean: false });
    await kept.subscribe('pos/v1/acme/SN000001/cmd');
    await kept.disconnect();
    expect(await terminal(USER, { clean: false })).toMatchObject({ returnCode: 0, sessionPresent: true });
  });

  it('accepts the longest names there are', async () => {
    const { terminal, payloads } = await testBroker();
    const [acquirer, sn] = ['a'.repeat(32), 'S'.repeat(32)];

    const client = await terminal(`${acquirer}/${sn}`);
    await client.publish(`pos/v1/${acquirer}/${sn}/report`, 'long');

    expect(payloads()).toEqual(['long']);
  });

  it.each([
    ['no user name', { username: undefined, password: undefined }, 4, 'no_credentials'],
    ['no password', { password: undefined }, 4, 'no_credentials'],
    ['a user name that is none of ours', { username: 'acme' }, 4, 'malformed_user'],
    ['a password that is no token', { password: 'secret' }, 4, 'malformed'],
    ['a client id that is not its serial', { clientId: 'SN000002' }, 2, 'foreign_client_id'],
    ['a client id as the broker names it inside', { clientId: USER }, 2, 'foreign_client_id'],
    ['no client id', { clientId: '' }, 2, 'foreign_client_id'],
  ] as const)('refuses %s', async (_, login, returnCode, reason) => {
    const { terminal, broker } = await testBroker();

    expect((await terminal(USER, login)).returnCode).toBe(returnCode);
    expect(broker.stats().refusals).toEqual({ [reason]: 1 });
  });

  it('refuses an expired token, one of another terminal, and one under a key that it does not know', async () => {
    const { terminal, token, key, broker } = await testBroker();
    const expired = issueToken(key, USER, { now: START - 2, expiresAt: START - 1 });
    const unknown = issueToken({ ...key, id: 'other' }, USER, { now: START - 2, expiresAt: START + 1_000 });

    expect((await terminal(USER, { password: expired })).returnCode).toBe(5);
    expect((await terminal(USER, { password: token('acme/SN000002') })).returnCode).toBe(4);
    expect((await terminal(USER, { password: unknown })).returnCode).toBe(4);
    expect(broker.stats().refusals).toEqual({ expired: 1, bad_signature: 1, unknown_key: 1 });
  });

  it('refuses a token that was revoked before the broker started, and accepts one issued after that', async () => {
    const { terminal, token, broker } = await testBroker({ before: [{ kind: 'revocation', at: START - 300, user: USER }] });

    expect((await terminal(USER, { password: token(USER, START - 300) })).returnCode).toBe(5);
    expect((await terminal(USER, { password: token(USER, START - 299) })).returnCode).toBe(0);
    expect((await terminal('acme/SN000002')).returnCode).toBe(0);
    expect(broker.stats().refusals).toEqual({ revoked: 1 });
  });

  it('lets the same serial at two acquirers work side by side', async () => {
    const { terminal, arrivals } = await testBroker();
    const one = await terminal('acme/SN000001');
    const two = await terminal('bank/SN000001');

    await two.publish('pos/v1/bank/SN000001/report', 'of bank');
    await one.publish('pos/v1/acme/SN000001/report', 'of acme');

    expect(arrivals().map(({ acquirer }) => acquirer)).toEqual(['bank', 'acme']);
  });

  it('does not let a refused log-in disturb the terminal whose name it used', async () => {
    const { terminal, payloads } = await testBroker();
    const client = await terminal(USER);

    expect((await terminal(USER, { password: 'guess' })).returnCode).toBe(4);
    await client.publish('pos/v1/acme/SN000001/report', 'undisturbed');

    expect(payloads()).toEqual(['undisturbed']);
  });

  it('takes over from the connection before it', async () => {
    const { terminal, broker } = await testBroker();
    const before = await terminal(USER);
    const after = await terminal(USER);

    await before.closed;
    await after.ping();
    await eventually(() => expect(broker.stats().connections).toBe(1));
  });

  it.each([
    ['for another topic of its own', { topic: 'pos/v1/acme/SN000001/report', payload: '{}' }],
    ['for another terminal', { topic: 'pos/v1/acme/SN000002/state', payload: '{}' }],
    ['for a topic of nobody', { topic: '$SYS/x', payload: '{}' }],
    ['with QoS 0', { topic: 'pos/v1/acme/SN000001/state', payload: '{}', qos: 0 }],
  ] as const)('refuses a Will %s', async (_, will) => {
    const { terminal, broker } = await testBroker();

    expect((await terminal(USER, { will })).returnCode).toBe(5);
    expect(broker.stats().refusals).toEqual({ bad_will: 1 });
  });

  it('answers MQTT 5 with CONNACK 1', async () => {
    const { port, broker, token } = await testBroker();
    const client = await connectMqtt({ port, clientId: 'SN000001', username: USER, password: token(USER), protocolVersion: 5 });

    expect(client.returnCode).toBe(1);
    await client.closed;
    expect(broker.stats().refusals).toEqual({ protocol_version: 1 });
  });

  it('goes on with the keys it knows where the key file has become unreadable', async () => {
    const { terminal, keysFile, order, lines } = await testBroker();
    await writeFile(keysFile, 'torn');

    await order({ kind: 'keys', at: START });

    await eventually(() => expect(lines).toEqual([expect.stringContaining('used on')]));
    expect((await terminal(USER)).returnCode).toBe(0);
  });
});

describe('a monitoring tool', () => {
  it('sees what terminals publish, and the broker itself', async () => {
    const { noc, terminal } = await testBroker();
    const tool = await noc('grafana');
    expect(await tool.subscribe(['pos/v1/#', '$SYS/#'])).toEqual([1, 1]);

    const client = await terminal(USER);
    await client.publish('pos/v1/acme/SN000001/report', '{"v":1}');

    await eventually(() => {
      expect(tool.messages).toContainEqual({ topic: 'pos/v1/acme/SN000001/report', payload: '{"v":1}', qos: 1, retain: false });
      expect(tool.messages).toContainEqual(expect.objectContaining({ topic: '$SYS/node-1/new/clients', payload: USER }));
    });
  });

  it('may not publish: neither for a terminal nor below $SYS', async () => {
    const { noc, payloads, broker } = await testBroker();

    await expect((await noc('grafana')).publish('pos/v1/acme/SN000001/report', 'forged')).rejects.toThrow('ended');
    await expect((await noc('grafana')).publish('$SYS/node-1/heartbeat', 'forged')).rejects.toThrow('ended');

    expect(payloads()).toEqual([]);
    expect(broker.stats().refusals).toEqual({ read_only: 1, reserved_topic: 1 });
  });

  it('leaves no queue behind in the broker, even where it asks for a session that is kept', async () => {
    const { noc } = await testBroker();
    const tool = await noc('grafana', { clean: false });
    await tool.subscribe('pos/v1/#');
    await tool.disconnect();

    expect(await noc('grafana', { clean: false })).toMatchObject({ returnCode: 0, sessionPresent: false });
  });

  it('does not disturb another with the same client id, and may be told apart by it', async () => {
    const { noc } = await testBroker();
    const [one, two, three] = [await noc('grafana'), await noc('other'), await noc('grafana', { clientId: 'tool-2' })];

    await Promise.all([one.ping(), two.ping(), three.ping()]);
  });

  it('needs a client id', async () => {
    const { noc } = await testBroker();
    expect((await noc('grafana', { clientId: '' })).returnCode).toBe(2);
  });
});

describe('subscribing', () => {
  it('a terminal gets its own command topic and none of its neighbours', async () => {
    const { terminal, broker } = await testBroker();
    const client = await terminal(USER);

    expect(await client.subscribe(['pos/v1/acme/SN000001/cmd', 'pos/v1/acme/SN000002/cmd', 'pos/v1/#', '$SYS/#'])).toEqual([
      1, 128, 128, 128,
    ]);
    expect(broker.stats().refusals).toEqual({ foreign_topic: 1, wildcard: 2 });
  });

  it('gathers nothing for a filter that was refused, in a session that is kept', async () => {
    const { terminal } = await testBroker();
    const spy = await terminal(USER, { clean: false });
    await spy.subscribe(['pos/v1/acme/SN000001/cmd', 'pos/v1/#', 'pos/v1/acme/SN000002/report']);
    await spy.disconnect();

    const other = await terminal('acme/SN000002');
    await other.publish('pos/v1/acme/SN000002/report', 'not for others');
    const back = await terminal(USER, { clean: false });
    await back.ping();

    expect(back.sessionPresent).toBe(true);
    expect(back.messages).toEqual([]);
  });
});

describe('publishing elsewhere', () => {
  it.each([
    ['pos/v1/acme/SN000002/report', 'foreign_topic'],
    ['pos/v1/bank/SN000001/report', 'foreign_topic'],
    ['pos/v1/acme/SN000001/cmd', 'wrong_way'],
    ['pos/v1/acme/SN000001/other', 'not_our_topic'],
    ['$SYS/node-1/heartbeat', 'reserved_topic'],
  ])('to %s ends the connection', async (topic, reason) => {
    const { terminal, payloads, broker } = await testBroker();
    const client = await terminal(USER);
    const neighbour = await terminal('acme/SN000003');

    await expect(client.publish(topic, 'x')).rejects.toThrow('ended');
    await neighbour.publish('pos/v1/acme/SN000003/report', 'undisturbed');

    expect(payloads()).toEqual(['undisturbed']);
    expect(broker.stats().refusals).toEqual({ [reason]: 1 });
  });
});
