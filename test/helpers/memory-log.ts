import { type Batch, LogError, type LogReader, type LogStats, type LogWriter, type Offset } from '../../backbone/log.ts';

interface Waiting {
  records: readonly Uint8Array[];
  resolve(offset: Offset): void;
  reject(error: LogError): void;
}

/** A real log that lives in memory, whose sync a test can hold back or make fail, and whose readers it can break. */
export class MemoryLog implements LogWriter {
  readonly batches: Batch[] = [];
  readonly stats: LogStats = { batches: 0, records: 0, bytes: 0, lastSyncMs: 0, syncMode: 'inline' };
  /** While set, reading rejects with it. */
  readFailure: LogError | undefined;
  #waiting: Waiting[] = [];
  #failure: LogError['code'] | undefined;
  #held = false;
  #syncing = false;
  #grown = new Set<() => void>();

  get records(): Uint8Array[] {
    return this.batches.flatMap((batch) => batch.records);
  }

  append(records: readonly Uint8Array[]): Promise<Offset> {
    const done = new Promise<Offset>((resolve, reject) => this.#waiting.push({ records, resolve, reject }));
    this.#sync();
    return done;
  }

  add(record: Uint8Array, done: (error?: Error) => void): void {
    this.#waiting.push({ records: [Uint8Array.from(record)], resolve: () => done(), reject: done });
    this.#sync();
  }

  /** From now on nothing becomes durable until `release`. */
  hold(): void {
    this.#held = true;
  }

  release(): void {
    this.#held = false;
    this.#sync();
  }

  /** From now on every append rejects, until `heal`. */
  fail(code: 'full' | 'failed'): void {
    this.#failure = code;
    this.#sync();
  }

  heal(): void {
    this.#failure = undefined;
  }

  async close(): Promise<void> {}

  reader(): LogReader {
    return {
      read: async (batch) => this.#readable().filter((b) => b.batch >= batch),
      end: async () => this.#readable().length,
      first: async () => 1,
      grown: (batch, signal) => this.#waitForGrowth(batch, signal),
      release: async () => {},
      close: async () => {},
    };
  }

  #readable(): Batch[] {
    if (this.readFailure) throw this.readFailure;
    return this.batches;
  }

  async #waitForGrowth(batch: number, signal: AbortSignal): Promise<void> {
    if (this.#readable().length > batch || signal.aborted) return;
    await new Promise<void>((resolve) => {
      const wake = () => {
        this.#grown.delete(wake);
        resolve();
      };
      this.#grown.add(wake);
      signal.addEventListener('abort', wake, { once: true });
    });
  }

  #sync(): void {
    if (this.#syncing) return;
    this.#syncing = true;
    setImmediate(() => {
      this.#syncing = false;
      if (this.#waiting.length > 0 && (!this.#held || this.#failure)) this.#commit(this.#waiting.splice(0));
    });
  }

  #commit(group: Waiting[]): void {
    if (this.#failure) {
      for (const { reject } of group) reject(new LogError(this.#failure));
      return;
    }
    const records = group.flatMap((waiting) => [...waiting.records]);
    const batch = this.batches.length + 1;
    this.batches.push({ batch, records });
    this.#count(records);
    let index = 0;
    for (const waiting of group) {
      waiting.resolve({ batch, index });
      index += waiting.records.length;
    }
    for (const wake of [...this.#grown]) wake();
  }

  #count(records: readonly Uint8Array[]): void {
    this.stats.batches += 1;
    this.stats.records += records.length;
    this.stats.bytes += records.reduce((sum, record) => sum + record.length, 0);
  }
}
