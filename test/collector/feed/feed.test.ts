import { describe, expect, it } from 'vitest';
import { openMemoryState } from '../../../backbone/memory.ts';
import { QUARANTINE, type Quarantined } from '../../../collector/owner/outputs.ts';
import { fromBytes } from '../../../collector/rows.ts';
import { StoreError } from '../../../collector/store/port.ts';
import { eventually } from '../../helpers/eventually.ts';
import { birth, bound, type Plant, type RunningOwner, registry, report, T } from '../owner/harness.ts';
import { KeyedStore, startFeed, withOwner } from './harness.ts';

const MINUTE_MS = 60_000;

/** Saves what the watch has said, so that the outbox holds it. */
async function saved(p: Plant, running: RunningOwner): Promise<void> {
  await p.live(running, 7);
}

describe('a sample', () => {
  it('is one point: its members flattened, at its own time, under what the terminal was then', async () => {
    const { p, running } = await withOwner();
    await running.owner.submit((at) => [
      registry('terminals', { acquirer: 'acme', merchant: 'm-1', site: 's-1', sn: 'SN000001', model: 'A920' }, at),
    ]);
    await p.append(p.message('birth', birth(p.clock.wall, { app: '3.4.1' })));
    const at = p.clock.wall + 500;
    await p.append(
      p.message(
        'report',
        report(at, 41, {
          signal: { rat: 'lte', rsrp: -101, cell: '76c6c' },
          radio: { secondsByRat: { lte: 300 }, moving: false },
          bindings: { terminals: { bound: 7, limit: 10 } },
          outcomes: [{ system: 'unionpay', code: '00', n: 3 }],
        }),
      ),
    );
    await p.live(running, 1);
    const store = new KeyedStore();

    const feed = startFeed(p, store);
    await feed.caughtUp();

    expect(store.of('terminal')).toEqual([
      {
        measurement: 'terminal',
        tags: { acquirer: 'acme', merchant: 'm-1', site: 's-1', sn: 'SN000001', model: 'A920', app: '3.4.1' },
        fields: {
          seq: 41,
          signal_rat: 'lte',
          signal_rsrp: -101,
          signal_cell: '76c6c',
          radio_secondsByRat_lte: 300,
          radio_moving: false,
          bindings_terminals_bound: 7,
          bindings_terminals_limit: 10,
        },
        at,
      },
    ]);
  });

  it('of a terminal that nobody registered carries what its birth says', async () => {
    const { p, running } = await withOwner();
    await p.append(p.message('birth', birth(p.clock.wall, { merchant: 'm-9', site: 's-9', model: 'A80', app: '1' })));
    await p.append(p.message('report', report(p.clock.wall, 1)));
    await p.live(running, 1);
    const store = new KeyedStore();

    await startFeed(p, store).caughtUp();

    expect(store.of('terminal').map(({ tags }) => tags)).toEqual([
      { acquirer: 'acme', merchant: 'm-9', site: 's-9', sn: 'SN000001', model: 'A80', app: '1' },
    ]);
  });

  it('that came twice is one point, and one that cannot be read is none', async () => {
    const { p, running } = await withOwner();
    const once = p.message('report', report(p.clock.wall, 1));
    await p.append(once, once, p.message('report', { v: 1, session: 's1', seq: 2 }));
    await p.live(running, 1);
    const store = new KeyedStore();

    await startFeed(p, store).caughtUp();

    expect(store.of('terminal')).toHaveLength(1);
  });

  it('has the tags of its time: before and after moves, new apps, and out of the backlog of a session that ended', async () => {
    const { p, running } = await withOwner();
    const sample = (seq: number, at = p.clock.wall, session = 's1') => p.message('report', { v: 1, session, seq, samples: [{ at }] });
    await running.owner.submit(bound('SN000001', 'm-1'));
    await p.append(p.message('birth', birth(p.clock.wall, { app: '1' })), sample(1));
    await p.live(running, 60);
    const beforeMove = p.clock.wall;
    await p.live(running, 1);
    await running.owner.submit(bound('SN000001', 'm-2'));
    await p.live(running, 1);
    await p.append(sample(2));
    await p.live(running, 60);
    await p.append(p.message('birth', birth(p.clock.wall, { session: 's2', app: '2' })), sample(1, p.clock.wall, 's2'));
    await p.append(sample(3, beforeMove), sample(4, beforeMove + 30_000));
    await p.live(running, 1);
    const store = new KeyedStore();

    await startFeed(p, store).caughtUp();

    expect(store.of('terminal').map(({ fields, tags }) => [fields.seq, tags.merchant, tags.app])).toEqual([
      [1, 'm-1', '1'],
      [2, 'm-2', '1'],
      [1, 'm-2', '2'],
      [3, 'm-1', '1'],
      [4, 'm-2', '1'],
    ]);
  });

  it('of a clock that is off is put right by the skew of its birth, which it shows; one within five minutes stays', async () => {
    const { p, running } = await withOwner();
    const off = { slow: -3_600_000, fast: 400_000, fine: -299_000 };
    for (const [session, ms] of Object.entries(off)) {
      await p.append(
        p.message('birth', birth(p.clock.wall + ms, { session })),
        p.message('report', { v: 1, session, seq: 1, samples: [{ at: p.clock.wall + ms + 7 }] }),
      );
      await p.live(running, 1);
    }
    const store = new KeyedStore();

    await startFeed(p, store).caughtUp();

    expect(store.of('terminal').map(({ at, fields }) => [at - T, fields])).toEqual([
      [1_007, { seq: 1, skew: 3_600_000 }],
      [2_007, { seq: 1, skew: -400_000 }],
      [3_007 - 299_000, { seq: 1 }],
    ]);
  });
});

