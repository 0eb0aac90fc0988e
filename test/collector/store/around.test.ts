import { describe, expect, it } from 'vitest';
import { type Range, writeAround } from '../../../collector/store/around.ts';
import { StoreError } from '../../../collector/store/port.ts';

const ALL: Range = { from: 0, to: 5_000 };
const numbers = ({ from, to }: Range) => Array.from({ length: to - from }, (_, i) => from + i);

/** A server that writes the others of a batch, and says how many it left out, as InfluxDB does. */
function partial(refuses: (line: number) => boolean, counts = true) {
  const written = new Set<number>();
  let writes = 0;
  const write = async (range: Range) => {
    writes++;
    const bad = numbers(range).filter(refuses);
    for (const line of numbers(range)) if (!bad.includes(line)) written.add(line);
    if (bad.length > 0) throw new StoreError('rejected', 'partial write', { dropped: counts ? bad.length : 0 });
  };
  return { write, written, writes: () => writes };
}

/** A server that writes all of a batch or nothing of it, as one that cannot read a line. */
function whole(refuses: (line: number) => boolean) {
  const written = new Set<number>();
  const write = async (range: Range) => {
    if (numbers(range).some(refuses)) throw new StoreError('rejected', 'unable to parse');
    for (const line of numbers(range)) written.add(line);
  };
  return { write, written };
}

describe('writing around', () => {
  it.each([
    ['every other one', (line: number) => line % 2 === 0, true],
    ['all, uncounted', () => true, false],
  ])('of %s of 5000 lines takes 200 writes or little more, and every line is written or kept', async (_, refuses, counts) => {
    const { write, written, writes } = partial(refuses, counts);
    const kept = new Set<number>();

    await writeAround(write, ALL, async (range) => {
      for (const line of numbers(range)) kept.add(line);
    });

    expect(writes()).toBeLessThanOrEqual(205);
    expect(numbers(ALL).filter((line) => !written.has(line) && !kept.has(line))).toEqual([]);
    expect(numbers(ALL).filter((line) => refuses(line) && !kept.has(line))).toEqual([]);
  });

  it('of a server that takes all or nothing finds the very lines, and writes the others once each', async () => {
    const { write, written } = whole((line) => line === 7 || line === 4_999);
    const kept: number[] = [];

    await writeAround(write, ALL, async (range, detail) => {
      expect(detail).toMatch(/unable to parse/);
      kept.push(...numbers(range));
    });

    expect(kept.sort()).toEqual([4_999, 7]);
    expect(written.size).toBe(4_998);
  });

  it('ends with what is no refusal, for all to be written again', async () => {
    const { write } = whole((line) => line === 7);
    let writes = 0;

    const around = writeAround(
      (range) => (++writes === 4 ? Promise.reject(new StoreError('unavailable', 'away')) : write(range)),
      ALL,
      async () => {},
    );

    await expect(around).rejects.toMatchObject({ code: 'unavailable' });
  });

  it('lets others run between its writes', async () => {
    const { write, writes } = partial((line) => line % 100 === 0);
    let turns = 0;
    let over = false;
    const turn = () => {
      turns++;
      if (!over) setImmediate(turn);
    };
    setImmediate(turn);

    await writeAround(write, ALL, async () => {});
    over = true;

    expect(turns).toBeGreaterThanOrEqual(writes() - 2);
  });
});
