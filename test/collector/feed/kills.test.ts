import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { openMemoryState } from '../../../backbone/memory.ts';
import { openDuckDbStore } from '../../../collector/store/duckdb.ts';
import { eventually } from '../../helpers/eventually.ts';
import { FOR_EVER } from '../../helpers/store.ts';
import { tempDir } from '../../helpers/tempdir.ts';
import { bound, Life, type Plant, type RunningOwner } from '../owner/harness.ts';
import { KeyedStore, startFeed, withOwner } from './harness.ts';

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
    const store = await openDuckDbStore(join(await tempDir(), 'store.duckdb'), FOR_EVER);
    const state = openMemoryState();
    for (const [stage, { step, after }] of KILLS.entries()) {
      await grow(p, running, 2 * stage);
      const life = new Life(step, after);
      const feed = startFeed(p, store, { life, state });
      await grow(p, running, 2 * stage + 1);
      await eventually(() => {
        feed.clock.pass(1_000);
        if (!life.dead) throw new Error('it lives');
      });
    }
    await p.live(running, 120);
    // Beyond the end of the last five minutes.
    p.clock.pass(400_000);
    await p.live(running, 1);
    const last = startFeed(p, store, { state });
    await last.caughtUp();
    await last.stop();

    const points = await store.query('SELECT sn, merchant, seq FROM main.terminal ORDER BY sn, seq');
    const sums = await store.query('SELECT sum(n) AS n FROM main.outcomes');
    const rolled = await store.query('SELECT sum(n) AS n FROM main.terminal_5m');
    const doubled = await store.query('SELECT "at", nanos, count(*) AS n FROM main.presence GROUP BY ALL HAVING n > 1');
    await store.close();

    const stages = Array.from({ length: 2 * KILLS.length }, (_, stage) => stage);
    expect(points.filter(({ sn }) => sn === 'SN000001').map(({ seq, merchant }) => [seq, merchant])).toEqual(
      stages.map((stage) => [stage, `m-${stage % 3}`]),
    );
    expect(points.filter(({ sn }) => sn === 'SN000002').map(({ seq }) => seq)).toEqual(stages);
    expect(sums[0]!.n).toBe(2 * stages.reduce((sum, stage) => sum + stage + 1, 0));
    expect(rolled[0]!.n).toBe(2 * stages.length);
    expect(doubled).toEqual([]);
  });

  it('at each step writes to a store without marks the same points again, never others under their identity', async () => {
    const { p, running } = await withOwner();
    const store = new KeyedStore();
    const state = openMemoryState();
    for (const [stage, { step, after }] of KILLS.entries()) {
      await grow(p, running, 2 * stage);
      const life = new Life(step, after);
      const feed = startFeed(p, store, { life, state });
      await grow(p, running, 2 * stage + 1);
      await eventually(() => {
        feed.clock.pass(1_000);
        if (!life.dead) throw new Error('it lives');
      });
    }
    await p.live(running, 120);
    // Beyond the end of the last five minutes.
    p.clock.pass(400_000);
    await p.live(running, 1);
    await startFeed(p, store, { state }).caughtUp();
    const untouched = new KeyedStore();
    await startFeed(p, untouched).caughtUp();

    expect(store.conflicts).toEqual([]);
    expect(store.of('terminal_5m').length).toBeGreaterThan(KILLS.length);
    expect(new Map([...store.points].sort())).toEqual(new Map([...untouched.points].sort()));
    expect(store.writes.reduce((a, b) => a + b, 0)).toBeGreaterThan(store.points.size);
  });

  it('after the store took the points but before it saved, drops what the marks say is written, and keeps its tags', async () => {
    const { p, running } = await withOwner();
    const store = await openDuckDbStore(join(await tempDir(), 'store.duckdb'), FOR_EVER);
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
