/**
 * What is known of endpoints and of their events: in memory, with the rows that keep it. Each step changes the memory at once and
 * gives the changes to be committed; nothing is sent before they are.
 */
import type { Change, StateStore } from '../../backbone/state.ts';
import type { Transition } from '../../protocol/alerts.ts';
import { fromBytes, toBytes } from '../rows.ts';
import { type Endpoint, type EventType, eventTypeFor } from './endpoint.ts';
import { eventId, type WebhookEvent } from './event.ts';
import { failureOf, type Judgement, judge, type Result } from './judge.ts';
import { Line, type Waiting } from './line.ts';
import type { Answer } from './post.ts';
import { CURSOR, DELIVERIES, deliveryKey, ENDPOINTS, EVENTS, endpointOf, eventKey, prefixOf, TOLD, toldKey, WAITING } from './tables.ts';

const CURSOR_KEY = 'outbox';

/** An attempt that was begun at `at`. */
export interface Begun {
  endpoint: string;
  url: string;
  waiting: Waiting;
  at: number;
}

/** One attempt, as it is kept for people. Times are epoch milliseconds. */
export interface Delivery {
  id: string;
  sequence: number;
  type: EventType;
  attempt: number;
  at: number;
  /** Null where it was cut off, or is under way. */
  durationMs: number | null;
  /** The receiver's; null where there was no answer. */
  status: number | null;
  error: string | null;
  /** Its first kilobyte. */
  answer: string | null;
  /** `begun`: what came of it is not known, or not yet. */
  result: Result | 'begun';
  nextAt: number | null;
}

export class Book {
  readonly endpoints = new Map<string, Endpoint>();
  readonly lines = new Map<string, Line>();
  /** The alerts that an endpoint was told of, and not yet of their end. */
  readonly #told = new Set<string>();
  /** The last row of the watch's outbox that was taken in. */
  outbox: number;

  constructor(state: StateStore) {
    for (const { value } of state.rows(ENDPOINTS)) this.put(fromBytes<Endpoint>(value));
    for (const { key } of state.rows(TOLD)) this.#told.add(key);
    for (const { key, value } of state.rows(WAITING)) this.lines.get(endpointOf(key))?.add(fromBytes<Waiting>(value));
    const cursor = state.get(CURSOR, CURSOR_KEY);
    this.outbox = cursor ? fromBytes<number>(cursor) : 0;
  }

  /** Puts an endpoint in place of the one of its id. */
  put(endpoint: Endpoint): Change[] {
    this.endpoints.set(endpoint.id, endpoint);
    if (!this.lines.has(endpoint.id)) this.lines.set(endpoint.id, new Line());
    return [endpointRow(endpoint)];
  }

