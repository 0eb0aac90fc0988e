import { describe, expect, it } from 'vitest';
import { Watch } from '../../../watch/fold/watch.ts';
import {
  birth,
  entry,
  fold,
  type Line,
  MINUTE,
  MONDAY,
  merchant,
  platform,
  report,
  serial,
  terminal,
  terminals,
  tick,
} from '../support/log.ts';
import { at } from '../support/moments.ts';

const SN = serial(1);
const operator = (m: number, body: Record<string, unknown>): Line => ({ at: at(m), operator: { by: 'noc-1', ...body } });
const silence = (m: number, match: object, more: object = {}): Line => operator(m, { op: 'silence', id: 's', match, ...more });
const maintenance = (m: number, match: object, more: object = {}): Line => operator(m, { op: 'maintenance', id: 'm', match, ...more });
const end = (m: number, id: string): Line => operator(m, { op: 'end', id });

/** Heard at minute 0, offline at minute 10 and critical at minute 70, with whatever is reported since. */
const silent = (n = 1, row: Record<string, unknown> = {}): Line[] => [
  terminal(MONDAY, serial(n), { site: 's-1', ...row }),
  birth(MONDAY, {}, { sn: serial(n) }),
];
const back = (m: number, n = 1): Line => report(at(m), m, { sn: serial(n) });

/** What is told, with the minute and by what it is silenced. */
function told(...lines: Line[]): string[] {
  return fold(lines).map(({ at: when, transition, alert }) => {
    const about = alert.subject.terminal ?? alert.subject.merchant ?? 'us';
    return `${(when - MONDAY) / MINUTE} ${transition} ${alert.type} ${about} ${alert.severity}${alert.silencedBy ? ` by ${alert.silencedBy}` : ''}`;
  });
}

const FIRED = `fired terminal.offline ${SN} warning`;
const UPDATED = `updated terminal.offline ${SN} warning`;
const RESOLVED = `resolved terminal.offline ${SN} warning`;

