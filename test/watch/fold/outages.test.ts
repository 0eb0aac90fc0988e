import { describe, expect, it } from 'vitest';
import type { Transition } from '../../../protocol/alerts.ts';
import { Watch } from '../../../watch/fold/watch.ts';
import {
  birth,
  DAY,
  entry,
  fold,
  type Line,
  MINUTE,
  MONDAY,
  report,
  SECOND,
  said,
  serial,
  terminal,
  tick,
  unbind,
  will,
} from '../support/log.ts';

const HOLD = 90 * SECOND;
const NOON = MONDAY + 12 * 60 * MINUTE;

interface Place {
  site?: string;
  acquirer?: string;
  app?: string;
  radio?: Record<string, string>;
  expected?: object;
}

const CELL = { mcc: '460', mnc: '00', lac: '9cba', cell: '1' };

/** Terminals that are bound, and heard at noon. */
function alive(count: number, place: Place = {}, first = 1): Line[] {
  const { site, acquirer = 'acme', app, radio, expected } = place;
  return Array.from({ length: count }, (_, n) => serial(first + n)).flatMap((sn) =>
    [
      terminal(NOON, sn, { acquirer, ...(site && { site }) }),
      birth(NOON + 1, { keepalive: 60, ...(app && { app }), ...(expected && { expected }) }, { sn }),
      said(NOON + 2, 0, { signal: { rat: 'lte', rsrp: -90, ...radio } }, { sn }),
    ].map((line) => of(acquirer, line)),
  );
}

function of(acquirer: string, line: Line): Line {
  return typeof line.topic === 'string' ? { ...line, topic: line.topic.replace('/acme/', `/${acquirer}/`) } : line;
}

const numbers = (from: number, to: number): number[] => Array.from({ length: to - from + 1 }, (_, n) => from + n);
/** The broker says of each that it is lost, a second after the one before. */
const lost = (from: number, to: number, at: number): Line[] =>
  numbers(from, to).map((n) => will(at + (n - from) * SECOND, { sn: serial(n) }));
const back = (from: number, to: number, at: number): Line[] => numbers(from, to).map((n) => report(at + n, 50, { sn: serial(n) }));
/** Who is not in it goes on reporting. */
const talking = (from: number, to: number, until: number): Line[] =>
  numbers(0, Math.floor((until - NOON) / (4 * MINUTE))).flatMap((round) =>
    numbers(from, to).map((n) => report(NOON + 3 + round * 4 * MINUTE, 100 + round, { sn: serial(n) })),
  );

function inOrder(...lines: Line[][]): Line[] {
  return lines.flat().sort((a, b) => a.at - b.at);
}

function brief({ at, transition, alert }: Transition): string {
  const { subject, type, reason, count } = alert;
  const whose = subject.terminal ?? subject.cell ?? subject.operator ?? subject.site ?? subject.app ?? subject.acquirer;
  return `${(at - NOON) / SECOND} ${transition} ${type === 'outage' ? `outage ${reason} of ${whose}, ${count}` : `${whose} ${reason}`}`;
}

const told = (...lines: Line[][]): string[] => fold(inOrder(...lines)).map(brief);
const AT = NOON + MINUTE;

