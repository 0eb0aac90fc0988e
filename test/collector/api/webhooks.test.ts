import { describe, expect, it } from 'vitest';
import type { Role } from '../../../collector/api/access.ts';
import type { Delivery } from '../../../collector/webhooks/book.ts';
import { aTransition, DAY } from '../webhooks/examples.ts';
import { type List, problemOf, T, TestApi } from './harness.ts';

const URL_OK = 'https://bank.example/hook';
const SECRET = `whsec_${Buffer.alloc(32, 9).toString('base64')}`;

interface View {
  id: string;
  state: string;
  disabledBecause: string | null;
  acquirer: string | null;
  sequence: number;
  waiting: number;
  secret?: string;
}

class Hooks extends TestApi {
  call(method: string, path: string, body?: unknown, token?: string): Promise<Response> {
    return this.request(`/v1/webhooks${path}`, { method, body, ...(token !== undefined && { token }) });
  }

  async made(body: object = {}, token?: string): Promise<View> {
    const response = await this.call('POST', '', { url: URL_OK, ...body }, token);
    expect(response.status).toBe(201);
    return (await response.json()) as View;
  }

  view = (id: string, token?: string) => this.get<View>(`/v1/webhooks/${id}`, token === undefined ? {} : { token });

  /** An alert of acme's for each of these numbers, one event each at an endpoint that wants them all. */
  tell(...numbers: number[]): Promise<void> {
    const transitions = numbers.map((n) => aTransition('fired', { id: `a-${n}` }, T + n));
    return this.webhooksState.commit(this.book.tell(transitions, 1, T));
  }

  /** Makes the next attempt at an endpoint. */
  async attempt(id: string, status: number, now = T): Promise<void> {
    const { begun, changes } = this.book.begin(this.book.endpoints.get(id)!, now)!;
    const { changes: ended } = this.book.end(begun, { kind: 'answered', status, retryAfter: undefined, text: 'said' }, now, () => 0)!;
    await this.webhooksState.commit([...changes, ...ended]);
  }

  sequences = (id: string) => [...this.book.lines.get(id)!].map(({ sequence }) => sequence);
}

async function expectProblem(response: Response, status: number, detail: string): Promise<void> {
  expect(response.status).toBe(status);
  expect((await problemOf(response)).detail).toContain(detail);
}

describe('a webhook that is made', () => {
  it('gets what was asked for, and defaults for the rest', async () => {
    const api = new Hooks();
    const plain = { state: 'enabled', disabledBecause: null, sequence: 0, waiting: 0, createdAt: T, failingSince: null, lastError: null };
    const filters = { types: ['outage'], severity: 'critical', merchants: ['m-1'], description: 'ours', language: 'zh' };

    expect(await api.made()).toMatchObject({
      ...plain,
      url: URL_OK,
      acquirer: null,
      types: null,
      severity: 'info',
      merchants: null,
      description: '',
      language: 'en',
    });
    const made = await api.made({ ...filters, acquirer: 'acme' });
    expect(made).toMatchObject({ ...plain, ...filters, acquirer: 'acme' });
    expect(made.id).toMatch(/^we_[0-9a-f]{18}$/);
  });

  it('gets the secret that is given, or a new one, and shows a new one this once', async () => {
    const api = new Hooks();

    const given = await api.made({ secret: SECRET });
    const made = await api.made();

    expect(given.secret).toBeUndefined();
    expect(api.book.endpoints.get(given.id)!.secrets).toEqual([{ text: SECRET, until: null }]);
    expect(made.secret).toMatch(/^whsec_[A-Za-z0-9+/]{43}=$/);
    expect(api.book.endpoints.get(made.id)!.secrets).toEqual([{ text: made.secret, until: null }]);
  });

  it('is durable', async () => {
    const api = new Hooks();
    const { id } = await api.made();

    expect([...api.webhooksState.rows('webhook-endpoints')].map(({ key }) => key)).toEqual([id]);
  });

  it('is one of fifty at most for each acquirer, and removing one makes room', async () => {
    const api = new Hooks();
    const ids: string[] = [];
    for (let i = 0; i < 50; i++) ids.push((await api.made({ acquirer: 'acme' })).id);

    await expectProblem(await api.call('POST', '', { url: URL_OK, acquirer: 'acme' }), 422, 'there may be 50 webhooks');
    await api.made({ acquirer: 'bolt' });
    await api.made();
    await api.call('DELETE', `/${ids[0]}`);
    await api.made({ acquirer: 'acme' });
  });
});

