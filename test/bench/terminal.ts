/**
 * A terminal of a measurement: one connection, QoS 1, at most a window of reports without PUBACK. As a correct agent it keeps what has
 * none, and sends it again after a reconnect.
 */
import { connect, type Socket } from 'node:net';
import { connect as connectTls } from 'node:tls';
import {
  ACQUIRER,
  birthPayload,
  CONNACK,
  connectPacket,
  PUBACK,
  publishPacket,
  reportHead,
  reportPayload,
  serialOf,
  topicOf,
} from './packets.ts';

/** Of the message ids; the births' stands above those of reports. */
const MAX_REPORT_ID = 65_000;
const BIRTH_ID = 65_001;
/** Many sockets need more source ports than one address has. */
const SOURCES = 40;
const RECONNECT_MS = { least: 200, spread: 600 };

export interface TerminalOptions {
  port: number;
  window: number;
  isTls: boolean;
  /** Sends a birth after each connect. */
  births: boolean;
  longWay: boolean;
  /** The password of a user. */
  token(user: string): string;
}

/** Told of what happens to any of them. */
export interface Tally {
  acknowledged(latencyMs: number): void;
  /** A PUBACK made room, or the connection is up again: more may be sent. */
  ready(terminal: Terminal): void;
  offered: number;
  resent: number;
  connects: number;
  disconnects: number;
  /** No more reconnects. */
  stopped: boolean;
}

export class Terminal {
  readonly serial: string;
  readonly inFlight = new Map<number, { seq: number; at: number; sentAt: number }>();
  /** The next report's number: of those below, all are acknowledged that are not in flight. */
  seq = 0;
  isUp = false;
  readonly #number: number;
  readonly #options: TerminalOptions;
  readonly #tally: Tally;
  readonly #topic: Buffer;
  readonly #head: string;
  #socket!: Socket;
  #id = 0;
  #at = 0;
  #rest: Buffer | undefined;

  constructor(number: number, options: TerminalOptions, tally: Tally) {
    this.serial = serialOf(number);
    this.#number = number;
    this.#options = options;
    this.#tally = tally;
    this.#topic = topicOf(number, 'report');
    this.#head = reportHead(number);
  }

  /** Resolves when it has logged in; it connects again by itself until then, and after. */
  connect(): Promise<void> {
    return new Promise((up) => this.#open(up));
  }

  /** Sends the next report. */
  send(): void {
    do this.#id = (this.#id % MAX_REPORT_ID) + 1;
    while (this.inFlight.has(this.#id));
    this.#at = Math.max(Date.now(), this.#at + 1);
    const report = { seq: this.seq++, at: this.#at, sentAt: performance.now() };
    this.inFlight.set(this.#id, report);
    this.#tally.offered++;
    this.#write(this.#id, report);
  }

  /** Sends as many as the window has room for, in one write. */
  fill(): void {
    this.#socket.cork();
    while (this.inFlight.size < this.#options.window) this.send();
    this.#socket.uncork();
  }

  #open(up: () => void): void {
    const { port, isTls } = this.#options;
    const source = `127.0.0.${2 + (this.#number % SOURCES)}`;
    const to = { host: '127.0.0.1', port, localAddress: source };
    const socket = isTls ? connectTls({ ...to, rejectUnauthorized: false }) : connect({ ...to, noDelay: true });
    this.#socket = socket;
    this.#rest = undefined;
    socket.once(isTls ? 'secureConnect' : 'connect', () => socket.write(this.#connectPacket()));
    socket.on('data', (bytes) => this.#read(bytes, up));
    socket.on('error', () => {});
    socket.once('close', () => {
      if (this.isUp) this.#tally.disconnects++;
      this.isUp = false;
      if (!this.#tally.stopped) setTimeout(() => this.#open(up), RECONNECT_MS.least + Math.random() * RECONNECT_MS.spread);
    });
  }

  #connectPacket(): Buffer {
    const user = `${ACQUIRER}/${this.serial}`;
    return connectPacket(this.serial, user, this.#options.token(user));
  }

  #read(bytes: Buffer, up: () => void): void {
    const data = this.#rest ? Buffer.concat([this.#rest, bytes]) : bytes;
    let [at, freed] = [0, false];
    while (at + 4 <= data.length) {
      const type = data[at]! >> 4;
      if (type === PUBACK) freed = this.#acknowledge(data.readUInt16BE(at + 2)) || freed;
      else if (type !== CONNACK) throw new Error(`the broker sent packet ${type}, which no terminal here asked for`);
      else if (data[at + 3] === 0) this.#loggedIn(up);
      else return void this.#socket.destroy();
      at += 4;
    }
    this.#rest = at < data.length ? data.subarray(at) : undefined;
    if (freed && this.isUp) this.#tally.ready(this);
  }

  #loggedIn(up: () => void): void {
    const { births, longWay } = this.#options;
    this.isUp = true;
    this.#tally.connects++;
    this.#socket.cork();
    if (births)
      this.#socket.write(publishPacket(topicOf(this.#number, 'birth'), BIRTH_ID, birthPayload(this.#number, Date.now()), longWay));
    for (const [id, report] of this.inFlight) this.#write(id, report);
    this.#tally.resent += this.inFlight.size;
    this.#socket.uncork();
    up();
    this.#tally.ready(this);
  }

  #acknowledge(id: number): boolean {
    const report = this.inFlight.get(id);
    if (!report) return false;
    this.inFlight.delete(id);
    this.#tally.acknowledged(performance.now() - report.sentAt);
    return true;
  }

  #write(id: number, { seq, at }: { seq: number; at: number }): void {
    this.#socket.write(publishPacket(this.#topic, id, reportPayload(this.#head, this.#number, seq, at), this.#options.longWay));
  }
}
