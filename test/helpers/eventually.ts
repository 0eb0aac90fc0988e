import { setTimeout as delay } from 'node:timers/promises';

export interface Patience {
  /** Give up after this long, milliseconds. */
  within?: number;
  /** Milliseconds between two tries. */
  every?: number;
}

class NoAnswer extends Error {}

/**
 * Calls `fn` until it no longer throws, and returns what it returned. The first try is at once, and the last one at the limit.
 * Errors: the last error of `fn`, or one that says what was waited for where `fn` never answered.
 */
export async function eventually<T>(fn: () => T | Promise<T>, { within = 10_000, every = 20 }: Patience = {}): Promise<T> {
  const deadline = performance.now() + within;
  let last: unknown;
  for (;;) {
    try {
      return await beforeDeadline(fn, deadline, within);
    } catch (error) {
      const left = deadline - performance.now();
      // A try that was cut off says less than the one before it; its timer may be a little early.
      if (!(error instanceof NoAnswer)) last = error;
      if (left <= 0) throw last ?? error;
      await delay(Math.min(every, left));
    }
  }
}

async function beforeDeadline<T>(fn: () => T | Promise<T>, deadline: number, within: number): Promise<T> {
  const abort = new AbortController();
  const limit = delay(Math.max(1, deadline - performance.now()), undefined, { signal: abort.signal }).then(
    () => Promise.reject(new NoAnswer(`the condition gave no answer within ${within} ms: ${fn}`)),
    () => new Promise<never>(() => {}),
  );
  try {
    return await Promise.race([fn(), limit]);
  } finally {
    abort.abort();
  }
}
