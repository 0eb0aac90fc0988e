/**
 * A terminal's signal over the last day in which it was heard: one reading of each half-hour. A shop that is closed on Sunday is on Monday
 * still held against its Saturday. Kept as text of one byte a value, as a million terminals keep it.
 */
import type { Rat } from '../../protocol/schemas/sample.ts';
import { QUANTITIES, type Quantity, type Reading } from './readings.ts';

export const SLOT_MS = 30 * 60_000;
export const SLOTS = 48;
/** Halves of an hour on another radio after which that one's day begins: a fallback of some minutes forgets nothing. */
const OTHER_SLOTS = 4;
/** What was heard before a longer silence says nothing of today. */
const LONGEST_GAP_SLOTS = 8 * 48;

/** A value as a character: decibels above this. Unknown is a character below all of them. */
const FLOOR_DB = -200;
const UNKNOWN = ' ';

export interface SignalDay {
  /** The radio that all of it is of: another's level is another quantity. */
  rat: Rat;
  /** The half-hour that was last noted, counted from the epoch. */
  slot: number;
  /** Oldest first, a character for each quantity of each half-hour. */
  values: string;
  /** The median level, dBm; null where there is none. */
  median: number | null;
  /** Half-hours heard on another radio since. */
  others: number;
}

export function newSignalDay(rat: Rat): SignalDay {
  return { rat, slot: -1, values: '', median: null, others: 0 };
}

/** Takes in the first reading of each half-hour; `at` never goes back. */
export function noteDay(day: SignalDay, at: number, reading: Readonly<Reading>): void {
  const slot = Math.floor(at / SLOT_MS);
  if (slot === day.slot) return;
  if (reading.rat !== day.rat) {
    day.slot = slot;
    if (++day.others < OTHER_SLOTS) return;
    Object.assign(day, newSignalDay(reading.rat));
  }
  const kept = slot - day.slot > LONGEST_GAP_SLOTS ? '' : day.values.slice(-QUANTITIES.length * (SLOTS - 1));
  day.slot = slot;
  day.others = 0;
  day.values = flat(kept, reading);
  day.median = medianOf(valuesOf(day, 'level'));
}

/** How many half-hours are known. */
export function slotsOf({ values }: Readonly<SignalDay>): number {
  return values.length / QUANTITIES.length;
}

/** The known values of a quantity, oldest first. `last`: of so many half-hours at the most. */
export function valuesOf({ values }: Readonly<SignalDay>, quantity: Quantity, last = SLOTS): number[] {
  const known: number[] = [];
  const from = Math.max(0, values.length - last * QUANTITIES.length);
  for (let i = from + QUANTITIES.indexOf(quantity); i < values.length; i += QUANTITIES.length) {
    if (values[i] !== UNKNOWN) known.push(values.charCodeAt(i) + FLOOR_DB);
  }
  return known;
}

export function medianOf(values: readonly number[]): number | null {
  if (values.length === 0) return null;
  const sorted = values.toSorted((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 === 1 ? sorted[middle]! : (sorted[middle - 1]! + sorted[middle]!) / 2;
}

/** Of codes, as text that is put together of parts goes on holding the parts. */
function flat(kept: string, reading: Readonly<Reading>): string {
  const codes = Array.from(kept, (c) => c.charCodeAt(0));
  for (const quantity of QUANTITIES) {
    const value = reading[quantity];
    codes.push(value === null ? UNKNOWN.charCodeAt(0) : Math.round(value) - FLOOR_DB);
  }
  return String.fromCharCode(...codes);
}
