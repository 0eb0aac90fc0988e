/**
 * The telemetry store in one DuckDB file: a table a measurement, with "at" (epoch milliseconds), nanos, a column a tag and a field.
 * Points and marks are one transaction: each point is there once, without a primary key (which would cost eight times the CPU).
 */
import { chmod, mkdir } from 'node:fs/promises';
import { dirname } from 'node:path';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { type DuckDBAppender, type DuckDBConnection, DuckDBDataChunk, DuckDBInstance, type DuckDBValue, type JS } from '@duckdb/node-api';
import { type Columns, type ColumnType, chunkColumns, chunkTypes, plan, type Tables } from './duckdb-tables.ts';
import { refuseImpossible } from './points.ts';
import { type Marks, type Point, StoreError, type TelemetryStore } from './port.ts';

export interface DuckDbStore extends TelemetryStore {
  /** Reads: one process holds the file, so every reader comes through here. `at` arrives as a bigint. */
  query(sql: string, values?: DuckDBValue[]): Promise<Record<string, JS>[]>;
}

/** One thread and a small cache: it lives beside a broker, and appends. */
const SETTINGS = { threads: '1', memory_limit: '512MB' };

/** Some two milliseconds of work: the broker may share this event loop. At most the 2048 of DuckDB's vectors. */
const ROWS_PER_TURN = 512;

interface Database {
  instance: DuckDBInstance;
  writer: DuckDBConnection;
  reader: DuckDBConnection;
  tables: Tables;
}

/**
 * Opens or creates the file `path` and its folder.
 * Errors: a StoreError `locked` where another process has it open, `unavailable` where it cannot be opened.
 */
export async function openDuckDbStore(path: string): Promise<DuckDbStore> {
  let database: Database | null = await openDatabase(path);
  let last: Promise<unknown> = Promise.resolve();

  /** One after another: the connection has one transaction. */
  const inTurn = <T>(work: () => Promise<T>): Promise<T> => {
    const mine = last.then(work, work);
    last = mine.catch(() => {});
    return mine;
  };
  let closed = false;
  const opened = async () => {
    if (closed) throw new StoreError('unavailable', 'it was closed');
    database ??= await openDatabase(path);
    return database;
  };
  const write = async (points: readonly Point[], marks: Marks) => {
    const into = await opened();
    try {
      into.tables = await writeAll(into, points, marks);
    } catch (error) {
      if (error instanceof StoreError) throw error;
      if (!(await rolledBack(into))) {
        // A commit that failed, as on a full disk, has nothing left to roll back, and after a fatal error DuckDB refuses everything.
        closeDatabase(into);
        database = null;
      }
      throw unavailable(error);
    }
  };

  return {
    name: 'duckdb',
    marks: () => inTurn(async () => readMarks(await opened())),
    write(points, marks) {
      return inTurn(() => write(points, marks));
    },
    check: () => inTurn(() => write([], {})),
    async query(sql, values) {
      const { reader } = await inTurn(opened);
      return (await reader.runAndReadAll(sql, values)).getRowObjectsJS();
    },
    close: () =>
      inTurn(async () => {
        closed = true;
        if (database !== null) closeDatabase(database);
        database = null;
      }),
  };
}

async function openDatabase(path: string): Promise<Database> {
  try {
    await mkdir(dirname(path), { recursive: true, mode: 0o700 });
    // From the cache: a second instance on one file in one process gets past DuckDB's lock, and damages it.
    const instance = await DuckDBInstance.fromCache(path, SETTINGS);
    await chmod(path, 0o600);
    const [writer, reader] = [await instance.connect(), await instance.connect()];
    await writer.run('CREATE SCHEMA IF NOT EXISTS tillwatch');
    await writer.run('CREATE TABLE IF NOT EXISTS tillwatch.marks (source VARCHAR PRIMARY KEY, mark VARCHAR NOT NULL)');
    return { instance, writer, reader, tables: await readTables(reader) };
  } catch (error) {
    throw unavailable(error);
  }
}

function closeDatabase({ instance, writer, reader }: Database): void {
  writer.closeSync();
  reader.closeSync();
  instance.closeSync();
}

/** DuckDB tells by its text alone; its second line and its links are not for a log. */
function unavailable(error: unknown): StoreError {
  const text = (error as Error).message.split('\n')[0]!.replace(/ See also .*/, '');
  return new StoreError(/Could not set lock/.test(text) ? 'locked' : 'unavailable', text, { cause: error });
}

async function readTables(reader: DuckDBConnection): Promise<Tables> {
  const rows = await reader.runAndReadAll(
    `SELECT table_name, column_name, data_type FROM information_schema.columns
     WHERE table_schema = 'main' AND column_name NOT IN ('at', 'nanos') ORDER BY table_name, ordinal_position`,
  );
  const tables = new Map<string, Map<string, ColumnType>>();
  for (const [table, column, type] of rows.getRowsJS() as [string, string, ColumnType][]) {
    const columns = tables.get(table) ?? new Map<string, ColumnType>();
    tables.set(table, columns.set(column, type));
  }
  return tables;
}

async function readMarks({ reader }: Database): Promise<Marks> {
  const rows = await reader.runAndReadAll('SELECT source, mark FROM tillwatch.marks');
  return Object.fromEntries(rows.getRowsJS() as [string, string][]);
}

/** All of it in one transaction. The tables as they are afterwards. */
async function writeAll({ writer, tables }: Database, points: readonly Point[], marks: Marks): Promise<Tables> {
  refuseImpossible(points);
  const planned = plan(points, tables);
  if (planned.reason !== null) {
    const detail = `${planned.refused.length} of ${points.length} points; the first: ${planned.reason}`;
    throw new StoreError('rejected', detail, { points: planned.refused });
  }
  await writer.run('BEGIN');
  for (const statement of planned.statements) await writer.run(statement);
  for (const [table, group] of planned.byTable) await append(writer, table, planned.tables.get(table)!, group);
  for (const source in marks) await writer.run('INSERT OR REPLACE INTO tillwatch.marks VALUES (?, ?)', [source, marks[source]!]);
  await writer.run('COMMIT');
  return planned.tables;
}

async function append(writer: DuckDBConnection, table: string, columns: Columns, points: readonly Point[]): Promise<void> {
  const appender: DuckDBAppender = await writer.createAppender(table, 'main');
  const types = chunkTypes(columns);
  try {
    for (let from = 0; from < points.length; from += ROWS_PER_TURN) {
      if (from > 0) await nextTurn();
      const chunk = DuckDBDataChunk.create(types);
      chunk.setColumns(chunkColumns(points.slice(from, from + ROWS_PER_TURN), columns));
      appender.appendDataChunk(chunk);
    }
  } catch (error) {
    // What it still holds would be written when it is collected, after the transaction has ended.
    appender.clear();
    throw error;
  }
  appender.closeSync();
}

async function rolledBack({ writer }: Database): Promise<boolean> {
  try {
    await writer.run('ROLLBACK');
    return true;
  } catch {
    return false;
  }
}
