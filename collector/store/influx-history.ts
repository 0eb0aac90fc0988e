import { flux, fluxDateTime, fluxExpression, type ParameterizedQuery } from '@influxdata/influxdb-client';
import { type HistoryQuery, kindOf, samplesFrom } from './history.ts';
import { type Kind, ROLLUP, SAMPLES, SUFFIXES } from './rollup-layout.ts';

/** What each kind makes of the rows of one stretch of time, whose columns are those named by suffix. */
const MADE: Record<Kind, string> = {
  level: `reduce(
    identity: {min: 0.0, max: 0.0, sum: 0.0, n: 0.0},
    fn: (r, accumulator) => ({
      min: if accumulator.n == 0.0 or r.min < accumulator.min then r.min else accumulator.min,
      max: if accumulator.n == 0.0 or r.max > accumulator.max then r.max else accumulator.max,
      sum: accumulator.sum + r.mean * r.n,
      n: accumulator.n + r.n,
    }))
  |> map(fn: (r) => ({r with mean: r.sum / r.n}))`,
  state: 'sort(columns: ["_time"]) |> last(column: "last")',
  count: 'sum(column: "sum")',
};

/** The queries whose rows, one after the other, are the history. `rollups`: null where there is no such bucket. */
export function historyQueries(
  query: HistoryQuery,
  buckets: { samples: string; rollups: string | null },
  now: number,
): ParameterizedQuery[] {
  const { metric, from, to } = query;
  const kind = kindOf(metric);
  const cut = buckets.rollups === null ? from : samplesFrom(query, now);
  const queries: ParameterizedQuery[] = [];
  if (buckets.rollups !== null && from < cut) {
    const fields = SUFFIXES[kind].map((suffix) => [`${metric}_${suffix}`, suffix] as const);
    const wanted = [...fields.map(([field]) => field), 'n'].map((name) => `r._field == "${name}"`).join(' or ');
    const columns = fields.map(([field, suffix]) => `${suffix}: r.${field}`).join(', ');
    queries.push(
      asked(
        query,
        kind,
        flux`${source(query, buckets.rollups, ROLLUP, from, cut)}
  |> filter(fn: (r) => ${fluxExpression(wanted)})
  |> pivot(rowKey: ["_time"], columnKey: ["_field"], valueColumn: "_value")
  |> filter(fn: (r) => exists r.${fluxExpression(fields[0]![0])})
  |> map(fn: (r) => ({_time: r._time, n: r.n, ${fluxExpression(columns)}}))`,
      ),
    );
  }
  if (cut < to) {
    queries.push(
      asked(
        query,
        kind,
        flux`${source(query, buckets.samples, SAMPLES, cut, to)}
  |> filter(fn: (r) => r._field == ${metric})
  |> map(fn: (r) => ({_time: r._time, min: r._value, mean: r._value, max: r._value, last: r._value, sum: r._value, n: 1.0}))`,
      ),
    );
  }
  return queries;
}

function source({ acquirer, sn }: HistoryQuery, bucket: string, measurement: string, from: number, to: number): ParameterizedQuery {
  return flux`from(bucket: ${bucket})
  |> range(start: ${fluxDateTime(new Date(from).toISOString())}, stop: ${fluxDateTime(new Date(to).toISOString())})
  |> filter(fn: (r) => r._measurement == ${measurement} and r.acquirer == ${acquirer} and r.sn == ${sn})`;
}

function asked({ everyMs }: HistoryQuery, kind: Kind, rows: ParameterizedQuery): ParameterizedQuery {
  const columns = ['at', ...SUFFIXES[kind]].map((name) => `"${name}"`).join(', ');
  // A terminal's tags change: what it was under then does not split its history.
  return flux`${rows}
  |> group()
  |> window(every: ${fluxExpression(`${everyMs}ms`)})
  |> ${fluxExpression(MADE[kind])}
  |> map(fn: (r) => ({r with at: int(v: r._start) / 1000000}))
  |> keep(columns: [${fluxExpression(columns)}])
  |> group()
  |> sort(columns: ["at"])`;
}
