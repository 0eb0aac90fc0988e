import { closeSync } from 'node:fs';
import { PREPARED, type Prepared, prepareSegment } from './files.ts';
import type { Space } from './space.ts';

const PAGE_BYTES = 4096;
const RETRY_MS = 1000;

/** Files for the next segments: one is made ready ahead, so that going on to it costs a rename. */
export class SegmentSupply {
  readonly #dir: string;
  readonly #segmentBytes: number;
  readonly #space: Space;
  readonly #uptime: () => number;
  #next: Promise<Prepared> | undefined;
  #triedAt = -Infinity;

  constructor(dir: string, segmentBytes: number, space: Space, uptime: () => number) {
    this.#dir = dir;
    this.#segmentBytes = segmentBytes;
    this.#space = space;
    this.#uptime = uptime;
  }

  /** Begins to make the next file where none is ready. A failure is told to who takes, if it lasts until then. */
  prepareAhead(): void {
    if (this.#next || this.#uptime() < this.#triedAt + RETRY_MS) return;
    this.#triedAt = this.#uptime();
    const next = this.#make(this.#segmentBytes, PREPARED);
    this.#next = next;
    next.catch(() => {
      if (this.#next === next) this.#next = undefined;
    });
  }

  /** A file of at least `bytes` bytes. Errors: LogError `full`; the system's. */
  take(bytes: number): Promise<Prepared> {
    if (bytes > this.#segmentBytes) return this.#make(Math.ceil(bytes / PAGE_BYTES) * PAGE_BYTES, `${PREPARED}-large`);
    const next = this.#next ?? this.#make(this.#segmentBytes, PREPARED);
    this.#next = undefined;
    return next;
  }

  async close(): Promise<void> {
    const next = await this.#next?.catch(() => undefined);
    if (next) closeSync(next.fd);
  }

  async #make(capacity: number, name: string): Promise<Prepared> {
    await this.#space.makeRoom(capacity);
    return prepareSegment(this.#dir, capacity, name);
  }
}
