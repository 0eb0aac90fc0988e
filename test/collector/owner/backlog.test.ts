import { expect, it } from 'vitest';
import { eventually } from '../../helpers/eventually.ts';
import { plant, T } from './harness.ts';

const RECORDS = 100_000;
const BATCH = 500;
const PADDING = 'x'.repeat(1_400);
const MIB = 1024 * 1024;

it('a backlog of 100 000 records is read in bounded memory, and saved on the way', async () => {
  const p = await plant();
  for (let from = 0; from < RECORDS; from += BATCH) {
    p.clock.pass(1_000);
    const records = Array.from({ length: BATCH }, (_, i) => {
      const n = from + i;
      return p.message(
        'report',
        { v: 1, session: 's1', seq: n, samples: [{ at: p.clock.wall }], note: PADDING },
        { sn: `SN${100_000 + (n % 200)}` },
      );
    });
    await p.append(...records, p.beat());
  }
  const used = () => {
    const { heapUsed, arrayBuffers } = process.memoryUsage();
    return heapUsed + arrayBuffers;
  };
  const before = used();
  let most = 0;
  let read = 0;
  const readLog = p.brokersLog.read.bind(p.brokersLog);
  p.brokersLog.read = async (batch, maxBytes) => {
    const batches = await readLog(batch, maxBytes);
    read = Math.max(
      read,
      batches.reduce((sum, { records }) => sum + records.reduce((bytes, record) => bytes + record.length, 0), 0),
    );
    most = Math.max(most, used() - before);
    return batches;
  };
  let saves = 0;
  const commit = p.state.commit.bind(p.state);
  p.state.commit = (changes) => {
    saves++;
    return commit(changes);
  };

  const running = await p.start();
  await eventually(() => expect(running.owner.position.brokers.batch).toBeGreaterThan(p.batches), { within: 60_000, every: 50 });
  // Time stands still, so the number of entries alone can have made one due.
  await eventually(() => expect(saves).toBeGreaterThanOrEqual(1));
  await running.stop();

  expect(running.owner.watch.now).toBe(T + (RECORDS / BATCH) * 1_000);
  expect(running.owner.watch.state.terminals.size).toBe(200);
  expect(read).toBeLessThan(2 * MIB);
  expect(most).toBeLessThan(100 * MIB);
}, 90_000);
