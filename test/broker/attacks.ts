/** What a hostile client may do to a broker, each until the broker has ended it, or the attacker gives up. */
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { deflateSync } from 'node:zlib';
import mqtt from 'mqtt-packet';
import { connectMqtt, type MqttClient, type MqttLogin } from '../helpers/mqtt.ts';

export interface Target {
  port: number;
  token(user: string): string;
}

export type Attack = (target: Target) => Promise<void>;

const KIB = 1024;
const PINGREQ = Buffer.of(0xc0, 0);
const field = (bytes: Buffer) => Buffer.concat([Buffer.of(bytes.length >> 8, bytes.length & 0xff), bytes]);
const topicOf = (user: string, channel: string) => `pos/v1/${user}/${channel}`;
const userOf = (i: number) => `acme/EVIL${String(i).padStart(4, '0')}`;
const times = <T>(count: number, make: (i: number) => T) => Array.from({ length: count }, (_, i) => make(i));

/** A frame of any kind, with its length as MQTT writes it. */
function frame(head: number, ...parts: Buffer[]): Buffer {
  const body = Buffer.concat(parts);
  const length: number[] = [];
  for (let left = body.length; length.length === 0 || left > 0; left >>= 7) length.push((left & 0x7f) | (left > 0x7f ? 0x80 : 0));
  return Buffer.concat([Buffer.of(head, ...length), body]);
}

type Changes = Partial<Record<'clientId' | 'user' | 'password' | 'will', Buffer>>;

function connectFrame({ token }: Target, user: string, changes: Changes = {}): Buffer {
  const will = changes.will ? [field(changes.will), field(Buffer.from('lost'))] : [];
  const flags = 0xc2 | (changes.will ? 0x0c : 0);
  return frame(
    0x10,
    field(Buffer.from('MQTT')),
    Buffer.of(4, flags, 0, 60),
    field(changes.clientId ?? Buffer.from(user.split('/')[1]!)),
    ...will,
    field(changes.user ?? Buffer.from(user)),
    field(changes.password ?? Buffer.from(token(user))),
  );
}

async function raw({ port }: Target): Promise<Socket & { ended: Promise<void> }> {
  const socket = connect({ port, host: '127.0.0.1' }).on('error', () => {});
  const ended = new Promise<void>((resolve) => socket.once('close', () => resolve()));
  await once(socket, 'connect');
  return Object.assign(socket.resume(), { ended });
}

function orderlyLogin({ port, token }: Target, i: number, more: Partial<MqttLogin> = {}): Promise<MqttClient> {
  const user = userOf(i);
  return connectMqtt({ port, username: user, password: token(user), clientId: user.split('/')[1]!, ...more });
}

/** Logs in, and from then on answers nothing by itself. */
async function login(target: Target, i: number, more: Partial<MqttLogin> = {}): Promise<MqttClient> {
  const client = await orderlyLogin(target, i, more);
  client.socket.removeAllListeners('data').resume();
  return client;
}

const parsers = new WeakMap<MqttClient, mqtt.Parser>();

/** One for all that a client hears after its log-in: another would begin within a packet. */
function parserOf(client: MqttClient): mqtt.Parser {
  const known = parsers.get(client);
  if (known) return known;
  const parser = mqtt.parser();
  client.socket.on('data', (chunk) => parser.parse(chunk));
  parsers.set(client, parser);
  return parser;
}

/** Sends all and a ping, and resolves once that is answered, or the connection has ended. */
async function flood(client: MqttClient, bytes: Buffer): Promise<void> {
  const parser = parserOf(client);
  const answered = new Promise<void>((resolve) => parser.on('packet', ({ cmd }) => cmd === 'pingresp' && resolve()));
  client.socket.write(Buffer.concat([bytes, PINGREQ]));
  await Promise.race([answered, client.closed]);
}

/** Opens `count` connections at once, sends each what it is to send, and waits until the broker has ended all. */
async function sendAndBeEnded(target: Target, count: number, bytes: (i: number) => Buffer): Promise<void> {
  const sockets = await Promise.all(times(count, () => raw(target)));
  for (const [i, socket] of sockets.entries()) socket.write(bytes(i));
  await Promise.all(sockets.map(({ ended }) => ended));
}