describe('a site that goes dark', () => {
  it('is one alert, and none for its terminals, where all go at once', () => {
    expect(told(alive(8, { site: 's-1' }), lost(1, 8, AT), [tick(AT + 5 * MINUTE)])).toEqual([
      '154 fired outage site of s-1, 5',
      '214 updated outage site of s-1, 8',
    ]);
  });

  it('names its members, in order, and those who are still there', () => {
    const log = inOrder(alive(8, { site: 's-1' }), lost(2, 8, AT), talking(1, 1, AT + 6 * MINUTE), [tick(AT + 5 * MINUTE)]);

    const { alert } = fold(log).findLast(({ alert: { type } }) => type === 'outage')!;

    expect(alert).toMatchObject({ severity: 'critical', cause: 'site', members: numbers(2, 8).map(serial), count: 7 });
    expect(alert.subject).toMatchObject({ acquirer: 'acme', merchant: 'm-1', site: 's-1', terminal: null });
    expect(alert.evidence).toContainEqual(expect.objectContaining({ what: 'odd_one_out', value: serial(1) }));
    expect(alert.evidence).toContainEqual(expect.objectContaining({ what: 'lost', value: 7, limit: 8 }));
  });

  it('is none where fewer than five go', () => {
    expect(told(alive(4, { site: 's-1' }), lost(1, 4, AT), [tick(AT + 5 * MINUTE)])).toEqual([
      '150 fired SN000001 lost',
      '151 fired SN000002 lost',
      '152 fired SN000003 lost',
      '153 fired SN000004 lost',
    ]);
  });

  it('is none where fewer than half of those that were alive go', () => {
    const others = talking(6, 11, AT + 6 * MINUTE);

    expect(
      told(alive(11, { site: 's-1' }), lost(1, 5, AT), others, [tick(AT + 5 * MINUTE)]).filter((line) => line.includes('outage')),
    ).toEqual([]);
  });

  it('does not count shops that are closed among those that were alive', () => {
    const closed = { tz: 'UTC', week: Array(7).fill('06:00-11:00') };
    const asleep = alive(20, { site: 's-1', expected: closed }, 20);

    expect(told(alive(5, { site: 's-1' }), asleep, lost(1, 5, AT), [tick(AT + 3 * MINUTE)])).toEqual(['154 fired outage site of s-1, 5']);
  });

  it('is none where they come back within the hold-down', () => {
    expect(told(alive(8, { site: 's-1' }), lost(1, 8, AT), back(1, 8, AT + MINUTE), [tick(AT + 3 * MINUTE)])).toEqual([]);
  });

  it('is found by silence alone once half of them are overdue', () => {
    expect(told(alive(6, { site: 's-1' }), [tick(NOON + 9 * MINUTE)])[0]).toBe('450.002 fired outage site of s-1, 5');
  });

  it('takes along who was announced before it was plain, and says so', () => {
    const early = lost(1, 2, AT);
    const late = lost(3, 8, AT + 2 * MINUTE);

    const transitions = fold(inOrder(alive(8, { site: 's-1' }), early, late, [tick(AT + 6 * MINUTE)]));

    expect(transitions.map(brief).slice(0, 5)).toEqual([
      '150 fired SN000001 lost',
      '151 fired SN000002 lost',
      '272 fired outage site of s-1, 5',
      '272 resolved SN000001 lost',
      '272 resolved SN000002 lost',
    ]);
    const [, , outage, merged] = transitions;
    expect(merged!.alert.evidence.at(-1)).toMatchObject({ what: 'merged', value: outage!.alert.id });
  });

  it('is told anew at most once a minute while it grows', () => {
    const site = alive(40, { site: 's-1' });

    expect(told(site, lost(1, 40, AT), [tick(AT + 5 * MINUTE)])).toEqual([
      '169 fired outage site of s-1, 20',
      '229 updated outage site of s-1, 40',
    ]);
  });

  it('ends when nine in ten are back, and who is missing is announced an interval later', () => {
    const log = [alive(10, { site: 's-1' }), lost(1, 10, AT), back(1, 9, AT + 20 * MINUTE), talking(11, 11, AT), [tick(AT + 26 * MINUTE)]];

    expect(told(...log).slice(2)).toEqual([`1260.009 resolved outage site of s-1, 10`, `1560.009 fired SN000010 lost`]);
  });

  it('does not wait for a member that was unbound meanwhile', () => {
    const gone = unbind(AT + 10 * MINUTE, serial(10));
    const log = [alive(10, { site: 's-1' }), lost(1, 10, AT), [gone], back(1, 8, AT + 20 * MINUTE), back(9, 9, AT + 21 * MINUTE)];

    expect(told(...log, [tick(AT + 22 * MINUTE)]).at(-1)).toBe('1320.009 resolved outage site of s-1, 10');
  });

  it('takes along who goes later, and says nothing of it alone', () => {
    const others = [...talking(9, 9, AT + 10 * MINUTE), ...talking(10, 10, AT + 20 * MINUTE)];
    const log = [alive(10, { site: 's-1' }), others, lost(1, 8, AT), lost(9, 9, AT + 11 * MINUTE)];

    expect(told(...log, [tick(AT + 15 * MINUTE)]).at(-1)).toBe('810 updated outage site of s-1, 9');
  });

  it('of five thousand is one alert that names twenty', () => {
    const transitions = fold(
      inOrder(
        alive(5000, { site: 's-1' }),
        numbers(1, 5000).map((n) => will(AT, { sn: serial(n) })),
        [tick(AT + 3 * MINUTE)],
      ),
    );

    expect(transitions.map(brief)).toEqual(['151 fired outage site of s-1, 5000']);
    expect(transitions.at(-1)!.alert.members).toHaveLength(20);
  });

  it('is not looked for by each of very many each second, while others are held down that may come back', () => {
    const watch = new Watch();
    const going = numbers(1, 1_200).map((n) => will(AT + n * 25, { sn: serial(n) }));
    const lines = inOrder(alive(2_000, { site: 's-1' }), talking(1_201, 2_000, AT + 5 * MINUTE), going, [tick(AT + 5 * MINUTE)]);

    for (const line of lines) watch.step(entry(line));

    expect(watch.decisions.get('terminal.offline may_be_outage')).toBeLessThan(2 * 1_200);
  });

  it('is none at a site with one terminal', () => {
    expect(told(alive(1, { site: 's-1' }), lost(1, 1, AT), [tick(AT + 5 * MINUTE)])).toEqual(['150 fired SN000001 lost']);
  });
});

