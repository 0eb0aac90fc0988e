import { stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, onTestFinished, test } from 'vitest';
import { type Disk, realDisk } from '../../../backbone/segments/disk.ts';
import { type Fill, fillAlarm, readFill } from '../../../backbone/segments/fill.ts';
import { openSegmentReader } from '../../../backbone/segments/reader.ts';
import { openSegmentWriter, type SegmentOptions } from '../../../backbone/segments/writer.ts';
import { eventually } from '../../helpers/eventually.ts';
import { tempDir } from '../../helpers/tempdir.ts';
import { readAll } from './frames.ts';

const SEGMENT = 4096;
const RECORD = Buffer.alloc(1800, 1);

/** A log of segments of two batches each, whose time and disk a test moves: what the log takes is not free. */
async function logWith(options: SegmentOptions) {
  const dir = await tempDir();
  const world = { now: 1_000_000, free: 1e12 };
  const disk: Disk = { ...realDisk, freeBytes: async () => world.free };
  const fills: Fill[] = [];
  const writer = await openSegmentWriter(dir, {
    segmentBytes: SEGMENT,
    now: () => world.now,
    uptime: () => world.now,
    disk,
    onFill: (fill) => void fills.push(fill),
    ...options,
  });
  const reader = await openSegmentReader(dir);
  let batches = 0;
  /** How many of them were taken. */
  const append = async (count: number) => {
    for (let i = 0; i < count; i++) {
      const taken = await writer.append([RECORD]).catch((error) => {
        if (error.code !== 'full') throw error;
      });
      if (!taken) return i;
      batches = taken.batch;
    }
    return count;
  };
  return { dir, world, writer, reader, append, fills, batches: () => batches };
}

async function opened(options: SegmentOptions) {
  const log = await logWith(options);
  onTestFinished(async () => {
    await log.reader.close();
    await log.writer.close();
  });
  return log;
}

describe('how full a log is', () => {
  test('counts what is unread alone, and is told to every process', async () => {
    const { dir, world, reader, append } = await opened({ maxBytes: 10 * SEGMENT, consumers: ['watch'] });
    await append(8);
    await eventually(() => expect(readFill(dir)).toMatchObject({ size: expect.closeTo(0.4, 1), full: false }));

    await reader.release('watch', 8);
    world.now += 61_000;
    await append(1);

    await eventually(() => expect(readFill(dir)!.size).toBeLessThan(0.2));
  });

  test('is full at the refusal and no longer when there is room, though no other batch came between', async () => {
    const { dir, world, reader, append } = await opened({ maxBytes: 3 * SEGMENT, consumers: ['watch'] });
    const taken = await append(20);
    const full = readFill(dir);

    await reader.release('watch', 100);
    world.now += 1_001;
    await append(1);

    expect([taken, full]).toEqual([6, { size: expect.closeTo(1, 1), disk: 0, full: true }]);
    await eventually(() => expect(readFill(dir)).toMatchObject({ full: false, size: expect.closeTo(0.2, 0) }));
  });

  test('counts the disk without its reserve', async () => {
    const { dir, world, append } = await opened({ reserveBytes: 1_000_000, consumers: ['watch'] });
    world.free = 1_000_000 + 2 * SEGMENT;

    await append(5);

    await eventually(() => expect(readFill(dir)!.disk).toBeGreaterThan(0.45));
    expect(readFill(dir)!.size).toBe(0);
  });

  test('is for its owner alone, never grows, and is nothing where no writer has been or what stands there is torn', async () => {
    const { dir, append } = await opened({ maxBytes: 10 * SEGMENT });
    await append(3);
    const { mode, size } = await stat(join(dir, 'fill'));
    const other = await tempDir();
    const none = readFill(other);
    await writeFile(join(other, 'fill'), '{"size":0.1');

    expect([mode & 0o777, size]).toEqual([0o600, 80]);
    expect([none, readFill(other)]).toEqual([undefined, undefined]);
  });
});

