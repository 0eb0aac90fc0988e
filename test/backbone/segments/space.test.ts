import { readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { type Disk, realDisk } from '../../../backbone/segments/disk.ts';
import { listSegments } from '../../../backbone/segments/files.ts';
import { openSegmentReader } from '../../../backbone/segments/reader.ts';
import { openSegmentWriter, type SegmentOptions } from '../../../backbone/segments/writer.ts';
import { eventually } from '../../helpers/eventually.ts';
import { tempDir } from '../../helpers/tempdir.ts';
import { readAll } from './frames.ts';

const SEGMENT = 4096;
const RECORD = Buffer.alloc(1800, 1);

/** A log of segments that hold two batches each, whose time and disk space the test moves. */
async function logWith(options: SegmentOptions) {
  const dir = await tempDir();
  const world = { now: 1_000_000, free: 1e12 };
  const disk: Disk = { ...realDisk, freeBytes: async () => world.free };
  const writer = await openSegmentWriter(dir, { segmentBytes: SEGMENT, now: () => world.now, uptime: () => world.now, disk, ...options });
  const reader = await openSegmentReader(dir);
  onTestFinished(async () => {
    await reader.close();
    await writer.close();
  });
  const append = async (batches: number) => {
    for (let i = 0; i < batches; i++) await writer.append([RECORD]);
  };
  return { dir, world, writer, reader, append };
}

async function bytesIn(dir: string): Promise<number> {
  const names = (await readdir(dir)).filter((n) => n.endsWith('.seg') || n.startsWith('prepared'));
  const sizes = await Promise.all(names.map(async (n) => (await stat(join(dir, n))).size));
  return sizes.reduce((sum, size) => sum + size, 0);
}

test('without limits nothing is removed', async () => {
  const { world, reader, append } = await logWith({});

  await append(10);
  world.now += 1e12;
  await append(10);

  expect([await reader.first(), (await readAll(reader)).length]).toEqual([1, 20]);
});

test('segments go when the last of their batches is too old, and reading them says that they are gone', async () => {
  const { world, reader, append } = await logWith({ maxAgeMs: 60_000 });
  await append(4);
  world.now += 50_000;
  await append(2);
  const before = await reader.first();

  world.now += 15_000;
  await append(2);

  await eventually(async () => expect(await reader.first()).toBe(5));
  expect(before).toBe(1);
  await expect(reader.read(2, SEGMENT)).rejects.toMatchObject({ code: 'gone', retry: false });
  expect((await readAll(reader, 5)).map(({ batch }) => batch)).toEqual([5, 6, 7, 8]);
});

test('old segments go within a minute also where no new segment is begun', async () => {
  const { world, reader, append } = await logWith({ maxAgeMs: 30_000 });
  await append(3);

  world.now += 61_000;
  await append(1);

  await eventually(async () => expect(await reader.first()).toBe(3));
});

test('the oldest go when the log would be larger than it may', async () => {
  const { dir, reader, append } = await logWith({ maxBytes: 4 * SEGMENT });

  await append(30);

  expect(await bytesIn(dir)).toBeLessThanOrEqual(4 * SEGMENT);
  expect(await reader.first()).toBeGreaterThan(20);
  expect((await readAll(reader, await reader.first())).at(-1)!.batch).toBe(30);
});

test('what a consumer still needs is kept, whatever its age, and the log is full rather than smaller', async () => {
  const { world, reader, append } = await logWith({ maxAgeMs: 1000, maxBytes: 4 * SEGMENT });
  await reader.release('watch', 3);
  await reader.release('feed', 100);

  await append(8);
  world.now += 120_000;

  await expect(append(3)).rejects.toMatchObject({ code: 'full', retry: true });
  expect(await reader.first()).toBe(3);
  expect((await readAll(reader, 3)).map(({ batch }) => batch)).toEqual([3, 4, 5, 6, 7, 8, 9, 10]);
});

test('while an expected consumer has said nothing everything is kept; then retention goes by what all of them need', async () => {
  const { world, reader, append } = await logWith({ maxAgeMs: 1000, maxBytes: 4 * SEGMENT, consumers: ['watch', 'feed'] });
  await reader.release('feed', 100);
  await append(8);
  world.now += 120_000;

  await expect(append(3)).rejects.toMatchObject({ code: 'full', retry: true });
  const before = await reader.first();
  await reader.release('watch', 5);
  world.now += 1001;
  await append(2);

  expect([before, await reader.first()]).toEqual([1, 5]);
  expect((await readAll(reader, 5)).map(({ batch }) => batch)).toEqual([5, 6, 7, 8, 9, 10]);
});

test('a full log takes appends again once a consumer has gone on', async () => {
  const { world, reader, append } = await logWith({ maxBytes: 3 * SEGMENT });
  await reader.release('watch', 1);
  await append(6);
  await expect(append(1)).rejects.toMatchObject({ code: 'full' });

  await reader.release('watch', 6);
  await expect(append(1), 'the disk is not asked at every append').rejects.toMatchObject({ code: 'full' });
  world.now += 1001;
  await append(2);

  expect((await readAll(reader, await reader.first())).at(-1)!.batch).toBe(8);
});

test('disk space held in reserve is not taken, and when there is space again appends go on', async () => {
  const { world, writer, reader, append } = await logWith({ reserveBytes: 1_000_000 });
  world.free = 1_000_000 + SEGMENT - 1;
  await append(2);

  await expect(append(1)).rejects.toMatchObject({ code: 'full', message: expect.stringContaining('reserve') });
  const both = await Promise.allSettled([writer.append([RECORD]), writer.append([Buffer.alloc(1)])]);
  world.free = 2_000_000;
  world.now += 1001;
  await append(2);

  expect(both.map(({ status }) => status)).toEqual(['rejected', 'rejected']);
  expect((await readAll(reader)).map(({ batch }) => batch)).toEqual([1, 2, 3, 4]);
});

test('a new log on a disk without space is refused as full', async () => {
  const disk: Disk = { ...realDisk, freeBytes: async () => 0 };

  await expect(openSegmentWriter(await tempDir(), { segmentBytes: SEGMENT, disk })).rejects.toMatchObject({ code: 'full' });
});

test('the next segment is made ready before it is needed', async () => {
  const { dir, append } = await logWith({});

  await append(2);

  await eventually(async () => expect((await stat(join(dir, 'prepared'))).size).toBe(SEGMENT));
  expect(await listSegments(dir)).toHaveLength(1);
});

test('a batch larger than a segment gets a segment of its own', async () => {
  const { dir, writer, reader, append } = await logWith({});
  await append(1);

  await writer.append([Buffer.alloc(50_000, 9)]);
  await append(1);

  expect((await readAll(reader)).map(({ records }) => records[0]!.length)).toEqual([1800, 50_000, 1800]);
  const sizes = await Promise.all((await listSegments(dir)).map(async ({ path }) => (await stat(path)).size));
  expect(sizes).toEqual([SEGMENT, expect.closeTo(50_000, -4)]);
});

test('what waits beyond the size of a batch goes into the next one', async () => {
  const { writer, reader } = await logWith({ segmentBytes: 1024 * 1024, maxBatchBytes: 10_000 });

  await Promise.all(Array.from({ length: 20 }, () => writer.append([RECORD])));

  expect((await readAll(reader)).map(({ records }) => records.length)).toEqual([5, 5, 5, 5]);
});

test('a name of a consumer that is no name for a file is refused', async () => {
  const { reader } = await logWith({});

  await expect(reader.release('../state', 1)).rejects.toBeInstanceOf(RangeError);
});
