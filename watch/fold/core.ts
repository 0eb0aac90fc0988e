/**
 * What every part of the fold works with: the time of the entry at hand, the state, the deadlines, and the ways to say something.
 */
import type { AlertType, Subject, Transition } from '../../protocol/alerts.ts';
import type { TerminalId } from '../../protocol/topics.ts';
import { subjectOf } from '../alerts/lifecycle.ts';
import { WindowIndex } from '../alerts/windows.ts';
import { type Hours, HoursBook } from '../fleet/hours.ts';
import { learnedHours } from '../fleet/learned.ts';
import { merchantKey } from '../fleet/merchants.ts';
import { Registry, type Touched } from '../fleet/registry.ts';
import type { Terminal } from '../fleet/terminals.ts';
import type { Rules } from '../rules/defaults.ts';
import type { Condition, Verdict } from '../rules/verdict.ts';
import { Alerts } from './alerts.ts';
import { type Decisions, newOutput, type Output, type WatchRow } from './output.ts';
import { State } from './state.ts';
import { Wheel } from './wheel.ts';

export class FoldCore {
  rules: Rules;
  readonly state = new State();
  readonly wheel = new Wheel();
  readonly book = new HoursBook();
  readonly registry = new Registry(this.state, this.book);
  /** What registry changes of the present moment touched, to be judged when time moves on. */
  readonly touched: Touched = { merchants: new Set(), terminals: new Set() };
  readonly decisions: Decisions = new Map();
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
    return this.book.of(t.birth?.expected ?? learnedHours(t.heard, this.zoneOf(t)));
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

  askRebirth({ acquirer, sn }: TerminalId): void {
    this.#out.rebirths.push({ acquirer, sn });
  }

  quarantine(detail: string): void {
    this.#out.bad = { reason: 'bad_time', detail };
  }

  /** Turns a verdict into a transition of the subject's alert, where there is one to tell. `subjectKey` names the subject among its type. */
  announce(type: AlertType, subjectKey: string, members: Partial<Subject>, judge: (firing: Condition | null) => Verdict): void {
    this.alerts.announce(`${type} ${subjectKey}`, { type, subject: subjectOf(members) }, judge);
  }

  /** Whether downtime of what `members` are is planned at `at`, epoch milliseconds: now, or since lately. */
  inMaintenance(members: Partial<Subject>, at: number): boolean {
    return this.windows.plannedUntil({ type: 'terminal.offline', subject: subjectOf(members) }, at, 0) !== null;
  }

  say(transition: Transition): void {
    this.#out.transitions.push(transition);
  }

  count(what: string, why: string): void {
    const key = `${what} ${why}`;
    this.decisions.set(key, (this.decisions.get(key) ?? 0) + 1);
  }
}
