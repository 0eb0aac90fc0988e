import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Transition } from '../../../protocol/alerts.ts';
import { newMerchant } from '../../../watch/fleet/merchants.ts';
import { Watch } from '../../../watch/fold/watch.ts';
import { DEFAULT_RULES } from '../../../watch/rules/defaults.ts';
import { judgeQuota } from '../../../watch/rules/quota.ts';
import type { Condition } from '../../../watch/rules/verdict.ts';
import {
  bind,
  binding,
  birth,
  brief,
  DAY,
  entry,
  fold,
  HOUR,
  type Line,
  MINUTE,
  MONDAY,
  merchant,
  platform,
  SEED,
  serial,
  story,
  terminal,
  terminals,
  tick,
  unbind,
} from '../support/log.ts';

const RULES = DEFAULT_RULES['quota.terminals'];

function judge(used: number, limit: number, firing: Condition | null = null): Condition | null {
  const m = newMerchant('acme', 'm-1', MONDAY);
  return judgeQuota({ ...m, limit, held: used, judged: { used, limit } }, firing, MONDAY, RULES).condition;
}

/** The catalogue's sentences, one a line, from the worst down. */
function said(used: number, limit: number): string | null {
  if (used > limit) return 'over critical';
  if (limit <= 2) return used === limit && used > 0 ? 'reached info' : null;
  if (used === limit) return 'reached critical';
  const left = limit - used;
  const near = used / limit >= 0.8 || left <= (limit >= 5 ? 2 : 1);
  if (!near) return null;
  return used / limit >= 0.95 || left <= 1 ? 'approaching critical' : 'approaching warning';
}

/** The share at which a merchant of this limit first approaches: the percentage, or the slots where they come first. */
function lineShare(limit: number): number {
  return Math.min(0.8, (limit - (limit >= 5 ? 2 : 1)) / limit);
}

const LIMITS = Array.from({ length: 100 }, (_, n) => n + 1);

describe('the level of use', () => {
  it('is what the catalogue says for every use of every limit up to a hundred', () => {
    for (const limit of LIMITS) {
      for (let used = 0; used <= limit + 3; used++) {
        const condition = judge(used, limit);

        expect([limit, used, condition && `${condition.reason} ${condition.severity}`]).toEqual([limit, used, said(used, limit)]);
      }
    }
  });

  it.each([
    [5, 2, null],
    [5, 3, 'approaching warning'],
    [5, 4, 'approaching critical'],
    [4, 2, null],
    [4, 3, 'approaching critical'],
    [3, 1, null],
    [3, 2, 'approaching critical'],
    [10, 7, null],
    [10, 8, 'approaching warning'],
    [10, 9, 'approaching critical'],
    [10, 10, 'reached critical'],
    [10, 11, 'over critical'],
    [100, 79, null],
    [100, 94, 'approaching warning'],
    [100, 95, 'approaching critical'],
    [2, 1, null],
    [2, 2, 'reached info'],
    [1, 2, 'over critical'],
    [0, 0, null],
    [0, 1, 'over critical'],
  ])('of a limit of %i with %i used is %s', (limit, used, level) => {
    const condition = judge(used, limit);

    expect(condition && `${condition.reason} ${condition.severity}`).toBe(level);
  });

  it('holds an alert until use is five points and two slots under its line, one slot where the limit is under ten', () => {
    for (const limit of LIMITS.filter((n) => n > 2)) {
      const firing = judge(limit, limit);
      const first = LIMITS.find((used) => said(used, limit) !== null)!;
      for (let used = 1; used < first; used++) {
        const fivePoints = used / limit <= lineShare(limit) - 0.05 + 1e-9;
        const slots = first - used >= (limit < 10 ? 1 : 2);

        expect([limit, used, judge(used, limit, firing) === null]).toEqual([limit, used, fivePoints && slots]);
      }
    }
  });

  it('is told with the use, the limit and what is reserved', () => {
    const m = { ...newMerchant('acme', 'm-1', MONDAY), limit: 10, held: 7, pending: 2, judged: { used: 0, limit: 10 } };

    const { condition } = judgeQuota(m, null, MONDAY + 5, RULES);

    expect(condition!.evidence).toEqual([
      { what: 'bound', value: 7, limit: 10, at: MONDAY + 5 },
      { what: 'pending', value: 2, at: MONDAY + 5 },
    ]);
  });

  it('is nothing where there is no limit, and says so', () => {
    expect(judgeQuota({ ...newMerchant('acme', 'm-1', 0), held: 500 }, null, MONDAY, RULES)).toEqual({ why: 'no_limit', condition: null });
  });
});

