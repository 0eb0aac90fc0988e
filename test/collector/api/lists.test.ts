import { describe, expect, it, vi } from 'vitest';
import type { TerminalView } from '../../../collector/api/views.ts';
import { ALERT_LOG, QUARANTINE, type Quarantined } from '../../../collector/owner/outputs.ts';
import { newestFirst, toBytes } from '../../../collector/rows.ts';
import type { Alert } from '../../../protocol/alerts.ts';
import { subjectOf } from '../../../watch/alerts/lifecycle.ts';
import { type List, problemOf, T, TestApi } from './harness.ts';

describe('terminals', () => {
  it('are shown with all that is known of them', async () => {
    const api = new TestApi();
    await api.row('terminals', { acquirer: 'acme', merchant: 'm-1', site: 's-1', sn: 'SN000001', tid: '10000001', model: 'A920' });
    await api.message('acme', 'SN000001', 'birth', { v: 1, session: 's1', at: T - 1_000, interval: 60, app: '3.4.1' });
    const sample = { at: T, signal: { rat: 'lte', rsrp: -101 } };
    await api.message('acme', 'SN000001', 'report', { v: 1, session: 's1', seq: 1, samples: [sample] });

    expect(await api.get('/v1/terminals/SN000001')).toEqual({
      acquirer: 'acme',
      sn: 'SN000001',
      merchant: 'm-1',
      site: 's-1',
      state: 'online',
      lastSeenAt: T,
      last: sample,
      lifecycle: 'active',
      tid: '10000001',
      model: 'A920',
      app: '3.4.1',
      session: 's1',
      skewMs: 1_000,
      intervalSeconds: 60,
      availability: [{ month: '2025-11', expectedSeconds: 0, ratio: null }],
    });
  });

  it('that two acquirers have are asked back with the choices', async () => {
    const api = new TestApi();
    await api.terminal('acme', 'SN000001');
    await api.terminal('bolt', 'SN000001');

    const response = await api.request('/v1/terminals/SN000001');

    expect(response.status).toBe(409);
    expect(await problemOf(response)).toMatchObject({
      choices: [
        { acquirer: 'acme', sn: 'SN000001' },
        { acquirer: 'bolt', sn: 'SN000001' },
      ],
    });
    expect((await api.get<TerminalView>('/v1/terminals/SN000001?acquirer=bolt')).acquirer).toBe('bolt');
  });

  it('that nobody registered say so', async () => {
    const api = new TestApi();
    await api.message('acme', 'SN000009', 'birth', { v: 1, session: 's1', at: T });

    expect((await api.get<List<TerminalView>>('/v1/terminals?state=unregistered')).items.map(({ sn }) => sn)).toEqual(['SN000009']);
    expect((await api.get<List<TerminalView>>('/v1/terminals?state=online')).items).toEqual([]);
  });

  it('are found by merchant, site, state and a part of their names', async () => {
    const api = new TestApi();
    await api.terminal('acme', 'SN000001', 'm-1');
    await api.terminal('acme', 'SN000002', 'm-2');
    await api.row('terminals', { acquirer: 'acme', merchant: 'm-2', site: 's-7', sn: 'SN000003', tid: 'TID-77' });
    const found = async (query: string) => (await api.get<List<TerminalView>>(`/v1/terminals?${query}`)).items.map(({ sn }) => sn);

    expect(await found('merchant=m-2')).toEqual(['SN000002', 'SN000003']);
    expect(await found('site=s-7')).toEqual(['SN000003']);
    expect(await found('state=unknown')).toEqual(['SN000003']);
    expect(await found('q=tid-7')).toEqual(['SN000003']);
    expect(await found('q=sn00000&merchant=m-1')).toEqual(['SN000001']);
    expect(await found('acquirer=none')).toEqual([]);
  });

  it('come in pages that are complete, though terminals talk, move and join meanwhile', async () => {
    const api = new TestApi();
    const before = Array.from({ length: 250 }, (_, i) => `SN${100_000 + i}`);
    for (const sn of before) await api.terminal('acme', sn);
    const seen: string[] = [];
    let cursor: string | null = '';
    for (let page = 0; cursor !== null; page++) {
      const list: List<TerminalView> = await api.get(`/v1/terminals?limit=17${cursor && `&cursor=${cursor}`}`);
      expect(list.items.length).toBeLessThanOrEqual(17);
      seen.push(...list.items.map(({ sn }) => sn));
      cursor = list.next;
      await api.message('acme', before[page * 7]!, 'event', { v: 1, session: 's1', seq: page, at: T, type: 'power.low' });
      await api.row('terminals', { acquirer: 'acme', merchant: 'm-9', sn: before[page * 3]! });
      await api.terminal('acme', `SN${200_000 + page}`);
    }

    expect(new Set(seen).size).toBe(seen.length);
    expect(seen).toEqual(expect.arrayContaining(before));
  });
});

