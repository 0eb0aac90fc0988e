import { createServer } from 'node:net';
import { describe, expect, onTestFinished, test } from 'vitest';
import type { Report } from '../../protocol/schemas/messages.ts';
import { eventually } from '../helpers/eventually.ts';
import { type Arrival, startBroker } from './support/broker.ts';
import { startCountingBroker } from './support/counting-broker.ts';
import { TERMINAL, testUplink } from './support/uplink.ts';

const keyOf = ({ message }: Arrival) => `${(message.body as Report).session} ${(message.body as Report).seq}`;
const range = (session: string, from: number, to: number) => Array.from({ length: to - from + 1 }, (_, i) => `${session} ${from + i}`);

describe('an uplink', () => {
  test('logs in as its terminal, with a Will of the new session, and tells its birth and its state before all else', async () => {
    const broker = await startBroker();
    const { uplink, outbox, put, sessions, time } = await testUplink(broker.port);
    await put('old', 0, 2);

    uplink.start();
    await eventually(() => expect(outbox.size).toBe(0));

    const session = sessions[0];
    expect(broker.logins).toEqual([
      {
        clientId: 'SN000001',
        username: 'acme/SN000001',
        password: 'tw1.secret',
        will: { topic: 'pos/v1/acme/SN000001/state', payload: { v: 1, session, state: 'lost' }, qos: 1, retain: true },
      },
    ]);
    expect(broker.arrivals.map((a) => a.channel)).toEqual(['birth', 'state', 'report', 'report', 'report']);
    const at = time.now();
    expect(broker.arrivals[0]).toMatchObject({
      retain: false,
      message: { body: { v: 1, session, at, merchant: 'm-1', interval: 300, keepalive: 330 } },
    });
    expect(broker.arrivals[1]).toMatchObject({ retain: true, message: { body: { v: 1, session, at, state: 'online' } } });
    expect(broker.on('report').map(keyOf)).toEqual(range('old', 0, 2));
  });

  test('has no more than its window unacknowledged, and sends on, in order, as it is acknowledged', async () => {
    const broker = await startCountingBroker();
    const { uplink, outbox, put, sessions } = await testUplink(broker.port);
    uplink.start();
    await eventually(() => expect(sessions.length).toBe(1));
    await put('s', 0, 59);
    const inFlight: number[] = [];

    for (let acknowledged = 0; acknowledged < 60; ) {
      const more = Math.min(20, 60 - acknowledged);
      await eventually(() => expect(broker.reports.length).toBeGreaterThanOrEqual(acknowledged + more));
      inFlight.push(broker.reports.length - acknowledged);
      const n = Math.min(7, more);
      broker.acknowledge(n);
      acknowledged += n;
      await eventually(() => expect(uplink.acknowledged).toBe(acknowledged));
    }
    await eventually(() => expect(outbox.size).toBe(0));

    expect(Math.max(...inFlight)).toBe(20);
    expect(broker.reports.map(({ payload }) => JSON.parse(payload).seq)).toEqual(Array.from({ length: 60 }, (_, seq) => seq));
  });

  test('after a break sends the new session first and then the old ones in order, unchanged and not as duplicates of MQTT', async () => {
    const broker = await startBroker();
    broker.control.holdReports = true;
    const { uplink, outbox, put, time, sessions } = await testUplink(broker.port);
    await put('s0', 0, 4);
    uplink.start();
    await eventually(() => expect(broker.held.length).toBeGreaterThan(0));
    const [first] = sessions;
    await put(first!, 0, 29);
    broker.breakAll();
    await eventually(() => expect(broker.on('state').map((a) => a.message.body)).toContainEqual({ v: 1, session: first, state: 'lost' }));
    await put(first!, 30, 31);

    broker.arrivals.length = 0;
    await eventually(() => expect(time.waits.length).toBe(1));
    time.advance(1000);
    await eventually(() => expect(sessions.length).toBe(2));
    await eventually(() => expect(broker.on('report').length).toBeGreaterThan(0));
    await put(sessions[1]!, 0, 1);
    broker.control.holdReports = false;
    for (const release of broker.held.splice(0)) release();
    await eventually(() => expect(outbox.size).toBe(0));

    const resent = broker.on('report');
    const old = [...range('s0', 0, 4), ...range(first!, 0, 31)];
    expect(resent.map(keyOf)).toEqual([...old.slice(0, 20), ...range(sessions[1]!, 0, 1), ...old.slice(20)]);
    expect(resent.every((a) => !a.dup)).toBe(true);
    expect(broker.logins[1]!.will).toMatchObject({ payload: { session: sessions[1] } });
    expect(sessions[1]).not.toBe(first);
  });

  test('waits longer and longer between tries, each time at random, tells it once, and again when something else is wrong', async () => {
    const server = createServer((socket) => socket.destroy());
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const { port } = server.address() as { port: number };
    const { uplink, time, lines } = await testUplink(port, { random: () => 0.999 });
    const waits: number[] = [];

    uplink.start();
    for (let i = 0; i < 11; i++) {
      await eventually(() => expect(time.waits.map((ms) => ms % 999)).toEqual([0]));
      waits.push(time.waits[0]! / 999);
      if (i === 5) await new Promise((resolve) => server.close(resolve));
      time.advance(time.waits[0]!);
    }

    expect(waits).toEqual([1, 2, 4, 8, 16, 32, 64, 128, 150, 150, 150]);
    expect(lines.length).toBe(2);
    expect(lines[0]).toMatch(/cannot be reached.*TILLWATCH_AGENT_URL.*127\.0\.0\.1/);
    expect(lines[1]).toMatch(/ECONNREFUSED/);
  });

  test.each([4, 5])('refused with CONNACK %i tries again after minutes, says it once, and never shows its token', async (returnCode) => {
    const broker = await startBroker();
    broker.control.refuseWith = returnCode;
    const { uplink, time, lines, outbox, put } = await testUplink(broker.port);
    await put('s0', 0, 0);

    uplink.start();
    for (let i = 0; i < 3; i++) {
      await eventually(() => expect(time.waits.length === 1 && time.waits[0]! >= 150_000 && time.waits[0]! <= 300_000).toBe(true));
      if (i === 2) broker.control.refuseWith = 0;
      time.advance(time.waits[0]!);
      if (i < 2) await eventually(() => expect(time.waits[0]).toBeGreaterThan(30_000));
    }
    await eventually(() => expect(outbox.size).toBe(0));

    expect(lines.map((l) => l.slice(0, 32))).toEqual([
      'the broker refuses this terminal',
      expect.stringMatching(/^connected to mqtt:\/\/127/),
    ]);
    expect(lines[0]).toMatch(/enroll it again.*CONNACK [45]/);
    expect(lines.join('\n')).not.toContain('secret');
  });

  test('forgets its failures once a connection has lived for a minute, and not before', async () => {
    const broker = await startBroker();
    const { uplink, time, sessions } = await testUplink(broker.port, { random: () => 0.999 });
    const waits: number[] = [];
    uplink.start();

    for (const livesMs of [10, 10, 60_000, 10]) {
      const before = waits.length + 1;
      await eventually(() => expect(broker.on('state').filter((a) => a.connection === before - 1).length).toBe(1));
      time.advance(livesMs);
      broker.breakAll();
      await eventually(() => expect(time.waits.length).toBe(1));
      waits.push(Math.round(time.waits[0]! / 999));
      time.advance(time.waits[0]!);
      await eventually(() => expect(sessions.length).toBe(before + 1));
    }

    expect(waits).toEqual([1, 2, 1, 2]);
  });

  test('drops a connection whose broker acknowledges nothing for two minutes, and keeps all', async () => {
    const broker = await startBroker();
    broker.control.holdReports = true;
    const endings: string[] = [];
    const { uplink, outbox, put, time, sessions } = await testUplink(broker.port, { onEnding: ({ reason }) => endings.push(reason) });
    uplink.start();
    await eventually(() => expect(sessions.length).toBe(1));
    await put('s', 0, 3);
    await eventually(() => expect(broker.held.length).toBeGreaterThan(0));

    time.advance(119_000);
    expect(endings).toEqual([]);
    time.advance(2_000);
    await eventually(() => expect(endings).toEqual(['the broker does not acknowledge']));

    expect(outbox.size).toBe(4);
  });

  test('pings after a keepalive of silence, and drops a connection that is silent for one and a half', async () => {
    const broker = await startBroker();
    let pings = 0;
    broker.aedes.on('ping', () => pings++);
    const endings: string[] = [];
    const { uplink, time, sessions } = await testUplink(broker.port, {
      identity: { interval: 300, keepalive: 100 },
      onEnding: ({ reason }) => endings.push(reason),
    });
    uplink.start();
    await eventually(() => expect(broker.on('state').length).toBe(1));
    await eventually(() => expect(time.waits).toEqual([60_000, 100_000, 150_000]));

    time.advance(100_000);
    await eventually(() => expect(pings).toBe(1));
    await eventually(() => expect(time.waits).toEqual([100_000, 150_000]));
    for (const client of Object.values((broker.aedes as unknown as { clients: Record<string, { conn: { pause(): void } }> }).clients))
      client.conn.pause();
    time.advance(150_000);

    await eventually(() => expect(endings).toEqual(['the broker has fallen silent']));
    expect(sessions.length).toBe(1);
  });

  test('gives up a log-in that is never answered', async () => {
    const server = createServer(() => {});
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    onTestFinished(() => void server.close());
    const endings: string[] = [];
    const { uplink, time } = await testUplink((server.address() as { port: number }).port, {
      onEnding: ({ reason }) => endings.push(reason),
    });
    uplink.start();
    await eventually(() => expect(time.waits).toContain(30_000));

    time.advance(30_000);

    await eventually(() => expect(endings).toEqual(['no answer to the log-in in time']));
  });

  test('answers what is not MQTT by hanging up', async () => {
    const server = createServer((socket) => {
      socket.on('error', () => {});
      socket.write('HTTP/1.1 400 Bad Request\r\n\r\n');
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    onTestFinished(() => void server.close());
    const endings: string[] = [];
    const { uplink } = await testUplink((server.address() as { port: number }).port, { onEnding: ({ reason }) => endings.push(reason) });

    uplink.start();

    await eventually(() => expect(endings.length).toBe(1));
    expect(endings[0]).toMatch(/not MQTT|unexpected|too large/);
  });

  test('does what commands say: births again, reports, and answers', async () => {
    const broker = await startBroker();
    const answers: unknown[] = [];
    let reports = 0;
    const { uplink, time } = await testUplink(broker.port, {
      onAnswer: async (ack) => void answers.push(ack),
      onReportNow: async () => void reports++,
    });
    const topic = `pos/v1/${TERMINAL.acquirer}/${TERMINAL.sn}/cmd`;
    const subscribed = new Promise((resolve) => broker.aedes.once('subscribe', resolve));
    uplink.start();
    await subscribed;

    await broker.command(topic, { v: 1, id: 'a', type: 'rebirth' });
    await broker.command(topic, { v: 1, id: 'b', type: 'report_now', expires: time.now() + 1000 });
    await broker.command(topic, { v: 1, id: 'c', type: 'rotate' });
    await broker.command(topic, { v: 1, id: 'd', type: 'rebirth', expires: time.now() - 1 });
    await broker.command(topic, { v: 1, id: 'e', type: 'report_now' });
    await eventually(() => expect(answers.length).toBe(4));

    expect(answers).toEqual([
      { v: 1, id: 'a', ok: true, error: null },
      { v: 1, id: 'b', ok: true, error: null },
      { v: 1, id: 'c', ok: false, error: 'not supported' },
      { v: 1, id: 'e', ok: true, error: null },
    ]);
    expect(reports).toBe(2);
    await eventually(() => expect(broker.on('birth').length).toBe(2));
    expect(broker.on('birth')[1]!.message.body).toEqual(broker.on('birth')[0]!.message.body);
  });

  test('stops cleanly: what waits is acknowledged, then goodbye, then no Will', async () => {
    const broker = await startBroker();
    const { uplink, outbox, put, sessions } = await testUplink(broker.port);
    uplink.start();
    await eventually(() => expect(broker.on('state').length).toBe(1));
    await put('s', 0, 40);
    const gone = new Promise((resolve) => broker.aedes.once('clientDisconnect', resolve));

    await uplink.stop(5_000);
    await gone;

    expect(outbox.size).toBe(0);
    expect(broker.arrivals.at(-1)).toMatchObject({
      channel: 'state',
      retain: true,
      message: { body: { session: sessions[0], state: 'goodbye' } },
    });
    expect(broker.on('state').map((a) => a.message.body)).not.toContainEqual(expect.objectContaining({ state: 'lost' }));
  });

  test('stops within its limits where nothing is acknowledged, and keeps what waits', async () => {
    const broker = await startBroker();
    broker.control.holdReports = true;
    const { uplink, outbox, put, time, sessions } = await testUplink(broker.port);
    uplink.start();
    await eventually(() => expect(sessions.length).toBe(1));
    await put('s', 0, 2);
    await eventually(() => expect(broker.held.length).toBeGreaterThan(0));

    const stopped = uplink.stop(5_000);
    await eventually(() => expect(time.waits).toContain(5_000));
    time.advance(5_000);
    await eventually(() => expect(time.waits).toContain(5_000));
    time.advance(5_000);
    await stopped;

    expect(outbox.size).toBe(3);
  });

  test('stops at once where it has no connection, or waits for the next try', async () => {
    const { uplink, time } = await testUplink(1);
    uplink.start();
    await eventually(() => expect(time.waits.length).toBe(1));

    await uplink.stop(5_000);

    expect(time.waits).toEqual([]);
  });
});
