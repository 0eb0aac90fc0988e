/** Which days a report is asked for. */
import { requireOrder, timeOf } from './time-query.ts';

const DAY_MS = 86_400_000;
const DAYS = 30;

/** Whole days of UTC, epoch milliseconds: `to` is now where it is blank, `from` 30 days before it. Errors: Problem 400. */
export function daysQuery(query: Record<string, string | undefined>, now: number): { from: number; to: number } {
  const to = Math.ceil(timeOf('to', query.to, now) / DAY_MS) * DAY_MS;
  const from = Math.floor(timeOf('from', query.from, to - DAYS * DAY_MS) / DAY_MS) * DAY_MS;
  requireOrder(from, to);
  return { from, to };
}
