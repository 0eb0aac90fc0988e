import { Problem } from './problem.ts';

const DEFAULT_LIMIT = 100;
const MAX_LIMIT = 1_000;

export interface Page<T> {
  items: T[];
  next: string | null;
}

/** How many items a page has: `limit` in the query, 1–1000. */
export function limitOf(query: string | undefined): number {
  if (query === undefined) return DEFAULT_LIMIT;
  const limit = Number(query);
  if (!Number.isInteger(limit) || limit < 1 || limit > MAX_LIMIT)
    throw new Problem(400, 'Bad request', `limit must be a whole number, 1 to ${MAX_LIMIT}`);
  return limit;
}

/** One page of rows in the order of their keys. A cursor is the key of the last item before. */
export function pageOf<T>(rows: Iterable<{ key: string; item: T }>, limit: number): Page<T> {
  const items: T[] = [];
  let last = '';
  for (const { key, item } of rows) {
    if (items.length === limit) return { items, next: Buffer.from(last).toString('base64url') };
    items.push(item);
    last = key;
  }
  return { items, next: null };
}

export function cursorKey(cursor: string | undefined): string | undefined {
  return cursor === undefined ? undefined : Buffer.from(cursor, 'base64url').toString();
}
