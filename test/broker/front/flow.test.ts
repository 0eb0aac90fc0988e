import { once } from 'node:events';
import type { Socket } from 'node:net';
import { Duplex } from 'node:stream';
import mqtt from 'mqtt-packet';
import { describe, expect, it } from 'vitest';
import { connectionProblem } from '../../../broker/failures.ts';
import { eventually } from '../../helpers/eventually.ts';
import { testBroker } from '../harness.ts';
import { type BareBroker, bareBroker } from './brokers.ts';

const USER = 'acme/SN000001';
const REPORT = 'pos/v1/acme/SN000001/report';
const KIB = 1024;

/** The far end of a connection whose network takes nothing while `stuck` is set, so that what the broker writes stays with it. */
class Far {
  stuck = false;
  read = 0;
  readonly written: Buffer[] = [];
  #waiting: (() => void) | undefined;
  readonly near = new Duplex({
    read: () => {
      this.read += 1;
    },
    write: (chunk: Buffer, _encoding, done) => {
      this.written.push(chunk);
      if (this.stuck) this.#waiting = done;
      else done();
    },
  }) as Duplex & Socket;

  letGo(): void {
    this.stuck = false;
    this.#waiting?.();
  }
}

async function loggedIn(far: Far, broker: BareBroker): Promise<void> {
  const ready = once(broker.parts.aedes, 'clientReady');
  logIn(far, broker);
  await ready;
  await eventually(() => expect(far.near.readableLength).toBe(0));
}

function logIn(far: Far, broker: BareBroker): void {
  broker.parts.front.open(far.near);
  const login = { username: USER, password: Buffer.from(broker.token(USER)), clientId: 'SN000001', clean: true, keepalive: 1_200 };
  far.near.push(mqtt.generate({ cmd: 'connect', protocolId: 'MQTT', protocolVersion: 4, ...login }));
}

const pings = (count: number) => Buffer.alloc(2 * count, Buffer.from([0xc0, 0]));

describe('a client that does not read what it is sent', () => {
  it('is read no further, and goes on where it has caught up', async () => {
    const broker = await bareBroker('front', { terminal_packets: 0 });
    const far = new Far();
    await loggedIn(far, broker);
    const answeredBefore = far.written.length;
    far.stuck = true;

    expect(far.near.push(pings(4_000))).toBe(true);
    expect(far.near.push(pings(8_000))).toBe(false);
    const readBefore = far.read;
    for (let tick = 0; tick < 9; tick += 1) broker.parts.front.tick();
    expect([far.near.destroyed, far.read]).toEqual([false, readBefore]);

    far.letGo();
    await eventually(() => expect(far.read).toBeGreaterThan(readBefore));
    for (let tick = 0; tick < 20; tick += 1) broker.parts.front.tick();
    expect(far.near.push(pings(1))).toBe(true);
    expect(Buffer.concat(far.written.slice(answeredBefore)).length).toBe(2 * 12_001);
    far.near.destroy();
  });

  it('is ended after ten seconds of that, as one that reads too slowly', async () => {
    const broker = await bareBroker('front', { terminal_packets: 0 });
    const far = new Far();
    await loggedIn(far, broker);
    const failed = once(broker.parts.aedes, 'clientError');
    far.stuck = true;
    far.near.push(pings(20_000));

    for (let tick = 0; tick < 10; tick += 1) broker.parts.front.tick();

    const [, error] = await failed;
    expect(connectionProblem(error)).toBe('slow_reader');
    expect(far.near.destroyed).toBe(true);
  });
});