describe('a merchant that grows', () => {
  const start = [merchant(MONDAY, { terminal_limit: 10 }), ...terminals(MONDAY, 7)];
  const at = (minute: number) => MONDAY + minute * MINUTE;

  it('fires once and rises and falls in place', () => {
    const log = [
      ...start,
      bind(at(1), serial(8)),
      bind(at(2), serial(9)),
      bind(at(3), serial(10)),
      bind(at(4), serial(11)),
      unbind(at(5), serial(11)),
      unbind(at(6), serial(10)),
      unbind(at(7), serial(9)),
      unbind(at(8), serial(8)),
      unbind(at(9), serial(7)),
    ];

    expect(story(log)).toEqual([
      `${MINUTE} fired m-1 approaching warning unknown`,
      `${2 * MINUTE} updated m-1 approaching critical unknown`,
      `${3 * MINUTE} updated m-1 reached critical unknown`,
      `${4 * MINUTE} updated m-1 over critical unknown`,
      `${5 * MINUTE} updated m-1 reached critical unknown`,
      `${6 * MINUTE} updated m-1 approaching critical unknown`,
      `${7 * MINUTE} updated m-1 approaching warning unknown`,
      `${9 * MINUTE} resolved m-1 approaching warning unknown`,
    ]);
  });

  it('says nothing more where one terminal goes and another comes at the edge', () => {
    const edge = Array.from({ length: 6 }, (_, n) => (n % 2 ? bind : unbind)(at(2 + n), serial(8)));

    expect(story([...start, bind(at(1), serial(8)), ...edge])).toEqual([`${MINUTE} fired m-1 approaching warning unknown`]);
  });

  it('says nothing under the line, however often one comes and goes', () => {
    const edge = Array.from({ length: 6 }, (_, n) => (n % 2 ? bind : unbind)(at(2 + n), serial(7)));

    expect(story([...start, ...edge])).toEqual([]);
  });

  it('fires where an import jumps over the line in one go', () => {
    const log = [
      merchant(MONDAY, { terminal_limit: 10 }),
      ...terminals(MONDAY, 3),
      ...terminals(at(1), 7, 4).map((line) => ({ ...line, import: 'i-1' })),
      tick(at(2)),
      { at: at(3), commit: 'i-1' },
      tick(at(4)),
    ];

    expect(story(log)).toEqual([`${3 * MINUTE} fired m-1 reached critical unknown`]);
  });

  it('ends the alert where an import jumps far back', () => {
    const log = [...start, ...terminals(at(1), 3, 8), ...Array.from({ length: 7 }, (_, n) => unbind(at(2), serial(4 + n)))];

    expect(story(log)).toEqual([`${MINUTE} fired m-1 reached critical unknown`, `${2 * MINUTE} resolved m-1 reached critical unknown`]);
  });

  it('fires anew, under another id, after it was resolved', () => {
    const again = [
      bind(at(1), serial(8)),
      unbind(at(2), serial(8)),
      unbind(at(2), serial(7)),
      bind(at(3), serial(7)),
      bind(at(3), serial(8)),
    ];

    const fired = fold([...start, ...again]).filter((t) => t.transition === 'fired');

    expect(fired.map((t) => t.at)).toEqual([at(1), at(3)]);
    expect(fired[0]!.alert.id).not.toBe(fired[1]!.alert.id);
  });

  it('is announced though we are blind: bindings come from the registry', () => {
    expect(story([...start, platform(at(1), 'broker', 'down'), bind(at(2), serial(8))])).toEqual([
      `${MINUTE} fired null broker critical broker`,
      `${2 * MINUTE} fired m-1 approaching warning unknown`,
    ]);
  });

  it('is told with its acquirer and remedies', () => {
    const [{ alert }] = fold([...start, bind(at(1), serial(8))]) as [Transition];

    expect(alert).toMatchObject({ type: 'quota.terminals', state: 'firing', seq: 1, startsAt: at(1), endsAt: null, count: 1 });
    expect(alert.subject).toMatchObject({ acquirer: 'acme', merchant: 'm-1', terminal: null });
    expect(alert.remedy.length).toBeGreaterThan(0);
  });
});

