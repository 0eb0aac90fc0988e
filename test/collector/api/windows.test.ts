import { describe, expect, it } from 'vitest';
import type { OperatorWindow } from '../../../protocol/operator.ts';
import { type List, problemOf, T, TestApi } from './harness.ts';

const HOUR = 3_600_000;
const KINDS = ['silences', 'maintenance'] as const;
const OPS = { silences: 'silence', maintenance: 'maintenance' } as const;

const later = (more: object = {}) => ({ match: { acquirer: 'acme', merchant: 'm-1' }, until: T + HOUR, ...more });
const post = (api: TestApi, path: string, body: unknown, token?: string) =>
  api.request(`/v1/${path}`, { method: 'POST', body, ...(token !== undefined && { token }) });
const made = async (api: TestApi, path: string, body: unknown = later(), token?: string) => {
  const response = await post(api, path, body, token);
  expect(response.status).toBe(201);
  return (await response.json()) as OperatorWindow;
};
const listed = async (api: TestApi, path: string, token?: string) =>
  (await api.get<List<OperatorWindow>>(`/v1/${path}`, token === undefined ? {} : { token })).items;

describe.each(KINDS)('/v1/%s', (path) => {
  it('makes one by an entry of the log that says by whom, and lists it', async () => {
    const api = new TestApi();

    const window = await made(api, path);

    const { id } = window;
    expect(window).toEqual({ id, match: { acquirer: 'acme', merchant: 'm-1' }, from: T, until: T + HOUR, by: 'admin' });
    expect(api.submitted).toEqual([{ kind: 'operator', at: T, body: { ...window, op: OPS[path] } }]);
    expect(await listed(api, path)).toEqual([window]);
    expect(await listed(api, path === 'silences' ? 'maintenance' : 'silences')).toEqual([]);
  });

  it('names who asks by their token', async () => {
    const api = new TestApi();
    const { token } = await api.access.create('noc', 'night shift', T);
    const nameless = await api.access.create('noc', '', T);

    expect((await made(api, path, later(), token)).by).toBe('night shift');
    expect((await made(api, path, later(), nameless.token)).by).toBe(nameless.id);
  });

  it('takes one that is to come', async () => {
    const api = new TestApi();
    const window = await made(api, path, later({ from: T + 1_000 }));

    expect(await listed(api, path)).toEqual([window]);
  });

  it('ends one', async () => {
    const api = new TestApi();
    const { id } = await made(api, path);

    const response = await api.request(`/v1/${path}/${id}`, { method: 'DELETE' });

    expect(response.status).toBe(204);
    expect(api.submitted.at(-1)).toEqual({ kind: 'operator', at: T, body: { op: 'end', id, by: 'admin' } });
    expect(await listed(api, path)).toEqual([]);
    expect((await api.request(`/v1/${path}/${id}`, { method: 'DELETE' })).status).toBe(404);
  });

  it('does not end one of the other kind, nor one that is none', async () => {
    const api = new TestApi();
    const { id } = await made(api, path === 'silences' ? 'maintenance' : 'silences');

    for (const asked of [id, 'x']) {
      const response = await api.request(`/v1/${path}/${asked}`, { method: 'DELETE' });
      expect(response.status).toBe(404);
      await problemOf(response);
    }
  });

  it('does not list one that is over', async () => {
    const api = new TestApi();
    await made(api, path);
    await api.fold({ kind: 'tick', at: T + HOUR });

    expect(await listed(api, path)).toEqual([]);
  });

  it.each<[unknown, number, string]>([
    ['', 400, 'JSON'],
    [{ until: T + HOUR }, 400, 'match'],
    [later({ match: { merchnat: 'm-1' } }), 400, 'match.merchnat'],
    [later({ match: { type: 'offline' } }), 400, 'match.type: not a type of alert'],
    [later({ match: { merchant: ['m-1'] } }), 400, 'match.merchant'],
    [{ match: { merchant: 'm-1' } }, 400, 'until'],
    [later({ id: 's-1' }), 400, 'id: cannot be given'],
    [later({ by: 'somebody' }), 400, 'by: cannot be given'],
    [later({ match: {} }), 422, 'names nothing'],
    [later({ match: { merchant: null } }), 422, 'names nothing'],
    [later({ until: T }), 422, 'has passed'],
    [later({ from: T + 2 * HOUR }), 422, 'not after from'],
  ])('refuses %j', async (body, status, detail) => {
    const api = new TestApi();

    const response = await post(api, path, body);

    expect(response.status).toBe(status);
    expect((await problemOf(response)).detail).toContain(detail);
    expect(api.submitted).toEqual([]);
  });

  it('is for operators to change, for viewers to read, and for an acquirer to read its own', async () => {
    const api = new TestApi();
    const [own, other] = [await made(api, path), await made(api, path, later({ match: { acquirer: 'bolt' } }))];
    const everybodys = await made(api, path, later({ match: { type: 'outage' } }));
    const byId = (a: OperatorWindow, b: OperatorWindow) => (a.id < b.id ? -1 : 1);

    for (const role of ['viewer', 'acquirer:acme'] as const) {
      const token = await api.token(role);
      expect((await post(api, path, later(), token)).status).toBe(403);
      expect((await api.request(`/v1/${path}/${own.id}`, { method: 'DELETE', token })).status).toBe(403);
    }
    expect(await listed(api, path, await api.token('viewer'))).toEqual([own, other, everybodys].sort(byId));
    expect(await listed(api, path, await api.token('acquirer:acme'))).toEqual([own]);
    expect((await api.request(`/v1/${path}?acquirer=bolt`, { token: await api.token('acquirer:acme') })).status).toBe(404);
    expect((await api.request(`/v1/${path}`, { token: '' })).status).toBe(401);
  });

  it('comes in pages', async () => {
    const api = new TestApi();
    const ids = [(await made(api, path)).id, (await made(api, path)).id, (await made(api, path)).id].sort();

    const first = await api.get<List<OperatorWindow>>(`/v1/${path}?limit=2`);
    const second = await api.get<List<OperatorWindow>>(`/v1/${path}?limit=2&cursor=${first.next}`);

    expect([...first.items, ...second.items].map(({ id }) => id)).toEqual(ids);
    expect([first.next === null, second.next]).toEqual([false, null]);
  });
});

describe('a silence of the API', () => {
  it('marks an alert, which is listed as silenced', async () => {
    const api = new TestApi();
    await api.row('merchants', { acquirer: 'acme', merchant: 'm-1', terminal_limit: 3 });
    for (const n of [1, 2, 3]) await api.row('terminals', { acquirer: 'acme', merchant: 'm-1', sn: `SN00000${n}` });
    await api.fold({ kind: 'tick', at: T + 1 });
    const { id } = await made(api, 'silences');

    const { items } = await api.get<List<{ silencedBy: string }>>('/v1/alerts?state=firing');

    expect(items.map(({ silencedBy }) => silencedBy)).toEqual([id]);
  });
});
