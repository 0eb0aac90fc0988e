/** Seeded randomness: whole numbers alone, so that every Node gives the same. A stream of its own for each thing that lives by chance. */
import { uniformInt } from 'pure-rand/distribution/uniformInt';
import { xoroshiro128plusFromState } from 'pure-rand/generator/xoroshiro128plus';
import type { RandomGenerator } from 'pure-rand/types/RandomGenerator';

export type Stream = RandomGenerator;

/** What streams are of. The numbers are part of what a seed means. */
export const OF = { town: 1, merchant: 2, terminal: 3, merchantDay: 4, townDay: 5, fleetDay: 6, fleet: 7 } as const;

/** The stream of one thing: by the seed, what it is of, and its numbers. */
export function streamOf(seed: number, ...path: readonly number[]): Stream {
  let a = mix(seed ^ 0x9e3779b9);
  let b = mix(Math.floor(seed / 2 ** 32) ^ a ^ 0x85ebca6b);
  for (const step of path) {
    a = mix(a ^ mix(step + 0x7f4a7c15));
    b = mix(b + a + step);
  }
  return xoroshiro128plusFromState([a, b, mix(a ^ 0x2545f491), mix(b ^ 0x632be5ab)]);
}

/** The finaliser of MurmurHash3 (Appleby, public domain): spreads neighbouring numbers over all 32 bits. */
function mix(value: number): number {
  let h = value | 0;
  h = Math.imul(h ^ (h >>> 16), 0x85ebca6b);
  h = Math.imul(h ^ (h >>> 13), 0xc2b2ae35);
  return (h ^ (h >>> 16)) | 0;
}

/** A whole number between the two, both included. */
export function draw(stream: Stream, [least, most]: readonly [number, number]): number {
  return least === most ? least : uniformInt(stream, least, most);
}

export function percent(stream: Stream, share: number): boolean {
  return uniformInt(stream, 0, 99) < share;
}

export function permille(stream: Stream, share: number): boolean {
  return uniformInt(stream, 0, 999) < share;
}

/** One of the values; undefined where there is none. */
export function anyOf<T>(stream: Stream, values: readonly T[]): T | undefined {
  return values[values.length <= 1 ? 0 : uniformInt(stream, 0, values.length - 1)];
}

/** One of values of which there is at least one. */
export function pick<T>(stream: Stream, values: readonly T[]): T {
  return anyOf(stream, values)!;
}

export function weighted<T>(stream: Stream, values: readonly (readonly [T, number])[]): T {
  let left = uniformInt(stream, 0, values.reduce((sum, [, weight]) => sum + weight, 0) - 1);
  for (const [value, weight] of values) {
    if (left < weight) return value;
    left -= weight;
  }
  throw new Error('weights are whole numbers, and one at least is above 0');
}
