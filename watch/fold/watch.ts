/**
 * The fold: (state, entry) -> (state', what it says). It reads entries in order and knows no files, sockets or clocks: time comes
 * with the entries, and an entry older than the one before it is taken at that one's time.
 */
import type { CommitEntry, Entry, PlatformEntry, RegistryEntry } from '../../protocol/entries.ts';
import type { ReportDay } from '../alerts/report-days.ts';
import { notePlatform } from '../fleet/blindness.ts';
import { changesOf } from '../fleet/imports.ts';
import { merchantKey } from '../fleet/merchants.ts';
import type { Part } from '../fleet/platform.ts';
import { noteStep } from '../fleet/steps.ts';
import type { PresenceState, Terminal } from '../fleet/terminals.ts';
import { DEFAULT_RULES, type Rules } from '../rules/defaults.ts';
import { readRules } from '../rules/document.ts';
import { Births } from './births.ts';
import { TerminalCommands } from './commands.ts';
import { FoldCore } from './core.ts';
import { Coverage } from './coverage.ts';
import { Merchants } from './merchants.ts';
import type { Decisions, Output } from './output.ts';
import { Places } from './places.ts';
import { Platform } from './platform.ts';
import { Presence } from './presence.ts';
import type { State } from './state.ts';
import { beginSave, loadRow, type SavedRow, type Table } from './table.ts';
import { Terminals, type TerminalWatch } from './terminals.ts';
import { Told } from './told.ts';
import { Warnings } from './warnings.ts';
import { Windows } from './windows.ts';

export class Watch {
  readonly #core: FoldCore;
  readonly #merchants: Merchants;
  readonly #presence: Presence;
  readonly #terminals: Terminals;
  readonly #commands: TerminalCommands;
  readonly #warnings: Warnings;
  readonly #platform: Platform;
  readonly #windows: Windows;
  /** What to do when a deadline of each kind comes due, with the key of its subject. */
  readonly #duties: Record<string, (key: string) => void>;

