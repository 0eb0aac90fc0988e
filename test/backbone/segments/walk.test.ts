import { rm, truncate, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { realDisk } from '../../../backbone/segments/disk.ts';
import { segmentPath } from '../../../backbone/segments/files.ts';
import { type Step, walkLog } from '../../../backbone/segments/walk.ts';
import { openSegmentWriter } from '../../../backbone/segments/writer.ts';
import { tempDir } from '../../helpers/tempdir.ts';
import { framesIn } from './frames.ts';

const OPTIONS = { segmentBytes: 4096 };
const RECORD = Buffer.alloc(1800, 1);

/** A log of this many batches, two a segment. */
async function logOf(batches: number) {
  const dir = await tempDir();
  const writer = await openSegmentWriter(dir, OPTIONS);
  const append = async (count: number) => {
    for (let i = 0; i < count; i++) await writer.append([RECORD]);
  };
  await append(batches);
  return { dir, writer, append };
}

async function walked(dir: string): Promise<Step[]> {
  const steps: Step[] = [];
  for await (const step of walkLog(dir)) steps.push(step);
  return steps;
}

const batchesIn = (steps: readonly Step[]) => steps.flatMap((step) => (step.kind === 'batch' ? [step.batch] : []));
const wrongIn = (steps: readonly Step[]) => steps.filter(({ kind }) => kind === 'damage' || kind === 'torn');

test('a walk gives segments and batches with their times, in order', async () => {
  const { dir, writer } = await logOf(3);
  await writer.close();

  const steps = await walked(dir);

  expect(steps.map(({ kind }) => kind)).toEqual(['segment', 'batch', 'batch', 'segment', 'batch']);
  expect(steps[0]).toEqual({ kind: 'segment', path: segmentPath(dir, 1), bytes: 4096 });
  expect(steps[1]).toMatchObject({ batch: 1, at: expect.closeTo(Date.now(), -5), bytes: 1848, records: [RECORD] });
});

test('of a folder that is not there, or empty, a walk gives nothing', async () => {
  const dir = await tempDir();

  expect([await walked(dir), await walked(join(dir, 'none'))]).toEqual([[], []]);
});

test('beside a writer a walk ends where the log was durable when it began, and what is written meanwhile is no damage', async () => {
  const { dir, writer, append } = await logOf(5);
  onTestFinished(() => writer.close());
  const steps: Step[] = [];

  for await (const step of walkLog(dir)) {
    steps.push(step);
    await append(1);
  }

  expect([batchesIn(steps), wrongIn(steps)]).toEqual([[1, 2, 3, 4, 5], []]);
});

test('segments that retention removes during a walk are no damage', async () => {
  const { dir, writer } = await logOf(6);
  await writer.close();
  const steps: Step[] = [];

  for await (const step of walkLog(dir)) {
    steps.push(step);
    if (step.kind === 'batch') await rm(segmentPath(dir, 3), { force: true });
  }

  expect([batchesIn(steps), wrongIn(steps)]).toEqual([[1, 2, 5, 6], []]);
});

test('batches that the disk lost, a file that is missing and an empty folder of a log that was not are named', async () => {
  const lost = await logOf(2);
  await lost.writer.close();
  await truncate(segmentPath(lost.dir, 1), framesIn(segmentPath(lost.dir, 1)).frames[1]!.offset + 10);
  await (await openSegmentWriter(lost.dir, OPTIONS)).close();
  const gone = await logOf(6);
  await gone.writer.close();
  await rm(segmentPath(gone.dir, 3));
  const bare = await logOf(2);
  await bare.writer.close();
  await rm(segmentPath(bare.dir, 1));

  const wrong = [lost, gone, bare].map(async ({ dir }) => wrongIn(await walked(dir)));

  expect(await Promise.all(wrong)).toEqual([
    [{ kind: 'damage', path: segmentPath(lost.dir, 3), offset: 0, what: 'batch 2 is damaged or missing since before this file was begun' }],
    [{ kind: 'damage', path: segmentPath(gone.dir, 1), offset: 64 + 2 * 1848, what: 'batches 3 to 4 are damaged or missing here' }],
    [{ kind: 'damage', path: bare.dir, offset: 0, what: 'batches 1 to 2 are damaged or missing here' }],
  ]);
});

test('a new file of which a power loss kept no byte is torn, and one of another name is damaged', async () => {
  const { dir, writer } = await logOf(2);
  await writer.close();
  await writeFile(segmentPath(dir, 3), Buffer.alloc(4096));
  const blank = wrongIn(await walked(dir));
  await writeFile(segmentPath(dir, 3), framesIn(segmentPath(dir, 1)).bytes);

  expect(blank).toEqual([{ kind: 'torn', path: segmentPath(dir, 3), offset: 0, bytes: 0 }]);
  expect(wrongIn(await walked(dir))).toMatchObject([{ kind: 'damage', what: expect.stringContaining('named after batch 3') }]);
});

test('what a writer refused, and then wrote elsewhere, is no damage', async () => {
  const { dir, writer } = await logOf(1);
  await writer.close();
  let fails = true;
  const world = { now: 0 };
  const commit = (fd: number, bytes: Buffer, position: number) => {
    realDisk.commit(fd, bytes, position);
    if (fails) throw Object.assign(new Error('planted'), { code: 'EIO' });
  };
  const next = await openSegmentWriter(dir, { ...OPTIONS, uptime: () => world.now, disk: { ...realDisk, commit } });
  await expect(next.append([RECORD])).rejects.toMatchObject({ code: 'failed' });
  fails = false;
  world.now += 1_001;
  await next.append([RECORD]);
  await next.close();

  const steps = await walked(dir);

  expect([batchesIn(steps), wrongIn(steps)]).toEqual([[1, 2], []]);
});
