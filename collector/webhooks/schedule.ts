/** When a delivery is tried again (the schedule of the alert catalogue). All times are epoch milliseconds. */

const SECOND_MS = 1_000;
const MINUTE_MS = 60 * SECOND_MS;
const HOUR_MS = 60 * MINUTE_MS;

/** Attempts, counted from the first. */
export const ATTEMPTS_AFTER_MS = [
  0,
  5 * SECOND_MS,
  5 * MINUTE_MS,
  30 * MINUTE_MS,
  2 * HOUR_MS,
  5 * HOUR_MS,
  10 * HOUR_MS,
  14 * HOUR_MS,
  20 * HOUR_MS,
  24 * HOUR_MS,
] as const;

/** A part of the gap before an attempt, by which it may come later: many deliveries that failed together come back apart. */
const JITTER = 0.1;
/** A receiver that asks us to slow down, and does not say for how long. */
const SLOW_DOWN_MS = MINUTE_MS;
const MAX_RETRY_AFTER_MS = 24 * HOUR_MS;
const SLOW_DOWN_STATUSES: readonly number[] = [429, 502, 504];

/** An endpoint that has failed for so long, with no success in between, is disabled. */
export const DISABLED_AFTER_MS = 5 * 24 * HOUR_MS;
/** Failures that are further apart do not belong together: what is tried at all is tried each six hours. */
export const FAILURES_APART_MS = 24 * HOUR_MS;

/**
 * When to try again what was first tried at `firstAt` and last at `lastAt` (the start of that attempt); null where that was the last
 * attempt. What passed while we were away is not made up for: of the attempts ahead, the next is taken. Where the clock was put back
 * behind the first attempt, that is the second one.
 */
export function nextAttemptAt(firstAt: number, lastAt: number, random: () => number): number | null {
  const passed = Math.max(0, lastAt - firstAt);
  const next = ATTEMPTS_AFTER_MS.findIndex((after) => after > passed);
  if (next < 0) return null;
  const after = ATTEMPTS_AFTER_MS[next]!;
  const gap = after - ATTEMPTS_AFTER_MS[next - 1]!;
  return Math.round(firstAt + after + random() * JITTER * gap);
}

/** Until when a receiver wants to be left alone, by its answer at `at`; null where it asks for nothing. */
export function slowDownUntil(status: number, retryAfter: string | undefined, at: number): number | null {
  const asked = retryAfter === undefined ? null : retryAfterMs(retryAfter, at);
  if (asked !== null) return at + Math.min(asked, MAX_RETRY_AFTER_MS);
  return SLOW_DOWN_STATUSES.includes(status) ? at + SLOW_DOWN_MS : null;
}

/** Retry-After (RFC 9110, 10.2.3): seconds, or a date. Null for what is neither. */
function retryAfterMs(text: string, at: number): number | null {
  const trimmed = text.trim();
  if (/^\d+$/.test(trimmed)) return Number(trimmed) * SECOND_MS;
  const date = parseHttpDate(trimmed);
  return Number.isNaN(date) ? null : Math.max(0, date - at);
}

/** A date in one of its three forms (RFC 9110, 5.6.7), or NaN: Date.parse alone finds a date in "later 5", too. */
function parseHttpDate(text: string): number {
  const isFixed = /^[A-Z][a-z]{2}, \d\d [A-Z][a-z]{2} \d{4} \d\d:\d\d:\d\d GMT$/.test(text);
  const isRfc850 = /^[A-Z][a-z]{5,8}, \d\d-[A-Z][a-z]{2}-\d\d \d\d:\d\d:\d\d GMT$/.test(text);
  if (isFixed || isRfc850) return Date.parse(text);
  const isAsctime = /^[A-Z][a-z]{2} [A-Z][a-z]{2} [ \d]\d \d\d:\d\d:\d\d \d{4}$/.test(text);
  // That form does not name its zone.
  return isAsctime ? Date.parse(`${text} GMT`) : Number.NaN;
}
