/**
 * Expected hours of a terminal that declares none, learned from when it was heard. An hour of the week is expected where it was heard
 * in at least half of the whole weeks known, and so were the hours beside it: the first and the last hour of a day are only partly open.
 */
import type { Expected } from './hours.ts';

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;
const HOURS_A_WEEK = 168;
const WORD_BITS = 32;
const WORDS = Math.ceil(HOURS_A_WEEK / WORD_BITS);
/** Two whole weeks are fourteen days at least. */
const WEEKS_NEEDED = 2;
const WEEKS_KEPT = 5;
/** The first and the present week may be heard in part. */
export const LEAST_WEEKS_HEARD = WEEKS_NEEDED + 2;
/** A terminal that reports more rarely may miss an hour by chance. */
export const LEARNABLE_INTERVAL_MS = 15 * 60_000;

/** Weeks in which the terminal was heard, the newest last: a bit for each hour, Monday 00:00 first, local time. */
export type HeardWeeks = { week: number; hours: number[] }[];

/** Notes a sign of life at `local`, epoch milliseconds plus the zone's offset. */
export function noteHeard(weeks: HeardWeeks, local: number): void {
  const day = Math.floor(local / DAY_MS) + 3; // 1970-01-01 was a Thursday
  const week = Math.floor(day / 7);
  const hour = (day - week * 7) * 24 + Math.floor((local - (day - 3) * DAY_MS) / HOUR_MS);
  let row = weeks.at(-1);
  if (!row || row.week < week) {
    row = { week, hours: new Array(WORDS).fill(0) };
    weeks.push(row);
    if (weeks.length > WEEKS_KEPT) weeks.shift();
  }
  row.hours[Math.floor(hour / WORD_BITS)]! |= 1 << (hour % WORD_BITS);
}

/** The hours learned so far; null while there is too little to go by, and where every hour is expected, or none. */
export function learnedHours(weeks: Readonly<HeardWeeks>, tz: string): Expected | null {
  if (weeks.length < LEAST_WEEKS_HEARD) return null;
  const whole = weeks.slice(1, -1);
  const heard = Array.from({ length: HOURS_A_WEEK }, (_, hour) => 2 * whole.filter(({ hours }) => has(hours, hour)).length >= whole.length);
  const expected = heard.map((is, hour) => is && heard[(hour + 1) % HOURS_A_WEEK]! && heard[(hour + HOURS_A_WEEK - 1) % HOURS_A_WEEK]!);
  if (expected.every(Boolean) || !expected.some(Boolean)) return null;
  return { tz, week: Array.from({ length: 7 }, (_, day) => rangesOf(expected.slice(day * 24, day * 24 + 24))) };
}

function has(hours: readonly number[], hour: number): boolean {
  return (hours[Math.floor(hour / WORD_BITS)]! & (1 << (hour % WORD_BITS))) !== 0;
}

/** A day's hours as its ranges, such as "10:00-20:00,22:00-24:00". */
function rangesOf(hours: readonly boolean[]): string {
  const ranges: string[] = [];
  for (let hour = 0; hour < 24; hour++) {
    if (!hours[hour] || hours[hour - 1]) continue;
    let end = hour + 1;
    while (hours[end]) end++;
    ranges.push(`${clock(hour)}-${clock(end)}`);
  }
  return ranges.join(',');
}

function clock(hour: number): string {
  return `${String(hour).padStart(2, '0')}:00`;
}