describe('a silence', () => {
  it('marks the alert that begins under it, which is made all the same', () => {
    expect(told(...silent(), silence(1, { merchant: 'm-1' }), tick(at(20)))).toEqual([`10 ${FIRED} by s`]);
  });

  it('marks what fires already', () => {
    expect(told(...silent(), silence(20, { merchant: 'm-1' }))).toEqual([`10 ${FIRED}`, `20 ${UPDATED} by s`]);
  });

  it.each([
    ['at its time', silence(1, { merchant: 'm-1' }, { until: at(30) })],
    ['where an operator ends it', end(30, 's')],
  ])('lets go of what still fires when it ends, %s', (_, line) => {
    expect(told(...silent(), silence(1, { merchant: 'm-1' }), line, tick(at(40)))).toEqual([`10 ${FIRED} by s`, `30 ${UPDATED}`]);
  });

  it('holds no end back, and says to the last what held it', () => {
    expect(told(...silent(), silence(1, { merchant: 'm-1' }), back(20))).toEqual([`10 ${FIRED} by s`, `20 ${RESOLVED} by s`]);
  });

  it('lasts while the alert rises', () => {
    const log = told(...silent(), silence(1, { merchant: 'm-1' }), tick(at(80)));

    expect(log[1]).toBe(`70 updated terminal.offline ${SN} critical by s`);
  });

  it('begins when it is said to, and may have begun', () => {
    expect(told(...silent(), silence(1, { merchant: 'm-1' }, { from: at(20), until: at(30) }), tick(at(40)))).toEqual([
      `10 ${FIRED}`,
      `20 ${UPDATED} by s`,
      `30 ${UPDATED}`,
    ]);
    expect(told(...silent(), silence(15, { merchant: 'm-1' }, { from: at(5) }))).toEqual([`10 ${FIRED}`, `15 ${UPDATED} by s`]);
  });

  it('that is over when it comes, or is ended before it begins, is none', () => {
    const over = silence(15, { merchant: 'm-1' }, { from: at(5), until: at(15) });
    const revoked = [silence(1, { merchant: 'm-1' }, { from: at(20) }), end(15, 's')];

    expect(told(...silent(), over, tick(at(30)))).toEqual([`10 ${FIRED}`]);
    expect(told(...silent(), ...revoked, tick(at(30)))).toEqual([`10 ${FIRED}`]);
  });

  it.each([
    [{ terminal: SN }, true],
    [{ site: 's-1' }, true],
    [{ acquirer: 'acme' }, true],
    [{ type: 'terminal.offline' }, true],
    [{ acquirer: 'acme', merchant: 'm-1', site: 's-1', terminal: SN, type: 'terminal.offline' }, true],
    [{ acquirer: null, merchant: 'm-1', cell: null }, true],
    [{}, true],
    [{ terminal: serial(2) }, false],
    [{ merchant: 'm-1', site: 's-2' }, false],
    [{ merchant: 'm-1', type: 'place.moved' }, false],
    [{ card: 'debit' }, false],
  ])('of %j holds a terminal’s alert: %s', (match, holds) => {
    expect(told(...silent(), silence(1, match), tick(at(20)))).toEqual([holds ? `10 ${FIRED} by s` : `10 ${FIRED}`]);
  });

  it('of a terminal does not hold its merchant’s alert', () => {
    const full = [merchant(MONDAY, { terminal_limit: 3 }), ...terminals(MONDAY, 3)];

    expect(told(silence(-1, { terminal: SN }), ...full, tick(at(1)))).toEqual(['0 fired quota.terminals m-1 critical']);
    expect(told(silence(-1, { merchant: 'm-1' }), ...full, tick(at(1)))).toEqual(['0 fired quota.terminals m-1 critical by s']);
  });

  it('may be of what has no subject', () => {
    expect(told(silence(0, { type: 'platform.blind' }), platform(at(1), 'store', 'down'))).toEqual([
      '1 fired platform.blind us critical by s',
    ]);
  });

  it('that ends under another leaves the alert to that one', () => {
    const other = operator(2, { op: 'silence', id: 't', match: { terminal: SN }, until: at(40) });

    expect(told(...silent(), silence(1, { merchant: 'm-1' }, { until: at(30) }), other, tick(at(50)))).toEqual([
      `10 ${FIRED} by s`,
      `30 ${UPDATED} by t`,
      `40 ${UPDATED}`,
    ]);
  });

  it('that is given again under its name takes the place of the one before', () => {
    const longer = silence(15, { merchant: 'm-1' }, { until: at(30) });
    const elsewhere = silence(15, { merchant: 'm-2' }, { until: at(30) });

    expect(told(...silent(), silence(1, { merchant: 'm-1' }, { until: at(20) }), longer, tick(at(40)))).toEqual([
      `10 ${FIRED} by s`,
      `30 ${UPDATED}`,
    ]);
    expect(told(...silent(), silence(1, { merchant: 'm-1' }), elsewhere, tick(at(40)))).toEqual([`10 ${FIRED} by s`, `15 ${UPDATED}`]);
  });

  it('without a name gets one, the same wherever the log is folded', () => {
    const lines = [...silent(), operator(1, { op: 'silence', match: { merchant: 'm-1' } }), tick(at(20))];

    expect(told(...lines)).toEqual(told(...lines));
    expect(told(...lines)[0]).toMatch(new RegExp(`^10 ${FIRED} by [0-9a-f]{24}$`));
  });

  it('that cannot be read changes nothing, and is counted', () => {
    const watch = new Watch();
    watch.step({ kind: 'operator', at: at(1), body: { op: 'silence', match: { merchnat: 'm-1' } } });

    expect(watch.decisions.get('operator unreadable')).toBe(1);
    expect(watch.state.windows.size).toBe(0);
  });

  it('is forgotten when it is over', () => {
    const watch = new Watch();
    for (const line of [silence(1, { merchant: 'm-1' }, { until: at(5) }), tick(at(4))]) watch.step(entry(line));
    const during = watch.state.windows.size;
    watch.step(entry(tick(at(6))));

    expect([during, watch.state.windows.size]).toEqual([1, 0]);
  });
});