describe('the order of what goes back', () => {
  it('begins with the CONNACK, also where a ping comes just before it', async () => {
    const broker = await bareBroker('front');
    const far = new Far();
    broker.parts.aedes.once('client', () => far.near.push(pings(1)));

    logIn(far, broker);
    await eventually(() => expect(Buffer.concat(far.written).at(-2)).toBe(0xd0));

    expect(Buffer.concat(far.written)).toEqual(Buffer.from([0x20, 2, 0, 0, 0xd0, 0]));
    far.near.destroy();
  });

  it('is kept where Aedes waits for the client and has not read a birth: the report after it waits, too', async () => {
    const broker = await bareBroker('front');
    const far = new Far();
    await loggedIn(far, broker);
    const publish = (channel: string, messageId: number) =>
      mqtt.generate({
        cmd: 'publish',
        topic: REPORT.replace('report', channel),
        payload: channel,
        qos: 1,
        retain: false,
        dup: false,
        messageId,
      });
    far.stuck = true;
    far.near.write(Buffer.alloc(20 * KIB));
    const subscription = { topic: REPORT.replace('report', 'cmd'), qos: 1 } as const;
    far.near.push(mqtt.generate({ cmd: 'subscribe', messageId: 1, subscriptions: [subscription] }));
    await once(broker.parts.aedes, 'subscribe');

    far.near.push(publish('birth', 2));
    far.near.push(publish('report', 3));
    far.letGo();
    await eventually(() => expect(broker.arrivals(0)).toHaveLength(2));

    expect(broker.arrivals(0).map((bytes) => bytes.toString('latin1').match(/birth|report/)?.[0])).toEqual(['birth', 'report']);
    far.near.destroy();
  });
});

it('nothing is taken any more from a session that is about to end, also while Aedes still unsubscribes it', async () => {
  const broker = await bareBroker('front');
  const far = new Far();
  await loggedIn(far, broker);
  far.near.push(mqtt.generate({ cmd: 'subscribe', messageId: 1, subscriptions: [{ topic: REPORT.replace('report', 'cmd'), qos: 1 }] }));
  await once(broker.parts.aedes, 'subscribe');
  const [session] = broker.parts.sessions.open(USER);

  session!.ended = 'ours';
  session!.client.close();
  far.near.push(mqtt.generate({ cmd: 'publish', topic: REPORT, payload: 'too late', qos: 1, retain: false, dup: false, messageId: 2 }));
  await eventually(() => expect(far.near.destroyed).toBe(true));

  expect([broker.parts.intake.pending(), broker.arrivals(0)]).toEqual([0, []]);
});

describe('what waits for the log', () => {
  it('is bounded for each connection: no more of it is read until the log has caught up, and nothing is lost', async () => {
    const { terminal, log, broker, payloads } = await testBroker();
    const client = await terminal(USER);
    const report = 'x'.repeat(10 * KIB);
    log.hold();

    for (let i = 0; i < 1_000; i += 1) client.send(client.publishPacket(REPORT, `${i} ${report}`));
    await eventually(() => expect(broker.stats().pendingAppends).toBeGreaterThan(25));
    await (await terminal('acme/SN000002')).ping();
    expect(broker.stats().pendingAppends * 10).toBeLessThan(256 + 64 + 10);

    log.release();
    await eventually(() => expect(client.acknowledged).toHaveLength(1_000));
    expect(payloads().map((payload) => Number.parseInt(payload, 10))).toEqual(Array.from({ length: 1_000 }, (_, i) => i));
  });

  it('of one acquirer makes each of its connections that brings more wait, and none of another', async () => {
    const { terminal, log, broker, payloads } = await testBroker({ limits: { pending_bytes: 2_000 * KIB } });
    const storm = await Promise.all(Array.from({ length: 6 }, (_, i) => terminal(`acme/SN00000${i}`)));
    const other = await terminal('bank/SN000009');
    log.hold();

    for (const [i, client] of storm.entries())
      for (let n = 0; n < 50; n += 1) client.send(client.publishPacket(`pos/v1/acme/SN00000${i}/report`, 'x'.repeat(10 * KIB)));
    await eventually(() => expect(broker.stats().limits.pending_bytes).toBeGreaterThan(0));
    const [acknowledged, before] = [other.publish('pos/v1/bank/SN000009/report', 'heard'), broker.stats().pendingAppends];
    await eventually(() => expect(broker.stats().pendingAppends).toBeGreaterThan(before));
    await other.ping();

    log.release();
    await acknowledged;
    await eventually(() => expect(payloads()).toHaveLength(301));
    await eventually(() => expect(storm.map((client) => client.acknowledged.length)).toEqual(Array(6).fill(50)));
    expect(broker.stats().failedAppends).toBe(0);
  });
});
