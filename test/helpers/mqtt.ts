/**
 * A plain MQTT 3.1.1 client for tests: one packet in, one packet out, nothing retried and nothing hidden, so that a test says itself
 * when a PUBACK has come, and can break off as a terminal does that loses power.
 */
import { once } from 'node:events';
import { connect as connectSocket, type Socket } from 'node:net';
import { type ConnectionOptions, connect as connectTls } from 'node:tls';
import mqtt, { type IConnectPacket, type IPublishPacket, type Packet } from 'mqtt-packet';

export interface MqttLogin {
  port: number;
  host?: string;
  /** The address to come from. */
  localAddress?: string;
  clientId: string;
  username?: string;
  password?: string;
  clean?: boolean;
  keepaliveSeconds?: number;
  /** 4 is MQTT 3.1.1. */
  protocolVersion?: 4 | 5;
  will?: { topic: string; payload: string | Buffer; qos?: 0 | 1 | 2; retain?: boolean };
  /** Packets written together with the CONNECT, before any answer. */
  pipelined?: Packet[];
  /** Connects by TLS, and trusts this certificate alone. */
  ca?: string;
  /** What more there is to TLS, such as a certificate of its own. */
  tls?: ConnectionOptions;
  /** Written before all else, as a balancer does. */
  head?: Uint8Array;
}

const MAX_MESSAGE_ID = 65_535;

interface PublishFlags {
  qos?: 0 | 1 | 2;
  retain?: boolean;
  dup?: boolean;
  messageId?: number;
}

/** Connects and waits for the CONNACK, whatever it says. Errors: rejects where the connection ends without one. */
export async function connectMqtt(login: MqttLogin): Promise<MqttClient> {
  const at = {
    port: login.port,
    host: login.host ?? '127.0.0.1',
    ...(login.localAddress === undefined ? {} : { localAddress: login.localAddress }),
  };
  const plain = connectSocket(at);
  if (login.head) plain.write(login.head);
  const socket = login.ca === undefined ? plain : connectTls({ socket: plain, ca: login.ca, servername: 'localhost', ...login.tls });
  const client = new MqttClient(socket);
  await once(socket, login.ca === undefined ? 'connect' : 'secureConnect');
  await client.login(login);
  return client;
}

export class MqttClient {
  readonly socket: Socket;
  /** Of the CONNACK: 0 where the log-in was accepted, -1 before it has come. */
  returnCode = -1;
  sessionPresent = false;
  /** What subscriptions brought, oldest first. QoS 1 messages are acknowledged at once. */
  readonly messages: { topic: string; payload: string; qos: number; retain: boolean }[] = [];
  /** Message ids of the PUBACKs, in the order they came. */
  readonly acknowledged: number[] = [];
  /** Resolves when the connection has ended, either way. */
  readonly closed: Promise<void>;
  #nextId = 1;
  #waiting = new Map<string, { resolve(packet: Packet): void; reject(error: Error): void }>();