describe('what is asked wrongly is refused with a problem that says so', () => {
  it.each<[unknown, string]>([
    ['', 'JSON'],
    [[], 'body'],
    [{}, 'url'],
    [{ url: 7 }, 'url'],
    [{ url: `https://bank.example/${'x'.repeat(2_048)}` }, 'url'],
    [{ url: URL_OK, types: [] }, 'types'],
    [{ url: URL_OK, types: ['quota'] }, 'types.0'],
    [{ url: URL_OK, severity: 'high' }, 'severity'],
    [{ url: URL_OK, merchants: [] }, 'merchants'],
    [{ url: URL_OK, merchants: Array(1_001).fill('m') }, 'merchants'],
    [{ url: URL_OK, merchants: [''] }, 'merchants.0'],
    [{ url: URL_OK, description: 'x'.repeat(257) }, 'description'],
    [{ url: URL_OK, language: 'fr' }, 'language'],
    [{ url: URL_OK, acquirer: 'ACME!' }, 'not an acquirer code'],
    [{ url: URL_OK, secret: 7 }, 'secret'],
    [{ url: URL_OK, secrets: [] }, 'secrets'],
    [{ url: URL_OK, id: 'we_01' }, 'id'],
  ])('making one with %j', async (body, named) => {
    const api = new Hooks();

    await expectProblem(await api.call('POST', '', body), 400, named);
    expect(api.book.endpoints.size).toBe(0);
  });

  it.each([
    'bank.example',
    'ftp://bank.example/',
    'javascript:alert(1)',
    'https://user@bank.example/',
    'https://:pw@bank.example/',
    `${URL_OK}#a`,
  ])('an address such as %s', async (url) => {
    const api = new Hooks();
    const { id } = await api.made();

    await expectProblem(await api.call('POST', '', { url }), 422, 'url is an https address without a user or a password');
    await expectProblem(await api.call('PATCH', `/${id}`, { url }), 422, 'url is an https address without a user or a password');
  });

  it('an address that must not be dialled, or has none, at its making and at its change', async () => {
    const api = new Hooks();
    const { id } = await api.made();
    api.refusals['inside.example'] = 'inside.example: 10.0.0.1 is not a public address';
    api.refusals['nowhere.example'] = Object.assign(new Error('getaddrinfo'), { code: 'ENOTFOUND' });

    for (const [method, path] of [
      ['POST', ''],
      ['PATCH', `/${id}`],
    ] as const) {
      await expectProblem(await api.call(method, path, { url: 'https://inside.example/' }), 422, '10.0.0.1 is not a public address');
      await expectProblem(
        await api.call(method, path, { url: 'https://nowhere.example/' }),
        422,
        'nowhere.example has no address (ENOTFOUND)',
      );
    }
    expect(await api.view(id)).toMatchObject({ url: URL_OK });
    // What a name means inside our network is not for an acquirer to find out.
    const token = await api.token('acquirer:acme');
    for (const host of ['inside.example', 'nowhere.example']) {
      const refused = await api.call('POST', '', { url: `https://${host}/` }, token);
      expect(await refused.json()).toMatchObject({ detail: `${host} does not lead to a public address over https: check the name` });
    }
  });

  it('a secret that is too short, too long or none, at its making and at a rotation, without quoting it', async () => {
    const api = new Hooks();
    const { id, secret } = await api.made();
    const short = `whsec_${Buffer.alloc(23, 9).toString('base64')}`;

    for (const [text, detail] of [
      [short, '24 to 64 bytes'],
      [`whsec_${Buffer.alloc(65).toString('base64')}`, '24 to 64 bytes'],
      ['hunter2', 'whsec_'],
    ]) {
      for (const response of [
        await api.call('POST', '', { url: URL_OK, secret: text }),
        await api.call('POST', `/${id}/rotate`, { secret: text }),
      ]) {
        const problem = await response.clone().text();
        await expectProblem(response, 422, detail!);
        expect(problem).not.toContain(text);
      }
    }
    expect(api.book.endpoints.get(id)!.secrets).toEqual([{ text: secret, until: null }]);
  });

  it.each<[string, unknown, string]>([
    ['nothing', {}, 'give fromSequence and toSequence, from and to'],
    ['half a time', { from: T }, 'give fromSequence and toSequence, from and to'],
    ['half a sequence', { fromSequence: 1 }, 'give fromSequence and toSequence, from and to'],
    ['a part of a sequence', { fromSequence: 1.5, toSequence: 2 }, 'give fromSequence and toSequence, from and to'],
    ['a sequence that is none', { fromSequence: 0, toSequence: 1 }, 'fromSequence'],
    ['no ids', { ids: [] }, 'ids'],
    ['too many ids', { ids: Array(1_001).fill('msg_1') }, 'ids'],
    ['ids and a time', { ids: ['msg_1'], from: T, to: T }, 'give fromSequence and toSequence, from and to'],
    ['a time in another form', { from: '2025-11-22', to: T }, 'give fromSequence and toSequence, from and to'],
  ])('a replay of %s', async (_, body, detail) => {
    const api = new Hooks();
    const { id } = await api.made();

    await expectProblem(await api.call('POST', `/${id}/replay`, body), 400, detail);
  });

  it.each(['limit=0', 'limit=1001', 'cursor=x', `cursor=${Buffer.from('we_01').toString('base64url')}`])(
    'a page with %s',
    async (query) => {
      const api = new Hooks();
      const { id } = await api.made();

      for (const path of ['', `/${id}/deliveries`])
        await expectProblem(await api.call('GET', `${path}?${query}`), 400, query.split('=')[0]!);
    },
  );
});

