import { appendFile, cp, truncate, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { DurableFile } from '../../../backbone/segments/durable.ts';
import { listSegments, segmentPath } from '../../../backbone/segments/files.ts';
import { openSegmentReader } from '../../../backbone/segments/reader.ts';
import { openSegmentWriter } from '../../../backbone/segments/writer.ts';
import { tempDir } from '../../helpers/tempdir.ts';
import { framesIn, readAll, texts } from './frames.ts';

const OPTIONS = { segmentBytes: 4096 };
const PATH = (dir: string) => segmentPath(dir, 1);

async function logOf(records: readonly string[], options = OPTIONS): Promise<string> {
  const dir = await tempDir();
  const writer = await openSegmentWriter(dir, options);
  for (const record of records) await writer.append([Buffer.from(record)]);
  await writer.close();
  return dir;
}

/** As after a crash before the last batch was told to be durable. */
function rewindDurable(dir: string, batch: number): void {
  const durable = new DurableFile(dir);
  durable.create();
  durable.publish(batch, framesIn(PATH(dir)).head.mark);
  durable.close();
}

async function contentOf(dir: string): Promise<string[]> {
  const reader = await openSegmentReader(dir);
  const found = texts(await readAll(reader));
  await reader.close();
  return found;
}

const DAMAGES: Record<string, (bytes: Buffer, at: number) => Buffer> = {
  'cut off': (bytes, at) => bytes.subarray(0, at),
  'zero from there on': (bytes, at) => Buffer.concat([bytes.subarray(0, at), Buffer.alloc(bytes.length - at)]),
  'other bytes from there on': (bytes, at) => Buffer.concat([bytes.subarray(0, at), Buffer.alloc(bytes.length - at, 0xa5)]),
  'one wrong byte there': (bytes, at) => Buffer.concat([bytes.subarray(0, at), Buffer.from([bytes[at]! ^ 0x10]), bytes.subarray(at + 1)]),
};

test.each(Object.keys(DAMAGES))('a last frame that is %s, at any of its bytes, is cut, and the log goes on', async (damage) => {
  const made = await logOf(['one', 'two', 'the last one of three']);
  const { frames, bytes } = framesIn(PATH(made));
  const last = frames.at(-1)!;
  const end = last.offset + bytes.readUInt32LE(last.offset + 12);
  rewindDurable(made, 2);
  const dir = await tempDir();

  for (let at = last.offset; at < end; at++) {
    await cp(made, dir, { recursive: true });
    await writeFile(PATH(dir), DAMAGES[damage]!(bytes, at));
    const writer = await openSegmentWriter(dir, OPTIONS);
    const after = await writer.append([Buffer.from('after')]);
    await writer.close();
    const next = await openSegmentWriter(dir, OPTIONS);
    await next.close();

    expect([writer.recovery.lostBatches, next.recovery]).toEqual([0, { cut: null, lostBatches: 0 }]);
    expect([after.batch, await contentOf(dir)], `${damage} at ${at}`).toEqual([3, ['one', 'two', 'after']]);
  }
});

test('the cut is told with its file, offset and bytes', async () => {
  const dir = await logOf(['one', 'two']);
  const { frames, bytes } = framesIn(PATH(dir));
  bytes[frames[1]!.offset + 45]! ^= 1;
  await writeFile(PATH(dir), bytes);
  rewindDurable(dir, 1);

  const writer = await openSegmentWriter(dir, OPTIONS);
  await writer.close();

  expect(writer.recovery.cut).toMatchObject({ path: PATH(dir), offset: frames[1]!.offset });
  expect(writer.recovery.cut!.bytes).toBeGreaterThan(40);
});

test('a whole frame that was never told durable is kept, and told', async () => {
  const dir = await logOf(['one', 'two']);
  rewindDurable(dir, 1);
  const before = await contentOf(dir);

  const writer = await openSegmentWriter(dir, OPTIONS);
  await writer.close();

  expect([before, writer.recovery.cut, await contentOf(dir)]).toEqual([['one'], null, ['one', 'two']]);
});

test('where the disk lost a batch that was durable, it is told, its number is not used again, and readers get past it', async () => {
  const dir = await logOf(['one', 'two']);
  await truncate(PATH(dir), framesIn(PATH(dir)).frames[1]!.offset + 10);

  const writer = await openSegmentWriter(dir, OPTIONS);
  const { batch } = await writer.append([Buffer.from('after')]);
  const reader = await openSegmentReader(dir);
  const fromTheGap = await readAll(reader, 2);
  await reader.close();
  await writer.close();

  expect([writer.recovery.lostBatches, batch, texts(fromTheGap)]).toEqual([1, 4, ['after']]);
  expect(await contentOf(dir)).toEqual(['one', 'after']);
});

test('damage before whole frames is an error that names the file and the offset, for writers and readers, and nothing is cut', async () => {
  const dir = await logOf(['one', 'two', 'three', 'four']);
  const { frames, bytes } = framesIn(PATH(dir));
  bytes[frames[1]!.offset + 45]! ^= 1;
  await writeFile(PATH(dir), bytes);
  const named = { code: 'corrupt', message: expect.stringContaining(`${PATH(dir)} at offset ${frames[1]!.offset}`) };
  const reader = await openSegmentReader(dir);

  await expect(openSegmentWriter(dir, OPTIONS)).rejects.toMatchObject(named);
  expect(texts(await reader.read(1, 4096))).toEqual(['one']);
  await expect(reader.read(2, 4096)).rejects.toMatchObject(named);
  await expect(reader.read(4, 4096)).resolves.toHaveLength(1);
  await reader.close();
  expect(framesIn(PATH(dir)).bytes.equals(bytes)).toBe(true);
});

test('damage in an older segment is found by readers', async () => {
  const dir = await logOf(Array.from({ length: 6 }, (_, i) => `${i}`.repeat(1500)));
  const { frames, bytes } = framesIn(PATH(dir));
  expect(frames).toHaveLength(2);
  await writeFile(PATH(dir), bytes.fill(0, frames[1]!.offset));
  const reader = await openSegmentReader(dir);

  expect(await reader.read(1, 1024 * 1024)).toHaveLength(1);
  await expect(reader.read(2, 4096)).rejects.toMatchObject({ code: 'corrupt' });
  await reader.close();
});

test('a record that holds the bytes of a whole frame does not pass for one', async () => {
  const other = await logOf(['one', 'two', 'three']);
  const dir = await logOf(['one', framesIn(PATH(other)).bytes.toString('latin1')], { segmentBytes: 16_384 });
  const { frames, bytes } = framesIn(PATH(dir));
  bytes[frames[1]!.offset + 41]! ^= 1;
  await writeFile(PATH(dir), bytes);
  rewindDurable(dir, 1);

  const writer = await openSegmentWriter(dir, OPTIONS);
  await writer.close();

  expect(await contentOf(dir)).toEqual(['one']);
});

test.each([
  ['an unfinished prepared file', 'prepared', Buffer.alloc(1000)],
  ['a segment of no bytes', '0000000000000004.seg', Buffer.alloc(0)],
  ['a segment of zeros', '0000000000000004.seg', Buffer.alloc(4096)],
])('%s, left by a crash on the way to the next segment, does no harm', async (_, name, bytes) => {
  const dir = await logOf(['one', 'two', 'three']);
  await writeFile(join(dir, name), bytes);

  const writer = await openSegmentWriter(dir, OPTIONS);
  await writer.append([Buffer.from('four')]);
  await writer.close();

  expect(await contentOf(dir)).toEqual(['one', 'two', 'three', 'four']);
});

test('a segment whose head is damaged is refused by name', async () => {
  const dir = await logOf(['one']);
  const { bytes } = framesIn(PATH(dir));
  bytes[20]! ^= 1;
  await writeFile(PATH(dir), bytes);

  await expect(openSegmentWriter(dir, OPTIONS)).rejects.toMatchObject({ code: 'corrupt', message: expect.stringContaining(PATH(dir)) });
});

test('a damaged length does not make anyone allocate it', async () => {
  const dir = await logOf(['one', 'two']);
  const { frames, bytes } = framesIn(PATH(dir));
  bytes.writeUInt32LE(0xfffffff0, frames[1]!.offset + 12);
  await writeFile(PATH(dir), bytes);
  rewindDurable(dir, 1);

  const writer = await openSegmentWriter(dir, OPTIONS);
  await writer.close();

  expect(await contentOf(dir)).toEqual(['one']);
});

test('what `durable` says is put right by the writer where a power loss tore it', async () => {
  const dir = await logOf(['one', 'two']);
  await writeFile(join(dir, 'durable'), Buffer.alloc(20, 7));
  const reader = await openSegmentReader(dir);
  const before = await reader.end();

  const writer = await openSegmentWriter(dir, OPTIONS);

  expect([before, await reader.end()]).toEqual([0, 2]);
  await reader.close();
  await writer.close();
});

test('garbage after the last frame is cut and none of the frames', async () => {
  const dir = await logOf(['one', 'two']);
  await appendFile(PATH(dir), Buffer.alloc(77, 0xee));

  const writer = await openSegmentWriter(dir, OPTIONS);
  await writer.close();

  expect([writer.recovery.lostBatches, await contentOf(dir), (await listSegments(dir)).length]).toEqual([0, ['one', 'two'], 1]);
  expect(writer.recovery.cut!.bytes).toBeGreaterThanOrEqual(77);
});
