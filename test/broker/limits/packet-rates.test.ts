import { describe, expect, it } from 'vitest';
import { eventually } from '../../helpers/eventually.ts';
import type { MqttClient } from '../../helpers/mqtt.ts';
import { type TestBroker, testBroker } from '../harness.ts';

const REPORT = 'pos/v1/acme/SN000001/report';

/** Sends `count` reports in pieces of one each, so that not all of them may come in one read. */
function storm(client: MqttClient, topic: string, count: number): void {
  for (let i = 0; i < count; i += 1) client.send(client.publishPacket(topic, `${i} ${'x'.repeat(4_000)}`));
}

/** Lets time go on until `done`, and the broker work in between; returns the seconds that it took. */
async function secondsUntil({ clock }: TestBroker, done: () => boolean): Promise<number> {
  const began = clock.now();
  await eventually(
    () => {
      if (!done()) clock.pass(1_000);
      expect(done()).toBe(true);
    },
    { every: 5 },
  );
  return (clock.now() - began) / 1_000;
}

describe('a limit to the packets of a terminal', () => {
  it.each([
    ['the front takes', 'report'],
    ['Aedes takes', 'birth'],
  ])('lets those that %s wait, drops none, and leaves its neighbour alone', async (_, channel) => {
    const broker = await testBroker({ limits: { terminal_packets: 10 } });
    const [client, neighbour] = [await broker.terminal('acme/SN000001'), await broker.terminal('acme/SN000002')];

    storm(client, `pos/v1/acme/SN000001/${channel}`, 200);
    await eventually(() => expect(broker.broker.stats().limits.terminal_packets).toBe(1));
    const taken = broker.arrivals().length;
    for (let i = 0; i < 5; i += 1) await neighbour.ping();
    expect(broker.arrivals().length).toBe(taken);
    expect(taken).toBeLessThan(200);

    const seconds = await secondsUntil(broker, () => client.acknowledged.length === 200);
    expect(broker.payloads().map((payload) => Number.parseInt(payload, 10))).toEqual(Array.from({ length: 200 }, (_, i) => i));
    expect(seconds).toBeGreaterThanOrEqual(Math.floor(taken / 10) - 1);
    expect(broker.broker.stats().refusals).toEqual({});
  });

  it('counts pings, too, and takes no terminal that is made to wait for one that is silent', async () => {
    const broker = await testBroker({ limits: { terminal_packets: 10 } });
    const client = await broker.terminal('acme/SN000001', { keepaliveSeconds: 5 });

    client.send(...Array.from({ length: 300 }, () => ({ cmd: 'pingreq' }) as const));
    await eventually(() => expect(broker.broker.stats().limits.terminal_packets).toBe(1));
    const answered = client.publish(REPORT, 'after the wait');
    broker.clock.pass(20_000);
    expect(broker.arrivals()).toEqual([]);
    await secondsUntil(broker, () => broker.arrivals().length === 1);

    await answered;
  });

  it('does not let off one that connects again', async () => {
    const broker = await testBroker({ limits: { terminal_packets: 10 } });
    const client = await broker.terminal('acme/SN000001');
    client.send(...Array.from({ length: 300 }, () => ({ cmd: 'pingreq' }) as const));
    await eventually(() => expect(broker.broker.stats().limits.terminal_packets).toBe(1));

    const again = await broker.terminal('acme/SN000001');
    again.send({ cmd: 'pingreq' });
    await eventually(() => expect(broker.broker.stats().limits.terminal_packets).toBe(2));
  });

  it('is none for a monitoring tool, which acknowledges what a fleet sends', async () => {
    const broker = await testBroker({ limits: { terminal_packets: 1 } });
    const tool = await broker.noc('grafana');
    for (let i = 0; i < 50; i += 1) await tool.ping();
  });
});

describe("a limit to the packets of an acquirer's terminals", () => {
  it('holds its storm to its rate, in turn and without a loss, while another acquirer is served at once', async () => {
    const broker = await testBroker({ limits: { acquirer_packets: 50 } });
    const users = Array.from({ length: 8 }, (_, i) => `acme/SN00000${i}`);
    const clients = await Promise.all(users.map((user) => broker.terminal(user)));
    const other = await broker.terminal('bank/SN000001');

    for (const [i, client] of clients.entries()) storm(client, `pos/v1/${users[i]}/report`, 100);
    await eventually(() => expect(broker.broker.stats().limits.acquirer_packets).toBe(8));
    const taken = broker.arrivals().length;
    expect(taken).toBeLessThan(800);
    for (let i = 0; i < 20; i += 1) await other.publish('pos/v1/bank/SN000001/report', `${i}`);
    expect(broker.arrivals().filter(({ acquirer }) => acquirer === 'acme')).toHaveLength(taken);

    const seconds = await secondsUntil(broker, () => clients.every((client) => client.acknowledged.length === 100));
    expect(seconds).toBeGreaterThanOrEqual(taken / 50 - 2);
    expect(broker.arrivals()).toHaveLength(820);
  });
});
