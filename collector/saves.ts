/** Between a fold's tables and the state store that keeps them. */
import type { Change, StateStore } from '../backbone/state.ts';
import type { SavedRow } from '../watch/fold/table.ts';

/** Rows encoded and staged at a time, so that a save never holds the loop for long. */
const SLICE_ROWS = 500;
const SLICE_BYTES = 1024 * 1024;

type Stage = (changes: readonly Change[]) => Promise<void>;

export function* savedRows(state: StateStore, tables: readonly string[]): Generator<SavedRow> {
  for (const table of tables) {
    for (const { key, value } of state.rows(table)) yield { table, key, value: Buffer.from(value).toString() };
  }
}

/** Stages what a fold gives, slice by slice, until it has given all. What was given once is not given again: `stage` must succeed. */
export async function stageRows(stage: Stage, take: (limit: number) => SavedRow[]): Promise<void> {
  for (let rows = take(SLICE_ROWS); rows.length > 0; rows = take(SLICE_ROWS)) {
    await stage(rows.map(({ table, key, value }) => ({ table, key, value: value === null ? null : Buffer.from(value) })));
  }
}

/** Stages changes slice by slice, in their order. */
export async function stageChanges(stage: Stage, changes: readonly Change[]): Promise<void> {
  for (let from = 0; from < changes.length; ) {
    let to = from;
    for (let bytes = 0; to < changes.length && to - from < SLICE_ROWS && bytes < SLICE_BYTES; to++)
      bytes += changes[to]!.value?.length ?? 0;
    await stage(changes.slice(from, to));
    from = to;
  }
}