describe('a limit that changes', () => {
  const seven = [merchant(MONDAY, { terminal_limit: 10 }), ...terminals(MONDAY, 7)];
  const at = MONDAY + HOUR;

  it('crosses as a bind does, and is the cause', () => {
    expect(story([...seven, merchant(at, { terminal_limit: 8 })])).toEqual([`${HOUR} fired m-1 approaching critical limit_cut`]);
  });

  it('is the cause no more once it is raised again, even where the alert holds on', () => {
    const log = [...seven, merchant(at, { terminal_limit: 6 }), merchant(at + HOUR, { terminal_limit: 8 })];

    expect(story(log)).toEqual([`${HOUR} fired m-1 over critical limit_cut`, `${2 * HOUR} updated m-1 approaching critical unknown`]);
  });

  it('names the limit before it, and that it was regulatory where the row says so', () => {
    const [{ alert }] = fold([...seven, merchant(at, { terminal_limit: 7, limit_reason: 'regulatory' })]) as [Transition];

    expect(alert.evidence).toContainEqual({ what: 'limit_reason', value: 'regulatory', at });
    expect(alert.evidence).toContainEqual({ what: 'limit_before', value: 10, at });
  });

  it('is no cause where growth crossed before the limit fell to the same level', () => {
    const log = [...seven, ...terminals(MONDAY + MINUTE, 5, 8), merchant(at, { terminal_limit: 9 })];

    expect(story(log)).toEqual([`${MINUTE} fired m-1 over critical unknown`]);
  });

  it('resolves by a raise that leaves use far under the new line', () => {
    const log = [...seven, ...terminals(MONDAY + MINUTE, 2, 8), merchant(at, { terminal_limit: 20 })];

    expect(story(log)).toEqual([`${MINUTE} fired m-1 approaching critical unknown`, `${HOUR} resolved m-1 approaching critical unknown`]);
  });

  it('holds on by its slack after a raise that leaves use just under the new line', () => {
    const log = [...seven, ...terminals(MONDAY + MINUTE, 2, 8), merchant(at, { terminal_limit: 12 })];

    expect(story(log)).toEqual([`${MINUTE} fired m-1 approaching critical unknown`, `${HOUR} updated m-1 approaching warning unknown`]);
  });

  it('ends the alert where the limit is taken away', () => {
    expect(story([...seven, bind(MONDAY + MINUTE, serial(8)), merchant(at, {})]).at(-1)).toBe(
      `${HOUR} resolved m-1 approaching warning unknown`,
    );
  });

  it.each([
    ['UTC', '2025-11-20', Date.UTC(2025, 10, 20)],
    ['', '2025-11-20', Date.UTC(2025, 10, 20)],
    ['Asia/Shanghai', '2025-11-20', Date.UTC(2025, 10, 19, 16)],
    ['America/New_York', '2025-11-20', Date.UTC(2025, 10, 20, 5)],
    ['Europe/Berlin', '2026-03-29', Date.UTC(2026, 2, 28, 23)],
    ['Europe/Berlin', '2026-03-30', Date.UTC(2026, 2, 29, 22)],
    ['Australia/Lord_Howe', '2026-04-06', Date.UTC(2026, 3, 5, 13, 30)],
    ['Africa/Cairo', '2026-04-24', Date.UTC(2026, 3, 23, 22)], // its clocks skip from midnight to one
  ])('comes into force at midnight of its date in the zone "%s"', (tz, date, midnight) => {
    const log = [
      merchant(MONDAY, { terminal_limit: 10, tz }),
      ...terminals(MONDAY, 7),
      merchant(MONDAY + HOUR, { terminal_limit: 7, limit_from: date, tz }),
      tick(midnight + DAY),
    ];

    expect(story(log)).toEqual([`${midnight - MONDAY} fired m-1 reached critical limit_cut`]);
  });

  it('in the past or today holds at once', () => {
    expect(story([...seven, merchant(at, { terminal_limit: 7, limit_from: '2025-11-17' })])).toEqual([
      `${HOUR} fired m-1 reached critical limit_cut`,
    ]);
  });

  it('that is the first and comes later leaves the merchant without one until then', () => {
    const log = [...terminals(MONDAY, 7), merchant(MONDAY, { terminal_limit: 7, limit_from: '2025-11-19' }), tick(MONDAY + 5 * DAY)];

    expect(story(log)).toEqual([`${2 * DAY} fired m-1 reached critical unknown`]);
  });

  it('is taken back by a row that comes before its date', () => {
    const log = [
      ...seven,
      merchant(at, { terminal_limit: 7, limit_from: '2025-11-19' }),
      merchant(at + DAY, { terminal_limit: 10 }),
      tick(MONDAY + 9 * DAY),
    ];

    expect(story(log)).toEqual([]);
  });
});

