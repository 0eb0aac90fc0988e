import net from 'node:net';
import tls from 'node:tls';
import mqtt, { type IPublishPacket, type Packet } from 'mqtt-packet';
import { briefly } from '../errors.ts';
import type { Timers } from '../timers.ts';
import type { BrokerAddress } from './address.ts';

/** From the first packet to the CONNACK. */
const CONNECT_LIMIT_MS = 30_000;
/** Publishes wait and not one PUBACK comes. A broker that cannot write holds its PUBACKs back, so this is patient. */
const ACK_LIMIT_MS = 120_000;
/** A server may wait 1.5 times the keepalive before it gives a client up (MQTT 3.1.1, 3.1.2.10); so do we. */
const SILENCE_FACTOR = 1.5;
/** Of what comes down, at most this much is kept in memory for one packet. */
const MAX_INBOUND_BYTES = 256 * 1024;
const MAX_MESSAGE_ID = 65_535;

export interface ConnectionOptions {
  address: BrokerAddress;
  clientId: string;
  username: string;
  password: string;
  will: { topic: string; payload: string };
  keepaliveSeconds: number;
  timers: Timers;
  /** A message came down. It is acknowledged once the answer has resolved. */
  onMessage: (topic: string, payload: Uint8Array) => Promise<void>;
}

/** Why a connection ended or never came to be. `returnCode` is the CONNACK's, where the broker refused it (3.2.2.3). */
export interface Ending {
  reason: string;
  returnCode?: number;
}

/** One MQTT 3.1.1 connection with a clean session, and with the watch over its life. It reports its end, and never rejects. */
export class Connection {
  /** Resolves with null once the broker has accepted, or with why it did not. */
  readonly opened: Promise<Ending | null>;
  readonly closed: Promise<Ending>;
  #options: ConnectionOptions;
  #socket: net.Socket;
  #parser = mqtt.parser({ protocolVersion: 4 });
  #open!: (ending: Ending | null) => void;
  #close!: (ending: Ending) => void;
  #ending: Ending | null = null;
  #unacked = new Map<number, (acked: boolean) => void>();
  #suback: ((granted: boolean) => void) | null = null;
  #lastMessageId = 0;
  #cancels = new Map<string, () => void>();

  constructor(options: ConnectionOptions) {
    this.#options = options;
    this.opened = new Promise((resolve) => {
      this.#open = resolve;
    });
    this.closed = new Promise((resolve) => {
      this.#close = resolve;
    });
    this.#socket = this.#dial();
    this.#parser.on('packet', (packet) => this.#receive(packet));
    this.#parser.on('error', () => this.end('the broker sent what is not MQTT'));
    this.#watch('connect', CONNECT_LIMIT_MS, () => this.end('no answer to the log-in in time'));
  }