/** Every route about one webhook, with a body that it takes, and whether it only reads. */
const ROUTES: [string, string, unknown, 'read' | 'manage'][] = [
  ['GET', '', undefined, 'read'],
  ['GET', '/deliveries', undefined, 'read'],
  ['PATCH', '', { description: 'x' }, 'manage'],
  ['POST', '/test', undefined, 'manage'],
  ['POST', '/enable', undefined, 'manage'],
  ['POST', '/rotate', {}, 'manage'],
  ['POST', '/replay', { fromSequence: 1, toSequence: 1 }, 'manage'],
  ['DELETE', '', undefined, 'manage'],
];

describe('who may do what', () => {
  it.each<[Role, 'all' | 'read' | 'none']>([
    ['admin', 'all'],
    ['noc', 'all'],
    ['viewer', 'read'],
    ['acquirer:acme', 'all'],
    ['acquirer:bolt', 'none'],
  ])("%s may do %s with acme's", async (role, may) => {
    const api = new Hooks();
    const token = await api.token(role);
    const { id } = await api.made({ acquirer: 'acme' });

    for (const [method, path, body, kind] of ROUTES) {
      const { status } = await api.call(method, `/${id}${path}`, body, token);
      const expected = may === 'none' ? 404 : may === 'all' || kind === 'read' ? expect.toSatisfy((n: number) => n < 300) : 403;
      expect([method, path, status]).toEqual([method, path, expected]);
    }
    expect(api.book.endpoints.has(id)).toBe(may !== 'all');
  });

  it("an acquirer sees and touches its own alone: another's and everybody's are as if they were not there", async () => {
    const api = new Hooks();
    const token = await api.token('acquirer:acme');
    const own = await api.made({}, token);
    const others = [await api.made({ acquirer: 'bolt' }), await api.made()];

    expect(own.acquirer).toBe('acme');
    expect((await api.get<List<View>>('/v1/webhooks', { token })).items.map(({ id }) => id)).toEqual([own.id]);
    for (const { id } of others) {
      for (const [method, path, body] of ROUTES) await expectProblem(await api.call(method, `/${id}${path}`, body, token), 404, id);
    }
    await expectProblem(await api.call('GET', '?acquirer=bolt', undefined, token), 404, 'bolt');
    expect(api.book.endpoints.size).toBe(3);
  });

  it('an acquirer makes webhooks of its own alone', async () => {
    const api = new Hooks();
    const token = await api.token('acquirer:acme');

    for (const acquirer of ['bolt', null]) await expectProblem(await api.call('POST', '', { url: URL_OK, acquirer }, token), 403, 'acme');
    expect((await api.made({ acquirer: 'acme' }, token)).acquirer).toBe('acme');
  });

  it('a viewer makes none, and nobody without a token sees any', async () => {
    const api = new Hooks();
    const { id } = await api.made();

    await expectProblem(await api.call('POST', '', { url: URL_OK }, await api.token('viewer')), 403, 'admin or noc');
    for (const [method, path, body] of [...ROUTES.map(([m, p, b]) => [m, `/${id}${p}`, b] as const), ['GET', '', undefined] as const]) {
      expect((await api.call(method, path, body, '')).status).toBe(401);
    }
  });

  it('a webhook that there is not is a 404 on every route', async () => {
    const api = new Hooks();

    for (const [method, path, body] of ROUTES) await expectProblem(await api.call(method, `/we_404${path}`, body), 404, 'we_404');
  });
});

