/**
 * The telemetry store in one DuckDB file: a table a measurement, with "at" (epoch milliseconds), nanos, a column a tag and a field.
 * Points and marks are one transaction: each point is there once, without a primary key (which would cost eight times the CPU).
 */
import { chmod, mkdir } from 'node:fs/promises';
import { dirname } from 'node:path';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { type DuckDBConnection, DuckDBDataChunk, DuckDBInstance, type DuckDBValue, type JS } from '@duckdb/node-api';
import { historyRow, historyStatements } from './duckdb-history.ts';
import { type Columns, type ColumnType, chunkTypes, fit, Rows, statementsFor, type Tables } from './duckdb-tables.ts';
import { keepUp } from './duckdb-upkeep.ts';
import type { HistoryRow } from './history.ts';
import { type Batch, type Kept, type Marks, StoreError, type TelemetryStore } from './port.ts';

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
  /** The tables as they are in the file. */
  inFile: Tables;
}

/**
 * Opens or creates the file `path` and its folder.
 * Errors: a StoreError `locked` where another process has it open, `unavailable` where it cannot be opened.
 */
export async function openDuckDbStore(path: string, kept: Kept): Promise<DuckDbStore> {
  let database: Database | null = await openDatabase(path);
  /** The tables as they are to be: batches that are not written yet have made columns of theirs, which the file will have. */
  const tables: Tables = new Map(Array.from(database.inFile, ([name, columns]) => [name, new Map(columns)]));
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
  /** What a failure leaves behind is not used again: after a fatal error, as on a full disk, DuckDB refuses everything. */
  const trying = async (work: (into: Database) => Promise<void>) => {
    const into = await opened();
    try {
      await work(into);
    } catch (error) {
      closeDatabase(into);
      database = null;
      throw unavailable(error);
    }
  };
  const batch = (): Batch => {
    const rows = new Map<string, Rows>();
    let size = 0;
    let wasTried = false;
    return {
      get size() {
        return size;
      },
      add(draft) {
        const problem = fit(draft, tables);
        if (problem !== null) return problem;
        const { measurement } = draft;
        const those = rows.get(measurement) ?? new Rows();
        if (those.size === 0) rows.set(measurement, those);
        those.add(draft);
        size++;
        return null;
      },
      write: (marks) =>
        inTurn(() =>
          trying(async (into) => {
            if (wasTried && (await hasMarks(into, marks))) return;
            wasTried = true;
            await writeAll(into, tables, rows, marks);
          }),
        ),
    };
  };

  return {
    name: 'duckdb',
    sentBytes: 0,
    marks: () => inTurn(async () => readMarks(await opened())),
    batch,
    async history(query, now) {
      const { reader, inFile } = await inTurn(opened);
      const rows: HistoryRow[] = [];
      for (const { sql, values } of historyStatements(query, inFile, now)) {
        const read = (await reader.runAndReadAll(sql, values)).getRowObjectsJS();
        rows.push(...read.map(historyRow).filter((row) => row !== undefined));
      }
      return rows;
    },
    keepUp: (now) => inTurn(() => trying(({ writer, inFile }) => keepUp(writer, inFile, kept, now))),
    check: () => inTurn(() => trying((into) => writeAll(into, tables, new Map(), {}))),
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
    return { instance, writer, reader, inFile: await readTables(reader) };
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

/**
 * Whether the transaction with these marks took effect though it failed: a commit is durable before DuckDB moves its log into the file,
 * and where that fails, as on a full disk, so does the commit.
 */
async function hasMarks(database: Database, marks: Marks): Promise<boolean> {
  const inFile = await readMarks(database);
  const own = Object.entries(marks);
  return own.length > 0 && own.every(([source, mark]) => inFile[source] === mark);
}

/** All of it in one transaction. */
async function writeAll({ writer, inFile }: Database, tables: Tables, rows: ReadonlyMap<string, Rows>, marks: Marks): Promise<void> {
  // Later batches may add columns meanwhile.
  const made = Array.from(rows.keys(), (measurement) => [measurement, new Map(tables.get(measurement))] as const);
  await writer.run('BEGIN');
  for (const [measurement, columns] of made) {
    for (const statement of statementsFor(measurement, columns, inFile.get(measurement))) await writer.run(statement);
  }
  for (const [measurement, columns] of made) await append(writer, measurement, columns, rows.get(measurement)!);
  for (const source in marks) await writer.run('INSERT OR REPLACE INTO tillwatch.marks VALUES (?, ?)', [source, marks[source]!]);
  await writer.run('COMMIT');
  for (const [measurement, columns] of made) inFile.set(measurement, columns);
}

async function append(writer: DuckDBConnection, table: string, columns: Columns, rows: Rows): Promise<void> {
  const appender = await writer.createAppender(table, 'main');
  const types = chunkTypes(columns);
  try {
    for (let from = 0; from < rows.size; from += ROWS_PER_TURN) {
      if (from > 0) await nextTurn();
      const chunk = DuckDBDataChunk.create(types);
      chunk.setColumns(rows.chunk(columns, from, Math.min(from + ROWS_PER_TURN, rows.size)));
      appender.appendDataChunk(chunk);
    }
  } catch (error) {
    // What it still holds would be written when it is collected, after the transaction has ended.
    appender.clear();
    throw error;
  }
  appender.closeSync();
}
