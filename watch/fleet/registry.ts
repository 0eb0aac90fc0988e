/**
 * The registry as the fold keeps it: who is bound where, and how much of each merchant's limit is used. Says which merchants and
 * terminals a change touched, for them to be judged after the last change of the same moment.
 */
import { sha256 } from '@noble/hashes/sha2.js';
import { bytesToHex, utf8ToBytes } from '@noble/hashes/utils.js';
import type { BindingRow, MerchantRow, RegistryChange, TerminalRow } from '../../protocol/registry.ts';
import { terminalKey } from '../../protocol/topics.ts';
import type { Table } from '../fold/table.ts';
import type { HoursBook } from './hours.ts';
import { type Merchant, merchantKey, newMerchant } from './merchants.ts';
import { type Binding, newTerminal, slotOf, type Terminal } from './terminals.ts';

export interface Touched {
  merchants: Set<string>;
  terminals: Set<string>;
}

export interface RegistryTables {
  merchants: Table<Merchant>;
  terminals: Table<Terminal>;
  /** Rows of scopes and models as they came. */
  rows: Table<object>;
}

export class Registry {
  readonly #tables: RegistryTables;
  readonly #hours: HoursBook;

  constructor(tables: RegistryTables, hours: HoursBook) {
    this.#tables = tables;
    this.#hours = hours;
  }

  apply(change: RegistryChange, at: number, touched: Touched): void {
    switch (change.table) {
      case 'merchants':
        return this.#merchantRow(change.row, at, touched);
      case 'terminals':
        return this.#terminalRow(change.row, at, touched);
      case 'bindings':
        return this.#bindingRow(change.row, at, touched);
      default:
        this.#tables.rows.set(`${change.table}|${keyOfRow(change.row)}`, change.row);
    }
  }

  /** Gives a terminal its binding, or takes it (null), and moves the slots that go with it. */
  bind(key: string, binding: Binding | null, at: number, touched: Touched): void {
    const [acquirer, sn] = key.split('/') as [string, string];
    const terminal = this.#tables.terminals.change(key) ?? this.#tables.terminals.set(key, newTerminal({ acquirer, sn }, at));
    this.#count(acquirer, terminal.binding, -1, at, touched);
    this.#count(acquirer, binding, +1, at, touched);
    terminal.binding = binding;
    touched.terminals.add(key);
  }

  #merchantRow(row: MerchantRow, at: number, touched: Touched): void {
    const m = this.#merchant(row.acquirer, row.merchant, at);
    m.name = row.name ?? null;
    m.region = row.region ?? null;
    m.tz = row.tz ?? 'UTC';
    m.bindLimit = row.bind_limit ?? null;
    m.bindDays = row.bind_days ?? null;
    const from = row.limit_from === undefined ? at : this.#hours.midnight(row.limit_from, m.tz);
    const next = { limit: row.terminal_limit ?? null, reason: row.limit_reason ?? null };
    if (from > at) m.coming = { ...next, from };
    else {
      m.limit = next.limit;
      m.limitReason = next.reason;
      m.coming = null;
    }
    touched.merchants.add(merchantKey(row.acquirer, row.merchant));
  }

  #terminalRow(row: TerminalRow, at: number, touched: Touched): void {
    const { merchant, site = null, tid = null, model = null, lifecycle } = row;
    this.bind(terminalKey(row), { merchant, site, tid, model, lifecycle }, at, touched);
  }

  #bindingRow(row: BindingRow, at: number, touched: Touched): void {
    if (row.op === 'swap') return this.#swap(row, at, touched);
    const key = terminalKey(row);
    if (row.op === 'unbind') return this.#tables.terminals.get(key)?.binding ? this.bind(key, null, at, touched) : undefined;
    const before = this.#tables.terminals.get(key)?.binding ?? null;
    const { merchant, site = null, tid = null } = row;
    this.bind(key, { merchant, site, tid, model: before?.model ?? null, lifecycle: 'active' }, at, touched);
  }

  /** The new serial takes the place of the old one, which goes on holding its slot until it is unbound. */
  #swap(row: { acquirer: string; old_sn: string; new_sn: string }, at: number, touched: Touched): void {
    const oldKey = terminalKey({ acquirer: row.acquirer, sn: row.old_sn });
    const old = this.#tables.terminals.get(oldKey)?.binding;
    if (!old) return;
    this.bind(terminalKey({ acquirer: row.acquirer, sn: row.new_sn }), { ...old, lifecycle: 'active' }, at, touched);
    this.bind(oldKey, { ...old, lifecycle: 'swapped_out' }, at, touched);
  }

  #count(acquirer: string, binding: Binding | null, by: 1 | -1, at: number, touched: Touched): void {
    const slot = slotOf(binding);
    if (!binding || !slot) return;
    const m = this.#merchant(acquirer, binding.merchant, at);
    m[slot] += by;
    if (binding.lifecycle === 'swapped_out') m.swappedOut += by;
    touched.merchants.add(merchantKey(acquirer, binding.merchant));
  }

  #merchant(acquirer: string, merchant: string, at: number): Merchant {
    const key = merchantKey(acquirer, merchant);
    return this.#tables.merchants.change(key) ?? this.#tables.merchants.set(key, newMerchant(acquirer, merchant, at));
  }
}

/** What identifies a row of scopes or models: all of it but what it says. */
function keyOfRow(row: object): string {
  const { open: _open, since: _since, peripherals: _peripherals, min_app: _minApp, ...key } = row as Record<string, unknown>;
  return bytesToHex(sha256(utf8ToBytes(JSON.stringify(Object.entries(key).sort(([a], [b]) => (a < b ? -1 : 1))))));
}
