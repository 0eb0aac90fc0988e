import { describe, expect, it } from 'vitest';
import type { Quarantined } from '../../../collector/owner/outputs.ts';
import { type List, problemOf, T, TestApi } from './harness.ts';

const base64 = (bytes: string | Buffer) => Buffer.from(bytes as string).toString('base64');
const READABLE = base64(JSON.stringify({ v: 1, session: 's1', seq: 1, samples: [{ at: T }] }));

/** One of each kind: 1-0 can be read by now, 2-0 cannot, the others never can be replayed. */
async function filled() {
  const api = new TestApi();
  await api.quarantine('1-0', 'acme/SN000001', T, false, { raw: READABLE, reason: 'bad_schema' });
  await api.quarantine('2-0', 'bolt/SN000001', T + 1, false, { raw: base64('{"v":1'), reason: 'bad_json' });
  await api.quarantine('3-0', 'acme/SN000002', T + 2, false, { raw: READABLE, reason: 'bad_time' });
  await api.quarantine('4-0', 'acme/SN000003', T + 3, false, { channel: null, reason: 'bad_token' });
  await api.quarantine('store-1', 'acme/SN000001', T + 4, true, {
    channel: null,
    reason: 'store_rejected',
    raw: base64(Buffer.from([0xff])),
  });
  return api;
}

interface Part {
  replayed: number;
  kept: number;
  next: string | null;
}

const idsOf = (list: List<Quarantined>) => list.items.map(({ id }) => id);

describe('quarantine lists', () => {
  it.each([
    ['', ['store-1', '4-0', '3-0', '2-0', '1-0']],
    ['?reason=bad_time', ['3-0']],
    ['?from=acme/SN000001', ['store-1', '1-0']],
    ['?from=acme/SN000001&reason=bad_schema', ['1-0']],
    ['?from=acme', []],
    ['?reason=&from=', ['store-1', '4-0', '3-0', '2-0', '1-0']],
  ])('what %j asks for', async (query, ids) => {
    expect(idsOf(await (await filled()).get(`/v1/quarantine${query}`))).toEqual(ids);
  });
});

describe('quarantine shows', () => {
  it('a row with its reason, its bytes, and as text where they are text', async () => {
    const api = await filled();

    expect(await api.get('/v1/quarantine/2-0')).toMatchObject({
      id: '2-0',
      at: T + 1,
      reason: 'bad_json',
      raw: base64('{"v":1'),
      text: '{"v":1',
    });
    expect(await api.get('/v1/quarantine/store-1')).toMatchObject({ raw: '/w==', text: null });
    expect(await api.get('/v1/quarantine/4-0')).toMatchObject({ raw: null, text: null });
  });

  it('to an acquirer its own rows alone', async () => {
    const api = await filled();
    const token = await api.token('acquirer:acme');

    expect(await api.get('/v1/quarantine/1-0', { token })).toMatchObject({ id: '1-0' });
    for (const id of ['2-0', '9-9']) {
      const refused = await api.request(`/v1/quarantine/${id}`, { token });
      expect([refused.status, (await problemOf(refused)).detail]).toEqual([404, `there is no ${id} in quarantine`]);
    }
  });
});

describe('quarantine replays', () => {
  const post = (api: TestApi, path: string, body?: unknown, token?: string) =>
    api.request(path, { method: 'POST', body, ...(token === undefined ? {} : { token }) });

  it('a message that can be read by now, as an entry of its own time', async () => {
    const api = await filled();

    const response = await post(api, '/v1/quarantine/1-0/replay');

    expect(api.submitted).toMatchObject([
      {
        kind: 'message',
        at: T,
        acquirer: 'acme',
        sn: 'SN000001',
        channel: 'report',
        node: 'n1',
        decoded: { ok: true },
        replayed: { at: T, id: '1-0' },
      },
    ]);
    expect([response.status, await response.json()]).toEqual([200, { id: '1-0', replayedAt: T }]);
  });

  it('it once: again is the same answer, and it is neither listed nor shown any more', async () => {
    const api = await filled();
    const first = await (await post(api, '/v1/quarantine/1-0/replay')).json();

    const again = await post(api, '/v1/quarantine/1-0/replay');

    expect([again.status, await again.json(), api.submitted.length]).toEqual([200, first, 1]);
    expect(idsOf(await api.get('/v1/quarantine'))).not.toContain('1-0');
    expect((await api.request('/v1/quarantine/1-0')).status).toBe(404);
  });

  it.each([
    ['2-0', 'bad_json', /not JSON/],
    ['3-0', 'bad_time', /stays impossible/],
    ['4-0', 'refusal', /never had a message/],
    ['store-1', 'point', /store refused/],
  ])('nothing of %s, and says why', async (id, reason, detail) => {
    const api = await filled();

    const response = await post(api, `/v1/quarantine/${id}/replay`);

    expect(response.status).toBe(422);
    expect(await problemOf(response)).toMatchObject({ reason, detail: expect.stringMatching(detail) });
    expect([api.submitted, (await api.request(`/v1/quarantine/${id}`)).status]).toEqual([[], 200]);
  });

  it('all that a filter names, and says how many can still not be read', async () => {
    const api = await filled();
    for (let n = 0; n < 450; n++)
      await api.quarantine(`7-${n}`, 'acme/SN000009', T + 100 + n, false, { raw: READABLE, reason: 'bad_schema' });
    const parts: Part[] = [];
    const ask = async (filter: object, cursor?: string | null) =>
      (await (await post(api, '/v1/quarantine/replay', { ...filter, ...(cursor && { cursor }) })).json()) as Part;

    const unreadable = await ask({ reason: 'bad_json' });
    do parts.push(await ask({ from: 'acme/SN000009' }, parts.at(-1)?.next));
    while (parts.at(-1)!.next !== null);

    expect(unreadable).toEqual({ replayed: 0, kept: 1, next: null });
    expect(parts.map(({ replayed, kept }) => [replayed, kept])).toEqual([
      [200, 0],
      [200, 0],
      [50, 0],
    ]);
    expect(await ask({})).toEqual({ replayed: 1, kept: 2, next: null });
    expect(new Set(api.submitted.map((entry) => entry.kind === 'message' && entry.replayed.id)).size).toBe(451);
  });

  it.each(['viewer', 'acquirer:acme'] as const)('nothing for %s', async (role) => {
    const api = await filled();
    const token = await api.token(role);

    for (const path of ['/v1/quarantine/1-0/replay', '/v1/quarantine/replay']) expect((await post(api, path, {}, token)).status).toBe(403);
    expect(api.submitted).toEqual([]);
  });

  it('nothing that is not there, nor by a body that is none', async () => {
    const api = await filled();

    expect((await post(api, '/v1/quarantine/9-9/replay')).status).toBe(404);
    expect((await post(api, '/v1/quarantine/replay', { reason: 7 })).status).toBe(400);
    expect((await post(api, '/v1/quarantine/replay', { cursor: 'x' })).status).toBe(400);
  });
});
