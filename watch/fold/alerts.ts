/** The alerts of the fold: what a verdict makes of one, and what silences and maintenance do to it. */
import type { Alert, Transition } from '../../protocol/alerts.ts';
import { DEFAULT_INTERVAL_SECONDS } from '../../protocol/schemas/messages.ts';
import { terminalKey } from '../../protocol/topics.ts';
import { alertId, conditionOf, nextTransition } from '../alerts/lifecycle.ts';
import type { Matched, WindowIndex } from '../alerts/windows.ts';
import { intervalMs } from '../fleet/terminals.ts';
import type { Condition, Verdict } from '../rules/verdict.ts';
import type { State } from './state.ts';
import type { Wheel } from './wheel.ts';

/** What maintenance took down has an interval of its own to come back in, but no longer than this. */
const LONGEST_RETURN_MS = 3_600_000;

/** What it works on: the fold's core. */
interface Ground {
  readonly now: number;
  readonly state: State;
  readonly wheel: Wheel;
  readonly windows: WindowIndex;
  count(what: string, why: string): void;
  say(transition: Transition, key: string, before: Readonly<Alert> | null): void;
}

export class Alerts {
  readonly #core: Ground;

  constructor(core: Ground) {
    this.#core = core;
  }

  /** `key` names type and subject. */
  announce(key: string, about: Matched, judge: (firing: Condition | null) => Verdict): void {
    const firing = this.#core.state.alerts.get(key) ?? null;
    const verdict = judge(firing && conditionOf(firing));
    this.#core.count(about.type, verdict.why);
    if (!firing && !verdict.condition && this.#core.state.withheld.size === 0) return; // as nearly always
    if (!firing && this.#withholds(key, about, verdict.condition)) return;
    this.#tell(key, about, firing, verdict);
  }

  /** What maintenance withheld is an alert now, unless more maintenance goes on withholding it. */
  release(key: string): void {
    const { type, subject, condition } = this.#core.state.withheld.get(key)!;
    const about = { type, subject };
    if (this.#withholds(key, about, condition)) return;
    this.#core.count(type, 'maintenance_over');
    this.#tell(key, about, null, { why: 'maintenance_over', condition });
  }

  /** Maintenance was changed: what it withholds comes sooner, or later. */
  replan(): void {
    for (const [key, { type, subject, condition }] of [...this.#core.state.withheld.entries()]) {
      const about = { type, subject };
      this.#withhold(key, about, condition, this.#plannedUntil(about) ?? this.#core.now);
    }
  }

  /** Marks what fires as silenced, or as that no longer, by the silences there are now. */
  silence(): void {
    const { state, windows, now } = this.#core;
    for (const key of [...state.alerts.entries()].map(([name]) => name).sort()) {
      const alert = state.alerts.get(key)!;
      const silencedBy = windows.silenceOf(alert, now);
      if (silencedBy === alert.silencedBy) continue;
      this.#say(key, { at: now, transition: 'updated', alert: { ...alert, silencedBy, updatedAt: now, seq: alert.seq + 1 } });
    }
  }

  #tell(key: string, about: Matched, firing: Readonly<Alert> | null, verdict: Verdict): void {
    const { now, windows } = this.#core;
    const transition = nextTransition(firing, verdict, now, () => ({ id: this.#openingId(key), ...about }));
    if (!transition) return;
    const { alert } = transition;
    this.#say(key, { ...transition, alert: alert.state === 'firing' ? { ...alert, silencedBy: windows.silenceOf(alert, now) } : alert });
  }

  #say(key: string, transition: Transition): void {
    const { alerts } = this.#core.state;
    const before = alerts.get(key) ?? null;
    if (transition.transition === 'resolved') alerts.delete(key);
    else alerts.set(key, transition.alert);
    this.#core.say(transition, key, before);
  }

  /** Whether a condition is kept from being an alert, by maintenance or as what that took down may still be coming back. */
  #withholds(key: string, about: Matched, condition: Condition | null): boolean {
    const { state, wheel } = this.#core;
    const until = condition && this.#plannedUntil(about);
    if (condition && until !== null) {
      this.#core.count(about.type, 'maintenance');
      this.#withhold(key, about, condition, until);
      return true;
    }
    if (state.withheld.get(key)) {
      state.withheld.delete(key);
      wheel.clear('withheld', key);
    }
    return false;
  }

  #withhold(key: string, about: Matched, condition: Condition, until: number): void {
    this.#core.state.withheld.set(key, { ...about, condition, releaseAt: Number.isFinite(until) ? until : null });
    this.#core.wheel.set('withheld', key, until);
  }

  #plannedUntil(about: Matched): number | null {
    const { windows, now } = this.#core;
    return windows.isEmpty ? null : windows.plannedUntil(about, now, this.#returnMs(about));
  }

  #returnMs({ subject: { acquirer, terminal } }: Matched): number {
    const id = acquirer !== null && terminal !== null ? { acquirer, sn: terminal } : undefined;
    const t = id && this.#core.state.terminals.get(terminalKey(id));
    return Math.min(t ? intervalMs(t) : DEFAULT_INTERVAL_SECONDS * 1000, LONGEST_RETURN_MS);
  }

  #openingId(key: string): string {
    const { state, now } = this.#core;
    const { opened } = state.changeMeta();
    const count = opened[key] ?? 0;
    opened[key] = count + 1;
    return alertId(key, now, count);
  }
}
