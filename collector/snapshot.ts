/**
 * A fold's tables in a state store. Each save adds the rows that changed, in packs: row by row they would cost as much as all else that a
 * report costs, as in a fleet of any size nearly every report changes a row that the save before had, too. A row holds as its last pack
 * says. When the packs hold several times as many rows as there are, each save takes rows up anew, as many as have changed; once all rows
 * have been, the packs of before are dropped.
 */
import type { Change, StateStore } from '../backbone/state.ts';
import { type SavedRow, type Table, takeSaved } from '../watch/fold/table.ts';
import { fromBytes, numberKey, toBytes } from './rows.ts';
import { type Stage, stageChanges } from './saves.ts';

/** Rows encoded and staged at a time, so that a save never holds the loop for long. */
const PACK_ROWS = 500;
const PACKS = 'packs';
const HEAD = 'snapshot';
const HEAD_KEY = 'head';

/** Rows are taken up anew when the packs hold `times` as many as there are, and `least` more; that many at least in each save. */
const RENEWAL = { times: 3, least: 5_000 };

/** Packs from `first` to before `next`, and how many rows they hold. */
interface Head {
  first: number;
  next: number;
  rows: number;
}

export class Snapshot {
  readonly #state: StateStore;
  readonly #tables: readonly Table<object>[];
  readonly #renewal: typeof RENEWAL;
  #head: Head;
  /** What is left to be taken up anew, and which packs can go then: those that there were when it began. */
  #round: { left: Generator<void>; before: Head } | null = null;
  /** The packs that the save under way makes superfluous. */
  #superfluous: Head | null = null;

  constructor(state: StateStore, tables: readonly Table<object>[], renewal = RENEWAL) {
    this.#state = state;
    this.#tables = tables;
    this.#renewal = renewal;
    const head = state.get(HEAD, HEAD_KEY);
    this.#head = head ? fromBytes<Head>(head) : { first: 1, next: 1, rows: 0 };
  }

  /** What was saved: each row once, as it was last. */
  *rows(): Generator<SavedRow> {
    const seen = new Set<string>();
    for (let number = this.#head.next - 1; number >= this.#head.first; number--) {
      for (const row of unpacked(this.#state.get(PACKS, numberKey(number))!)) {
        const name = `${row.table} ${row.key}`;
        if (seen.has(name)) continue;
        seen.add(name);
        if (row.value !== null) yield row;
      }
    }
  }

  /** Has the next save take rows up anew, where it is time to. To be called right before the moment of a save is fixed. */
  renew(): void {
    const { times, least } = this.#renewal;
    const rows = total(this.#tables, ({ size }) => size);
    if (this.#head.rows > times * rows + least) this.#round ??= { left: renewedOf(this.#tables), before: this.#head };
    const wanted = Math.max(
      least,
      total(this.#tables, ({ changed }) => changed),
    );
    for (let n = 0; n < wanted && this.#round; n++) {
      if (!this.#round.left.next().done) continue;
      this.#superfluous = this.#round.before;
      this.#round = null;
    }
  }

  /** Stages the rows of the save whose moment was fixed. What a table gave once it does not give again: `stage` must succeed. */
  async stage(stage: Stage): Promise<void> {
    const head = { ...this.#head };
    for (let rows = takeSaved(this.#tables, PACK_ROWS); rows.length > 0; rows = takeSaved(this.#tables, PACK_ROWS)) {
      await stage([{ table: PACKS, key: numberKey(head.next), value: packed(rows) }]);
      head.next++;
      head.rows += rows.length;
    }
    const changes: Change[] = [];
    if (this.#superfluous) {
      for (; head.first < this.#superfluous.next; head.first++) changes.push({ table: PACKS, key: numberKey(head.first), value: null });
      head.rows -= this.#superfluous.rows;
    }
    await stageChanges(stage, [...changes, { table: HEAD, key: HEAD_KEY, value: toBytes(head) }]);
    this.#head = head;
    this.#superfluous = null;
  }
}

function total(tables: readonly Table<object>[], of: (table: Table<object>) => number): number {
  return tables.reduce((sum, table) => sum + of(table), 0);
}

function* renewedOf(tables: readonly Table<object>[]): Generator<void> {
  for (const table of tables) yield* table.renewed();
}

/** A line with the tables and keys, then a line for each row: JSON has no line breaks of its own. */
function packed(rows: readonly SavedRow[]): Uint8Array {
  const names = JSON.stringify(rows.map(({ table, key }) => [table, key]));
  return Buffer.from([names, ...rows.map(({ value }) => value ?? '')].join('\n'));
}

function unpacked(bytes: Uint8Array): SavedRow[] {
  const [names, ...values] = new TextDecoder().decode(bytes).split('\n');
  return (JSON.parse(names!) as [string, string][]).map(([table, key], i) => ({ table, key, value: values[i] || null }));
}
