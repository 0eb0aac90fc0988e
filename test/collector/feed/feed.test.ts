import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { openMemoryState } from '../../../backbone/memory.ts';
import { fromBytes, QUARANTINE, type Quarantined } from '../../../collector/owner/outputs.ts';
import { openDuckDbStore } from '../../../collector/store/duckdb.ts';
import { StoreError } from '../../../collector/store/port.ts';
import { eventually } from '../../helpers/eventually.ts';
import { tempDir } from '../../helpers/tempdir.ts';
import { birth, bound, HandClock, Life, type Plant, plant, type RunningOwner, registry, report, T } from '../owner/harness.ts';
import { KeyedStore, startFeed } from './harness.ts';

const MINUTE_MS = 60_000;

async function withOwner() {
  const p = await plant();
  const running = await p.start();
  await p.live(running, 1);
  return { p, running };
}

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

/** What one stage of a story adds: reports with outcomes of two terminals, and a move of one of them. */
async function grow(p: Plant, running: RunningOwner, stage: number): Promise<void> {
  await running.owner.submit(bound('SN000001', `m-${stage % 3}`));
  for (const sn of ['SN000001', 'SN000002']) {
    const outcomes = [{ system: 'unionpay', code: '00', n: stage + 1 }];
    await p.append(p.message('report', { v: 1, session: `of ${sn}`, seq: stage, samples: [{ at: p.clock.wall + 1, outcomes }] }, { sn }));
  }
  await p.live(running, 1);
  p.clock.pass(4_000);
  await p.live(running, 8);
}

describe('a feed that is killed', () => {
  const KILLS = [1, 2, 3, 4].flatMap((step) => [false, true].map((after) => ({ step, after })));

  it('at each step of its work writes every point to DuckDB once, under the tags of its time', async () => {
    const { p, running } = await withOwner();
    const store = await openDuckDbStore(join(await tempDir(), 'store.duckdb'));
    const state = openMemoryState();
    for (const [stage, { step, after }] of KILLS.entries()) {
      await grow(p, running, stage);
      const life = new Life(step, after);
      const feed = startFeed(p, store, { life, state });
      await eventually(() => {
        feed.clock.pass(1_000);
        if (!life.dead) throw new Error('it lives');
      });
    }
    await p.live(running, 120);
    const last = startFeed(p, store, { state });
    await last.caughtUp();
    await last.stop();

    const points = await store.query('SELECT sn, merchant, seq FROM main.terminal ORDER BY sn, seq');
    const sums = await store.query('SELECT sum(n) AS n FROM main.outcomes');
    const doubled = await store.query('SELECT "at", nanos, count(*) AS n FROM main.presence GROUP BY ALL HAVING n > 1');
    await store.close();

    const stages = KILLS.map((_, stage) => stage);
    expect(points.filter(({ sn }) => sn === 'SN000001').map(({ seq, merchant }) => [seq, merchant])).toEqual(
      stages.map((stage) => [stage, `m-${stage % 3}`]),
    );
    expect(points.filter(({ sn }) => sn === 'SN000002').map(({ seq }) => seq)).toEqual(stages);
    expect(sums[0]!.n).toBe(2 * stages.reduce((sum, stage) => sum + stage + 1, 0));
    expect(doubled).toEqual([]);
  });

  it('at each step writes to a store without marks the same points again, never others under their identity', async () => {
    const { p, running } = await withOwner();
    const store = new KeyedStore();
    const state = openMemoryState();
    for (const [stage, { step, after }] of KILLS.entries()) {
      await grow(p, running, stage);
      const life = new Life(step, after);
      const feed = startFeed(p, store, { life, state });
      await eventually(() => {
        feed.clock.pass(1_000);
        if (!life.dead) throw new Error('it lives');
      });
    }
    await p.live(running, 120);
    await startFeed(p, store, { state }).caughtUp();
    const untouched = new KeyedStore();
    await startFeed(p, untouched).caughtUp();

    expect(store.conflicts).toEqual([]);
    expect(new Map([...store.points].sort())).toEqual(new Map([...untouched.points].sort()));
    expect(store.writes.reduce((a, b) => a + b, 0)).toBeGreaterThan(store.points.size);
  });

  it('after the store took the points but before it saved, drops what the marks say is written, and keeps its tags', async () => {
    const { p, running } = await withOwner();
    const store = await openDuckDbStore(join(await tempDir(), 'store.duckdb'));
    onTestFinished(() => store.close());
    const state = openMemoryState();
    await grow(p, running, 1);
    const life = new Life(1, true);
    startFeed(p, store, { life, state });
    await life.ended;
    expect(state.get('feed', 'feed')).toBeUndefined();
    await p.append(p.message('report', { v: 1, session: 'of SN000001', seq: 9, samples: [{ at: p.clock.wall }] }));
    await p.live(running, 1);

    await startFeed(p, store, { state }).caughtUp();

    const points = await store.query("SELECT seq, merchant FROM main.terminal WHERE sn = 'SN000001' ORDER BY seq");
    expect(points.map(({ seq, merchant }) => [seq, merchant])).toEqual([
      [1, 'm-1'],
      [9, 'm-1'],
    ]);
  });
});