describe("the watch's rows", () => {
  it('presence, merchant and alert are written once each, apart where they share a moment', async () => {
    const { p, running } = await withOwner();
    await running.owner.submit((at) => [
      registry('merchants', { acquirer: 'acme', merchant: 'm-1', terminal_limit: 3 }, at),
      ...['SN000001', 'SN000002', 'SN000003'].flatMap((sn) => bound(sn)(at)),
    ]);
    await p.append(p.message('birth', birth(p.clock.wall)));
    await saved(p, running);
    const store = new KeyedStore();
    const feed = startFeed(p, store);

    await feed.caughtUp();

    expect(store.of('alert').map(({ tags, fields }) => [tags, fields.transition, fields.merchant, fields.reason])).toEqual([
      [{ acquirer: 'acme', type: 'quota.terminals', severity: 'critical' }, 'fired', 'm-1', 'reached'],
    ]);
    expect(store.of('merchant').map(({ fields }) => fields)).toEqual([{ limit: 3, held: 3, pending: 0, reclaimable: 0, headroom: 0 }]);
    expect(store.of('presence').map(({ tags, fields }) => [tags.sn, fields])).toEqual([['SN000001', { state: 'online', expected: 1 }]]);
    await eventually(() => expect(feed.written.at(-1)).toBe(p.outbox().length));
  });
});

describe('the logs', () => {
  it('are told how far they are no longer needed, and not before the points are written', async () => {
    const { p, running } = await withOwner();
    const released: number[] = [];
    const brokersLog = { ...reader(p), release: async (_: string, batch: number) => void released.push(batch) };
    await p.append(p.message('report', report(p.clock.wall, 1)));
    await p.live(running, 3);
    const store = new KeyedStore();
    store.answers.push(new StoreError('unavailable', 'away'));
    const feed = startFeed(p, store, { brokersLog });
    await eventually(() => expect(feed.clock.sleeping).toBe(1));
    const before = [...released];

    await feed.caughtUp();

    expect(before.every((batch) => batch === 1)).toBe(true);
    expect(released.at(-1)).toBe(p.batches + 1);
  });
});

function reader(p: Plant) {
  const { brokersLog: log } = p;
  return {
    read: (batch: number, maxBytes: number) => log.read(batch, maxBytes),
    end: () => log.end(),
    first: () => log.first(),
    grown: (batch: number, signal: AbortSignal) => log.grown(batch, signal),
    close: () => log.close(),
  };
}

it('outcomes of a window reach the store within a minute of the log, and their flushes add up', async () => {
  const { p, running } = await withOwner();
  const store = new KeyedStore();
  const feed = startFeed(p, store);
  let sent = 0;
  for (let seq = 1; seq <= 40; seq++) {
    sent += seq;
    await p.append(
      p.message('report', report(p.clock.wall, seq, { outcomes: [{ system: 'visa', code: '05', n: seq, card: 'debit', kind: 'sale' }] })),
    );
    p.clock.pass(14_000);
    await p.live(running, 1);
  }
  await p.live(running, 61);
  await feed.caughtUp();

  const windows = store.of('outcomes');
  expect(windows.reduce((sum, { fields }) => sum + Number(fields.n), 0)).toBe(sent);
  expect(new Set(windows.map(({ at }) => Math.floor(at / (5 * MINUTE_MS)))).size).toBe(2);
  expect(windows[0]!.tags).toEqual({
    acquirer: 'acme',
    merchant: '',
    system: 'visa',
    code: '05',
    class: 'class of visa 05',
    card: 'debit',
    kind: 'sale',
  });
});

