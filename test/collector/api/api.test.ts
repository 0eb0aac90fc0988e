import { readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { LogError } from '../../../backbone/log.ts';
import { loadOrCreateAdminToken, parseRole } from '../../../collector/api/access.ts';
import type { TerminalView } from '../../../collector/api/views.ts';
import type { Quarantined } from '../../../collector/owner/outputs.ts';
import { newestFirst } from '../../../collector/rows.ts';
import type { Alert } from '../../../protocol/alerts.ts';
import { tempDir } from '../../helpers/tempdir.ts';
import { ADMIN, type List, problemOf, T, TestApi } from './harness.ts';

const GETS = [
  '/v1/fleet',
  '/v1/terminals',
  '/v1/terminals/SN000001',
  '/v1/alerts',
  '/v1/coverage',
  '/v1/alerts/x',
  '/v1/quarantine',
  '/v1/quarantine/x',
  '/v1/tokens',
];
const KIB = 1024;
const MIB = 1024 * KIB;
const cursor = (key: string) => Buffer.from(key).toString('base64url');

/** A body that never ends, and how much of it was taken. */
function endless() {
  let bytes = 0;
  const chunk = Buffer.alloc(64 * KIB, ' ');
  const pull = (controller: ReadableStreamDefaultController) => {
    bytes += chunk.length;
    controller.enqueue(chunk);
  };
  return { stream: new ReadableStream({ pull }), given: () => bytes };
}

const POSTS = ['/v1/imports', '/v1/enrolments', '/v1/revocations', '/v1/tokens'];
const REPLAYS = ['/v1/quarantine/x/replay', '/v1/quarantine/replay'];

describe('nobody is let in', () => {
  it.each([
    ...GETS.map((path) => ['GET', path]),
    ...[...POSTS, ...REPLAYS].map((path) => ['POST', path]),
    ['DELETE', '/v1/tokens/x'],
    ['GET', '/v1/nothing'],
    ['PUT', '/v1/fleet'],
  ])('to %s %s without a token', async (method, path) => {
    const response = await new TestApi().request(path!, { token: '', method: method! });

    expect(response.status).toBe(401);
    expect(response.headers.get('www-authenticate')).toBe('Bearer');
    await problemOf(response);
  });

  it.each([
    'Bearer',
    'Bearer  ',
    'Bearer wrong',
    `Bearer ${ADMIN}x`,
    `Bearer ${ADMIN.slice(0, -1)}`,
    `Basic ${ADMIN}`,
    `${ADMIN}`,
    `Bearer ${ADMIN} ${ADMIN}`,
  ])('with %j', async (authorization) => {
    const response = await new TestApi().request('/v1/fleet', { token: '', headers: { authorization } });

    expect(response.status).toBe(401);
    expect(await response.text()).not.toContain(ADMIN);
  });

  it('with a token that was taken back', async () => {
    const api = new TestApi();
    const { id, token } = await api.access.create('viewer', 'screen', T);
    expect((await api.request('/v1/fleet', { token })).status).toBe(200);

    expect((await api.request(`/v1/tokens/${id}`, { method: 'DELETE' })).status).toBe(204);

    expect((await api.request('/v1/fleet', { token })).status).toBe(401);
    expect((await api.request(`/v1/tokens/${id}`, { method: 'DELETE' })).status).toBe(404);
  });
});

describe('roles', () => {
  it.each([
    ['viewer', [403, 403, 403, 403]],
    ['acquirer:acme', [403, 403, 403, 403]],
    ['noc', [422, 400, 400, 403]],
    ['admin', [422, 400, 400, 400]],
  ] as const)('%s may change what it may, and nothing else', async (role, expected) => {
    const api = new TestApi();
    const token = await api.token(role);
    const bodies = [{ files: [] }, { user: 'nobody' }, { user: 'nobody' }, { role: 'king' }];

    const statuses = await Promise.all(
      POSTS.map(async (path, i) => (await api.request(path, { token, method: 'POST', body: bodies[i] })).status),
    );

    expect(statuses).toEqual(expected);
    expect((await api.request('/v1/tokens', { token })).status).toBe(role === 'admin' ? 200 : 403);
    expect(api.control).toEqual([]);
  });

  it.each(['king', '', 'acquirer:', 'acquirer:ACME', 'acquirer:a/b', 'Admin', 7, null, undefined])('%j is none', (text) => {
    expect(parseRole(text)).toBeUndefined();
  });

  it('an acquirer sees its own rows alone, and others as if they were not there', async () => {
    const api = new TestApi();
    for (const acquirer of ['acme', 'bolt']) {
      await api.row('merchants', { acquirer, merchant: 'm-1', terminal_limit: 3 });
      for (const n of [1, 2, 3]) await api.terminal(acquirer, `SN-${acquirer}-${n}`);
      await api.terminal(acquirer, 'SN-SHARED', 'm-2');
    }
    await api.fold({ kind: 'tick', at: T + 1 });
    await api.quarantine('1-0', 'acme/SN000001', T);
    await api.quarantine('1-1', 'bolt/SN000001', T);
    await api.quarantine('1-2', 'acme-two/SN000001', T);
    await api.quarantine('f-1', 'bolt/SN000001', T, true);
    const token = await api.token('acquirer:acme');
    const all = await api.get<List<Alert>>('/v1/alerts');
    const other = all.items.find(({ subject }) => subject.acquirer === 'bolt')!;

    const terminals = await api.get<List<TerminalView>>('/v1/terminals', { token });
    const alerts = await api.get<List<Alert>>('/v1/alerts', { token });
    const quarantine = await api.get<List<Quarantined>>('/v1/quarantine', { token });
    const fleet = await api.get<{ terminals: number; byAcquirer: object; firing: object }>('/v1/fleet', { token });

    expect(new Set(terminals.items.map(({ acquirer }) => acquirer))).toEqual(new Set(['acme']));
    expect(terminals.items).toHaveLength(4);
    expect(all.items).toHaveLength(2);
    expect(alerts.items.map(({ subject }) => subject.acquirer)).toEqual(['acme']);
    expect(quarantine.items.map(({ id }) => id)).toEqual(['1-0']);
    expect(fleet).toMatchObject({ terminals: 4, byAcquirer: { acme: { online: 4 } }, firing: { critical: 1 } });
    expect((await api.get<TerminalView>('/v1/terminals/SN-SHARED', { token })).acquirer).toBe('acme');
    for (const path of [
      '/v1/terminals/SN-bolt-1',
      `/v1/alerts/${other.id}`,
      '/v1/terminals?acquirer=bolt',
      '/v1/terminals/SN-bolt-1?acquirer=bolt',
      '/v1/alerts?acquirer=bolt',
      '/v1/quarantine?acquirer=bolt',
      '/v1/fleet?acquirer=bolt',
    ]) {
      const response = await api.request(path, { token });
      expect([path, response.status]).toEqual([path, 404]);
      await problemOf(response);
    }
  });
});

describe('what is asked wrongly is refused with a problem that says so', () => {
  it.each([
    ['/v1/terminals?limit=0', 'limit'],
    ['/v1/terminals?limit=x', 'limit'],
    ['/v1/terminals?limit=1001', 'limit'],
    ['/v1/terminals?limit=1.5', 'limit'],
    ['/v1/terminals?state=tired', 'state'],
    ['/v1/alerts?state=open', 'state'],
    ['/v1/alerts?type=quota', 'type'],
    ['/v1/alerts?limit=-1', 'limit'],
    ['/v1/quarantine?limit=no', 'limit'],
    ...['/v1/terminals', '/v1/alerts', '/v1/alerts?state=firing', '/v1/quarantine'].flatMap((path) =>
      [
        '!!!',
        'x',
        cursor('none'),
        cursor(`${'1'.repeat(15)}.${'x'.repeat(485)}`),
        cursor(`acme/${'S'.repeat(1_000)}`),
        'A'.repeat(8_000),
        `${cursor('acme/SN000001')}=`,
        `${cursor(newestFirst(T, 'a'))}=`,
        Buffer.from([255, 254, 0]).toString('base64url'),
        cursor('\0'.repeat(400)),
      ].map((text): [string, string] => [`${path}${path.includes('?') ? '&' : '?'}cursor=${text}`, 'cursor']),
    ),
    [`/v1/terminals?cursor=${cursor(newestFirst(T, 'a'))}`, 'cursor'],
    [`/v1/alerts?cursor=${cursor('acme/SN000001')}`, 'cursor'],
  ])('%s', async (path, named) => {
    const response = await new TestApi().request(path);

    expect(response.status).toBe(400);
    expect((await problemOf(response)).detail).toContain(named);
  });

  it.each([
    ['/v1/imports', 'not JSON', 'JSON'],
    ['/v1/imports', '{"files":[{"name":"a.csv"}]}', 'files.0.text'],
    ['/v1/imports', '[]', 'body'],
    ['/v1/enrolments', '{"user":"acme"}', 'user'],
    ['/v1/enrolments', '{"user":"acme/SN000001","days":0}', 'days'],
    ['/v1/enrolments', '{"user":"acme/SN000001","days":"7"}', 'days'],
    ['/v1/revocations', '{}', 'user'],
    ['/v1/tokens', '{"role":"king"}', 'role'],
    ['/v1/tokens', '', 'JSON'],
  ])('%s with %s', async (path, body, named) => {
    const api = new TestApi();
    const response = await api.request(path, { method: 'POST', body });

    expect(response.status).toBe(400);
    expect((await problemOf(response)).detail).toContain(named);
    expect(api.control).toEqual([]);
  });

  it.each([
    '/',
    '/v1',
    '/v1/',
    '/v1/nothing',
    '/v1/terminals/SN404404',
    '/v1/alerts/none',
    '/v1/fleet/x',
    '/etc/passwd',
    '/v1/../v1/none',
    '/%00',
  ])('%s is not there', async (path) => {
    const response = await new TestApi().request(path);

    expect(response.status).toBe(404);
    await problemOf(response);
  });

  it.each(['POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS'])('%s to what can only be read', async (method) => {
    expect((await new TestApi().request('/v1/fleet', { method })).status).toBe(404);
  });

  it.each(['/v1/imports', '/v1/tokens'])('a body that says it is beyond the limit is refused before it is read, at %s', async (path) => {
    const headers = { 'content-length': String(65 * MIB) };

    const response = await new TestApi().request(path, { method: 'POST', body: '{}', headers });

    expect(response.status).toBe(413);
    await problemOf(response);
  });

  it('and a disk that is full is told as what will pass', async () => {
    const api = new TestApi();
    api.metrics = () => Promise.reject(new LogError('full'));

    const response = await api.request('/metrics');

    expect(response.status).toBe(503);
    expect(response.headers.get('retry-after')).toBe('5');
    expect((await problemOf(response)).detail).toContain('free disk space');
  });

  it('and a failure of our own is told to the one who runs us, not to the one who asked', async () => {
    const api = new TestApi();
    api.metrics = () => Promise.reject(new Error('the disk is on fire'));

    const response = await api.request('/metrics');

    expect(response.status).toBe(500);
    expect(JSON.stringify(await problemOf(response))).not.toContain('fire');
    expect(api.lines).toEqual(['GET /metrics could not be answered: the disk is on fire']);
  });
});

describe('a blank member of a query is as if it were not there', () => {
  it.each([
    '/v1/terminals?acquirer=&merchant=&site=&state=&q=&cursor=&limit=',
    '/v1/terminals/SN000001?acquirer=',
    '/v1/fleet?acquirer=',
    '/v1/alerts?state=&type=&acquirer=&cursor=&limit=',
    '/v1/quarantine?acquirer=&cursor=&limit=',
  ])('%s', async (path) => {
    const api = new TestApi();
    await api.row('merchants', { acquirer: 'acme', merchant: 'm-1', terminal_limit: 1 });
    await api.terminal('acme', 'SN000001');
    await api.fold({ kind: 'tick', at: T + 1 });
    await api.quarantine('1-0', 'acme/SN000001', T);
    const own = await api.token('acquirer:acme');
    const plain = await api.get(path.split('?')[0]!);

    expect(JSON.stringify(plain)).toContain('acme');
    expect(await api.get(path)).toEqual(plain);
    expect(await api.get(path, { token: own })).toEqual(plain);
  });
});

describe('a body is read no further than its sender may go', () => {
  it.each([
    ['a stranger', '', '/v1/imports', 401, 0],
    ['a stranger', '', '/v1/tokens', 401, 0],
    ['a reader', 'viewer', '/v1/imports', 403, 0],
    ['a reader', 'viewer', '/v1/enrolments', 403, 0],
    ['an administrator', 'admin', '/v1/enrolments', 413, 64 * KIB],
    ['an administrator', 'admin', '/v1/revocations', 413, 64 * KIB],
    ['an administrator', 'admin', '/v1/tokens', 413, 64 * KIB],
    ['an administrator', 'admin', '/v1/imports', 413, 64 * MIB],
    ['an administrator', 'admin', '/v1/nothing', 404, 0],
  ] as const)('by %s (%s) at %s', async (_, role, path, status, most) => {
    const api = new TestApi();
    const { stream, given } = endless();

    const response = await api.post(path, stream, role && (await api.token(role)));

    expect(response.status).toBe(status);
    await problemOf(response);
    expect(given()).toBeLessThanOrEqual(most + 2 * KIB * 64);
  });

  it('and one import at a time: another is told when to come back, and is let in once the first is through', async () => {
    const api = new TestApi();
    let go = () => {};
    const first = api.post(
      '/v1/imports',
      new ReadableStream({
        start(controller) {
          go = () => {
            controller.enqueue(new TextEncoder().encode('{"files":[]}'));
            controller.close();
          };
        },
      }),
      ADMIN,
    );

    const second = await api.request('/v1/imports', { method: 'POST', body: { files: [] } });
    go();

    expect([second.status, second.headers.get('retry-after')]).toEqual([503, '5']);
    await problemOf(second);
    expect((await first).status).toBe(422);
    expect((await api.request('/v1/imports', { method: 'POST', body: { files: [] } })).status).toBe(422);
  });

  it('and an import that breaks off does not shut out the next', async () => {
    const api = new TestApi();
    const broken = new ReadableStream({ pull: (controller) => controller.error(new Error('the connection is gone')) });

    expect((await api.post('/v1/imports', broken, ADMIN)).status).toBe(400);
    expect((await api.request('/v1/imports', { method: 'POST', body: { files: [] } })).status).toBe(422);
  });
});

describe('changes', () => {
  it('an import is taken as one, and answers with what was read', async () => {
    const api = new TestApi();
    const files = [
      { name: 'merchants.csv', text: 'acquirer,merchant,terminal_limit\nacme,m-1,5\n' },
      { name: 'terminals.csv', text: 'acquirer,merchant,sn\nacme,m-1,SN000001\nacme,m-1,SN000002\n' },
    ];

    const response = await api.request('/v1/imports', { method: 'POST', body: { files } });

    expect(response.status).toBe(201);
    expect(await response.json()).toEqual({
      rows: { merchants: 1, terminals: 2 },
      notes: ['merchants.csv: 1 of 1 merchants have no tz and are taken to be in UTC'],
    });
    expect(api.watch.state.merchants.get('acme/m-1')).toMatchObject({ limit: 5, held: 2 });
  });

  it('an import with bad rows changes nothing and names them all', async () => {
    const api = new TestApi();
    const files = [{ name: 'terminals.csv', text: 'acquirer,merchant,sn\nacme,m-1,SN000001\nacme,,SN000002\nacme,m-1,x\n' }];

    const response = await api.request('/v1/imports', { method: 'POST', body: { files } });

    expect(response.status).toBe(422);
    expect((await problemOf(response)).rows).toEqual([
      { file: 'terminals.csv', row: 3, problem: expect.stringContaining('merchant') },
      { file: 'terminals.csv', row: 4, problem: expect.stringContaining('sn') },
    ]);
    expect(api.watch.state.terminals.size).toBe(0);
  });

  it('an enrolment gives a token for its user, good for two years or as long as was said', async () => {
    const api = new TestApi();
    const enrol = async (body: object) => (await api.request('/v1/enrolments', { method: 'POST', body })).json();

    expect(await enrol({ user: 'acme/SN000001' })).toEqual({
      user: 'acme/SN000001',
      token: `tw1.token of acme/SN000001 until ${T + 730 * 86_400_000}`,
      expiresAt: T + 730 * 86_400_000,
    });
    expect(await enrol({ user: 'noc:grafana', days: 1 })).toMatchObject({ user: 'noc:grafana', expiresAt: T + 86_400_000 });
  });

  it('a revocation goes to the control log', async () => {
    const api = new TestApi();

    const response = await api.request('/v1/revocations', { method: 'POST', body: { user: 'acme/SN000001' } });

    expect(response.status).toBe(201);
    expect(api.control).toEqual([{ kind: 'revocation', at: T, user: 'acme/SN000001' }]);
  });

  it('a token is shown once, when it is made, and listed without it', async () => {
    const api = new TestApi();
    const made = (await (
      await api.request('/v1/tokens', { method: 'POST', body: { role: 'acquirer:acme', name: 'the bank' } })
    ).json()) as {
      id: string;
      token: string;
    };

    const listed = await (await api.request('/v1/tokens')).text();

    expect(made).toMatchObject({ role: 'acquirer:acme', name: 'the bank', createdAt: T, token: expect.stringMatching(/^twa_[\w-]{43}$/) });
    expect(JSON.parse(listed)).toEqual({ items: [{ id: made.id, role: 'acquirer:acme', name: 'the bank', createdAt: T }], next: null });
    expect(listed).not.toContain(made.token);
  });
});

describe('the pages for machines', () => {
  it('/healthz answers without a token while the process lives', async () => {
    expect((await new TestApi().request('/healthz', { token: '' })).status).toBe(200);
  });

  it('/readyz says what is not ready', async () => {
    const api = new TestApi();
    expect((await api.request('/readyz', { token: '' })).status).toBe(200);

    api.problems = ['the store (influxdb) does not take points: they wait in the log'];
    const response = await api.request('/readyz', { token: '' });

    expect(response.status).toBe(503);
    expect(await response.json()).toEqual({ status: 'not ready', problems: api.problems });
  });

  it('/metrics is plain text', async () => {
    const response = await new TestApi().request('/metrics', { token: '' });

    expect(response.headers.get('content-type')).toBe('text/plain; version=0.0.4; charset=utf-8');
  });

  it.each(['/healthz', '/v1/fleet'])('HEAD %s has the status of a GET, and no body', async (path) => {
    const response = await new TestApi().request(path, { method: 'HEAD' });

    expect([response.status, await response.text()]).toEqual([200, '']);
  });
});

describe('the admin token', () => {
  it('is made once, for its owner alone, and found again', async () => {
    const path = join(await tempDir(), 'data', 'admin-token');

    const first = await loadOrCreateAdminToken(path, (n) => Buffer.alloc(n, 7));
    const second = await loadOrCreateAdminToken(path, (n) => Buffer.alloc(n, 8));

    expect(first).toEqual({ token: expect.stringMatching(/^twa_[\w-]{43}$/), made: true });
    expect(second).toEqual({ token: first.token, made: false });
    expect(await readFile(path, 'utf8')).toBe(`${first.token}\n`);
    expect((await stat(path)).mode & 0o777).toBe(0o600);
  });
});
