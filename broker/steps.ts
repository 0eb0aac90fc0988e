/** By more than this wall clock and uptime part where the wall clock stepped; milliseconds. */
const STEP_MS = 1_000;

interface Clocks {
  /** Epoch milliseconds. */
  now(): number;
  /** Milliseconds of a clock that never steps. */
  uptime(): number;
}

/**
 * The wall clock, for stamps; `stepped` is called before the first one after a step. The log must know of it first: a report stamped an
 * hour ahead would move time there, and everybody else would have been silent for an hour.
 */
export function watchSteps({ now, uptime }: Clocks, stepped: () => void): () => number {
  let apart = now() - uptime();
  return () => {
    const at = now();
    const moved = at - uptime() - apart;
    if (Math.abs(moved) > STEP_MS) {
      apart += moved;
      stepped();
    }
    return at;
  };
}
