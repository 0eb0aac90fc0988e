import { describe, expect, it } from 'vitest';
import { Watch } from '../../../watch/fold/watch.ts';
import { birth, entry, HOUR, type Line, MINUTE, MONDAY, online, report, serial, tick, will } from '../support/log.ts';
import { at } from '../support/moments.ts';

/** With which line births are asked for: its whole minutes from MONDAY. */
function asked(lines: readonly Line[], watch = new Watch()): number[] {
  return lines.flatMap((line) => watch.step(entry(line)).orders.map(() => Math.floor((watch.now - MONDAY) / MINUTE)));
}

const reports = (from: number, to: number, via = {}) =>
  Array.from({ length: to - from + 1 }, (_, n) => report(at(from + n), from + n, via));

describe('a terminal that has not said what it is', () => {
  it('is asked for its birth at once, after an hour, then more and more rarely, and at last no more', () => {
    const aWeek = Array.from({ length: 7 * 24 * 12 }, (_, n) => report(at(5 * n), n));

    expect(asked(aWeek).map((minutes) => minutes / 60)).toEqual([0, 1, 3, 7, 15, 31, 55, 79]);
  });

  it('is asked by a command that expires within minutes', () => {
    const { orders } = new Watch().step(entry(report(MONDAY, 1)));

    const command = { v: 1, id: `rebirth-${serial(1)}-${MONDAY}`, type: 'rebirth', expires: at(5) };
    expect(orders).toEqual([{ acquirer: 'acme', sn: serial(1), command }]);
  });

  it('is not asked where it has, whatever it sends', () => {
    expect(asked([birth(MONDAY), online(MONDAY + 1), ...reports(1, 100)])).toEqual([]);
  });
});

describe('a session whose birth was not seen', () => {
  const before = [birth(MONDAY), ...reports(1, 10)];

  it('is asked for it, where the session before has fallen silent', () => {
    expect(asked([...before, ...reports(11, 30, { session: 's2' })])).toEqual([21]);
  });

  it('is asked for it, where it said no more than that it is online', () => {
    expect(asked([...before, online(at(11), { session: 's2' }), report(at(12), 1, { session: 's2' })])).toEqual([12]);
  });

  it('is not asked while it is the backlog of an older one', () => {
    const backlog = Array.from({ length: 60 }, (_, n) => [
      report(at(12 + n), n, { session: 's0' }),
      report(at(12 + n), n, { session: 's2' }),
    ]);

    expect(asked([...before, birth(at(11), {}, { session: 's2' }), ...backlog.flat()])).toEqual([]);
  });

  it('is the current one from its birth on, and asked no more', () => {
    const watch = new Watch();
    asked([...before, ...reports(11, 30, { session: 's2' }), birth(at(31), { app: '2' }, { session: 's2' })], watch);

    expect(watch.state.terminals.get(`acme/${serial(1)}`)).toMatchObject({ birth: { app: '2' }, asks: 0 });
    expect(asked([will(at(32), { session: 's2' }), ...reports(33, 200, { session: 's2' })], watch)).toEqual([]);
    expect(watch.state.terminals.get(`acme/${serial(1)}`)!.sessions.filter(({ ended }) => !ended)).toMatchObject([
      { id: 's2', born: true },
    ]);
  });
});

describe('a gap in the numbers of a session', () => {
  const before = [birth(MONDAY), report(at(1), 1), report(at(2), 2)];

  it('asks for a birth five minutes after a later number came', () => {
    expect(asked([...before, report(at(3), 5), tick(at(8)), tick(at(8) + 1)])).toEqual([8]);
  });

  it('is none where it fills in time', () => {
    const filled = [report(at(4), 4), report(at(5), 3)];

    expect(asked([...before, report(at(3), 5), ...filled, tick(at(30))])).toEqual([]);
  });

  it('is judged by its own time, where a younger one follows', () => {
    const [older, younger] = [report(at(3), 5), report(at(7), 9)];
    const filled = [report(at(7), 3), report(at(7), 4)];

    expect(asked([...before, older, younger, ...filled, tick(at(8) + 1), tick(at(12)), tick(at(13) + 1)])).toEqual([13]);
  });

  it('is asked for once, and a later one an hour after at the soonest', () => {
    const gaps = Array.from({ length: 30 }, (_, n) => [report(at(3 + 6 * n), 10 * (n + 1)), birth(at(5 + 6 * n))]).flat();

    expect(asked([...before, ...gaps, tick(at(190))])).toEqual([9, 69, 129]);
    expect(asked([...before, report(at(3), 5), ...Array.from({ length: 500 }, (_, n) => report(at(4 + n), 6 + n))])).toEqual([9]);
  });

  it('of a session that has ended is nobody to ask', () => {
    expect(asked([...before, report(at(3), 5), birth(at(4), {}, { session: 's2' }), tick(at(4) + HOUR)])).toEqual([]);
  });

  it('asks nobody who has lost the connection', () => {
    expect(asked([...before, report(at(3), 5), will(at(4)), tick(at(9))])).toEqual([]);
  });
});
