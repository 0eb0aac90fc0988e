import type { Batch, LogReader, Offset } from '../../backbone/log.ts';

const READ_BYTES = 1 << 20;

/** Walks one log record by record. */
export class Cursor {
  readonly #reader: LogReader;
  #batches: Batch[] = [];
  #next: Offset;

  constructor(reader: LogReader, next: Offset) {
    this.#reader = reader;
    this.#next = next;
  }

  /** The offset of the next record, whether it is there yet or not. */
  get next(): Offset {
    return this.#next;
  }

  /** The next record, from the log if need be; undefined at its end. `knownDurable`: see LogReader.read. */
  async peek(knownDurable = 0): Promise<Uint8Array | undefined> {
    // A batch without records closes a gap, so there may be more behind it.
    for (;;) {
      const bytes = this.peekLoaded();
      if (bytes || !(await this.#load(knownDurable))) return bytes;
    }
  }

  /** The next record if it is in memory already. */
  peekLoaded(): Uint8Array | undefined {
    let first = this.#batches[0];
    while (first && this.#next.index >= first.records.length) {
      this.#batches.shift();
      first = this.#batches[0];
      this.#next = { batch: first?.batch ?? this.#next.batch + 1, index: 0 };
    }
    return first?.records[this.#next.index];
  }

  advance(): void {
    this.#next = { batch: this.#next.batch, index: this.#next.index + 1 };
  }

  /** Goes on at an offset that this process has just appended up to: what lies before it need not be read. */
  skipTo(offset: Offset): void {
    this.#next = offset;
    this.#batches = [];
  }

  /** Resolves when there may be more to read, or the signal aborts. */
  grown(signal: AbortSignal): Promise<void> {
    return this.#reader.grown(this.#next.batch - 1, signal);
  }

  async #load(knownDurable: number): Promise<boolean> {
    if (this.#batches.length > 0) return true;
    this.#batches = await this.#reader.read(this.#next.batch, READ_BYTES, knownDurable);
    const [first] = this.#batches;
    // Batches that a damaged disk lost leave a gap in the numbers.
    if (first && first.batch > this.#next.batch) this.#next = { batch: first.batch, index: 0 };
    return first !== undefined;
  }
}
