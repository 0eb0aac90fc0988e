import type { OwnerEntry } from '../../protocol/entries.ts';
import type { RegistryChange } from '../../protocol/registry.ts';

/** An import as entries of one moment, closed by the entry that commits it: all of it or, after a crash, none. */
export function importEntries(changes: readonly RegistryChange[], id: string, at: number): OwnerEntry[] {
  return [...changes.map((change): OwnerEntry => ({ kind: 'registry', at, change, import: id })), { kind: 'commit', at, import: id }];
}
