/**
 * Imports: rows that belong to one change are kept aside until the entry that commits it, and forgotten where another import begins
 * first. Rows that name no import take effect at once.
 */
import type { CommitEntry, RegistryEntry } from '../../protocol/entries.ts';
import type { RegistryChange } from '../../protocol/registry.ts';
import type { Table } from '../fold/table.ts';

/** Under `head`: which import is under way and how many rows it has. Under a number: a row. */
export type StagedRow = { import: string; rows: number } | RegistryChange;

const HEAD = 'head';

/** The changes that an entry brings into force. */
export function changesOf(entry: RegistryEntry | CommitEntry, staged: Table<StagedRow>): RegistryChange[] {
  const head = staged.get(HEAD) as { import: string; rows: number } | undefined;
  if (entry.kind === 'commit') return head?.import === entry.import ? takeAll(staged, head.rows) : [];
  if (entry.import === undefined) return [entry.change];
  if (head && head.import !== entry.import) takeAll(staged, head.rows);
  const rows = head?.import === entry.import ? head.rows : 0;
  staged.set(String(rows), entry.change);
  staged.set(HEAD, { import: entry.import, rows: rows + 1 });
  return [];
}

function takeAll(staged: Table<StagedRow>, rows: number): RegistryChange[] {
  const changes: RegistryChange[] = [];
  for (let n = 0; n < rows; n++) {
    changes.push(staged.get(String(n)) as RegistryChange);
    staged.delete(String(n));
  }
  staged.delete(HEAD);
  return changes;
}
