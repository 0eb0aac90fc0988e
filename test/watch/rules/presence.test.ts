import { describe, expect, it } from 'vitest';
import { Watch } from '../../../watch/fold/watch.ts';
import {
  bind,
  birth,
  DAY,
  entry,
  fold,
  goodbye,
  HOUR,
  type Line,
  MINUTE,
  MONDAY,
  online,
  platform,
  report,
  SECOND,
  story,
  terminal,
  tick,
  unbind,
  type Via,
  will,
} from '../support/log.ts';

const SN = 'SN000001';
/** Two intervals of 300 s: with a keepalive of 60 s the longer of the two waits. */
const WAIT = 600 * SECOND;
const NINE_TO_NINE = { tz: 'UTC', week: Array(7).fill('09:00-21:00') };

const bound = (row = {}): Line => terminal(MONDAY, SN, row);
const heard = (at: number, body = {}, via: Via = {}): Line[] => [bound(), birth(at, body, via)];
const at = (h: number, m = 0, s = 0): number => MONDAY + h * HOUR + m * MINUTE + s * SECOND;
/** The local wall-clock time `2026-03-29 09:00` of a zone that is `hours` ahead of UTC. */
const local = (text: string, hours: number): number => Date.parse(`${text.replace(' ', 'T')}:00Z`) - hours * HOUR;

function stateAt(lines: readonly Line[], sn = SN): string {
  const watch = new Watch();
  for (const line of lines) watch.step(entry(line));
  return watch.state.terminals.get(`acme/${sn}`)!.presence.state;
}

describe('a silent terminal', () => {
  it('is offline at its deadline itself, however late the next line is', () => {
    expect(story([...heard(at(0)), tick(at(0) + WAIT), tick(at(0, 30))])).toEqual([`${WAIT} fired ${SN} silent warning unknown`]);
  });

  it('is not offline where it speaks at the very deadline', () => {
    expect(story([...heard(at(0)), report(at(0) + WAIT, 1)])).toEqual([]);
  });

  it.each([
    [300, 60, 600],
    [300, 200, 600],
    [300, 201, 603],
    [300, 330, 990],
    [10, 5, 20],
    [10, 7, 21],
    [1, 5, 15],
    [86_400, 1200, 172_800],
  ])('with an interval of %i s and a keepalive of %i s is waited for %i s', (interval, keepalive, wait) => {
    const log = [...heard(at(0), { interval, keepalive }), tick(at(0) + wait * SECOND), tick(at(0) + wait * SECOND + 1)];

    expect(story(log)).toEqual([`${wait * SECOND} fired ${SN} silent warning unknown`]);
  });

  it('without a birth is waited for three keepalives of 330 s', () => {
    expect(story([bound(), report(at(0), 1), tick(at(1))])).toEqual([`${990 * SECOND} fired ${SN} silent warning unknown`]);
  });

  it('is suspect from one and a half intervals on', () => {
    expect(stateAt([...heard(at(0)), tick(at(0) + 450 * SECOND)])).toBe('online');
    expect(stateAt([...heard(at(0)), tick(at(0) + 450 * SECOND + 1)])).toBe('suspect');
    expect(stateAt([...heard(at(0)), tick(at(0) + WAIT + 1)])).toBe('offline');
  });

  it('is critical after an expected hour, and resolved by its first message', () => {
    expect(story([...heard(at(0)), report(at(3), 1)])).toEqual([
      `${WAIT} fired ${SN} silent warning unknown`,
      `${WAIT + HOUR} updated ${SN} silent critical unknown`,
      `${3 * HOUR} resolved ${SN} silent critical unknown`,
    ]);
  });

  it('counts its hour until critical within its hours alone', () => {
    const log = [...heard(at(20, 20), { expected: NINE_TO_NINE }), tick(at(48))];

    expect(story(log)).toEqual([
      `${20 * HOUR + 30 * MINUTE} fired ${SN} silent warning unknown`,
      `${33 * HOUR + 30 * MINUTE} updated ${SN} silent critical unknown`,
    ]);
  });

  it('is waited for by what its newest birth says', () => {
    const faster = [...heard(at(0)), birth(at(0, 5), { interval: 60, keepalive: 10 }), tick(at(1))];
    const slower = [...heard(at(0), { interval: 60, keepalive: 10 }), birth(at(0, 1), { interval: 600, keepalive: 10 }), tick(at(1))];

    expect(story(faster)[0]).toBe(`${7 * MINUTE} fired ${SN} silent warning unknown`);
    expect(story(slower)[0]).toBe(`${21 * MINUTE} fired ${SN} silent warning unknown`);
  });

  it('goes silent again and again under a new id each time', () => {
    const ids = fold([...heard(at(0)), report(at(1), 1), report(at(2), 2), tick(at(3))])
      .filter((t) => t.transition === 'fired')
      .map((t) => t.alert.id);

    expect(new Set(ids).size).toBe(3);
  });

  it('names itself and what it is under', () => {
    const log = [terminal(MONDAY, SN, { site: 's-17' }), birth(at(0)), tick(at(1))];

    expect(fold(log)[0]!.alert.subject).toMatchObject({ acquirer: 'acme', merchant: 'm-1', site: 's-17', terminal: SN, cell: null });
  });
});

