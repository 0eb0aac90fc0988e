import { once } from 'node:events';
import { connect } from 'node:net';
import mqtt from 'mqtt-packet';
import { describe, expect, it, onTestFinished, vi } from 'vitest';
import { MAX_WIRE_BYTES } from '../../../protocol/codec/limits.ts';
import { eventually } from '../../helpers/eventually.ts';
import { connectMqtt, MqttClient } from '../../helpers/mqtt.ts';
import { testBroker } from '../harness.ts';
import { bareBroker } from './brokers.ts';
import { BAD, TOO_LONG } from './packets.ts';

const USER = 'acme/SN000001';
const TOPIC = 'pos/v1/acme/SN000001';
const REPORT = `${TOPIC}/report`;
const will = { topic: `${TOPIC}/state`, payload: 'lost' };

const report = (client: MqttClient, text: string) => client.publishPacket(REPORT, text);
const textsOf = (records: Uint8Array[]) => records.map((bytes) => Buffer.from(bytes).toString('latin1').split('report').at(-1));

describe('a report', () => {
  it('is not seen by Aedes, nor are events, acks and pings', async () => {
    const { terminal, throughAedes, parts } = await bareBroker('front');
    const pings = vi.fn();
    parts.aedes.on('ping', pings);
    const client = await terminal(USER);

    for (const channel of ['report', 'event', 'ack']) await client.publish(`${TOPIC}/${channel}`, '{}');
    await client.ping();

    expect([throughAedes, pings.mock.calls]).toEqual([[], []]);
    expect(parts.publishing.counts()).toEqual({ birth: 0, report: 1, event: 1, state: 0, ack: 1 });
  });

  it('is acknowledged together with all that one batch of the log brings to its connection: in one write', async () => {
    const { terminal, log, broker } = await testBroker();
    const client = await terminal(USER);
    const chunks: Buffer[] = [];
    client.socket.on('data', (chunk) => chunks.push(chunk));
    log.hold();
    client.send(...Array.from({ length: 20 }, (_, i) => report(client, `r${i}`)));
    await eventually(() => expect(broker.stats().pendingAppends).toBe(20));

    log.release();
    await eventually(() => expect(client.acknowledged).toHaveLength(20));

    expect(chunks.map((chunk) => chunk.length)).toEqual([80]);
  });

  it('of 64 KiB is taken, however many pieces it comes in', async () => {
    const { terminal, payloads } = await testBroker();
    const client = await terminal(USER);
    const payload = 'x'.repeat(MAX_WIRE_BYTES);
    const bytes = mqtt.generate(report(client, payload));

    for (let at = 0; at < bytes.length; at += 8_000) {
      client.socket.write(bytes.subarray(at, at + 8_000));
      await new Promise(setImmediate);
    }
    await eventually(() => expect(client.acknowledged).toEqual([1]));

    expect(payloads()).toEqual([payload]);
  });

  it('is not what looks like one inside the payload of another message, wherever that is cut', async () => {
    const { terminal, payloads } = await testBroker();
    const client = await terminal(USER);
    client.socket.setNoDelay(true);
    const inner = mqtt.generate(report(client, 'not a report'));
    const state = mqtt.generate(client.publishPacket(`${TOPIC}/state`, Buffer.concat([inner, Buffer.from([0xc0, 0])]), { retain: true }));

    for (const cut of [state.length - inner.length - 2, state.length - 2]) {
      client.acknowledged.length = 0;
      client.socket.write(state.subarray(0, cut));
      await (await terminal(`acme/CUT${cut}`)).ping();
      client.socket.write(state.subarray(cut));
      await eventually(() => expect(client.acknowledged).toEqual([2]));
    }
    await client.ping();

    expect(payloads().map((payload) => payload.length)).toEqual([inner.length + 2, inner.length + 2]);
  });

  it("under the same serial at another acquirer is that terminal's own", async () => {
    const { terminal, arrivals } = await testBroker();
    const [one, two] = [await terminal(USER), await terminal('bank/SN000001')];

    await Promise.all([one.publish(REPORT, '{}'), two.publish('pos/v1/bank/SN000001/report', '{}')]);
    await expect(one.publish('pos/v1/bank/SN000001/report', 'forged')).rejects.toThrow('ended');

    expect(
      arrivals()
        .map(({ acquirer }) => acquirer)
        .toSorted(),
    ).toEqual(['acme', 'bank']);
  });

  it.each(Object.entries({ ...BAD, ...TOO_LONG }))('is not one with %s: the connection ends, and nothing is logged', async (_, packet) => {
    const { terminal, payloads } = await testBroker();
    const client = await terminal(USER);
    await client.ping();

    client.socket.write(packet.bytes('SN000001'));
    await client.closed;

    expect([payloads(), client.acknowledged]).toEqual([[], []]);
  });

  it('of a monitoring tool is refused, and its pings are answered', async () => {
    const { noc, payloads } = await testBroker();
    const tool = await noc('grafana');
    await tool.ping();

    await expect(tool.publish(REPORT, 'forged')).rejects.toThrow('ended');

    expect(payloads()).toEqual([]);
  });
});

