import { expect, it } from 'vitest';
import { openMemoryState } from '../../../backbone/memory.ts';
import { pruneAlerts } from '../../../collector/owner/keeping.ts';
import { ALERT_ENDS, ALERT_IDS, ALERT_LOG } from '../../../collector/owner/outputs.ts';
import { newestFirst, numberKey, toBytes } from '../../../collector/rows.ts';
import { T } from './harness.ts';

const DAY_MS = 86_400_000;

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
  expect([[...state.rows(ALERT_LOG)].length, [...state.rows(ALERT_ENDS)].length]).toEqual([2, 1]);
});
