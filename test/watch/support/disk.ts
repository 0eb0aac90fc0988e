/** Saves of a watch, kept as a store keeps them. */
import { Watch } from '../../../watch/fold/watch.ts';

/** A state on disk, as saves leave it. */
export class Disk {
  readonly #rows = new Map<string, Map<string, string>>();

  write(rows: ReturnType<Watch['takeSaved']>): void {
    for (const { table, key, value } of rows) {
      const kept = this.#rows.get(table) ?? new Map<string, string>();
      this.#rows.set(table, kept);
      if (value === null) kept.delete(key);
      else kept.set(key, value);
    }
  }

  /** A new Watch from what is there; a store gives rows in the order of their keys. */
  restore(): Watch {
    const watch = new Watch();
    const rows = [...this.#rows].flatMap(([table, kept]) => [...kept].sort().map(([key, value]) => ({ table, key, value })));
    watch.load(rows.sort((a, b) => watch.tableNames.indexOf(a.table) - watch.tableNames.indexOf(b.table)));
    return watch;
  }
}

export function save(watch: Watch, disk: Disk, limit: number): void {
  watch.beginSave();
  for (let rows = watch.takeSaved(limit); rows.length > 0; rows = watch.takeSaved(limit)) disk.write(rows);
}
