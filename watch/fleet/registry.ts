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
import { knownMoment, type Moment, momentOf, type Swap } from './moment.ts';
import { registeredPlace, samePlace } from './places.ts';
import { type Binding, changeTerminal, slotOf, type Terminal } from './terminals.ts';

export interface Touched {
  merchants: Set<string>;
  terminals: Set<string>;
}

export interface RegistryTables {
  merchants: Table<Merchant>;
  terminals: Table<Terminal>;
  /** Rows of scopes and models as they came, and the present moment. */
  rows: Table<object>;
}

export class Registry {
  readonly #tables: RegistryTables;
  readonly #hours: HoursBook;

  readonly #onBound: (key: string) => void;

  constructor(tables: RegistryTables, hours: HoursBook, onBound: (key: string) => void = () => {}) {
    this.#tables = tables;
    this.#hours = hours;
    this.#onBound = onBound;
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
    const terminal = changeTerminal(this.#tables.terminals, { acquirer, sn }, at);
    this.#count(acquirer, terminal.binding, -1, at, touched);
    this.#count(acquirer, binding, +1, at, touched);
    // What was seen against another place says nothing of this one.
    if (!samePlace(terminal.binding?.place ?? null, binding?.place ?? null)) terminal.whereabouts = null;
    terminal.binding = binding;
    touched.terminals.add(terminal.key);
    this.#onBound(terminal.key);
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
    const key = merchantKey(row.acquirer, row.merchant);
    if (from > at) {
      m.coming = { ...next, from };
      momentOf(this.#tables.rows, at).coming[key] = true;
    } else {
      m.limit = next.limit;
      m.limitReason = next.reason;
      if (!knownMoment(this.#tables.rows, at)?.coming[key]) m.coming = null;
    }
    touched.merchants.add(key);
  }

  #terminalRow(row: TerminalRow, at: number, touched: Touched): void {
    const { merchant, site = null, tid = null, model = null, use = null } = row;
    const key = terminalKey(row);
    const place = registeredPlace(row);
    const swapped = row.lifecycle === 'active' && knownMoment(this.#tables.rows, at)?.swapped[key];
    const lifecycle = swapped ? 'swapped_out' : row.lifecycle;
    this.bind(key, { merchant, site, tid, model, place, use, lifecycle }, at, touched);
    this.#swapWaiting(at, touched);
  }

  #bindingRow(row: BindingRow, at: number, touched: Touched): void {
    const moment = momentOf(this.#tables.rows, at);
    if (row.op === 'swap') return this.#swap(row, moment, touched);
    const key = terminalKey(row);
    const before = this.#tables.terminals.get(key)?.binding ?? null;
    if (row.op === 'unbind') {
      if (!before || moment.bound[key]) return;
      moment.unbound[key] = before;
      return this.bind(key, null, at, touched);
    }
    moment.bound[key] = true;
    const { merchant, site = null, tid = null } = row;
    const known = before ?? moment.unbound[key];
    const { model = null, use = null } = known ?? {};
    // A bind gives no place: at another site it is not the one of before.
    const place = known?.merchant === merchant && known.site === site ? known.place : null;
    this.bind(key, { merchant, site, tid, model, place, use, lifecycle: 'active' }, at, touched);
    this.#swapWaiting(at, touched);
  }

  /** The new serial takes the place of the old one, which goes on holding its slot until it is unbound. */
  #swap(swap: Swap, moment: Moment, touched: Touched): void {
    const { acquirer, old_sn, new_sn } = swap;
    const oldKey = terminalKey({ acquirer, sn: old_sn });
    const bound = this.#tables.terminals.get(oldKey)?.binding;
    const old = bound ?? moment.unbound[oldKey];
    if (!old) return void moment.waiting.push(swap);
    this.bind(terminalKey({ acquirer, sn: new_sn }), { ...old, lifecycle: 'active' }, moment.at, touched);
    if (!bound) return;
    this.bind(oldKey, { ...old, lifecycle: 'swapped_out' }, moment.at, touched);
    moment.swapped[oldKey] = true;
  }

  /** Tries again what waited for a terminal to be bound in the same moment. */
  #swapWaiting(at: number, touched: Touched): void {
    if (!knownMoment(this.#tables.rows, at)?.waiting.length) return;
    const moment = momentOf(this.#tables.rows, at);
    for (const swap of moment.waiting.splice(0)) this.#swap(swap, moment, touched);
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
