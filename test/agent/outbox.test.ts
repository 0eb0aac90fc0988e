import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { appendFile, mkdir, readdir, readFile, rename, rm, stat, truncate, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import fc from 'fast-check';
import { describe, expect, onTestFinished, test } from 'vitest';
import { type Message, Outbox, type OutboxOptions } from '../../agent/outbox.ts';
import { eventually } from '../helpers/eventually.ts';
import { tempDir } from '../helpers/tempdir.ts';
import { seeded } from './support/numbers.ts';

const WRITER = fileURLToPath(new URL('./support/outbox-writer.ts', import.meta.url));

const message = (seq: number, bytes = 20, session = 's1'): Message => ({
  session,
  seq,
  channel: 'report',
  payload: Buffer.alloc(bytes, seq),
});

async function open(options: OutboxOptions): Promise<Outbox> {
  const outbox = await Outbox.open(options);
  onTestFinished(() => outbox.close().catch(() => {}));
  return outbox;
}

async function fill(outbox: Outbox, from: number, to: number, bytes?: number): Promise<void> {
  for (let seq = from; seq <= to; seq++) await outbox.put(message(seq, bytes));
}

const seqs = async (outbox: Outbox) => (await outbox.next(0, 100_000)).map((m) => m.seq);

describe('an outbox', () => {
  test('gives messages back as they were put, in order, from any id on and through any id', async () => {
    const outbox = await open({ dir: await tempDir() });
    const put: Message[] = [message(0), { session: 's1', seq: null, channel: 'ack', payload: Buffer.from('{}') }, message(1, 60_000, 's2')];
    for (const m of put) await outbox.put(m);

    const [first, second, third] = await outbox.next(0, 10);

    expect([first, second, third].map((m) => ({ ...m, id: undefined, payload: Buffer.from(m!.payload) }))).toEqual(
      put.map((m) => ({ ...m, id: undefined })),
    );
    expect(await outbox.next(first!.id, 1)).toEqual([second]);
    expect(await outbox.next(0, 10, second!.id)).toEqual([first, second]);
    expect(await outbox.next(third!.id, 10)).toEqual([]);
  });

  test('gives each put its id at once, in the order of the calls, though they share one write', async () => {
    const outbox = await open({ dir: await tempDir() });

    const ids = Promise.all([0, 1, 2, 3].map((seq) => outbox.put(message(seq))));
    const lastBeforeDurable = outbox.lastId;

    expect(await ids).toEqual([1, 2, 3, 4]);
    expect(lastBeforeDurable).toBe(4);
    expect(await seqs(outbox)).toEqual([0, 1, 2, 3]);
  });

  test('keeps after a restart what was not acknowledged, and not what was', async () => {
    const dir = await tempDir();
    const before = await open({ dir });
    await fill(before, 0, 9);
    for (const id of [1, 3, 10]) before.ack(id);
    await before.close();

    const after = await open({ dir });

    expect(await seqs(after)).toEqual([1, 3, 4, 5, 6, 7, 8]);
    expect(after.size).toBe(7);
    expect(await after.put(message(10))).toBe(11);
  });

  test('removes files whose messages are all acknowledged', async () => {
    const dir = await tempDir();
    const outbox = await open({ dir, maxBytes: 64 * 1024 });
    await fill(outbox, 0, 99, 400);
    const filesBefore = (await readdir(dir)).length;

    for (let id = 1; id <= 100; id++) outbox.ack(id);

    await eventually(async () => expect((await readdir(dir)).length).toBeLessThan(4));
    expect(filesBefore).toBeGreaterThan(10);
    expect(outbox.size).toBe(0);
  });

  test('drops its oldest messages when it is full, counts them, and never grows past its limit', async () => {
    const drops: number[] = [];
    const outbox = await open({ dir: await tempDir(), maxBytes: 64 * 1024, onDropped: (n) => drops.push(n) });

    await fill(outbox, 0, 299, 1000);

    const kept = await seqs(outbox);
    expect(kept.at(-1)).toBe(299);
    expect(kept).toEqual(Array.from({ length: kept.length }, (_, i) => 300 - kept.length + i));
    expect(outbox.dropped).toBe(300 - kept.length);
    expect(drops.reduce((a, b) => a + b)).toBe(outbox.dropped);
    expect(outbox.bytes).toBeLessThanOrEqual(64 * 1024);
    expect(kept.length).toBeGreaterThan(45);
  });

  test('does not count acknowledged messages as dropped, and takes a late acknowledgement of a dropped one as nothing', async () => {
    const outbox = await open({ dir: await tempDir(), maxBytes: 64 * 1024 });
    await fill(outbox, 0, 39, 1000);
    for (let id = 1; id <= 30; id++) outbox.ack(id);

    await fill(outbox, 40, 99, 1000);
    outbox.ack(31);

    expect(outbox.dropped + outbox.size).toBe(70);
  });

  test('is for one process at a time, and free after close', async () => {
    const dir = await tempDir();
    const first = await open({ dir });

    await expect(Outbox.open({ dir })).rejects.toMatchObject({ name: 'AgentError', code: 'outbox_locked', retry: false });
    await first.close();

    await expect(open({ dir })).resolves.toBeInstanceOf(Outbox);
  });

  test('takes over the lock of a process that is gone, also where its number has been given to another', async () => {
    const dir = await tempDir();
    await writeFile(join(dir, 'lock'), `${process.pid} some-earlier-boot 12345`);

    await expect(open({ dir })).resolves.toBeInstanceOf(Outbox);
  });

  test('keeps its folder and files from other users', async () => {
    const dir = join(await tempDir(), 'deep', 'er');
    const outbox = await open({ dir });
    await fill(outbox, 0, 1);

    const modes = await Promise.all((await readdir(dir)).map(async (name) => (await stat(join(dir, name))).mode & 0o777));

    expect(modes.length).toBe(3);
    expect(new Set(modes)).toEqual(new Set([0o600]));
    expect((await stat(dir)).mode & 0o777).toBe(0o700);
  });

  test('refuses a put that cannot be written with an error that says what to do, and works again afterwards', async () => {
    const dir = join(await tempDir(), 'outbox');
    const outbox = await open({ dir, maxBytes: 16 * 1024 });
    await fill(outbox, 0, 2, 1000);
    await rename(dir, `${dir}-away`);

    const refused = outbox.put(message(3));
    await expect(refused).rejects.toMatchObject({ code: 'outbox_failed', retry: true });
    await expect(refused).rejects.toThrow(/TILLWATCH_AGENT_OUTBOX.*ENOENT/);
    await rename(`${dir}-away`, dir);
    await outbox.put(message(4));

    expect(await seqs(outbox)).toEqual([0, 1, 2, 4]);
    await outbox.close();
    expect(await seqs(await open({ dir }))).toEqual([0, 1, 2, 4]);
  });

  test('says what is wrong where its folder cannot be made', async () => {
    const file = join(await tempDir(), 'file');
    await writeFile(file, '');

    await expect(Outbox.open({ dir: join(file, 'outbox') })).rejects.toMatchObject({ code: 'outbox_failed' });
  });
});

describe('an outbox after a crash', () => {
  test('keeps every whole message before a tail that was torn anywhere, and goes on after it', async () => {
    const dir = await tempDir();
    const whole = await open({ dir: join(dir, 'whole') });
    await fill(whole, 0, 19, 50);
    await whole.close();
    const name = (await readdir(join(dir, 'whole'))).find((n) => n.endsWith('.messages'))!;
    const bytes = await readFile(join(dir, 'whole', name));
    const frame = bytes.length / 20;
    let round = 0;

    const torn = fc.record({
      keep: fc.nat(bytes.length),
      tail: fc.oneof(
        fc.uint8Array({ maxLength: 40 }),
        fc.nat(4096).map((n) => new Uint8Array(n)),
      ),
    });
    await fc.assert(
      fc.asyncProperty(torn, async ({ keep, tail }) => {
        const copy = join(dir, `torn-${round++}`);
        await mkdir(copy);
        await writeFile(join(copy, name), Buffer.concat([bytes.subarray(0, keep), tail]));
        const outbox = await Outbox.open({ dir: copy });
        try {
          const expected = Array.from({ length: Math.floor(keep / frame) }, (_, i) => i);
          expect((await seqs(outbox)).slice(0, expected.length)).toEqual(expected);
          expect(outbox.size).toBeLessThanOrEqual(expected.length + 1);
          const before = outbox.size;
          await outbox.put(message(77));
          expect((await seqs(outbox))[before]).toBe(77);
        } finally {
          await outbox.close();
        }
        const again = await Outbox.open({ dir: copy });
        expect((await seqs(again)).at(-1)).toBe(77);
        expect(again.cutBytes).toBe(0);
        await again.close();
      }),
      { seed: 1, numRuns: 60 },
    );
  });

  test('cuts a flipped bit, and what stands after it', async () => {
    const dir = await tempDir();
    const before = await open({ dir });
    await fill(before, 0, 9, 50);
    await before.close();
    const path = join(dir, (await readdir(dir)).find((n) => n.endsWith('.messages'))!);
    const bytes = await readFile(path);
    bytes[Math.floor(bytes.length * 0.75)]! ^= 1;
    await writeFile(path, bytes);

    const after = await open({ dir });

    expect(await seqs(after)).toEqual([0, 1, 2, 3, 4, 5, 6]);
    expect(after.cutBytes).toBe(bytes.length * 0.3);
  });

  test('reads no acknowledgement out of zeros or of half an entry', async () => {
    const dir = await tempDir();
    const before = await open({ dir });
    await fill(before, 0, 3);
    before.ack(3);
    await before.close();
    const acks = join(dir, (await readdir(dir)).find((n) => n.endsWith('.acks'))!);
    await appendFile(acks, Buffer.alloc(64));
    await truncate(acks, 8 + 61);

    const after = await open({ dir });
    after.ack(2);
    await after.close();

    expect(await seqs(await open({ dir }))).toEqual([0, 3]);
  });

  test('has no use for acknowledgements whose messages are gone', async () => {
    const dir = await tempDir();
    const before = await open({ dir });
    await fill(before, 0, 3);
    before.ack(1);
    await before.close();
    await rm(join(dir, (await readdir(dir)).find((n) => n.endsWith('.messages'))!));

    const after = await open({ dir });
    await fill(after, 10, 11);

    expect(await seqs(after)).toEqual([10, 11]);
  });

  test('has lost nothing that put() resolved when its process is killed with -9, three rounds', async () => {
    const dir = await tempDir();
    const random = seeded(7);
    const durable = new Set<number>();
    for (let round = 0; round < 3; round++) {
      const child = spawn(process.execPath, ['--import', 'tsx', WRITER, dir, String(round * 1_000_000)]);
      let out = '';
      child.stdout.on('data', (chunk) => {
        out += chunk;
      });
      const target = 100 + Math.floor(random() * 400);
      await eventually(() => expect(out.split('\n').length).toBeGreaterThan(target), { within: 20_000, every: 1 });
      child.kill('SIGKILL');
      await once(child, 'close');
      for (const line of out.split('\n').slice(0, -1)) durable.add(Number(line));
    }

    const outbox = await open({ dir, maxBytes: 64 * 1024 * 1024 });
    const found = await outbox.next(0, 1_000_000);

    const kept = new Set(found.map((m) => m.seq));
    expect([...durable].filter((seq) => !kept.has(seq))).toEqual([]);
    expect(durable.size).toBeGreaterThan(300);
    expect(kept.size).toBe(found.length);
    for (const { seq, payload } of found) expect(payload.every((b) => b === seq! % 251)).toBe(true);
  });
});
