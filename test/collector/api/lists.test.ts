import { describe, expect, it } from 'vitest';
import type { TerminalView } from '../../../collector/api/views.ts';
import type { Quarantined } from '../../../collector/owner/outputs.ts';
import type { Alert } from '../../../protocol/alerts.ts';
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