it('no answer has a secret in it, but for those that make one', async () => {
  const api = new Hooks();
  const { id } = await api.made({ secret: SECRET });
  await api.tell(1);
  await api.attempt(id, 500);
  const rotated = (await (await api.call('POST', `/${id}/rotate`, {})).json()) as { secret: string };
  const hidden = [SECRET, rotated.secret].flatMap((text) => [text, text.slice('whsec_'.length)]);

  for (const [method, path, body] of [
    ...ROUTES.filter(([, path]) => path !== '/rotate').map(([m, p, b]) => [m, `/${id}${p}`, b] as const),
  ]) {
    const text = await (await api.call(method, path, body)).text();
    for (const one of hidden) expect(text).not.toContain(one);
    expect(text).not.toContain('"secrets"');
    expect(await (await api.call('GET', '')).text()).not.toContain('whsec_');
  }
  expect(api.lines.join('\n')).not.toContain('whsec_');
});

describe('the list of webhooks', () => {
  it('comes in pages, in the order of their making, and by acquirer', async () => {
    const api = new Hooks();
    const ids: string[] = [];
    for (const acquirer of ['acme', 'bolt', 'acme', null, 'acme']) ids.push((await api.made({ acquirer })).id);

    const seen: string[] = [];
    for (let cursor: string | null = ''; cursor !== null; ) {
      const page: List<View> = await api.get(`/v1/webhooks?limit=2&cursor=${cursor}`);
      expect(page.items.length).toBeLessThanOrEqual(2);
      seen.push(...page.items.map(({ id }) => id));
      cursor = page.next;
    }
    expect(seen).toEqual(ids);
    const ofAcme = await api.get<List<View>>('/v1/webhooks?acquirer=acme');
    expect(ofAcme.items.map(({ id }) => id)).toEqual([ids[0], ids[2], ids[4]]);
  });
});

