/**
 * A small builder of Flux queries. A query knows its columns by type, and texts are quoted where they are put in. What Grafana fills
 * in is written as Grafana reads it: its own `v.` values, and variables in the format `regex`, the only one that escapes everything
 * (`json` leaves a single text unquoted, `doublequote` leaves its backslashes).
 */
import type { Field, Measurement, Tag } from './layout.ts';

/** Flux text that may be put into other Flux text as it is. */
export interface Flux {
  readonly flux: string;
}

/** The columns of a row within a function of the query: `r.name`. */
type Row<C extends string> = Readonly<Record<C, Flux>>;

type Expression<C extends string> = (row: Row<C>) => Flux;

type Part = Flux | string | number;

export interface Query<C extends string> {
  /** The query's text, its imports first. */
  readonly text: string;
  /** Keeps the rows of which the predicate is true. */
  where(predicate: Expression<C>): Query<C>;
  /** Keeps the rows whose column is what the dashboard's variable of that name says. InfluxDB looks only those up right after `read`. */
  matching(column: C): Query<C>;
  /** One table for each set of values of these columns. */
  group(...columns: C[]): Query<C>;
  /** Ascending; `descending` turns the whole order round. */
  sort(columns: C[], descending?: boolean): Query<C>;
  limit(rows: number): Query<C>;
  /** The last row of each table in which the column has a value. */
  last(column: C): Query<C>;
  /** Adds columns, or gives them another value. */
  set<N extends string>(make: (row: Row<C>) => Readonly<Record<N, Flux>>): Query<C | N>;
  /** Texts that a row lacks, as it does tags that nobody set, are blank: a column that all rows lack would be missing. */
  blanks(...columns: C[]): Query<C>;
  rename<F extends C, N extends string>(from: F, to: N): Query<Exclude<C, F> | N>;
  keep<K extends C>(...columns: K[]): Query<K>;
  /** Sums up each table to one row: of its group's columns, those named here, and the sums. */
  sums<G extends C, N extends string>(grouped: G[], make: (row: Row<C>) => Readonly<Record<N, Flux>>): Query<G | N>;
  /** As `sums`, for each stretch of time that is one point on the panel; `_time` is its beginning. */
  sumsOverTime<G extends C, N extends string>(grouped: G[], make: (row: Row<C>) => Readonly<Record<N, Flux>>): Query<G | N | '_time'>;
  /** `_value` over each stretch of time that is one point on the panel. */
  overTime(aggregate: 'mean' | 'min' | 'max' | 'sum' | 'last' | 'count'): Query<C>;
  /** How long the predicate has held at each row, in milliseconds: -1 where it does not. */
  holding<N extends string>(column: N, predicate: Expression<C>): Query<C | N>;
}

export type Stored<M extends Measurement> = Tag<M> | '_time' | '_value' | '_field';

/** A stretch of time to read, and what its text needs. */
interface Range extends Flux {
  imports: readonly string[];
}

/** The dashboard's time range. */
const RANGE: Range = { imports: [], flux: 'start: v.timeRangeStart, stop: v.timeRangeStop' };

/** From this long before the dashboard's end, such as `2h`: for what is now. */
export function within(duration: string): Range {
  return { imports: ['date'], flux: `start: date.sub(from: v.timeRangeStop, d: ${duration}), stop: v.timeRangeStop` };
}

/** Reads some fields of a measurement, one row a value. */
export function read<M extends Measurement>(measurement: M, fields: readonly Field<M>[], range = RANGE): Query<Stored<M>> {
  const wanted = fields.map((field) => `r._field == ${quote(field)}`).join(' or ');
  return query(range.imports, [
    'from(bucket: v.defaultBucket)',
    `range(${range.flux})`,
    `filter(fn: (r) => r._measurement == ${quote(measurement)} and (${wanted}))`,
  ]);
}

/**
 * Reads some fields of a measurement, one row a point with a column for each field; of points whose tags are what the dashboard's
 * variables of the same names say.
 */
export function readPoints<M extends Measurement, F extends Field<M>>(
  measurement: M,
  fields: readonly F[],
  matching: readonly Tag<M>[],
  range = RANGE,
): Query<Tag<M> | F | '_time'> {
  let rows = read(measurement, fields, range);
  for (const tag of matching) rows = rows.matching(tag);
  return query([], [rows.text, 'pivot(rowKey: ["_time"], columnKey: ["_field"], valueColumn: "_value")', 'group()']);
}

/** The values that a tag has had in the last 30 days, one row each in `_value`; of points whose other tags are what variables say. */
export function tagValues<M extends Measurement>(measurement: M, tag: Tag<M>, matching: readonly Tag<M>[] = []): Query<'_value'> {
  const predicate = [`r._measurement == ${quote(measurement)}`, ...matching.map((other) => matches(other))].join(' and ');
  return query(
    ['influxdata/influxdb/schema'],
    [`schema.tagValues(bucket: v.defaultBucket, tag: ${quote(tag)}, predicate: (r) => ${predicate}, start: -30d)`],
  );
}

