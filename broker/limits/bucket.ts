/**
 * A token bucket as one number, the time at which it is full again (the form that ITU-T I.371 calls GCRA): it needs no timer, and costs
 * a sum when it is spent from. It may be overdrawn, as what has been read was read; then nothing more is to come until that is made up for.
 */

/** How much a bucket gives. */
export interface Rate {
  /** Milliseconds in which one is made up for; 0 where there is no limit. */
  costMs: number;
  /** Milliseconds in which an empty bucket fills. */
  fillMs: number;
}

/** `amount` in each period of `periodMs`, all of it at once where one likes; 0 is no limit. */
export function rateOf(amount: number, periodMs: number): Rate {
  return { costMs: amount === 0 ? 0 : periodMs / amount, fillMs: periodMs };
}

export class Bucket {
  #fullAt = -Infinity;

  spend(count: number, { costMs }: Rate, now: number): void {
    this.#fullAt = Math.max(this.#fullAt, now) + count * costMs;
  }

  /** Milliseconds until there is one to be had; 0 where there is. */
  waitMs({ costMs, fillMs }: Rate, now: number): number {
    return Math.max(0, this.#fullAt + costMs - fillMs - now);
  }

  isFull(now: number): boolean {
    return this.#fullAt <= now;
  }
}
