import { describe, expect, it } from 'vitest';
import { REASONS } from '../../../protocol/alerts.ts';
import { Watch } from '../../../watch/fold/watch.ts';
import { Disk, save } from '../support/disk.ts';
import { birth, entry, fold, HOUR, type Line, MINUTE, MONDAY, platform, SECOND, serial, terminal, tick } from '../support/log.ts';
import { at } from '../support/moments.ts';

const PARTS = REASONS['platform.blind'];
const own = (lines: readonly Line[]) => fold(lines).filter(({ alert }) => alert.type === 'platform.blind');
/** What is told of us, with the minute. */
const told = (...lines: Line[]): string[] =>
  own(lines).map(({ at: when, transition, alert }) => `${(when - MONDAY) / MINUTE} ${transition} ${alert.reason} ${alert.count}`);

describe('a part of ours', () => {
  it.each(PARTS)('that is down is one critical alert of nobody’s, until it is up: the %s', (part) => {
    const [fired, resolved] = own([platform(at(5), part, 'down'), platform(at(30), part, 'up'), tick(at(40))]);

    expect(fired).toMatchObject({ at: at(5), transition: 'fired' });
    expect(fired!.alert).toMatchObject({ severity: 'critical', reason: part, cause: part, confidence: 1 });
    expect(Object.values(fired!.alert.subject)).toEqual(Array(10).fill(null));
    expect(fired!.alert.remedy).toHaveLength(1);
    expect(resolved).toMatchObject({ at: at(30), transition: 'resolved', alert: { id: fired!.alert.id, reason: part } });
  });

  it.each(['broker', 'log', 'clock'])('that blinds tells the window that is unknown: the %s', (part) => {
    const [fired, resolved] = own([platform(at(5), part, 'down'), platform(at(30), part, 'up')]);

    expect(fired!.alert.evidence).toContainEqual({ what: 'unknown_from', value: at(5), at: at(5) });
    expect(resolved!.alert.evidence).toContainEqual({ what: 'unknown_until', value: at(30), at: at(30) });
  });

  it.each(['store', 'collector'])('that only delays leaves nothing unknown: the %s', (part) => {
    const [fired, resolved] = own([platform(at(5), part, 'down'), platform(at(30), part, 'up')]);

    expect(fired!.alert.evidence).toEqual([{ what: `${part}_down`, value: null, at: at(5) }]);
    expect(resolved!.alert.evidence).toEqual([...fired!.alert.evidence, { what: `${part}_up`, value: null, at: at(30) }]);
  });

  it('that is said to be down again, or up where it was not down, is no news', () => {
    expect(told(platform(at(1), 'store', 'up'), platform(at(2), 'store', 'down'), platform(at(3), 'store', 'down'))).toEqual([
      '2 fired store 1',
    ]);
  });

  it('that goes down again is a new alert', () => {
    const log = [1, 3].flatMap((m) => [platform(at(m), 'store', 'down'), platform(at(m + 1), 'store', 'up')]);

    expect(told(...log)).toEqual(['1 fired store 1', '2 resolved store 1', '3 fired store 1', '4 resolved store 1']);
    expect(own(log)[2]!.alert.evidence).toHaveLength(1);
  });
});

