/** What the registry has of a live fleet, so that all of it can be taken out again. */
import type { Row } from '../actions.ts';

export interface Registration {
  /** Errors: rejects where the registry does not take them. */
  take(rows: readonly Row[]): Promise<void>;
  /** Deletes every terminal that holds a slot, and resolves with their number. Errors: likewise. */
  remove(): Promise<number>;
}

export function registration(register: (rows: readonly Row[]) => Promise<void>): Registration {
  const terminals = new Map<string, Row>();
  const isNew = ({ table, row }: Row) => table === 'terminals' && row.lifecycle === 'active' && !terminals.has(keyOf(row));
  return {
    async take(rows) {
      // One of an earlier run was heard last when that ended, and is not missed before it talks again: talking makes it active.
      const taken = rows.map((row) => (isNew(row) ? withLifecycle(row, 'inactive') : row));
      for (const row of taken) if (row.table === 'terminals') terminals.set(keyOf(row.row), row);
      await register(taken);
    },
    async remove() {
      const left = [...terminals.values()].filter(({ row }) => row.lifecycle !== 'deleted');
      const deleted = left.map((row) => withLifecycle(row, 'deleted'));
      if (deleted.length > 0) await register(deleted);
      return deleted.length;
    },
  };
}

function keyOf({ acquirer, sn }: Row['row']): string {
  return `${acquirer}/${sn}`;
}

function withLifecycle({ table, row }: Row, lifecycle: string): Row {
  return { table, row: { ...row, lifecycle } };
}
