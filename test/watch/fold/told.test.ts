import { describe, expect, it } from 'vitest';
import { Watch } from '../../../watch/fold/watch.ts';
import {
  backlog,
  birth,
  DAY,
  entry,
  goodbye,
  HOUR,
  hadHappened,
  happened,
  type Line,
  MINUTE,
  MONDAY,
  report,
  said,
  serial,
  terminal,
  tick,
  type Via,
} from '../support/log.ts';

const GOOD = { rat: 'lte', rsrp: -85, rsrq: -9, sinr: 15 };
const WEAK = { rat: 'lte', rsrp: -119, rsrq: -17, sinr: -4 };
const NONE = { rat: 'none' };
/** When it falls silent, when it is back, and when its time to tell is over. */
const LAST = MONDAY + 5 * MINUTE;
const BACK = MONDAY + 2 * HOUR;
const JUDGED = BACK + 10 * MINUTE + 1;
const NEW: Via = { session: 's2' };

/** What was counted: said and told, and how often. */
function counted(lines: readonly Line[], watch = new Watch()): Record<string, number> {
  for (const line of lines) watch.step(entry(line));
  watch.finish();
  const counts: Record<string, number> = {};
  for (const { causes } of watch.reportDays(0, Number.POSITIVE_INFINITY, 'acme')) {
    for (const [pair, n] of Object.entries(causes)) counts[pair] = (counts[pair] ?? 0) + n;
  }
  return counts;
}

/** A terminal that is silent from LAST until BACK; `before` and `after` are what it says last, and once it is back. */
function silence(before: Line[], after: Line[]): Record<string, number> {
  return counted([
    terminal(MONDAY, serial(1)),
    birth(MONDAY, { sim: { planBytes: 1000 } }),
    ...(before.length > 0 ? before : [said(LAST, 1, { signal: GOOD, power: { mains: true, battery: 1 } })]),
    birth(BACK, { sim: { planBytes: 1000 } }, NEW),
    ...after,
    tick(JUDGED),
  ]);
}

/** Samples of the old session, one each five minutes of the silence. */
function kept(sample: (n: number) => Record<string, unknown>, at = BACK + 1, via: Via = {}): Line {
  const samples = Array.from({ length: 20 }, (_, n) => ({ at: LAST + (n + 1) * 5 * MINUTE, ...sample(n) }));
  return backlog(at, 50, samples, via);
}

describe('a terminal that sampled through its silence', () => {
  it.each([
    ['weak', WEAK],
    ['no', NONE],
  ])('with %s signal tells that it was the radio', (_, signal) => {
    expect(silence([], [kept(() => ({ signal }))])).toEqual({ 'unknown radio': 1 });
  });

  it('on a battery that fell tells that its power had gone', () => {
    const after = [kept((n) => ({ signal: GOOD, power: { mains: false, battery: 0.9 - n * 0.04 } }))];

    expect(silence([], after)).toEqual({ 'unknown power': 1 });
  });

  it('on a battery that it always runs on tells of no lost power', () => {
    const before = [said(LAST, 1, { signal: GOOD, power: { mains: false, battery: 0.95 } })];
    const after = [kept((n) => ({ signal: WEAK, power: { mains: false, battery: 0.9 - n * 0.02 } }))];

    expect(silence(before, after)).toEqual({ 'unknown radio': 1 });
  });

  it('with its plan used up tells that it had no data', () => {
    expect(silence([], [kept(() => ({ signal: GOOD, sim: { usedBytes: 1000 } }))])).toEqual({ 'unknown sim_data': 1 });
    expect(silence([said(LAST, 1, { signal: GOOD, sim: { usedBytes: 1001 } })], [kept(() => ({ signal: GOOD }))])).toEqual({
      'sim_data sim_data': 1,
    });
  });

  it('well, and alone, tells nothing', () => {
    expect(silence([], [kept(() => ({ signal: GOOD }))])).toEqual({ 'unknown unknown': 1 });
    expect(silence([], [kept(() => ({}))])).toEqual({ 'unknown unknown': 1 });
  });

  it('and was restarted meanwhile was not switched off', () => {
    const after = [kept(() => ({ signal: WEAK })), hadHappened(BACK + 2, 71, 'shutdown', LAST + HOUR)];

    expect(silence([], after)).toEqual({ 'unknown radio': 1 });
  });

  it('tells by its events that mains went', () => {
    const after = [kept(() => ({ signal: GOOD })), hadHappened(BACK + 2, 71, 'power.mains_lost', LAST + HOUR)];

    expect(silence([], after)).toEqual({ 'unknown power': 1 });
  });

  it('in the same session tells as well', () => {
    const lines = [
      terminal(MONDAY, serial(1)),
      birth(MONDAY),
      report(LAST, 1),
      kept(() => ({ signal: WEAK }), BACK),
      said(BACK + 5, 51, { signal: GOOD }),
      tick(JUDGED),
    ];

    expect(counted(lines)).toEqual({ 'unknown radio': 1 });
  });
});

