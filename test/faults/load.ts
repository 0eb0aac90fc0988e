/**
 * A fleet of correct terminals over raw MQTT: each keeps a report until its PUBACK has come, through every broken connection, and
 * sends it again under its own (session, seq), the new session's messages first. What each PUBACK promised is written down.
 */
import { setTimeout as delay } from 'node:timers/promises';
import { connectMqtt, type MqttClient } from '../helpers/mqtt.ts';
import type { SentReport } from './history.ts';

const WINDOW = 8;
const RECONNECT_MS = 30;

export interface FleetOptions {
  acquirer: string;
  /** Serial numbers, and the merchant that each names in its births. */
  terminals: ReadonlyMap<string, string>;
  /** Where the broker listens now; undefined while it is away. */
  port(): number | undefined;
  token(user: string): string;
  /** The last batch of the brokers' log that is durable at this moment. */
  durable(): number;
  /** The terminals' clock, epoch milliseconds. */
  now(): number;
  random(): number;
  /** Milliseconds between two reports of a terminal. */
  everyMs: number;
  intervalSeconds: number;
  keepaliveSeconds: number;
  /** Reports of each terminal, at most; default: no limit. */
  limit?: number;
  /** Of a member that nobody knows, in each report. */
  paddingBytes?: number;
}

export interface Counts {
  offered: number;
  acknowledged: number;
}

export class Fleet {
  readonly #terminals: Terminal[];

  constructor(options: FleetOptions) {
    this.#terminals = [...options.terminals].map(([sn, merchant]) => new Terminal(sn, merchant, options));
  }

  get reports(): SentReport[] {
    return this.#terminals.flatMap((terminal) => terminal.reports);
  }

  get connects(): number {
    return this.#terminals.reduce((sum, { connects }) => sum + connects, 0);
  }

  /** Reports that were taken, and those of them that were acknowledged. */
  get counts(): Counts {
    const offered = this.#terminals.reduce((sum, { reports }) => sum + reports.length, 0);
    return { offered, acknowledged: offered - this.#waiting() };
  }

  /** Takes no more samples, and resolves when every report is acknowledged. Errors: throws where one still waits after `withinMs`. */
  async drain(withinMs: number): Promise<void> {
    for (const terminal of this.#terminals) terminal.stopSampling();
    const deadline = performance.now() + withinMs;
    for (let waiting = this.#waiting(); waiting > 0; waiting = this.#waiting()) {
      if (performance.now() > deadline)
        throw new Error(`${waiting} reports are not acknowledged after ${withinMs} ms: ${this.#whoWaits()}`);
      await delay(10);
    }
  }

  /** Cuts terminals off from the network: they go on sampling, and keep what they sample. Returns what lets them back. */
  async cutOff(sns: readonly string[]): Promise<() => void> {
    const cut = this.#terminals.filter(({ sn }) => sns.includes(sn));
    await Promise.all(cut.map((terminal) => terminal.cutOff()));
    return () => {
      for (const terminal of cut) terminal.letBack();
    };
  }

  /** Breaks all connections off, as a power failure does; what is not acknowledged is kept by nobody. */
  async end(): Promise<void> {
    await Promise.all(this.#terminals.map((terminal) => terminal.end()));
  }

  #whoWaits(): string {
    const waiting = this.#terminals.filter((terminal) => terminal.waiting > 0);
    return `${waiting.length} terminals, such as ${waiting.slice(0, 3).join(', ')}`;
  }

  #waiting(): number {
    return this.#terminals.reduce((sum, { waiting }) => sum + waiting, 0);
  }
}

class Terminal {
  readonly reports: SentReport[] = [];
  connects = 0;
  readonly sn: string;
  readonly #merchant: string;
  readonly #options: FleetOptions;
  readonly #ended = new AbortController();
  readonly #sampling: NodeJS.Timeout;
  readonly #running: Promise<void>;
  readonly #padding: string | undefined;
  readonly #inFlight = new Set<SentReport>();
  /** What sessions that have ended left unacknowledged, the newest first. */
  #old: SentReport[] = [];
  /** Those from here on are the present session's, and were not sent yet. */
  #unsent = 0;
  #due = 0;
  #session: { id: string; seq: number } | undefined;
  #wake = () => {};
  #client: MqttClient | undefined;
  #isCutOff = false;
  #lastAt = 0;

  constructor(sn: string, merchant: string, options: FleetOptions) {
    this.sn = sn;
    this.#merchant = merchant;
    this.#options = options;
    if (options.paddingBytes) this.#padding = 'x'.repeat(options.paddingBytes);
    const began = performance.now();
    this.#sampling = setInterval(() => this.#catchUp(began), options.everyMs);
    this.#running = this.#run();
  }