describe('maintenance', () => {
  it('keeps a terminal that falls silent in it from being an alert', () => {
    expect(told(...silent(), maintenance(1, { site: 's-1' }, { until: at(30) }), back(20), tick(at(29)))).toEqual([]);
  });

  it('lets who is not back an interval after its end be told then', () => {
    expect(told(...silent(), maintenance(1, { site: 's-1' }, { until: at(30) }), tick(at(60)))).toEqual([`35 ${FIRED}`]);
    expect(told(...silent(), maintenance(1, { site: 's-1' }), end(30, 'm'), tick(at(60)))).toEqual([`35 ${FIRED}`]);
  });

  it('lets who is back within an interval after its end be nobody’s alert', () => {
    expect(told(...silent(), maintenance(1, { site: 's-1' }, { until: at(30) }), back(34), tick(at(43)))).toEqual([]);
  });

  it('says nothing of what happens to be due in the interval after its end, but of what is due later', () => {
    expect(told(...silent(), maintenance(1, { site: 's-1' }, { until: at(6) }), tick(at(60)))).toEqual([`11 ${FIRED}`]);
    expect(told(...silent(), maintenance(1, { site: 's-1' }, { until: at(4) }), tick(at(60)))).toEqual([`10 ${FIRED}`]);
  });

  it('tells it as it is by then', () => {
    expect(told(...silent(), maintenance(1, { site: 's-1' }, { until: at(120) }), tick(at(200)))).toEqual([
      `125 fired terminal.offline ${SN} critical`,
    ]);
  });

  it('leaves what fires already as it is: it rises, and it is resolved', () => {
    expect(told(...silent(), maintenance(20, { site: 's-1' }, { until: at(300) }), back(80))).toEqual([
      `10 ${FIRED}`,
      `70 updated terminal.offline ${SN} critical`,
      `80 resolved terminal.offline ${SN} critical`,
    ]);
  });

  it('goes on under another that begins before its end', () => {
    const more = operator(20, { op: 'maintenance', id: 'n', match: { terminal: SN }, from: at(29), until: at(90) });

    expect(told(...silent(), maintenance(1, { site: 's-1' }, { until: at(30) }), more, tick(at(94)))).toEqual([]);
    expect(told(...silent(), maintenance(1, { site: 's-1' }, { until: at(30) }), more, tick(at(96)))).toHaveLength(1);
  });

  it('that is made longer, or ended early, is as long as was said last', () => {
    const given = (m: number, until: number) => maintenance(m, { site: 's-1' }, { until: at(until) });

    expect(told(...silent(), given(1, 30), given(20, 60), tick(at(69)))).toEqual([`65 ${FIRED}`]);
    expect(told(...silent(), given(1, 60), given(20, 30), tick(at(69)))).toEqual([`35 ${FIRED}`]);
    expect(told(...silent(), given(1, 60), maintenance(20, { site: 's-2' }), tick(at(69)))).toEqual([`20 ${FIRED}`]);
  });

  it('is told of nobody who is taken out of the registry in it', () => {
    const gone = terminal(at(20), SN, { lifecycle: 'deleted' });

    expect(told(...silent(), maintenance(1, { site: 's-1' }, { until: at(30) }), gone, tick(at(90)))).toEqual([]);
  });

  it('is no silence: what it does not plan is told', () => {
    const full = [merchant(MONDAY, { terminal_limit: 3 }), ...terminals(MONDAY, 3)];

    expect(told(maintenance(-1, { merchant: 'm-1' }), ...full, tick(at(1)))).toEqual(['0 fired quota.terminals m-1 critical']);
    expect(told(maintenance(-1, {}), platform(at(1), 'store', 'down'))).toEqual(['1 fired platform.blind us critical']);
  });

  it('keeps a terminal that is carried off from being an alert, too, until its end', () => {
    const place = { lat: 52.5, lon: 13.4 };
    const fix = (m: number) => ({
      ...back(m),
      payload: { v: 1, session: 's1', seq: m, samples: [{ at: at(m), place: { ...place, lat: 53 } }] },
    });
    const log = [...silent(1, place), maintenance(1, { terminal: SN }, { until: at(30) }), ...[2, 12, 22, 32, 40].map(fix)];

    expect(told(...log)).toEqual([`35 fired place.moved ${SN} critical`]);
  });

  it('begins when it is said to', () => {
    expect(told(...silent(), maintenance(1, { site: 's-1' }, { from: at(9), until: at(30) }), back(20), tick(at(29)))).toEqual([]);
    expect(told(...silent(), maintenance(1, { site: 's-1' }, { from: at(11), until: at(30) }), tick(at(20)))).toEqual([`10 ${FIRED}`]);
  });
});

