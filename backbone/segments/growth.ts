/** Wakes the readers of a log in the same process at once; those of other processes look again by themselves. */
const waiting = new Map<string, Set<() => void>>();

export function announceGrowth(dir: string): void {
  const wakers = waiting.get(dir);
  if (!wakers) return;
  waiting.delete(dir);
  for (const wake of wakers) wake();
}

/** Resolves at the next growth, after `pollMs`, or when the signal aborts, whichever is first. */
export function nextGrowth(dir: string, pollMs: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const wakers = waiting.get(dir) ?? new Set();
    waiting.set(dir, wakers);
    const wake = () => {
      clearTimeout(timer);
      signal.removeEventListener('abort', wake);
      wakers.delete(wake);
      if (wakers.size === 0 && waiting.get(dir) === wakers) waiting.delete(dir);
      resolve();
    };
    const timer = setTimeout(wake, pollMs);
    signal.addEventListener('abort', wake, { once: true });
    wakers.add(wake);
  });
}
