import { expect, it } from 'vitest';
import { LogError } from '../../../backbone/log.ts';
import { openMemoryState } from '../../../backbone/memory.ts';
import { StateError, type StateStore } from '../../../backbone/state.ts';
import { QUARANTINE, type Quarantined } from '../../../collector/owner/outputs.ts';
import { fromBytes } from '../../../collector/rows.ts';
import { eventually } from '../../helpers/eventually.ts';
import { report } from '../owner/harness.ts';
import { KeyedStore, startFeed, withOwner } from './harness.ts';

/** A state that takes nothing while it is full. */
function fullState() {
  const state = openMemoryState();
  const fault = { full: true };
  const attempt = (call: () => Promise<void>) => (fault.full ? Promise.reject(new StateError('full')) : call());
  const wrapped: StateStore = {
    rows: (table, range) => state.rows(table, range),
    get: (table, key) => state.get(table, key),
    stage: (changes) => attempt(() => state.stage(changes)),
    commit: (changes) => attempt(() => state.commit(changes)),
    close: () => state.close(),
  };
  return { fault, state, wrapped };
}

it('while the disk is full the feed waits with what it has to save, rejected points included, and then goes on by itself', async () => {
  const { p, running } = await withOwner();
  for (let seq = 1; seq <= 20; seq++) await p.append(p.message('report', report(p.clock.wall + seq, seq)));
  await p.live(running, 1);
  const store = new KeyedStore();
  store.refuse = ({ fields }) => fields.seq === 7 || fields.seq === 8;
  const { fault, state, wrapped } = fullState();
  const feed = startFeed(p, store, { state: wrapped });
  await eventually(() => expect(feed.clock.sleeping).toBe(1));
  feed.clock.pass(500);
  await eventually(() => expect(feed.clock.sleeping).toBe(1));

  fault.full = false;
  await feed.caughtUp();
  const before = store.of('terminal').length;
  await feed.stop();
  const again = startFeed(p, store, { state });
  await p.append(p.message('report', report(p.clock.wall, 30)));
  await p.live(running, 1);
  await again.caughtUp();

  expect([before, store.of('terminal').length]).toEqual([18, 19]);
  expect(feed.said).toEqual([expect.stringMatching(/disk is full/), expect.stringMatching(/goes on/)]);
  const kept = [...state.rows(QUARANTINE)].map(({ value }) => fromBytes<Quarantined>(value));
  expect(kept.map(({ raw }) => JSON.parse(Buffer.from(raw!, 'base64').toString()).fields.seq).sort()).toEqual([7, 8]);
  expect(feed.feed.quarantine.tallies.point).toMatchObject({ rows: 2, dropped: { all: 0, sender: 0 } });
  expect(again.feed.quarantine.tallies.point).toMatchObject({ rows: 2, dropped: { all: 0, sender: 0 } });
});

it('a log that cannot be told how far it is needed keeps more, and nobody waits for it', async () => {
  const { p, running } = await withOwner();
  await p.append(p.message('report', report(p.clock.wall, 1)));
  await p.live(running, 1);
  p.brokersLog.release = () => Promise.reject(new LogError('full'));
  const store = new KeyedStore();

  await startFeed(p, store).caughtUp();

  expect(store.of('terminal')).toHaveLength(1);
});
