import { describe, expect, it } from 'vitest';
import type { Entry } from '../../../protocol/entries.ts';
import { type HeardWeeks, learnedHours, weeksHeard, withHeard } from '../../../watch/fleet/learned.ts';
import { Watch } from '../../../watch/fold/watch.ts';
import { DAY, HOUR } from '../support/log.ts';

const MONDAY = Date.UTC(2026, 2, 2);

/** Heard every five minutes of these hours, on each of these days after Monday, 2 March 2026. */
function heardOn(days: readonly number[], from: number, to: number): HeardWeeks {
  let heard: HeardWeeks = '';
  for (const day of days) {
    for (let at = MONDAY + day * DAY + from * HOUR; at < MONDAY + day * DAY + to * HOUR; at += 300_000) heard = withHeard(heard, at);
  }
  return heard;
}

const everyDay = (weeks: number) => Array.from({ length: weeks * 7 }, (_, day) => day);

const BOUND: Entry = {
  kind: 'registry',
  at: MONDAY,
  change: { table: 'terminals', row: { acquirer: 'acme', merchant: 'm-1', sn: 'SN000001', lifecycle: 'active' } },
};

function reportAt(at: number): Entry {
  const body = { v: 1 as const, session: 's-1', seq: at / 300_000, samples: [{ at }] };
  const decoded = { ok: true, message: { channel: 'report', body } } as const;
  return { kind: 'message', at, node: '', acquirer: 'acme', sn: 'SN000001', channel: 'report', decoded };
}

describe('hours learned from when a terminal was heard', () => {
  it('are not there before two whole weeks are known', () => {
    expect(learnedHours(heardOn(everyDay(3), 9, 21), 'UTC')).toBeNull();
    expect(learnedHours(heardOn(everyDay(4), 9, 21), 'UTC')).not.toBeNull();
  });

  it('leave out the first and the last hour of a day, which are only partly open', () => {
    expect(learnedHours(heardOn(everyDay(4), 9, 21), 'Asia/Shanghai')).toEqual({ tz: 'Asia/Shanghai', week: Array(7).fill('10:00-20:00') });
  });

  it('leave out days that are never heard', () => {
    const withoutSundays = everyDay(4).filter((day) => day % 7 !== 6);
    expect(learnedHours(heardOn(withoutSundays, 9, 21), 'UTC')?.week).toEqual([...Array(6).fill('10:00-20:00'), '']);
  });

  it('stay open on a day that was missed once', () => {
    expect(
      learnedHours(
        heardOn(
          everyDay(5).filter((day) => day !== 9),
          9,
          21,
        ),
        'UTC',
      )?.week[2],
    ).toBe('10:00-20:00');
  });

  it('are all hours where a terminal is heard all the time', () => {
    expect(learnedHours(heardOn(everyDay(5), 0, 24), 'UTC')).toBeNull();
  });

  it('forget what is older than the last weeks heard', () => {
    const heard = heardOn(everyDay(30), 9, 21);
    expect(weeksHeard(heard)).toBeLessThanOrEqual(5);
  });
});

describe('a terminal that declares no hours', () => {
  it('raises an alert on its first silent nights, and none once its nights are learned', () => {
    const watch = new Watch();
    const fired: number[] = [];
    const step = (entry: Entry) => {
      for (const { transition, at } of watch.step(entry).transitions) if (transition === 'fired') fired.push(at);
    };
    step(BOUND);

    for (let day = 0; day < 35; day++) {
      for (let at = MONDAY + day * DAY + 9 * HOUR; at < MONDAY + day * DAY + 21 * HOUR; at += 300_000) {
        step(reportAt(at));
      }
    }

    const byWeek = [0, 1, 2, 3, 4].map((week) => fired.filter((at) => Math.floor((at - MONDAY) / (7 * DAY)) === week).length);
    expect(byWeek).toEqual([7, 7, 7, 0, 0]);
  });

  it('is still found silent in the middle of a learned day', () => {
    const watch = new Watch();
    watch.step(BOUND);
    const last = MONDAY + 34 * DAY + 12 * HOUR;
    for (let day = 0; day < 35; day++) {
      for (let at = MONDAY + day * DAY + 9 * HOUR; at < MONDAY + day * DAY + 21 * HOUR && at <= last; at += 300_000) {
        watch.step(reportAt(at));
      }
    }

    const { transitions } = watch.step({ kind: 'tick', at: last + 2 * HOUR });

    expect(transitions.map(({ at, transition }) => [at, transition])).toEqual([
      [last + 3 * 330_000, 'fired'],
      [last + 3 * 330_000 + HOUR, 'updated'],
    ]);
  });
});
