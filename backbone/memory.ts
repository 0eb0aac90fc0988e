import type { Change, StateStore } from './state.ts';
import { checkChange } from './state-key.ts';

/** The state port without a disk: for a replay, which starts from nothing and leaves nothing. */
export function openMemoryState(): StateStore {
  return new MemoryState();
}

class MemoryState implements StateStore {
  readonly #tables = new Map<string, Map<string, Uint8Array>>();
  #staged: Change[] = [];

  *rows(table: string, range?: { after: string }): Iterable<{ key: string; value: Uint8Array }> {
    const rows = [...(this.#tables.get(table) ?? [])].map(([key, value]) => ({ key, value, bytes: Buffer.from(key) }));
    rows.sort((a, b) => Buffer.compare(a.bytes, b.bytes));
    const after = range && Buffer.from(range.after);
    for (const { key, value, bytes } of rows) if (!after || Buffer.compare(bytes, after) > 0) yield { key, value };
  }

  get(table: string, key: string): Uint8Array | undefined {
    return this.#tables.get(table)?.get(key);
  }

  async stage(changes: readonly Change[]): Promise<void> {
    for (const change of changes) checkChange(change);
    for (const { table, key, value } of changes) this.#staged.push({ table, key, value: value && Uint8Array.from(value) });
  }

  async commit(changes: readonly Change[]): Promise<void> {
    await this.stage(changes);
    for (const { table, key, value } of this.#staged) {
      const rows = this.#tables.get(table) ?? new Map<string, Uint8Array>();
      this.#tables.set(table, rows);
      if (value) rows.set(key, value);
      else rows.delete(key);
    }
    this.#staged = [];
  }

  async close(): Promise<void> {}
}