describe('order', () => {
  it('nothing is answered before the CONNACK, and what came with the CONNECT is logged first, by the short way', async () => {
    const { terminal, arrivals, throughAedes } = await bareBroker('front');
    const first = [1, 2].map(
      (messageId) =>
        ({ cmd: 'publish', topic: REPORT, payload: `early ${messageId}`, qos: 1, retain: false, dup: false, messageId }) as const,
    );

    const client = await terminal(USER, { pipelined: [...first, { cmd: 'pingreq' }] });
    expect(client.acknowledged).toEqual([]);
    client.send(client.publishPacket(REPORT, 'next', { messageId: 3 }));
    await eventually(() => expect(client.acknowledged).toEqual([1, 2, 3]));

    expect([textsOf(arrivals(0)), throughAedes]).toEqual([['early 1', 'early 2', 'next'], []]);
  });

  it.each([
    ['wholly', 0],
    ['byte by byte', 1],
  ])('is kept for what comes, %s, while its CONNECT waits for its turn: it is let in and heard', async (_, size) => {
    const { port, token, terminal, clock, broker, arrivals } = await testBroker({ limits: { connects: 1 } });
    const other = await terminal('acme/SN000002');
    const socket = connect({ port, host: '127.0.0.1', noDelay: true });
    const client = new MqttClient(socket);
    const login = client.login({ port, username: USER, password: token(USER), clientId: 'SN000001' });
    await eventually(() => expect(broker.stats().limits.connects).toBe(1));

    const packets = [client.publishPacket(`${TOPIC}/birth`, 'birth'), ...['a', 'b'].map((text) => report(client, text))];
    const bytes = Buffer.concat(packets.map((packet) => mqtt.generate(packet)));
    for (let at = 0; at < bytes.length; at += size || bytes.length) {
      socket.write(bytes.subarray(at, at + (size || bytes.length)));
      await new Promise(setImmediate);
    }
    await other.ping();
    expect([client.acknowledged, arrivals()]).toEqual([[], []]);
    clock.pass(1_000);
    await login;

    await eventually(() => expect(client.acknowledged).toEqual([1, 2, 3]));
    expect(arrivals().map(({ payload }) => Buffer.from(payload).toString())).toEqual(['birth', 'a', 'b']);
    expect(broker.stats().refusals).toEqual({});
  });

  it('a report waits behind a birth that is still inside Aedes, and is taken before it again when that is acknowledged', async () => {
    const { terminal, log, throughAedes, parts } = await bareBroker('front');
    const client = await terminal(USER);
    log.hold();
    client.send(client.publishPacket(`${TOPIC}/birth`, '{}'));
    await eventually(() => expect(parts.intake.pending()).toBe(1));
    client.send(report(client, 'behind'));
    await eventually(() => expect(parts.intake.pending()).toBe(2));

    log.release();
    await eventually(() => expect(client.acknowledged).toEqual([1, 2]));
    await client.publish(REPORT, 'taken');

    expect(throughAedes).toEqual([`${TOPIC}/birth`, REPORT]);
  });

  it('PUBACKs come in the order of the PUBLISHes, also where one batch holds some of both ways', async () => {
    const { terminal, log, parts } = await bareBroker('front');
    const client = await terminal(USER);
    const others = await Promise.all(['acme/SN000002', 'acme/SN000003'].map((user) => terminal(user)));
    log.hold();
    for (const other of others)
      other.send(other.publishPacket(REPORT.replace('SN000001', other === others[0] ? 'SN000002' : 'SN000003'), 'x'));
    client.send(report(client, '1'), report(client, '2'), client.publishPacket(`${TOPIC}/birth`, '3'), report(client, '4'));
    await eventually(() => expect(parts.intake.pending()).toBe(6));

    log.release();
    await eventually(() => expect(client.acknowledged).toHaveLength(4));

    expect(client.acknowledged).toEqual([1, 2, 3, 4]);
  });

  it('nothing is taken any more once a session was revoked', async () => {
    const { terminal, order, clock, payloads } = await testBroker();
    const client = await terminal(USER, { will });
    await client.publish(REPORT, 'before');

    await order({ kind: 'revocation', at: clock.now(), user: USER });
    client.send(report(client, 'after'));
    await client.closed;

    expect(payloads()).toEqual(['before']);
  });
});