  /** Resolves with true once the broker has acknowledged, with false when the connection ended before. */
  publish(topic: string, { buffer, byteOffset, length }: Uint8Array, { retain = false } = {}): Promise<boolean> {
    if (this.#ending) return Promise.resolve(false);
    const messageId = this.#nextMessageId();
    const payload = Buffer.from(buffer, byteOffset, length);
    return new Promise((resolve) => {
      if (this.#unacked.size === 0) this.#watchAcks();
      this.#unacked.set(messageId, resolve);
      this.#send({ cmd: 'publish', messageId, qos: 1, dup: false, retain, topic, payload });
    });
  }

  /** Publishes that the broker has not acknowledged. */
  get unacked(): number {
    return this.#unacked.size;
  }

  /** One at a time. Resolves with whether the broker granted it. */
  subscribe(topic: string): Promise<boolean> {
    if (this.#ending) return Promise.resolve(false);
    return new Promise((resolve) => {
      this.#suback = resolve;
      this.#send({ cmd: 'subscribe', messageId: this.#nextMessageId(), subscriptions: [{ topic, qos: 1 }] });
    });
  }

  /** Leaves cleanly: the broker throws the Will away. */
  disconnect(): void {
    this.#send({ cmd: 'disconnect' });
    this.#socket.end();
    this.#socket.unref();
    this.#finish({ reason: 'disconnected' });
  }

  /** Drops the connection: the broker publishes the Will. */
  end(reason: string, returnCode?: number): void {
    this.#finish({ reason, ...(returnCode === undefined ? {} : { returnCode }) });
    this.#socket.destroy();
  }

  #dial(): net.Socket {
    const { address } = this.#options;
    const { host, port } = address;
    const servername = net.isIP(host) ? {} : { servername: host };
    const socket = address.tls ? tls.connect({ host, port, ...servername }) : net.connect({ host, port });
    socket.setNoDelay(true);
    socket.once(address.tls ? 'secureConnect' : 'connect', () => this.#logIn());
    socket.on('data', (chunk) => this.#read(chunk));
    socket.on('error', (error) => this.end(briefly(error)));
    socket.on('close', () => this.end('the broker closed the connection'));
    return socket;
  }

  #logIn(): void {
    const { clientId, username, password, will, keepaliveSeconds } = this.#options;
    this.#send({
      cmd: 'connect',
      protocolId: 'MQTT',
      protocolVersion: 4,
      clean: true,
      clientId,
      username,
      password: Buffer.from(password),
      keepalive: keepaliveSeconds,
      will: { ...will, qos: 1, retain: true },
    });
  }

  #read(chunk: Buffer): void {
    this.#watch('silence', this.#options.keepaliveSeconds * 1000 * SILENCE_FACTOR, () => this.end('the broker has fallen silent'));
    if (this.#parser.parse(chunk) > MAX_INBOUND_BYTES) this.end('the broker sent a packet that is too large');
  }

  #receive(packet: Packet): void {
    if (this.#ending) return;
    switch (packet.cmd) {
      case 'connack':
        return this.#accepted(packet.returnCode ?? 0);
      case 'puback':
        return this.#acknowledged(packet.messageId!);
      case 'suback':
        this.#suback?.(packet.granted[0] !== 128);
        return;
      case 'publish':
        return this.#deliver(packet);
      case 'pingresp':
        return;
      default:
        return this.end(`the broker sent an unexpected ${packet.cmd}`);
    }
  }

  #accepted(returnCode: number): void {
    if (returnCode !== 0) return this.end(`CONNACK ${returnCode}`, returnCode);
    this.#unwatch('connect');
    this.#open(null);
  }

  #acknowledged(messageId: number): void {
    const resolve = this.#unacked.get(messageId);
    this.#unacked.delete(messageId);
    if (this.#unacked.size === 0) this.#unwatch('acks');
    else this.#watchAcks();
    resolve?.(true);
  }

  #deliver({ topic, payload, qos, messageId }: IPublishPacket): void {
    this.#options.onMessage(topic, Buffer.from(payload)).then(
      () => {
        if (qos === 1 && !this.#ending) this.#send({ cmd: 'puback', messageId: messageId! });
      },
      (error) => this.end(briefly(error)),
    );
  }

  #send(packet: Packet): void {
    if (this.#ending) return;
    this.#socket.write(mqtt.generate(packet));
    this.#watch('ping', this.#options.keepaliveSeconds * 1000, () => this.#send({ cmd: 'pingreq' }));
  }

  #nextMessageId(): number {
    do this.#lastMessageId = (this.#lastMessageId % MAX_MESSAGE_ID) + 1;
    while (this.#unacked.has(this.#lastMessageId));
    return this.#lastMessageId;
  }

  #watchAcks(): void {
    this.#watch('acks', ACK_LIMIT_MS, () => this.end('the broker does not acknowledge'));
  }

  /** One timer for each name: set again, it starts anew. */
  #watch(name: string, ms: number, fn: () => void): void {
    this.#unwatch(name);
    if (this.#ending) return;
    this.#cancels.set(name, this.#options.timers.set(ms, fn));
  }

  #unwatch(name: string): void {
    this.#cancels.get(name)?.();
    this.#cancels.delete(name);
  }

  #finish(ending: Ending): void {
    if (this.#ending) return;
    this.#ending = ending;
    for (const name of [...this.#cancels.keys()]) this.#unwatch(name);
    for (const resolve of this.#unacked.values()) resolve(false);
    this.#suback?.(false);
    this.#open(ending);
    this.#close(ending);
  }
}
