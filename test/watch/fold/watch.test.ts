import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Transition } from '../../../protocol/alerts.ts';
import { REASONS } from '../../../protocol/alerts.ts';
import { takeSaved } from '../../../watch/fold/table.ts';
import { Watch } from '../../../watch/fold/watch.ts';
import {
  birth,
  DAY,
  entry,
  fold,
  HOUR,
  MINUTE,
  MONDAY,
  merchant,
  report,
  SECOND,
  SEED,
  serial,
  story,
  terminal,
  terminals,
  tick,
} from '../support/log.ts';
import { anyLog } from '../support/logs.ts';

/** What is wrong with a fold's output as such. */
function faults(transitions: readonly Transition[]): string[] {
  const open = new Map<string, Transition>();
  const ids = new Set<string>();
  const wrong: string[] = [];
  let last = Number.NEGATIVE_INFINITY;
  for (const t of transitions) {
    const { alert } = t;
    const subject = `${alert.type} ${alert.subject.acquirer} ${alert.subject.terminal ?? alert.subject.merchant}`;
    const before = open.get(subject);
    const bad = (what: string) => wrong.push(`${what}: ${JSON.stringify(t)}`);
    if (t.at < last) bad('not in order of time');
    last = t.at;
    if (t.transition === 'fired') {
      if (before) bad('a second active alert');
      if (ids.has(alert.id)) bad('an id that was used');
      if (alert.startsAt !== t.at || alert.seq !== 1) bad('a start that is none');
      ids.add(alert.id);
    } else {
      if (before?.alert.id !== alert.id) bad('of an alert that is not firing');
      else if (alert.seq !== before.alert.seq + 1 || alert.startsAt !== before.alert.startsAt) bad('not the next of its alert');
      const said = ({ alert: { severity, reason, cause, count, silencedBy } }: Transition) =>
        `${severity} ${reason} ${cause} ${count} ${silencedBy}`;
      if (t.transition === 'updated' && before && said(before) === said(t)) bad('an update that says nothing new');
    }
    if (alert.updatedAt !== t.at) bad('not updated at its time');
    const ended = t.transition === 'resolved';
    if ((alert.state === 'resolved') !== ended || (alert.endsAt === t.at) !== ended) bad('a state that does not fit');
    if (!(REASONS[alert.type] as readonly string[]).includes(alert.reason)) bad('a reason outside the catalogue');
    if (ended) open.delete(subject);
    else open.set(subject, t);
  }
  return wrong;
}

describe('whatever the log', () => {
  it('transitions are in order of time, one alert is active per type and subject, and each is fired, updated and resolved in turn', () => {
    fc.assert(
      fc.property(anyLog(160), (lines) => {
        expect(faults(fold(lines))).toEqual([]);
      }),
      { seed: SEED, numRuns: 500 },
    );
  });

  it('the logs that are tried make alerts of every kind in scope', () => {
    const kinds = new Set<string>();

    for (const lines of fc.sample(anyLog(160), { seed: SEED, numRuns: 300 }))
      for (const { alert, transition } of fold(lines)) {
        kinds.add(`${alert.reason} ${transition}`);
        kinds.add(alert.cause);
      }

    const wanted = ['approaching', 'reached', 'over', 'silent', 'lost'].flatMap((r) => [`${r} fired`, `${r} updated`, `${r} resolved`]);
    expect([...kinds]).toEqual(expect.arrayContaining([...wanted, 'limit_cut', 'switched_off', 'unknown']));
  });

  it('what is firing at the end is what the state holds', () => {
    fc.assert(
      fc.property(anyLog(), (lines) => {
        const watch = new Watch();
        const firing = new Map<string, string>();
        for (const { alert, transition } of fold(lines, watch)) {
          if (transition === 'resolved') firing.delete(alert.id);
          else firing.set(alert.id, JSON.stringify(alert));
        }

        expect([...watch.state.alerts.values()].map((a) => JSON.stringify(a)).sort()).toEqual([...firing.values()].sort());
      }),
      { seed: SEED, numRuns: 150 },
    );
  });
});

