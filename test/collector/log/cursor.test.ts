import { describe, expect, it } from 'vitest';
import type { Batch, LogReader, Offset } from '../../../backbone/log.ts';
import { Cursor } from '../../../collector/log/cursor.ts';

const records = (...texts: string[]) => texts.map((text) => Buffer.from(text));

/** A log of these batches, read a few at a time; `reads` are the batches that were asked for. */
function logOf(batches: Batch[], atOnce = 2) {
  const reads: number[] = [];
  const reader = {
    read: async (batch: number) => {
      reads.push(batch);
      return batches.filter((b) => b.batch >= batch).slice(0, atOnce);
    },
  } as unknown as LogReader;
  return { reader, reads };
}

async function walk(cursor: Cursor): Promise<{ texts: string[]; offsets: Offset[] }> {
  const texts: string[] = [];
  const offsets: Offset[] = [];
  for (let bytes = await cursor.peek(); bytes; bytes = await cursor.peek()) {
    texts.push(Buffer.from(bytes).toString());
    offsets.push(cursor.next);
    cursor.advance();
  }
  return { texts, offsets };
}

const BATCHES: Batch[] = [
  { batch: 1, records: records('a', 'b') },
  { batch: 2, records: records('c') },
  { batch: 3, records: records('d', 'e') },
];

describe('a cursor', () => {
  it('gives each record once, under its own offset, and stands at its end', async () => {
    const cursor = new Cursor(logOf(BATCHES).reader, { batch: 1, index: 0 });

    const { texts, offsets } = await walk(cursor);

    expect(texts).toEqual(['a', 'b', 'c', 'd', 'e']);
    expect(offsets).toEqual([1.0, 1.1, 2.0, 3.0, 3.1].map((n) => ({ batch: Math.floor(n), index: Math.round((n % 1) * 10) })));
    expect(cursor.next).toEqual({ batch: 4, index: 0 });
  });

  it('goes on where the log has grown', async () => {
    const growing = [...BATCHES];
    const { reader } = logOf(growing);
    const cursor = new Cursor({ ...reader, read: async (batch) => growing.filter((b) => b.batch >= batch) }, { batch: 3, index: 2 });
    expect(await cursor.peek()).toBeUndefined();

    growing.push({ batch: 4, records: records('f') });

    expect((await walk(cursor)).texts).toEqual(['f']);
  });

  it('begins within a batch, and after the last record of one', async () => {
    expect((await walk(new Cursor(logOf(BATCHES).reader, { batch: 1, index: 1 }))).texts).toEqual(['b', 'c', 'd', 'e']);
    expect((await walk(new Cursor(logOf(BATCHES).reader, { batch: 1, index: 2 }))).texts).toEqual(['c', 'd', 'e']);
  });

  it('reads no batch twice', async () => {
    const { reader, reads } = logOf(BATCHES);

    await walk(new Cursor(reader, { batch: 1, index: 0 }));

    expect(reads).toEqual([1, 3, 4]);
  });

  it('passes over numbers that a damaged disk lost, and over batches without records, and repeats nothing', async () => {
    const torn: Batch[] = [
      { batch: 1, records: records('a') },
      { batch: 5, records: [] },
      { batch: 6, records: records('b') },
      { batch: 9, records: records('c', 'd') },
      { batch: 10, records: records('e') },
    ];

    for (const atOnce of [1, 2, 5]) {
      const { texts, offsets } = await walk(new Cursor(logOf(torn, atOnce).reader, { batch: 1, index: 0 }));

      expect(texts).toEqual(['a', 'b', 'c', 'd', 'e']);
      expect(offsets.map(({ batch, index }) => `${batch}.${index}`)).toEqual(['1.0', '6.0', '9.0', '9.1', '10.0']);
    }
  });
});
