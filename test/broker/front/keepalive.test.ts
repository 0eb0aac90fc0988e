import { describe, expect, it } from 'vitest';
import { eventually } from '../../helpers/eventually.ts';
import type { MqttClient } from '../../helpers/mqtt.ts';
import { testBroker } from '../harness.ts';

const USER = 'acme/SN000001';
const REPORT = 'pos/v1/acme/SN000001/report';
const login = { keepaliveSeconds: 10, will: { topic: 'pos/v1/acme/SN000001/state', payload: 'lost' } };

const alive: Record<string, (client: MqttClient) => Promise<unknown>> = {
  'sends reports alone': (client) => client.publish(REPORT, '{}'),
  'sends pings alone': (client) => client.ping(),
  'sends births alone': (client) => client.publish('pos/v1/acme/SN000001/birth', '{}'),
  'asks for subscriptions alone': (client) => client.subscribe('pos/v1/acme/SN000001/cmd'),
};

describe('a terminal with a keepalive of 10 s', () => {
  it.each(Object.entries(alive))('that %s stays, and no Will is logged', async (_, speak) => {
    const { terminal, clock, broker, payloads } = await testBroker();
    const client = await terminal(USER, login);

    for (let spoken = 0; spoken < 20; spoken += 1) {
      clock.pass(10_000);
      await speak(client);
    }

    expect(broker.stats().connections).toBe(1);
    expect(payloads()).not.toContain('lost');
  });

  it('that falls silent is ended one and a half keepalives later, and its Will is logged', async () => {
    const { terminal, clock, payloads, broker } = await testBroker();
    const client = await terminal(USER, login);
    await client.publish(REPORT, 'last words');

    clock.pass(15_000);
    await new Promise(setImmediate);
    expect(broker.stats().connections).toBe(1);
    clock.pass(1_000);
    await client.closed;

    await eventually(() => expect(payloads()).toEqual(['last words', 'lost']));
    expect(broker.stats().refusals).toEqual({});
  });

  it('that never sends the end of a frame is silent', async () => {
    const { terminal, clock } = await testBroker();
    const client = await terminal(USER, login);

    for (const byte of [0x32, 0x60, 0x00, 0x1b, 0x70]) {
      client.socket.write(Buffer.from([byte]));
      await new Promise(setImmediate);
      clock.pass(4_000);
    }

    await client.closed;
  });

  it('is not silent while its reports wait for our log', async () => {
    const { terminal, clock, log, broker, payloads } = await testBroker();
    const client = await terminal(USER, login);
    log.hold();
    const report = 'x'.repeat(60_000);
    client.send(...Array.from({ length: 10 }, () => client.publishPacket(REPORT, report)));
    await eventually(() => expect(broker.stats().pendingAppends).toBeGreaterThan(4));

    clock.pass(120_000);
    log.release();
    await eventually(() => expect(client.acknowledged).toHaveLength(10));

    expect(payloads()).toEqual(Array(10).fill(report));
  });

  it('is bound to 5 s at least, and to 1 200 s where it asks for none', async () => {
    const { terminal, clock, broker } = await testBroker();
    const [short, none] = [await terminal(USER, { keepaliveSeconds: 1 }), await terminal('acme/SN000002', { keepaliveSeconds: 0 })];

    clock.pass(8_000);
    expect(broker.stats().connections).toBe(2);
    clock.pass(1_000);
    await short.closed;
    clock.pass(1_790_000);
    expect(broker.stats().connections).toBe(1);
    clock.pass(2_000);
    await none.closed;
  });

  it('is of a monitoring tool, too', async () => {
    const { noc, clock, broker } = await testBroker();
    const tool = await noc('grafana', { keepaliveSeconds: 10 });
    clock.pass(10_000);
    await tool.ping();
    clock.pass(10_000);
    expect(broker.stats().connections).toBe(1);
    clock.pass(6_000);
    await tool.closed;
  });
});