describe('a terminal that took no samples was off', () => {
  it('and switched off, where it said so', () => {
    expect(silence([happened(LAST, 1, 'shutdown')], [])).toEqual({ 'switched_off switched_off': 1 });
    expect(silence([goodbye(LAST)], [])).toEqual({ 'switched_off switched_off': 1 });
    expect(silence([], [hadHappened(BACK + 1, 71, 'shutdown', LAST + MINUTE)])).toEqual({ 'unknown switched_off': 1 });
  });

  it('without power, where mains are back with it or its last word was of them', () => {
    expect(silence([], [happened(BACK + MINUTE, 1, 'power.mains_back', NEW)])).toEqual({ 'unknown power': 1 });
    expect(silence([happened(LAST, 1, 'power.low')], [])).toEqual({ 'power power': 1 });
  });

  it('but mains that went and came after its return explain nothing', () => {
    const after = [happened(BACK + MINUTE, 1, 'power.mains_lost', NEW), happened(BACK + 2 * MINUTE, 2, 'power.mains_back', NEW)];

    expect(silence([], after)).toEqual({ 'unknown unknown': 1 });
  });

  it('being updated, where it finished that or had begun it', () => {
    expect(silence([], [happened(BACK + MINUTE, 1, 'update.finished', NEW)])).toEqual({ 'unknown update': 1 });
    expect(silence([happened(LAST, 1, 'update.started')], [])).toEqual({ 'update update': 1 });
  });

  it('but an update that it began and finished after its return explains nothing', () => {
    const after = [happened(BACK + MINUTE, 1, 'update.started', NEW), happened(BACK + 2 * MINUTE, 2, 'update.finished', NEW)];

    expect(silence([], after)).toEqual({ 'unknown unknown': 1 });
  });

  it('and tells nothing without a word: samples of the present are not the silence’s', () => {
    expect(silence([], [said(BACK + 1, 1, { signal: WEAK }, NEW), said(BACK + 5 * MINUTE, 2, { signal: WEAK }, NEW)])).toEqual({
      'unknown unknown': 1,
    });
  });

  it('however it comes back: in the session that it hung in, its first sample is of the present', () => {
    const lines = [terminal(MONDAY, serial(1)), birth(MONDAY), report(LAST, 1), backlog(BACK, 2, [{ at: BACK - 400, signal: WEAK }])];

    expect(counted([...lines, tick(JUDGED)])).toEqual({ 'unknown unknown': 1 });
  });
});

describe('what a silence was', () => {
  it('is decided ten minutes after the return, on the day of the return', () => {
    const lines = [terminal(MONDAY, serial(1)), birth(MONDAY), birth(MONDAY + DAY - MINUTE, {}, NEW)];
    const watch = new Watch();

    expect(counted([...lines, tick(MONDAY + DAY + 9 * MINUTE - 1)], watch)).toEqual({});
    expect(counted([tick(MONDAY + DAY + 9 * MINUTE)], watch)).toEqual({ 'unknown unknown': 1 });
    expect(watch.reportDays(MONDAY, MONDAY + DAY, null)).toHaveLength(1);
  });

  it('is decided by the number in the rules', () => {
    const rules: Line = { at: MONDAY, rules: { 'terminal.offline': { toldMinutes: 60 } } };
    const lines = [rules, terminal(MONDAY, serial(1)), birth(MONDAY), report(LAST, 1), birth(BACK, { interval: 3600 }, NEW)];
    const late = kept(() => ({ signal: WEAK }), BACK + 50 * MINUTE);

    expect(counted([...lines, late, tick(JUDGED + HOUR)])).toEqual({ 'unknown radio': 1 });
    expect(counted([...lines.slice(1), late, tick(JUDGED + HOUR)])).toEqual({ 'unknown unknown': 1 });
  });

  it('is decided at the end of the next one, where that comes first', () => {
    const rules: Line = { at: MONDAY, rules: { 'terminal.offline': { toldMinutes: 600 } } };
    const lines = [rules, terminal(MONDAY, serial(1)), birth(MONDAY), birth(BACK, {}, NEW), kept(() => ({ signal: WEAK }))];

    expect(counted([...lines, birth(BACK + HOUR, {}, { session: 's3' })])).toEqual({ 'unknown radio': 1 });
  });

  it('is not asked where nothing was said of it', () => {
    expect(counted([terminal(MONDAY, serial(1)), birth(MONDAY), birth(MONDAY + 9 * MINUTE, {}, NEW), tick(BACK)])).toEqual({});
    expect(counted([birth(MONDAY), birth(BACK, {}, NEW), tick(JUDGED)])).toEqual({});
  });

  it('of something that was held in quarantine is heard, and ends no silence', () => {
    const lines = [terminal(MONDAY, serial(1)), birth(MONDAY), report(LAST, 1)];
    const replayed = kept(() => ({ signal: WEAK }), BACK - MINUTE, { replayOf: { at: BACK - HOUR } });

    expect(counted([...lines, replayed, tick(JUDGED)])).toEqual({});
    expect(counted([...lines, birth(BACK, {}, NEW), { ...replayed, at: BACK + MINUTE, replayOf: { at: BACK } }, tick(JUDGED)])).toEqual({
      'unknown radio': 1,
    });
  });
});

