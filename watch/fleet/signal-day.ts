/**
 * A terminal's signal over the last day in which it was heard: one reading of each hour. A shop that is closed on Sunday is on Monday still
 * held against its Saturday. Kept as text of one byte a value, as a million terminals keep it.
 */
import type { Rat } from '../../protocol/schemas/sample.ts';
import { edgesOf, QUANTITIES, type Quantity, type Reading } from './readings.ts';

const HOUR_MS = 3_600_000;
const HOURS = 24;
/** Hours on another radio after which that one's day begins: a fallback of some minutes forgets nothing. */
const OTHER_HOURS = 3;
/** What was heard before a longer silence says nothing of today. */
const LONGEST_GAP_HOURS = 8 * 24;

/** A value as a character: decibels above this. Unknown is a character below all of them. */
const FLOOR_DB = -200;
const UNKNOWN = 32;

export interface SignalDay {
  /** The radio that all of it is of: another's level is another quantity. */
  rat: Rat;
  /** The hour that was last noted, counted from the epoch. */
  hour: number;
  /** Oldest first, a character for each quantity of each hour. */
  values: string;
  /** The median level, dBm; null where there is none. */
  median: number | null;
  /** Hours heard on another radio since. */
  others: number;
}

export function newSignalDay(rat: Rat): SignalDay {
  return { rat, hour: 0, values: '', median: null, others: 0 };
}

/** Takes in the first reading of each hour; `at` never goes back. */
export function noteDay(day: SignalDay, at: number, reading: Readonly<Reading>): void {
  const hour = Math.floor(at / HOUR_MS);
  if (hour === day.hour) return;
  const isLongAgo = hour - day.hour > LONGEST_GAP_HOURS;
  day.hour = hour;
  if (reading.rat !== day.rat) {
    if (++day.others < OTHER_HOURS) return;
    Object.assign(day, newSignalDay(reading.rat), { hour });
  }
  day.others = 0;
  day.values = withReading(isLongAgo ? '' : day.values, reading);
  day.median = medianOf(valuesOf(day, 'level'));
}

/** How many hours are known. */
export function hoursOf({ values }: Readonly<SignalDay>): number {
  return values.length / QUANTITIES.length;
}

/** The known values of a quantity, oldest first. `last`: of so many hours at the most. */
export function valuesOf({ values }: Readonly<SignalDay>, quantity: Quantity, last = HOURS): number[] {
  const known: number[] = [];
  const from = Math.max(0, values.length - last * QUANTITIES.length);
  for (let i = from + QUANTITIES.indexOf(quantity); i < values.length; i += QUANTITIES.length) {
    const code = values.charCodeAt(i);
    if (code !== UNKNOWN) known.push(code + FLOOR_DB);
  }
  return known;
}

/** How many hours there are, and in how many of them a quantity was weak, or critical. `last`: of so many hours at the most. */
export function bandsIn({ rat, values }: Readonly<SignalDay>, last = HOURS): { hours: number; weak: number; critical: number } {
  const counts = { hours: 0, weak: 0, critical: 0 };
  for (let i = Math.max(0, values.length - last * QUANTITIES.length); i < values.length; i += QUANTITIES.length) {
    let [isWeak, isCritical] = [false, false];
    for (const [n, quantity] of QUANTITIES.entries()) {
      const edges = edgesOf(rat, quantity);
      const code = values.charCodeAt(i + n);
      if (!edges || code === UNKNOWN) continue;
      isWeak ||= code + FLOOR_DB < edges.fairFrom;
      isCritical ||= code + FLOOR_DB < edges.criticalBelow;
    }
    counts.hours++;
    if (isCritical) counts.critical++;
    else if (isWeak) counts.weak++;
  }
  return counts;
}

export function medianOf(values: readonly number[]): number | null {
  if (values.length === 0) return null;
  const sorted = values.toSorted((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 === 1 ? sorted[middle]! : (sorted[middle - 1]! + sorted[middle]!) / 2;
}

/** Made of codes, as text that is put together of parts goes on holding the parts. */
function withReading(values: string, reading: Readonly<Reading>): string {
  const codes: number[] = [];
  for (let i = Math.max(0, values.length - (HOURS - 1) * QUANTITIES.length); i < values.length; i++) codes.push(values.charCodeAt(i));
  for (const quantity of QUANTITIES) codes.push(reading[quantity] === null ? UNKNOWN : Math.round(reading[quantity]) - FLOOR_DB);
  return String.fromCharCode(...codes);
}
