/** Time as the broker knows it, handed in so that tests can move it. */
export interface BrokerClock {
  /** Epoch milliseconds. */
  now(): number;
  /** Milliseconds of a clock that never steps. */
  uptime(): number;
  /** Calls `run` each `ms` milliseconds until the function it returns is called. */
  every(ms: number, run: () => void): () => void;
}

export const systemClock: BrokerClock = {
  now: Date.now,
  uptime: () => performance.now(),
  every(ms, run) {
    const timer = setInterval(run, ms);
    return () => clearInterval(timer);
  },
};
