/** Saves of a watch, kept as a snapshot keeps them. */
import { type SavedRow, takeSaved } from '../../../watch/fold/table.ts';
import { Watch } from '../../../watch/fold/watch.ts';

/** A state on disk, as saves leave it. */
export class Disk {
  readonly #rows = new Map<string, SavedRow>();

  write(rows: readonly SavedRow[]): void {
    for (const row of rows) {
      const name = `${row.table} ${row.key}`;
      this.#rows.delete(name);
      if (row.value !== null) this.#rows.set(name, row);
    }
  }

  /** A new Watch from what is there; a snapshot gives first what it saved last. */
  restore(): Watch {
    const watch = new Watch();
    watch.load([...this.#rows.values()].reverse());
    return watch;
  }
}

export function save(watch: Watch, disk: Disk, limit: number): void {
  watch.beginSave();
  for (let rows = takeSaved(watch.tables, limit); rows.length > 0; rows = takeSaved(watch.tables, limit)) disk.write(rows);
}
