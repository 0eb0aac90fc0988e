/** Milliseconds. */
const BASE_MS = 1_000;
const CAP_MS = 5 * 60_000;

/**
 * How long to wait before reconnecting after `failures` failed tries (from 0), milliseconds: "full jitter", a random time between 0 and
 * min(cap, base * 2^failures), so that a fleet whose broker restarts comes back spread out
 * (https://aws.amazon.com/blogs/architecture/exponential-backoff-and-jitter/). Half an interval is a cap, too: once the broker is back, a
 * terminal has one interval to be heard before it counts as offline.
 */
export function fullJitter(failures: number, intervalSeconds: number, random: () => number): number {
  return random() * Math.min(CAP_MS, intervalSeconds * 500, BASE_MS * 2 ** failures);
}

/** How long to wait after the broker refused the credentials, milliseconds: only a person can mend that, so between half the cap and the cap. */
export function slowDelay(random: () => number): number {
  return CAP_MS * (0.5 + random() / 2);
}
