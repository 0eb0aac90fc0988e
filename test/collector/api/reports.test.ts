import { beforeEach, describe, expect, it } from 'vitest';
import type { CausesReport, LeadTime } from '../../../watch/alerts/reports.ts';
import { problemOf, T, TestApi } from './harness.ts';

const DAY = 86_400_000;
const HOUR = 3_600_000;
/** The day that T lies in, and the one after. */
const TODAY = Math.floor(T / DAY) * DAY;
const TOMORROW = TODAY + DAY;

let api: TestApi;

/** A terminal falls silent at `at` and tells, an hour later, that it had no signal; and a merchant goes from 3 to 4 of 4 slots. */
async function happenings(acquirer: string, sn: string, at: number): Promise<void> {
  const birth = (session: string, when: number) =>
    api.message(acquirer, sn, 'birth', { v: 1, session, at: when, interval: 60, keepalive: 5 }, when);
  await api.row('merchants', { acquirer, merchant: 'm-1', terminal_limit: 4 }, at);
  for (const n of [1, 2]) await api.row('terminals', { acquirer, merchant: 'm-1', sn: `SPARE${n}` }, at);
  await api.row('terminals', { acquirer, merchant: 'm-1', sn }, at);
  await birth('s1', at);
  await api.fold({ kind: 'tick', at: at + HOUR / 2 });
  await api.row('terminals', { acquirer, merchant: 'm-1', sn: 'SPARE3' }, at + HOUR / 2);
  await birth('s2', at + HOUR);
  const samples = [10, 20, 30].map((minutes) => ({ at: at + minutes * 60_000, signal: { rat: 'none' } }));
  await api.message(acquirer, sn, 'report', { v: 1, session: 's1', seq: 1, samples }, at + HOUR);
  await api.fold({ kind: 'tick', at: at + 2 * HOUR });
}

beforeEach(async () => {
  api = new TestApi();
  await happenings('acme', 'SN000001', T - 3 * DAY);
  await happenings('bolt', 'SN000001', T - 2 * DAY);
});

const causes = (query = '', token?: string) => api.get<CausesReport>(`/v1/reports/causes${query}`, token ? { token } : {});
const leadTime = (query = '', token?: string) => api.get<{ items: LeadTime[] }>(`/v1/reports/lead-time${query}`, token ? { token } : {});
const reached = ({ items }: { items: LeadTime[] }) => items.find(({ event }) => event === 'quota.terminals');

describe('/v1/reports/causes', () => {
  it('holds what was said against what was told, over the last 30 days', async () => {
    const report = await causes();

    expect(report).toMatchObject({ from: TOMORROW - 30 * DAY, to: TOMORROW, acquirer: null, total: 2, told: 2, right: 0, accuracy: 0 });
    expect(report.rows.find(({ said }) => said === 'unknown')?.told).toMatchObject({ radio: 2, power: 0 });
  });

  it('is of the days and the acquirer that are asked for', async () => {
    expect((await causes('?acquirer=bolt')).total).toBe(1);
    expect((await causes('?acquirer=none')).total).toBe(0);
    const range = await causes(`?from=${T - 2 * DAY}&to=${T - DAY}`);
    expect(range).toMatchObject({ from: TODAY - 2 * DAY, to: TODAY, total: 1 });
  });

  it.each(['?from=x', '?to=-1', `?from=${T}&to=${T - DAY}`])('says what is wrong with %s', async (query) => {
    const response = await api.request(`/v1/reports/causes${query}`);

    expect(response.status).toBe(400);
    expect((await problemOf(response)).detail).toMatch(/from|to/);
  });
});

describe('/v1/reports/lead-time', () => {
  it('says of what we warned, how early, and how many warnings came to nothing', async () => {
    expect(reached(await leadTime())).toEqual({
      warning: 'quota.terminals',
      event: 'quota.terminals',
      events: 2,
      warned: 2,
      recall: 1,
      leadSeconds: { p10: 1800, median: 1800, p90: 1800 },
      warnings: 2,
      cameTrue: 2,
      cameToNothing: 0,
    });
  });

  it('is of the acquirer that is asked for', async () => {
    expect(reached(await leadTime('?acquirer=acme'))?.events).toBe(1);
  });
});

describe('the reports', () => {
  it.each(['noc', 'viewer'] as const)('show all to %s', async (role) => {
    const token = await api.token(role);

    expect((await causes('', token)).total).toBe(2);
    expect(reached(await leadTime('', token))?.events).toBe(2);
  });

  it('show an acquirer its own alone, and another’s are not there', async () => {
    const token = await api.token('acquirer:bolt');

    expect(await causes('', token)).toMatchObject({ acquirer: 'bolt', total: 1 });
    expect(reached(await leadTime('', token))?.events).toBe(1);
    for (const report of ['causes', 'lead-time']) {
      expect((await api.request(`/v1/reports/${report}?acquirer=acme`, { token })).status).toBe(404);
      expect((await api.request(`/v1/reports/${report}`, { token: '' })).status).toBe(401);
    }
  });
});
