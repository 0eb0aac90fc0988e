import { describe, expect, it } from 'vitest';
import { LIMIT_NAMES, LIMITS } from '../../../broker/limits/table.ts';
import { eventually } from '../../helpers/eventually.ts';
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

describe('floods of half-done work end the connection, each counted as what it is', () => {
  it('packets before the CONNACK', async () => {
    const { terminal, broker } = await testBroker({ limits: { early_packets: 5 } });
    await terminal(USER, { pipelined: Array.from({ length: 20 }, () => ({ cmd: 'pingreq' }) as const) }).catch(() => {});
    await eventually(() => expect(broker.stats().limits.early_packets).toBe(1));
  });

  it('QoS 2 messages without their PUBREL', async () => {
    const { terminal, broker } = await testBroker({ limits: { unreleased: 3 } });
    const client = await terminal(USER);
    client.socket.pause();
    const publish = (n: number) => client.publishPacket('pos/v1/acme/SN000001/report', 'x', { qos: 2, messageId: n });
    client.send(...[1, 2, 3, 4].map(publish));
    await eventually(() => expect(broker.stats().limits.unreleased).toBe(1));
  });
});