describe('the long way', () => {
  it.each([
    ['QoS 0', { qos: 0 }],
    ['QoS 2', { qos: 2 }],
    ['RETAIN', { retain: true }],
    ['DUP', { dup: true }],
  ] as const)('is taken by a report with %s, which is logged as any other', async (_, flags) => {
    const { terminal, arrivals, throughAedes } = await bareBroker('front');
    const client = await terminal(USER);

    await client.publish(REPORT, 'short', { messageId: 7 });
    await client.publish(REPORT, 'long', { messageId: 8, ...flags });

    await eventually(() => expect(arrivals(0)).toHaveLength(2));
    expect(throughAedes).toEqual([REPORT]);
    const [short, long] = arrivals(0) as [Buffer, Buffer];
    expect(long.toString('latin1')).toBe(short.toString('latin1').replace('short', 'long'));
  });

  it('logs a report that was sent again another time', async () => {
    const { terminal, payloads } = await testBroker();
    const client = await terminal(USER);

    await client.publish(REPORT, 'same', { messageId: 7 });
    await client.publish(REPORT, 'same', { messageId: 7, dup: true });

    expect(payloads()).toEqual(['same', 'same']);
  });
});

describe('those who listen', () => {
  it('are sent a report after it is durable, and not before', async () => {
    const { terminal, noc, log, broker } = await testBroker();
    const [tool, client] = [await noc('grafana'), await terminal(USER)];
    await client.publish(REPORT, 'nobody listens');
    await tool.subscribe('pos/v1/#');
    log.hold();
    client.send(report(client, 'listened to'));
    await eventually(() => expect(broker.stats().pendingAppends).toBe(1));
    await tool.ping();
    expect(tool.messages).toEqual([]);

    log.release();

    await eventually(() => expect(tool.messages).toEqual([{ topic: REPORT, payload: 'listened to', qos: 1, retain: false }]));
  });

  it('make only what they listen to go through Aedes, and only as long as they do', async () => {
    const { parts, port, terminal, throughAedes, token } = await bareBroker('front');
    const [tool, client] = [
      await connectMqtt({ port, clientId: 'tool', username: 'noc:grafana', password: token('noc:grafana') }),
      await terminal(USER),
    ];
    const reported = async () => {
      throughAedes.length = 0;
      await client.publish(REPORT, '{}');
      return throughAedes.length;
    };

    await tool.subscribe(['pos/v1/+/+/state', 'pos/v1/bank/#', '$SYS/#']);
    expect(await reported()).toBe(0);
    await tool.subscribe('pos/v1/acme/+/report');
    expect(await reported()).toBe(1);
    const left = once(parts.aedes, 'unsubscribe');
    tool.send({ cmd: 'unsubscribe', messageId: 9, unsubscriptions: ['pos/v1/acme/+/report'] });
    await left;
    expect(await reported()).toBe(0);
    await tool.subscribe('pos/v1/#');
    expect(await reported()).toBe(1);
    await tool.breakOff();
    await eventually(() => expect(parts.sessions.count()).toBe(1));
    expect(await reported()).toBe(0);
  });

  it('and come back to a kept session find what was sent to them meanwhile', async () => {
    const { terminal, parts } = await bareBroker('front');
    const kept = await terminal(USER, { clean: false });
    await kept.subscribe(`${TOPIC}/cmd`);
    await kept.publish(REPORT, '{}');
    await kept.breakOff();
    await new Promise<void>((resolve) =>
      parts.aedes.publish({ cmd: 'publish', topic: `${TOPIC}/cmd`, payload: 'meanwhile', qos: 1, retain: false, dup: false }, () =>
        resolve(),
      ),
    );

    const back = await terminal(USER, { clean: false });

    await eventually(() => expect(back.messages.map(({ payload }) => payload)).toEqual(['meanwhile']));
    await back.publish(REPORT, '{}');
  });
});

