/**
 * Reads what the watch said, writes down who is to be told, and tells them: each endpoint at its own pace. An event is durable before
 * its first attempt, an attempt before its request, and its outcome after: whatever is cut off in between is made again, under the
 * same webhook-id.
 */
import { setMaxListeners } from 'node:events';
import type { Change, StateStore } from '../../backbone/state.ts';
import type { Transition } from '../../protocol/alerts.ts';
import { Bell } from '../bell.ts';
import { follow } from '../follow.ts';
import { outboxAfter } from '../owner/outbox.ts';
import type { Clock } from '../owner/owner.ts';
import type { Patience } from '../patience.ts';
import { fromBytes } from '../rows.ts';
import type { Begun, Book, Delivery } from './book.ts';
import { type Endpoint, nameOf, secretsAt } from './endpoint.ts';
import { bodyOf, type WebhookEvent } from './event.ts';
import type { Result } from './judge.ts';
import { Ledger } from './ledger.ts';
import type { Answer } from './post.ts';
import { pruned } from './pruning.ts';
import { readSecret } from './secrets.ts';
import { signedHeaders } from './signature.ts';
import { EVENTS, eventKey } from './tables.ts';

/** Rows of the outbox taken in at a time. */
const OUTBOX_ROWS = 500;
/** Without other news the outbox is looked at so often. */
const IDLE_MS = 1_000;
const PRUNE_EVERY_MS = 3_600_000;
const HEADERS = { 'content-type': 'application/json', 'user-agent': 'tillwatch' };

export interface CourierDeps {
  book: Book;
  /** The webhooks' own. */
  state: StateStore;
  /** The watch's, whose outbox is read. */
  watchState: StateStore;
  clock: Clock;
  random(): number;
  patience: Patience;
  /** Sends a request; never rejects. */
  post(url: URL, headers: Record<string, string>, body: Buffer, signal: AbortSignal): Promise<Answer>;
  /** Resolves when the watch has saved again, or the signal aborts. */
  saved(signal: AbortSignal): Promise<void>;
  /** Told that rows of the outbox up to this number are not needed any more. */
  outboxRead(sequence: number): void;
  say(line: string): void;
}

export class Courier {
  readonly #deps: CourierDeps;
  readonly #ledger: Ledger;
  readonly #stopping = new AbortController();
  readonly #bell = new Bell();
  readonly #underWay = new Set<Promise<void>>();
  #failure: unknown = null;
  #prunedAt = Number.NEGATIVE_INFINITY;
  /** For metrics: attempts by what came of them. */
  readonly attempts: Record<Result, number> = { delivered: 0, retry: 0, given_up: 0, disabled: 0 };
  /** Events that went before they were delivered, being too old or too many. */
  dropped = 0;

