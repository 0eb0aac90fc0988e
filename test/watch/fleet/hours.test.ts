import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { HoursBook } from '../../../watch/fleet/hours.ts';
import { DAY, HOUR, MINUTE, SEED } from '../support/log.ts';

const ZONES = [
  'UTC',
  'Asia/Shanghai',
  'Asia/Kolkata',
  'Europe/Berlin',
  'America/New_York',
  'America/St_Johns',
  'Australia/Lord_Howe',
  'Africa/Cairo', // its clocks skip from midnight to one
  'Pacific/Kiritimati',
  'Pacific/Pago_Pago',
];

/** Moments near which clocks change in one or another of these zones, and one at which none do. */
const CHANGES = [
  '2026-03-08T07:00Z',
  '2026-03-29T01:00Z',
  '2026-04-04T15:00Z',
  '2026-04-23T22:00Z',
  '2026-10-03T15:30Z',
  '2026-10-25T01:00Z',
  '2026-10-29T21:00Z',
  '2026-11-01T06:00Z',
  '2026-06-15T12:00Z',
].map((text) => Date.parse(text));

const WEEKDAYS = ['Mon', 'Tue', 'Wed', 'Thu', 'Fri', 'Sat', 'Sun'];
const STEP = 5 * MINUTE;
const SPAN_DAYS = 5;

interface Wall {
  /** The local date and time as if it were UTC. */
  wall: number;
  weekday: number;
}

const formats = new Map<string, Intl.DateTimeFormat>();

function wallOf(at: number, tz: string): Wall {
  const known = formats.get(tz);
  const format =
    known ??
    new Intl.DateTimeFormat('en-GB', {
      timeZone: tz,
      hourCycle: 'h23',
      weekday: 'short',
      year: 'numeric',
      month: 'numeric',
      day: 'numeric',
      hour: 'numeric',
      minute: 'numeric',
    });
  if (!known) formats.set(tz, format);
  const part = Object.fromEntries(format.formatToParts(at).map(({ type, value }) => [type, value]));
  const wall = Date.UTC(Number(part.year), Number(part.month) - 1, Number(part.day), Number(part.hour), Number(part.minute));
  return { wall, weekday: WEEKDAYS.indexOf(part.weekday!) };
}

const known = new Map<string, Wall[]>();

function wallsOf(tz: string, from: number, steps: number): Wall[] {
  const key = `${tz} ${from}`;
  const walls = known.get(key) ?? Array.from({ length: steps }, (_, n) => wallOf(from + n * STEP, tz));
  known.set(key, walls);
  return walls;
}

interface Declared {
  tz: string;
  week: string[];
}

/**
 * The oracle: all steps of some days with what the clocks on the wall showed, and the opening ranges painted over them. An edge is the
 * first step at which the wall shows it, or, where the wall skips it, as long after the change as it lies in what was skipped.
 */
class Painted {
  readonly from: number;
  readonly #open: boolean[];
  readonly #walls: Wall[];

  constructor({ tz, week }: Declared, middle: number) {
    this.from = middle - SPAN_DAYS * DAY;
    const steps = (2 * SPAN_DAYS * DAY) / STEP;
    this.#walls = wallsOf(tz, this.from, steps);
    this.#open = Array(steps).fill(false);
    for (const [n, { wall, weekday }] of this.#walls.entries()) {
      const isFirstOfDay = n > 0 && Math.floor(wall / DAY) !== Math.floor(this.#walls[n - 1]!.wall / DAY);
      if (isFirstOfDay) this.#paintDay(Math.floor(wall / DAY) * DAY, week[weekday]!);
    }
  }

  #paintDay(midnight: number, day: string): void {
    for (const range of day.split(',').filter((text) => text !== '')) {
      const [from, to] = range.split('-').map((text) => Number(text.slice(0, 2)) * HOUR + Number(text.slice(3)) * MINUTE) as [
        number,
        number,
      ];
      const end = this.#edge(midnight + (to > from ? to : to + DAY));
      for (let n = this.#edge(midnight + from); n < end && n < this.#open.length; n++) this.#open[n] = true;
    }
  }

  #edge(wall: number): number {
    const shown = this.#walls.findIndex((w) => w.wall === wall);
    if (shown >= 0) return shown;
    const skipped = this.#walls.findIndex((w, n) => n > 0 && this.#walls[n - 1]!.wall < wall && w.wall > wall);
    return skipped < 0 ? this.#walls.length : skipped + (wall - this.#walls[skipped - 1]!.wall) / STEP - 1;
  }

