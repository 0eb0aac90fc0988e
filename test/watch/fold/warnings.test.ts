import { beforeEach, describe, expect, it } from 'vitest';
import type { AlertType, Prediction, Reason, Severity } from '../../../protocol/alerts.ts';
import type { Foreseen } from '../../../watch/alerts/report-days.ts';
import { FoldCore } from '../../../watch/fold/core.ts';
import { beginSave, loadRow, type SavedRow, takeSaved } from '../../../watch/fold/table.ts';
import { Warnings } from '../../../watch/fold/warnings.ts';
import { Watch } from '../../../watch/fold/watch.ts';
import { DEFAULT_RULES } from '../../../watch/rules/defaults.ts';
import { DAY, entry, HOUR, type Line, MONDAY, merchant, terminals, tick, unbind } from '../support/log.ts';
import { at } from '../support/moments.ts';

interface Said {
  reason?: Reason;
  severity?: Severity;
  cause?: string;
  predicted?: Prediction | null;
  lastHeard?: number;
}

/** A fold of nothing but what is said: a watch says it as any would, and time moves on. */
class Saying {
  core = new FoldCore(DEFAULT_RULES);
  warnings = new Warnings(this.core);
  readonly disk = new Map<string, SavedRow>();

  constructor(at: number) {
    this.core.moveTo(at);
  }

  /** Says that a condition holds at `at`, or (null) that it does no more. */
  say(at: number, type: AlertType, said: Said | null, key = 'acme/SN01'): this {
    this.until(at);
    this.core.begin();
    this.core.announce(type, key, { acquirer: 'acme', terminal: key }, () => ({ why: 'said', condition: said && conditionOf(said) }));
    return this;
  }

  until(at: number): this {
    for (let due = this.core.wheel.take(at); due; due = this.core.wheel.take(at)) {
      this.core.moveTo(due.at);
      this.warnings.duties.warning(due.key);
    }
    this.core.moveTo(at);
    return this;
  }

  /** Goes on from what a save holds. */
  reload(): this {
    const { tables } = this.core.state;
    beginSave(tables);
    for (let rows = takeSaved(tables, 10); rows.length > 0; rows = takeSaved(tables, 10)) {
      for (const row of rows) this.disk.set(`${row.table} ${row.key}`, row);
    }
    this.core = new FoldCore(DEFAULT_RULES);
    for (const row of this.disk.values()) if (row.value !== null) loadRow(this.core.state.tables, row);
    this.warnings = new Warnings(this.core);
    this.warnings.load();
    return this;
  }

  counted(name = 'coverage.weakening terminal.offline'): Foreseen | undefined {
    const [row, ...others] = [...this.core.state.reportDays.values()];
    expect(others).toEqual([]);
    return row?.foreseen[name];
  }
}

function conditionOf({ reason = 'silent', severity = 'warning', cause = 'radio', predicted = null, lastHeard }: Said) {
  const evidence = lastHeard === undefined ? [] : [{ what: 'last_heard', value: lastHeard, at: lastHeard }];
  return { severity, reason, cause, confidence: 0.8, evidence, predicted };
}

const WEAK: Said = { reason: 'band', cause: 'weak_signal' };
const drop = (lastHeard: number, cause = 'radio'): Said => ({ reason: 'silent', cause, lastHeard: at(lastHeard) });
const NONE = { events: 0, leads: {}, cameTrue: 0, cameToNothing: 0 };

let saying: Saying;
beforeEach(() => {
  saying = new Saying(MONDAY);
});

describe('a warning of a weak signal', () => {
  it('came true where the terminal drops while it stands: as early as it was before the last that was heard', () => {
    saying.say(at(0), 'coverage.weakening', WEAK).say(at(40), 'terminal.offline', drop(31));

    expect(saying.counted()).toEqual({ ...NONE, events: 1, leads: { [30 * 60]: 1 }, cameTrue: 1 });
  });

  it('came true once, however often the terminal drops while it stands', () => {
    saying.say(at(0), 'coverage.weakening', WEAK);
    for (const n of [20, 60, 100]) saying.say(at(n), 'terminal.offline', drop(n - 10)).say(at(n + 5), 'terminal.offline', null);
    saying.say(at(110), 'coverage.weakening', null).until(at(600));

    expect(saying.counted()).toEqual({ ...NONE, events: 3, leads: { 600: 1, 2700: 1, 5400: 1 }, cameTrue: 1 });
  });

  it('came true where the terminal drops within half an hour after it ended: but who had been told all is well was not warned', () => {
    saying.say(at(0), 'coverage.weakening', WEAK).say(at(20), 'coverage.weakening', null).say(at(49), 'terminal.offline', drop(40));

    expect(saying.until(at(600)).counted()).toEqual({ ...NONE, events: 1, cameTrue: 1 });
  });

  it('came to nothing half an hour after it ended, and not before', () => {
    saying.say(at(0), 'coverage.weakening', WEAK).say(at(20), 'coverage.weakening', null);

    expect(saying.until(at(50)).counted()).toBeUndefined();
    expect(saying.until(at(50) + 1).counted()).toEqual({ ...NONE, cameToNothing: 1 });
    expect(saying.say(at(51), 'terminal.offline', drop(45)).counted()).toEqual({ ...NONE, events: 1, cameToNothing: 1 });
  });

  it('that comes again within that time is one warning, and as early as its last coming', () => {
    saying.say(at(0), 'coverage.weakening', WEAK).say(at(20), 'coverage.weakening', null).say(at(40), 'coverage.weakening', WEAK);

    expect(saying.until(at(600)).counted()).toBeUndefined();
    expect(saying.say(at(610), 'terminal.offline', drop(600)).counted()).toEqual({ ...NONE, events: 1, leads: { 28800: 1 }, cameTrue: 1 });
  });

  it('that is information is none', () => {
    saying.say(at(0), 'coverage.weakening', { ...WEAK, severity: 'info' }).say(at(40), 'terminal.offline', drop(30));

    expect(saying.counted()).toEqual({ ...NONE, events: 1 });
  });

  it('is one from when it rises from information on', () => {
    saying.say(at(0), 'coverage.weakening', { ...WEAK, severity: 'info' }).say(at(20), 'coverage.weakening', WEAK);

    expect(saying.say(at(40), 'terminal.offline', drop(30)).counted()?.leads).toEqual({ 600: 1 });
  });

  it('is of its own terminal alone', () => {
    saying.say(at(0), 'coverage.weakening', WEAK, 'acme/SN02').say(at(40), 'terminal.offline', drop(30));

    expect(saying.counted()).toEqual({ ...NONE, events: 1 });
  });

  it('is followed on after a save, at every moment of its life', () => {
    saying.say(at(0), 'coverage.weakening', WEAK).reload().say(at(20), 'coverage.weakening', null).reload();

    expect(saying.until(at(51)).counted()).toEqual({ ...NONE, cameToNothing: 1 });
    expect(saying.reload().core.state.warnings.size).toBe(0);
  });

  it('that was fired before warnings were followed ends without a count', () => {
    saying.core.onTransition = () => {};
    saying.say(at(0), 'coverage.weakening', WEAK).reload().say(at(20), 'coverage.weakening', null);

    expect(saying.until(at(600)).counted()).toBeUndefined();
  });
});

