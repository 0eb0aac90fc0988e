import { describe, expect, it } from 'vitest';
import type { RegistryChange } from '../../../protocol/registry.ts';
import { HoursBook } from '../../../watch/fleet/hours.ts';
import type { Merchant } from '../../../watch/fleet/merchants.ts';
import { Registry, type Touched } from '../../../watch/fleet/registry.ts';
import type { Terminal } from '../../../watch/fleet/terminals.ts';
import { Table } from '../../../watch/fold/table.ts';
import { HOUR, MONDAY } from '../support/log.ts';

const terminal = (sn: string, merchant: string): RegistryChange => ({
  table: 'terminals',
  row: { acquirer: 'acme', merchant, sn, lifecycle: 'active' },
});
const bind = (sn: string, merchant: string): RegistryChange => ({ table: 'bindings', row: { op: 'bind', acquirer: 'acme', merchant, sn } });
const unbind = (sn: string): RegistryChange => ({ table: 'bindings', row: { op: 'unbind', acquirer: 'acme', sn } });
const swap = (old_sn: string, new_sn: string): RegistryChange => ({
  table: 'bindings',
  row: { op: 'swap', acquirer: 'acme', old_sn, new_sn },
});
const limit = (terminal_limit: number, limit_from?: string): RegistryChange => ({
  table: 'merchants',
  row: { acquirer: 'acme', merchant: 'm-1', terminal_limit, ...(limit_from && { limit_from }) },
});

/** Where everybody is bound, and the merchant's limits, after `before` an hour ago and `changes` in one moment. */
function outcome(before: RegistryChange[], changes: RegistryChange[]) {
  const merchants = new Table<Merchant>('merchants');
  const terminals = new Table<Terminal>('terminals');
  const registry = new Registry({ merchants, terminals, rows: new Table<object>('registry') }, new HoursBook());
  const touched: Touched = { merchants: new Set(), terminals: new Set() };
  for (const change of before) registry.apply(change, MONDAY - HOUR, touched);
  for (const change of changes) registry.apply(change, MONDAY, touched);
  const bindings = [...terminals.values()].map((t) => `${t.sn} ${t.binding ? `${t.binding.merchant} ${t.binding.lifecycle}` : 'nowhere'}`);
  const m = merchants.get('acme/m-1');
  return { bindings: bindings.sort(), limit: m?.limit, coming: m?.coming?.limit, held: m?.held };
}

function permutations<T>(items: readonly T[]): T[][] {
  if (items.length < 2) return [[...items]];
  return items.flatMap((item, i) => permutations([...items.slice(0, i), ...items.slice(i + 1)]).map((rest) => [item, ...rest]));
}

describe('the changes of one moment mean the same in every order', () => {
  it.each([
    ['a row, and a swap of it', [], [terminal('SN01', 'm-1'), swap('SN01', 'SN02')], ['SN01 m-1 swapped_out', 'SN02 m-1 active']],
    ['a bind, and a swap of it', [], [bind('SN01', 'm-1'), swap('SN01', 'SN02')], ['SN01 m-1 swapped_out', 'SN02 m-1 active']],
    [
      'a swap, and the unbind of the old one',
      [terminal('SN01', 'm-1')],
      [swap('SN01', 'SN02'), unbind('SN01')],
      ['SN01 nowhere', 'SN02 m-1 active'],
    ],
    ['an unbind, and a bind at another merchant', [terminal('SN01', 'm-1')], [unbind('SN01'), bind('SN01', 'm-2')], ['SN01 m-2 active']],
    [
      'a repeated row, and a swap of it',
      [terminal('SN01', 'm-1')],
      [terminal('SN01', 'm-1'), swap('SN01', 'SN02')],
      ['SN01 m-1 swapped_out', 'SN02 m-1 active'],
    ],
  ])('%s', (_, before, changes, bindings) => {
    for (const order of permutations(changes)) expect(outcome(before, order).bindings).toEqual(bindings);
  });

  it('a limit for now, and one that is known to come', () => {
    for (const order of permutations([limit(20), limit(11, '2030-01-01')]))
      expect(outcome([], order)).toMatchObject({ limit: 20, coming: 11 });
  });
});

describe('an hour later', () => {
  it('an unbind follows a bind', () => {
    expect(outcome([bind('SN01', 'm-1')], [unbind('SN01')]).bindings).toEqual(['SN01 nowhere']);
  });

  it('a new limit takes the place of one that was to come', () => {
    expect(outcome([limit(11, '2030-01-01')], [limit(20)])).toMatchObject({ limit: 20, coming: undefined });
  });

  it('a swap of what was never bound is nothing', () => {
    expect(outcome([swap('SN01', 'SN02')], [terminal('SN01', 'm-1')]).bindings).toEqual(['SN01 m-1 active']);
  });
});
