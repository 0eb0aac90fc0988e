/**
 * The telemetry store port: where points go to be charted. Two adapters, DuckDB (embedded) and InfluxDB 2; both pass
 * test/contract/store.contract.ts.
 */

/** One point. Its identity is measurement, tags and time: the same identity again replaces it, or is not written twice. */
export interface Point {
  measurement: string;
  /** Empty values are left out. */
  tags: Readonly<Record<string, string>>;
  /** At least one. Numbers are stored as floats, always. */
  fields: Readonly<Record<string, number | string | boolean>>;
  /** Epoch milliseconds. */
  at: number;
  /** 0–999 999 within the millisecond, for rows that would share an identity otherwise. Default 0. */
  nanos?: number;
}

/** How far each source has been written, by the source's name; opaque to the store. */
export type Marks = Readonly<Record<string, string>>;

export interface TelemetryStore {
  readonly name: 'duckdb' | 'influxdb';
  /**
   * The marks committed together with the points: after a crash, exactly what they say has been written. Null where the store cannot
   * commit marks with points (InfluxDB): then writing a point again is harmless.
   */
  marks(): Promise<Marks | null>;
  /** Durable once resolved: all of it, or (rejected with a StoreError) to be written again. */
  write(points: readonly Point[], marks: Marks): Promise<void>;
  /** Resolves when the store can be reached and written to; rejects with a StoreError that says what to do. */
  check(): Promise<void>;
  close(): Promise<void>;
}

const MESSAGES = {
  unavailable: 'the store cannot be reached',
  unauthorized: 'the store refuses the token: check INFLUX_TOKEN, INFLUX_ORG and INFLUX_BUCKET',
  rejected: 'the store refuses these points',
  locked: 'the store is open in another process',
} as const;

export class StoreError extends Error {
  readonly code: keyof typeof MESSAGES;
  /** Whether the same write may succeed later. */
  readonly retry: boolean;
  /** Wait at least this long before the next try, milliseconds. */
  readonly retryAfterMs: number;
  /** Of a `rejected` write, the very points that were refused, where the store can tell. */
  readonly points: readonly Point[] | undefined;
  /** Of a `rejected` write whose other points were written, how many were not. */
  readonly dropped: number | undefined;

  constructor(
    code: keyof typeof MESSAGES,
    detail: string,
    options: ErrorOptions & { retryAfterMs?: number; points?: readonly Point[]; dropped?: number | undefined } = {},
  ) {
    super(`${MESSAGES[code]} (${detail})`, options);
    this.name = 'StoreError';
    this.code = code;
    this.retry = code === 'unavailable' || code === 'unauthorized';
    this.retryAfterMs = options.retryAfterMs ?? 0;
    this.points = options.points;
    this.dropped = options.dropped;
  }
}