  /** Forgets an endpoint. Its other rows stay, for pruning. */
  remove(id: string): Change[] {
    this.endpoints.delete(id);
    this.lines.delete(id);
    for (const key of this.#told) if (key.startsWith(prefixOf(id))) this.#told.delete(key);
    return [{ table: ENDPOINTS, key: id, value: null }];
  }

  /** Takes in the watch's outbox up to its row `outbox`: the events of everybody who is told. */
  tell(transitions: readonly Transition[], outbox: number, now: number): Change[] {
    this.outbox = outbox;
    const told = transitions.flatMap((transition) => [...this.endpoints.values()].flatMap((e) => this.#tellOne(e, transition, now)));
    return [...told, { table: CURSOR, key: CURSOR_KEY, value: toBytes(outbox) }];
  }

  /** An event of its own, about no alert. */
  ping(endpoint: Endpoint, id: string, now: number): { sequence: number; changes: Change[] } {
    return this.#append(endpoint, { id, type: 'ping', at: now, alert: null }, now);
  }

  /** Puts an event into the line again, for a first attempt; nothing where it waits there already. */
  again({ id, endpoint, sequence, type, alert }: WebhookEvent, now: number): Change[] {
    const waiting = newWaiting({ id, sequence, type, subject: alert?.id ?? id, tried: true }, now);
    return this.lines.get(endpoint)!.add(waiting) ? [waitingRow(endpoint, waiting)] : [];
  }

  /** All that waits at an endpoint is tried from the start, beginning now, but for what is under way. */
  restart(endpoint: string, now: number): Change[] {
    const restarted = this.lines.get(endpoint)!.restart(now);
    return restarted.map((waiting) => waitingRow(endpoint, waiting));
  }

  /** Gives up what waits at an endpoint up to a sequence. */
  dropUpTo(endpoint: string, sequence: number): Change[] {
    const dropped = this.lines.get(endpoint)!.dropUpTo(sequence);
    return dropped.map((waiting) => ({ table: WAITING, key: eventKey(endpoint, waiting.sequence), value: null }));
  }

  /** Begins the next attempt that is due at an endpoint; undefined where none is. */
  begin(endpoint: Endpoint, now: number): { begun: Begun; changes: Change[] } | undefined {
    if (endpoint.disabled !== null || (endpoint.pausedUntil ?? 0) > now) return undefined;
    const waiting = this.lines.get(endpoint.id)!.take(now);
    if (!waiting) return undefined;
    waiting.attempts++;
    waiting.tried = true;
    waiting.firstAt ??= now;
    waiting.lastAt = now;
    endpoint.deliveries++;
    const delivery: Delivery = { ...attemptOf(waiting, now), ...NOTHING_KNOWN };
    const changes = [endpointRow(endpoint), waitingRow(endpoint.id, waiting), deliveryRow(endpoint.id, delivery)];
    return { begun: { endpoint: endpoint.id, url: endpoint.url, waiting, at: now }, changes };
  }

  /** Drops one under way whose event is gone: there is nothing to send. */
  abandon({ endpoint, waiting }: Begun): Change[] {
    this.lines.get(endpoint)?.settle(waiting, true);
    return [{ table: WAITING, key: eventKey(endpoint, waiting.sequence), value: null }];
  }

  /** Takes an attempt's answer in; undefined where its endpoint was removed meanwhile. */
  end({ endpoint: id, url, waiting, at }: Begun, answer: Answer, now: number, random: () => number) {
    const endpoint = this.endpoints.get(id);
    const line = this.lines.get(id);
    if (!endpoint || !line) return undefined;
    const wasDisabled = endpoint.disabled;
    // What an address answered that it no longer has says nothing of the one that it has now.
    const judgement = endpoint.url === url ? judge(endpoint, waiting, answer, now, random) : anew(answer, now);
    Object.assign(endpoint, judgement.endpoint);
    const done = judgement.result === 'delivered' || judgement.result === 'given_up';
    if (judgement.nextAt !== null) waiting.nextAt = judgement.nextAt;
    line.settle(waiting, done);
    const delivery = deliveryOf(waiting, at, answer, judgement, now);
    const changes: Change[] = [
      endpointRow(endpoint),
      done ? { table: WAITING, key: eventKey(id, waiting.sequence), value: null } : waitingRow(id, waiting),
      deliveryRow(id, delivery),
    ];
    return { endpoint, delivery, disabledNow: endpoint.disabled !== wasDisabled, changes };
  }

  #tellOne(endpoint: Endpoint, transition: Transition, now: number): Change[] {
    const { alert, at } = transition;
    const key = toldKey(endpoint.id, alert.id);
    const type = eventTypeFor(endpoint, transition, this.#told.has(key));
    if (type === null) return [];
    const told = this.#noteTold(key, type);
    const last = this.lines.get(endpoint.id)!.last(alert.id);
    // What nobody was told of yet is told as it is now, under the same webhook-id and sequence.
    if (type === 'alert.updated' && last?.type === type && !last.tried) {
      return [...told, eventRow({ ...last, endpoint: endpoint.id, at, alert })];
    }
    return [...told, ...this.#append(endpoint, { id: eventId(endpoint.id, alert), type, at, alert }, now).changes];
  }

  #noteTold(key: string, type: EventType): Change[] {
    if (type === 'alert.updated') return [];
    const isOpen = type === 'alert.fired';
    if (isOpen) this.#told.add(key);
    else this.#told.delete(key);
    return [{ table: TOLD, key, value: isOpen ? toBytes(true) : null }];
  }

  #append(endpoint: Endpoint, content: Pick<WebhookEvent, 'id' | 'type' | 'at' | 'alert'>, now: number) {
    const sequence = ++endpoint.sequence;
    const { id, type, alert } = content;
    const waiting = newWaiting({ id, sequence, type, subject: alert?.id ?? id, tried: false }, now);
    this.lines.get(endpoint.id)!.add(waiting);
    const event = eventRow({ ...content, endpoint: endpoint.id, sequence });
    return { sequence, changes: [endpointRow(endpoint), event, waitingRow(endpoint.id, waiting)] };
  }
}

type Place = Pick<Waiting, 'id' | 'sequence' | 'type' | 'subject' | 'tried'>;

function newWaiting({ id, sequence, type, subject, tried }: Place, now: number): Waiting {
  return { id, sequence, type, subject, tried, attempts: 0, firstAt: null, lastAt: null, nextAt: now };
}

function endpointRow(endpoint: Readonly<Endpoint>): Change {
  return { table: ENDPOINTS, key: endpoint.id, value: toBytes(endpoint) };
}

function eventRow({ id, endpoint, sequence, type, at, alert }: Readonly<WebhookEvent>): Change {
  return { table: EVENTS, key: eventKey(endpoint, sequence), value: toBytes({ id, endpoint, sequence, type, at, alert }) };
}

function waitingRow(endpoint: string, waiting: Readonly<Waiting>): Change {
  return { table: WAITING, key: eventKey(endpoint, waiting.sequence), value: toBytes(waiting) };
}

function deliveryRow(endpoint: string, delivery: Delivery): Change {
  return { table: DELIVERIES, key: deliveryKey(endpoint, delivery), value: toBytes(delivery) };
}

const NOTHING_KNOWN = { durationMs: null, status: null, error: null, answer: null, result: 'begun', nextAt: null } as const;

function attemptOf({ id, sequence, type, attempts }: Readonly<Waiting>, at: number) {
  return { id, sequence, type, attempt: attempts, at };
}

function anew(answer: Answer, now: number): Judgement {
  return { result: 'retry', error: failureOf(answer) ?? 'its address was changed meanwhile', nextAt: now, endpoint: {} };
}

function deliveryOf(waiting: Readonly<Waiting>, at: number, answer: Answer, { result, error, nextAt }: Judgement, now: number) {
  const [status, text] = answer.kind === 'answered' ? [answer.status, answer.text] : [null, null];
  return { ...attemptOf(waiting, at), durationMs: now - at, status, error, answer: text, result, nextAt };
}
