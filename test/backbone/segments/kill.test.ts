import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { open, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, onTestFinished, test } from 'vitest';
import type { Batch, LogReader } from '../../../backbone/log.ts';
import { openSegmentReader } from '../../../backbone/segments/reader.ts';
import { openSegmentWriter } from '../../../backbone/segments/writer.ts';
import { eventually } from '../../helpers/eventually.ts';
import { tempDir } from '../../helpers/tempdir.ts';
import { type Acknowledged, checkHistory, checkWatermark, recordOf } from './history.ts';

const ROUNDS = Number(process.env.TILLWATCH_ROUNDS ?? 3);
const CHILD = fileURLToPath(new URL('writer.child.ts', import.meta.url));

/** All that the writers told before they were killed. */
class Told {
  readonly acknowledged: Acknowledged[] = [];
  readonly synced = new Map<number, bigint>();
  opened = 0;
  lostBatches = 0;

  hear(line: string): void {
    const [what, first, second, third] = line.split(' ');
    if (what === 'acknowledged') this.acknowledged.push({ id: first!, batch: Number(second), index: Number(third) });
    else if (what === 'synced') this.synced.set(Number(first), BigInt(second!));
    else {
      this.opened++;
      this.lostBatches += Number(second);
    }
  }
}

/** Runs a writer until it has said so many bytes, and kills it. It speaks into a file, where a kill loses no word. */
async function runUntilKilled(dir: string, run: number, told: Told): Promise<void> {
  const path = join(await tempDir(), 'said');
  const said = await open(path, 'w');
  const child = spawn(process.execPath, ['--import', 'tsx', CHILD, dir, String(run)], { stdio: ['ignore', said.fd, 'inherit'] });
  onTestFinished(() => void child.kill('SIGKILL'));
  const enough = 100_000 + ((run * 99_991) % 150_000);
  await eventually(async () => expect((await said.stat()).size).toBeGreaterThan(enough), { every: 1, within: 30_000 });
  const ended = once(child, 'exit');
  child.kill('SIGKILL');
  await ended;
  const lines = (await readFile(path, 'latin1')).split('\n').slice(0, -1);
  for (const line of lines) told.hear(line);
  await said.close();
}

/** Follows the log from batch 1 on, and notes when each batch was first seen. */
async function follow(reader: LogReader, log: Batch[], seen: Map<number, bigint>, signal: AbortSignal): Promise<void> {
  let next = 1;
  while (!signal.aborted) {
    const batches = await reader.read(next, 64 * 1024);
    const now = process.hrtime.bigint();
    for (const { batch } of batches) seen.set(batch, now);
    log.push(...batches);
    next = (log.at(-1)?.batch ?? 0) + 1;
    await reader.grown(next - 1, signal);
  }
}

test(`a writer killed ${ROUNDS} times under load loses nothing that it acknowledged, and no reader runs ahead of the disk`, async () => {
  const dir = await tempDir();
  const [told, log, seen, stop] = [new Told(), [] as Batch[], new Map<number, bigint>(), new AbortController()];
  const reader = await openSegmentReader(dir, { pollMs: 1 });
  const following = follow(reader, log, seen, stop.signal);

  for (let run = 1; run <= ROUNDS; run++) await runUntilKilled(dir, run, told);
  const writer = await openSegmentWriter(dir, { segmentBytes: 256 * 1024 });
  await eventually(async () => expect(log.at(-1)?.batch).toBe(await reader.end()));
  stop.abort();
  await following;

  expect(checkHistory(told.acknowledged, log)).toEqual([]);
  const synced = new Map([...seen].filter(([batch]) => told.synced.has(batch)));
  expect(checkWatermark(told.synced, synced)).toEqual([]);
  expect(seen.size - synced.size, 'batches synced by the next writer, which a kill left between write and sync').toBeLessThanOrEqual(
    ROUNDS,
  );
  expect(told.acknowledged.length).toBeGreaterThan(1000 * ROUNDS);
  expect([told.opened, told.lostBatches]).toEqual([ROUNDS, 0]);
  await reader.close();
  await writer.close();
}, 120_000);

test('the checker catches a planted loss, duplicate, swap and displacement', () => {
  const log: Batch[] = [
    { batch: 1, records: [recordOf(1, 1), recordOf(1, 2)] },
    { batch: 2, records: [recordOf(1, 3)] },
  ];
  const acknowledged: Acknowledged[] = [
    { id: '1-1', batch: 1, index: 0 },
    { id: '1-2', batch: 1, index: 1 },
    { id: '1-3', batch: 2, index: 0 },
  ];
  const [first, second] = log as [Batch, Batch];

  expect(checkHistory(acknowledged, log)).toEqual([]);
  expect(checkHistory(acknowledged, [first])).toEqual(['1-3 was acknowledged and is missing']);
  expect(checkHistory(acknowledged, [first, second, { ...second, batch: 3 }])).toContain('1-3 stands at 2.0 and at 3.0');
  expect(checkHistory([], [{ batch: 1, records: [recordOf(1, 2), recordOf(1, 1)] }])).toEqual(['1-1 stands after 1-2']);
  expect(checkHistory([{ id: '1-3', batch: 2, index: 4 }], log)).toEqual(['1-3 was acknowledged at 2.4 and stands at 2.0']);
});

test('the checker catches a batch that was read before its sync, and one that never was synced', () => {
  const synced = new Map([[1, 100n]]);

  expect(checkWatermark(synced, new Map([[1, 100n]]))).toEqual([]);
  expect(checkWatermark(synced, new Map([[1, 99n]]))).toEqual(['batch 1 was read 1 ns before it was synced']);
  expect(checkWatermark(synced, new Map([[2, 200n]]))).toEqual(['batch 2 was read and never synced']);
});
