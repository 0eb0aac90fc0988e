/** What tables and columns points need, and which points contradict them. One table a measurement; names fold as DuckDB folds them. */
import { BIGINT, BOOLEAN, DOUBLE, type DuckDBType, type DuckDBValue, INTEGER, VARCHAR } from '@duckdb/node-api';
import type { Point } from './port.ts';

export type ColumnType = 'VARCHAR' | 'DOUBLE' | 'BOOLEAN';
const TYPES: Readonly<Record<ColumnType, DuckDBType>> = { VARCHAR, DOUBLE, BOOLEAN };

/** Columns by name, in the order of the table; the first two of each table are `at` and `nanos`. */
export type Columns = ReadonlyMap<string, ColumnType>;
export type Tables = ReadonlyMap<string, Columns>;

export interface Plan {
  /** The tables as they are to be; those that change are new objects. */
  tables: Tables;
  statements: string[];
  byTable: Map<string, Point[]>;
  refused: Point[];
  /** Why the first of the refused points is. */
  reason: string | null;
}

const TIME_COLUMNS = '"at" BIGINT NOT NULL, nanos INTEGER NOT NULL';
const TIME_NAMES = ['at', 'nanos'];

export function quoted(name: string): string {
  return `"${name.replaceAll('"', '""')}"`;
}

function columnTypeOf(value: number | string | boolean): ColumnType {
  if (typeof value === 'number') return 'DOUBLE';
  return typeof value === 'string' ? 'VARCHAR' : 'BOOLEAN';
}

function fold(name: string): string {
  return name.toLowerCase();
}

/** A name that only differs in case is the same one to DuckDB, and must not become another's column. */
function twinOf(name: string, names: Iterable<string>): string | undefined {
  const folded = fold(name);
  for (const other of names) if (fold(other) === folded) return other;
  return undefined;
}

export function plan(points: readonly Point[], known: Tables): Plan {
  const tables = new Map(known);
  const statements: string[] = [];
  const byTable = new Map<string, Point[]>();
  const refused: Point[] = [];
  let reason: string | null = null;
  for (const point of points) {
    const problem = fit(point, tables, statements);
    if (problem !== null) {
      refused.push(point);
      reason ??= problem;
    } else {
      const group = byTable.get(point.measurement);
      if (group === undefined) byTable.set(point.measurement, [point]);
      else group.push(point);
    }
  }
  return { tables, statements, byTable, refused, reason };
}

/** Adds what the point needs to the tables, or says why it cannot be had, and then adds nothing. */
function fit(point: Point, tables: Map<string, Columns>, statements: string[]): string | null {
  const { measurement } = point;
  const columns = tables.get(measurement);
  if (columns === undefined) {
    const twin = twinOf(measurement, tables.keys());
    if (twin !== undefined) return `the measurements ${measurement} and ${twin} differ in case alone`;
  }
  const missing = missingColumns(point, columns ?? new Map());
  if (typeof missing === 'string') return missing;
  if (columns === undefined) statements.push(`CREATE TABLE main.${quoted(measurement)} (${TIME_COLUMNS})`);
  if (columns !== undefined && missing.size === 0) return null;
  for (const [name, type] of missing) statements.push(`ALTER TABLE main.${quoted(measurement)} ADD COLUMN ${quoted(name)} ${type}`);
  tables.set(measurement, new Map([...(columns ?? []), ...missing]));
  return null;
}

function missingColumns({ tags, fields }: Point, columns: Columns): Map<string, ColumnType> | string {
  const missing = new Map<string, ColumnType>();
  const need = (name: string, type: ColumnType): string | null => {
    const has = columns.get(name);
    if (has === type) return null;
    if (has !== undefined) return `${name} is ${type} here, and ${has} in the points before`;
    const twin = twinOf(name, [...TIME_NAMES, ...columns.keys(), ...missing.keys()]);
    if (twin !== undefined) return `${name} and ${twin} are one name to DuckDB`;
    missing.set(name, type);
    return null;
  };
  for (const name in tags) {
    const problem = tags[name] === '' ? null : need(name, 'VARCHAR');
    if (problem !== null) return problem;
  }
  for (const name in fields) {
    const problem = need(name, columnTypeOf(fields[name]!));
    if (problem !== null) return problem;
  }
  return missing;
}

export function chunkTypes(columns: Columns): DuckDBType[] {
  return [BIGINT, INTEGER, ...Array.from(columns.values(), (type) => TYPES[type])];
}

/** The values of a chunk, column by column; what a point lacks is null. */
export function chunkColumns(points: readonly Point[], columns: Columns): DuckDBValue[][] {
  const byName = new Map(Array.from(columns.keys(), (name) => [name, new Array<DuckDBValue>(points.length).fill(null)]));
  points.forEach(({ tags, fields }, row) => {
    for (const name in tags) if (tags[name] !== '') byName.get(name)![row] = tags[name]!;
    for (const name in fields) byName.get(name)![row] = fields[name]!;
  });
  return [points.map(({ at }) => BigInt(at)), points.map(({ nanos = 0 }) => nanos), ...byName.values()];
}
