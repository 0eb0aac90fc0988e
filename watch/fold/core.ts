/**
 * What every part of the fold works with: the time of the entry at hand, the state, the deadlines, and the ways to say something.
 */
import type { Alert, AlertType, Subject, Transition } from '../../protocol/alerts.ts';
import type { Command } from '../../protocol/schemas/messages.ts';
import type { TerminalId } from '../../protocol/topics.ts';
import { subjectOf } from '../alerts/lifecycle.ts';
import { type Matched, WindowIndex } from '../alerts/windows.ts';
import type { CommandRecord } from '../fleet/commands.ts';
import { type Expected, type Hours, HoursBook } from '../fleet/hours.ts';
import { LEAST_WEEKS_HEARD, learnedHours, newestWeek, weeksHeard } from '../fleet/learned.ts';
import { merchantKey } from '../fleet/merchants.ts';
import { Registry, type Touched } from '../fleet/registry.ts';
import type { Span } from '../fleet/spans.ts';
import type { Terminal } from '../fleet/terminals.ts';
import type { Rules } from '../rules/defaults.ts';
import type { Condition, Verdict } from '../rules/verdict.ts';
import { Alerts } from './alerts.ts';
import { type Decisions, newOutput, type Output, type WatchRow } from './output.ts';
import { State } from './state.ts';
import { Wheel } from './wheel.ts';

/** A request that reaches a terminal later than this says nothing to it any more. */
const REBIRTH_EXPIRES_MS = 5 * 60_000;

export class FoldCore {
  rules: Rules;
  readonly state = new State();
  readonly wheel = new Wheel();
  readonly book = new HoursBook();
  readonly registry = new Registry(this.state, this.book, (key) => this.onBound(key));
  /** What registry changes of the present moment touched, to be judged when time moves on. */
  readonly touched: Touched = { merchants: new Set(), terminals: new Set() };
  /** How often each was decided, by what it was about and why. */
  readonly #decisions = new Map<string, Map<string, number>>();
  /** Told of each terminal whose binding changed, at once; it is judged later. */
  onBound: (key: string) => void = () => {};
  /** Told of each transition, with the alert as it fired before; `subjectKey` is the one that it was announced with. */
  onTransition: (subjectKey: string, before: Readonly<Alert> | null, transition: Transition) => void = () => {};
  readonly #learnedHours = new WeakMap<Readonly<Terminal>, { week: number; tz: string; expected: Expected | null }>();
  /** Silences and maintenance, as they are found. */
  readonly windows = new WindowIndex();
  readonly alerts = new Alerts(this);
  #out: Output = newOutput();

  constructor(rules: Rules) {
    this.rules = rules;
  }

  get now(): number {
    return this.state.meta.now;
  }

  /** Time never goes back. */
  moveTo(at: number): void {
    if (at <= this.now) return;
    const meta = this.state.changeMeta();
    meta.now = at;
    meta.opened = {};
  }

  /** Declared in the birth, or learned, or always. */
  hoursOf(t: Readonly<Terminal>): Hours | null {
    return this.book.of(t.birth?.expected ?? this.#learned(t));
  }

  /** Whole weeks alone teach, so what was learned holds for a week. */
  #learned(t: Readonly<Terminal>): Expected | null {
    if (weeksHeard(t.heard) < LEAST_WEEKS_HEARD) return null;
    const week = newestWeek(t.heard);
    const tz = this.zoneOf(t);
    const known = this.#learnedHours.get(t);
    if (known?.week === week && known.tz === tz) return known.expected;
    const expected = learnedHours(t.heard, tz);
    this.#learnedHours.set(t, { week, tz, expected });
    return expected;
  }

  zoneOf({ acquirer, binding }: Readonly<Terminal>): string {
    return (binding && this.state.merchants.get(merchantKey(acquirer, binding.merchant))?.tz) ?? 'UTC';
  }

  /** Begins what one step says; `output` is filled while the step goes on. */
  begin(): Output {
    this.#out = newOutput();
    return this.#out;
  }

  row(row: WatchRow): void {
    this.#out.rows.push(row);
  }

  order({ acquirer, sn }: TerminalId, command: Command): void {
    this.#out.orders.push({ acquirer, sn, command });
  }

  askRebirth(terminal: TerminalId): void {
    const { now } = this;
    this.order(terminal, { v: 1, id: `rebirth-${terminal.sn}-${now}`, type: 'rebirth', expires: now + REBIRTH_EXPIRES_MS });
  }

  tellCommand(record: CommandRecord): void {
    this.#out.commands.push({ ...record });
  }

  quarantine(detail: string): void {
    this.#out.bad = { reason: 'bad_time', detail };
  }

  /** Turns a verdict into a transition of the subject's alert, where there is one to tell. `subjectKey` names the subject among its type. */
  announce(type: AlertType, subjectKey: string, members: Partial<Subject>, judge: (firing: Condition | null) => Verdict): void {
    this.alerts.announce(`${type} ${subjectKey}`, { type, subject: subjectOf(members) }, judge);
  }

  /** Whether downtime of what `members` are is planned at `at`, epoch milliseconds. */
  inMaintenance(members: Partial<Subject>, at: number): boolean {
    return !this.windows.isEmpty && this.windows.plannedUntil(presenceOf(members), at, 0) !== null;
  }

  /** When downtime of it was planned, between two moments of the last two days. */
  plannedBetween(members: Partial<Subject>, from: number, to: number): Span[] {
    return this.windows.isEmpty ? [] : this.windows.plannedBetween(presenceOf(members), from, to);
  }

  /** `key` names type and subject; `before`: the alert as it fired. */
  say(transition: Transition, key: string, before: Readonly<Alert> | null): void {
    this.#out.transitions.push(transition);
    this.onTransition(key.slice(transition.alert.type.length + 1), before, transition);
  }

  get decisions(): Decisions {
    return new Map([...this.#decisions].flatMap(([what, counts]) => [...counts].map(([why, n]) => [`${what} ${why}`, n] as const)));
  }

  count(what: string, why: string): void {
    const counts = this.#decisions.get(what);
    if (counts) counts.set(why, (counts.get(why) ?? 0) + 1);
    else this.#decisions.set(what, new Map([[why, 1]]));
  }
}

function presenceOf(members: Partial<Subject>): Matched {
  return { type: 'terminal.offline', subject: subjectOf(members) };
}
