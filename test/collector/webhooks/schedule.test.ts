import { afterEach, describe, expect, it } from 'vitest';
import { ATTEMPTS_AFTER_MS, nextAttemptAt, slowDownUntil } from '../../../collector/webhooks/schedule.ts';
import { HOUR, MINUTE, T } from './examples.ts';

const SECOND = 1_000;
/** The alert catalogue's: after the first, when each other is made, and by how much it may be late: a tenth of the gap before it. */
const SCHEDULE: [string, number, number][] = [
  ['5 s', 5 * SECOND, 500],
  ['5 min', 5 * MINUTE, 29_500],
  ['30 min', 30 * MINUTE, 150_000],
  ['2 h', 2 * HOUR, 540_000],
  ['5 h', 5 * HOUR, 1_080_000],
  ['10 h', 10 * HOUR, 1_800_000],
  ['14 h', 14 * HOUR, 1_440_000],
  ['20 h', 20 * HOUR, 2_160_000],
  ['24 h', 24 * HOUR, 1_440_000],
];
const NEVER = () => 0;
const ALWAYS = () => 1;

/** The starts of all attempts at what fails each time, counted from the first. */
function attempts(random: () => number): number[] {
  const made = [0];
  for (let next = nextAttemptAt(T, T, random); next !== null; next = nextAttemptAt(T, next, random)) made.push(next - T);
  return made;
}

describe('an event that fails each time', () => {
  it('is tried ten times within a day, and then no more', () => {
    expect(attempts(NEVER)).toEqual([0, ...SCHEDULE.map(([, after]) => after)]);
    expect(ATTEMPTS_AFTER_MS).toEqual(attempts(NEVER));
    expect(nextAttemptAt(T, T + 24 * HOUR, NEVER)).toBeNull();
  });

  it.each(SCHEDULE)('is tried after %s, and not later than a tenth of the gap before it', (_, after, jitter) => {
    const i = ATTEMPTS_AFTER_MS.indexOf(after as (typeof ATTEMPTS_AFTER_MS)[number]);
    const lastAt = T + ATTEMPTS_AFTER_MS[i - 1]!;

    expect(nextAttemptAt(T, lastAt, NEVER)).toBe(T + after);
    expect(nextAttemptAt(T, lastAt, () => 0.5)).toBe(T + after + jitter / 2);
    expect(nextAttemptAt(T, lastAt, ALWAYS)).toBe(T + after + jitter);
  });

  it('is tried as often, and in the same order, however late each attempt is', () => {
    const late = attempts(ALWAYS);

    expect(late).toHaveLength(ATTEMPTS_AFTER_MS.length);
    expect(late).toEqual(late.toSorted((a, b) => a - b));
    expect(late.at(-1)).toBe(24 * HOUR + 1_440_000);
  });

  it.each([
    ['a minute', MINUTE, 5 * MINUTE],
    ['an hour', HOUR, 2 * HOUR],
    ['exactly two hours', 2 * HOUR, 5 * HOUR],
    ['a day less a millisecond', 24 * HOUR - 1, 24 * HOUR],
  ])('goes on with the attempt ahead where we were away until %s after its first one', (_, lastAfter, nextAfter) => {
    expect(nextAttemptAt(T, T + lastAfter, NEVER)).toBe(T + nextAfter);
  });

  it.each([24 * HOUR, 24 * HOUR + 1, 90 * HOUR])('is given up where the attempt %s ms after its first one failed', (lastAfter) => {
    expect(nextAttemptAt(T, T + lastAfter, NEVER)).toBeNull();
  });

  it('is tried again where the clock was put back behind its first attempt', () => {
    expect(nextAttemptAt(T, T - HOUR, NEVER)).toBe(T + 5 * SECOND);
  });
});

describe('a receiver that answers with Retry-After', () => {
  const given = process.env.TZ;
  afterEach(() => {
    if (given === undefined) delete process.env.TZ;
    else process.env.TZ = given;
  });

  /** How long it is left alone, milliseconds. */
  const pause = (retryAfter: string | undefined, status = 503, at = T) => {
    const until = slowDownUntil(status, retryAfter, at);
    return until === null ? null : until - at;
  };

  it.each([
    ['0', 0],
    ['1', SECOND],
    ['120', 120 * SECOND],
    [' 120 ', 120 * SECOND],
    ['0120', 120 * SECOND],
  ])('of "%s" is left alone for so many seconds', (text, ms) => {
    for (const status of [429, 500, 502, 503, 504, 301]) expect(pause(text, status)).toBe(ms);
  });

  it.each(['86401', '999999999', '99999999999', '9'.repeat(40), 'Fri, 22 Nov 2999 08:00:00 GMT'])(
    'of "%s" is left alone for a day at most',
    (text) => {
      expect(pause(text)).toBe(24 * HOUR);
    },
  );

  // RFC 9110, 5.6.7: one moment in its three forms; T is Sat, 22 Nov 2025 08:00:00 GMT.
  const DATES = ['Sat, 22 Nov 2025 08:02:00 GMT', 'Saturday, 22-Nov-25 08:02:00 GMT', 'Sat Nov 22 08:02:00 2025'];

  it.each(DATES)('of "%s" is left alone until then, wherever we are', (date) => {
    for (const zone of ['UTC', 'Asia/Shanghai', 'America/Los_Angeles']) {
      process.env.TZ = zone;
      expect([zone, pause(date)]).toEqual([zone, 2 * MINUTE]);
    }
  });

  it('of a day before the tenth, in the form that fills up with a blank, is left alone until then', () => {
    expect(pause('Sun Nov  2 08:02:00 2025', 503, Date.UTC(2025, 10, 2, 8))).toBe(2 * MINUTE);
  });

  it.each(DATES)('of "%s" in the past is not waited for', (date) => {
    expect(pause(date, 429, T + HOUR)).toBe(0);
  });

  it.each([
    '',
    'soon',
    'later 5',
    'Mon 5',
    '-1',
    '1.5',
    '1e3',
    '0x10',
    '10 s',
    '2025-11-22T08:02:00Z',
    'Sat, 22 Nov 2025 08:02:00',
    'Sat, 22 Nov 2025 08:02:00 CST',
    'Sat, 99 Nov 2025 08:02:00 GMT',
    'NaN',
    '1, 2',
  ])('of "%s" has not said for how long', (text) => {
    expect(pause(text, 503)).toBeNull();
    expect(pause(text, 429)).toBe(MINUTE);
  });
});

describe('a receiver without Retry-After', () => {
  it.each([429, 502, 504])('that answers %s is left alone for a minute', (status) => {
    expect(slowDownUntil(status, undefined, T)).toBe(T + MINUTE);
  });

  it.each([301, 400, 404, 410, 500, 501, 503])('that answers %s is not', (status) => {
    expect(slowDownUntil(status, undefined, T)).toBeNull();
  });
});
