/**
 * Deadlines, counted in ticks rather than read off a clock: where this process stood still, no tick came, and what terminals sent
 * meanwhile is read before the next one is.
 */
export interface Wheel<T> {
  /** Ticks so far. */
  now(): number;
  /** Puts an entry in, to be due after `ticks` (1 to MAX_TICKS) of them; returns what takes it out again. */
  add(entry: T, ticks: number): Slot<T>;
  /** Calls `due` with each entry whose ticks are over, and drops it. */
  tick(): void;
}

export interface Slot<T> {
  delete(entry: T): boolean;
}

export const MAX_TICKS = 2_047;

/** An entry costs something when it is put in and when it is due: a tick does not walk the others. */
export function createWheel<T>(due: (entry: T) => void): Wheel<T> {
  const slots = Array.from({ length: MAX_TICKS + 1 }, () => new Set<T>());
  let now = 0;
  return {
    now: () => now,
    add: (entry, ticks) => slots[(now + ticks) % slots.length]!.add(entry),
    tick() {
      now += 1;
      const index = now % slots.length;
      const entries = slots[index]!;
      slots[index] = new Set();
      for (const entry of entries) due(entry);
    },
  };
}