describe('a store', () => {
  const away = (retryAfterMs = 0) => new StoreError('unavailable', 'connection refused', { retryAfterMs });

  it('that is away is tried again, more slowly each time; it is said once, and once when it is back', async () => {
    const { p, running } = await withOwner();
    await p.append(p.message('report', report(p.clock.wall, 1)));
    await p.live(running, 1);
    const store = new KeyedStore();
    for (let i = 0; i < 9; i++) store.answers.push(away());
    const clock = new HandClock();
    const tries: number[] = [];
    const write = store.write.bind(store);
    store.write = (points, marks) => {
      tries.push(clock.mono);
      return write(points, marks);
    };

    const feed = startFeed(p, store, { clock });
    await eventually(
      () => {
        if (tries.length < 9) clock.pass(clock.sleeping > 0 ? 500 : 0);
        expect(tries).toHaveLength(9);
        expect(clock.sleeping).toBe(1);
      },
      { every: 1 },
    );
    expect(feed.feed.stats).toMatchObject({ healthy: false, failures: 9, points: 0 });
    await feed.caughtUp();

    expect(tries.slice(1, 9).map((at, i) => at - tries[i]!)).toEqual([500, 1_000, 2_000, 4_000, 8_000, 16_000, 30_000, 30_000]);
    expect(feed.said).toEqual([
      expect.stringMatching(/^the store cannot be reached .*points wait in the log, nothing is lost$/),
      expect.stringMatching(/is back/),
    ]);
    expect(feed.feed.stats.healthy).toBe(true);
    expect(store.of('terminal')).toHaveLength(1);
  });

  it('that says when to come back is not asked before', async () => {
    const { p, running } = await withOwner();
    await p.append(p.message('report', report(p.clock.wall, 1)));
    await p.live(running, 1);
    const store = new KeyedStore();
    store.answers.push(away(20_000));
    const feed = startFeed(p, store);
    await eventually(() => expect(feed.clock.sleeping).toBe(1));

    feed.clock.pass(19_999);
    await new Promise((resolve) => setImmediate(resolve));
    expect(store.writes).toEqual([]);
    feed.clock.pass(1);

    await eventually(() => expect(store.writes.length).toBeGreaterThan(0));
  });

  it('that is away holds up no stop', async () => {
    const { p, running } = await withOwner();
    await p.append(p.message('report', report(p.clock.wall, 1)));
    await p.live(running, 1);
    const store = new KeyedStore();
    store.write = () => Promise.reject(away());
    const state = openMemoryState();
    const feed = startFeed(p, store, { state });
    await eventually(() => expect(feed.clock.sleeping).toBe(1));

    await feed.stop();

    expect(state.get('feed', 'feed')).toBeUndefined();
  });

  it('that refuses a point gets the rest, and the point is kept where it can be listed', async () => {
    const { p, running } = await withOwner();
    for (let seq = 1; seq <= 20; seq++) await p.append(p.message('report', report(p.clock.wall + seq, seq)));
    await p.live(running, 1);
    const store = new KeyedStore();
    store.refuse = ({ fields }) => fields.seq === 7;
    const state = openMemoryState();
    const feed = startFeed(p, store, { state });

    await feed.caughtUp();

    expect(store.of('terminal')).toHaveLength(19);
    expect(feed.feed.stats.rejected).toBe(1);
    const kept = [...state.rows(QUARANTINE)].map(({ value }) => fromBytes<Quarantined>(value));
    expect(kept).toEqual([expect.objectContaining({ from: 'acme/SN000001', reason: 'store_rejected', at: p.clock.wall - 1_000 + 7 })]);
    expect(JSON.parse(Buffer.from(kept[0]!.raw!, 'base64').toString())).toMatchObject({ measurement: 'terminal', fields: { seq: 7 } });
  });

  it('whose failure is not of the network ends the run', async () => {
    const { p, running } = await withOwner();
    await p.append(p.message('report', report(p.clock.wall, 1)));
    await p.live(running, 1);
    const store = new KeyedStore();
    store.answers.push(new StoreError('locked', 'by another process'));

    await expect(startFeed(p, store).run).rejects.toMatchObject({ code: 'locked' });
  });

  it('gets a large backlog in batches, and no entry before the owner has said where it stands', async () => {
    const { p, running } = await withOwner();
    for (let seq = 1; seq <= 12; seq++) {
      const samples = Array.from({ length: 1_000 }, (_, i) => ({ at: T - 60_000 + seq * 1_000 + i }));
      await p.append(p.message('report', { v: 1, session: 's1', seq, samples }));
    }
    await p.live(running, 1);
    await running.stop();
    await p.append(p.message('report', report(p.clock.wall, 13)));
    const store = new KeyedStore();

    await startFeed(p, store).caughtUp();

    expect(store.of('terminal')).toHaveLength(12_000);
    expect(Math.max(...store.writes)).toBeLessThan(10_000);
    expect(store.writes.length).toBeGreaterThan(1);
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
