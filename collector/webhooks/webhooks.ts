/** What people do with endpoints. All of it is durable once resolved. */
import type { Change, StateStore } from '../../backbone/state.ts';
import { fromBytes } from '../rows.ts';
import { Turns } from '../turns.ts';
import type { Book, Delivery } from './book.ts';
import type { Endpoint, Filter } from './endpoint.ts';
import type { WebhookEvent } from './event.ts';
import { newSecret } from './secrets.ts';
import { DELIVERIES, EVENTS, eventKey, prefixOf } from './tables.ts';

/** An older secret signs beside the new one for so long after a rotation. */
const ROTATION_MS = 24 * 3_600_000;
/** That sign at a time: rotations in a hurry must not leave out one that a receiver still goes by. */
const MAX_SECRETS = 5;
/** Events that one request puts into the line again. */
export const MAX_REPLAYED = 10_000;

/** What of an endpoint its owner decides. */
export type Wanted = Filter & Pick<Endpoint, 'url' | 'description' | 'language'>;

/** Which events to send again: by sequence, by time (epoch milliseconds), both ends included, or by their webhook-ids. */
export type Selection = { fromSequence: number; toSequence: number } | { from: number; to: number } | { ids: readonly string[] };

export interface WebhooksDeps {
  book: Book;
  state: StateStore;
  write(changes: readonly Change[]): Promise<void>;
  now(): number;
  monotonic(): number;
  random(bytes: number): Buffer;
}

export class Webhooks {
  readonly #deps: WebhooksDeps;

  constructor(deps: WebhooksDeps) {
    this.#deps = deps;
  }

  /** In the order of their making. */
  all(): Readonly<Endpoint>[] {
    return [...this.#deps.book.endpoints.values()].sort((a, b) => a.createdAt - b.createdAt || (a.id < b.id ? -1 : 1));
  }

  get(id: string): Readonly<Endpoint> | undefined {
    return this.#deps.book.endpoints.get(id);
  }

  /** How many of its events wait for delivery. */
  waiting(id: string): number {
    return this.#deps.book.lines.get(id)?.size ?? 0;
  }

  /** Without a secret it gets a new one. */
  async create(acquirer: string | null, wanted: Wanted, secret?: string): Promise<Readonly<Endpoint>> {
    const { book, write, now, random } = this.#deps;
    const endpoint: Endpoint = {
      ...wanted,
      id: `we_${random(9).toString('hex')}`,
      acquirer,
      secrets: [{ text: secret ?? newSecret(random), until: null }],
      disabled: null,
      sequence: 0,
      deliveries: 0,
      createdAt: now(),
      succeededAt: null,
      failingSince: null,
      failedAt: null,
      lastError: null,
      pausedUntil: null,
    };
    await write(book.put(endpoint));
    return endpoint;
  }

  /** Changes it. With `enabled` true it is delivered to again: what waits is tried from the start, beginning now. */
  async change({ id }: Readonly<Endpoint>, { enabled, ...change }: Partial<Wanted> & { enabled?: boolean }): Promise<Readonly<Endpoint>> {
    const { book, write, now } = this.#deps;
    const endpoint: Endpoint = { ...book.endpoints.get(id)!, ...change, ...(enabled === false && { disabled: 'operator' }) };
    if (enabled === true)
      Object.assign(endpoint, { disabled: null, failingSince: null, failedAt: null, lastError: null, pausedUntil: null });
    await write([...book.put(endpoint), ...(enabled === true ? book.restart(id, now()) : [])]);
    return endpoint;
  }

  async remove({ id }: Readonly<Endpoint>): Promise<void> {
    await this.#deps.write(this.#deps.book.remove(id));
  }

  /** From now on a new secret signs, and those before beside it for a day. Gives the new one. */
  async rotate({ id }: Readonly<Endpoint>, text = newSecret(this.#deps.random)): Promise<{ secret: string; oldUntil: number }> {
    const { book, write, now } = this.#deps;
    const endpoint = book.endpoints.get(id)!;
    const oldUntil = now() + ROTATION_MS;
    const [present, ...older] = endpoint.secrets;
    const stillSigning = older.filter(({ until }) => until !== null && until > now());
    const secrets = [{ text, until: null }, { ...present!, until: oldUntil }, ...stillSigning].slice(0, MAX_SECRETS);
    await write(book.put({ ...endpoint, secrets }));
    return { secret: text, oldUntil };
  }

  /** Sends a ping. */
  async test({ id }: Readonly<Endpoint>): Promise<{ id: string; sequence: number }> {
    const { book, write, now, random } = this.#deps;
    const ping = `msg_${random(12).toString('hex')}`;
    const { sequence, changes } = book.ping(book.endpoints.get(id)!, ping, now());
    await write(changes);
    return { id: ping, sequence };
  }

  /** Sends events again, under their old webhook-ids and sequences; how many. Errors: RangeError for more than MAX_REPLAYED. */
  async replay({ id }: Readonly<Endpoint>, selection: Selection): Promise<number> {
    const { book, write, now } = this.#deps;
    const events = await this.#select(id, selection);
    if (!book.endpoints.has(id)) return 0;
    await write(events.flatMap((event) => book.again(event, now())));
    return events.length;
  }

  /** The attempts at an endpoint, the newest first; `after`: a key that this gave. */
  *deliveries({ id }: Readonly<Endpoint>, after = ''): Iterable<{ key: string; item: Delivery }> {
    const prefix = prefixOf(id);
    for (const { key, value } of this.#deps.state.rows(DELIVERIES, { after: prefix + after })) {
      if (!key.startsWith(prefix)) return;
      yield { key: key.slice(prefix.length), item: fromBytes<Delivery>(value) };
    }
  }

  async #select(endpoint: string, selection: Selection): Promise<WebhookEvent[]> {
    const { state, monotonic } = this.#deps;
    const after = eventKey(endpoint, 'fromSequence' in selection ? Math.max(0, selection.fromSequence - 1) : 0);
    const turns = new Turns(monotonic);
    const selected: WebhookEvent[] = [];
    for (const { key, value } of state.rows(EVENTS, { after })) {
      if (!key.startsWith(prefixOf(endpoint))) break;
      const event = fromBytes<WebhookEvent>(value);
      if ('toSequence' in selection && event.sequence > selection.toSequence) break;
      if (isSelected(event, selection)) selected.push(event);
      if (selected.length > MAX_REPLAYED) throw new RangeError(`more than ${MAX_REPLAYED} events: ask for them in parts`);
      if (turns.isOver()) await turns.next();
    }
    return selected;
  }
}

function isSelected({ id, at }: WebhookEvent, selection: Selection): boolean {
  if ('ids' in selection) return selection.ids.includes(id);
  return 'fromSequence' in selection || (at >= selection.from && at <= selection.to);
}
