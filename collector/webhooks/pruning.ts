/** What goes of events and of the log of deliveries: what is old, what is too much, and what is left of removed endpoints. */
import type { Change, StateStore } from '../../backbone/state.ts';
import { fromBytes, newestFirst } from '../rows.ts';
import type { Book } from './book.ts';
import type { Endpoint } from './endpoint.ts';
import type { WebhookEvent } from './event.ts';
import { DELIVERIES, EVENTS, endpointOf, prefixOf, TOLD, WAITING } from './tables.ts';

const KEPT_MS = 30 * 86_400_000;
/** Events of one endpoint: a receiver that is away for longer than that asks for what it missed by other means. */
const KEPT_EVENTS = 100_000;
const KEPT_DELIVERIES = 100_000;
/** Rows that go at a time. */
const LIMIT = 2_000;
/** After every key of an endpoint. */
const LAST = '\u{10ffff}';

/** `more`: there are others. `undelivered`: how many of an endpoint's events go that still waited. */
interface Pruned {
  changes: Change[];
  more: boolean;
  undelivered: Map<Endpoint, number>;
}

/** The next rows to go. */
export function pruned(book: Book, state: StateStore, now: number, keptDeliveries = KEPT_DELIVERIES): Pruned {
  const changes: Change[] = [];
  const undelivered = new Map<Endpoint, number>();
  const isFull = () => changes.length >= LIMIT;
  const remove = (table: string, rows: Iterable<string>) => {
    for (const key of rows) {
      if (isFull()) return;
      changes.push({ table, key, value: null });
    }
  };
  for (const endpoint of book.endpoints.values()) {
    const before = changes.length;
    remove(DELIVERIES, keysOf(state, DELIVERIES, endpoint.id, newestFirst(now - KEPT_MS, LAST)));
    if (changes.length === before && endpoint.deliveries > keptDeliveries) remove(DELIVERIES, beyond(state, endpoint.id, keptDeliveries));
    endpoint.deliveries -= changes.length - before;
    if (changes.length > before) changes.push(...book.put(endpoint));
    const keys = [...oldEvents(state, endpoint, now - KEPT_MS, book.lines.get(endpoint.id)!.oldestUnderWay)].slice(0, LIMIT);
    remove(EVENTS, keys);
    const dropped = keys.length > 0 ? book.dropUpTo(endpoint.id, Number(keys.at(-1)!.slice(prefixOf(endpoint.id).length))) : [];
    changes.push(...dropped);
    if (dropped.length > 0) undelivered.set(endpoint, dropped.length);
  }
  for (const table of [EVENTS, WAITING, TOLD, DELIVERIES]) {
    for (const id of endpointsIn(state, table)) if (!book.endpoints.has(id)) remove(table, keysOf(state, table, id));
  }
  return { changes, more: isFull(), undelivered };
}

/** An endpoint's rows after so many. */
function* beyond(state: StateStore, endpoint: string, kept: number): Iterable<string> {
  let n = 0;
  for (const key of keysOf(state, DELIVERIES, endpoint)) if (++n > kept) yield key;
}

/** Up to one that is under way: its attempt may be followed by another one, which needs it. */
function* oldEvents(state: StateStore, { id, sequence }: Readonly<Endpoint>, before: number, underWay: number): Iterable<string> {
  for (const { key, value } of state.rows(EVENTS, { after: prefixOf(id) })) {
    if (!key.startsWith(prefixOf(id))) return;
    const event = fromBytes<WebhookEvent>(value);
    if (event.sequence >= underWay || (event.at >= before && event.sequence > sequence - KEPT_EVENTS)) return;
    yield key;
  }
}

function* keysOf(state: StateStore, table: string, endpoint: string, after = ''): Iterable<string> {
  for (const { key } of state.rows(table, { after: prefixOf(endpoint) + after })) {
    if (!key.startsWith(prefixOf(endpoint))) return;
    yield key;
  }
}

/** The endpoints that a table has rows of, without reading those. */
function* endpointsIn(state: StateStore, table: string): Iterable<string> {
  for (let after = ''; ; ) {
    const [first] = state.rows(table, { after });
    if (!first) return;
    const id = endpointOf(first.key);
    yield id;
    after = prefixOf(id) + LAST;
  }
}