it('points of new series beyond the most wait in quarantine with their reason, said once; those of known series go on', async () => {
  const { p, running } = await withOwner();
  for (const sn of ['SN000001', 'SN000002', 'SN000003', 'SN000001', 'SN000004'])
    await p.append(p.message('report', { v: 1, session: 's1', seq: ++p.clock.mono, samples: [{ at: p.clock.wall }] }, { sn }));
  await p.live(running, 1);
  const store = new KeyedStore();
  const state = openMemoryState();

  const feed = startFeed(p, store, { state, series: { most: 2, days: 30 } });
  await feed.caughtUp();

  expect(new Set(store.of('terminal').map(({ tags }) => tags.sn))).toEqual(new Set(['SN000001', 'SN000002']));
  const kept = [...state.rows(QUARANTINE)].map(({ value }) => fromBytes<Quarantined>(value));
  expect(kept.filter(({ from }) => from === 'acme/SN000003')).toContainEqual(
    expect.objectContaining({ reason: 'cardinality', detail: expect.stringMatching(/has 2 series, the most that it may have/) }),
  );
  expect(JSON.parse(Buffer.from(kept[0]!.raw!, 'base64').toString())).toMatchObject({ tags: { acquirer: 'acme' } });
  expect(feed.feed.fold.crowded.terminal).toBe(2);
  expect(feed.said.filter((line) => line.startsWith('terminal has 2 series'))).toHaveLength(1);
  expect(feed.feed.fold.seriesCounts().terminal).toBe(2);
});

it('samples are rolled up as they are written, and those of a series that is not let in are not', async () => {
  const { p, running } = await withOwner();
  const store = new KeyedStore();
  const feed = startFeed(p, store, { series: { most: 1, days: 30 } });
  for (const [seq, sn] of ['SN000001', 'SN000002', 'SN000001'].entries()) {
    const samples = [{ at: p.clock.wall, signal: { rsrp: -100 - seq } }];
    await p.append(p.message('report', { v: 1, session: 's1', seq, samples }, { sn }));
    await p.live(running, 1);
  }
  p.clock.pass(6 * MINUTE_MS);
  await p.live(running, 1);
  await feed.caughtUp();

  expect(store.of('terminal_5m').map(({ tags, fields }) => [tags.sn, fields])).toEqual([
    ['SN000001', { n: 2, signal_rsrp_min: -102, signal_rsrp_mean: -101, signal_rsrp_max: -100 }],
  ]);
});

it('a store is asked once a day of the log to remove what is old', async () => {
  const { p, running } = await withOwner();
  const store = new KeyedStore();
  const feed = startFeed(p, store);
  await p.live(running, 3);
  p.clock.pass(86_400_000);
  await p.live(running, 3);
  await feed.caughtUp();

  expect(store.keptUp.map((at) => Math.floor(at / 86_400_000) - Math.floor(T / 86_400_000))).toEqual([0, 1]);
});

it('the next batch is put together while one is written, and no more than that', async () => {
  const { p, running } = await withOwner();
  for (let seq = 1; seq <= 16; seq++) {
    const samples = Array.from({ length: 1_000 }, (_, i) => ({ at: T - 60_000 + seq * 1_000 + i }));
    await p.append(p.message('report', { v: 1, session: 's1', seq, samples }));
  }
  await p.live(running, 1);
  const store = new KeyedStore();
  let release = () => {};
  const write = store.write.bind(store);
  store.write = async (points, onRefused) => {
    await new Promise<void>((resolve) => {
      release = resolve;
    });
    return write(points, onRefused);
  };
  let batches = 0;
  const batch = store.batch.bind(store);
  store.batch = () => {
    batches++;
    return batch();
  };
  const feed = startFeed(p, store);

  await eventually(() => expect(batches).toBe(2));
  for (let turn = 0; turn < 200; turn++) await new Promise((resolve) => setImmediate(resolve));
  expect([batches, store.writes.length]).toEqual([2, 0]);
  const letting = setInterval(() => release(), 1);
  await feed.caughtUp();
  clearInterval(letting);

  expect(store.of('terminal')).toHaveLength(16_000);
});
