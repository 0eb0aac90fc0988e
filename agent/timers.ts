/** Timers, passed in so that tests can move time. */
export interface Timers {
  /** Calls `fn` once, `ms` milliseconds from now; the answer cancels that. */
  set(ms: number, fn: () => void): () => void;
}

export const systemTimers: Timers = {
  set(ms, fn) {
    const timer = setTimeout(fn, ms);
    return () => clearTimeout(timer);
  },
};
