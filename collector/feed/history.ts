/** What held when: values, each from a moment on (epoch milliseconds), in the order in which they became known. */
export type History<T> = { from: number; value: T }[];

/** Moves that are remembered: what is older than this many is put under the oldest of them. */
const KEPT = 32;

/** Notes what holds from `from` on; the same again is nothing new. What became known later never holds from before what was known. */
export function noteValue<T>(history: History<T>, from: number, value: T): void {
  const last = history.at(-1);
  if (last && JSON.stringify(last.value) === JSON.stringify(value)) return;
  const since = Math.max(from, last?.from ?? from);
  if (last?.from === since) last.value = value;
  else history.push({ from: since, value });
  if (history.length > KEPT) history.shift();
}

/** What held at `at`; before the first that is known, that one. */
export function valueAt<T>(history: Readonly<History<T>>, at: number): T | undefined {
  return (history.findLast(({ from }) => from <= at) ?? history[0])?.value;
}
