import type { Ack } from '../protocol/schemas/messages.ts';
import { CHANNELS, type TerminalId, terminalKey, topicOf, type UpChannel } from '../protocol/topics.ts';
import { AgentError, briefly } from './errors.ts';
import { birthPayload, type Identity, statePayload, willPayload } from './messages.ts';
import type { Outbox, Stored } from './outbox.ts';
import { newSession } from './sessions.ts';
import type { Timers } from './timers.ts';
import { type BrokerAddress, brokerUrl } from './uplink/address.ts';
import { fullJitter, slowDelay } from './uplink/backoff.ts';
import { obey } from './uplink/commands.ts';
import { Connection, type Ending } from './uplink/connection.ts';
import type { LinkMeter } from './uplink/meter.ts';

/** Messages sent and not yet acknowledged. */
const SEND_WINDOW = 20;
/** A connection that lived this long was a good one: the next failure is a first one again. */
const STEADY_MS = 60_000;
/** CONNACK codes that say that the credentials are wrong (MQTT 3.1.1, table 3.1). */
const BAD_CREDENTIALS: readonly unknown[] = [4, 5];

/** Why there is no connection, for people. */
export function troubleOf(address: BrokerAddress, ending: Ending): AgentError {
  return new AgentError(isRefusal(ending) ? 'refused' : 'unreachable', `${brokerUrl(address)}: ${ending.reason}`);
}

/** Whether the broker refused the credentials, which only a person can mend. */
function isRefusal({ returnCode }: Ending): boolean {
  return BAD_CREDENTIALS.includes(returnCode);
}

export interface UplinkOptions {
  address: BrokerAddress;
  terminal: TerminalId;
  token: string;
  identity: Identity;
  outbox: Outbox;
  meter: LinkMeter;
  now: () => number;
  random: () => number;
  timers: Timers;
  log: (line: string) => void;
  /** The broker has accepted a new session: returns the id of the last message of all older ones. */
  onSession: (session: string) => number;
  /** Does `report_now`. */
  onReportNow: () => Promise<void>;
  /** Puts a command's outcome into the outbox. Never rejects. */
  onAnswer: (ack: Ack) => Promise<void>;
  /** The broker has acknowledged something. */
  onAcknowledged: () => void;
  /** A connection ended, or did not come to be; `isNew` where the last one did not end the same way. */
  onEnding: (ending: Ending, isNew: boolean) => void;
}

/** What is sent over one connection. */
interface Live {
  connection: Connection;
  session: string;
  /** The last message of the older sessions. */
  boundaryId: number;
  /** The last that was sent of this session, and of the older ones. */
  sentId: number;
  sentOldId: number;
  inFlight: number;
  pumping: boolean;
  pumpAgain: boolean;
  /** Goodbye is being said: nothing new is sent. */
  leaving: boolean;
}

/** The way to the broker and back: keeps a connection, and sends over it what the outbox holds. */
export class Uplink {
  /** Messages of the outbox that the broker has acknowledged. */
  acknowledged = 0;
  #options: UplinkOptions;
  #connection: Connection | null = null;
  #live: Live | null = null;
  #loop: Promise<void> = Promise.resolve();
  #stopping = false;
  #endPause = () => {};
  #obeyed: Promise<void> = Promise.resolve();
  #idleWaiters: (() => void)[] = [];
  #lastReason = '';

  constructor(options: UplinkOptions) {
    this.#options = options;
  }

  start(): void {
    this.#loop = this.#run();
  }

  /** There is something new in the outbox. */
  wake(): void {
    if (this.#live) void this.#pump(this.#live);
  }

  /** Lets what waits be acknowledged, says goodbye, and leaves; each of the two waits is at most `limitMs`. */
  async stop(limitMs: number): Promise<void> {
    this.#stopping = true;
    this.#endPause();
    if (this.#live) await this.#leave(this.#live, limitMs);
    else this.#connection?.end('stopped');
    await this.#loop;
  }

  async #run(): Promise<void> {
    const { random, onEnding, identity } = this.#options;
    for (let failures = 0; !this.#stopping; failures++) {
      const { ending, steady } = await this.#connectOnce();
      if (this.#stopping) return;
      if (steady) failures = 0;
      onEnding(ending, ending.reason !== this.#lastReason);
      this.#lastReason = ending.reason;
      await this.#pause(isRefusal(ending) ? slowDelay(random) : fullJitter(failures, identity.interval, random));
    }
  }

  /** Resolves when the connection has ended. */
  async #connectOnce(): Promise<{ ending: Ending; steady: boolean }> {
    const { now, random, timers, meter } = this.#options;
    const session = newSession(now(), random);
    const connection = this.#dial(session);
    this.#connection = connection;
    const refusal = await connection.opened;
    if (refusal) return { ending: refusal, steady: false };
    let steady = false;
    const cancel = timers.set(STEADY_MS, () => {
      steady = true;
    });
    meter.connected();
    this.#begin(connection, session);
    const ending = await connection.closed;
    meter.disconnected();
    cancel();
    this.#live = null;
    return { ending, steady };
  }

  #dial(session: string): Connection {
    const { address, terminal, token, identity, timers } = this.#options;
    return new Connection({
      address,
      clientId: terminal.sn,
      username: terminalKey(terminal),
      password: token,
      will: { topic: topicOf({ ...terminal, channel: 'state' }), payload: willPayload(session) },
      keepaliveSeconds: identity.keepalive,
      timers,
      onMessage: (topic, payload) => this.#receive(topic, payload),
    });
  }

  #begin(connection: Connection, session: string): void {
    const { terminal, address, now, log, onSession } = this.#options;
    const boundaryId = onSession(session);
    const live = {
      connection,
      session,
      boundaryId,
      sentId: boundaryId,
      sentOldId: 0,
      inFlight: 0,
      pumping: false,
      pumpAgain: false,
      leaving: false,
    };
    this.#live = live;
    this.#lastReason = '';
    log(`connected to ${brokerUrl(address)} as ${terminalKey(terminal)}`);
    this.#sayBirth(live);
    void this.#publish(live, 'state', statePayload(session, 'online', now()));
    const ownCommands = topicOf({ ...terminal, channel: 'cmd' });
    connection.subscribe(ownCommands).then((granted) => {
      if (!granted && this.#live === live) log('the broker does not grant the subscription to commands: none will arrive');
    });
    void this.#pump(live);
  }

  #sayBirth(live: Live): void {
    void this.#publish(live, 'birth', birthPayload(live.session, this.#options.now(), this.#options.identity));
  }

