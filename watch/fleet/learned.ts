/**
 * Expected hours of a terminal that declares none, learned from when it was heard. An hour of the week is expected where it was heard
 * in at least half of the whole weeks known, and so were the hours beside it: the first and the last hour of a day are only partly open.
 */
import type { Expected } from './hours.ts';

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;
const HOURS_A_WEEK = 168;
/** Two whole weeks are fourteen days at least. */
const WEEKS_NEEDED = 2;
const WEEKS_KEPT = 5;
/** The first and the present week may be heard in part. */
export const LEAST_WEEKS_HEARD = WEEKS_NEEDED + 2;
/** A terminal that reports more rarely may miss an hour by chance. */
export const LEARNABLE_INTERVAL_MS = 15 * 60_000;

/** Six bits a character, from `0` on. */
const CHAR_BITS = 6;
const ZERO = 48;
const NUMBER_CHARS = 3;
const WEEK_CHARS = NUMBER_CHARS + HOURS_A_WEEK / CHAR_BITS;

/**
 * Weeks in which the terminal was heard, the newest last: of each its number, and a bit for each hour, Monday 00:00 first, local time. As
 * text, since a million terminals keep it.
 */
export type HeardWeeks = string;

export function weeksHeard(heard: HeardWeeks): number {
  return heard.length / WEEK_CHARS;
}

/** The number of the newest; -1 where there is none. */
export function newestWeek(heard: HeardWeeks): number {
  if (heard === '') return -1;
  const from = heard.length - WEEK_CHARS;
  return [0, 1, 2].reduce((number, n) => (number << CHAR_BITS) | bitsAt(heard, from + n), 0);
}

/** With a sign of life at `local`, epoch milliseconds plus the zone's offset. */
export function withHeard(heard: HeardWeeks, local: number): HeardWeeks {
  const day = Math.floor(local / DAY_MS) + 3; // 1970-01-01 was a Thursday
  const week = Math.floor(day / 7);
  const hour = (day - week * 7) * 24 + Math.floor((local - (day - 3) * DAY_MS) / HOUR_MS);
  const weeks = newestWeek(heard) < week ? withWeek(heard, week) : heard;
  const newest = weeksHeard(weeks) - 1;
  return has(weeks, newest, hour) ? weeks : withBit(weeks, charOf(newest, hour), bitOf(hour));
}

/** The hours learned so far; null while there is too little to go by, and where every hour is expected, or none. */
export function learnedHours(heard: HeardWeeks, tz: string): Expected | null {
  const weeks = weeksHeard(heard);
  if (weeks < LEAST_WEEKS_HEARD) return null;
  const whole = Array.from({ length: weeks - 2 }, (_, n) => n + 1);
  const often = Array.from({ length: HOURS_A_WEEK }, (_, hour) => 2 * whole.filter((n) => has(heard, n, hour)).length >= whole.length);
  const expected = often.map((is, hour) => is && often[(hour + 1) % HOURS_A_WEEK]! && often[(hour + HOURS_A_WEEK - 1) % HOURS_A_WEEK]!);
  if (expected.every(Boolean) || !expected.some(Boolean)) return null;
  return { tz, week: Array.from({ length: 7 }, (_, day) => rangesOf(expected.slice(day * 24, day * 24 + 24))) };
}

function has(heard: HeardWeeks, week: number, hour: number): boolean {
  return (bitsAt(heard, charOf(week, hour)) & bitOf(hour)) !== 0;
}

/** Where the bit of an hour is, `week` counted from the oldest. */
function charOf(week: number, hour: number): number {
  return week * WEEK_CHARS + NUMBER_CHARS + Math.floor(hour / CHAR_BITS);
}

function bitOf(hour: number): number {
  return 1 << (hour % CHAR_BITS);
}

function bitsAt(heard: HeardWeeks, index: number): number {
  return heard.charCodeAt(index) - ZERO;
}

/** With a week in which nothing was heard yet. */
function withWeek(heard: HeardWeeks, week: number): HeardWeeks {
  const kept = weeksHeard(heard) < WEEKS_KEPT ? heard : heard.slice(WEEK_CHARS);
  const number = [2, 1, 0].map((n) => ZERO + ((week >> (n * CHAR_BITS)) % 2 ** CHAR_BITS));
  return kept + String.fromCharCode(...number) + '0'.repeat(WEEK_CHARS - NUMBER_CHARS);
}

/** Made of codes, as text that is put together of parts goes on holding the parts. */
function withBit(heard: HeardWeeks, index: number, bit: number): HeardWeeks {
  const codes: number[] = [];
  for (let i = 0; i < heard.length; i++) codes.push(i === index ? ZERO + (bitsAt(heard, i) | bit) : heard.charCodeAt(i));
  return String.fromCharCode(...codes);
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
