/**
 * The last few levels of a terminal and when they were, as text of three characters a point: a million terminals keep it. Times are kept to
 * five seconds and levels to a hundredth of a decibel; all characters are below those that stand for others in pairs.
 */
const STEP_MS = 5_000;
const WORD_BITS = 15;
const CHARS = 3;
const LEVELS_PER_DB = 100;
const FLOOR_DBM = -200;

/** With one point more, and of so many at the most. */
export function withPoint(recent: string, most: number, at: number, level: number): string {
  const codes: number[] = [];
  for (let i = Math.max(0, recent.length - CHARS * (most - 1)); i < recent.length; i++) codes.push(recent.charCodeAt(i));
  const step = Math.round(at / STEP_MS);
  codes.push(step >> WORD_BITS, step & (2 ** WORD_BITS - 1), Math.round((level - FLOOR_DBM) * LEVELS_PER_DB));
  return String.fromCharCode(...codes);
}

/** Times, epoch milliseconds, and levels, dBm, in turns; oldest first. */
export function pointsOf(recent: string): number[] {
  const points: number[] = [];
  for (let i = 0; i < recent.length; i += CHARS) points.push(timeAt(recent, i), recent.charCodeAt(i + 2) / LEVELS_PER_DB + FLOOR_DBM);
  return points;
}

/** When the newest was; null where there is none. */
export function newestAt(recent: string): number | null {
  return recent === '' ? null : timeAt(recent, recent.length - CHARS);
}

function timeAt(recent: string, index: number): number {
  return (recent.charCodeAt(index) * 2 ** WORD_BITS + recent.charCodeAt(index + 1)) * STEP_MS;
}
