import fc from 'fast-check';
import { describe, expect, onTestFinished, test } from 'vitest';
import { type Batch, LogError, type LogReader, type LogWriter } from '../../backbone/log.ts';

/** A log that does not exist yet, and the ways into it. */
export interface LogHome {
  writer(): Promise<LogWriter>;
  reader(): Promise<LogReader>;
}

const MANY_BYTES = 64 * 1024 * 1024;
const text = (bytes: Uint8Array) => Buffer.from(bytes).toString();
const bytes = (value: string) => Buffer.from(value);

async function readAll(reader: LogReader, from = 1, maxBytes = MANY_BYTES): Promise<Batch[]> {
  const all: Batch[] = [];
  for (let next = from; ; next = all.at(-1)!.batch + 1) {
    const batches = await reader.read(next, maxBytes);
    if (batches.length === 0) return all;
    all.push(...batches);
  }
}

const texts = (batches: Batch[]) => batches.flatMap(({ records }) => records.map(text));

/** What every adapter of the log port must do. `open` gives a log of its own to each test. */
export function logContract(name: string, open: () => Promise<LogHome>): void {
  async function opened() {
    const home = await open();
    const [writer, reader] = [await home.writer(), await home.reader()];
    onTestFinished(async () => {
      await reader.close();
      await writer.close();
    });
    return { home, writer, reader };
  }

  describe(`the log port on ${name}`, () => {
    test('a log without entries ends at 0, begins at 1 and reads as empty', async () => {
      const { reader } = await opened();

      expect([await reader.end(), await reader.first(), await reader.read(1, MANY_BYTES)]).toEqual([0, 1, []]);
    });

    test('a reader may come before the first writer, and sees what is appended then', async () => {
      const home = await open();
      const reader = await home.reader();
      onTestFinished(() => reader.close());
      expect([await reader.end(), await reader.read(1, MANY_BYTES)]).toEqual([0, []]);

      const writer = await home.writer();
      onTestFinished(() => writer.close());
      await writer.append([bytes('first')]);

      expect(texts(await readAll(reader))).toEqual(['first']);
    });

    test('an append resolves with the offset at which its first record is read', async () => {
      const { writer, reader } = await opened();

      const offsets = await Promise.all([
        writer.append([bytes('a'), bytes('b')]),
        writer.append([bytes('c')]),
        writer.append([bytes('d')]),
      ]);

      const batches = new Map((await readAll(reader)).map(({ batch, records }) => [batch, records]));
      expect(offsets.map(({ batch, index }) => text(batches.get(batch)![index]!))).toEqual(['a', 'c', 'd']);
      expect(text(batches.get(offsets[0]!.batch)![offsets[0]!.index + 1]!)).toBe('b');
    });

    test('a single record may be added without a promise: its bytes are copied at once, and its caller is told when it is durable', async () => {
      const { writer, reader } = await opened();
      const told: string[] = [];
      const scratch = Buffer.from('one');

      const appended = writer.append([bytes('zero')]).then(() => told.push('zero'));
      writer.add(scratch, (error) => told.push(error ? 'refused' : 'one'));
      scratch.fill('x');
      await new Promise<void>((resolve) => writer.add(bytes('two'), () => resolve()));
      await appended;

      expect(texts(await readAll(reader))).toEqual(['zero', 'one', 'two']);
      expect(told.toSorted()).toEqual(['one', 'zero']);
    });

    test('appends that wait together share a batch', async () => {
      const { writer, reader } = await opened();

      await Promise.all(Array.from({ length: 200 }, (_, i) => writer.append([bytes(`${i}`)])));

      expect(await reader.end()).toBeLessThan(20);
      expect(texts(await readAll(reader))).toEqual(Array.from({ length: 200 }, (_, i) => `${i}`));
    });

    test('batches are numbered from 1 without gaps', async () => {
      const { writer, reader } = await opened();

      for (let i = 0; i < 5; i++) await writer.append([bytes(`${i}`)]);

      expect((await readAll(reader)).map(({ batch }) => batch)).toEqual([1, 2, 3, 4, 5]);
      expect(await reader.end()).toBe(5);
    });

    test('records come back byte for byte, empty and large ones too', async () => {
      const { writer, reader } = await opened();
      const every = Uint8Array.from({ length: 256 }, (_, i) => i);
      const large = Buffer.alloc(300_000, 0x5a);

      await writer.append([new Uint8Array(0), every, large]);

      const [batch] = await reader.read(1, 1);
      const hex = (records: readonly Uint8Array[]) => records.map((r) => Buffer.from(r).toString('hex'));
      expect(hex(batch!.records)).toEqual(hex([new Uint8Array(0), every, large]));
    });

    test('the caller may write over its buffer as soon as append has returned', async () => {
      const { writer, reader } = await opened();
      const buffer = Buffer.from('before');

      const appended = writer.append([buffer]);
      buffer.fill('x');
      await appended;

      expect(texts(await readAll(reader))).toEqual(['before']);
    });

    test('reading begins at the batch asked for and goes no further than the bytes asked for, but for one batch', async () => {
      const { writer, reader } = await opened();
      for (let i = 1; i <= 6; i++) await writer.append([Buffer.alloc(1000, i)]);

      expect((await reader.read(3, MANY_BYTES)).map(({ batch }) => batch)).toEqual([3, 4, 5, 6]);
      expect((await reader.read(2, 1)).map(({ batch }) => batch)).toEqual([2]);
      expect((await reader.read(1, 2500)).length).toBeLessThanOrEqual(2);
      expect(await reader.read(7, MANY_BYTES)).toEqual([]);
    });

    test('a reader may go back, and records that it handed out before stay as they were', async () => {
      const { writer, reader } = await opened();
      for (const record of ['a', 'b', 'c']) await writer.append([bytes(record)]);

      const first = await readAll(reader);
      const again = await reader.read(2, MANY_BYTES);
      await writer.append([bytes('d')]);
      const later = await reader.read(4, MANY_BYTES);

      expect([texts(first), texts(again), texts(later)]).toEqual([['a', 'b', 'c'], ['b', 'c'], ['d']]);
    });

    test('several readers do not disturb each other', async () => {
      const { home, writer, reader } = await opened();
      const other = await home.reader();
      onTestFinished(() => other.close());
      await writer.append([bytes('a')]);
      await reader.read(1, MANY_BYTES);
      await writer.append([bytes('b')]);

      expect(texts(await readAll(other))).toEqual(['a', 'b']);
      expect(texts(await reader.read(2, MANY_BYTES))).toEqual(['b']);
    });

    test('growth is told when it comes, and at once where it is there already', async () => {
      const { writer, reader } = await opened();
      const { signal } = new AbortController();

      const grown = reader.grown(0, signal);
      await writer.append([bytes('a')]);
      await grown;
      await reader.grown(0, signal);

      expect(await reader.end()).toBe(1);
    });

    test('waiting for growth ends when the signal aborts, and when the reader is closed', async () => {
      const { home } = await opened();
      const reader = await home.reader();
      const abort = new AbortController();

      const aborted = reader.grown(0, abort.signal);
      abort.abort();
      await aborted;
      const closed = reader.grown(0, new AbortController().signal);
      await reader.close();
      await closed;
    });

    test('a second writer is refused until the first one is closed', async () => {
      const home = await open();
      const first = await home.writer();

      const refusal = await home.writer().catch((error) => error);
      await first.close();
      const second = await home.writer();
      await second.close();

      expect(refusal).toBeInstanceOf(LogError);
      expect(refusal).toMatchObject({ code: 'locked', retry: false });
    });

    test('closing waits for what was appended, and refuses what comes after', async () => {
      const { home, reader } = await openWriterless();
      const writer = await home.writer();

      const appended = writer.append([bytes('last')]);
      await writer.close();

      await expect(appended).resolves.toEqual({ batch: 1, index: 0 });
      await expect(writer.append([bytes('late')])).rejects.toMatchObject({ code: 'failed' });
      expect(texts(await readAll(reader))).toEqual(['last']);
    });

    test('the next writer goes on where the one before ended', async () => {
      const { home, reader } = await openWriterless();
      for (const record of ['a', 'b', 'c']) {
        const writer = await home.writer();
        await writer.append([bytes(record)]);
        await writer.close();
      }

      const batches = await readAll(reader);

      expect([batches.map(({ batch }) => batch), texts(batches)]).toEqual([
        [1, 2, 3],
        ['a', 'b', 'c'],
      ]);
    });

    test('a consumer may say what it has no more need of', async () => {
      const { writer, reader } = await opened();
      await writer.append([bytes('a')]);

      await reader.release('watch', 1);

      expect(texts(await readAll(reader))).toEqual(['a']);
    });

    test('an append of nothing is refused', async () => {
      const { writer } = await opened();

      await expect(writer.append([])).rejects.toBeInstanceOf(RangeError);
    });

    test('whatever is appended, in whatever groups, is read once and in order', async () => {
      const record = fc.uint8Array({ maxLength: 3000 });
      const wave = fc.array(fc.array(record, { minLength: 1, maxLength: 4 }), { minLength: 1, maxLength: 8 });
      await fc.assert(
        fc.asyncProperty(fc.array(wave, { maxLength: 6 }), fc.integer({ min: 1, max: 10_000 }), async (waves, maxBytes) => {
          const home = await open();
          const [writer, reader] = [await home.writer(), await home.reader()];

          for (const appends of waves) await Promise.all(appends.map((records) => writer.append(records)));

          const read = (await readAll(reader, 1, maxBytes)).flatMap(({ records }) => records.map((r) => Buffer.from(r).toString('hex')));
          expect(read).toEqual(waves.flat(2).map((r) => Buffer.from(r).toString('hex')));
          await reader.close();
          await writer.close();
        }),
        { seed: 20, numRuns: 25 },
      );
    });

    test('many who stand at different places share a reader, and each reads all, once and in order', async () => {
      const { writer, reader } = await opened();
      const all = Array.from({ length: 40 }, (_, n) => `${n} ${'x'.repeat(2_000)}`);
      for (const record of all) await writer.append([bytes(record)]);

      // Each is ahead of the one before it by some batches.
      const readers = Array.from({ length: 6 }, (_, n) => ({ next: 1, read: [] as string[], ahead: 5 * n }));
      for (let turn = 0; readers.some(({ next }) => next <= all.length); turn++) {
        for (const one of readers) {
          if (turn + one.ahead < 25 || one.next > all.length) continue;
          const [batch] = await reader.read(one.next, 1);
          one.read.push(...texts([batch!]));
          one.next = batch!.batch + 1;
        }
      }

      for (const { read } of readers) expect(read).toEqual(all);
    });

    test('what is appended is counted', async () => {
      const { writer } = await opened();

      await writer.append([bytes('abc'), bytes('d')]);

      expect(writer.stats).toMatchObject({ batches: 1, records: 2 });
      expect(writer.stats.bytes).toBeGreaterThanOrEqual(4);
    });
  });

  async function openWriterless() {
    const home = await open();
    const reader = await home.reader();
    onTestFinished(() => reader.close());
    return { home, reader };
  }
}
