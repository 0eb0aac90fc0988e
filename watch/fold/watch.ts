/**
 * The fold: (state, entry) -> (state', what it says). It reads entries in order and knows no files, sockets or clocks: time comes
 * with the entries, and an entry older than the one before it is taken at that one's time.
 */
import type { AlertType, Subject } from '../../protocol/alerts.ts';
import type { CommitEntry, Entry, MessageEntry, PlatformEntry, RegistryEntry } from '../../protocol/entries.ts';
import { terminalKey } from '../../protocol/topics.ts';
import { alertId, conditionOf, nextTransition, subjectOf } from '../alerts/lifecycle.ts';
import { factsOf, placedSamples } from '../facts.ts';
import { blindUntil, isBlind, notePlatform } from '../fleet/blindness.ts';
import { type Hours, HoursBook } from '../fleet/hours.ts';
import { changesOf } from '../fleet/imports.ts';
import { LEARNABLE_INTERVAL_MS, learnedHours, noteHeard } from '../fleet/learned.ts';
import { type Merchant, merchantKey, usedSlots } from '../fleet/merchants.ts';
import { Registry, type Touched } from '../fleet/registry.ts';
import { currentSession } from '../fleet/sessions.ts';
import { intervalMs, newTerminal, type PresenceState, placeOf, type Terminal } from '../fleet/terminals.ts';
import { DEFAULT_RULES, type Rules } from '../rules/defaults.ts';
import { decidePresence, type Sight } from '../rules/presence.ts';
import { judgeQuota } from '../rules/quota.ts';
import type { Verdict } from '../rules/verdict.ts';
import { type Decisions, newOutput, type Output } from './output.ts';
import { State } from './state.ts';
import { beginSave, loadRow, type SavedRow, takeSaved } from './table.ts';
import { Wheel } from './wheel.ts';

const HOUR_MS = 3_600_000;
const DAY_MS = 86_400_000;

export class Watch {
  readonly #rules: Rules;
  readonly #state = new State();
  readonly #wheel = new Wheel();
  readonly #book = new HoursBook();
  readonly #registry: Registry;
  readonly #touched: Touched = { merchants: new Set(), terminals: new Set() };
  /** Terminals whose deadline passed while we were blind. */
  readonly #held = new Set<string>();
  readonly decisions: Decisions = new Map();
  #out: Output = newOutput();

  constructor(rules: Rules = DEFAULT_RULES) {
    this.#rules = rules;
    this.#registry = new Registry(this.#state, this.#book);
  }

  /** The time of the fold, epoch milliseconds. */
  get now(): number {
    return this.#state.meta.now;
  }

  /** To be read, never changed. */
  get state(): Pick<State, 'terminals' | 'merchants' | 'alerts' | 'rows'> {
    return this.#state;
  }

  /** Folds one entry in; what it says is in order of time. */
  step(entry: Entry): Output {
    this.#out = newOutput();
    this.#moveTo(entry.at);
    switch (entry.kind) {
      case 'message':
        this.#message(entry);
        break;
      case 'registry':
      case 'commit':
        this.#changeRegistry(entry);
        break;
      case 'platform':
        this.#platform(entry);
        break;
      default: // heartbeats and ticks are time alone; refusals, operators' actions and rules change no state of these watches
        break;
    }
    return this.#out;
  }

  /** What is still to be said at the present moment: the end of a replay, after which time stands still. */
  finish(): Output {
    this.#out = newOutput();
    this.#settle();
    this.#fire(this.now + 1);
    return this.#out;
  }

