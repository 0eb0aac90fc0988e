/** Latencies by buckets of 4 %: a million of them take no more room than one. */
const BUCKETS = 500;
const LEAST_MS = 0.01;
const STEP = Math.log(1.04);

export class Latencies {
  readonly #buckets = new Float64Array(BUCKETS);
  #count = 0;

  add(ms: number): void {
    const bucket = Math.ceil(Math.log(Math.max(ms, LEAST_MS) / LEAST_MS) / STEP);
    this.#buckets[Math.min(BUCKETS - 1, bucket)]!++;
    this.#count++;
  }

  /** Milliseconds, as the upper end of a bucket; 0 where there was none. */
  at(quantile: number): number {
    let below = 0;
    const bucket = this.#buckets.findIndex((n) => {
      below += n;
      return below >= this.#count * quantile;
    });
    return this.#count === 0 ? 0 : Number((LEAST_MS * Math.exp(bucket * STEP)).toFixed(2));
  }

  clear(): void {
    this.#buckets.fill(0);
    this.#count = 0;
  }
}
