/** What a measurement is asked for, and the figures that it answers with. */

/** By the names of the command line. */
export type Options = Record<string, string | undefined>;

/** Of a table, by the titles of its columns. */
export type Row = Record<string, string | number>;

/** Numbers separated by commas; none of an empty text. */
export function numbersIn(list: string): number[] {
  return list.split(',').filter(Boolean).map(Number);
}

export function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.floor(sorted.length / 2)]!;
}

export function rounded(value: number, digits = 1): number {
  return Number(value.toFixed(digits));
}