  isOpen(at: number): boolean {
    return this.#open[this.#step(at)]!;
  }

  /** Undefined where the days painted do not reach. */
  opensAt(at: number): number | undefined {
    if (this.isOpen(at)) return at;
    const n = this.#open.findIndex((open, i) => open && i > this.#step(at));
    return n < 0 ? undefined : this.from + n * STEP;
  }

  closesAt(at: number): number | undefined {
    const n = this.#open.findIndex((open, i) => !open && i > this.#step(at));
    return n < 0 ? undefined : this.from + n * STEP;
  }

  after(at: number, ms: number): number | undefined {
    let left = ms;
    for (let n = this.#step(at); n < this.#open.length; n++) {
      if (!this.#open[n]) continue;
      const start = Math.max(at, this.from + n * STEP);
      const end = this.from + (n + 1) * STEP;
      if (end - start >= left) return start + left;
      left -= end - start;
    }
    return undefined;
  }

  #step(at: number): number {
    return Math.floor((at - this.from) / STEP);
  }
}

const clock = fc
  .integer({ min: 0, max: 24 * 12 - 1 })
  .map((n) => `${String(Math.floor(n / 12)).padStart(2, '0')}:${String((n % 12) * 5).padStart(2, '0')}`);
const range = fc
  .tuple(clock, fc.oneof(clock, fc.constant('24:00')))
  .filter(([from, to]) => from !== to)
  .map(([from, to]) => `${from}-${to}`);
const nightly = fc.constantFrom('01:30-02:30', '02:15-03:00', '22:00-06:00', '00:00-24:00', '00:00-02:30', '02:30-10:00', '00:30-01:00');
const day = fc.oneof(
  { weight: 2, arbitrary: fc.array(range, { maxLength: 3 }).map((ranges) => ranges.join(',')) },
  { weight: 2, arbitrary: nightly },
  { weight: 1, arbitrary: fc.constant('') },
);
const declared: fc.Arbitrary<Declared> = fc.record({
  tz: fc.constantFrom(...ZONES),
  week: fc.oneof(
    fc.array(day, { minLength: 7, maxLength: 7 }),
    day.map((d) => Array<string>(7).fill(d)),
  ),
});
const moment = fc.tuple(fc.constantFrom(...CHANGES), fc.integer({ min: -30 * 3600, max: 30 * 3600 }));

