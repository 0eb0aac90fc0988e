import { describe, expect, it } from 'vitest';
import { Watch } from '../../../watch/fold/watch.ts';
import {
  birth,
  brief,
  entry,
  fold,
  HOUR,
  type Line,
  MINUTE,
  MONDAY,
  platform,
  report,
  SECOND,
  serial,
  terminal,
  terminals,
  tick,
  type Via,
  will,
} from '../support/log.ts';
import { at } from '../support/moments.ts';

const SN = serial(1);
/** What is told of terminals: that we were blind is another alert (platform.test.ts). */
const ofTerminals = (lines: readonly Line[]) => fold(lines).filter(({ alert }) => alert.subject.terminal !== null);
const story = (lines: readonly Line[]): string[] => ofTerminals(lines).map((t) => brief({ ...t, at: t.at - MONDAY }));
const INTERVAL = 300 * SECOND;
/** Offline ten minutes after its birth, at minute zero. */
const heard = (via: Via = {}): Line[] => [terminal(MONDAY, SN), birth(MONDAY, {}, via)];

describe('while we cannot see', () => {
  it.each(['broker', 'log', 'clock'])('nobody becomes offline while the %s is down, nor for an interval after', (part) => {
    const log = [...heard(), platform(at(5), part, 'down'), tick(at(60)), platform(at(120), part, 'up'), tick(at(180))];

    expect(story(log)[0]).toBe(`${120 * MINUTE + INTERVAL} fired ${SN} silent warning unknown`);
  });

  it.each(['store', 'collector'])('a %s that is down blinds nobody', (part) => {
    expect(story([...heard(), platform(at(5), part, 'down'), tick(at(15)), platform(at(20), part, 'up')])).toEqual([
      `${10 * MINUTE} fired ${SN} silent warning unknown`,
    ]);
  });

  it('whoever is heard within an interval after is not told', () => {
    const log = [...heard(), platform(at(5), 'broker', 'down'), platform(at(60), 'broker', 'up'), report(at(65), 1), tick(at(74))];

    expect(story(log)).toEqual([]);
  });

  it('a terminal has the whole of its wait where that is longer than an interval after', () => {
    const log = [...heard(), platform(at(1), 'broker', 'down'), platform(at(2), 'broker', 'up'), tick(at(20))];

    expect(story(log)).toEqual([`${10 * MINUTE} fired ${SN} silent warning unknown`]);
  });

  it('a terminal due within the interval after is told at its end', () => {
    const log = [...heard(), platform(at(5), 'broker', 'down'), platform(at(8), 'broker', 'up'), tick(at(20))];

    expect(story(log)).toEqual([`${13 * MINUTE} fired ${SN} silent warning unknown`]);
  });

  it('blindness that ended before a terminal was last heard delays nothing', () => {
    const log = [...heard(), platform(at(1), 'broker', 'down'), platform(at(2), 'broker', 'up'), report(at(7), 1), tick(at(30))];

    expect(story(log)).toEqual([`${17 * MINUTE} fired ${SN} silent warning unknown`]);
  });

  it('an alert that was made before is resolved by life, and rises to critical', () => {
    const back = [...heard(), platform(at(15), 'broker', 'down'), report(at(20), 1), tick(at(40))];
    const gone = [...heard(), platform(at(15), 'broker', 'down'), tick(at(90))];

    expect(story(back)).toEqual([
      `${10 * MINUTE} fired ${SN} silent warning unknown`,
      `${20 * MINUTE} resolved ${SN} silent warning unknown`,
    ]);
    expect(story(gone).at(-1)).toBe(`${70 * MINUTE} updated ${SN} silent critical unknown`);
  });

  it('a Will is kept, and told an interval after we see again', () => {
    const log = [...heard(), platform(at(5), 'log', 'down'), will(at(6)), tick(at(20)), platform(at(30), 'log', 'up'), tick(at(60))];

    expect(story(log)).toEqual([`${35 * MINUTE} fired ${SN} lost warning unknown`]);
  });

  it('two parts that were down blind until the last of them is up', () => {
    const log = [
      ...heard(),
      platform(at(5), 'broker', 'down'),
      platform(at(6), 'log', 'down'),
      platform(at(20), 'broker', 'up'),
      tick(at(30)),
      platform(at(40), 'log', 'up'),
      tick(at(60)),
    ];

    expect(story(log)).toEqual([`${45 * MINUTE} fired ${SN} silent warning unknown`]);
  });

  it('the interval after is each terminal’s own', () => {
    const slow = [terminal(MONDAY, serial(2)), birth(MONDAY, { interval: 600 }, { sn: serial(2) })];
    const log = [...heard(), ...slow, platform(at(5), 'broker', 'down'), platform(at(60), 'broker', 'up'), tick(at(90))];

    expect(story(log)).toEqual([
      `${65 * MINUTE} fired ${SN} silent warning unknown`,
      `${70 * MINUTE} fired ${serial(2)} silent warning unknown`,
    ]);
  });

  it('the interval after is expected time: a shop that is closed has its chance at the opening', () => {
    const expected = { tz: 'UTC', week: Array(7).fill('09:00-21:00') };
    const hour = (h: number, m = 0): number => MONDAY + h * HOUR + m * MINUTE;
    const log = [
      terminal(MONDAY, SN),
      birth(hour(20, 50), { expected }),
      platform(hour(20, 55), 'broker', 'down'),
      platform(hour(33, -30), 'broker', 'up'),
      tick(hour(40)),
    ];

    expect(story(log)[0]).toBe(`${33 * HOUR + INTERVAL} fired ${SN} silent warning unknown`);
  });

  it('nobody is shown as online', () => {
    const watch = new Watch();
    const shown = (line: Line): string => {
      watch.step(entry(line));
      return watch.presenceOf(watch.state.terminals.get(`acme/${SN}`)!);
    };
    for (const line of heard()) watch.step(entry(line));

    expect(shown(tick(at(1)))).toBe('online');
    expect(shown(platform(at(2), 'broker', 'down'))).toBe('unknown');
    expect(shown(tick(at(30)))).toBe('unknown');
    expect(shown(platform(at(31), 'broker', 'up'))).toBe('unknown');
  });
});

