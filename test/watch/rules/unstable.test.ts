import { describe, expect, it } from 'vitest';
import { birth, fold, HOUR, type Line, MINUTE, MONDAY, report, serial, terminal, tick, will } from '../support/log.ts';
import { at } from '../support/moments.ts';

const SN = serial(1);
const born = [terminal(MONDAY, SN, { site: 's-1' }), birth(MONDAY, { keepalive: 60 }, { session: 's0' })];
/** It is lost at the first minute and back at the second, again and again. */
const flap = (...minutes: number[]): Line[] =>
  minutes.map((minute, n) => {
    const round = Math.floor(n / 2);
    return n % 2 === 0 ? will(at(minute), { session: `s${round}` }) : birth(at(minute), { keepalive: 60 }, { session: `s${round + 1}` });
  });
const talk = (from: number, to: number, session: string): Line[] =>
  Array.from({ length: Math.floor((to - from) / 4) }, (_, n) => report(at(from + 4 * n), n, { session }));

function told(...lines: Line[][]): string[] {
  return fold(lines.flat()).map(
    ({ at: time, transition, alert }) => `${(time - MONDAY) / MINUTE} ${transition} ${alert.type} ${alert.reason}`,
  );
}

describe('a terminal that comes and goes', () => {
  it('is unstable at the fifth change within half an hour', () => {
    expect(told(born, flap(5, 6, 9, 10, 13), [tick(at(13) + 1)])).toEqual(['13 fired terminal.unstable flapping']);
  });

  it('is not at the fourth, nor where five take longer than half an hour', () => {
    expect(told(born, flap(5, 6, 9, 10), [tick(at(11))])).toEqual([]);
    expect(told(born, flap(5, 6, 9, 10), talk(11, 36, 's2'), [will(at(36), { session: 's2' }), tick(at(36) + 1)])).toEqual([]);
  });

  it('has its single alerts held meanwhile', () => {
    const lines = told(born, flap(5, 6, 9, 10, 13, 16, 17, 20), talk(21, 50, 's4'), [tick(at(50))]);

    expect(lines.filter((line) => line.includes('offline'))).toEqual([]);
  });

  it('is steady again half an hour after the last change', () => {
    expect(told(born, flap(5, 6, 9, 10, 13, 14), talk(15, 70, 's3'), [tick(at(60))])).toEqual([
      '13 fired terminal.unstable flapping',
      '44 resolved terminal.unstable flapping',
    ]);
  });

  it('is announced as offline then, where it is', () => {
    expect(told(born, flap(5, 6, 9, 10, 13), [tick(at(50))])).toEqual([
      '13 fired terminal.unstable flapping',
      '43 resolved terminal.unstable flapping',
      '43 fired terminal.offline lost',
    ]);
  });

  it('is not one that goes at night and comes in the morning', () => {
    const expected = { tz: 'UTC', week: Array(7).fill('09:00-10:00,11:00-12:00,13:00-14:00') };
    const hours = [9, 11, 13].flatMap((hour) => [
      ...Array.from({ length: 14 }, (_, n) => report(MONDAY + hour * HOUR + n * 4 * MINUTE, 100 * hour + n, { session: 's0' })),
    ]);

    expect(told([born[0]!, birth(MONDAY, { keepalive: 60, expected }, { session: 's0' })], hours, [tick(MONDAY + 14 * HOUR)])).toEqual([]);
  });

  it('does not flap where it goes with its whole site', () => {
    const others = Array.from({ length: 6 }, (_, n) => serial(n + 2));
    const site = others.flatMap((sn) => [terminal(MONDAY, sn, { site: 's-1' }), birth(MONDAY, { keepalive: 60 }, { sn, session: 's0' })]);
    const all = [SN, ...others];
    const rounds = [5, 10, 15, 20].flatMap((minute, n) => [
      ...all.map((sn) => will(at(minute), { sn, session: `s${n}` })),
      ...all.map((sn) => birth(at(minute + 3), { keepalive: 60 }, { sn, session: `s${n + 1}` })),
    ]);

    expect(told(born, site, rounds, [tick(at(30))]).filter((line) => line.includes('unstable'))).toEqual([]);
  });
});
