/** A virtual terminal over MQTT: what its story says, and what a real connection adds: refusals, losses, messages sent again. */
import { command, NOT_SUPPORTED } from '../../protocol/schemas/messages.ts';
import { topicOf, type UpChannel } from '../../protocol/topics.ts';
import { birthOf } from '../birth.ts';
import { declared } from '../life/life.ts';
import type { Life } from '../state.ts';
import { type Link, openLink } from './link.ts';

/** What the whole of a live fleet shares. */
export interface Air {
  host: string;
  port: number;
  speed: number;
  /** The password of a user `acquirer/sn`. */
  token: (user: string) => Promise<string>;
  now: () => number;
  /** From 0 up to 1. */
  random: () => number;
  /** Runs a log-in when its turn has come. */
  inTurn: (logIn: () => Promise<void>) => void;
  count: Counts;
  /** That and why a terminal could not connect, or lost its connection, where its story did not say so. */
  trouble: (line: string) => void;
}

/** Messages count once, however often they were sent. */
export interface Counts {
  connected: number;
  sent: number;
  acknowledged: number;
  /** Log-ins: accepted, refused by the broker, and come to nothing for another reason. */
  logIns: number;
  refused: number;
  failed: number;
  /** Connections that ended though their story did not say so. */
  reconnects: number;
  /** Messages that were given up: no room for them, or their terminal was replaced, or away when its story ended. */
  givenUp: number;
}

interface Message {
  channel: UpChannel;
  body: Record<string, unknown>;
  retain: boolean;
}

/** Of what waits for its PUBACK, a terminal keeps so much; the oldest goes first. */
const MOST_WAITING = 500;
/** Full jitter: a random time below a bound that doubles from the first to the last, milliseconds. */
const FIRST_WAIT_MS = 1_000;
const LONGEST_WAIT_MS = 60_000;
/**
 * Whoever logs in by a name ends the older connection of that name (MQTT 3.1.1, 3.1.4-2), so two of one name throw each other out. That is
 * taken for it: a connection served well ends so soon, and so often in a row.
 */
const SOON_MS = 5_000;
const THROWN_OUT = 3;
const RIVAL = 'another client uses these serial numbers: is another simulate running? Another --seed gives other serial numbers';

export class LiveTerminal {
  readonly #life: Life;
  readonly #air: Air;
  /** As it is logged in; a swap gives the life another serial. */
  #sn = '';
  #link: Link | null = null;
  #online = false;
  /** Whether its story has it connected. */
  #wanted = false;
  /** The session that is, or the one that ended while there is none: what is sampled then belongs to it. */
  #session = '';
  #seq = 0;
  #former = { session: '', seq: 0 };
  /** The session that the next log-in will be. */
  #next: string | undefined;
  #waiting = new Set<Message>();
  #failures = 0;
  #openedAt = 0;
  /** Whether this connection had a PUBACK, and how many before it ended soon in a row. */
  #served = false;
  #thrownOut = 0;
  #retry: NodeJS.Timeout | undefined;
  #sessions = 0;

  constructor(life: Life, air: Air) {
    this.#life = life;
    this.#air = air;
  }

  get unacknowledged(): number {
    return this.#waiting.size;
  }

  connect(): void {
    this.#wanted = true;
    this.#failures = 0;
    this.#logIn();
  }