test('the alarm is said once from 80 % on, and once when there is room again', () => {
  const said: string[] = [];
  const alarm = fillAlarm((line) => void said.push(line));
  const at = (size: number, disk = 0, full = false) => alarm({ size, disk, full });

  for (const size of [0, 0.79, 0.8, 0.85, 0.79, 1, 0.76]) at(size);
  at(1, 0, true);
  const once = [...said];
  for (const size of [0.74, 0.1, 0.79]) at(size);
  at(0.1, 0.9);

  expect(once).toEqual([expect.stringMatching(/80 % of its size limit/)]);
  expect(said.slice(1)).toEqual([expect.stringMatching(/room again/), expect.stringMatching(/90 % of the disk space/)]);
});

describe('for a disk that runs short', () => {
  test('what everybody has read goes, the oldest first, and no more of it than is wanted', async () => {
    const { world, reader, append } = await opened({ reserveBytes: 1_000_000, consumers: ['watch'] });
    await append(10);
    await reader.release('watch', 9);
    world.free = 1_000_000 - SEGMENT;

    const refused = await append(1);

    expect([refused, await reader.first()]).toEqual([0, 5]);
    world.free = 1_000_000 + SEGMENT;
    world.now += 1_001;
    expect(await append(2)).toBe(2);
    expect((await readAll(reader, 5)).map(({ batch }) => batch)).toEqual([5, 6, 7, 8, 9, 10, 11, 12]);
  });

  test('nothing goes where it would not be enough', async () => {
    const { world, reader, append } = await opened({ reserveBytes: 1_000_000, consumers: ['watch'] });
    await append(10);
    await reader.release('watch', 9);
    world.free = 0;

    expect([await append(1), await reader.first()]).toEqual([0, 1]);
  });
});

type Deed =
  | { kind: 'append'; count: number }
  | { kind: 'release'; consumer: string; batches: number }
  | { kind: 'pass'; ms: number }
  | { kind: 'free'; bytes: number };

const deed: fc.Arbitrary<Deed> = fc.oneof(
  { weight: 4, arbitrary: fc.record({ kind: fc.constant('append' as const), count: fc.integer({ min: 1, max: 6 }) }) },
  {
    weight: 3,
    arbitrary: fc.record({
      kind: fc.constant('release' as const),
      consumer: fc.constantFrom('watch', 'feed', 'other'),
      batches: fc.integer({ min: 0, max: 8 }),
    }),
  },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('pass' as const), ms: fc.constantFrom(500, 1_001, 61_000, 500_000) }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('free' as const), bytes: fc.constantFrom(0, 1_000, SEGMENT * 3, 1e12) }) },
);

test('whatever consumers, ages, sizes and disks do, no batch that somebody still needs goes, none that was taken is missing, and with room it goes on', async () => {
  let refusals = 0;
  let removals = 0;
  await fc.assert(
    fc.asyncProperty(fc.array(deed, { minLength: 5, maxLength: 40 }), async (deeds) => {
      const options = { maxBytes: 5 * SEGMENT, maxAgeMs: 100_000, reserveBytes: 1_000, consumers: ['watch', 'feed'] };
      const { world, writer, reader, append, batches } = await logWith(options);
      const released = new Map<string, number>();
      for (const one of deeds) {
        if (one.kind === 'append') refusals += (await append(one.count)) < one.count ? 1 : 0;
        else if (one.kind === 'pass') world.now += one.ms;
        else if (one.kind === 'free') world.free = one.bytes;
        else {
          const batch = Math.min(batches() + 1, (released.get(one.consumer) ?? 1) + one.batches);
          released.set(one.consumer, batch);
          await reader.release(one.consumer, batch);
        }
        const needed = Math.min(...['watch', 'feed'].map((consumer) => released.get(consumer) ?? 1), released.get('other') ?? Infinity);
        const first = await reader.first();
        expect(first).toBeLessThanOrEqual(Math.max(1, needed));
        removals += first > 1 ? 1 : 0;
        const kept = (await readAll(reader, first)).map(({ batch }) => batch);
        expect(kept).toEqual(Array.from({ length: batches() - first + 1 }, (_, i) => first + i));
      }
      for (const consumer of ['watch', 'feed', 'other']) await reader.release(consumer, batches() + 1);
      world.free = 1e12;
      world.now += 1_001;
      expect(await append(4)).toBe(4);
      await reader.close();
      await writer.close();
    }),
    { seed: 80, numRuns: 60 },
  );
  expect([refusals > 20, removals > 20], 'the cases that this is about came up').toEqual([true, true]);
}, 60_000);
