/**
 * Whether to write and sync on the event loop, which is cheapest where the disk is quick, or in the thread pool, so that a slow disk
 * does not hold the loop. The figures behind it: a pool round trip costs about as much as a sync of a quiet disk.
 */
const SLOW_MS = 2;
const QUICK_MS = 1;
const WEIGHT = 0.1;
/** In the pool, one batch in so many is tried on the loop: a busy pool looks like a slow disk. */
const PROBE_EVERY = 256;

export type SyncMode = 'inline' | 'pool';

export class Pace {
  mode: SyncMode = 'inline';
  #averageMs = 0;
  #sinceProbe = 0;

  /** The way to commit the next batch. */
  next(): SyncMode {
    if (this.mode === 'inline') return 'inline';
    this.#sinceProbe++;
    return this.#sinceProbe % PROBE_EVERY === 0 ? 'inline' : 'pool';
  }

  /** Tells what a write and sync took. */
  took(ms: number, by: SyncMode): void {
    if (this.mode === 'pool' && by === 'inline' && ms <= QUICK_MS) this.#averageMs = ms;
    else this.#averageMs += (ms - this.#averageMs) * WEIGHT;
    if (this.#averageMs > SLOW_MS) this.mode = 'pool';
    else if (this.#averageMs <= QUICK_MS) this.mode = 'inline';
    if (this.mode === 'inline') this.#sinceProbe = 0;
  }
}