describe('life', () => {
  const late = at(0) + WAIT - SECOND;
  const raw = (bytes: string): string => Buffer.from(bytes).toString('base64');
  const ack = { v: 1, id: 'c-1', ok: true };
  const event = { v: 1, session: 's1', seq: 9, at: late, type: 'binding.changed' };

  it.each<[string, Line]>([
    ['a report', report(late, 1)],
    ['a birth', birth(late)],
    ['an event', { at: late, topic: `pos/v1/acme/${SN}/event`, payload: event }],
    ['an ack', { at: late, topic: `pos/v1/acme/${SN}/ack`, payload: ack }],
    ['an online state', online(late)],
    ['a message that went to quarantine', { at: late, topic: `pos/v1/acme/${SN}/report`, payload: { v: 1, nonsense: true } }],
    ['bytes that are not JSON', { at: late, topic: `pos/v1/acme/${SN}/report`, raw: raw('{torn') }],
    ['a message that came before', report(late, 1, { session: 's1' })],
    ['a report of a session that has ended', report(late, 1, { session: 's0' })],
  ])('is %s', (_, line) => {
    const before = birth(at(0));
    const seen = report(at(0), 1);

    expect(story([bound(), before, seen, line, tick(late + WAIT), tick(late + WAIT + 1)])).toEqual([
      `${late + WAIT - MONDAY} fired ${SN} silent warning unknown`,
    ]);
  });

  it.each<[string, Line]>([
    ['a message replayed from quarantine', report(late, 7, { replayOf: { at: at(0) } })],
    ['an unreadable one replayed from quarantine', { at: late, topic: `pos/v1/acme/${SN}/report`, raw: '', replayOf: { at: at(0) } }],
    ["a Will of an older session, which is the broker's word", will(late, { session: 's0' })],
    ['a message of another terminal', report(late, 1, { sn: 'SN000002' })],
    ['a row of the registry', bound()],
  ])('is not %s', (_, line) => {
    expect(story([...heard(at(0)), line.at < late ? { ...line, at: late } : line, tick(at(1))])[0]).toBe(
      `${WAIT} fired ${SN} silent warning unknown`,
    );
  });

  it('resolves though the message is one that was seen before', () => {
    expect(story([...heard(at(0)), report(at(0, 1), 1), report(at(1), 1)]).at(-1)).toMatch(/^3600000 resolved/);
  });
});

describe('what is replayed from quarantine', () => {
  const replayed = { replayOf: { at: at(0) } };

  it('does not switch a terminal off', () => {
    expect(story([...heard(at(1)), goodbye(at(1, 1), replayed), tick(at(2))])[0]).toBe(`${HOUR + WAIT} fired ${SN} silent warning unknown`);
  });

  it('does not end the session that is under way, nor change its interval', () => {
    const log = [...heard(at(1)), birth(at(1, 1), { interval: 3600 }, { session: 's0', ...replayed }), will(at(1, 2)), tick(at(2))];

    expect(story(log)[0]).toBe(`${HOUR + 2 * MINUTE + 90 * SECOND} fired ${SN} lost warning unknown`);
  });

  it('does not take the connection away', () => {
    expect(story([...heard(at(1)), will(at(1, 1), replayed), report(at(1, 8), 1), tick(at(1, 10))])).toEqual([]);
  });

  it('says what a terminal is that could not say so before', () => {
    const log = [
      bound(),
      report(at(1), 1),
      birth(at(1, 1), { interval: 60, keepalive: 10 }, { ...replayed }),
      report(at(1, 2), 2),
      tick(at(2)),
    ];

    expect(story(log)[0]).toBe(`${HOUR + 4 * MINUTE} fired ${SN} silent warning unknown`);
  });
});

