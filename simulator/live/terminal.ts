/** A virtual terminal over MQTT: what its story says, and what a real connection adds: refusals, losses, messages sent again. */
import { command } from '../../protocol/schemas/messages.ts';
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
  /** Why a terminal could not connect, or lost its connection, where its story did not say so. */
  trouble: (problem: string) => void;
}

/** Messages count once, however often they were sent. */
export interface Counts {
  connected: number;
  sent: number;
  acknowledged: number;
  refused: number;
  reconnects: number;
  /** Messages that were given up: no room for them, or their terminal was replaced. */
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
      this.#air.count.givenUp += this.#waiting.size;
      this.#waiting.clear();
      this.#session = '';
      this.#next = undefined;
    }
    this.#sn = sn;
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
    this.#air.count.connected++;
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

  #ended(problem: string): void {
    if (problem.startsWith('CONNACK')) this.#air.count.refused++;
    else if (this.#online) this.#air.count.reconnects++;
    this.#failed(problem);
  }

  /** Not the story's doing: it tries again. */
  #failed(problem: string): undefined {
    this.#air.trouble(problem);
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
    const body = { v: 1, id, ok, error: ok ? null : 'a simulated terminal knows no command but rebirth' };
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