describe('a change', () => {
  it('is of the members that it names', async () => {
    const api = new Hooks();
    const { id, secret: _, ...before } = await api.made({ severity: 'warning', description: 'old' });

    const response = await api.call('PATCH', `/${id}`, { description: 'new', merchants: ['m-1'], url: 'https://bank.example/other' });

    expect(await response.json()).toEqual({ ...before, id, description: 'new', merchants: ['m-1'], url: 'https://bank.example/other' });
    expect(await (await api.call('PATCH', `/${id}`, { merchants: null })).json()).toMatchObject({ merchants: null, description: 'new' });
  });

  it.each([{ acquirer: 'bolt' }, { secret: SECRET }, { disabled: null }, { sequence: 1 }, { enabled: 'yes' }, { url: null }])(
    'of %j is refused',
    async (change) => {
      const api = new Hooks();
      const { id } = await api.made({ acquirer: 'acme' });

      await expectProblem(await api.call('PATCH', `/${id}`, change), 400, Object.keys(change)[0]!);
    },
  );

  it('disables, and enables: what waits is tried from the start', async () => {
    const api = new Hooks();
    const { id } = await api.made();
    await api.tell(1);
    await api.attempt(id, 500);

    expect(await (await api.call('PATCH', `/${id}`, { enabled: false })).json()).toMatchObject({
      state: 'disabled',
      disabledBecause: 'operator',
    });
    expect(api.book.begin(api.book.endpoints.get(id)!, T + DAY)).toBeUndefined();
    expect(await (await api.call('PATCH', `/${id}`, { enabled: true, description: 'back' })).json()).toMatchObject({
      state: 'enabled',
      disabledBecause: null,
      description: 'back',
      failingSince: null,
      lastError: null,
      waiting: 1,
    });
    expect([...api.book.lines.get(id)!]).toEqual([expect.objectContaining({ attempts: 0, firstAt: null, nextAt: T })]);
  });

  it('of a webhook that is removed while its new address is looked up is a 404, and brings nothing back', async () => {
    const api = new Hooks();
    const { id } = await api.made();
    const removeAndAllow = () => {
      api.book.remove(id);
      return null;
    };
    Object.defineProperty(api.refusals, 'bank.example', { get: removeAndAllow });

    await expectProblem(await api.call('PATCH', `/${id}`, { url: 'https://bank.example/other', enabled: true }), 404, id);
    expect(api.book.endpoints.size).toBe(0);
  });
});

it('enable delivers again to one that answered 410', async () => {
  const api = new Hooks();
  const { id } = await api.made();
  await api.tell(1);
  await api.attempt(id, 410);
  expect(await api.view(id)).toMatchObject({ state: 'disabled', disabledBecause: 'gone', lastError: 'it answered 410' });

  expect(await (await api.call('POST', `/${id}/enable`)).json()).toMatchObject({ state: 'enabled', lastError: null, waiting: 1 });

  await api.attempt(id, 200);
  expect(await api.view(id)).toMatchObject({ waiting: 0, succeededAt: T });
});

it('test sends a ping, whose id and sequence are in the answer', async () => {
  const api = new Hooks();
  const { id } = await api.made();
  await api.tell(1);

  const response = await api.call('POST', `/${id}/test`);

  expect(response.status).toBe(202);
  expect(await response.json()).toEqual({ id: expect.stringMatching(/^msg_[0-9a-f]{24}$/), sequence: 2 });
  expect(await api.view(id)).toMatchObject({ sequence: 2, waiting: 2 });
});

it('rotate needs no body', async () => {
  const api = new Hooks();
  const { id } = await api.made();

  expect((await api.call('POST', `/${id}/rotate`)).status).toBe(200);
});

it('rotate gives a new secret, or takes one, and those before sign beside it for a day', async () => {
  const api = new Hooks();
  const { id, secret } = await api.made();

  const first = (await (await api.call('POST', `/${id}/rotate`, {})).json()) as { secret: string };
  expect(first).toEqual({ secret: expect.stringMatching(/^whsec_/), oldUntil: T + DAY });
  expect(first.secret).not.toBe(secret);
  const second = await (await api.call('POST', `/${id}/rotate`, { secret: SECRET })).json();

  expect(second).toEqual({ secret: SECRET, oldUntil: T + DAY });
  expect(api.book.endpoints.get(id)!.secrets).toEqual([
    { text: SECRET, until: null },
    { text: first.secret, until: T + DAY },
    { text: secret, until: T + DAY },
  ]);
});

it('a webhook that is removed is gone, with what waits', async () => {
  const api = new Hooks();
  const { id } = await api.made();
  await api.tell(1);

  const response = await api.call('DELETE', `/${id}`);

  expect([response.status, await response.text()]).toEqual([204, '']);
  expect((await api.call('GET', `/${id}`)).status).toBe(404);
  expect((await api.get<List<View>>('/v1/webhooks')).items).toEqual([]);
  expect([...api.webhooksState.rows('webhook-endpoints')]).toEqual([]);
});