describe('a Will', () => {
  it('of the current session makes it lost after ninety seconds', () => {
    expect(story([...heard(at(0)), will(at(0, 2)), tick(at(0, 30))])).toEqual([`${210 * SECOND} fired ${SN} lost warning unknown`]);
  });

  it('counts from the first, not from those that follow', () => {
    expect(story([...heard(at(0)), will(at(0, 2)), will(at(0, 3)), tick(at(0, 30))])[0]).toBe(
      `${210 * SECOND} fired ${SN} lost warning unknown`,
    );
  });

  it('is nothing where the terminal is back before, and its silence counts anew', () => {
    const log = [...heard(at(0)), will(at(0, 2)), birth(at(0, 3), {}, { session: 's2' }), tick(at(0, 12)), tick(at(0, 14))];

    expect(story(log)).toEqual([`${3 * MINUTE + WAIT} fired ${SN} silent warning unknown`]);
  });

  it('of an older session is nothing, whenever it comes', () => {
    const back = birth(at(0, 1), {}, { session: 's2' });
    const log = [...heard(at(0)), back, will(at(0, 1)), report(at(0, 5), 1, { session: 's2' }), will(at(0, 6)), tick(at(0, 14))];

    expect(story(log)).toEqual([]);
  });

  it('of the older session that comes just before the new birth is nothing', () => {
    expect(story([...heard(at(0)), will(at(0, 1)), birth(at(0, 1), {}, { session: 's2' }), tick(at(0, 10))])).toEqual([]);
  });

  it('of a session that was born twice is of the current one', () => {
    const log = [...heard(at(0)), birth(at(0, 1)), will(at(0, 2)), tick(at(0, 30))];

    expect(story(log)[0]).toBe(`${210 * SECOND} fired ${SN} lost warning unknown`);
  });

  it('of an ended session stays nothing though its birth is repeated', () => {
    const log = [...heard(at(0)), birth(at(0, 1), {}, { session: 's2' }), birth(at(0, 2)), will(at(0, 3)), tick(at(0, 10))];

    expect(story(log)).toEqual([]);
  });

  it('changes nothing of an alert that says silent already', () => {
    expect(story([...heard(at(0)), will(at(0, 15)), tick(at(0, 30))])).toEqual([`${WAIT} fired ${SN} silent warning unknown`]);
  });

  it('outside the hours waits for the opening and ninety seconds more', () => {
    const log = [...heard(at(20, 55), { expected: NINE_TO_NINE }), report(at(20, 59), 1), will(at(22)), tick(at(48))];

    expect(story(log)[0]).toBe(`${33 * HOUR + 90 * SECOND} fired ${SN} lost warning unknown`);
  });

  it('just before closing takes the rest of its ninety seconds from the opening', () => {
    const log = [...heard(at(20, 55), { expected: NINE_TO_NINE }), will(at(20, 59, 30)), tick(at(48))];

    expect(story(log)[0]).toBe(`${33 * HOUR + 60 * SECOND} fired ${SN} lost warning unknown`);
  });

  it('after a goodbye of its session leaves it a goodbye', () => {
    expect(story([...heard(at(0)), goodbye(at(0, 1)), will(at(0, 1)), tick(at(0, 20))])[0]).toBe(
      `${MINUTE + WAIT} fired ${SN} silent warning switched_off`,
    );
  });
});