describe('a step of the clock', () => {
  it.each([-40_000, 40_000, 5_001])('of %i ms blinds each terminal for an interval of its own', (ms) => {
    expect(story([...heard(), platform(at(9), 'clock', 'step', { ms }), tick(at(20))])).toEqual([
      `${14 * MINUTE} fired ${SN} silent warning unknown`,
    ]);
  });

  it.each([5_000, -5_000, 12])('of %i ms blinds nobody', (ms) => {
    expect(story([...heard(), platform(at(9), 'clock', 'step', { ms }), tick(at(20))])).toEqual([
      `${10 * MINUTE} fired ${SN} silent warning unknown`,
    ]);
  });
});

describe('one of several brokers', () => {
  const two: Line[] = [
    ...terminals(MONDAY, 2),
    birth(MONDAY, {}, { sn: serial(1), node: 'a' }),
    birth(MONDAY, {}, { sn: serial(2), node: 'b' }),
  ];

  it('blinds only the terminals last heard through it', () => {
    const log = [
      ...two,
      platform(at(5), 'broker', 'down', { node: 'a' }),
      tick(at(30)),
      platform(at(40), 'broker', 'up', { node: 'a' }),
      tick(at(60)),
    ];

    expect(story(log)).toEqual([
      `${10 * MINUTE} fired ${serial(2)} silent warning unknown`,
      `${45 * MINUTE} fired ${serial(1)} silent warning unknown`,
    ]);
  });

  it('has no say of a terminal that moved to another, which then has its usual wait', () => {
    const moved = birth(at(6), {}, { sn: serial(1), node: 'b', session: 's2' });
    const log = [...two, platform(at(5), 'broker', 'down', { node: 'a' }), moved, tick(at(60))];

    expect(story(log)).toContain(`${16 * MINUTE} fired ${serial(1)} silent warning unknown`);
  });

  it('that comes back says nothing for the other, which is still down', () => {
    const log = [
      ...two,
      platform(at(5), 'broker', 'down', { node: 'a' }),
      platform(at(5), 'broker', 'down', { node: 'b' }),
      platform(at(30), 'broker', 'up', { node: 'b' }),
      tick(at(60)),
    ];

    expect(story(log)).toEqual([`${35 * MINUTE} fired ${serial(2)} silent warning unknown`]);
  });
});

describe('a fleet of which nobody could be seen for two hours', () => {
  it('is told of whoever is really gone one interval after, and of nobody else', () => {
    const count = 40;
    const start = [...terminals(MONDAY, count), ...Array.from({ length: count }, (_, n) => birth(MONDAY, {}, { sn: serial(n + 1) }))];
    const back = Array.from({ length: count }, (_, n) => report(at(122, n), 1, { sn: serial(n + 1) })).filter((_, n) => n % 10 > 0);
    const log = [...start, platform(MONDAY, 'broker', 'down'), platform(at(120), 'broker', 'up'), ...back, tick(at(129))];

    const told = ofTerminals(log);

    expect(told.map((t) => [t.at, t.alert.subject.terminal])).toEqual([1, 11, 21, 31].map((n) => [at(125), serial(n)]));
  });
});
