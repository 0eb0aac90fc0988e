import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { RegistryChange } from '../../../protocol/registry.ts';
import { HoursBook } from '../../../watch/fleet/hours.ts';
import type { Merchant } from '../../../watch/fleet/merchants.ts';
import { Registry, type Touched } from '../../../watch/fleet/registry.ts';
import type { Terminal } from '../../../watch/fleet/terminals.ts';
import { Table } from '../../../watch/fold/table.ts';
import { MONDAY, SEED } from '../support/log.ts';

const LIFECYCLES = ['pending', 'active', 'inactive', 'swapped_out', 'blacklisted', 'deleted'] as const;

function ledger() {
  const tables = {
    merchants: new Table<Merchant>('merchants'),
    terminals: new Table<Terminal>('terminals'),
    rows: new Table<object>('registry'),
  };
  const registry = new Registry(tables, new HoursBook());
  const apply = (...changes: RegistryChange[]): Touched => {
    const touched: Touched = { merchants: new Set(), terminals: new Set() };
    for (const change of changes) registry.apply(change, MONDAY, touched);
    return touched;
  };
  return { ...tables, apply };
}

const row = (sn: string, merchant: string, lifecycle: (typeof LIFECYCLES)[number] = 'active', more = {}): RegistryChange => ({
  table: 'terminals',
  row: { acquirer: 'acme', merchant, sn, lifecycle, ...more },
});

const sn = fc.integer({ min: 1, max: 6 }).map((n) => `SN0${n}`);
const merchant = fc.constantFrom('m-1', 'm-2', 'm-3');
const change: fc.Arbitrary<RegistryChange> = fc.oneof(
  fc.tuple(sn, merchant, fc.constantFrom(...LIFECYCLES)).map(([s, m, l]) => row(s, m, l)),
  fc
    .tuple(sn, merchant)
    .map(([s, m]): RegistryChange => ({ table: 'bindings', row: { op: 'bind', acquirer: 'acme', merchant: m, sn: s } })),
  sn.map((s): RegistryChange => ({ table: 'bindings', row: { op: 'unbind', acquirer: 'acme', sn: s } })),
  fc
    .tuple(sn, sn)
    .filter(([a, b]) => a !== b)
    .map(([a, b]): RegistryChange => ({ table: 'bindings', row: { op: 'swap', acquirer: 'acme', old_sn: a, new_sn: b } })),
);

describe('the ledger of slots', () => {
  it('always holds what a recount of the terminals gives', () => {
    fc.assert(
      fc.property(fc.array(change, { maxLength: 60 }), (changes) => {
        const { merchants, terminals, apply } = ledger();
        apply(...changes);

        for (const m of merchants.values()) {
          const mine = [...terminals.values()].filter((t) => t.binding?.merchant === m.merchant).map((t) => t.binding!.lifecycle);
          expect(m).toMatchObject({
            held: mine.filter((l) => ['active', 'inactive', 'swapped_out'].includes(l)).length,
            pending: mine.filter((l) => l === 'pending').length,
            swappedOut: mine.filter((l) => l === 'swapped_out').length,
          });
        }
      }),
      { seed: SEED, numRuns: 500 },
    );
  });

  it('names the merchants and terminals that a change touched, on both sides of a move', () => {
    const { apply } = ledger();
    apply(row('SN01', 'm-1'), row('SN02', 'm-3'));

    const touched = apply(row('SN01', 'm-2'));

    expect([...touched.merchants].sort()).toEqual(['acme/m-1', 'acme/m-2']);
    expect([...touched.terminals]).toEqual(['acme/SN01']);
  });

  it('keeps acquirers apart that have the same merchants and serials', () => {
    const { merchants, apply } = ledger();

    apply(row('SN01', 'm-1'), { table: 'terminals', row: { acquirer: 'other', merchant: 'm-1', sn: 'SN01', lifecycle: 'active' } });

    expect([merchants.get('acme/m-1')!.held, merchants.get('other/m-1')!.held]).toEqual([1, 1]);
  });
});

describe('a swap', () => {
  it('gives the new serial the place of the old, which stays swapped out', () => {
    const { terminals, apply } = ledger();

    apply(row('SN01', 'm-1', 'active', { site: 's-1', tid: '10000001' }), {
      table: 'bindings',
      row: { op: 'swap', acquirer: 'acme', old_sn: 'SN01', new_sn: 'SN02' },
    });

    expect(terminals.get('acme/SN01')!.binding).toMatchObject({ merchant: 'm-1', lifecycle: 'swapped_out' });
    expect(terminals.get('acme/SN02')!.binding).toMatchObject({ merchant: 'm-1', site: 's-1', tid: '10000001', lifecycle: 'active' });
  });

  it('of a serial that is bound nowhere is nothing', () => {
    const { terminals, apply } = ledger();

    const touched = apply({ table: 'bindings', row: { op: 'swap', acquirer: 'acme', old_sn: 'SN01', new_sn: 'SN02' } });

    expect([touched.merchants.size, terminals.get('acme/SN02')?.binding ?? null]).toEqual([0, null]);
  });
});

describe('rows of scopes and models', () => {
  it('replace the row before that speaks of the same', () => {
    const { rows, apply } = ledger();
    const scope = (open: boolean, card = 'credit'): RegistryChange => ({
      table: 'scopes',
      row: { acquirer: 'acme', merchant: 'm-1', card, open },
    });

    apply(scope(true), scope(false), scope(true, 'debit'), { table: 'models', row: { model: 'A920', peripherals: 2 } });
    apply({ table: 'models', row: { model: 'A920', peripherals: 4 } });

    expect([...rows.values()]).toEqual([
      { acquirer: 'acme', merchant: 'm-1', card: 'credit', open: false },
      { acquirer: 'acme', merchant: 'm-1', card: 'debit', open: true },
      { model: 'A920', peripherals: 4 },
    ]);
  });
});