describe('a goodbye', () => {
  const open = { expected: NINE_TO_NINE };
  const firstOf = (line: Line): string | undefined => story([...heard(at(20, 21), open), line, tick(at(48))])[0];
  const NEXT_MORNING = `${33 * HOUR + WAIT} fired ${SN} silent warning unknown`;

  it('in the hours is offline after the same wait, switched off', () => {
    expect(story([...heard(at(12), open), goodbye(at(12, 5)), tick(at(13))])).toEqual([
      `${12 * HOUR + 5 * MINUTE + WAIT} fired ${SN} silent warning switched_off`,
    ]);
  });

  it('more than thirty minutes before closing is in the hours', () => {
    expect(firstOf(goodbye(at(20, 29, 59)))).toBe(`${at(20, 29, 59) - MONDAY + WAIT} fired ${SN} silent warning switched_off`);
  });

  it('thirty minutes before closing is the end of the day, and the terminal is waited for from the next opening', () => {
    expect(firstOf(goodbye(at(20, 30)))).toBe(NEXT_MORNING);
  });

  it('at closing or after it is the end of the day', () => {
    expect(story([...heard(at(20, 51), open), goodbye(at(21)), tick(at(48))])[0]).toBe(NEXT_MORNING);
    expect(story([...heard(at(20, 51), open), goodbye(at(23)), tick(at(48))])[0]).toBe(NEXT_MORNING);
  });

  it('is no alert where the terminal is there the next morning', () => {
    expect(story([...heard(at(20, 45), open), goodbye(at(20, 50)), birth(at(33, 5), open, { session: 's2' }), tick(at(33, 14))])).toEqual(
      [],
    );
  });

  it('before the lunch break is waited for from its end', () => {
    const split = { expected: { tz: 'UTC', week: Array(7).fill('08:00-12:00,14:00-20:00') } };

    expect(story([...heard(at(11, 40), split), goodbye(at(11, 45)), tick(at(15))])[0]).toBe(
      `${14 * HOUR + WAIT} fired ${SN} silent warning unknown`,
    );
  });

  it('before a night that only looks like a closing is in the hours', () => {
    const through = { expected: { tz: 'UTC', week: Array(7).fill('00:00-24:00') } };

    expect(story([...heard(at(23, 45), through), goodbye(at(23, 50)), tick(at(25))])[0]).toBe(
      `${23 * HOUR + 50 * MINUTE + WAIT} fired ${SN} silent warning switched_off`,
    );
  });

  it('of a terminal without hours is always in the hours', () => {
    expect(story([...heard(at(3)), goodbye(at(3, 1)), tick(at(4))])[0]).toBe(
      `${3 * HOUR + MINUTE + WAIT} fired ${SN} silent warning switched_off`,
    );
  });

  it('of an ended session says nothing of the current one', () => {
    const log = [...heard(at(0)), birth(at(0, 1), {}, { session: 's2' }), goodbye(at(0, 2)), tick(at(0, 30))];

    expect(story(log)[0]).toBe(`${2 * MINUTE + WAIT} fired ${SN} silent warning unknown`);
  });

  it('is taken back by whatever is heard after it', () => {
    expect(story([...heard(at(12), open), goodbye(at(12, 1)), report(at(12, 2), 1), tick(at(13))])[0]).toBe(
      `${12 * HOUR + 2 * MINUTE + WAIT} fired ${SN} silent warning unknown`,
    );
  });
});

describe('expected hours', () => {
  const week = (day: string): string[] => Array(7).fill(day);
  /** When a terminal of these hours, last heard at `from`, is called offline. */
  const offlineAt = (from: number, expected: { tz: string; week: string[] }): number | undefined =>
    fold([terminal(from, SN), birth(from, { expected }), tick(from + 10 * DAY)])[0]?.at;

  it('stop the waiting while the shop is closed', () => {
    expect(offlineAt(at(20, 55), NINE_TO_NINE)).toBe(at(33, 5));
  });

  it('may be several ranges a day, and past midnight', () => {
    expect(offlineAt(at(11, 55), { tz: 'UTC', week: week('08:00-12:00,14:00-20:00') })).toBe(at(14, 5));
    expect(offlineAt(at(25, 57), { tz: 'UTC', week: week('18:00-02:00') })).toBe(at(42, 7));
    expect(offlineAt(at(23, 55), { tz: 'UTC', week: week('18:00-02:00') })).toBe(at(24, 5));
  });

  it('skip days that are closed', () => {
    const weekdays = { tz: 'UTC', week: [...Array(5).fill('09:00-17:00'), '', ''] };

    expect(offlineAt(at(4 * 24 + 16, 55), weekdays)).toBe(at(7 * 24 + 9, 5));
  });

  it('of a week that is closed throughout never end the waiting', () => {
    expect(offlineAt(at(12), { tz: 'UTC', week: week('') })).toBeUndefined();
  });

  it.each([
    ['Europe/Berlin', '2026-03-28 20:55', 1, '2026-03-29 09:05', 2],
    ['Europe/Berlin', '2026-10-24 20:55', 2, '2026-10-25 09:05', 1],
    ['America/New_York', '2026-03-07 20:55', -5, '2026-03-08 09:05', -4],
    ['America/New_York', '2026-10-31 20:55', -4, '2026-11-01 09:05', -5],
    ['Australia/Lord_Howe', '2026-04-04 20:55', 11, '2026-04-05 09:05', 10.5],
    ['Australia/Lord_Howe', '2026-10-03 20:55', 10.5, '2026-10-04 09:05', 11],
    ['Asia/Shanghai', '2026-03-28 20:55', 8, '2026-03-29 09:05', 8],
  ])('open at nine by the clocks of %s on the morning after %s', (tz, last, before, due, after) => {
    expect(offlineAt(local(last, before), { tz, week: week('09:00-21:00') })).toBe(local(due, after));
  });

  it.each([
    ['Europe/Berlin', 'shorter', '2026-03-28 21:55', 1, '2026-03-30 01:00', 2],
    ['Europe/Berlin', 'longer', '2026-10-24 21:55', 2, '2026-10-25 23:00', 1],
    ['America/New_York', 'shorter', '2026-03-07 21:55', -5, '2026-03-09 01:00', -4],
    ['America/New_York', 'longer', '2026-10-31 21:55', -4, '2026-11-01 23:00', -5],
    ['Australia/Lord_Howe', 'longer', '2026-04-04 21:55', 11, '2026-04-05 23:30', 10.5],
  ])('of a night in which the clocks of %s change make that night %s', (tz, _, last, before, due, after) => {
    const from = local(last, before);
    const body = { interval: 5 * 3600, expected: { tz, week: week('22:00-06:00') } };

    expect(fold([terminal(from, SN), birth(from, body), tick(from + 10 * DAY)])[0]!.at).toBe(local(due, after));
  });
});