  /** One command after another, as they came. */
  #receive(topic: string, payload: Uint8Array): Promise<void> {
    if (topic !== topicOf({ ...this.#options.terminal, channel: 'cmd' })) return Promise.resolve();
    this.#obeyed = this.#obeyed.then(() => this.#obey(payload));
    return this.#obeyed;
  }

  async #obey(payload: Uint8Array): Promise<void> {
    const { now, onReportNow, onAnswer } = this.#options;
    const rebirth = async () => {
      if (this.#live) this.#sayBirth(this.#live);
    };
    const ack = await obey(payload, { rebirth, report_now: onReportNow }, now());
    if (ack) await onAnswer(ack);
  }

  async #publish(live: Live, channel: UpChannel, payload: Uint8Array): Promise<boolean> {
    const topic = topicOf({ ...this.#options.terminal, channel });
    const acked = await live.connection.publish(topic, payload, { retain: CHANNELS[channel].retained });
    if (acked) this.#options.onAcknowledged();
    this.#checkIdle();
    return acked;
  }

  /** Sends what the window lets through. One at a time; a call meanwhile makes it look again. */
  async #pump(live: Live): Promise<void> {
    live.pumpAgain = true;
    if (live.pumping) return;
    live.pumping = true;
    try {
      while (live.pumpAgain && !live.leaving && this.#live === live) {
        live.pumpAgain = false;
        const messages = live.inFlight < SEND_WINDOW ? await this.#take(live, SEND_WINDOW - live.inFlight) : [];
        for (const message of messages) void this.#sendStored(live, message);
        if (messages.length > 0) live.pumpAgain = true;
      }
    } catch (error) {
      live.connection.end(`the outbox cannot be read: ${briefly(error)}`);
    } finally {
      live.pumping = false;
    }
  }

  /** The present session's messages first; then the older ones, in order. */
  async #take(live: Live, n: number): Promise<Stored[]> {
    const { outbox } = this.#options;
    const own = await outbox.next(live.sentId, n);
    live.sentId = own.at(-1)?.id ?? live.sentId;
    if (own.length > 0) return own;
    const old = await outbox.next(live.sentOldId, n, live.boundaryId);
    live.sentOldId = old.at(-1)?.id ?? live.sentOldId;
    return old;
  }

  async #sendStored(live: Live, { id, channel, payload }: Stored): Promise<void> {
    live.inFlight++;
    const acked = await live.connection.publish(topicOf({ ...this.#options.terminal, channel }), payload);
    live.inFlight--;
    if (acked) {
      this.#options.outbox.ack(id);
      this.acknowledged++;
      this.#options.onAcknowledged();
    }
    this.#checkIdle();
    void this.#pump(live);
  }

  async #leave(live: Live, limitMs: number): Promise<void> {
    await this.#idleWithin(live, limitMs);
    live.leaving = true;
    void this.#publish(live, 'state', statePayload(live.session, 'goodbye', this.#options.now()));
    await this.#idleWithin(live, limitMs);
    live.connection.disconnect();
  }

  /** Resolves when nothing waits for an acknowledgement, the time is over, or the connection has ended. */
  async #idleWithin(live: Live, limitMs: number): Promise<void> {
    const idle = new Promise<void>((resolve) => {
      this.#idleWaiters.push(resolve);
    });
    this.#checkIdle();
    let cancel = () => {};
    const late = new Promise<void>((resolve) => {
      cancel = this.#options.timers.set(limitMs, resolve);
    });
    await Promise.race([idle, late, live.connection.closed]);
    cancel();
  }

  #checkIdle(): void {
    const live = this.#live;
    if (live && (live.connection.unacked > 0 || (!live.leaving && this.#options.outbox.size > 0))) return;
    for (const resolve of this.#idleWaiters.splice(0)) resolve();
  }

  #pause(ms: number): Promise<void> {
    return new Promise((resolve) => {
      const cancel = this.#options.timers.set(ms, resolve);
      this.#endPause = () => {
        cancel();
        resolve();
      };
    });
  }
}