describe('time', () => {
  const SN = serial(1);

  it('never goes back: an older entry is taken at the time of the one before it', () => {
    const watch = new Watch();
    const log = [terminal(MONDAY, SN), birth(MONDAY + HOUR), { ...report(MONDAY, 1), at: MONDAY }];

    for (const line of log) watch.step(entry(line));

    expect([watch.now, watch.state.terminals.get(`acme/${SN}`)!.presence.lifeAt]).toEqual([MONDAY + HOUR, MONDAY + HOUR]);
  });

  it('brings deadlines of many subjects in their own order, each at its own time', () => {
    const count = 200;
    const births = Array.from({ length: count }, (_, n) => birth(MONDAY + ((n * 37) % count) * SECOND, {}, { sn: serial(n + 1) }));
    const ordered = births.sort((a, b) => a.at - b.at);

    const watch = new Watch();
    const rows = [...terminals(MONDAY, count), ...ordered, tick(MONDAY + HOUR)].flatMap((line) => watch.step(entry(line)).rows);

    const offline = rows.filter((row) => row.measurement === 'presence' && row.state === 'offline' && row.at < MONDAY + HOUR);
    expect(offline.map((row) => row.at)).toEqual(ordered.map((line) => line.at + 600 * SECOND));
  });

  it('stands still after the last line: what is due at it is told, and nothing later', () => {
    const start = [terminal(MONDAY, SN), birth(MONDAY)];

    expect(story([...start, tick(MONDAY + 600 * SECOND - 1)])).toEqual([]);
    expect(story([...start, tick(MONDAY + 600 * SECOND)])).toHaveLength(1);
  });

  it('passes alone where there is no entry but heartbeats', () => {
    const watch = new Watch();
    for (const line of [terminal(MONDAY, SN), birth(MONDAY)]) watch.step(entry(line));

    const { transitions } = watch.step({ kind: 'heartbeat', at: MONDAY + HOUR, node: 'a', boot: 'b', uptime: 1 });

    expect(transitions.map((t) => t.at)).toEqual([MONDAY + 600 * SECOND]);
  });
});

describe('rows for the store', () => {
  const SN = serial(1);
  const rows = (lines: Parameters<typeof fold>[0], measurement: string) => {
    const watch = new Watch();
    return [...lines.flatMap((line) => watch.step(entry(line)).rows), ...watch.finish().rows].filter(
      (row) => row.measurement === measurement,
    );
  };

  it('tell presence on change and each hour', () => {
    const told = rows([terminal(MONDAY, SN), birth(MONDAY), tick(MONDAY + 3 * HOUR)], 'presence');

    expect(told.map((row) => [row.at - MONDAY, 'state' in row && row.state])).toEqual([
      [0, 'online'],
      [450 * SECOND, 'suspect'],
      [600 * SECOND, 'offline'],
      [600 * SECOND + HOUR, 'offline'],
      [600 * SECOND + 2 * HOUR, 'offline'],
    ]);
  });

  it('tell whether the terminal is expected', () => {
    const expected = { tz: 'UTC', week: Array(7).fill('00:00-00:30') };
    const told = rows([terminal(MONDAY, SN), birth(MONDAY, { expected }), tick(MONDAY + HOUR)], 'presence');

    expect(told.map((row) => 'expected' in row && row.expected)).toEqual([true, true, true]);
    expect(rows([terminal(MONDAY, SN), birth(MONDAY + HOUR, { expected })], 'presence')).toMatchObject([{ expected: false }]);
  });

  it('tell the use of a merchant on change and each day', () => {
    const log = [
      merchant(MONDAY, { terminal_limit: 10 }),
      ...terminals(MONDAY, 3),
      terminal(MONDAY + HOUR, serial(9), { lifecycle: 'pending' }),
    ];
    const told = rows([...log, tick(MONDAY + 2 * DAY)], 'merchant');

    expect(told).toMatchObject([
      { at: MONDAY, limit: 10, held: 3, pending: 0, headroom: 7 },
      { at: MONDAY + HOUR, limit: 10, held: 3, pending: 1, headroom: 6 },
      { at: MONDAY + HOUR + DAY, held: 3, pending: 1 },
    ]);
  });
});

describe('every decision', () => {
  it('has a reason that is counted, to announce or not to', () => {
    const watch = new Watch();
    fold([merchant(MONDAY, { terminal_limit: 10 }), ...terminals(MONDAY, 9), birth(MONDAY), tick(MONDAY + HOUR)], watch);

    expect([...watch.decisions.keys()]).toEqual(
      expect.arrayContaining([
        'quota.terminals approaching',
        'terminal.offline never_heard',
        'terminal.offline suspect',
        'terminal.offline silent',
        'message new',
      ]),
    );
  });
});

describe('a deadline that was set before a terminal was heard again', () => {
  const changed = (watch: Watch): string[] => {
    watch.beginSave();
    const tables: string[] = [];
    for (let rows = takeSaved(watch.tables, 100); rows.length > 0; rows = takeSaved(watch.tables, 100))
      tables.push(...rows.map(({ table }) => table));
    return tables;
  };

  it('changes nothing that would have to be saved, and is moved on', () => {
    const watch = new Watch();
    const reports = [1, 2, 3, 4].map((n) => report(MONDAY + n * 4 * MINUTE, n));
    fold([terminal(MONDAY, 'SN000001'), birth(MONDAY + 1_000), ...reports], watch);
    changed(watch);

    watch.step(entry(tick(MONDAY + 17 * MINUTE)));
    expect(changed(watch)).toEqual(['meta']);

    const { transitions } = watch.step(entry(tick(MONDAY + 26 * MINUTE + 1)));
    expect(transitions.map(({ at, alert }) => [at - MONDAY, alert.type])).toEqual([[26 * MINUTE, 'terminal.offline']]);
  });
});