const publish = (user: string, channel: string, payload: Buffer, messageId: number, more: object = {}) =>
  mqtt.generate({ cmd: 'publish', topic: topicOf(user, channel), payload, qos: 1, retain: false, dup: false, messageId, ...more });

const BROKEN_TEXTS = ['\xc3\x28', '\xed\xa0\x80', '\xff\xfe', 'a\0b', '\xf8\x88\x80\x80\x80'].map((text) => Buffer.from(text, 'latin1'));

const bombs = [
  deflateSync(Buffer.alloc(40_000_000)),
  Buffer.from('['.repeat(60_000)),
  deflateSync(Buffer.from(`{"v":1,"session":"s","seq":1,"samples":${'['.repeat(400_000)}${']'.repeat(400_000)}}`)),
  deflateSync(Buffer.from(JSON.stringify({ v: 1, session: 's', seq: 1, at: times(4_097, () => 1), cols: {} }))),
  deflateSync(Buffer.from(JSON.stringify({ v: 1, session: 's', seq: 1, at: [1], cols: { 'signal.rsrp': times(200_000, () => -1) } }))),
];

export const ATTACKS: Record<string, Attack> = {
  'a CONNECT that comes byte by byte, from 300': async (target) => {
    const sockets = await Promise.all(times(300, () => raw(target)));
    const bytes = connectFrame(target, userOf(0));
    const dripping = setInterval(() => {
      for (const socket of sockets) if (!socket.destroyed) socket.write(bytes.subarray(socket.bytesWritten, socket.bytesWritten + 1));
    }, 500);
    await Promise.all(sockets.map(({ ended }) => ended)).finally(() => clearInterval(dripping));
  },
  'half a PUBLISH, then silence, from 200 that never close': async (target) => {
    const clients = await Promise.all(times(200, (i) => login(target, i, { keepaliveSeconds: 5 })));
    for (const [i, { socket }] of clients.entries())
      socket.write(publish(userOf(i), 'report', Buffer.alloc(60 * KIB), 1).subarray(0, 50 * KIB));
    await Promise.all(clients.map(({ closed }) => closed));
  },
  'a length of 256 MB and a megabyte of it, from 200': (target) =>
    sendAndBeEnded(target, 200, () => Buffer.concat([Buffer.of(0x10, 0xff, 0xff, 0xff, 0x7f), Buffer.alloc(KIB * KIB)])),
  'payloads that are bombs once they are read': async (target) => {
    const client = await login(target, 0);
    await flood(client, Buffer.concat(times(100, (i) => publish(userOf(0), 'report', bombs[i % bombs.length]!, i + 1))));
    await client.breakOff();
  },
  'topics of 64 KB, and topics that are no text': async (target) => {
    for (const topic of [Buffer.alloc(65_535, '/'), Buffer.alloc(65_535, 'x'), ...BROKEN_TEXTS]) {
      const clients = await Promise.all(times(20, (i) => login(target, i)));
      for (const { socket } of clients) socket.write(frame(0x32, field(topic), Buffer.of(0, 1)));
      await Promise.all(clients.map(({ closed }) => closed));
    }
  },
  'names and Wills that are no text': async (target) => {
    for (const bytes of [Buffer.alloc(65_000, 'x'), ...BROKEN_TEXTS])
      for (const name of ['clientId', 'user', 'will'])
        await sendAndBeEnded(target, 20, (i) => connectFrame(target, userOf(i), { [name]: bytes }));
  },
  'QoS 2 without a PUBREL, in session after session of one name': async (target) => {
    for (const round of times(30, (i) => i)) {
      const client = await login(target, 0, { clean: false });
      const messages = times(90, (i) => publish(userOf(0), 'report', Buffer.alloc(30 * KIB), round * 90 + i + 1, { qos: 2 }));
      await flood(client, Buffer.concat(messages));
      await client.breakOff();
    }
  },
  'PUBRELs and PUBACKs of what was never sent, and one QoS 2 message again and again': async (target) => {
    const client = await login(target, 0, { clean: false });
    const acks = times(20_000, (i) => Buffer.of([0x40, 0x62, 0x70][i % 3]!, 2, (i >> 8) & 0xff, i & 0xff));
    await flood(client, Buffer.concat(acks));
    await flood(client, Buffer.concat(times(500, () => publish(userOf(0), 'report', Buffer.alloc(10 * KIB), 7, { qos: 2, dup: true }))));
    await client.breakOff();
  },
  'thousands of filters in a SUBSCRIBE, and thousands of SUBSCRIBEs': async (target) => {
    const client = await login(target, 0, { clean: false });
    const filters = times(6_000, (i) => Buffer.concat([field(Buffer.from(`a/${i}`)), Buffer.of(1)]));
    await flood(client, Buffer.concat(times(10, () => frame(0x82, Buffer.of(0, 1), ...filters))));
    const own = Buffer.concat([field(Buffer.from(topicOf(userOf(0), 'cmd'))), Buffer.of(1)]);
    await flood(client, Buffer.concat(times(3_000, (i) => frame(0x82, Buffer.of(1, i & 0xff), i % 2 === 0 ? own : filters[i]!))));
    await client.breakOff();
  },
  'thousands of UNSUBSCRIBEs': async (target) => {
    const client = await login(target, 0, { clean: false });
    const filters = times(6_000, (i) => field(Buffer.from(`a/${i}`)));
    await flood(client, Buffer.concat(times(5_000, (i) => frame(0xa2, Buffer.of(1, i & 0xff), filters[i]!))));
    await flood(client, frame(0xa2, Buffer.of(1, 1), ...filters));
    await client.breakOff();
  },
  'two hundred thousand pings': async (target) => {
    const client = await login(target, 0);
    let left = 400_000;
    client.socket.write(Buffer.alloc(left, PINGREQ));
    for await (const chunk of client.socket) {
      left -= chunk.length;
      if (left <= 0) break;
    }
  },
  'a second CONNECT': async (target) => {
    const clients = await Promise.all(times(200, (i) => login(target, i)));
    for (const [i, { socket }] of clients.entries()) socket.write(connectFrame(target, userOf(i)));
    await Promise.all(clients.map(({ closed }) => closed));
  },
  'a retained message of 60 KB each, from 400': async (target) => {
    for (const i of times(400, (n) => n)) {
      const client = await orderlyLogin(target, i);
      await client.publish(topicOf(userOf(i), 'state'), Buffer.alloc(60 * KIB, 'x'), { retain: true });
      await client.breakOff();
    }
  },
  'Wills of 60 KB, and Wills by the hundred of those who break off': async (target) => {
    for (const size of [60 * KIB, 4 * KIB])
      for (const i of times(200, (n) => n)) {
        const will = { topic: topicOf(userOf(i), 'state'), payload: Buffer.alloc(size, 'x'), retain: true };
        const client = await login(target, i, { will });
        await client.breakOff();
      }
  },
  'MQTT 5, with aliases for topics': async (target) => {
    const connectPacket = {
      cmd: 'connect',
      protocolId: 'MQTT',
      protocolVersion: 5,
      clientId: 'EVIL0000',
      clean: true,
      keepalive: 60,
    } as const;
    const properties = { topicAliasMaximum: 65_535, sessionExpiryInterval: 4_294_967_295, receiveMaximum: 1 };
    const aliased = { cmd: 'publish', topic: '', payload: 'x', qos: 0, retain: false, dup: false, properties: { topicAlias: 9 } } as const;
    const version = { protocolVersion: 5 } as const;
    const five = Buffer.concat([mqtt.generate({ ...connectPacket, properties }, version), mqtt.generate(aliased, version)]);
    await sendAndBeEnded(target, 200, () => five);
  },
  'megabytes behind a CONNECT that will be refused, from 200': (target) =>
    sendAndBeEnded(target, 200, () =>
      Buffer.concat([connectFrame(target, userOf(0), { password: Buffer.from('a guess') }), Buffer.alloc(KIB * KIB, PINGREQ)]),
    ),
};
