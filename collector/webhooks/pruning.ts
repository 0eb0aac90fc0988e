/** What goes of events and of the log of deliveries: what is old, what is too much, and what is left of removed endpoints. */
import type { Change, StateStore } from '../../backbone/state.ts';
import { fromBytes, newestFirst } from '../owner/outputs.ts';
import type { Book } from './book.ts';
import type { Endpoint } from './endpoint.ts';
import type { WebhookEvent } from './event.ts';
import { DELIVERIES, EVENTS, endpointOf, prefixOf, TOLD, WAITING } from './tables.ts';

const KEPT_MS = 30 * 86_400_000;
/** Events of one endpoint: a receiver that is away for longer than that asks for what it missed by other means. */
const KEPT_EVENTS = 100_000;
/** Rows that go at a time. */
const LIMIT = 2_000;
/** After every key of an endpoint. */
const LAST = '\u{10ffff}';

/** The next rows to go; `more` where there are others. What goes and still waited is not delivered any more. */
export function pruned(book: Book, state: StateStore, now: number): { changes: Change[]; more: boolean } {
  const changes: Change[] = [];
  const isFull = () => changes.length >= LIMIT;
  const remove = (table: string, rows: Iterable<string>) => {
    for (const key of rows) {
      if (isFull()) return;
      changes.push({ table, key, value: null });
    }
  };
  for (const endpoint of book.endpoints.values()) {
    remove(DELIVERIES, keysOf(state, DELIVERIES, endpoint.id, newestFirst(now - KEPT_MS, LAST)));
    const keys = [...oldEvents(state, endpoint, now - KEPT_MS, book.lines.get(endpoint.id)!.oldestUnderWay)].slice(0, LIMIT);
    remove(EVENTS, keys);
    if (keys.length > 0) changes.push(...book.dropUpTo(endpoint.id, Number(keys.at(-1)!.slice(prefixOf(endpoint.id).length))));
  }
  for (const table of [EVENTS, WAITING, TOLD, DELIVERIES]) {
    for (const id of endpointsIn(state, table)) if (!book.endpoints.has(id)) remove(table, keysOf(state, table, id));
  }
  return { changes, more: isFull() };
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