  constructor(rules: Rules = DEFAULT_RULES) {
    this.#core = new FoldCore(rules);
    this.#merchants = new Merchants(this.#core);
    this.#presence = new Presence(this.#core);
    this.#commands = new TerminalCommands(this.#core);
    this.#warnings = new Warnings(this.#core);
    this.#platform = new Platform(this.#core);
    this.#windows = new Windows(this.#core);
    // Who told something of a silence is heard before it is over.
    const told = new Told(this.#core, (key) => this.#presence.siteOf(key));
    const [births, coverage, places] = [new Births(this.#core), new Coverage(this.#core), new Places(this.#core)];
    const watches: TerminalWatch[] = [told, births, this.#presence, coverage, places, this.#commands];
    this.#terminals = new Terminals(this.#core, watches);
    this.#duties = {
      ...Object.assign({}, ...watches.map(({ duties }) => duties)),
      ...this.#warnings.duties,
      ...this.#platform.duties,
      ...this.#windows.duties,
      merchant: (key) => this.#merchants.due(key),
      daily: (key) => this.#merchants.daily(key),
    };
  }

  /** The time of the fold, epoch milliseconds. */
  get now(): number {
    return this.#core.now;
  }

  /** To be read, never changed. */
  get state(): Pick<State, 'terminals' | 'merchants' | 'alerts' | 'windows' | 'rows' | 'commands'> {
    return this.#core.state;
  }

  /** The rules document in force, as it was given; null where none was. */
  get rulesDocument(): Readonly<Record<string, unknown>> | null {
    return this.#core.state.meta.rules;
  }

  get rules(): Readonly<Rules> {
    return this.#core.rules;
  }

  get decisions(): Readonly<Decisions> {
    return this.#core.decisions;
  }

  /** Folds one entry in; what it says is in order of time. */
  step(entry: Entry): Output {
    const output = this.#core.begin();
    this.#moveTo(entry.at);
    switch (entry.kind) {
      case 'message':
        this.#terminals.message(entry);
        break;
      case 'registry':
      case 'commit':
        this.#changeRegistry(entry);
        break;
      case 'command':
        this.#commands.give(entry);
        break;
      case 'platform':
        this.#notePlatform(entry);
        break;
      case 'rules':
        this.#changeRules(entry.body);
        break;
      case 'operator':
        this.#windows.note(entry);
        break;
      default: // heartbeats and ticks are time alone; refusals change no state of these watches
        break;
    }
    return output;
  }

  /** What is still to be said at the present moment: the end of a replay, after which time stands still. */
  finish(): Output {
    const output = this.#core.begin();
    this.#settle();
    this.#fire(this.now + 1);
    return output;
  }

  /** Whether a part of ours was said to be down, of every node's. */
  isDown(part: Part): boolean {
    return this.#platform.isDown(part);
  }

  /** What a terminal is, for those who read it now. */
  presenceOf(t: Readonly<Terminal>): PresenceState | 'unregistered' {
    return this.#presence.stateOf(t);
  }

  /** What was counted on days from `from` until `to`, epoch milliseconds, of one acquirer or (null) of all; by day and acquirer. */
  reportDays(from: number, to: number, acquirer: string | null): Readonly<ReportDay>[] {
    const days = [...this.#core.state.reportDays.values()];
    const wanted = days.filter((one) => from <= one.day && one.day < to && (acquirer === null || one.acquirer === acquirer));
    return wanted.sort((a, b) => a.day - b.day || (a.acquirer < b.acquirer ? -1 : 1));
  }

  /** What a save consists of. */
  get tables(): readonly Table<object>[] {
    return this.#core.state.tables;
  }

  /** Fixes the moment of a save, whose rows the tables then give in slices, while the fold goes on. */
  beginSave(): void {
    const { state, touched } = this.#core;
    state.changeMeta().touched = { merchants: [...touched.merchants], terminals: [...touched.terminals] };
    beginSave(state.tables);
  }

  /** Puts the rows of a save back, into a Watch that has folded nothing yet. */
  load(rows: Iterable<SavedRow>): void {
    const { state, touched } = this.#core;
    for (const row of rows) loadRow(state.tables, row);
    const read = state.meta.rules && readRules(state.meta.rules);
    if (read?.ok) this.#core.rules = read.value;
    for (const key of state.meta.touched.merchants) touched.merchants.add(key);
    for (const key of state.meta.touched.terminals) touched.terminals.add(key);
    for (const m of state.merchants.values()) this.#merchants.load(m);
    this.#presence.loadOutages();
    this.#warnings.load();
    for (const t of state.terminals.values()) this.#terminals.load(t);
    this.#commands.loadAll();
    this.#platform.load();
    this.#windows.load();
  }

  /** Everything that was due before `at` happens first, each at its own time. */
  #moveTo(at: number): void {
    if (at <= this.now) return;
    this.#settle();
    this.#fire(at);
    this.#core.moveTo(at);
  }

  #fire(before: number): void {
    const { wheel } = this.#core;
    for (let due = wheel.take(before); due; due = wheel.take(before)) {
      this.#core.moveTo(due.at);
      this.#duties[due.kind]!(due.key);
    }
  }

  #changeRegistry(entry: RegistryEntry | CommitEntry): void {
    const { registry, state, touched, now } = this.#core;
    for (const change of changesOf(entry, state.staged)) registry.apply(change, now, touched);
  }

  /** New rules judge everybody anew. A document that cannot be read changes nothing. */
  #changeRules(document: Record<string, unknown>): void {
    const read = readRules(document);
    this.#core.count('rules', read.ok ? 'changed' : 'unreadable');
    if (!read.ok) return;
    this.#core.rules = read.value;
    this.#core.state.changeMeta().rules = document;
    const { state, touched } = this.#core;
    for (const m of state.merchants.values()) touched.merchants.add(merchantKey(m.acquirer, m.merchant));
    for (const t of state.terminals.values()) touched.terminals.add(t.key);
  }

  #notePlatform({ platform }: PlatformEntry): void {
    const { state, now, rules } = this.#core;
    this.#core.count('platform', `${platform.part}_${platform.state}`);
    noteStep(state.steps, platform);
    this.#platform.note(platform);
    if (notePlatform(state.changeMeta().blindness, platform, now, rules['platform.blind'])) this.#presence.seeAgain();
  }

  /** Judges what the registry changes of the moment touched, now that the last of them is in. */
  #settle(): void {
    const { merchants, terminals } = this.#core.touched;
    if (merchants.size + terminals.size === 0) return;
    const keys = { merchants: [...merchants].sort(), terminals: [...terminals].sort() };
    merchants.clear();
    terminals.clear();
    for (const key of keys.merchants) this.#merchants.judge(key);
    for (const key of keys.terminals) this.#terminals.judge(key);
  }
}