describe('a Will', () => {
  it('stands behind all reports that were pending when the connection broke off', async () => {
    const { terminal, log, broker, payloads } = await testBroker();
    const client = await terminal(USER, { will });
    log.hold();
    client.send(...['a', 'b', 'c'].map((text) => report(client, text)));
    await eventually(() => expect(broker.stats().pendingAppends).toBe(3));

    await client.breakOff();
    await eventually(() => expect(broker.stats().pendingAppends).toBe(4));
    log.release();

    await eventually(() => expect(payloads()).toEqual(['a', 'b', 'c', 'lost']));
  });

  it('of a connection that is taken over stands between its reports and those of the new one', async () => {
    const { terminal, log, broker, payloads } = await testBroker();
    const old = await terminal(USER, { will });
    await old.subscribe(`${TOPIC}/cmd`);
    log.hold();
    old.send(report(old, 'old'));
    await eventually(() => expect(broker.stats().pendingAppends).toBe(1));

    const next = await terminal(USER, { pipelined: [{ cmd: 'pingreq' }] });
    next.send(report(next, 'new'));
    await eventually(() => expect(broker.stats().pendingAppends).toBe(3));
    log.release();
    await eventually(() => expect(next.acknowledged).toEqual([1]));

    expect(payloads()).toEqual(['old', 'lost', 'new']);
    expect(old.acknowledged).toEqual([]);
  });

  it('is not logged after a good-bye, whatever was taken before it', async () => {
    const { terminal, payloads } = await testBroker();
    const client = await terminal(USER, { will });

    client.send(report(client, 'last'), { cmd: 'disconnect' });
    await client.closed;
    await (await terminal('acme/SN000002')).publish('pos/v1/acme/SN000002/report', 'other');

    expect(payloads()).toEqual(['last', 'other']);
  });
});

describe('a log that fails', () => {
  it('acknowledges nothing, drops nothing, and leaves no Will: the terminal sends all of it again', async () => {
    const { terminal, log, broker, payloads, clock } = await testBroker();
    const client = await terminal(USER, { will });
    log.hold();
    client.send(...['a', 'b', 'c'].map((text) => report(client, text)));
    await eventually(() => expect(broker.stats().pendingAppends).toBe(3));

    log.fail('full');
    await client.closed;
    expect([client.acknowledged, payloads(), broker.stats().failedAppends]).toEqual([[], [], 3]);
    log.heal();
    log.release();
    clock.pass(1_000);

    const back = await eventually(async () => {
      const retry = await terminal(USER);
      expect(retry.returnCode).toBe(0);
      return retry;
    });
    for (const text of ['a', 'b', 'c']) await back.publish(REPORT, text, { dup: true });
    expect(payloads()).toEqual(['a', 'b', 'c']);
  });
});

describe('a connection that says nothing', () => {
  it('and does not log in is ended after ten seconds', async () => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
    onTestFinished(() => void vi.useRealTimers());
    const { port, parts } = await bareBroker('front');
    const socket = connect(port, '127.0.0.1').on('error', () => {});
    const opened = once(parts.aedes, 'connectionError');
    await once(socket, 'connect');
    await vi.waitFor(() => expect(vi.getTimerCount()).toBeGreaterThan(0));

    vi.advanceTimersByTime(9_999);
    expect(socket.destroyed).toBe(false);
    vi.advanceTimersByTime(1);

    const [, error] = await opened;
    expect(error.message).toBe('connect did not arrive in time');
    socket.resume();
    await once(socket, 'close');
  });
});
