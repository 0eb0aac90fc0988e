/**
 * How much of the time in which it was expected a terminal was connected, by calendar month of its merchant's zone. What nobody could
 * see, because we were blind, is left out.
 */
import type { CalendarMonth, Hours, HoursBook } from './hours.ts';
import type { Span } from './spans.ts';

export interface Month extends CalendarMonth {
  expectedMs: number;
  connectedMs: number;
}

/** The present month and the one before it. */
export interface Availability {
  present: Month;
  before: Month | null;
  /** Up to when time was counted, epoch milliseconds. */
  countedTo: number;
}

/** How a terminal's time is counted: its hours, its zone, and what is left out. */
export interface Counting {
  hours: Hours | null;
  tz: string;
  book: HoursBook;
  /** In order of time, without overlap: epoch milliseconds. */
  leftOut: readonly Span[];
}

export function newAvailability(at: number, tz: string, book: HoursBook): Availability {
  return { present: monthAt(at, tz, book), before: null, countedTo: at };
}

/** Counts the time from what was counted last until `to` as connected or not. */
export function countTime(a: Availability, to: number, isConnected: boolean, counting: Counting): void {
  while (a.countedTo < to) {
    if (a.countedTo >= a.present.endsAt) {
      a.before = a.present;
      a.present = monthAt(a.countedTo, counting.tz, counting.book);
    }
    const until = Math.min(to, a.present.endsAt);
    const ms = expectedMs(a.countedTo, until, counting);
    a.present.expectedMs += ms;
    if (isConnected) a.present.connectedMs += ms;
    a.countedTo = until;
  }
}

/** From 0 to 1; null where nothing was expected yet. */
export function ratioOf({ expectedMs: expected, connectedMs }: Month): number | null {
  return expected === 0 ? null : connectedMs / expected;
}

function expectedMs(from: number, to: number, { hours, book, leftOut }: Counting): number {
  let ms = book.between(hours, from, to);
  for (const [begin, end] of leftOut) {
    const [first, last] = [Math.max(from, begin), Math.min(to, end)];
    if (first < last) ms -= book.between(hours, first, last);
  }
  return ms;
}

function monthAt(at: number, tz: string, book: HoursBook): Month {
  const { month, endsAt } = book.monthAt(at, tz);
  return { month, endsAt, expectedMs: 0, connectedMs: 0 };
}
