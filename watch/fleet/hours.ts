/**
 * Expected hours: when a terminal should be heard. Wall-clock times of a time zone, so a day's ranges move in UTC when its clocks
 * change.
 */
import { type MinuteRange, parseDay } from '../../protocol/schemas/expected.ts';

const DAY_MS = 86_400_000;
const MINUTE_MS = 60_000;
/** No zone changes its offset off a quarter of an hour. */
const OFFSET_STEP_MS = 15 * MINUTE_MS;
/** A week of closed days and a day on each side: past it there is no opening at all. */
const HORIZON_DAYS = 9;
/** Who opens so rarely that a wait takes longer than this is not waited for. */
const LONGEST_WAIT_MS = 400 * DAY_MS;
const MEMO_LIMIT = 512;

type Range = readonly [from: number, to: number];

const NEVER = { from: 0, to: 0, open: false };

export interface Expected {
  tz: string;
  week: readonly string[];
}

/** The hours of one declaration; null in its place means always. */
export interface Hours {
  tz: string;
  week: MinuteRange[][];
  /** Ranges of a local day, in UTC, by the number of the day. */
  days: Map<number, Range[]>;
  /** Within this it is open, or closed, all the time: what was last asked for, as most ask for the same. */
  span: { from: number; to: number; open: boolean };
}

export interface CalendarMonth {
  /** Such as 2026-03. */
  month: string;
  /** Epoch milliseconds. */
  endsAt: number;
}

/** Keeps one Hours for each declaration, so that terminals that share one share its days too. */
export class HoursBook {
  readonly #zones = new Map<string, Zone>();
  readonly #hours = new Map<string, Hours>();

  of(expected: Expected | null | undefined): Hours | null {
    if (!expected) return null;
    const key = `${expected.tz}|${expected.week.join('|')}`;
    const known = this.#hours.get(key);
    if (known) return known;
    const hours: Hours = { tz: expected.tz, week: expected.week.map((day) => parseDay(day) ?? []), days: new Map(), span: NEVER };
    if (this.#hours.size >= MEMO_LIMIT) this.#hours.clear();
    this.#hours.set(key, hours);
    return hours;
  }

  /** The moment by which `ms` of expected time have passed since `from`; Infinity where little or nothing is ever expected. */
  after(hours: Hours | null, from: number, ms: number): number {
    if (!hours || !Number.isFinite(from)) return from + ms;
    if (this.isOpen(hours, from) && from + ms <= hours.span.to) return from + ms;
    let left = ms;
    for (const [start, end] of this.#from(hours, from)) {
      if (start - from > LONGEST_WAIT_MS) break;
      const begin = Math.max(start, from);
      if (end - begin >= left) return begin + left;
      left -= end - begin;
    }
    return Number.POSITIVE_INFINITY;
  }

  /** Milliseconds of expected time from one moment to another. */
  between(hours: Hours | null, from: number, to: number): number {
    if (!hours || to <= from) return Math.max(0, to - from);
    let ms = 0;
    for (const [start, end] of this.#from(hours, from)) {
      if (start >= to) break;
      ms += Math.min(end, to) - Math.max(start, from);
    }
    return ms;
  }

  isOpen(hours: Hours | null, at: number): boolean {
    if (!hours) return true;
    if (at < hours.span.from || at >= hours.span.to) hours.span = this.#spanAt(hours, at);
    return hours.span.open;
  }

  #spanAt(hours: Hours, at: number): Hours['span'] {
    for (const [start, end] of this.#from(hours, at)) {
      return start <= at ? { from: at, to: end, open: true } : { from: at, to: start, open: false };
    }
    return { from: at, to: at + DAY_MS, open: false };
  }

  /** When the opening that `at` lies in ends; Infinity where it never does. `at` must lie in one. */
  closesAt(hours: Hours | null, at: number): number {
    if (!hours) return Number.POSITIVE_INFINITY;
    let closing = at;
    for (const [start, end] of this.#from(hours, at)) {
      if (start > closing) return closing;
      closing = end;
      if (closing - at > 7 * DAY_MS) break;
    }
    return closing - at > 7 * DAY_MS ? Number.POSITIVE_INFINITY : closing;
  }

