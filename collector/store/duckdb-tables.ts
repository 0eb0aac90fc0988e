/** The tables that points need, one a measurement, and rows on their way into them, column by column. Names fold as DuckDB folds them. */
import { BIGINT, BOOLEAN, DOUBLE, type DuckDBType, type DuckDBValue, INTEGER, VARCHAR } from '@duckdb/node-api';
import type { Draft } from './draft.ts';
import type { Value } from './point.ts';
import { problemOfPoint, problemOfTags } from './points.ts';

export type ColumnType = 'VARCHAR' | 'DOUBLE' | 'BOOLEAN';
const TYPES: Readonly<Record<ColumnType, DuckDBType>> = { VARCHAR, DOUBLE, BOOLEAN };

/** Columns by name, in the order of the table; the first two of each table are `at` and `nanos`. */
export type Columns = Map<string, ColumnType>;
export type Tables = Map<string, Columns>;

const TIME_COLUMNS = '"at" BIGINT NOT NULL, nanos INTEGER NOT NULL';
const TIME_NAMES = ['at', 'nanos'];

export function quoted(name: string): string {
  return `"${name.replaceAll('"', '""')}"`;
}

function columnTypeOf(value: Value): ColumnType {
  if (typeof value === 'number') return 'DOUBLE';
  return typeof value === 'string' ? 'VARCHAR' : 'BOOLEAN';
}

/** A name that only differs in case is the same one to DuckDB, and must not become another's column. */
function twinOf(name: string, names: Iterable<string>): string | undefined {
  const folded = name.toLowerCase();
  for (const other of names) if (other.toLowerCase() === folded) return other;
  return undefined;
}

/** Adds what the point needs to the tables, or says why it cannot be had, and then adds nothing. */
export function fit(draft: Draft, tables: Tables): string | null {
  const { measurement, tags, size, names, values } = draft;
  const problem = problemOfTags(tags) ?? problemOfPoint(draft);
  if (problem !== null) return problem;
  const columns = tables.get(measurement);
  const twin = columns ? undefined : twinOf(measurement, tables.keys());
  if (twin !== undefined) return `the measurements ${measurement} and ${twin} differ in case alone`;
  const missing: [string, ColumnType][] = [];
  for (const name in tags) {
    const why = tags[name] === '' ? null : need(name, 'VARCHAR', columns, missing);
    if (why !== null) return why;
  }
  for (let i = 0; i < size; i++) {
    const why = need(names[i]!, columnTypeOf(values[i]!), columns, missing);
    if (why !== null) return why;
  }
  if (!columns) tables.set(measurement, new Map(missing));
  else for (const [name, type] of missing) columns.set(name, type);
  return null;
}

function need(name: string, type: ColumnType, columns: Columns | undefined, missing: [string, ColumnType][]): string | null {
  const has = columns?.get(name);
  if (has === type) return null;
  if (has !== undefined) return `${name} is ${type} here, and ${has} in the points before`;
  const twin = twinOf(name, [...TIME_NAMES, ...(columns?.keys() ?? []), ...missing.map(([other]) => other)]);
  if (twin !== undefined) return `${name} and ${twin} are one name to DuckDB`;
  missing.push([name, type]);
  return null;
}

/** What makes the tables of the file what they are to be. */
export function statementsFor(measurement: string, columns: Columns, inFile: Columns | undefined): string[] {
  const table = `main.${quoted(measurement)}`;
  const added = [...columns].filter(([name]) => !inFile?.has(name));
  return [
    ...(inFile ? [] : [`CREATE TABLE ${table} (${TIME_COLUMNS})`]),
    ...added.map(([name, type]) => `ALTER TABLE ${table} ADD COLUMN ${quoted(name)} ${type}`),
  ];
}

/** Rows of one table, each column a list; what a point lacks is null. */
export class Rows {
  readonly #times: bigint[] = [];
  readonly #nanos: number[] = [];
  readonly #values = new Map<string, DuckDBValue[]>();

  get size(): number {
    return this.#times.length;
  }

  add({ tags, size, names, values, at, nanos }: Draft): void {
    const row = this.size;
    this.#times.push(BigInt(at));
    this.#nanos.push(nanos);
    for (const name in tags) if (tags[name] !== '') this.#put(name, row, tags[name]!);
    for (let i = 0; i < size; i++) this.#put(names[i]!, row, values[i]!);
  }

  /** The values of rows, column by column, as the table has them. */
  chunk(columns: Columns, from: number, to: number): DuckDBValue[][] {
    const nothing = new Array<DuckDBValue>(to - from).fill(null);
    const filled = Array.from(columns.keys(), (name) => {
      const values = this.#values.get(name);
      return values ? padded(values, this.size).slice(from, to) : nothing;
    });
    return [this.#times.slice(from, to), this.#nanos.slice(from, to), ...filled];
  }

  #put(name: string, row: number, value: Value): void {
    const values = this.#values.get(name) ?? [];
    if (values.length === 0) this.#values.set(name, values);
    padded(values, row).push(value);
  }
}

function padded(values: DuckDBValue[], size: number): DuckDBValue[] {
  while (values.length < size) values.push(null);
  return values;
}

export function chunkTypes(columns: Columns): DuckDBType[] {
  return [BIGINT, INTEGER, ...Array.from(columns.values(), (type) => TYPES[type])];
}