describe('a replay', () => {
  /** A webhook of five events that were delivered: T + 1 to T + 5. */
  async function delivered() {
    const api = new Hooks();
    const { id } = await api.made();
    await api.tell(1, 2, 3, 4, 5);
    for (let i = 0; i < 5; i++) await api.attempt(id, 200);
    const replay = async (body: object) => {
      const response = await api.call('POST', `/${id}/replay`, body);
      expect(response.status).toBe(202);
      return { ...((await response.json()) as object), waits: api.sequences(id).toSorted() };
    };
    return { api, id, replay };
  }

  it('is by sequence, both ends included', async () => {
    const { replay } = await delivered();

    expect(await replay({ fromSequence: 2, toSequence: 4 })).toEqual({ events: 3, waits: [2, 3, 4] });
    expect(await replay({ fromSequence: 5, toSequence: 99 })).toEqual({ events: 1, waits: [2, 3, 4, 5] });
    expect(await replay({ fromSequence: 9, toSequence: 1 })).toMatchObject({ events: 0 });
  });

  it('is by time, both ends included', async () => {
    const { replay } = await delivered();

    expect(await replay({ from: T + 2, to: T + 3 })).toEqual({ events: 2, waits: [2, 3] });
    expect(await replay({ from: T + 6, to: T + DAY })).toEqual({ events: 0, waits: [2, 3] });
  });

  it('is by ids, which stay the same, and so does the sequence', async () => {
    const { api, id, replay } = await delivered();
    const deliveries = (await api.get<List<Delivery>>(`/v1/webhooks/${id}/deliveries`)).items;
    const ids = deliveries.filter(({ sequence }) => sequence === 1 || sequence === 5).map((delivery) => delivery.id);

    expect(await replay({ ids: [...ids, 'msg_404', ids[0]] })).toEqual({ events: 2, waits: [1, 5] });

    const waiting = [...api.book.lines.get(id)!].map((one) => [one.id, one.sequence]);
    expect(waiting).toEqual(
      deliveries
        .filter((one) => ids.includes(one.id))
        .map((one) => [one.id, one.sequence])
        .toReversed(),
    );
  });

  it('is of its own events alone', async () => {
    const { api, replay } = await delivered();
    const other = await api.made();
    await api.tell(6);

    expect(await replay({ from: T, to: T + DAY })).toMatchObject({ events: 6 });
    expect(api.sequences(other.id)).toEqual([1]);
  });

  it('of too many is refused whole, and says how many there may be', async () => {
    const api = new Hooks();
    const { id } = await api.made();
    await api.tell(...Array.from({ length: 10_001 }, (_, i) => i));
    const lines = api.sequences(id).length;

    const response = await api.call('POST', `/${id}/replay`, { fromSequence: 1, toSequence: 10_001 });

    expect(response.status).toBe(422);
    expect(await problemOf(response)).toMatchObject({ detail: 'more than 10000 events: ask for them in parts', limit: 10_000 });
    expect(api.sequences(id)).toHaveLength(lines);
    expect(await (await api.call('POST', `/${id}/replay`, { fromSequence: 2, toSequence: 10_001 })).json()).toEqual({ events: 10_000 });
  });
});

it('the deliveries of a webhook come in pages, the newest first, with what was answered', async () => {
  const api = new Hooks();
  const { id } = await api.made();
  const other = await api.made();
  await api.tell(1);
  for (const [status, now] of [
    [500, T],
    [502, T + 5_000],
    [200, T + DAY],
  ] as const)
    await api.attempt(id, status, now);
  await api.attempt(other.id, 200);

  const statuses: (number | null)[] = [];
  for (let cursor: string | null = ''; cursor !== null; ) {
    const page: List<Delivery> = await api.get(`/v1/webhooks/${id}/deliveries?limit=2&cursor=${cursor}`);
    expect(page.items.length).toBeLessThanOrEqual(2);
    statuses.push(...page.items.map(({ status }) => status));
    cursor = page.next;
  }
  const { items } = await api.get<List<Delivery>>(`/v1/webhooks/${id}/deliveries`);

  expect(statuses).toEqual([200, 502, 500]);
  expect(items[2]).toEqual({
    id: expect.stringMatching(/^msg_/),
    sequence: 1,
    type: 'alert.fired',
    attempt: 1,
    at: T,
    durationMs: 0,
    status: 500,
    error: 'it answered 500',
    answer: 'said',
    result: 'retry',
    nextAt: T + 5_000,
  });
});
