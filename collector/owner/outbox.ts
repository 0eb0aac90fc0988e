/**
 * What the watch said for others of the installation, in the order in which it did: durable with the state that said it, and kept until
 * all of them have read it. Rows are numbered from 1 and lie in packs, each under the number of its last row: one by one they would cost
 * the state more than all else that a busy watch has to save.
 */
import type { Change, StateStore } from '../../backbone/state.ts';
import type { Alert } from '../../protocol/alerts.ts';
import type { WatchRow } from '../../watch/fold/output.ts';
import { fromBytes, numberKey } from '../rows.ts';

const OUTBOX = 'outbox';
const PACK_ROWS = 100;

/** Who reads the outbox. */
export const OUTBOX_READERS = ['feed', 'webhooks'] as const;
export type OutboxReader = (typeof OUTBOX_READERS)[number];

/** One row for the store. */
export type OutboxRow = { kind: 'transition'; at: number; transition: string; alert: Alert } | { kind: 'row'; row: WatchRow };

export interface NumberedRow {
  sequence: number;
  row: OutboxRow;
}

/** The rows (as JSON, as they were when they were said) that end with the number `last`, to be committed. */
export function packs(rows: readonly string[], last: number): Change[] {
  const changes: Change[] = [];
  for (let from = 0; from < rows.length; from += PACK_ROWS) {
    const pack = rows.slice(from, from + PACK_ROWS);
    const key = numberKey(last - rows.length + from + pack.length);
    changes.push({ table: OUTBOX, key, value: Buffer.from(`[${pack.join(',')}]`) });
  }
  return changes;
}

/** The rows behind this number. */
export function* outboxAfter(state: StateStore, after: number): Generator<NumberedRow> {
  for (const { key, value } of state.rows(OUTBOX, { after: numberKey(after) })) {
    const pack = fromBytes<OutboxRow[]>(value);
    const first = Number(key) - pack.length + 1;
    for (const [i, row] of pack.entries()) if (first + i > after) yield { sequence: first + i, row };
  }
}

/** Removes the packs of which all rows are numbered up to `done`. */
export function removals(state: StateStore, done: number): Change[] {
  const changes: Change[] = [];
  for (const { key } of state.rows(OUTBOX)) {
    if (Number(key) > done) break;
    changes.push({ table: OUTBOX, key, value: null });
  }
  return changes;
}