  get waiting(): number {
    return this.#old.length + this.reports.length - this.#unsent + this.#inFlight.size;
  }

  toString(): string {
    const isConnected = this.#client?.socket.destroyed === false;
    return `${this.sn} (${this.#inFlight.size} in flight of ${this.waiting}, connection ${this.connects} ${isConnected ? 'open' : 'ended'})`;
  }

  stopSampling(): void {
    clearInterval(this.#sampling);
  }

  async cutOff(): Promise<void> {
    this.#isCutOff = true;
    await this.#client?.breakOff();
  }

  letBack(): void {
    this.#isCutOff = false;
  }

  async end(): Promise<void> {
    this.stopSampling();
    this.#ended.abort();
    this.#wake();
    await this.#running;
  }

  get #user(): string {
    return `${this.#options.acquirer}/${this.sn}`;
  }

  /** Timers come late on a busy machine, and the load must not shrink with it. */
  #catchUp(began: number): void {
    const due = Math.floor((performance.now() - began) / this.#options.everyMs);
    for (; this.#due < due; this.#due++) this.#sample();
    this.#wake();
  }

  /** A sample belongs to the session that is current, or that ended last. */
  #sample(): void {
    const { limit = Number.POSITIVE_INFINITY } = this.#options;
    if (!this.#session || this.reports.length >= limit) return;
    this.#lastAt = Math.max(this.#options.now(), this.#lastAt + 1);
    const seq = this.#session.seq++;
    // Good, and without a course: what the watch of coverage says would come at its own time.
    const rsrp = -75 - ((this.reports.length * 7) % 15);
    this.reports.push({ user: this.#user, session: this.#session.id, seq, at: this.#lastAt, rsrp, durableAtPuback: null });
  }

  async #run(): Promise<void> {
    while (!this.#ended.signal.aborted) {
      const port = this.#options.port();
      if (port !== undefined && !this.#isCutOff) await this.#connect(port).catch(() => {});
      await delay(RECONNECT_MS * (0.5 + this.#options.random()), undefined, { signal: this.#ended.signal }).catch(() => {});
    }
  }

  /** One session, until its connection ends. */
  async #connect(port: number): Promise<void> {
    const id = `${this.sn}-${++this.connects}`;
    const will = { topic: this.#topic('state'), payload: JSON.stringify({ v: 1, session: id, state: 'lost' }), qos: 1 as const };
    const password = this.#options.token(this.#user);
    const client = await connectMqtt({ port, clientId: this.sn, username: this.#user, password, will: { ...will, retain: true } });
    this.#client = client;
    try {
      if (client.returnCode !== 0 || this.#isCutOff) return;
      this.#beginSession(id);
      client.publish(this.#topic('birth'), this.#birth(id)).catch(() => {});
      await this.#send(client);
    } finally {
      await client.breakOff();
    }
  }

  #beginSession(id: string): void {
    this.#old = [...this.#old, ...this.#inFlight, ...this.reports.slice(this.#unsent)].sort((a, b) => b.at - a.at);
    this.#inFlight.clear();
    this.#unsent = this.reports.length;
    this.#session = { id, seq: 0 };
  }

  async #send(client: MqttClient): Promise<void> {
    client.closed.then(() => this.#wake());
    while (!client.socket.destroyed && !this.#ended.signal.aborted) {
      const woken = new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
      client.socket.cork();
      while (this.#inFlight.size < WINDOW) {
        const next = this.#unsent < this.reports.length ? this.reports[this.#unsent++] : this.#old.pop();
        if (!next) break;
        this.#inFlight.add(next);
        this.#publish(client, next);
      }
      client.socket.uncork();
      await woken;
    }
  }

  #publish(client: MqttClient, report: SentReport): void {
    const { session, seq, at, rsrp } = report;
    const payload = JSON.stringify({ v: 1, session, seq, samples: [{ at, signal: { rat: 'lte', rsrp } }], padding: this.#padding });
    client.publish(this.#topic('report'), payload).then(
      () => {
        report.durableAtPuback = this.#options.durable();
        this.#inFlight.delete(report);
        this.#wake();
      },
      () => {},
    );
  }

  #birth(session: string): string {
    const { intervalSeconds: interval, keepaliveSeconds: keepalive, now } = this.#options;
    return JSON.stringify({ v: 1, session, at: now(), merchant: this.#merchant, app: '1.0.0', interval, keepalive });
  }

  #topic(channel: string): string {
    return `pos/v1/${this.#user}/${channel}`;
  }
}