describe('the order of terminals', () => {
  const all = ['acme-two/SN000001', 'acme/SN000001', 'acme/SN000002', 'acme/SN000009', 'bolt/SN000001', 'bolt/SN000003'];

  async function knows(keys: readonly string[]): Promise<TestApi> {
    const api = new TestApi();
    for (const key of keys) await api.terminal(...(key.split('/') as [string, string]));
    return api;
  }
  const page = (api: TestApi, query = '') => api.get<List<TerminalView>>(`/v1/terminals?limit=2${query}`);
  const keysOf = ({ items }: List<TerminalView>) => items.map(({ acquirer, sn }) => `${acquirer}/${sn}`);

  it('is that of their keys, whatever the order in which they came to be known, so a cursor outlives a restart', async () => {
    const seen: string[] = [];
    for (let cursor: string | null = ''; cursor !== null; ) {
      const restarted = await knows(seen.length % 4 === 0 ? all.toReversed() : all);
      const list = await page(restarted, cursor && `&cursor=${cursor}`);
      seen.push(...keysOf(list));
      cursor = list.next;
    }

    expect(seen).toEqual(all);
  });

  it('takes in those that join between two requests', async () => {
    const api = await knows([all[3]!, all[1]!]);
    expect(keysOf(await page(api))).toEqual([all[1], all[3]]);

    for (const key of [all[5]!, all[0]!, all[2]!]) await api.terminal(...(key.split('/') as [string, string]));
    const first = await page(api);
    const second = await page(api, `&cursor=${first.next}`);
    const third = await page(api, `&cursor=${second.next}`);

    expect([first, second, third].flatMap(keysOf)).toEqual([all[0], all[1], all[2], all[3], all[5]]);
    expect(third.next).toBeNull();
    expect((await api.request('/v1/terminals/SN000001')).status).toBe(409);
    expect((await api.get<TerminalView>('/v1/terminals/SN000003')).acquirer).toBe('bolt');
  });

  it('of one acquirer begins and ends with its own', async () => {
    const api = await knows(all);

    const first = await page(api, '&acquirer=acme');
    const second = await page(api, `&acquirer=acme&cursor=${first.next}`);
    const foreign = await page(api, `&acquirer=acme&cursor=${Buffer.from('bolt/SN000001').toString('base64url')}`);

    expect([first, second].map(keysOf)).toEqual([['acme/SN000001', 'acme/SN000002'], ['acme/SN000009']]);
    expect([second.next, foreign]).toEqual([null, { items: [], next: null }]);
  });

  it('costs a request no walk over the whole fleet', async () => {
    const api = await knows(all);
    await page(api);
    await api.get('/v1/terminals/SN000009');
    const walks = vi.spyOn(api.watch.state.terminals, 'values');

    await page(api, '&acquirer=bolt');
    await api.get('/v1/terminals/SN000009');

    expect(walks).not.toHaveBeenCalled();
  });
});

