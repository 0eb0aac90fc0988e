import type { StateStore } from '../../backbone/state.ts';
import { fromBytes } from '../rows.ts';
import { Problem } from './problem.ts';

const DEFAULT_LIMIT = 100;
const MAX_LIMIT = 1_000;
const MAX_CURSOR_BYTES = 500;
/** The form of keys that `newestFirst` makes. */
export const KEY_FORM = /^\d{15}\../;
/** How many rows one request looks at, so that a filter that little passes holds up nobody: some 20 ms of rows from disk. */
export const MAX_ROWS = 5_000;

/** `next` is where to go on, null at the end. A page of a filtered list may be short, or empty, and have a `next` all the same. */
export interface Page<T> {
  items: T[];
  next: string | null;
}

/** A row that was looked at; `item` undefined where the filter does not let it pass. */
export interface Row<T> {
  key: string;
  item: T | undefined;
}

/** How many items a page has: `limit` in the query, 1–1000. */
export function limitOf(query: string | undefined): number {
  if (query === undefined) return DEFAULT_LIMIT;
  const limit = Number(query);
  if (!Number.isInteger(limit) || limit < 1 || limit > MAX_LIMIT)
    throw new Problem(400, 'Bad request', `limit must be a whole number, 1 to ${MAX_LIMIT}`);
  return limit;
}

/** One page of rows in the order of their keys, of at most `maxRows` rows looked at. A cursor is the key of the last of them. */
export function pageOf<T>(rows: Iterable<Row<T>>, limit: number, maxRows = MAX_ROWS): Page<T> {
  const items: T[] = [];
  let looked = 0;
  let last = '';
  for (const { key, item } of rows) {
    if (looked === maxRows || (items.length === limit && item !== undefined)) {
      return { items, next: Buffer.from(last).toString('base64url') };
    }
    looked++;
    last = key;
    if (item !== undefined) items.push(item);
  }
  return { items, next: null };
}

/** The key in a cursor, of the form that the list's keys have. Errors: Problem 400 for what no list gave. */
export function cursorKey(cursor: string | undefined, form: RegExp, maxBytes = MAX_CURSOR_BYTES): string | undefined {
  if (cursor === undefined) return undefined;
  const key = Buffer.from(cursor, 'base64url').toString();
  const bytes = Buffer.from(key);
  if (bytes.length > maxBytes || bytes.toString('base64url') !== cursor || !form.test(key))
    throw new Problem(400, 'Bad request', 'cursor is not one that this list gave: leave it out to begin again');
  return key;
}

/** The `count` rows of the least keys, in their order, without sorting them all. */
export function leastOf<R extends { key: string }>(rows: Iterable<R>, count: number): R[] {
  let least: R[] = [];
  let bound: string | undefined;
  const cut = () => {
    least = least.sort((a, b) => (a.key < b.key ? -1 : 1)).slice(0, count);
    if (least.length === count) bound = least.at(-1)!.key;
  };
  for (const row of rows) {
    if (bound !== undefined && row.key > bound) continue;
    least.push(row);
    if (least.length >= 2 * count) cut();
  }
  cut();
  return least;
}

/** Rows of one table in several stores, merged in the order of their keys. */
export function* rowsAfter<T>(
  stores: StateStore[],
  table: string,
  after: string | undefined,
  wanted: (item: T) => boolean,
): Iterable<Row<T>> {
  const range = after === undefined ? undefined : { after };
  const sources = stores.map((store) => store.rows(table, range)[Symbol.iterator]());
  const heads = sources.map((source) => source.next());
  try {
    for (;;) {
      let least = -1;
      for (const [i, head] of heads.entries()) if (!head.done && (least < 0 || head.value.key < heads[least]!.value.key)) least = i;
      if (least < 0) return;
      const { key, value } = heads[least]!.value;
      const item = fromBytes<T>(value);
      yield { key, item: wanted(item) ? item : undefined };
      heads[least] = sources[least]!.next();
    }
  } finally {
    for (const source of sources) source.return?.();
  }
}