describe('expected hours', () => {
  it('agree with the clocks on the wall, minute by minute, in every zone and on every night that has its own length', () => {
    const book = new HoursBook();

    fc.assert(
      fc.property(declared, moment, fc.integer({ min: 1, max: 20 * 3600 }), (expected, [change, seconds], wait) => {
        const painted = new Painted(expected, change);
        const hours = book.of(expected);
        const at = change + seconds * 1000;

        expect(book.isOpen(hours, at)).toBe(painted.isOpen(at));
        const opens = painted.opensAt(at);
        if (opens !== undefined) expect(book.opensAt(hours, at)).toBe(opens);
        const closes = painted.isOpen(at) ? painted.closesAt(at) : undefined;
        if (closes !== undefined) expect(book.closesAt(hours, at)).toBe(closes);
        const after = painted.after(at, wait * 1000);
        if (after !== undefined) expect(book.after(hours, at, wait * 1000)).toBe(after);
      }),
      { seed: SEED, numRuns: 1200 },
    );
  });

  it('need no more time in parts than at once', () => {
    const book = new HoursBook();

    fc.assert(
      fc.property(declared, moment, fc.nat(40 * HOUR), fc.nat(40 * HOUR), (expected, [change, seconds], first, second) => {
        const hours = book.of(expected);
        const at = change + seconds * 1000;
        const half = book.after(hours, at, first);

        expect(book.after(hours, half, second)).toBe(book.after(hours, at, first + second));
      }),
      { seed: SEED, numRuns: 1000 },
    );
  });

  it('that were not declared are always', () => {
    const book = new HoursBook();

    expect([book.isOpen(null, 5), book.opensAt(null, 5), book.closesAt(null, 5), book.after(null, 5, 7)]).toEqual([
      true,
      5,
      Number.POSITIVE_INFINITY,
      12,
    ]);
    expect(book.of(undefined)).toBeNull();
  });

  it('of a shop that never closes have no closing', () => {
    const book = new HoursBook();
    const hours = book.of({ tz: 'Europe/Berlin', week: Array(7).fill('00:00-24:00') });

    expect(book.closesAt(hours, CHANGES[1]!)).toBe(Number.POSITIVE_INFINITY);
  });

  it('of a shop that never opens have no opening and no end of waiting', () => {
    const book = new HoursBook();
    const hours = book.of({ tz: 'Europe/Berlin', week: Array(7).fill('') });

    expect(book.isOpen(hours, CHANGES[1]!)).toBe(false);
    expect(book.opensAt(hours, CHANGES[1]!)).toBe(Number.POSITIVE_INFINITY);
    expect(book.after(hours, CHANGES[1]!, 1)).toBe(Number.POSITIVE_INFINITY);
  });

  it('of one hour a week are found from any moment', () => {
    const book = new HoursBook();
    const hours = book.of({ tz: 'UTC', week: ['', '', '', '', '', '', '23:00-24:00'] });
    const monday = Date.UTC(2026, 5, 15);

    expect(book.opensAt(hours, monday)).toBe(monday + 6 * DAY + 23 * HOUR);
    expect(book.after(hours, monday, 90 * MINUTE)).toBe(monday + 13 * DAY + 23.5 * HOUR);
  });

  it('are kept apart by zone and by week, however many there are', () => {
    const book = new HoursBook();
    const at = Date.UTC(2026, 5, 15, 12);
    const week = (n: number) =>
      Array(7).fill(`00:00-${String(n % 24).padStart(2, '0')}:${String(1 + Math.floor(n / 24)).padStart(2, '0')}`);

    const open = Array.from({ length: 1400 }, (_, n) => n).filter((n) => book.isOpen(book.of({ tz: 'UTC', week: week(n) }), at));

    expect(open.every((n) => n % 24 >= 12)).toBe(true);
    expect(open.length).toBe(Array.from({ length: 1400 }, (_, n) => n).filter((n) => n % 24 >= 12).length);
    expect(book.isOpen(book.of({ tz: 'Asia/Tokyo', week: week(15) }), at)).toBe(false);
  });
});

describe('midnight', () => {
  it('is when the date begins on the wall, or when the clocks skip it', () => {
    const book = new HoursBook();
    const days = fc.integer({ min: 0, max: 364 }).map((n) => new Date(Date.UTC(2026, 0, 1) + n * DAY).toISOString().slice(0, 10));

    fc.assert(
      fc.property(days, fc.constantFrom(...ZONES), (date, tz) => {
        const at = book.midnight(date, tz);
        const text = (moment: number) => new Date(wallOf(moment, tz).wall).toISOString().slice(0, 10);

        expect([text(at - MINUTE) < date, text(at)]).toEqual([true, date]);
      }),
      { seed: SEED, numRuns: 500 },
    );
  });
});
