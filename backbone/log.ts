/**
 * The log port. A log is a sequence of batches; a batch is what was appended while the one before it was being made durable, so an
 * offset is (batch, index). Two adapters: segment files here, JetStream later; both pass test/contract/log.contract.ts.
 */

/** Where a record stands: the number of its batch, from 1, and its index in it, from 0. `{batch: 0, index: 0}` is before all. */
export interface Offset {
  batch: number;
  index: number;
}

export interface Batch {
  batch: number;
  records: readonly Uint8Array[];
}

/** The one writer of a log. */
export interface LogWriter {
  /**
   * Appends records, in order and in one batch. Resolves with the offset of the first once all are durable (synced); whatever waits
   * meanwhile shares the next batch. Rejects with a LogError, and then none of them is in the log.
   */
  append(records: readonly Uint8Array[]): Promise<Offset>;
  /**
   * The same for one record, without a promise, for what comes by the ten thousand a second. The bytes are copied before it returns.
   * `done` is called once, in the order of the calls, with a LogError where the record is not in the log; it must not throw.
   */
  add(record: Uint8Array, done: (error?: Error) => void): void;
  /** Waits for what was appended, and gives the log free for another writer. */
  close(): Promise<void>;
  readonly stats: LogStats;
}

/** For metrics. */
export interface LogStats {
  batches: number;
  records: number;
  bytes: number;
  /** The time of the last write and sync, milliseconds. */
  lastSyncMs: number;
  syncMode: 'inline' | 'pool';
}

/** Any number of readers, in this process or another. */
export interface LogReader {
  /**
   * Durable batches from `batch` on, as many as fit in about `maxBytes` (at least one where there is one). Empty where the log ends
   * there. Never a batch that could be lost in a crash. `knownDurable`: the last batch that the caller knows to be durable; after a power
   * loss the log itself may know less until its writer is back. Rejects with a LogError `gone` where retention has removed that batch.
   */
  read(batch: number, maxBytes: number, knownDurable?: number): Promise<Batch[]>;
  /** The last durable batch: 0 where the log is empty. */
  end(): Promise<number>;
  /** The first batch still kept: 1 where nothing was removed. */
  first(): Promise<number>;
  /** Resolves when the log has grown past `batch`, or the signal aborts. */
  grown(batch: number, signal: AbortSignal): Promise<void>;
  /** Says that `consumer` has no more need of batches before `batch`: retention keeps what any consumer still needs. */
  release(consumer: string, batch: number): Promise<void>;
  close(): Promise<void>;
}

export const LOG_ERRORS = {
  full: 'the log is full: free disk space, raise its size limit, or let what reads it catch up',
  failed: 'the log could not be written',
  locked: 'the log has another writer',
  gone: 'these entries were removed by retention',
  corrupt: 'the log is damaged',
} as const;

export class LogError extends Error {
  readonly code: keyof typeof LOG_ERRORS;
  /** Whether the same call may succeed later, with nothing changed by its caller. */
  readonly retry: boolean;

  constructor(code: keyof typeof LOG_ERRORS, detail = '', options?: ErrorOptions) {
    super(detail ? `${LOG_ERRORS[code]} (${detail})` : LOG_ERRORS[code], options);
    this.name = 'LogError';
    this.code = code;
    this.retry = code === 'full' || code === 'failed';
  }
}