describe('terminals that were silent together', () => {
  const all = (count: number, make: (n: number, via: Via) => Line[]) =>
    Array.from({ length: count }, (_, n) => make(n, { sn: serial(n + 1) })).flat();
  const begin = (count: number, signal: object = GOOD) => [
    ...all(count, (_, { sn }) => [terminal(MONDAY, sn!, { site: 's-1' })]),
    ...all(count, (_, via) => [birth(MONDAY, {}, via)]),
    ...all(count, (n, via) => [said(LAST + n, 1, { signal }, via)]),
  ];
  const back = (count: number) => all(count, (n, { sn }) => [birth(BACK + n, {}, { sn: sn!, session: 's2' })]);
  const told = (count: number, signal: object) => all(count, (_, via) => [kept(() => ({ signal }), BACK + 5_000, via)]);

  it('in a small shop tell that it was the site, where they sampled well', () => {
    expect(counted([...begin(3), ...back(3), ...told(3, GOOD), tick(JUDGED + MINUTE)])).toEqual({ 'site site': 3 });
  });

  it('tell of the radio rather than of the site, where they had none', () => {
    expect(counted([...begin(3), ...back(3), ...told(3, NONE), tick(JUDGED + MINUTE)])).toEqual({ 'site radio': 3 });
  });

  it('are counted by the cause of their outage, and tell of what they share', () => {
    expect(counted([...begin(6), ...back(6), ...told(6, GOOD), tick(JUDGED + MINUTE)])).toEqual({ 'site site': 6 });
  });

  it('are counted where their outage ended without them, too', () => {
    const late = birth(BACK + MINUTE, {}, { sn: serial(20), session: 's2' });
    const lines = [...begin(20), ...back(19), ...told(19, GOOD), late, tick(JUDGED + MINUTE)];

    expect(counted(lines)).toEqual({ 'site site': 19, 'site unknown': 1 });
  });

  it('but one of many that were there was alone', () => {
    const others = Array.from({ length: 40 }, (_, n) =>
      all(3, (m, { sn }) => (m === 0 ? [] : [report(LAST + n * 4 * MINUTE, n + 2, { sn: sn! })])),
    );
    const lines = [...begin(3), ...others.flat(), birth(BACK, {}, NEW), kept(() => ({ signal: GOOD }))].sort((a, b) => a.at - b.at);

    expect(counted([...lines, tick(JUDGED)])).toEqual({ 'unknown unknown': 1 });
  });
});

describe('the counts', () => {
  it('are kept for 400 days', () => {
    const silences = [0, 399, 401].flatMap((day, n) => [
      birth(MONDAY + day * DAY, {}, { session: `a${n}` }),
      birth(MONDAY + day * DAY + HOUR, {}, { session: `b${n}` }),
      tick(MONDAY + day * DAY + 2 * HOUR),
    ]);
    const watch = new Watch();
    counted([terminal(MONDAY - 1, serial(1)), ...silences], watch);

    const days = watch.reportDays(0, Number.POSITIVE_INFINITY, null).map(({ day }) => (day - MONDAY) / DAY);

    expect(days).toEqual([399, 401]);
  });
});
