/**
 * A table of the fold's state: rows in memory, and which of them changed since the last save.
 *
 * A save is consistent at one moment though it is written in slices while the fold goes on: a row that is about to change and has
 * not been written yet is encoded first, as it was.
 */

/** A row as it goes to disk; `value` null where it was removed. */
export interface SavedRow {
  table: string;
  key: string;
  value: string | null;
}

export class Table<Row extends object> {
  readonly name: string;
  readonly #rows = new Map<string, Row>();
  #changed = new Set<string>();
  #saving = new Set<string>();
  #encoded: SavedRow[] = [];

  constructor(name: string) {
    this.name = name;
  }

  get size(): number {
    return this.#rows.size;
  }

  get(key: string): Readonly<Row> | undefined {
    return this.#rows.get(key);
  }

  values(): IterableIterator<Readonly<Row>> {
    return this.#rows.values();
  }

  entries(): IterableIterator<[string, Readonly<Row>]> {
    return this.#rows.entries();
  }

  /** The row, to be changed by the caller at once. */
  change(key: string): Row | undefined {
    const row = this.#rows.get(key);
    if (row !== undefined) this.#touch(key);
    return row;
  }

  set(key: string, row: Row): Row {
    this.#touch(key);
    this.#rows.set(key, row);
    return row;
  }

  delete(key: string): void {
    this.#touch(key);
    this.#rows.delete(key);
  }

  /** Takes all rows out. */
  drain(): Row[] {
    const rows = [...this.#rows.values()];
    for (const key of [...this.#rows.keys()]) this.delete(key);
    return rows;
  }

  /** Puts a row as it was saved; it does not count as changed. */
  load(key: string, value: string): void {
    this.#rows.set(key, JSON.parse(value));
  }

  /** How many rows changed since the last save. */
  get changed(): number {
    return this.#changed.size;
  }

  /** Has each row saved again: one with each step, by the save that comes next. Rows may come and go meanwhile. */
  *renewed(): Generator<void> {
    for (const key of this.#rows.keys()) {
      this.#changed.add(key);
      yield;
    }
  }

  /** Fixes the moment: what changed until now is this save's. Only one save at a time. */
  beginSave(): void {
    this.#saving = this.#changed;
    this.#changed = new Set();
  }

  /** Up to `limit` rows of the save under way; empty when all were given. */
  takeSaved(limit: number): SavedRow[] {
    for (const key of this.#saving) {
      if (this.#encoded.length >= limit) break;
      this.#encode(key);
    }
    return this.#encoded.splice(0, limit);
  }

  #touch(key: string): void {
    if (this.#saving.has(key)) this.#encode(key);
    this.#changed.add(key);
  }

  #encode(key: string): void {
    this.#saving.delete(key);
    const row = this.#rows.get(key);
    this.#encoded.push({ table: this.name, key, value: row === undefined ? null : JSON.stringify(row) });
  }
}

/** A save of several tables at one moment. */
export function beginSave(tables: readonly Table<object>[]): void {
  for (const table of tables) table.beginSave();
}

/** Up to `limit` rows of the save under way; empty when the tables have given all. */
export function takeSaved(tables: readonly Table<object>[], limit: number): SavedRow[] {
  for (const table of tables) {
    const rows = table.takeSaved(limit);
    if (rows.length > 0) return rows;
  }
  return [];
}

/** Errors: throws on a row of a table that is not among these. */
export function loadRow(tables: readonly Table<object>[], { table, key, value }: SavedRow): void {
  const found = tables.find((t) => t.name === table);
  if (!found || value === null) throw new Error(`a save holds a row of ${table}, which is no table of this fold`);
  found.load(key, value);
}
