/** Opening hours as spans of UTC, for zones of one offset. */
import { parseDay } from '../protocol/schemas/expected.ts';

const DAY_MS = 86_400_000;
const MINUTE_MS = 60_000;
/** 1970-01-01 was a Thursday; weeks begin on Monday. */
const FIRST_WEEKDAY = 3;

export interface Opening {
  from: number;
  to: number;
}

/** `null` in place of a week: always open. */
export interface Hours {
  offsetMs: number;
  week: readonly (readonly { from: number; to: number }[])[];
}

export function hoursOf(week: readonly string[], offsetMinutes: number): Hours | null {
  const days = week.map((text) => parseDay(text)!);
  const always = days.every(([range]) => range?.from === 0 && range.to === 1440);
  return always ? null : { offsetMs: offsetMinutes * MINUTE_MS, week: days };
}

/** The opening that `at` lies in, or else the next one. Every week has one. */
export function openingAt(hours: Hours | null, at: number): Opening {
  if (!hours) return { from: Number.NEGATIVE_INFINITY, to: Number.POSITIVE_INFINITY };
  const today = Math.floor((at + hours.offsetMs) / DAY_MS);
  // Yesterday's last range may run past midnight.
  for (let day = today - 1; ; day++) {
    for (const { from, to } of hours.week[(day + FIRST_WEEKDAY) % 7]!) {
      const midnight = day * DAY_MS - hours.offsetMs;
      if (midnight + to * MINUTE_MS > at) return { from: midnight + from * MINUTE_MS, to: midnight + to * MINUTE_MS };
    }
  }
}