describe('what counts as used', () => {
  const limitOf = (n: number) => merchant(MONDAY, { terminal_limit: n });
  const at = MONDAY + HOUR;

  it.each([
    ['active', true],
    ['inactive', true],
    ['swapped_out', true],
    ['pending', true],
    ['blacklisted', false],
    ['deleted', false],
  ])('a terminal that is %s takes a slot: %s', (lifecycle, takes) => {
    const log = [limitOf(10), ...terminals(MONDAY, 9), terminal(at, serial(10), { lifecycle })];

    expect(story(log).some((s) => s.includes('reached'))).toBe(takes);
  });

  it('a pending terminal that becomes active is not a second one', () => {
    const log = [
      limitOf(10),
      ...terminals(MONDAY, 8),
      terminal(MONDAY, serial(9), { lifecycle: 'pending' }),
      terminal(at, serial(9)),
      bind(at + MINUTE, serial(9)),
    ];

    expect(story(log)).toEqual(['0 fired m-1 approaching critical unknown']);
  });

  it('a swap takes one more, until the old serial is unbound', () => {
    const log = [
      limitOf(10),
      ...terminals(MONDAY, 9),
      binding(at, { op: 'swap', old_sn: serial(1), new_sn: serial(50) }),
      unbind(at + MINUTE, serial(1)),
    ];

    expect(story(log).map((s) => s.split(' ').slice(0, 4).join(' '))).toEqual([
      '0 fired m-1 approaching',
      `${HOUR} updated m-1 reached`,
      `${HOUR + MINUTE} updated m-1 approaching`,
    ]);
  });

  it('a bind at another merchant frees the slot at the one before', () => {
    const log = [
      limitOf(10),
      merchant(MONDAY, { merchant: 'm-2', terminal_limit: 10 }),
      ...terminals(MONDAY, 8),
      ...terminals(MONDAY, 9, 20, { merchant: 'm-2' }),
      bind(at, serial(1), 'm-2'),
      bind(at + MINUTE, serial(2), 'm-2'),
    ];

    expect(story(log)).toEqual([
      '0 fired m-1 approaching warning unknown',
      '0 fired m-2 approaching critical unknown',
      `${HOUR} updated m-2 reached critical unknown`,
      `${HOUR + MINUTE} resolved m-1 approaching warning unknown`,
      `${HOUR + MINUTE} updated m-2 over critical unknown`,
    ]);
  });

  it('a terminal that binds nothing by its birth holds no slot', () => {
    const log = [limitOf(10), ...terminals(MONDAY, 7), birth(at, { merchant: 'm-1' }, { sn: serial(99) }), tick(at + HOUR)];

    expect(story(log)).toEqual([]);
  });

  it('a terminal unbound twice frees one slot', () => {
    const watch = new Watch();

    fold([limitOf(10), ...terminals(MONDAY, 9), unbind(at, serial(1)), unbind(at + 1, serial(1)), unbind(at + 2, 'SN999999')], watch);

    expect(watch.state.merchants.get('acme/m-1')).toMatchObject({ held: 8, pending: 0, swappedOut: 0 });
  });
});

