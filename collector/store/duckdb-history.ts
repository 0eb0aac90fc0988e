import type { DuckDBValue } from '@duckdb/node-api';
import { type Columns, quoted, type Tables } from './duckdb-tables.ts';
import { type HistoryQuery, type HistoryRow, kindOf, samplesFrom } from './history.ts';
import { type Kind, ROLLUP, SAMPLES, SUFFIXES } from './rollup-layout.ts';

interface Statement {
  sql: string;
  values: DuckDBValue[];
}

/** What each kind makes of rows: of samples, whose one column is `value`, and of roll-ups, whose columns are named by suffix. */
const OF_SAMPLES: Record<Kind, string> = {
  level: 'min(value) AS min, avg(value) AS mean, max(value) AS max',
  state: 'arg_max(value, "at") AS last',
  count: 'sum(value) AS sum',
};
const OF_ROLLUPS: Record<Kind, string> = {
  level: 'min(min) AS min, sum(mean * n) / sum(n) AS mean, max(max) AS max',
  state: 'arg_max(last, "at") AS last',
  count: 'sum(sum) AS sum',
};

/** The statements whose rows, one after the other, are the history; none for a table or a metric that the store does not have. */
export function historyStatements(query: HistoryQuery, tables: Tables, now: number): Statement[] {
  const kind = kindOf(query.metric);
  const cut = samplesFrom(query, now);
  const rolled = SUFFIXES[kind].map((suffix) => `${query.metric}_${suffix}`);
  const columns = SUFFIXES[kind].map((suffix, i) => `${quoted(rolled[i]!)} AS ${suffix}`).join(', ');
  return [
    ...(hasAll(tables.get(ROLLUP), rolled)
      ? [statement(query, { table: ROLLUP, columns: `${columns}, n`, given: quoted(rolled[0]!), made: OF_ROLLUPS[kind] }, query.from, cut)]
      : []),
    ...(hasAll(tables.get(SAMPLES), [query.metric])
      ? [
          statement(
            query,
            { table: SAMPLES, columns: `${quoted(query.metric)} AS value`, given: quoted(query.metric), made: OF_SAMPLES[kind] },
            cut,
            query.to,
          ),
        ]
      : []),
  ];
}

function hasAll(columns: Columns | undefined, names: string[]): boolean {
  return columns !== undefined && names.every((name) => columns.get(name) === 'DOUBLE');
}

function statement(
  { acquirer, sn, everyMs }: HistoryQuery,
  { table, columns, given, made }: Record<'table' | 'columns' | 'given' | 'made', string>,
  from: number,
  to: number,
): Statement {
  const sql = `SELECT "at" // $every * $every AS start, ${made} FROM (
      SELECT "at", ${columns} FROM main.${quoted(table)} WHERE sn = $sn AND acquirer = $acquirer AND "at" >= $from AND "at" < $to AND ${given} IS NOT NULL
    ) GROUP BY start ORDER BY start`;
  return {
    sql: sql.replace(/\$(\w+)/g, (_, name) => `$${ORDER.indexOf(name) + 1}`),
    values: [sn, acquirer, BigInt(from), BigInt(to), BigInt(everyMs)],
  };
}

const ORDER = ['sn', 'acquirer', 'from', 'to', 'every'];

/** A row as the database gives it; a stretch of time in which the metric was absent is none. */
export function historyRow({ start, ...values }: Record<string, unknown>): HistoryRow | undefined {
  if (Object.values(values).some((value) => value === null)) return undefined;
  return { at: Number(start), ...values } as HistoryRow;
}