describe('alerts', () => {
  async function withAlerts() {
    const api = new TestApi();
    await api.row('merchants', { acquirer: 'acme', merchant: 'm-1', terminal_limit: 3 });
    for (const n of [1, 2, 3]) await api.terminal('acme', `SN00000${n}`);
    await api.fold({ kind: 'tick', at: T + 1 });
    await api.fold({ kind: 'tick', at: T + 10 * 60_000 });
    return api;
  }

  it('are listed newest first, by state and type, in pages', async () => {
    const api = await withAlerts();
    const first = await api.get<List<Alert>>('/v1/alerts?limit=3');
    const second = await api.get<List<Alert>>(`/v1/alerts?limit=3&cursor=${first.next}`);

    expect([...first.items, ...second.items].map(({ type }) => type)).toEqual([
      'terminal.offline',
      'terminal.offline',
      'terminal.offline',
      'quota.terminals',
    ]);
    expect(second.next).toBeNull();
    expect((await api.get<List<Alert>>('/v1/alerts?type=quota.terminals')).items).toHaveLength(1);
    expect((await api.get<List<Alert>>('/v1/alerts?state=resolved')).items).toEqual([]);
  });

  it('once resolved stay to be read, and keep their id', async () => {
    const api = await withAlerts();
    const [alert] = (await api.get<List<Alert>>('/v1/alerts?type=quota.terminals')).items;
    await api.fold({
      kind: 'registry',
      at: T + 700_000,
      change: { table: 'merchants', row: { acquirer: 'acme', merchant: 'm-1', terminal_limit: 30 } },
    });
    await api.fold({ kind: 'tick', at: T + 700_001 });

    expect(await api.get(`/v1/alerts/${alert!.id}`)).toMatchObject({ id: alert!.id, state: 'resolved', endsAt: T + 700_000 });
    expect((await api.get<List<Alert>>('/v1/alerts?state=firing&type=quota.terminals')).items).toEqual([]);
  });

  it.each([
    ['zh-CN,zh;q=0.9,en;q=0.8', /[\u4e00-\u9fff]/],
    ['en-GB,en;q=0.9', /^[\x20-\x7e]+$/],
    ['de', /^[\x20-\x7e]+$/],
    ['', /^[\x20-\x7e]+$/],
  ])('say what to do in the language of %j', async (language, script) => {
    const api = await withAlerts();

    const { items } = await api.get<List<Alert>>('/v1/alerts', { headers: { 'accept-language': language } });
    const one = await api.get<Alert>(`/v1/alerts/${items[0]!.id}`, { headers: { 'accept-language': language } });

    for (const { remedy } of [...items, one]) expect(remedy.join(' ')).toMatch(script);
  });
});