  constructor(deps: CourierDeps) {
    this.#deps = deps;
    // Each attempt under way listens to it.
    setMaxListeners(0, this.#stopping.signal);
    this.#ledger = new Ledger(deps.state, deps.patience, this.#stopping.signal);
  }

  /** Makes a change of the book durable, and acts on it. Errors: StateError. */
  async write(changes: readonly Change[]): Promise<void> {
    await this.#ledger.write(changes);
    this.#bell.ring();
  }

  /** Runs until the signal aborts; rejects where the state cannot be used any more. */
  async run(signal: AbortSignal): Promise<void> {
    signal.addEventListener('abort', () => this.#stopping.abort(), { once: true });
    if (signal.aborted) this.#stopping.abort();
    const { book, outboxRead } = this.#deps;
    outboxRead(book.outbox);
    while (!signal.aborted) {
      await this.#takeOutbox();
      if (this.#failure) throw this.#failure;
      this.#beginAll();
      await this.#prune();
      await this.#idle(signal);
    }
    await Promise.all(this.#underWay);
    if (this.#failure) throw this.#failure;
  }

  async #takeOutbox(): Promise<void> {
    const { book, watchState, clock, outboxRead } = this.#deps;
    for (;;) {
      const transitions: Transition[] = [];
      let rows = 0;
      let last = book.outbox;
      for (const { sequence, row } of outboxAfter(watchState, book.outbox)) {
        if (++rows > OUTBOX_ROWS) break;
        if (row.kind === 'transition') transitions.push({ at: row.at, transition: row.transition, alert: row.alert } as Transition);
        last = sequence;
      }
      if (rows === 0) return;
      await this.#ledger.write(book.tell(transitions, last, clock.now()));
      outboxRead(last);
    }
  }

  /** Begins every attempt that is due and has a place. */
  #beginAll(): void {
    const { book, clock } = this.#deps;
    const now = clock.now();
    for (const endpoint of book.endpoints.values()) {
      while (book.lines.get(endpoint.id)!.underWay < placesAt(endpoint)) {
        const next = book.begin(endpoint, now);
        if (!next) break;
        this.#follow(this.#attempt(next.begun, next.changes));
      }
    }
  }

  #follow(attempt: Promise<void>): void {
    const followed = attempt
      .catch((error) => {
        this.#failure ??= error;
      })
      .finally(() => {
        this.#underWay.delete(followed);
        this.#bell.ring();
      });
    this.#underWay.add(followed);
  }

  async #attempt(begun: Begun, changes: readonly Change[]): Promise<void> {
    const { book, clock, random } = this.#deps;
    await this.#ledger.write(changes);
    const answer = await this.#send(begun);
    if (answer === null) return this.#ledger.write(book.abandon(begun));
    // Our own end says nothing of the receiver: the attempt is made again.
    if (answer.kind === 'unanswered' && this.#stopping.signal.aborted) return;
    const ended = book.end(begun, answer, clock.now(), random);
    if (!ended) return;
    const { endpoint, delivery, disabledNow } = ended;
    this.attempts[delivery.result]++;
    if (disabledNow || delivery.result === 'given_up') this.#tellOperators(endpoint, delivery);
    await this.#ledger.write(ended.changes);
  }

  /** Null where there is nothing to send any more. */
  async #send({ endpoint: id, url, waiting }: Begun): Promise<Answer | null> {
    const { book, state, post, clock } = this.#deps;
    const endpoint = book.endpoints.get(id);
    const row = state.get(EVENTS, eventKey(id, waiting.sequence));
    if (!endpoint || !row) return null;
    const body = bodyOf(fromBytes<WebhookEvent>(row), endpoint.language);
    // Writing it down may have waited for a disk: receivers take a delivery that says it was sent just now.
    const now = clock.now();
    const keys = secretsAt(endpoint, now).flatMap((secret) => {
      const read = readSecret(secret);
      return read.ok ? [read.key] : [];
    });
    const headers = { ...signedHeaders(waiting.id, Math.floor(now / 1000), body, keys), ...HEADERS };
    return post(new URL(url), headers, body, this.#stopping.signal);
  }

  #tellOperators(endpoint: Readonly<Endpoint>, { result, sequence, error, attempt }: Delivery): void {
    const what = {
      given_up: `: event ${sequence} is given up after ${attempt} attempts (${error}): resend it once the receiver is well`,
      gone: ' answered 410 and is disabled: its events wait until it is enabled',
      failing: ` has failed for five days (${error}) and is disabled: its events wait until it is enabled`,
    };
    const why = result === 'given_up' ? result : endpoint.disabled;
    if (why === 'given_up' || why === 'gone' || why === 'failing') this.#deps.say(nameOf(endpoint) + what[why]);
  }

  async #prune(): Promise<void> {
    const { book, state, clock, say } = this.#deps;
    if (clock.monotonic() - this.#prunedAt < PRUNE_EVERY_MS) return;
    const { changes, more, undelivered } = pruned(book, state, clock.now());
    for (const [endpoint, count] of undelivered) {
      this.dropped += count;
      say(`${nameOf(endpoint)}: ${count} events that waited too long, or were too many, will not be delivered any more`);
    }
    await this.#ledger.write(changes);
    if (!more) this.#prunedAt = clock.monotonic();
  }

  /** Until there may be something to do. */
  async #idle(signal: AbortSignal): Promise<void> {
    const { book, clock, saved } = this.#deps;
    const until = follow(signal);
    const due = Math.min(...[...book.endpoints.values()].map((endpoint) => this.#dueAt(endpoint)));
    const wait = Math.min(IDLE_MS, Math.max(0, due - clock.now()));
    await Promise.race([this.#bell.heard(until.signal), saved(until.signal), clock.sleep(wait, until.signal)]);
    until.end();
  }

  /** When there is next something to begin at an endpoint, as far as time alone decides it. */
  #dueAt(endpoint: Readonly<Endpoint>): number {
    const line = this.#deps.book.lines.get(endpoint.id)!;
    if (endpoint.disabled !== null || line.underWay >= placesAt(endpoint)) return Number.POSITIVE_INFINITY;
    return Math.max(line.nextAt(), endpoint.pausedUntil ?? 0);
  }
}

/** Attempts at one endpoint at a time: while it fails, one is enough to see when it is back. */
function placesAt({ failingSince }: Readonly<Endpoint>): number {
  return failingSince === null ? 8 : 1;
}
