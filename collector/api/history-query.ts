/** What a request for a terminal's history asks for. */
import type { TerminalId } from '../../protocol/topics.ts';
import type { HistoryQuery } from '../store/history.ts';
import { Problem } from './problem.ts';
import { requireOrder, timeOf } from './time-query.ts';

const UNIT_MS = { s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000 };
const DAY_MS = UNIT_MS.d;
const MAX_ROWS = 10_000;
/** What no field of a sample is called is in no store, and no text goes into a query but this. */
const METRIC_FORM = /^[A-Za-z][A-Za-z0-9_]{0,63}$/;

/**
 * `metric` is required; `to` is now where it is blank, `from` a day before it, `every` five minutes. `from` and `to` are moved to whole
 * multiples of `every`. Errors: Problem 400.
 */
export function historyQuery({ acquirer, sn }: TerminalId, query: Record<string, string | undefined>, now: number): HistoryQuery {
  const { metric } = query;
  if (metric === undefined || !METRIC_FORM.test(metric))
    throw new Problem(400, 'Bad request', "metric is the name of a sample's number, such as signal_rsrp");
  const everyMs = duration(query.every ?? '5m');
  const to = Math.ceil(timeOf('to', query.to, now) / everyMs) * everyMs;
  const from = Math.floor(timeOf('from', query.from, to - DAY_MS) / everyMs) * everyMs;
  requireOrder(from, to);
  if ((to - from) / everyMs > MAX_ROWS)
    throw new Problem(400, 'Bad request', `that is more than ${MAX_ROWS} rows: take a greater every, or less time`);
  return { acquirer, sn, metric, from, to, everyMs };
}

function duration(text: string): number {
  const [, count, unit] = /^([1-9]\d{0,4})([smhd])$/.exec(text) ?? [];
  if (unit === undefined) throw new Problem(400, 'Bad request', 'every is a whole number and s, m, h or d, such as 5m');
  return Number(count) * UNIT_MS[unit as keyof typeof UNIT_MS];
}
