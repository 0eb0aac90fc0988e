import { describe, expect, it } from 'vitest';
import { openMemoryState } from '../../../backbone/memory.ts';
import { QUARANTINE, type Quarantined } from '../../../collector/owner/outputs.ts';
import { fromBytes } from '../../../collector/rows.ts';
import { StoreError } from '../../../collector/store/port.ts';
import { eventually } from '../../helpers/eventually.ts';
import { HandClock, report, T } from '../owner/harness.ts';
import { KeyedStore, startFeed, withOwner } from './harness.ts';

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
    store.write = (points, onRefused) => {
      tries.push(clock.mono);
      return write(points, onRefused);
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
    expect(feed.feed.stats).toMatchObject({ healthy: false, failures: { unavailable: 9 }, points: 0 });
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
