/** Numbers in [0, 1) that follow from the seed alone (mulberry32), so that a round can be played again. */
export function seeded(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = state;
    t = Math.imul(t ^ (t >>> 15), t | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** A whole number from `least` to `most`. */
export function between(random: () => number, least: number, most: number): number {
  return least + Math.floor(random() * (most - least + 1));
}

export function pick<T>(random: () => number, items: readonly T[]): T {
  return items[between(random, 0, items.length - 1)]!;
}

export function shuffled<T>(random: () => number, items: readonly T[]): T[] {
  const left = [...items];
  return items.map(() => left.splice(between(random, 0, left.length - 1), 1)[0]!);
}
