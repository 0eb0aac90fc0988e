import { type FileHandle, open } from 'node:fs/promises';
import type { Sample } from '../../protocol/schemas/sample.ts';
import { AgentError, briefly } from '../errors.ts';
import type { Probe } from './probe.ts';
import { REQUIRED_COLUMNS, type TraceRow, traceSample, traceTime } from './trace-row.ts';

/** At most this many samples from one read. */
const READ_SAMPLES = 100;

export interface TraceOptions {
  /** A CSV file as in the UCC 5G production dataset. */
  path: string;
  /** How many seconds of the trace pass in one second; 0 plays it as fast as it can be sent. */
  speed: number;
  /** The samples' times are shifted so that the first is at this one, epoch milliseconds. Default: they keep their own. */
  startAt?: number;
  /** Playing begins at this moment, epoch milliseconds. */
  now: number;
  log: (line: string) => void;
}

/**
 * A recorded trace as a probe: every row becomes one sample. A sample's `at` is its identity, so rows that share a second are spread over
 * its milliseconds, and one that stands before its predecessor is placed a millisecond after it.
 * Errors: AgentError `trace_unreadable`.
 */
export async function openTrace({ path, speed, startAt, now, log }: TraceOptions): Promise<Probe> {
  const file = await open(path, 'r').catch((error) => fail(path, error));
  const samples = spreadRows(timedRows(file, log));
  const advance = () => samples.next().catch((error) => fail(path, error));
  let upcoming = await advance().catch(async (error) => {
    await file.close();
    throw error;
  });
  const firstAt = upcoming.done ? 0 : upcoming.value.at;
  const shift = startAt === undefined ? 0 : startAt - firstAt;
  const dueAt = (at: number) => (speed === 0 ? now : now + (at - firstAt) / speed);
  return {
    name: 'trace',
    recorded: true,
    nextAt: () => (upcoming.done ? null : dueAt(upcoming.value.at)),
    async read(atNow) {
      const due: Sample[] = [];
      while (!upcoming.done && due.length < READ_SAMPLES && dueAt(upcoming.value.at) <= atNow) {
        due.push({ ...upcoming.value, at: upcoming.value.at + shift });
        upcoming = await advance().catch((error) => {
          upcoming = { done: true, value: undefined };
          throw error;
        });
      }
      return due;
    },
    close: () => file.close(),
  };
}

function fail(path: string, error: unknown): never {
  throw new AgentError('trace_unreadable', `${path}: ${briefly(error)}`, { cause: error });
}

interface TimedRow {
  at: number;
  row: TraceRow;
}

async function* spreadRows(rows: AsyncIterable<TimedRow>): AsyncGenerator<Sample, undefined> {
  let second: TimedRow[] = [];
  let lastAt = Number.NEGATIVE_INFINITY;
  const spread = () =>
    second.map(({ at, row }, i) => {
      lastAt = Math.max(at + i * Math.floor(1000 / second.length), lastAt + 1);
      return traceSample(row, lastAt);
    });
  for await (const timed of rows) {
    if (second[0] && second[0].at !== timed.at) {
      yield* spread();
      second = [];
    }
    second.push(timed);
  }
  yield* spread();
}

async function* timedRows(file: FileHandle, log: (line: string) => void): AsyncGenerator<TimedRow> {
  let skipped = 0;
  for await (const row of rowsOf(file)) {
    const at = traceTime(row.get('Timestamp'));
    if (at === undefined) skipped++;
    else yield { at, row };
  }
  if (skipped > 0) log(`${skipped} rows of the trace are not played: their Timestamp is no time such as 2019.11.28_07.27.57`);
}

/** The dataset quotes nothing, so a comma always parts two fields. */
async function* rowsOf(file: FileHandle): AsyncGenerator<TraceRow> {
  let columns: string[] | null = null;
  for await (const line of file.readLines({ autoClose: false })) {
    const fields = line.replace(/^\uFEFF/, '').split(',');
    if (columns) {
      if (line.trim() !== '') yield new Map(columns.map((name, i) => [name, fields[i] ?? '']));
      continue;
    }
    columns = fields.map((name) => name.trim());
    const missing = REQUIRED_COLUMNS.filter((name) => !columns!.includes(name));
    if (missing.length > 0) throw new Error(`its first line names no column ${missing.join(', ')}`);
  }
  if (!columns) throw new Error('it is empty');
}