describe('a single that may yet be part of an outage', () => {
  it('is held while those beside it are held down, and announced where they come back', () => {
    const log = [alive(6, { site: 's-1' }), lost(1, 5, AT), back(2, 5, AT + HOLD), talking(6, 6, AT + 5 * MINUTE)];
    const late = lost(2, 5, AT + 30 * SECOND).slice(0, 0);

    expect(told(...log, late, [tick(AT + 5 * MINUTE)])).toEqual(['160 fired SN000001 lost']);
  });

  it('is held no longer than a hold-down takes', () => {
    // Each Will comes just before the one before is due, so that there are always enough of them held down.
    const chain = numbers(1, 40).map((n) => will(AT + n * 20 * SECOND, { sn: serial(n) }));
    const returns = numbers(2, 40).map((n) => report(AT + n * 20 * SECOND + 85 * SECOND, 9, { sn: serial(n) }));

    const lines = told(alive(8, { site: 's-1' }), alive(32, {}, 9), chain, returns, [tick(AT + 16 * MINUTE)]);

    expect(lines.filter((line) => line.includes('SN000001 lost'))[0]).toMatch(/^(1[7-9]\d|2[0-5]\d|260) fired/);
  });
});

describe('what they share', () => {
  const spread = (count: number, place: Place, first = 1): Line[] =>
    numbers(0, count - 1).flatMap((n) => alive(1, { ...place, site: `s-${n}` }, first + n));
  const outages = (...log: Line[][]): string[] => told(...log).filter((line) => line.includes('fired outage'));

  it('may be a cell of many shops', () => {
    const others = spread(12, { radio: { ...CELL, cell: '2' } }, 20);

    const log = [spread(6, { radio: CELL }), others, lost(1, 6, AT), talking(20, 31, AT + 6 * MINUTE)];

    expect(outages(...log, [tick(AT + 5 * MINUTE)])).toEqual(['154 fired outage cell of 460-00-9cba-1, 5']);
  });

  it('is no cell where two operators use the same id', () => {
    const other = spread(3, { radio: { ...CELL, mnc: '01' } }, 20);
    const quiet = spread(20, { radio: { mcc: '460', mnc: '02', lac: '1', cell: '3' } }, 40);

    const log = [spread(3, { radio: CELL }), other, quiet, lost(1, 3, AT), lost(20, 22, AT), talking(40, 59, AT + 6 * MINUTE)];

    expect(outages(...log, [tick(AT + 5 * MINUTE)])).toEqual([]);
  });

  it('may be an operator of many cells', () => {
    const cells = numbers(1, 8).flatMap((n) => alive(1, { site: `s-${n}`, radio: { ...CELL, cell: `${n}` } }, n));
    const others = spread(12, { radio: { ...CELL, mnc: '01' } }, 20);

    expect(outages(cells, others, lost(1, 8, AT), talking(20, 31, AT + 6 * MINUTE), [tick(AT + 5 * MINUTE)])).toEqual([
      '154 fired outage operator of 460-00, 5',
    ]);
  });

  it('is nobody of who is on Wi-Fi', () => {
    const wifi = numbers(1, 6).map((n) => said(NOON + 10, 1, { signal: { rat: 'wifi', rssi: -50 } }, { sn: serial(n) }));
    const others = spread(20, { radio: CELL }, 20);

    expect(
      outages(spread(6, { radio: CELL }), others, wifi, lost(1, 6, AT), talking(20, 39, AT + 6 * MINUTE), [tick(AT + 5 * MINUTE)]),
    ).toEqual([]);
  });

  it('may be the acquirer, where another acquirer shares cells and operators and lives on', () => {
    const theirs = spread(12, { acquirer: 'globex', radio: CELL }, 20);
    const reports = talking(20, 31, AT + 6 * MINUTE).map((line) => of('globex', line));

    const log = inOrder(spread(6, { radio: CELL }), theirs, lost(1, 6, AT), reports, [tick(AT + 5 * MINUTE)]);

    expect(fold(log).map(brief)[0]).toBe('154 fired outage acquirer of acme, 5');
  });

  it('may be a version of the app, where no place explains it', () => {
    const mixed = numbers(1, 24).flatMap((n) => alive(1, { site: `s-${n % 6}`, app: n % 3 === 0 ? '3.5.0' : '3.4.1', radio: CELL }, n));
    const gone = numbers(1, 8).map((n) => will(AT + n * SECOND, { sn: serial(3 * n) }));
    const others = numbers(1, 24)
      .filter((n) => n % 3 > 0)
      .flatMap((n) => talking(n, n, AT + 6 * MINUTE));

    expect(outages(mixed, gone, others, [tick(AT + 5 * MINUTE)])).toEqual(['155 fired outage app of 3.5.0, 5']);
  });

  it('is one site each where two go at once', () => {
    const others = spread(30, {}, 40);

    const log = [
      alive(6, { site: 'a' }),
      alive(6, { site: 'b' }, 10),
      others,
      lost(1, 6, AT),
      lost(10, 15, AT),
      talking(40, 69, AT + 6 * MINUTE),
    ];

    expect(outages(...log, [tick(AT + 5 * MINUTE)]).sort()).toEqual(['154 fired outage site of a, 5', '154 fired outage site of b, 5']);
  });

  it('turns out to be larger than it seemed, and the smaller one ends as a part of it', () => {
    const rest = spread(12, { radio: { mcc: '460', mnc: '09' } }, 60);
    const cell = [alive(6, { site: 'a', radio: CELL }), alive(6, { site: 'b', radio: CELL }, 10), alive(6, { site: 'c', radio: CELL }, 20)];
    const log = [
      ...cell,
      rest,
      lost(1, 6, AT),
      lost(10, 15, AT + 2 * MINUTE),
      lost(20, 25, AT + 2 * MINUTE),
      talking(60, 71, AT + 8 * MINUTE),
    ];

    const transitions = fold(inOrder(...log, [tick(AT + 4 * MINUTE)])).filter(({ alert: { type } }) => type === 'outage');

    const whole = transitions.find(({ alert: { reason } }) => reason === 'cell')!;
    const part = transitions.find(({ transition, alert: { reason } }) => transition === 'resolved' && reason === 'site')!;
    expect(transitions.map(brief)[0]).toBe('154 fired outage site of a, 5');
    expect(part.alert.evidence).toContainEqual(expect.objectContaining({ what: 'merged', value: whole.alert.id }));
  });

  it('is the alert of the acquirer where all are of one, and of none where several share it', () => {
    const ours = fold(
      inOrder(spread(6, { radio: CELL }), spread(30, {}, 40), talking(40, 69, AT + 6 * MINUTE), lost(1, 6, AT), [tick(AT + 3 * MINUTE)]),
    );
    expect(ours.find(({ alert: { type } }) => type === 'outage')!.alert.subject).toMatchObject({ acquirer: 'acme', operator: '460-00' });

    const theirs = spread(1, { acquirer: 'globex', radio: CELL }, 20);
    const both = fold(
      inOrder(spread(6, { radio: CELL }), theirs, spread(30, {}, 40), talking(40, 69, AT + 6 * MINUTE), lost(1, 6, AT), [
        tick(AT + 3 * MINUTE),
      ]),
    );
    expect(both.find(({ alert: { type } }) => type === 'outage')!.alert.subject).toMatchObject({ acquirer: null, operator: '460-00' });
  });
});

describe('who may raise nothing', () => {
  it('counts in no outage', () => {
    const deleted = numbers(1, 8).map((n) => terminal(NOON + 5, serial(n), { site: 's-1', lifecycle: 'deleted' }));

    expect(told(alive(8, { site: 's-1' }), deleted, lost(1, 8, AT), [tick(AT + DAY)])).toEqual([]);
  });
});