  /** `former`: of the session before this one. */
  report(samples: readonly object[], former: boolean): void {
    const ended = former && this.#online;
    if (!ended) this.#session ||= this.#nextSession();
    const [session, seq] = ended ? [this.#former.session, this.#former.seq++] : [this.#session, this.#seq++];
    this.#send({ channel: 'report', body: { v: 1, session, seq, samples }, retain: false });
  }

  event(type: string, data: object, at: number): void {
    this.#session ||= this.#nextSession();
    this.#send({ channel: 'event', body: { v: 1, session: this.#session, seq: this.#seq++, at, type, data }, retain: false });
  }

  /** Leaves as a terminal does that is switched off. Resolves when the goodbye is acknowledged, or cannot be any more. */
  async goodbye(at: number): Promise<void> {
    this.#wanted = false;
    clearTimeout(this.#retry);
    const link = this.#link;
    if (!link || !this.#online) return this.drop('reset');
    await this.#publish({ channel: 'state', body: { v: 1, session: this.#session, at, state: 'goodbye' }, retain: true }, link);
    if (this.#link !== link) return;
    link.leave();
    this.#gone();
    if (this.#wanted) this.#logIn();
  }

  /** Its story is over: what it holds back while that has it away is never sent. */
  end(at: number): Promise<void> {
    if (!this.#wanted) this.#giveUp();
    return this.goodbye(at);
  }

  drop(how: 'reset' | 'silent'): void {
    this.#wanted = false;
    clearTimeout(this.#retry);
    if (how === 'reset') this.#link?.drop();
    else this.#link?.freeze();
    this.#gone();
  }

  #gone(): void {
    if (this.#online) this.#air.count.connected--;
    this.#link = null;
    this.#online = false;
  }

  #logIn(): void {
    this.#air.inTurn(async () => {
      if (!this.#wanted || this.#link) return;
      const { merchant, sn } = this.#life;
      const { acquirer } = merchant.plan;
      const user = `${acquirer}/${sn}`;
      const password = await this.#air.token(user).catch((error: Error) => this.#failed(error.message));
      if (password === undefined || !this.#wanted || this.#link) return;
      this.#become(sn);
      const { host, port, speed } = this.#air;
      const will = { topic: this.#topic('state'), payload: JSON.stringify({ v: 1, session: this.#nextSession(), state: 'lost' }) };
      const link = openLink({
        ...{ host, port, clientId: sn, username: user, password, keepaliveSeconds: declared(this.#life, speed).keepalive, will },
        onMessage: (_, payload) => this.#command(payload),
        onEnd: (problem) => this.#ended(problem),
      });
      this.#link = link;
      await link.opened.then(
        () => this.#opened(link),
        () => {},
      );
    });
  }

  /** A new serial has nothing to do with what the old one left unsaid. */
  #become(sn: string): void {
    if (this.#sn !== '' && this.#sn !== sn) {
      this.#giveUp();
      this.#session = '';
      this.#next = undefined;
    }
    this.#sn = sn;
  }

  #giveUp(): void {
    this.#air.count.givenUp += this.#waiting.size;
    this.#waiting.clear();
  }

  #nextSession(): string {
    this.#next ??= `${this.#life.sn}-${this.#air.now().toString(36)}-${++this.#sessions}`;
    return this.#next;
  }

  #opened(link: Link): void {
    if (this.#link !== link) return;
    const session = this.#nextSession();
    if (session !== this.#session) {
      this.#former = { session: this.#session, seq: this.#seq };
      this.#session = session;
      this.#seq = 0;
    }
    this.#next = undefined;
    this.#online = true;
    this.#failures = 0;
    this.#openedAt = this.#air.now();
    this.#served = false;
    this.#air.count.connected++;
    this.#air.count.logIns++;
    const old = [...this.#waiting];
    this.#birth(link);
    void this.#publish(
      { channel: 'state', body: { v: 1, session: this.#session, at: this.#air.now(), state: 'online' }, retain: true },
      link,
    );
    link.subscribe(topicOf({ acquirer: this.#life.merchant.plan.acquirer, sn: this.#sn, channel: 'cmd' }));
    // The new session's messages came first; what the old one left unacknowledged follows.
    for (const message of old) void this.#publish(message, link);
  }

  #birth(link: Link): void {
    const body = { v: 1, session: this.#session, at: this.#air.now(), ...birthOf(this.#life, this.#air.speed) };
    void this.#publish({ channel: 'birth', body, retain: false }, link);
  }

  /** Not the story's doing. */
  #ended(problem: string): void {
    if (!this.#online) return void this.#failed(problem);
    this.#air.count.reconnects++;
    const thrownOut = this.#served && this.#air.now() - this.#openedAt < SOON_MS;
    this.#thrownOut = thrownOut ? this.#thrownOut + 1 : 0;
    if (!thrownOut) this.#air.trouble(`a terminal lost its connection, and connects again: ${problem}`);
    else if (this.#thrownOut >= THROWN_OUT) this.#air.trouble(RIVAL);
    this.#tryAgain();
  }

  /** A log-in that came to nothing. */
  #failed(problem: string): undefined {
    if (problem.startsWith('CONNACK')) this.#air.count.refused++;
    else this.#air.count.failed++;
    this.#air.trouble(`a terminal cannot connect, and tries again: ${problem}`);
    this.#tryAgain();
  }

  #tryAgain(): void {
    this.#gone();
    if (!this.#wanted) return;
    const waitMs = this.#air.random() * Math.min(LONGEST_WAIT_MS, FIRST_WAIT_MS * 2 ** this.#failures++);
    this.#retry = setTimeout(() => this.#logIn(), waitMs);
  }

  #send(message: Message): void {
    this.#air.count.sent++;
    this.#waiting.add(message);
    if (this.#waiting.size > MOST_WAITING) {
      this.#waiting.delete(this.#waiting.values().next().value!);
      this.#air.count.givenUp++;
    }
    if (this.#link && this.#online) void this.#publish(message, this.#link);
  }

  async #publish(message: Message, link: Link): Promise<void> {
    const acked = await link.publish(this.#topic(message.channel), JSON.stringify(message.body), message.retain);
    if (acked && link === this.#link) this.#served = true;
    if (acked && this.#waiting.delete(message)) this.#air.count.acknowledged++;
  }

  #topic(channel: UpChannel): string {
    return topicOf({ acquirer: this.#life.merchant.plan.acquirer, sn: this.#sn, channel });
  }

  /** It knows one command, and says so of the others. */
  #command(payload: string): void {
    const link = this.#link;
    const read = command.safeParse(parsed(payload));
    if (!link || !read.success) return;
    const { id, type } = read.data;
    if (type === 'rebirth') this.#birth(link);
    const ok = type === 'rebirth';
    const body = { v: 1, id, ok, error: ok ? null : NOT_SUPPORTED };
    void this.#publish({ channel: 'ack', body, retain: false }, link);
  }
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