  /** What a terminal is, for those who read it now: nobody is called online or suspect while we are blind. */
  presenceOf(t: Readonly<Terminal>): PresenceState | 'unregistered' {
    if (!t.binding) return 'unregistered';
    const { state } = t.presence;
    return (state === 'online' || state === 'suspect') && isBlind(this.#state.meta.blindness, t.node) ? 'unknown' : state;
  }

  /** The tables that a save consists of. */
  get tableNames(): string[] {
    return this.#state.tables.map((t) => t.name);
  }

  /** Fixes the moment of a save; `takeSaved` then gives its rows in slices, while the fold goes on. */
  beginSave(): void {
    const meta = this.#state.changeMeta();
    meta.touched = { merchants: [...this.#touched.merchants], terminals: [...this.#touched.terminals] };
    beginSave(this.#state.tables);
  }

  /** Up to `limit` rows of the save under way; empty when it has given all. */
  takeSaved(limit: number): SavedRow[] {
    return takeSaved(this.#state.tables, limit);
  }

  /** Puts the rows of a save back, into a Watch that has folded nothing yet. */
  load(rows: Iterable<SavedRow>): void {
    for (const row of rows) loadRow(this.#state.tables, row);
    const { touched } = this.#state.meta;
    for (const key of touched.merchants) this.#touched.merchants.add(key);
    for (const key of touched.terminals) this.#touched.terminals.add(key);
    for (const m of this.#state.merchants.values()) this.#scheduleMerchant(m);
    for (const t of this.#state.terminals.values()) {
      const key = terminalKey(t);
      this.#wheel.set(`presence ${key}`, t.presence.wakeAt ?? Number.POSITIVE_INFINITY);
      this.#wheel.set(`hourly ${key}`, t.presence.rowAt ?? Number.POSITIVE_INFINITY);
    }
  }

  /** Everything that was due before `at` happens first, each at its own time. */
  #moveTo(at: number): void {
    if (at <= this.now) return;
    this.#settle();
    this.#fire(at);
    this.#setNow(at);
  }

  #setNow(at: number): void {
    const meta = this.#state.changeMeta();
    if (at <= meta.now) return;
    meta.now = at;
    meta.opened = {};
  }

  #fire(before: number): void {
    for (let due = this.#wheel.take(before); due; due = this.#wheel.take(before)) {
      this.#setNow(due.at);
      const cut = due.key.indexOf(' ');
      const key = due.key.slice(cut + 1);
      switch (due.key.slice(0, cut)) {
        case 'presence':
          this.#judgeTerminal(key);
          break;
        case 'hourly':
          this.#hourly(key);
          break;
        case 'merchant':
          this.#limitComes(key);
          this.#judgeMerchant(key);
          break;
        case 'daily':
          this.#daily(key);
          break;
      }
    }
  }

  #message(entry: MessageEntry): void {
    const key = terminalKey(entry);
    const t = this.#state.terminals.change(key) ?? this.#state.terminals.set(key, newTerminal(entry, this.now));
    const facts = factsOf(entry, t.sessions);
    this.#count('message', facts.why);
    const { message } = facts;
    if (message?.channel === 'birth' && facts.note?.current) t.birth = message.body;
    for (const sample of placedSamples(facts)) {
      if (t.last === null || sample.at >= t.last.at) t.last = t.birth?.sparse && facts.note?.current ? { ...t.last, ...sample } : sample;
    }
    if (facts.life) this.#life(t, key, entry.node);
    if (facts.why === 'will' && t.presence.goodbyeAt === null) t.presence.lostAt ??= this.now;
    if (facts.life && message?.channel === 'state' && message.body.state === 'goodbye' && facts.note?.current)
      t.presence.goodbyeAt = this.now;
    if (this.#needsJudging(t, facts.why, message?.channel)) this.#judgeTerminal(key);
  }

  #life(t: Terminal, key: string, node: string): void {
    const { presence, binding } = t;
    presence.lifeAt = this.now;
    presence.goodbyeAt = null;
    presence.lostAt = null;
    t.node = node;
    if (t.birth?.expected) t.heard = [];
    else if (intervalMs(t) <= LEARNABLE_INTERVAL_MS) noteHeard(t.heard, this.now + this.#book.offset(this.#zoneOf(t), this.now));
    if (binding?.lifecycle === 'inactive') {
      t.activatedAt = this.now;
      this.#registry.bind(key, { ...binding, lifecycle: 'active' }, this.now, this.#touched);
      this.#count('lifecycle', 'activated_by_talking');
    }
    const unborn = t.birth === null && !currentSession(t.sessions)?.born;
    if (unborn && this.now - (t.askedAt ?? Number.NEGATIVE_INFINITY) >= HOUR_MS) {
      t.askedAt = this.now;
      this.#out.rebirths.push({ acquirer: t.acquirer, sn: t.sn });
    }
  }

  /** While a terminal is simply heard, its deadline can wait where it is: it is moved when it comes due. */
  #needsJudging({ presence }: Readonly<Terminal>, why: string, channel?: string): boolean {
    return presence.state !== 'online' || why === 'will' || channel === 'birth' || channel === 'state';
  }

  #changeRegistry(entry: RegistryEntry | CommitEntry): void {
    for (const change of changesOf(entry, this.#state.staged)) this.#registry.apply(change, this.now, this.#touched);
  }

  #platform(entry: PlatformEntry): void {
    const seesAgain = notePlatform(this.#state.changeMeta().blindness, entry.platform, this.now);
    this.#count('platform', `${entry.platform.part}_${entry.platform.state}`);
    if (!seesAgain) return;
    const held = [...this.#held].sort();
    this.#held.clear();
    for (const key of held) this.#judgeTerminal(key);
  }

  /** Judges what the registry changes of the moment touched, now that the last of them is in. */
  #settle(): void {
    const { merchants, terminals } = this.#touched;
    if (merchants.size + terminals.size === 0) return;
    const keys = { merchants: [...merchants].sort(), terminals: [...terminals].sort() };
    merchants.clear();
    terminals.clear();
    for (const key of keys.merchants) this.#judgeMerchant(key);
    for (const key of keys.terminals) this.#judgeTerminal(key);
  }

  #judgeMerchant(key: string): void {
    const m = this.#state.merchants.change(key)!;
    const used = usedSlots(m);
    const fell = m.limit !== null && m.judged.limit !== null && m.limit < m.judged.limit;
    if (used > m.judged.used || fell) m.grownAt = this.now;
    const subject = { acquirer: m.acquirer, merchant: m.merchant };
    this.#announce('quota.terminals', key, subject, (firing) => judgeQuota(m, firing, this.now, this.#rules['quota.terminals']));
    if (used !== m.judged.used || m.limit !== m.judged.limit) this.#merchantRow(m);
    m.judged = { used, limit: m.limit };
    this.#scheduleMerchant(m);
  }

  /** A limit that was known to come is in force from its date on. */
  #limitComes(key: string): void {
    const { coming } = this.#state.merchants.get(key)!;
    if (!coming || coming.from > this.now) return;
    const m = this.#state.merchants.change(key)!;
    m.limit = coming.limit;
    m.limitReason = coming.reason;
    m.coming = null;
  }

  #scheduleMerchant(m: Readonly<Merchant>): void {
    const key = merchantKey(m.acquirer, m.merchant);
    const staleAt = m.grownAt + this.#rules['quota.terminals'].staleDays * DAY_MS;
    this.#wheel.set(
      `merchant ${key}`,
      Math.min(m.coming?.from ?? Number.POSITIVE_INFINITY, staleAt > this.now ? staleAt : Number.POSITIVE_INFINITY),
    );
    this.#wheel.set(`daily ${key}`, m.rowAt);
  }

