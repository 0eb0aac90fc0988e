import { describe, expect, it } from 'vitest';
import { openMemoryState } from '../../../backbone/memory.ts';
import type { StateStore } from '../../../backbone/state.ts';
import { noTallies, pruneAlerts, Quarantine } from '../../../collector/owner/keeping.ts';
import {
  ALERT_ENDS,
  ALERT_IDS,
  ALERT_LOG,
  newestFirst,
  numberKey,
  QUARANTINE,
  type Quarantined,
  toBytes,
} from '../../../collector/owner/outputs.ts';
import { eventually } from '../../helpers/eventually.ts';
import { plant, T } from './harness.ts';

const DAY_MS = 86_400_000;

function row(n: number, at = T + n, raw: string | null = null): Quarantined {
  return { id: `${n}-0`, at, node: 'n1', from: 'acme/SN000001', channel: null, reason: 'bad_token', detail: '', raw };
}

const countOf = (state: StateStore, table: string) => [...state.rows(table)].length;

/** Limits that a test reaches soon. */
const small = {
  refusal: { rows: 50, bytes: Number.POSITIVE_INFINITY },
  message: { rows: 1_000, bytes: 30_000 },
  point: { rows: 10, bytes: 1e9 },
};

describe('quarantine', () => {
  it('of refusals is bounded by their number, the oldest going first, and says how many went', async () => {
    const state = openMemoryState();
    const quarantine = new Quarantine(noTallies(), small);

    for (let n = 0; n < 200; n += 20) {
      const added = Array.from({ length: 20 }, (_, i) => quarantine.add(row(n + i), 'refusal')).flat();
      await state.commit([...added, ...quarantine.prune(state, T + n)]);
    }

    const kept = [...state.rows(QUARANTINE)].map(({ value }) => (JSON.parse(Buffer.from(value).toString()) as Quarantined).at - T);
    expect(kept).toEqual(Array.from({ length: 50 }, (_, i) => 199 - i));
    expect(countOf(state, 'quarantine-refusal')).toBe(50);
    expect(quarantine.tallies.refusal).toEqual({ rows: 50, bytes: 0, dropped: 150 });
  });

  it('of messages is bounded by their bytes, and refusals push none of them out', async () => {
    const state = openMemoryState();
    const quarantine = new Quarantine(noTallies(), small);
    const raw = Buffer.alloc(3_000).toString('base64');

    for (let n = 0; n < 100; n++) {
      const added = [...quarantine.add(row(n, T + n, raw), 'message'), ...quarantine.add(row(1_000 + n), 'refusal')];
      await state.commit([...added, ...quarantine.prune(state, T + n)]);
    }
    await state.commit(quarantine.prune(state, T + 100));

    expect(countOf(state, 'quarantine-message')).toBe(10);
    expect(quarantine.tallies.message).toEqual({ rows: 10, bytes: 30_000, dropped: 90 });
  });

  it('ends after thirty days, whatever there is room for, a part at a save, and that is no drop', async () => {
    const state = openMemoryState();
    const quarantine = new Quarantine(noTallies());
    await state.commit(Array.from({ length: 2_500 }, (_, n) => quarantine.add(row(n, T + n, 'AAAA'), 'message')).flat());
    const young = quarantine.prune(state, T + 30 * DAY_MS);
    const counts: number[] = [];

    for (let save = 0; save < 4; save++) {
      await state.commit(quarantine.prune(state, T + 30 * DAY_MS + 2_400));
      counts.push(countOf(state, QUARANTINE));
    }

    expect([young, counts]).toEqual([[], [1_500, 500, 100, 100]]);
    expect(quarantine.tallies.message).toEqual({ rows: 100, bytes: 300, dropped: 0 });
  });

  it('of the owner is counted over restarts, crashes and entries that are folded again', async () => {
    const p = await plant();
    const refusal = () => ({ kind: 'refusal', at: p.clock.wall, node: 'n1', user: 'acme/x', reason: 'bad_token', detail: '' }) as const;
    const first = await p.start();
    await p.live(first, 1);
    await p.append(refusal(), refusal());
    await p.live(first, 6);
    await first.stop();
    const second = await p.start();
    await p.append(refusal(), refusal(), refusal());
    await p.live(second, 1);
    await p.crash();

    const third = await p.start();
    await p.live(third, 7);
    await eventually(() => expect(countOf(p.state, QUARANTINE)).toBe(5));
    await third.stop();

    expect(third.owner.quarantine.tallies.refusal).toEqual({ rows: 5, bytes: 0, dropped: 0 });
    expect(new Quarantine(JSON.parse(Buffer.from(p.state.get('owner', 'watch')!).toString()).quarantined).tallies.refusal.rows).toBe(5);
  });
});

it('alerts are kept for 400 days after their end, and one that fired again stays', async () => {
  const state = openMemoryState();
  const put = (id: string, endsAt: number, now = endsAt) => {
    const key = newestFirst(T, id);
    return [
      { table: ALERT_LOG, key, value: toBytes({ id, startsAt: T, endsAt: now }) },
      { table: ALERT_IDS, key: id, value: Buffer.from(key) },
      { table: ALERT_ENDS, key: `${numberKey(endsAt)}.${id}`, value: Buffer.from(key) },
    ];
  };
  await state.commit([...put('old', T), ...put('again', T + 1, T + 5 * DAY_MS), ...put('young', T + DAY_MS)]);

  await state.commit(pruneAlerts(state, T + 400 * DAY_MS + 2));

  expect([...state.rows(ALERT_IDS)].map(({ key }) => key)).toEqual(['again', 'young']);
  expect([countOf(state, ALERT_LOG), countOf(state, ALERT_ENDS)]).toEqual([2, 1]);
});
