import { connect } from 'node:net';
import { describe, expect, it } from 'vitest';
import { LIMIT_NAMES, LIMITS } from '../../../broker/limits/table.ts';
import { eventually } from '../../helpers/eventually.ts';
import { MqttClient } from '../../helpers/mqtt.ts';
import { START, testBroker } from '../harness.ts';

const USER = 'acme/SN000001';
const order = (id: string) =>
  ({ kind: 'command', at: START, acquirer: 'acme', sn: 'SN000001', command: { v: 1, id, type: 'rebirth' } }) as const;

describe('what a limit does is told to monitoring tools', () => {
  it('as they come, and as it changes', async () => {
    const { noc, terminal, clock } = await testBroker({ limits: { subscriptions: 2 } });
    const tool = await noc('grafana');
    await tool.subscribe('$SYS/node-1/limits/#', 0);
    const said = (name: string) =>
      tool.messages.filter(({ topic }) => topic === `$SYS/node-1/limits/${name}`).map(({ payload }) => payload);
    await eventually(() => expect(new Set(tool.messages.map(({ topic }) => topic)).size).toBe(LIMIT_NAMES.length));
    expect(said('connections')).toEqual([JSON.stringify({ limit: LIMITS.connections.default, acted: 0 })]);

    await tool.subscribe(['pos/v1/a/#', 'pos/v1/b/#'], 0);
    clock.pass(1_000);

    await eventually(() => expect(said('subscriptions')).toEqual(['{"limit":2,"acted":0}', '{"limit":2,"acted":1}']));
    expect(said('connections')).toHaveLength(1);
    expect(await (await terminal(USER)).subscribe('$SYS/node-1/limits/#')).toEqual([128]);
  });
});

describe('a limit to the commands that a kept session holds', () => {
  it('sends none beyond it until the terminal has acknowledged some', async () => {
    const broker = await testBroker({ limits: { commands: 2 } });
    const client = await broker.terminal(USER, { clean: false });
    await client.subscribe('pos/v1/acme/SN000001/cmd');
    client.socket.pause();

    for (const id of ['c1', 'c2', 'c3']) await broker.order(order(id));
    await eventually(() => expect(broker.broker.stats().limits.commands).toBe(1));
    client.socket.resume();
    await eventually(() => expect(client.messages).toHaveLength(2));
    await client.ping();
    await broker.order(order('c4'));

    await eventually(() => expect(client.messages.map(({ payload }) => JSON.parse(payload).id)).toEqual(['c1', 'c2', 'c4']));
  });
});

describe('a limit to what comes before the CONNACK', () => {
  it('lets the network hold the rest, and takes all of it once the client is let in', async () => {
    const { port, token, terminal, broker, clock, payloads } = await testBroker({ limits: { connects: 1 } });
    await terminal('acme/SN000002');
    const client = new MqttClient(connect({ port, host: '127.0.0.1' }));
    const login = client.login({ port, username: USER, password: token(USER), clientId: 'SN000001' });
    await eventually(() => expect(broker.stats().limits.connects).toBe(1));

    const report = 'x'.repeat(60_000);
    for (let i = 0; i < 200; i += 1) client.send(client.publishPacket('pos/v1/acme/SN000001/report', report));
    await eventually(() => expect(broker.stats().limits.early_bytes).toBeGreaterThan(0));
    expect(client.socket.writableLength).toBeGreaterThan(1_000_000);
    clock.pass(1_000);
    await login;

    await eventually(() => expect(client.acknowledged).toHaveLength(200));
    expect(payloads()).toHaveLength(200);
  });
});

describe('a limit to what is kept of a terminal', () => {
  const long = 'x'.repeat(5_000);
  const will = (payload: string) => ({ topic: 'pos/v1/acme/SN000001/state', payload, retain: true });

  it('refuses a log-in with a longer Will', async () => {
    const { terminal, broker } = await testBroker();

    expect((await terminal(USER, { will: will(long) })).returnCode).toBe(5);
    expect((await terminal(USER, { will: will('lost') })).returnCode).toBe(0);

    expect(broker.stats()).toMatchObject({ refusals: { long_will: 1 }, limits: { will_bytes: 1 } });
  });

  it('takes a longer state into the log, and keeps the one before it for those who subscribe later', async () => {
    const { terminal, noc, broker, payloads } = await testBroker();
    const client = await terminal(USER);
    await client.publish('pos/v1/acme/SN000001/state', 'short', { retain: true });
    await client.publish('pos/v1/acme/SN000001/state', long, { retain: true });

    const tool = await noc('grafana');
    await tool.subscribe('pos/v1/acme/SN000001/state');
    await eventually(() => expect(tool.messages).toMatchObject([{ payload: 'short', retain: true }]));

    expect(payloads()).toEqual(['short', long]);
    expect(broker.stats().limits.kept_state_bytes).toBe(1);
  });
});

describe('a flood of QoS 2 messages without their PUBREL', () => {
  it('ends the connection', async () => {
    const { terminal, broker } = await testBroker({ limits: { unreleased: 3 } });
    const client = await terminal(USER);
    client.socket.pause();
    const publish = (n: number) => client.publishPacket('pos/v1/acme/SN000001/report', 'x', { qos: 2, messageId: n });
    client.send(...[1, 2, 3, 4].map(publish));
    await eventually(() => expect(broker.stats().limits.unreleased).toBe(1));
  });

  it('is no longer where the terminal comes back again and again to a session that is kept', async () => {
    const { terminal, broker } = await testBroker({ limits: { unreleased: 3 } });
    const publish = (client: MqttClient, messageId: number, dup = false) =>
      client.publishPacket('pos/v1/acme/SN000001/report', 'x', { qos: 2, messageId, dup });
    const comeBack = async () => {
      const client = await terminal(USER, { clean: false });
      // From here on it answers nothing by itself.
      client.socket.removeAllListeners('data').resume();
      return client;
    };

    for (const id of [1, 2, 3]) {
      const client = await comeBack();
      client.send(publish(client, id), { cmd: 'pingreq' });
      await eventually(() => expect(broker.stats().published.report).toBe(id));
      await client.breakOff();
    }
    const over = await comeBack();
    over.send(publish(over, 3, true), publish(over, 4));
    await over.closed;
    await eventually(() => expect(broker.stats().limits.unreleased).toBe(1));

    const orderly = await terminal(USER, { clean: false });
    orderly.send({ cmd: 'pubrel', messageId: 1 });
    await orderly.publish('pos/v1/acme/SN000001/report', 'x', { qos: 2, messageId: 5 });
  });
});
