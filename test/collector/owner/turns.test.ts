import { expect, it, onTestFinished } from 'vitest';
import type { Batch, LogReader } from '../../../backbone/log.ts';
import { KeyedStore, startFeed } from '../feed/harness.ts';
import { type Plant, plant, report } from './harness.ts';

const RECORDS = 4_000;

/** Counts the records that are taken out of batches within one turn of the event loop. */
function watched(log: LogReader) {
  const most = { taken: 0 };
  let taken = 0;
  let over = false;
  onTestFinished(() => {
    over = true;
  });
  const turn = () => {
    taken = 0;
    if (!over) setImmediate(turn);
  };
  setImmediate(turn);
  const seen = ({ batch, records }: Batch): Batch => ({
    batch,
    records: new Proxy(records, {
      get(all, name, receiver) {
        if (/^\d+$/.test(String(name))) most.taken = Math.max(most.taken, ++taken);
        return Reflect.get(all, name, receiver);
      },
    }),
  });
  const read = log.read.bind(log);
  log.read = async (batch, maxBytes) => (await read(batch, maxBytes)).map(seen);
  return most;
}

/** The owner has folded them once, and forgot. */
async function folded(p: Plant): Promise<void> {
  const commit = p.state.commit.bind(p.state);
  p.state.commit = () => new Promise(() => {});
  const running = await p.start();
  await p.settled(running);
  await p.crash();
  p.state.commit = commit;
}

it('others have their turn while records are taken in that are in memory already: live, in recovery and in the feed', async () => {
  const p = await plant();
  const records = Array.from({ length: RECORDS }, (_, seq) => p.message('report', report(p.clock.wall, seq)));
  p.clock.pass(1_000);
  await p.append(...records, p.beat());
  const most = watched(p.brokersLog);
  const inTurn = async (work: () => Promise<unknown>) => {
    most.taken = 0;
    await work();
    return most.taken;
  };

  const live = await inTurn(() => folded(p));
  const recovered = await inTurn(() => p.start());
  const fed = await inTurn(() => startFeed(p, new KeyedStore()).caughtUp());

  for (const taken of [live, recovered, fed]) {
    expect(taken).toBeGreaterThan(100);
    expect(taken).toBeLessThanOrEqual(201);
  }
});
