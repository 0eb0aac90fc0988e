import { beforeEach, describe, expect, it } from 'vitest';
import type { HistoryQuery } from '../../../collector/store/history.ts';
import { StoreError } from '../../../collector/store/port.ts';
import { problemOf, T, TestApi } from './harness.ts';

const DAY_MS = 86_400_000;

describe('GET /v1/terminals/{sn}/history', () => {
  let api: TestApi;
  let asked: HistoryQuery[];
  beforeEach(async () => {
    api = new TestApi();
    asked = [];
    api.history = async (query) => {
      asked.push(query);
      return [{ at: query.from, min: -110, mean: -100, max: -90 }];
    };
    await api.terminal('acme', 'SN000001');
  });
  const path = (query: string, sn = 'SN000001') => `/v1/terminals/${sn}/history?${query}`;

  it('asks the store for the terminal, and says what of', async () => {
    const [from, to] = [T - 3_600_000, T];

    const answer = await api.get(path(`metric=signal_rsrp&from=${from}&to=${to}&every=1m`));

    expect(asked).toEqual([{ acquirer: 'acme', sn: 'SN000001', metric: 'signal_rsrp', from, to, everyMs: 60_000 }]);
    expect(answer).toEqual({ ...asked[0], items: [{ at: from, min: -110, mean: -100, max: -90 }] });
  });

  it('is of the last day by five minutes where nothing else is said, from and to on whole multiples', async () => {
    await api.get(path('metric=signal_rsrp'));
    await api.get(path(`metric=signal_rsrp&from=${T - 1}&to=${T + 1}&every=1h`));

    const to = Math.ceil(T / 300_000) * 300_000;
    const hour = Math.floor((T - 1) / 3_600_000) * 3_600_000;
    expect(asked.map(({ from, to, everyMs }) => [from, to, everyMs])).toEqual([
      [to - DAY_MS, to, 300_000],
      [hour, Math.ceil((T + 1) / 3_600_000) * 3_600_000, 3_600_000],
    ]);
  });

  it.each([
    ['', /metric is the name/],
    ['metric=signal.rsrp', /metric is the name/],
    [`metric=${encodeURIComponent('x" or "1"="1')}`, /metric is the name/],
    ['metric=a&every=5', /every is a whole number/],
    ['metric=a&every=0m', /every is a whole number/],
    ['metric=a&from=yesterday', /from is a time in epoch milliseconds/],
    ['metric=a&to=1e99', /to is a time in epoch milliseconds/],
    [`metric=a&from=${T}&to=${T - DAY_MS}`, /from must be before to/],
    [`metric=a&from=0&to=${T}&every=1s`, /more than 10000 rows: take a greater every/],
  ])('refuses ?%s and says what to do', async (query, why) => {
    const response = await api.request(path(query));

    expect(response.status).toBe(400);
    expect((await problemOf(response)).detail).toMatch(why);
    expect(asked).toEqual([]);
  });

  it('of a terminal that is not there, or another acquirer has, is a 404; of one that two have a 409', async () => {
    await api.terminal('other', 'SN000002');
    await api.terminal('other', 'SN000001');
    const token = await api.token('acquirer:acme');

    expect((await api.request(path('metric=a', 'SN999999'))).status).toBe(404);
    expect((await api.request(path('metric=a', 'SN000002'), { token })).status).toBe(404);
    expect((await api.request(path('metric=a'))).status).toBe(409);
    expect((await api.request(path('metric=a'), { token })).status).toBe(200);
  });

  it('is a 503 while the store is away, and a 400 for what is no number there', async () => {
    api.history = () => Promise.reject(new StoreError('unavailable', 'away'));
    expect((await api.request(path('metric=a'))).status).toBe(503);

    api.history = () => Promise.reject(new StoreError('rejected', 'expected float but found string'));
    expect((await api.request(path('metric=signal_rat'))).status).toBe(400);
  });
});
