/** Follows each warning until it has come true or its time has passed, and each event that could have been foreseen. */
import type { Alert, Transition } from '../../protocol/alerts.ts';
import { FORESEEABLE, type Foreseeable, happenedAt, holds, leadStep, nameOf } from '../alerts/foresight.ts';
import { type Foreseen, reportDay } from '../alerts/report-days.ts';
import type { FoldCore } from './core.ts';

export class Warnings {
  readonly duties = { warning: (key: string) => this.#comeToNothing(key) };
  readonly #core: FoldCore;

  constructor(core: FoldCore) {
    this.#core = core;
    core.onTransition = (subjectKey, before, transition) => this.#note(subjectKey, before, transition);
  }

  load(): void {
    const { state, wheel } = this.#core;
    for (const { key, until } of state.warnings.values()) wheel.set('warning', key, until ?? Number.POSITIVE_INFINITY);
  }

  /** An event is looked at first: where a quota is reached, it ends the warning in the same alert. */
  #note(subjectKey: string, before: Readonly<Alert> | null, { alert }: Transition): void {
    const { acquirer } = alert.subject;
    if (acquirer === null) return;
    for (const foreseeable of FORESEEABLE) {
      const { warning, event } = foreseeable;
      const key = `${nameOf(foreseeable)} ${subjectKey}`;
      if (holds(event, alert) && !holds(event, before)) this.#happened(key, nameOf(foreseeable), alert);
      const stood = holds(warning, before);
      if (!stood && holds(warning, alert)) this.#begin(key, nameOf(foreseeable), acquirer);
      if (stood && !holds(warning, alert)) this.#end(key, foreseeable, before!);
    }
  }

  #begin(key: string, name: string, acquirer: string): void {
    const { state, now, wheel } = this.#core;
    state.warnings.set(key, { key, name, acquirer, since: now, until: null, cameTrue: false });
    wheel.clear('warning', key);
  }

  #end(key: string, { horizonMs }: Foreseeable, { predicted }: Readonly<Alert>): void {
    const { state, now, wheel, rules } = this.#core;
    const warning = state.warnings.change(key);
    if (!warning) return; // it was fired by a version that followed none
    if (warning.cameTrue) return state.warnings.delete(key);
    warning.until = predicted ? Math.max(now, predicted.latest) : now + horizonMs(rules);
    wheel.set('warning', key, warning.until);
  }

  /** Only who stands warned was warned; a warning that had ended too early did come true. */
  #happened(key: string, name: string, alert: Readonly<Alert>): void {
    const { state, now, wheel } = this.#core;
    const counts = this.#countsOf(name, alert.subject.acquirer!);
    const warning = state.warnings.change(key);
    counts.events++;
    if (!warning) return;
    if (warning.until === null) {
      const step = leadStep(happenedAt(alert, now) - warning.since);
      counts.leads[step] = (counts.leads[step] ?? 0) + 1;
    }
    if (!warning.cameTrue) counts.cameTrue++;
    warning.cameTrue = true;
    if (warning.until === null) return;
    state.warnings.delete(key);
    wheel.clear('warning', key);
  }

  #comeToNothing(key: string): void {
    const { name, acquirer } = this.#core.state.warnings.get(key)!;
    this.#countsOf(name, acquirer).cameToNothing++;
    this.#core.state.warnings.delete(key);
  }

  #countsOf(name: string, acquirer: string): Foreseen {
    const { foreseen } = reportDay(this.#core.state.reportDays, acquirer, this.#core.now);
    foreseen[name] ??= { events: 0, leads: {}, cameTrue: 0, cameToNothing: 0 };
    return foreseen[name];
  }
}
