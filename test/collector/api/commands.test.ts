import { describe, expect, it } from 'vitest';
import { type List, problemOf, T, TestApi } from './harness.ts';

const PATH = '/v1/terminals/SN000001/commands';
const DAY_MS = 86_400_000;

interface Command {
  id: string;
  state: string;
  at: number;
  expires: number;
  [member: string]: unknown;
}

async function withTerminal(): Promise<TestApi> {
  const api = new TestApi();
  await api.terminal('acme', 'SN000001');
  return api;
}

const post = (api: TestApi, body: unknown, more = {}) => api.request(PATH, { method: 'POST', body, ...more });
const listed = async (api: TestApi, query = '', more = {}) => (await api.get<List<Command>>(PATH + query, more)).items;

describe('giving a command', () => {
  it('is an entry of the log, under an id of ours, good for a day', async () => {
    const api = await withTerminal();

    const response = await post(api, { type: 'set_interval', args: { interval: 60 } });

    const given = (await response.json()) as Command;
    const command = { v: 1, id: given.id, type: 'set_interval', args: { interval: 60 }, expires: T + DAY_MS };
    expect(response.status).toBe(201);
    expect(given.id).toMatch(/^cmd_[\w-]{16}$/);
    expect(given).toEqual({
      id: given.id,
      acquirer: 'acme',
      sn: 'SN000001',
      type: 'set_interval',
      args: { interval: 60 },
      at: T,
      expires: T + DAY_MS,
      state: 'sent',
      sentAt: T,
      endedAt: null,
      error: null,
      lateAck: null,
    });
    expect(api.submitted).toEqual([{ kind: 'command', at: T, acquirer: 'acme', sn: 'SN000001', command }]);
  });

  it.each([
    [{}, 'type: one of rebirth, report_now, diagnose, set_interval'],
    [{ type: 'rotate', args: { token: 'x' } }, 'type: one of rebirth, report_now, diagnose, set_interval'],
    [{ type: 'set_interval' }, 'args: has to have interval, seconds'],
    [{ type: 'set_interval', args: { interval: 0 } }, 'args.interval: whole seconds, 1 to 86400'],
    [{ type: 'rebirth', args: 'x' }, 'args: an object'],
    [{ type: 'rebirth', expiry: T + 1 }, 'expiry: cannot be given'],
    [{ type: 'rebirth', expires: T }, 'expires is a time to come, in epoch milliseconds, within 30 days'],
    [{ type: 'rebirth', expires: T + 31 * DAY_MS }, 'expires is a time to come, in epoch milliseconds, within 30 days'],
  ])('as %j is refused, and what is wrong is said', async (body, detail) => {
    const api = await withTerminal();

    const response = await post(api, body);

    expect([response.status, (await problemOf(response)).detail]).toEqual([400, detail]);
    expect(api.submitted).toEqual([]);
  });

  it('is for admin and noc alone', async () => {
    const api = await withTerminal();
    const as = async (role: 'admin' | 'noc' | 'viewer' | `acquirer:${string}`) =>
      (await post(api, { type: 'rebirth' }, { token: await api.token(role) })).status;

    expect([await as('admin'), await as('noc'), await as('viewer'), await as('acquirer:acme'), await as('acquirer:bank')]).toEqual([
      201, 201, 403, 403, 403,
    ]);
  });

  it('to a terminal that nobody knows, or that two acquirers have, is refused', async () => {
    const api = await withTerminal();
    await api.terminal('bank', 'SN000001');

    expect((await post(api, { type: 'rebirth' })).status).toBe(409);
    expect((await api.request(`${PATH}?acquirer=bank`, { method: 'POST', body: { type: 'rebirth' } })).status).toBe(201);
    expect((await api.request('/v1/terminals/SN9999/commands', { method: 'POST', body: { type: 'rebirth' } })).status).toBe(404);
    expect(api.submitted).toMatchObject([{ acquirer: 'bank' }]);
  });

  it('is refused while a hundred have no outcome', async () => {
    const api = await withTerminal();
    for (let n = 0; n < 100; n++) await post(api, { type: 'rebirth' });

    const refused = await post(api, { type: 'rebirth' });
    await api.message('acme', 'SN000001', 'ack', { v: 1, id: (await listed(api, '?limit=1'))[0]!.id, ok: true });

    expect([refused.status, (await post(api, { type: 'rebirth' })).status]).toEqual([409, 201]);
  });
});

describe('the commands of a terminal', () => {
  it('are listed with what became of them, the newest first, page by page', async () => {
    const api = await withTerminal();
    const at = [T, T, T + 1, T + 2, T + 3];
    for (const [n, time] of at.entries()) {
      const command = { v: 1, id: `c${n}`, type: 'report_now', expires: time + DAY_MS } as const;
      await api.fold({ kind: 'command', at: time, acquirer: 'acme', sn: 'SN000001', command });
    }
    await api.message('acme', 'SN000001', 'ack', { v: 1, id: 'c2', ok: false, error: 'no paper' }, T + 4);

    const pages: Command[][] = [];
    for (let cursor: string | null = ''; cursor !== null; ) {
      const page: List<Command> = await api.get(`${PATH}?limit=2${cursor && `&cursor=${cursor}`}`);
      pages.push(page.items);
      cursor = page.next;
    }

    expect(pages.map((page) => page.map(({ id }) => id))).toEqual([['c4', 'c3'], ['c2', 'c0'], ['c1']]);
    expect(pages.flat().map(({ state }) => state)).toEqual(['sent', 'sent', 'failed', 'sent', 'sent']);
    expect(pages[1]![0]).toMatchObject({ error: 'no paper', endedAt: T + 4 });
  });

  it('are there before they are saved, as they are by then', async () => {
    const api = await withTerminal();
    await post(api, { type: 'rebirth' });
    await api.message('acme', 'SN000001', 'state', { v: 1, session: 's1', state: 'goodbye', at: T });
    api.holdsSaves = true;
    await post(api, { type: 'report_now' });

    expect((await listed(api)).map(({ type, state }) => [type, state]).sort()).toEqual([
      ['rebirth', 'sent'],
      ['report_now', 'waiting'],
    ]);

    await api.message('acme', 'SN000001', 'birth', { v: 1, session: 's2', at: T });
    expect((await listed(api)).map(({ state }) => state)).toEqual(['sent', 'sent']);
    await api.save();
    expect((await listed(api)).map(({ state }) => state)).toEqual(['sent', 'sent']);
  });

  it('are their own alone, whatever other serial numbers begin like it', async () => {
    const api = await withTerminal();
    for (const sn of ['SN00000', 'SN000001-', 'SN0000011']) {
      await api.terminal('acme', sn);
      await api.request(`/v1/terminals/${sn}/commands`, { method: 'POST', body: { type: 'rebirth' } });
    }
    await post(api, { type: 'report_now' });

    expect((await listed(api)).map(({ sn, type }) => [sn, type])).toEqual([['SN000001', 'report_now']]);
  });

  it("are seen by who sees the terminal: another acquirer's is a 404", async () => {
    const api = await withTerminal();
    await post(api, { type: 'rebirth' });
    const status = async (role: 'viewer' | `acquirer:${string}`) => (await api.request(PATH, { token: await api.token(role) })).status;

    expect([await status('viewer'), await status('acquirer:acme'), await status('acquirer:bank')]).toEqual([200, 200, 404]);
  });
});