describe('several parts at once', () => {
  it('are one alert, whose reason is what blinds, and which ends with the last of them', () => {
    const log = [
      platform(at(1), 'store', 'down'),
      platform(at(2), 'broker', 'down'),
      platform(at(3), 'store', 'up'),
      platform(at(4), 'log', 'down'),
      platform(at(5), 'broker', 'up'),
      platform(at(6), 'log', 'up'),
    ];

    expect(told(...log)).toEqual([
      '1 fired store 1',
      '2 updated broker 2',
      '3 updated broker 1',
      '4 updated broker 2',
      '5 updated log 1',
      '6 resolved log 1',
    ]);
    const { evidence } = own(log).at(-1)!.alert;
    expect(evidence.map(({ what, at: when }) => `${(when - MONDAY) / MINUTE} ${what}`)).toEqual([
      '1 store_down',
      '2 broker_down',
      '2 unknown_from',
      '3 store_up',
      '4 log_down',
      '5 broker_up',
      '6 log_up',
      '6 unknown_until',
    ]);
  });

  it('may be brokers: which, its evidence says', () => {
    const log = [platform(at(1), 'broker', 'down', { node: 'a' }), platform(at(2), 'broker', 'down', { node: 'b' })];

    expect(told(...log, platform(at(3), 'broker', 'up', { node: 'a' }))).toEqual([
      '1 fired broker 1',
      '2 updated broker 2',
      '3 updated broker 1',
    ]);
    expect(own(log)[1]!.alert.evidence).toContainEqual({ what: 'broker_down', value: 'b', at: at(2) });
  });

  it('that come and go while another is down do not fill its evidence without end', () => {
    const flaps = Array.from({ length: 100 }, (_, n) => platform(at(2 + n), 'broker', n % 2 === 0 ? 'down' : 'up'));
    const { evidence } = own([platform(at(1), 'store', 'down'), ...flaps]).at(-1)!.alert;

    expect(evidence).toHaveLength(20);
    expect([evidence[0]!.what, evidence.at(-1)!.at]).toEqual(['store_down', at(101)]);
  });
});

describe('a step of the clock', () => {
  const heard = (n: number, interval: number, row = {}): Line[] => [
    terminal(MONDAY, serial(n), row),
    birth(MONDAY, { interval }, { sn: serial(n) }),
  ];
  const step = (ms: number, m = 5): Line => platform(at(m), 'clock', 'step', { ms });

  it.each([-40_000, 5_001])('of %i ms is told, until each terminal has had an interval of its own', (ms) => {
    const log = [...heard(1, 60), ...heard(2, 600), step(ms), tick(at(60))];

    expect(told(...log)).toEqual(['5 fired clock 1', '15 resolved clock 1']);
    expect(own(log)[0]!.alert.evidence[0]).toEqual({ what: 'clock_step_ms', value: ms, at: at(5) });
    expect(own(log)[1]!.alert.evidence.at(-1)).toEqual({ what: 'unknown_until', value: at(15), at: at(15) });
  });

  it.each([5_000, -5_000])('of %i ms is none', (ms) => {
    expect(told(...heard(1, 60), step(ms), tick(at(60)))).toEqual([]);
  });

  it('waits for no terminal that raises no alert, and for none longer than an hour', () => {
    expect(told(...heard(1, 300), ...heard(2, 3_000, { lifecycle: 'blacklisted' }), step(9_000), tick(at(60)))[1]).toBe(
      '10 resolved clock 1',
    );
    expect(told(...heard(1, 86_400), step(9_000), tick(at(90)))[1]).toBe('65 resolved clock 1');
  });

  it('with another before the end of the first is told once, to the end of the second', () => {
    expect(told(...heard(1, 300), step(9_000, 5), step(-9_000, 8), tick(at(60)))).toEqual(['5 fired clock 1', '13 resolved clock 1']);
  });

  it('ahead, which a stretch that nobody lived through comes before, is told from its beginning', () => {
    const log = [
      ...heard(1, 300),
      platform(at(5), 'clock', 'down', { node: 'a' }),
      platform(at(9), 'clock', 'step', { ms: 240_000, node: 'a' }),
    ];

    expect(told(...log, tick(at(60)))).toEqual(['5 fired clock 1', '14 resolved clock 1']);
  });

  it('keeps its end over a save', () => {
    const watch = new Watch();
    for (const line of [...heard(1, 300), step(9_000)]) watch.step(entry(line));
    const disk = new Disk();
    save(watch, disk, 100);
    const loaded = disk.restore();

    expect(loaded.step(entry(tick(at(30)))).transitions.map(({ at: when, transition }) => [when, transition])).toContainEqual([
      at(10),
      'resolved',
    ]);
  });
});

describe('being late', () => {
  it.each(['store', 'collector'])('hides no silent terminal: the %s', (part) => {
    const log = [terminal(MONDAY, serial(1)), birth(MONDAY, { keepalive: 30 }), platform(at(1), part, 'down'), tick(MONDAY + HOUR)];
    const offline = fold(log).filter(({ alert }) => alert.type === 'terminal.offline');

    expect(offline.map((t) => (t.at - MONDAY) / SECOND)).toEqual([600]);
  });
});