  /** The first opening at or after `at`; Infinity where there is none. */
  opensAt(hours: Hours | null, at: number): number {
    if (!hours) return at;
    for (const [start, end] of this.#from(hours, at)) if (end > at) return Math.max(start, at);
    return Number.POSITIVE_INFINITY;
  }

  /** Milliseconds that clocks in `tz` are ahead of UTC at this moment. */
  offset(tz: string, at: number): number {
    return this.#zone(tz).offset(at);
  }

  /** Midnight of a date (YYYY-MM-DD) in a zone. */
  midnight(date: string, tz: string): number {
    return this.#zone(tz).utc(Date.parse(`${date}T00:00:00Z`));
  }

  /** The month that a moment lies in, by the clocks of a zone. */
  monthAt(at: number, tz: string): CalendarMonth {
    return this.#zone(tz).monthAt(at);
  }

  /** Ranges that end after `from`, in order and without overlap, as long as there are any. */
  *#from(hours: Hours, from: number): Generator<Range> {
    const zone = this.#zone(hours.tz);
    let day = Math.floor((from + zone.offset(from)) / DAY_MS) - 1;
    let seen = from;
    for (let closed = 0; closed < HORIZON_DAYS; day++) {
      const ranges = this.#ranges(hours, zone, day);
      closed = ranges.length === 0 ? closed + 1 : 0;
      for (const [start, end] of ranges) {
        if (end <= seen) continue;
        yield [Math.max(start, seen === from ? start : seen), end];
        seen = end;
      }
    }
  }

  #ranges(hours: Hours, zone: Zone, day: number): Range[] {
    const known = hours.days.get(day);
    if (known) return known;
    const midnight = day * DAY_MS;
    const weekday = (((day + 3) % 7) + 7) % 7; // 1970-01-01 was a Thursday; 0 is Monday
    const ranges = hours.week[weekday]!.map(
      ({ from, to }): Range => [zone.utc(midnight + from * MINUTE_MS), zone.utc(midnight + to * MINUTE_MS)],
    )
      .filter(([from, to]) => to > from)
      .sort((a, b) => a[0] - b[0]);
    if (hours.days.size >= MEMO_LIMIT) hours.days.clear();
    hours.days.set(day, ranges);
    return ranges;
  }

  #zone(tz: string): Zone {
    const known = this.#zones.get(tz);
    if (known) return known;
    const zone = new Zone(tz);
    if (this.#zones.size >= MEMO_LIMIT) this.#zones.clear();
    this.#zones.set(tz, zone);
    return zone;
  }
}

/** A time zone's offsets from UTC, remembered. */
class Zone {
  readonly #format: Intl.DateTimeFormat;
  readonly #offsets = new Map<number, number>();
  /** What was last asked for: a whole fleet asks for the same. */
  #month: CalendarMonth & { startsAt: number } = { month: '', startsAt: 0, endsAt: 0 };

  constructor(tz: string) {
    this.#format = new Intl.DateTimeFormat('en-US', {
      timeZone: tz,
      hourCycle: 'h23',
      year: 'numeric',
      month: '2-digit',
      day: '2-digit',
      hour: '2-digit',
      minute: '2-digit',
      second: '2-digit',
    });
  }

  /** Milliseconds that local time is ahead of UTC at this moment. */
  offset(at: number): number {
    const step = Math.floor(at / OFFSET_STEP_MS);
    const known = this.#offsets.get(step);
    if (known !== undefined) return known;
    const moment = step * OFFSET_STEP_MS;
    const part = Object.fromEntries(this.#format.formatToParts(moment).map((p) => [p.type, Number(p.value)]));
    const offset = Date.UTC(part.year!, part.month! - 1, part.day, part.hour, part.minute, part.second) - moment;
    if (this.#offsets.size >= MEMO_LIMIT * 8) this.#offsets.clear();
    this.#offsets.set(step, offset);
    return offset;
  }

  monthAt(at: number): CalendarMonth {
    if (at >= this.#month.startsAt && at < this.#month.endsAt) return this.#month;
    const month = new Date(at + this.offset(at)).toISOString().slice(0, 7);
    const [year, number] = month.split('-').map(Number) as [number, number];
    this.#month = { month, startsAt: this.utc(Date.UTC(year, number - 1, 1)), endsAt: this.utc(Date.UTC(year, number, 1)) };
    return this.#month;
  }

  /**
   * The moment at which local clocks show `wall` (written as if it were UTC). A time that is skipped in spring becomes the moment of
   * the change plus what is past it; of a time that comes twice in autumn it is the first.
   */
  utc(wall: number): number {
    const before = wall - this.offset(wall - DAY_MS);
    if (before + this.offset(before) === wall) return before;
    const after = wall - this.offset(wall + DAY_MS);
    return after + this.offset(after) === wall ? after : before;
  }
}
