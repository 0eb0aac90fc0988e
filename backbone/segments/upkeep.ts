/** When a log's retention is looked after while it grows, and how full it is then told to be. What goes is decided in space.ts. */
import { type Fill, FillFile, fillOf } from './fill.ts';
import type { Limits, Space, Stock } from './space.ts';

const RETENTION_EVERY_MS = 60_000;
const FILL_EVERY_MS = 1_000;

export interface UpkeepOptions {
  limits: Limits;
  segmentBytes: number;
  onFill: (fill: Fill) => void;
  uptime: () => number;
  /** Bytes of the newest segment that are still free, and whether the last append was refused for want of space. */
  use: () => { unused: number; full: boolean };
}

export class Upkeep {
  readonly #space: Space;
  readonly #options: UpkeepOptions;
  readonly #fillFile: FillFile;
  #measured: { stock: Stock; free: number } = { stock: { bytes: 0, needed: 0 }, free: Number.POSITIVE_INFINITY };
  #retention: Promise<unknown> = Promise.resolve();
  #retentionAt: number;
  #fillToldAt = Number.NEGATIVE_INFINITY;

  constructor(dir: string, space: Space, options: UpkeepOptions) {
    this.#space = space;
    this.#options = options;
    this.#fillFile = new FillFile(dir);
    this.#retentionAt = options.uptime();
  }

  /** After each batch: does what is due. A failure here is met again, and told, where the next segment is made. */
  keep(): void {
    const now = this.#options.uptime();
    if (now >= this.#fillToldAt + FILL_EVERY_MS) this.tellFill();
    if (now < this.#retentionAt + RETENTION_EVERY_MS) return;
    this.#retentionAt = now;
    this.#retention = this.measure().catch(() => {});
  }

  /** Retention is due with the next batch. */
  hasten(): void {
    this.#retentionAt = Number.NEGATIVE_INFINITY;
  }

  /** The log goes on in another segment. */
  grew(segmentBytes: number): void {
    this.#measured.stock.needed += segmentBytes;
    this.hasten();
  }

  /** Removes what may go, and tells how full it is then. */
  async measure(): Promise<void> {
    this.#measured = await this.#space.trim();
    this.tellFill();
  }

  tellFill(): void {
    const { uptime, use, limits, segmentBytes, onFill } = this.#options;
    this.#fillToldAt = uptime();
    const { stock, free } = this.#measured;
    const { unused, full } = use();
    const fill = { ...fillOf(stock, unused, free, limits, segmentBytes), full };
    onFill(fill);
    try {
      this.#fillFile.publish(fill);
    } catch {
      // It is told again at the next measure.
    }
  }

  async close(): Promise<void> {
    await this.#retention;
    this.#fillFile.close();
  }
}