/** Puts columns, texts and numbers into Flux: flux`${r._value} == ${'offline'}`. */
export function flux(strings: TemplateStringsArray, ...parts: Part[]): Flux {
  return { flux: strings.reduce((text, piece, i) => text + literal(parts[i - 1]!) + piece) };
}

/** A pattern that matches what the dashboard's variable says, and nothing else. */
export function pattern(variable: string): Flux {
  return { flux: `/^\${${variable}:regex}$/` };
}

/** The stretch of time that is one point on the panel, in minutes. */
export const WINDOW_MINUTES: Flux = { flux: '(float(v: int(v: v.windowPeriod)) / 60000000000.0)' };

/** A string literal. Errors: throws on what Grafana would take for a variable of its own, which nothing can escape. */
export function quote(text: string): string {
  if (/\$\{?\w|\[\[\w/.test(text)) throw new Error(`Grafana would take a part of "${text}" for a variable`);
  return `"${text.replace(/[\\"]/g, '\\$&').replaceAll('\n', '\\n').replaceAll('\r', '\\r').replaceAll('\t', '\\t')}"`;
}

function literal(part: Part): string {
  if (typeof part === 'number') return String(part);
  return typeof part === 'string' ? quote(part) : part.flux;
}

function matches(column: string): string {
  return `${reference(column)} =~ ${pattern(column).flux}`;
}

function reference(column: string): string {
  return /^[A-Za-z_]\w*$/.test(column) ? `r.${column}` : `r[${quote(column)}]`;
}

function row<C extends string>(): Row<C> {
  return new Proxy({} as Row<C>, { get: (_, column) => ({ flux: reference(String(column)) }) });
}

function record(members: Readonly<Record<string, Flux>>, before = ''): string {
  return `({${before}${Object.entries(members)
    .map(([name, { flux: value }]) => `${name}: ${value}`)
    .join(', ')}})`;
}

function orBlank(column: string): [string, Flux] {
  return [column, { flux: `if exists ${reference(column)} then ${reference(column)} else ""` }];
}

function list(columns: readonly string[]): string {
  return `[${columns.map(quote).join(', ')}]`;
}

/** Its sums are floats, as all numbers in the store are: Flux adds no integer to one. */
function reduction(sums: Readonly<Record<string, Flux>>): string {
  const names = Object.keys(sums);
  const zeros = record(Object.fromEntries(names.map((name) => [name, { flux: '0.0' }]))).slice(1, -1);
  const added = record(Object.fromEntries(names.map((name) => [name, { flux: `accumulator.${name} + (${sums[name]!.flux})` }])));
  return `reduce(identity: ${zeros}, fn: (r, accumulator) => ${added})`;
}

function query<C extends string>(imports: readonly string[], steps: readonly string[]): Query<C> {
  const r = row<C>();
  const then = <N extends string>(...more: string[]) => query<N>(imports, [...steps, ...more]);
  return {
    text: [...imports.map((name) => `import ${quote(name)}`), steps.join('\n  |> ')].join('\n'),
    where: (predicate) => then(`filter(fn: (r) => ${predicate(r).flux})`),
    matching: (column) => then(`filter(fn: (r) => ${matches(column)})`),
    group: (...columns) => then(columns.length > 0 ? `group(columns: ${list(columns)})` : 'group()'),
    sort: (columns, descending = false) => then(`sort(columns: ${list(columns)}, desc: ${descending})`),
    limit: (rows) => then(`limit(n: ${rows})`),
    last: (column) => then(`last(column: ${quote(column)})`),
    set: (make) => then(`map(fn: (r) => ${record(make(r), 'r with ')})`),
    blanks: (...columns) => then(`map(fn: (r) => ${record(Object.fromEntries(columns.map(orBlank)), 'r with ')})`),
    rename: (from, to) => then(`rename(columns: {${from}: ${quote(to)}})`),
    keep: (...columns) => then(`keep(columns: ${list(columns)})`),
    sums: (grouped, make) => then(`group(columns: ${list(grouped)})`, reduction(make(r)), 'group()'),
    sumsOverTime: (grouped, make) =>
      then(
        `group(columns: ${list(grouped)})`,
        'window(every: v.windowPeriod)',
        reduction(make(r)),
        'duplicate(column: "_start", as: "_time")',
        `group(columns: ${list(grouped)})`,
        'drop(columns: ["_start", "_stop"])',
      ),
    overTime: (aggregate) => then(`aggregateWindow(every: v.windowPeriod, fn: ${aggregate}, createEmpty: false)`),
    holding: (column, predicate) => then(`stateDuration(fn: (r) => ${predicate(r).flux}, column: ${quote(column)}, unit: 1ms)`),
  };
}