describe('who may alert', () => {
  const life = birth(at(0));

  it.each([
    ['active', true],
    ['pending', true],
    ['inactive', false],
    ['swapped_out', false],
    ['blacklisted', false],
    ['deleted', false],
  ])('a silent terminal that is %s: %s', (lifecycle, alerts) => {
    expect(story([life, terminal(at(0, 1), SN, { lifecycle }), tick(at(1))]).length > 0).toBe(alerts);
  });

  it('an inactive terminal that talks becomes active by itself', () => {
    const watch = new Watch();
    const log = [terminal(MONDAY, SN, { lifecycle: 'inactive' }), birth(at(0, 1)), tick(at(1))];

    const told = fold(log, watch);

    expect(told[0]).toMatchObject({ at: at(0, 11), transition: 'fired' });
    expect(watch.state.terminals.get(`acme/${SN}`)!.binding!.lifecycle).toBe('active');
    expect(watch.decisions.get('lifecycle activated_by_talking')).toBe(1);
  });

  it('an unregistered terminal never alerts, and is shown as such', () => {
    const watch = new Watch();

    expect(fold([birth(at(0), { merchant: 'm-1' }), tick(at(5))], watch)).toEqual([]);
    expect(watch.presenceOf(watch.state.terminals.get(`acme/${SN}`)!)).toBe('unregistered');
  });

  it('a terminal that was deleted is unregistered from then on, however silent it is', () => {
    const watch = new Watch();

    expect(fold([...heard(at(0)), terminal(at(0, 1), SN, { lifecycle: 'deleted' }), tick(at(5))], watch)).toEqual([]);
    expect(watch.presenceOf(watch.state.terminals.get(`acme/${SN}`)!)).toBe('unregistered');
  });

  it('a terminal that was never heard is not offline', () => {
    expect(story([bound(), will(at(1)), tick(at(100))])).toEqual([]);
    expect(stateAt([bound(), tick(at(100))])).toBe('unknown');
  });

  it('a terminal that is bound while it is silent alerts then', () => {
    expect(story([life, bind(at(2), SN), tick(at(3))])).toEqual([`${2 * HOUR} fired ${SN} silent critical unknown`]);
  });

  it.each([
    ['is unbound', unbind(at(2), SN)],
    ['is blacklisted', terminal(at(2), SN, { lifecycle: 'blacklisted' })],
    ['was swapped', { at: at(2), registry: { table: 'bindings', row: { op: 'swap', acquirer: 'acme', old_sn: SN, new_sn: 'SN000002' } } }],
  ])('an alert ends where its terminal %s', (_, line) => {
    expect(story([bound(), life, line, tick(at(3))]).at(-1)).toBe(`${2 * HOUR} resolved ${SN} silent critical unknown`);
  });

  it('the same serial at two acquirers is two terminals', () => {
    const other: Line = {
      at: at(0, 9),
      topic: `pos/v1/other/${SN}/report`,
      payload: { v: 1, session: 'x', seq: 1, samples: [{ at: at(0, 9) }] },
    };

    expect(story([bound(), life, other, tick(at(0, 20))])).toEqual([`${WAIT} fired ${SN} silent warning unknown`]);
  });
});

it('a terminal that is found offline at once, as after our own blindness, is none of its own neighbours', () => {
  const two = [SN, 'SN000002'];
  const lines = [
    ...two.map((sn) => terminal(MONDAY, sn, { site: 's-1' })),
    ...two.map((sn) => birth(at(9), {}, { sn })),
    platform(at(9, 3), 'broker', 'down'),
    platform(at(9, 40), 'broker', 'up'),
    tick(at(10)),
  ];

  const second = fold(lines).find(({ alert }) => alert.type === 'terminal.offline' && alert.subject.terminal === two[1])!;

  expect(second.alert.cause).toBe('site');
  expect(second.alert.evidence).toContainEqual(expect.objectContaining({ what: 'site_lost', value: 1, limit: 1 }));
});