describe('what fires', () => {
  const START = T + 1_000_000;
  const alert = (n: number, changes: Partial<Alert> = {}): Alert => ({
    id: `alert-${String(n).padStart(6, '0')}`,
    type: 'terminal.offline',
    severity: 'warning',
    state: 'resolved',
    acknowledgedBy: null,
    assignee: null,
    silencedBy: null,
    subject: subjectOf({ acquirer: 'acme', merchant: 'm-1', terminal: 'SN000001' }),
    reason: 'silent',
    cause: 'unknown',
    confidence: 1,
    evidence: [],
    remedy: [],
    predicted: null,
    count: 1,
    members: [],
    startsAt: START + n,
    updatedAt: START + n,
    endsAt: START + n,
    seq: 2,
    ...changes,
  });
  const history = (api: TestApi, alerts: Alert[]) =>
    api.watchState.commit(alerts.map((a) => ({ table: ALERT_LOG, key: newestFirst(a.startsAt, a.id), value: toBytes(a) })));

  async function firing(count: number): Promise<TestApi> {
    const api = new TestApi();
    for (let n = 0; n < count; n++) await api.terminal(n % 2 ? 'acme' : 'bolt', `SN${100_000 + n}`);
    // Were they more than half of those that are there, it would be one outage.
    for (let n = 0; n < count + 4; n++) {
      const [acquirer, sn] = [n % 2 ? 'acme' : 'bolt', `SN${200_000 + n}`];
      await api.row('terminals', { acquirer, merchant: 'm-1', sn });
      await api.message(acquirer, sn, 'birth', { v: 1, session: 's1', at: T, interval: 3600, app: '1' });
    }
    await api.fold({ kind: 'tick', at: T + 10 * 60_000 });
    return api;
  }

  async function everyPage(api: TestApi, query: string): Promise<Alert[][]> {
    const pages: Alert[][] = [];
    for (let cursor: string | null = ''; cursor !== null; ) {
      const list: List<Alert> = await api.get(`/v1/alerts?${query}${cursor && `&cursor=${cursor}`}`);
      pages.push(list.items);
      cursor = list.next;
    }
    return pages;
  }

  it('is found at once, though ever so much history is newer', async () => {
    const api = await firing(3);
    await history(
      api,
      Array.from({ length: 6_000 }, (_, n) => alert(n)),
    );

    const { items, next } = await api.get<List<Alert>>('/v1/alerts?state=firing');

    expect([items.length, next]).toEqual([3, null]);
  });

  it.each(['', '&acquirer=acme', '&type=terminal.offline'])(
    'comes in the pages and the order of all alerts (state=firing%s)',
    async (filter) => {
      const api = await firing(25);

      const pages = await everyPage(api, `limit=4&state=firing${filter}`);
      const all = await everyPage(api, `limit=4${filter}`);

      expect(pages).toEqual(all);
      expect(pages.flat()).toHaveLength(filter === '&acquirer=acme' ? 12 : 25);
    },
  );

  it('or once did: one request looks at a bounded part of history, and says where to go on', async () => {
    const api = new TestApi();
    const wanted = alert(0, { type: 'quota.terminals', reason: 'reached' });
    await history(api, [wanted, ...Array.from({ length: 12_000 }, (_, n) => alert(n + 1))]);
    const read = vi.spyOn(api.watchState, 'rows');

    const pages = await everyPage(api, 'type=quota.terminals');

    expect(pages.map((page) => page.map(({ id }) => id))).toEqual([[], [], [wanted.id]]);
    expect(read).toHaveBeenCalledTimes(3);
  });

  it('and so with quarantine', async () => {
    const api = new TestApi();
    await api.quarantine('old', 'acme/SN000001', T);
    const row = (id: string): Quarantined => ({
      id,
      at: T,
      node: 'n1',
      from: 'bolt/SN000001',
      channel: 'report',
      reason: 'x',
      detail: '',
      raw: null,
    });
    const newer = Array.from({ length: 5_000 }, (_, n) => ({
      table: QUARANTINE,
      key: newestFirst(T + 1 + n, `${n}`),
      value: toBytes(row(`${n}`)),
    }));
    await api.feedState.commit(newer);

    const first = await api.get<List<Quarantined>>('/v1/quarantine?acquirer=acme');
    const second = await api.get<List<Quarantined>>(`/v1/quarantine?acquirer=acme&cursor=${first.next}`);

    expect(first.items).toEqual([]);
    expect([second.items.map(({ id }) => id), second.next]).toEqual([['old'], null]);
  });
});

describe('quarantine', () => {
  it('lists what broker and store refused in one order, newest first, in pages', async () => {
    const api = new TestApi();
    for (let n = 0; n < 10; n++) await api.quarantine(`${n}`, 'acme/SN000001', T + n, n % 3 === 0);

    const pages: string[][] = [];
    let cursor: string | null = '';
    while (cursor !== null) {
      const page: List<Quarantined> = await api.get(`/v1/quarantine?limit=4${cursor && `&cursor=${cursor}`}`);
      pages.push(page.items.map(({ id }) => id));
      cursor = page.next;
    }

    expect(pages).toEqual([
      ['9', '8', '7', '6'],
      ['5', '4', '3', '2'],
      ['1', '0'],
    ]);
  });
});
