import { expect, onTestFinished, test } from 'vitest';
import { type Disk, realDisk } from '../../../backbone/segments/disk.ts';
import { Pace } from '../../../backbone/segments/pace.ts';
import { openSegmentReader } from '../../../backbone/segments/reader.ts';
import { openSegmentWriter } from '../../../backbone/segments/writer.ts';
import { tempDir } from '../../helpers/tempdir.ts';
import { readAll, texts } from './frames.ts';

/** A disk that the test makes fail after it has written, as a failed sync does, or makes slow. */
class TestDisk implements Disk {
  error: NodeJS.ErrnoException | undefined;
  slowMs = 0;
  inPool = 0;

  commit(fd: number, bytes: Buffer, position: number): void {
    for (const until = performance.now() + this.slowMs; performance.now() < until; );
    realDisk.commit(fd, bytes, position);
    if (this.error) throw this.error;
  }

  async commitInPool(fd: number, bytes: Buffer, position: number): Promise<void> {
    this.inPool++;
    await realDisk.commitInPool(fd, bytes, position);
    if (this.error) throw this.error;
  }

  freeBytes = realDisk.freeBytes;
}

async function opened() {
  const dir = await tempDir();
  const [disk, world] = [new TestDisk(), { now: 0, at: 3_600_000 }];
  const open = () => openSegmentWriter(dir, { segmentBytes: 16_384, disk, now: () => world.at, uptime: () => world.now });
  const [writer, reader] = [await open(), await openSegmentReader(dir)];
  onTestFinished(async () => {
    await reader.close();
    await writer.close();
  });
  return { disk, world, writer, reader, open };
}

const errno = (code: string) => Object.assign(new Error(`${code}: planted`), { code });
const append = (writer: { append(records: Uint8Array[]): Promise<unknown> }, text: string) => writer.append([Buffer.from(text)]);

test('what could not be synced is refused and is not in the log, and appends go on in a fresh segment', async () => {
  const { disk, world, writer, reader, open } = await opened();
  await append(writer, 'one');

  disk.error = errno('EIO');
  const refused = await Promise.allSettled([append(writer, 'refused'), append(writer, 'refused too')]);
  await expect(append(writer, 'refused at once')).rejects.toMatchObject({ code: 'failed' });
  disk.error = undefined;
  world.now += 1001;
  const after = await append(writer, 'two');

  expect(refused).toMatchObject([
    { status: 'rejected', reason: { code: 'failed', retry: true } },
    { status: 'rejected', reason: { code: 'failed', retry: true } },
  ]);
  expect([after, texts(await readAll(reader))]).toEqual([{ batch: 2, index: 0 }, ['one', 'two']]);
  await writer.close();
  const next = await open();
  expect([next.recovery, texts(await readAll(reader))]).toEqual([{ cut: null, lostBatches: 0 }, ['one', 'two']]);
  await next.close();
});

test('a refusal lasts no longer where the wall clock is put back', async () => {
  const { disk, world, writer } = await opened();
  disk.error = errno('EIO');
  await expect(append(writer, 'refused')).rejects.toMatchObject({ code: 'failed' });
  disk.error = undefined;
  world.at -= 3_600_000;
  world.now += 1_001;

  expect(await append(writer, 'taken')).toEqual({ batch: 1, index: 0 });
});

test('a writer that ends after a failed sync leaves nothing of what it refused', async () => {
  const { disk, writer, reader, open } = await opened();
  await append(writer, 'one');
  disk.error = errno('EIO');
  await expect(append(writer, 'refused')).rejects.toMatchObject({ code: 'failed' });
  disk.error = undefined;
  await writer.close();

  const next = await open();
  const { batch } = await next.append([Buffer.from('two')]);
  await next.close();

  expect([batch, texts(await readAll(reader))]).toEqual([2, ['one', 'two']]);
});

test('a disk that runs full while writing is told as full', async () => {
  const { disk, writer } = await opened();
  disk.error = errno('ENOSPC');

  await expect(append(writer, 'refused')).rejects.toMatchObject({ code: 'full', retry: true });
});

test('on a slow disk the writer leaves the event loop free, and comes back when the disk is quick', async () => {
  const { disk, writer, reader } = await opened();
  for (let i = 0; i < 5; i++) await append(writer, 'quick');
  const quick = writer.stats.syncMode;

  disk.slowMs = 30;
  await append(writer, 'slow');
  const slow = writer.stats.syncMode;
  disk.slowMs = 0;
  for (let i = 0; i < 600 && writer.stats.syncMode === 'pool'; i++) await append(writer, 'quick');

  expect([quick, slow, writer.stats.syncMode]).toEqual(['inline', 'pool', 'inline']);
  expect(disk.inPool).toBeGreaterThan(0);
  expect(await reader.end()).toBe(writer.stats.batches);
});

test('appends in the pool share batches too', async () => {
  const { disk, writer, reader } = await opened();
  disk.slowMs = 30;
  await append(writer, 'slow');

  await Promise.all(Array.from({ length: 100 }, (_, i) => append(writer, `${i}`)));

  expect(writer.stats.batches).toBeLessThan(5);
  expect(texts(await readAll(reader)).slice(1)).toEqual(Array.from({ length: 100 }, (_, i) => `${i}`));
});

test('one slow sync among quick ones changes nothing for long', () => {
  const pace = new Pace();

  for (let i = 0; i < 50; i++) pace.took(0.2, 'inline');
  pace.took(15, 'inline');
  const after = pace.mode;
  for (let i = 0; i < 10; i++) pace.took(0.2, pace.next());

  expect([after, pace.mode]).toEqual(['inline', 'inline']);
});

test('in the pool the event loop is tried now and then, and only a quick answer brings the writer back', () => {
  const pace = new Pace();
  for (let i = 0; i < 10; i++) pace.took(20, 'inline');

  const ways = Array.from({ length: 1000 }, () => {
    const way = pace.next();
    pace.took(20, way);
    return way;
  });
  const slow = pace.mode;
  while (pace.next() === 'pool') pace.took(5, 'pool');
  pace.took(0.1, 'inline');

  expect([slow, ways.filter((way) => way === 'inline').length, pace.mode]).toEqual(['pool', 3, 'inline']);
});
