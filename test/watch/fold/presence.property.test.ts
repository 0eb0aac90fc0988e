/** Whatever comes in whatever order, who talks is there, and who is silent is found out in time. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Watch } from '../../../watch/fold/watch.ts';
import {
  birth,
  entry,
  goodbye,
  type Line,
  MINUTE,
  MONDAY,
  online,
  report,
  SECOND,
  SEED,
  serial,
  terminal,
  tick,
  will,
} from '../support/log.ts';

const SN = serial(1);
/** The longest that these births leave a silence unexplained: two intervals of 300 s, and three keepalives are shorter. */
const WAIT = 600 * SECOND;

const session = fc.constantFrom('s1', 's2', 's3');
const said: fc.Arbitrary<(at: number) => Line> = fc.oneof(
  session.map((s) => (at: number) => will(at, { session: s })),
  session.map((s) => (at: number) => birth(at, { keepalive: 60 }, { session: s })),
  session.map((s) => (at: number) => goodbye(at, { session: s })),
  session.map((s) => (at: number) => online(at, { session: s })),
  fc.tuple(session, fc.nat(9)).map(
    ([s, seq]) =>
      (at: number) =>
        report(at, seq, { session: s }),
  ),
);
const pause = fc.oneof(fc.constant(0), fc.integer({ min: 1, max: 100 * SECOND }), fc.integer({ min: MINUTE, max: 15 * MINUTE }));
const lines = fc.array(fc.tuple(pause, said), { minLength: 1, maxLength: 40 }).map((steps) => {
  let at = MONDAY + MINUTE;
  return steps.map(([wait, make]) => {
    at += wait;
    return make(at);
  });
});

/** A Will is the broker's word, and nobody's life. */
const isLife = ({ payload }: Line): boolean => (payload as { state?: string }).state !== 'lost';

function begun(): Watch {
  const watch = new Watch();
  for (const line of [terminal(MONDAY, SN), birth(MONDAY, { keepalive: 60 })]) watch.step(entry(line));
  return watch;
}

const stateOf = (watch: Watch): string => watch.state.terminals.get(`acme/${SN}`)!.presence.state;
const isAnnounced = (watch: Watch): boolean => watch.state.alerts.get(`terminal.offline acme/${SN}`) !== undefined;

describe('any order of Will, birth, goodbye and reports', () => {
  it('leaves nobody who talks offline', () => {
    fc.assert(
      fc.property(lines, (log) => {
        const watch = begun();
        for (const line of log) {
          watch.step(entry(line));
          if (isLife(line)) expect([stateOf(watch), isAnnounced(watch)]).toEqual([expect.stringMatching(/online|goodbye/), false]);
        }
      }),
      { seed: SEED, numRuns: 1_000 },
    );
  });

  it('leaves nobody who is silent online for longer than the deadline', () => {
    fc.assert(
      fc.property(lines, fc.integer({ min: 0, max: 20 * MINUTE }), (log, more) => {
        const watch = begun();
        for (const line of log) watch.step(entry(line));
        const heardAt = log.findLast(isLife)?.at ?? MONDAY;
        const lastAt = log.at(-1)!.at;
        watch.step(entry(tick(Math.max(lastAt, heardAt + WAIT) + 1)));
        expect(stateOf(watch)).toBe('offline');

        watch.step(entry(tick(lastAt + WAIT + more + 1)));
        expect(stateOf(watch)).toBe('offline');
      }),
      { seed: SEED, numRuns: 1_000 },
    );
  });
});