  constructor(socket: Socket) {
    this.socket = socket;
    const parser = mqtt.parser();
    parser.on('packet', (packet) => this.#receive(packet));
    socket.on('data', (chunk) => parser.parse(chunk));
    socket.on('error', () => {});
    this.closed = new Promise((resolve) => {
      socket.once('close', () => {
        for (const { reject } of this.#waiting.values()) reject(new Error('the connection ended'));
        this.#waiting.clear();
        resolve();
      });
    });
  }

  async login({
    clientId,
    username,
    password,
    clean = true,
    keepaliveSeconds = 60,
    protocolVersion = 4,
    will,
    pipelined = [],
  }: MqttLogin): Promise<void> {
    const connect: IConnectPacket = {
      cmd: 'connect',
      protocolId: 'MQTT',
      protocolVersion,
      clientId,
      clean,
      keepalive: keepaliveSeconds,
      ...(username === undefined ? {} : { username }),
      ...(password === undefined ? {} : { password: Buffer.from(password) }),
      ...(will === undefined ? {} : { will: { qos: 1, retain: false, ...will, payload: Buffer.from(will.payload) } }),
    };
    const connack = this.#answer('connack');
    this.socket.write(Buffer.concat([connect, ...pipelined].map((packet) => mqtt.generate(packet))));
    const packet = await connack;
    if (packet.cmd !== 'connack') throw new Error(`expected a CONNACK, got ${packet.cmd}`);
    this.returnCode = packet.returnCode ?? -1;
    this.sessionPresent = packet.sessionPresent;
  }

  /** Publishes, and resolves on the PUBACK (QoS 1), the PUBCOMP (QoS 2) or at once (QoS 0). Errors: rejects where the connection ends first. */
  async publish(topic: string, payload: string | Uint8Array, flags: PublishFlags = {}): Promise<void> {
    const packet = this.publishPacket(topic, payload, flags);
    if (packet.qos === 0) return this.send(packet);
    const done = this.#answer(`${packet.qos === 1 ? 'puback' : 'pubcomp'} ${packet.messageId}`);
    this.send(packet);
    await done;
  }

  publishPacket(
    topic: string,
    payload: string | Uint8Array,
    { qos = 1, retain = false, dup = false, messageId }: PublishFlags = {},
  ): IPublishPacket {
    const id = qos === 0 ? undefined : (messageId ?? this.#newId());
    return {
      cmd: 'publish',
      topic,
      payload: Buffer.from(payload as Uint8Array),
      qos,
      retain,
      dup,
      ...(id === undefined ? {} : { messageId: id }),
    };
  }

  /** Subscribes, and resolves with what the SUBACK grants: a QoS, or 128 for a refusal, per filter. */
  async subscribe(filters: string | string[], qos: 0 | 1 | 2 = 1): Promise<number[]> {
    const messageId = this.#newId();
    const done = this.#answer(`suback ${messageId}`);
    this.send({ cmd: 'subscribe', messageId, subscriptions: [filters].flat().map((topic) => ({ topic, qos })) });
    const packet = await done;
    return packet.cmd === 'suback' ? (packet.granted as number[]) : [];
  }

  async ping(): Promise<void> {
    const done = this.#answer('pingresp');
    this.send({ cmd: 'pingreq' });
    await done;
  }

  /** Writes packets in one piece, and waits for nothing. */
  send(...packets: Packet[]): void {
    this.socket.write(Buffer.concat(packets.map((packet) => mqtt.generate(packet))));
  }

  /** Says good-bye: the broker then forgets the Will. */
  async disconnect(): Promise<void> {
    this.send({ cmd: 'disconnect' });
    this.socket.end();
    await this.closed;
  }

  /** Ends without a word, as after a power failure: the broker then publishes the Will. */
  async breakOff(): Promise<void> {
    this.socket.destroy();
    await this.closed;
  }

  #newId(): number {
    const id = this.#nextId;
    this.#nextId = (id % MAX_MESSAGE_ID) + 1;
    return id;
  }

  #answer(key: string): Promise<Packet> {
    if (this.socket.destroyed) return Promise.reject(new Error('the connection ended'));
    return new Promise((resolve, reject) => this.#waiting.set(key, { resolve, reject }));
  }

  #receive(packet: Packet): void {
    if (packet.cmd === 'puback') this.acknowledged.push(packet.messageId!);
    if (packet.cmd === 'pubrec') this.send({ cmd: 'pubrel', messageId: packet.messageId! });
    if (packet.cmd === 'publish') this.#deliver(packet);
    const key = packet.messageId == null ? packet.cmd : `${packet.cmd} ${packet.messageId}`;
    this.#waiting.get(key)?.resolve(packet);
    this.#waiting.delete(key);
  }

  #deliver({ topic, payload, qos, retain, messageId }: IPublishPacket): void {
    this.messages.push({ topic, payload: payload.toString(), qos, retain });
    if (qos === 1) this.send({ cmd: 'puback', messageId: messageId! });
  }
}
