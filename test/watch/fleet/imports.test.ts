import { describe, expect, it } from 'vitest';
import type { CommitEntry, RegistryEntry } from '../../../protocol/entries.ts';
import { changesOf, type StagedRow } from '../../../watch/fleet/imports.ts';
import { Table } from '../../../watch/fold/table.ts';

const row = (sn: string, of?: string): RegistryEntry => ({
  kind: 'registry',
  at: 1,
  change: { table: 'terminals', row: { acquirer: 'acme', merchant: 'm-1', sn, lifecycle: 'active' } },
  ...(of === undefined ? {} : { import: of }),
});
const commit = (of: string): CommitEntry => ({ kind: 'commit', at: 1, import: of });

/** The serials that each entry brings into force. */
function inForce(entries: (RegistryEntry | CommitEntry)[], staged = new Table<StagedRow>('staged')): string[][] {
  return entries.map((entry) => changesOf(entry, staged).map(({ row: r }) => (r as { sn: string }).sn));
}

describe('an import', () => {
  it('comes into force as a whole with its commit, in the order of its rows', () => {
    const serials = Array.from({ length: 12 }, (_, n) => `SN${100 + n}`);

    const told = inForce([...serials.map((sn) => row(sn, 'a')), commit('a')]);

    expect(told).toEqual([...serials.map(() => []), serials]);
  });

  it('is committed once', () => {
    expect(inForce([row('SN01', 'a'), commit('a'), commit('a')])).toEqual([[], ['SN01'], []]);
  });

  it('that was never committed is forgotten where another begins', () => {
    const staged = new Table<StagedRow>('staged');

    expect(inForce([row('SN01', 'torn'), row('SN02', 'torn'), row('SN03', 'b'), commit('b'), commit('torn')], staged)).toEqual([
      [],
      [],
      [],
      ['SN03'],
      [],
    ]);
    expect(staged.size).toBe(0);
  });

  it('is not disturbed by rows that name no import, which hold at once', () => {
    expect(inForce([row('SN01', 'a'), row('SN09'), commit('a')])).toEqual([[], ['SN09'], ['SN01']]);
  });
});
