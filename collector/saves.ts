/** Between a fold's tables and the state store that keeps them. */
import type { StateStore } from '../backbone/state.ts';
import type { SavedRow } from '../watch/fold/table.ts';

/** Rows encoded and staged at a time, so that a save never holds the loop for long. */
const SLICE_ROWS = 500;

export function* savedRows(state: StateStore, tables: readonly string[]): Generator<SavedRow> {
  for (const table of tables) {
    for (const { key, value } of state.rows(table)) yield { table, key, value: Buffer.from(value).toString() };
  }
}

/** Stages what a fold gives, slice by slice, until it has given all. */
export async function stageRows(state: StateStore, take: (limit: number) => SavedRow[]): Promise<void> {
  for (let rows = take(SLICE_ROWS); rows.length > 0; rows = take(SLICE_ROWS)) {
    await state.stage(rows.map(({ table, key, value }) => ({ table, key, value: value === null ? null : Buffer.from(value) })));
  }
}
