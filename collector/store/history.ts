/** A number of one terminal over time, as charts show it: a question that both stores answer alike. */
import { type Kind, ROLLED, WINDOW_MS } from './rollup-layout.ts';

export interface HistoryQuery {
  acquirer: string;
  sn: string;
  /** A field of `terminal`: the path of a sample's member, joined by `_`. */
  metric: string;
  /** Epoch milliseconds, whole multiples of `everyMs`; `from` to before `to`. */
  from: number;
  to: number;
  /** One row for so long, milliseconds. */
  everyMs: number;
}

/** What a row says of a metric: of a level its least, mean and greatest, of a state the last, of a count the sum. */
export type HistoryRow = { at: number } & ({ min: number; mean: number; max: number } | { last: number } | { sum: number });

/** What is not rolled up is shown as a level. */
export function kindOf(metric: string): Kind {
  return ROLLED[metric] ?? 'level';
}

/**
 * From when on samples are read, epoch milliseconds; before it the roll-ups stand for them, which a chart of weeks needs a tenth of the
 * time for. Windows that may be open still are left to samples.
 */
export function samplesFrom({ metric, from, to, everyMs }: HistoryQuery, now: number): number {
  if (!Object.hasOwn(ROLLED, metric) || everyMs % WINDOW_MS !== 0) return from;
  const closed = Math.floor((now - 2 * WINDOW_MS) / everyMs) * everyMs;
  return Math.min(Math.max(from, closed), to);
}
