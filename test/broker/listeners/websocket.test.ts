import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { BlockList, connect, type Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { connect as connectTls } from 'node:tls';
import { connectAsync, type IClientOptions } from 'mqtt';
import { describe, expect, it, onTestFinished } from 'vitest';
import { createWebSocketStream, WebSocket } from 'ws';
import { MAX_FRAME_BYTES } from '../../../broker/front/frames.ts';
import { newAuthority } from '../../helpers/authority.ts';
import { eventually } from '../../helpers/eventually.ts';
import { MqttClient } from '../../helpers/mqtt.ts';
import { type TestBroker, testBroker } from '../harness.ts';
import { connectPacket, reportPacket, v2Header } from './bytes.ts';

const USER = 'acme/SN000001';
const REPORT = 'pos/v1/acme/SN000001/report';
const WS = [{ scheme: 'ws' as const, host: '127.0.0.1', port: 0 }];

const login = ({ token }: TestBroker): IClientOptions => ({
  username: USER,
  password: token(USER),
  clientId: 'SN000001',
  protocolVersion: 4,
  reconnectPeriod: 0,
});

async function openSocket(port: number): Promise<WebSocket> {
  const socket = new WebSocket(`ws://127.0.0.1:${port}/mqtt`, 'mqtt');
  await once(socket, 'open');
  return socket;
}

describe('a WebSocket listener', () => {
  it('serves MQTT.js: it publishes, many at once, and is told a command', async () => {
    const broker = await testBroker({ listeners: WS });
    const { port, payloads, order, clock } = broker;
    const client = await connectAsync(`ws://127.0.0.1:${port}/mqtt`, login(broker));
    const received: string[] = [];
    client.on('message', (_topic, payload) => received.push(payload.toString()));
    await client.subscribeAsync('pos/v1/acme/SN000001/cmd', { qos: 1 });

    const sent = Array.from({ length: 500 }, (_, i) => `${i} ${'x'.repeat(i)}`);
    await Promise.all(sent.map((text) => client.publishAsync(REPORT, text, { qos: 1 })));
    await order({ kind: 'command', at: clock.now(), acquirer: 'acme', sn: 'SN000001', command: { v: 1, id: 'c1', type: 'rebirth' } });

    await eventually(() => expect(received).toHaveLength(1));
    await client.endAsync();
    expect(payloads()).toEqual(sent);
    await eventually(() => expect(broker.broker.stats().connections).toBe(0));
  });

  it('reads on where packets are cut across messages, and where several share one', async () => {
    const broker = await testBroker({ listeners: WS });
    const socket = await openSocket(broker.port);
    const report = (id: number) => reportPacket(REPORT, id, String(id));
    const bytes = Buffer.concat([connectPacket(USER, broker.token(USER)), report(1), report(2), report(3)]);

    for (let at = 0; at < bytes.length; at += 11) socket.send(bytes.subarray(at, at + 11));
    await eventually(() => expect(broker.payloads()).toHaveLength(3));
    socket.send(Buffer.concat([report(4), report(5)]));

    await eventually(() => expect(broker.payloads()).toEqual(['1', '2', '3', '4', '5']));
    socket.terminate();
    await eventually(() => expect(broker.broker.stats().connections).toBe(0));
  });

  it('holds PUBACKs back while the log is slow, reads no further meanwhile, and goes on after', async () => {
    const broker = await testBroker({ listeners: WS });
    const client = await connectAsync(`ws://127.0.0.1:${broker.port}/mqtt`, login(broker));
    broker.log.hold();
    const sent = Array.from({ length: 40 }, (_, i) => `${i}`.padEnd(30_000, '.'));
    const publishing = Promise.all(sent.map((text) => client.publishAsync(REPORT, text, { qos: 1 })));
    await eventually(() => expect(broker.broker.stats().pendingAppends).toBeGreaterThan(5));
    const waiting = broker.broker.stats().pendingAppends;

    broker.log.release();
    await publishing;

    expect(waiting).toBeLessThan(sent.length);
    expect(broker.payloads()).toEqual(sent);
    await client.endAsync();
  });

  it('refuses as without it: a wrong token by its CONNACK, an oversized packet by the end', async () => {
    const broker = await testBroker({ listeners: WS });
    const url = `ws://127.0.0.1:${broker.port}/mqtt`;
    await expect(connectAsync(url, { ...login(broker), password: 'wrong' })).rejects.toMatchObject({ code: 4 });
    const socket = await openSocket(broker.port);

    socket.send(Buffer.concat([connectPacket(USER, broker.token(USER)), Buffer.from([0x30, 0xff, 0xff, 0xff, 0x7f])]));
    await once(socket, 'close');

    await eventually(() => expect(broker.broker.stats().refusals).toEqual({ malformed: 1, oversized: 1 }));
    expect(broker.records()).toContainEqual(expect.objectContaining({ kind: 'refusal', detail: 'client id SN000001 from 127.0.0.1' }));
  });

  it.each([
    ['text', (socket: WebSocket) => socket.send('\x10\x00')],
    ['a message that is too long', (socket: WebSocket) => socket.send(Buffer.alloc(4 * MAX_FRAME_BYTES))],
  ])('ends on %s, and counts it', async (_, send) => {
    const { port, broker } = await testBroker({ listeners: WS });
    const socket = await openSocket(port);

    send(socket);
    await once(socket, 'close');

    expect(broker.stats().refusals).toEqual({ bad_packet: 1 });
  });

  it.each([
    ['another path', '/', 'mqtt'],
    ['another subprotocol', '/mqtt', 'chat'],
    ['no subprotocol', '/mqtt', undefined],
  ])('answers 400 to %s', async (_, path, protocol) => {
    const { port } = await testBroker({ listeners: WS });
    const socket = new WebSocket(`ws://127.0.0.1:${port}${path}`, protocol);

    const [error] = (await once(socket, 'error')) as [Error];

    expect(error.message).toContain('400');
  });

  it('says what it is to a browser that asks for a page', async () => {
    const { port } = await testBroker({ listeners: WS });

    const answer = await fetch(`http://127.0.0.1:${port}/`);

    expect([answer.status, await answer.text()]).toEqual([426, 'this is MQTT over WebSocket, at /mqtt\n']);
  });

  it('ends with the broker, also a client that does not answer', async () => {
    const broker = await testBroker({ listeners: WS });
    const client = await connectAsync(`ws://127.0.0.1:${broker.port}/mqtt`, login(broker));
    const deaf = await openSocket(broker.port);
    deaf.pause();
    const closed = new Promise<void>((resolve) => client.once('close', () => resolve()));

    await broker.broker.stop();

    await closed;
    deaf.terminate();
  });
});

it('WebSocket over TLS logs in by certificate, also behind a balancer', async () => {
  const authority = await newAuthority();
  const proxies = new BlockList();
  proxies.addAddress('127.0.0.1');
  const broker = await testBroker({
    proxies,
    listeners: [{ scheme: 'wss', host: '127.0.0.1', port: 0 }],
    tls: { ...(await authority.server()), clientCaFile: authority.certFile },
  });
  const own = await authority.client('/O=acme/CN=SN000001');
  const [ca, cert, key] = await Promise.all([authority.certFile, own.certFile, own.keyFile].map((path) => readFile(path)));
  const open = async () => {
    const plain = connect(broker.port, '127.0.0.1');
    plain.write(v2Header('192.0.2.7'));
    const createConnection = () => connectTls({ socket: plain, ca: ca!, cert: cert!, key: key!, servername: 'localhost' });
    const socket = new WebSocket('wss://localhost/mqtt', 'mqtt', { createConnection });
    onTestFinished(() => socket.terminate());
    await once(socket, 'open');
    return new MqttClient(createWebSocketStream(socket) as Duplex as Socket);
  };
  const [client, other] = [await open(), await open()];

  await client.login({ port: 0, clientId: 'SN000001' });
  await client.publish(REPORT, 'all at once');
  await other.login({ port: 0, clientId: 'SN000002' });

  expect(broker.payloads()).toEqual(['all at once']);
  expect(other.returnCode).toBe(2);
  expect(broker.records()).toContainEqual(
    expect.objectContaining({ kind: 'refusal', user: USER, detail: 'client id SN000002 from 192.0.2.7' }),
  );
});