  #daily(key: string): void {
    this.#merchantRow(this.#state.merchants.change(key)!);
  }

  #merchantRow(m: Merchant): void {
    const { acquirer, merchant, limit, held, pending, swappedOut: reclaimable } = m;
    const headroom = limit === null ? null : limit - usedSlots(m);
    this.#out.rows.push({ measurement: 'merchant', at: this.now, acquirer, merchant, limit, held, pending, reclaimable, headroom });
    m.rowAt = this.now + DAY_MS;
    this.#wheel.set(`daily ${merchantKey(acquirer, merchant)}`, m.rowAt);
  }

  #judgeTerminal(key: string): void {
    const t = this.#state.terminals.change(key)!;
    const sight = this.#sightOf(t);
    if (t.presence.lifeAt !== null && t.presence.offline && t.presence.lifeAt >= t.presence.offline.at) t.presence.offline = null;
    const decision = decidePresence(t, this.now, sight, this.#rules['terminal.offline']);
    const subject = { acquirer: t.acquirer, ...placeOf(t), terminal: t.sn };
    t.presence.offline = decision.offline;
    this.#announce('terminal.offline', key, subject, () => decision.verdict);
    if (decision.verdict.why === 'blind') this.#held.add(key);
    else t.presence.wakeAt = Number.isFinite(decision.nextAt) ? decision.nextAt : null;
    this.#wheel.set(`presence ${key}`, decision.nextAt);
    if (decision.state !== t.presence.state) this.#presenceChanged(t, key, decision.state);
  }

  #presenceChanged(t: Terminal, key: string, state: PresenceState): void {
    t.presence.state = state;
    t.presence.since = this.now;
    this.#presenceRow(t, key);
  }

  #hourly(key: string): void {
    this.#presenceRow(this.#state.terminals.change(key)!, key);
  }

  #presenceRow(t: Terminal, key: string): void {
    const { acquirer, sn } = t;
    const expected = this.#book.isOpen(this.#hoursOf(t), this.now);
    this.#out.rows.push({ measurement: 'presence', at: this.now, acquirer, ...placeOf(t), sn, state: this.presenceOf(t), expected });
    t.presence.rowAt = this.now + HOUR_MS;
    this.#wheel.set(`hourly ${key}`, t.presence.rowAt);
  }

  /** Declared in the birth, or learned, or always. */
  #hoursOf(t: Readonly<Terminal>): Hours | null {
    return this.#book.of(t.birth?.expected ?? learnedHours(t.heard, this.#zoneOf(t)));
  }

  #zoneOf({ acquirer, binding }: Readonly<Terminal>): string {
    return (binding && this.#state.merchants.get(merchantKey(acquirer, binding.merchant))?.tz) ?? 'UTC';
  }

  #sightOf(t: Readonly<Terminal>): Sight {
    const { blindness } = this.#state.meta;
    return {
      hours: this.#hoursOf(t),
      book: this.#book,
      blind: isBlind(blindness, t.node),
      blindUntil: blindUntil(blindness, t.node),
    };
  }

  /** Turns a verdict into a transition of the subject's alert, where there is one to tell. */
  #announce(
    type: AlertType,
    subjectKey: string,
    members: Partial<Subject>,
    judge: (firing: ReturnType<typeof conditionOf> | null) => Verdict,
  ): void {
    const key = `${type} ${subjectKey}`;
    const firing = this.#state.alerts.get(key) ?? null;
    const verdict = judge(firing && conditionOf(firing));
    this.#count(type, verdict.why);
    const transition = nextTransition(firing, verdict, this.now, () => ({ id: this.#openingId(key), type, subject: subjectOf(members) }));
    if (!transition) return;
    if (transition.transition === 'resolved') this.#state.alerts.delete(key);
    else this.#state.alerts.set(key, transition.alert);
    this.#out.transitions.push(transition);
  }

  #openingId(key: string): string {
    const { opened } = this.#state.changeMeta();
    const count = opened[key] ?? 0;
    opened[key] = count + 1;
    return alertId(key, this.now, count);
  }

  #count(what: string, why: string): void {
    const key = `${what} ${why}`;
    this.decisions.set(key, (this.decisions.get(key) ?? 0) + 1);
  }
}