describe('maintenance of many', () => {
  /** Terminals 1 to 6 of a site and 7 to 12 of another, all of which fall silent at minute 0, or report each five minutes. */
  const all = Array.from({ length: 12 }, (_, n) => n + 1);
  const born = all.flatMap((n) => [
    terminal(MONDAY, serial(n), { site: n <= 6 ? 's-1' : 's-2' }),
    birth(MONDAY + n, {}, { sn: serial(n) }),
  ]);
  const lively = (numbers: number[], to: number) =>
    Array.from({ length: to / 5 }, (_, k) => numbers.map((n) => report(at(5 * (k + 1)) + n, k, { sn: serial(n) }))).flat();
  const types = (lines: Line[]) =>
    fold(lines).flatMap(({ transition, alert }) => (transition === 'updated' ? [] : [`${transition} ${alert.type}`]));

  it('whose site goes down in it is no outage, nor anybody’s alert', () => {
    const log = [...born, maintenance(1, { site: 's-1' }), ...lively([7, 8, 9, 10, 11, 12], 60), tick(at(60))];

    expect(types(log)).toEqual([]);
    expect(types(log.filter(({ operator: planned }) => !planned))).toEqual(['fired outage']);
  });

  it('counts nobody among those who go beside it', () => {
    const beside = [7, 8, 9, 10, 11];
    const log = [...born, maintenance(1, { site: 's-1' }), ...lively([12], 60), tick(at(60))];

    const told = fold(log).filter(({ transition }) => transition === 'fired');

    expect(told.map(({ alert }) => [alert.type, alert.subject.site, alert.members])).toEqual([['outage', 's-2', beside.map(serial)]]);
  });

  it('keeps an outage from beginning that it names, and lets it begin where it holds an interval after', () => {
    const planned = maintenance(1, { acquirer: 'acme', type: 'outage' }, { until: at(30) });
    const rest = lively([7, 8, 9, 10, 11, 12], 60);

    expect(types([...born, planned, ...rest.filter((line) => line.at < at(34))])).toEqual([]);
    expect(types([...born, planned, ...rest])).toEqual(['fired outage']);
  });

  it('leaves an outage that goes on to its end', () => {
    const log = [...born, maintenance(20, { site: 's-1' }), ...lively([7, 8, 9, 10, 11, 12], 60)].sort((a, b) => a.at - b.at);
    const home = [1, 2, 3, 4, 5, 6].map((n) => report(at(61), 1, { sn: serial(n) }));

    expect(types([...log, ...home, tick(at(62))])).toEqual(['fired outage', 'resolved outage']);
  });
});

describe('the time of maintenance', () => {
  const expectedMinutes = (...lines: Line[]) => {
    const watch = new Watch();
    for (const line of lines) watch.step(entry(line));
    return watch.state.terminals.get(`acme/${SN}`)!.availability!.present.expectedMs / MINUTE;
  };

  it('is left out of availability, whether the terminal was there in it or not', () => {
    const there = Array.from({ length: 36 }, (_, n) => back(5 * (n + 1)));
    const gone = [back(180)];
    const planned = (site: string) => maintenance(0, { site }, { from: at(10), until: at(30) });

    for (const log of [there, gone]) {
      const all = expectedMinutes(...silent(), ...log);

      expect(all).toBeGreaterThan(100);
      expect(expectedMinutes(...silent(), planned('s-1'), ...log)).toBe(all - 20);
      expect(expectedMinutes(...silent(), planned('s-2'), ...log)).toBe(all);
    }
  });
});

describe('a silence and maintenance together', () => {
  it('withhold first, and then hold', () => {
    const log = [...silent(), maintenance(1, { site: 's-1' }, { until: at(30) }), silence(1, { merchant: 'm-1' }, { until: at(50) })];

    expect(told(...log, tick(at(60)))).toEqual([`35 ${FIRED} by s`, `50 ${UPDATED}`]);
  });
});
