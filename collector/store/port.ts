/**
 * The telemetry store port: where points go to be charted. Two adapters, DuckDB (embedded) and InfluxDB 2; both pass
 * test/contract/store.contract.ts.
 */
import type { Draft } from './draft.ts';
import type { HistoryQuery, HistoryRow } from './history.ts';
import type { Point } from './point.ts';

/** How far each source has been written, by the source's name; opaque to the store. */
export type Marks = Readonly<Record<string, string>>;

/** How long a store keeps samples, and how long everything else; 0: for ever. */
export interface Kept {
  rawDays: number;
  rollupDays: number;
}

/** Keeps points that their store refuses, with the reason; durable once resolved. */
export type OnRefused = (points: readonly Point[], detail: string) => Promise<void>;

/** Points on their way into a store, in its own form from the moment they are added: nothing is kept of what they were made from. */
export interface Batch {
  /** How many points it holds. */
  readonly size: number;
  /** Takes the point and keeps nothing of the draft. Why this store can never hold it, null where it was taken. */
  add(draft: Draft): string | null;
  /**
   * Durable once resolved: all of it, but what went to `onRefused`. Rejects with a StoreError, and then all of it is to be written
   * again; some of it may have been, and then some of that may have been refused. `marks`: none, or others than
   * those of any other batch, as they tell whether this one was written.
   */
  write(marks: Marks, onRefused: OnRefused): Promise<void>;
}

export interface TelemetryStore {
  readonly name: 'duckdb' | 'influxdb';
  /** For metrics: what was sent over the network so far, bytes. */
  readonly sentBytes: number;
  /**
   * The marks committed together with the points: after a crash, exactly what they say has been written. Null where the store cannot
   * commit marks with points (InfluxDB): then writing a point again is harmless.
   */
  marks(): Promise<Marks | null>;
  batch(): Batch;
  /**
   * A number of a terminal over time, in order; a stretch without it has no row. `now`: the time of the log up to which all is written.
   * Errors: a StoreError.
   */
  history(query: HistoryQuery, now: number): Promise<HistoryRow[]>;
  /** Once a day: removes what is older than it is kept. `now`: the log's time. A server does so by itself. */
  keepUp(now: number): Promise<void>;
  /** Resolves when the store can be reached and written to; rejects with a StoreError that says what to do. */
  check(): Promise<void>;
  close(): Promise<void>;
}

const MESSAGES = {
  unavailable: 'the store cannot be reached',
  unauthorized: 'the store refuses the token: check INFLUX_TOKEN, INFLUX_ORG and INFLUX_BUCKET',
  rejected: 'the store refuses this',
  locked: 'the store is open in another process',
} as const;

export class StoreError extends Error {
  readonly code: keyof typeof MESSAGES;
  /** Whether the same write may succeed later. */
  readonly retry: boolean;
  /** Wait at least this long before the next try, milliseconds. */
  readonly retryAfterMs: number;
  /** Of a `rejected` write whose other points were written, how many were not. */
  readonly dropped: number | undefined;

  constructor(
    code: keyof typeof MESSAGES,
    detail: string,
    options: ErrorOptions & { retryAfterMs?: number; dropped?: number | undefined } = {},
  ) {
    super(`${MESSAGES[code]} (${detail})`, options);
    this.name = 'StoreError';
    this.code = code;
    this.retry = code === 'unavailable' || code === 'unauthorized';
    this.retryAfterMs = options.retryAfterMs ?? 0;
    this.dropped = options.dropped;
  }
}
