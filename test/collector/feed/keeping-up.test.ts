import { expect, it } from 'vitest';
import type { LogReader } from '../../../backbone/log.ts';
import { eventually } from '../../helpers/eventually.ts';
import { bound, Life, type Plant, report } from '../owner/harness.ts';
import { KeyedStore, startFeed, withOwner } from './harness.ts';

/** The brokers' log as a feed of its own reads it, and how often. */
function counted(log: LogReader): { log: LogReader; batches: () => number } {
  let batches = 0;
  const read = async (batch: number, maxBytes: number) => {
    const got = await log.read(batch, maxBytes);
    batches += got.length;
    return got;
  };
  const { first, end, grown, release, close } = log;
  const others = { first: first.bind(log), end: end.bind(log), grown: grown.bind(log), release: release.bind(log), close: close.bind(log) };
  return { log: { ...others, read }, batches: () => batches };
}

/** A message of so many samples, a millisecond apart. */
function many(p: Plant, seq: number, samples: number) {
  return p.message('report', {
    v: 1,
    session: 's1',
    seq,
    samples: Array.from({ length: samples }, (_, i) => ({ at: p.clock.wall - 60_000 * seq - i })),
  });
}

it('a feed that has come to where the watch is takes its entries from there, and reads none of them again', async () => {
  const { p, running } = await withOwner();
  await p.append(p.message('report', report(p.clock.wall, 1)));
  await p.live(running, 1);
  const store = new KeyedStore();
  const { log, batches } = counted(p.brokersLog);
  const feed = startFeed(p, store, { brokersLog: log, beside: running });
  await feed.caughtUp();
  await p.live(running, 2);
  await feed.caughtUp();
  const read = batches();

  await running.owner.submit(bound('SN000001', 'm-7'));
  for (let seq = 2; seq <= 10; seq++) {
    await p.append(p.message('report', report(p.clock.wall, seq)));
    await p.live(running, 1);
  }
  await feed.caughtUp();

  expect(batches()).toBe(read);
  expect(store.of('terminal').map(({ fields, tags }) => [fields.seq, tags.merchant])).toEqual([
    [1, ''],
    ...[2, 3, 4, 5, 6, 7, 8, 9, 10].map((seq) => [seq, 'm-7']),
  ]);
});

it('what comes while a write is under way goes into the next one, and what is too much for it is read from the logs later', async () => {
  const { p, running } = await withOwner();
  const store = new KeyedStore();
  const { log, batches } = counted(p.brokersLog);
  const feed = startFeed(p, store, { brokersLog: log, beside: running });
  await feed.caughtUp();
  await p.live(running, 2);
  await feed.caughtUp();
  let resume = () => {};
  const gate = new Promise<void>((resolve) => {
    resume = resolve;
  });
  const write = store.write.bind(store);
  let waiting = false;
  store.write = async (...args) => {
    waiting = true;
    await gate;
    return write(...args);
  };
  await p.append(many(p, 1, 1));
  await p.live(running, 1);
  await eventually(() => expect(waiting).toBe(true));
  const read = batches();

  for (let seq = 2; seq <= 12; seq++) await p.append(many(p, seq, 2_000));
  await p.live(running, 1);
  await p.append(many(p, 13, 2_000));
  await p.live(running, 1);
  const readMeanwhile = batches() - read;
  store.write = write;
  resume();
  await feed.caughtUp();

  expect(readMeanwhile).toBe(0);
  expect(batches()).toBeGreaterThan(read);
  expect(store.of('terminal')).toHaveLength(1 + 12 * 2_000);
  expect(store.conflicts).toEqual([]);
});

it('a feed whose life ends while it keeps up leaves the next one all that was not saved', async () => {
  const { p, running } = await withOwner();
  const store = new KeyedStore();
  const life = new Life();
  const feed = startFeed(p, store, { life, beside: running });
  await feed.caughtUp();
  life.end();
  for (let seq = 1; seq <= 3; seq++) {
    await p.append(p.message('report', report(p.clock.wall, seq)));
    await p.live(running, 1);
  }

  await startFeed(p, store, { beside: running }).caughtUp();

  expect(store.of('terminal').map(({ fields }) => fields.seq)).toEqual([1, 2, 3]);
});