describe('rows of one moment', () => {
  const moment: Line[] = [
    merchant(MONDAY, { terminal_limit: 10, tz: 'Asia/Shanghai' }),
    merchant(MONDAY, { merchant: 'm-2', terminal_limit: 2 }),
    merchant(MONDAY, { merchant: 'm-3', terminal_limit: 5, limit_from: '2025-11-18', tz: 'Europe/Berlin' }),
    ...terminals(MONDAY, 8),
    terminal(MONDAY, serial(20), { merchant: 'm-2', lifecycle: 'pending' }),
    terminal(MONDAY, serial(21), { merchant: 'm-2' }),
    ...terminals(MONDAY, 4, 30, { merchant: 'm-3' }),
  ];
  const change: Line[] = [
    unbind(MONDAY + HOUR, serial(1)),
    bind(MONDAY + HOUR, serial(40)),
    binding(MONDAY + HOUR, { op: 'swap', old_sn: serial(2), new_sn: serial(41) }),
    terminal(MONDAY + HOUR, serial(30), { merchant: 'm-2' }),
    merchant(MONDAY + HOUR, { terminal_limit: 9 }),
  ];
  const told = (lines: readonly Line[]) => JSON.stringify(fold([...lines, tick(MONDAY + 3 * DAY)]));

  it('are judged together: the same bytes come out whatever their order', () => {
    const want = told([...moment, ...change]);

    fc.assert(
      fc.property(fc.shuffledSubarray(moment, { minLength: moment.length }), fc.shuffledSubarray(change, { minLength: 5 }), (a, b) => {
        expect(told([...a, ...b])).toBe(want);
      }),
      { seed: SEED, numRuns: 60 },
    );
  });

  it('that cross and come back within it announce nothing', () => {
    const log = [merchant(MONDAY, { terminal_limit: 10 }), ...terminals(MONDAY, 10), ...[1, 2, 3].map((n) => unbind(MONDAY, serial(n)))];

    expect(story(log)).toEqual([]);
  });

  it('of an import without a commit never count, nor do those of one that another began over', () => {
    const half = terminals(MONDAY + 1, 9).map((line) => ({ ...line, import: 'torn' }));
    const next = terminals(MONDAY + 2, 3).map((line) => ({ ...line, import: 'whole' }));
    const log = [
      merchant(MONDAY, { terminal_limit: 10 }),
      ...half,
      ...next,
      { at: MONDAY + 3, commit: 'torn' },
      { at: MONDAY + 4, commit: 'whole' },
    ];
    const watch = new Watch();

    fold(log, watch);

    expect(watch.state.merchants.get('acme/m-1')).toMatchObject({ held: 3 });
  });
});

describe('a merchant that has not grown for ninety days', () => {
  const start = [merchant(MONDAY, { terminal_limit: 10 }), ...terminals(MONDAY, 9)];

  it('falls to information on that day', () => {
    expect(story([...start, tick(MONDAY + 100 * DAY)])).toEqual([
      '0 fired m-1 approaching critical unknown',
      `${90 * DAY} updated m-1 approaching info unknown`,
    ]);
  });

  it('counts from its last growth, not from what came and went since', () => {
    const log = [...start, bind(MONDAY + 30 * DAY, serial(10)), unbind(MONDAY + 31 * DAY, serial(10)), tick(MONDAY + 150 * DAY)];

    expect(story(log).at(-1)).toBe(`${120 * DAY} updated m-1 approaching info unknown`);
  });

  it('is told again once it grows', () => {
    expect(story([...start, bind(MONDAY + 95 * DAY, serial(10))]).at(-1)).toBe(`${95 * DAY} updated m-1 reached critical unknown`);
  });

  it('is not woken by being registered again as it is', () => {
    const watch = new Watch();
    const again = [merchant(MONDAY + 80 * DAY, { terminal_limit: 10 }), ...terminals(MONDAY + 80 * DAY, 9)];

    const told = [...start, ...again, tick(MONDAY + 91 * DAY)].flatMap((line) => watch.step(entry(line)).transitions).map(brief);

    expect(told.at(-1)).toBe(`${MONDAY + 90 * DAY} updated m-1 approaching info unknown`);
  });
});
