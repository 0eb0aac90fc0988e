/** A courier over an outbox that tests fill, with real requests to receivers on loopback, and time that moves by hand. */
import { onTestFinished } from 'vitest';
import { openMemoryState } from '../../../backbone/memory.ts';
import type { StateStore } from '../../../backbone/state.ts';
import { Bell } from '../../../collector/bell.ts';
import { type OutboxRow, packs } from '../../../collector/owner/outbox.ts';
import { Patience } from '../../../collector/patience.ts';
import { parseRanges } from '../../../collector/webhooks/addresses.ts';
import { Book } from '../../../collector/webhooks/book.ts';
import { Courier } from '../../../collector/webhooks/courier.ts';
import type { Endpoint } from '../../../collector/webhooks/endpoint.ts';
import { post } from '../../../collector/webhooks/post.ts';
import { readSecret } from '../../../collector/webhooks/secrets.ts';
import { type Wanted, Webhooks } from '../../../collector/webhooks/webhooks.ts';
import type { Alert, Transition } from '../../../protocol/alerts.ts';
import { eventually } from '../../helpers/eventually.ts';
import { HandClock, Life } from '../owner/harness.ts';

export const ALL: Wanted = { url: '', types: null, severity: 'info', merchants: null, description: '', language: 'en' };
const { ranges: LOOPBACK } = parseRanges('127.0.0.0/8');

export class PostOffice {
  readonly clock = new HandClock();
  readonly said: string[] = [];
  readonly watchState = openMemoryState();
  readonly state: StateStore;
  /** How far the outbox may go, by the courier's word. */
  read = 0;
  #book: Book | undefined;
  #random = 0;
  #rows = 0;
  readonly #saves = new Bell();

  constructor(state: StateStore = openMemoryState()) {
    this.state = state;
  }

  /** One process's courier; `life` ends it at one of its steps: writes, and requests. */
  open(life = new Life()) {
    const state = life.state(this.state);
    const book = new Book(state);
    this.#book = book;
    const patience = new Patience(this.clock, (line) => void this.said.push(line));
    const courier = new Courier({
      book,
      state,
      watchState: this.watchState,
      clock: this.clock,
      patience,
      random: () => 0,
      post: (url, headers, body, signal) => life.step(() => post(url, headers, body, { allowed: LOOPBACK, signal })),
      saved: (signal) => this.#saves.heard(signal),
      outboxRead: (sequence) => {
        if (!life.dead) this.read = sequence;
      },
      say: (line) => void this.said.push(line),
    });
    const webhooks = new Webhooks({
      book,
      state,
      write: (changes) => courier.write(changes),
      now: this.clock.now,
      monotonic: this.clock.monotonic,
      random: (bytes) => Buffer.alloc(bytes, ++this.#random),
    });
    const stopping = new AbortController();
    const run = courier.run(stopping.signal);
    run.catch(() => {});
    const stop = async () => {
      stopping.abort();
      await Promise.race([run, life.ended]);
    };
    void life.ended.then(() => stopping.abort());
    onTestFinished(stop);
    return { book, courier, webhooks, run, stop };
  }

  /** What the watch says, committed to its outbox. */
  async say(...transitions: Transition[]): Promise<void> {
    const rows = transitions.map((transition) => JSON.stringify({ kind: 'transition', ...transition } satisfies OutboxRow));
    this.#rows += rows.length;
    await this.watchState.commit(packs(rows, this.#rows));
    this.#saves.ring();
  }

  until(condition: () => boolean): Promise<void> {
    return eventually(
      () => {
        if (!condition()) throw new Error('not yet');
      },
      { every: 2 },
    );
  }

  /** Lets time pass, once nothing is under way; then waits until nothing is again. */
  async pass(ms: number): Promise<void> {
    await this.atRest();
    this.clock.pass(ms);
    await this.atRest();
  }

  /** Lets time pass step by step until a condition holds. */
  async passUntil(condition: () => boolean, stepMs: number): Promise<void> {
    for (let steps = 0; !condition(); steps++) {
      if (steps > 1_000) throw new Error('it never came to be');
      await this.pass(stepMs);
    }
  }

  /** Resolves when the courier has done what it can for now. */
  atRest(): Promise<void> {
    const underWay = () => [...(this.#book?.lines.values() ?? [])].reduce((sum, line) => sum + line.underWay, 0);
    return this.until(() => this.clock.sleeping > 0 && underWay() === 0);
  }
}

/** A post office with one courier and one endpoint. */
export async function withEndpoint(url: string, wanted: Partial<Wanted> = {}) {
  const office = new PostOffice();
  const running = office.open();
  const endpoint = await running.webhooks.create('acme', { ...ALL, ...wanted, url });
  return { office, ...running, endpoint };
}

export function keyOf(endpoint: Readonly<Endpoint>): Buffer {
  const read = readSecret(endpoint.secrets[0]!.text);
  if (!read.ok) throw new Error(read.problem);
  return read.key;
}

/** Transitions of one alert, each after the one before. */
export class TestAlert {
  readonly alert: Alert;

  constructor(id: string, at: number, more: Partial<Alert> = {}) {
    const nobody = { site: null, terminal: null, operator: null, cell: null, app: null, card: null, kind: null, class: null };
    this.alert = {
      id,
      type: 'quota.terminals',
      severity: 'warning',
      state: 'firing',
      acknowledgedBy: null,
      assignee: null,
      silencedBy: null,
      subject: { acquirer: 'acme', merchant: 'm-1', ...nobody },
      reason: 'approaching',
      cause: 'unknown',
      confidence: 0,
      evidence: [{ what: 'bound', value: 8, limit: 10, at }],
      remedy: [],
      predicted: null,
      count: 1,
      members: [],
      startsAt: at,
      updatedAt: at,
      endsAt: null,
      seq: 0,
      ...more,
    };
  }

  next(transition: Transition['transition'], at: number, more: Partial<Alert> = {}): Transition {
    const ended = transition === 'resolved' ? ({ state: 'resolved', endsAt: at } as const) : {};
    Object.assign(this.alert, { ...more, ...ended, updatedAt: at, seq: this.alert.seq + 1 });
    return { at, transition, alert: structuredClone(this.alert) };
  }
}