describe('a drop', () => {
  it('that no signal could foretell is none of these', () => {
    saying.say(at(0), 'coverage.weakening', WEAK).say(at(40), 'terminal.offline', drop(30, 'power'));

    expect(saying.counted()).toBeUndefined();
  });

  it('counts once its cause is found to be the radio, and once', () => {
    saying.say(at(40), 'terminal.offline', drop(30, 'unknown')).say(at(50), 'terminal.offline', drop(30));
    saying.say(at(90), 'terminal.offline', { ...drop(30), severity: 'critical' }).say(at(100), 'terminal.offline', null);

    expect(saying.counted()).toEqual({ ...NONE, events: 1 });
  });
});

describe('a warning of a quota', () => {
  const counted = () => saying.counted('quota.terminals quota.terminals');
  const quota = (minute: number, reason: Reason | null, more: Said = {}) =>
    saying.say(at(minute), 'quota.terminals', reason && { reason, ...more }, 'acme/m-1');

  it('came true where the same alert rises to reached', () => {
    quota(0, 'approaching');
    quota(300, 'reached', { severity: 'critical' });
    quota(400, 'over', { severity: 'critical' });

    expect(counted()).toEqual({ ...NONE, events: 1, leads: { [4 * 3600]: 1 }, cameTrue: 1 });
  });

  it('begins anew where use falls under the limit again', () => {
    quota(0, 'reached');
    quota(60, 'approaching');
    quota(120, 'reached');

    expect(counted()).toEqual({ ...NONE, events: 2, leads: { 3600: 1 }, cameTrue: 1 });
  });

  it('that only approached came to nothing 30 days after its end', () => {
    quota(0, 'approaching');
    quota(60, null);
    const end = at(60) + 30 * DAY;

    saying.until(end);
    expect(saying.core.state.reportDays.size).toBe(0);
    saying.until(end + 1);
    expect(counted()).toEqual({ ...NONE, cameToNothing: 1 });
  });

  it('that named a date came to nothing when the latest of it has passed', () => {
    quota(0, 'forecast', { predicted: { at: at(500), earliest: at(400), latest: at(600) } });
    quota(60, null);

    expect(saying.until(at(600)).core.state.reportDays.size).toBe(0);
    saying.until(at(600) + 1);
    expect(counted()).toEqual({ ...NONE, cameToNothing: 1 });
  });

  it('whose date passed while it stood comes to nothing with its end', () => {
    quota(0, 'forecast', { predicted: { at: at(30), earliest: at(20), latest: at(40) } });
    quota(60, null);
    saying.until(at(61));

    expect(counted()).toEqual({ ...NONE, cameToNothing: 1 });
  });
});

describe('the fold', () => {
  it('follows the warnings of its watches', () => {
    const watch = new Watch();
    const lines: Line[] = [
      merchant(MONDAY, { terminal_limit: 10 }),
      ...terminals(MONDAY, 8),
      ...terminals(MONDAY + HOUR, 2, 9),
      unbind(MONDAY + 2 * HOUR, 'SN000001'),
      merchant(MONDAY, { merchant: 'm-2', terminal_limit: 4 }),
      ...terminals(MONDAY, 4, 21, { merchant: 'm-2' }),
      tick(MONDAY + DAY),
    ].sort((a, b) => a.at - b.at);
    for (const line of lines) watch.step(entry(line));

    const [day] = watch.reportDays(MONDAY, MONDAY + DAY, 'acme');

    expect(day?.foreseen).toEqual({ 'quota.terminals quota.terminals': { ...NONE, events: 2, leads: { 3600: 1 }, cameTrue: 1 } });
  });
});
