import { chmod, readdir, readFile, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import type { TerminalView } from '../../collector/api/views.ts';
import { eventually } from '../helpers/eventually.ts';
import { Installation, Process } from '../helpers/installation.ts';
import { connectMqtt } from '../helpers/mqtt.ts';
import { tempDir } from '../helpers/tempdir.ts';
import { cli } from './harness.ts';

async function started(command: 'start' | 'collector' = 'start') {
  const installation = await Installation.create();
  const process = installation.start(command);
  await process.ready();
  const env = { TILLWATCH_DATA_DIR: installation.paths.root };
  return { installation, process, env };
}

const login = (installation: Installation, user: string, password: string) =>
  connectMqtt({ port: installation.mqttPort()!, username: user, password, clientId: user.split('/')[1]! });

async function registry(content: Record<string, string>): Promise<string> {
  const dir = await tempDir();
  for (const [name, text] of Object.entries(content)) await writeFile(join(dir, name), text);
  return dir;
}

describe('while it runs', () => {
  it('enroll prints a token alone that connects at once, and revoke cuts its terminal off until it is enrolled again', async () => {
    const { installation, env } = await started();
    const enrolled = await cli(['enroll', 'acme/SN000001'], { env });
    const neighbour = await login(installation, 'acme/SN000002', (await cli(['enroll', 'acme/SN000002'], { env })).out[0]!);
    const client = await login(installation, 'acme/SN000001', enrolled.out[0]!);
    expect([client.returnCode, enrolled.out.length, enrolled.said]).toEqual([0, 1, []]);

    const revoked = await cli(['revoke', 'acme/SN000001'], { env });

    await client.closed;
    const again = await login(installation, 'acme/SN000001', enrolled.out[0]!);
    expect([revoked.code, revoked.out]).toEqual([0, []]);
    expect(again.returnCode).toBe(5);
    await neighbour.ping();
    const fresh = (await cli(['enroll', 'acme/SN000001'], { env })).out[0]!;
    const back = await login(installation, 'acme/SN000001', fresh);
    expect(back.returnCode).toBe(0);
    for (const one of [back, neighbour]) await one.disconnect();
  });

  it('keys are rotated while terminals stay, and what is retired cuts off those that hold its tokens', async () => {
    const { installation, env } = await started();
    const token = async () => (await cli(['enroll', 'acme/SN000001'], { env })).out[0]!;
    const listed = async () => (await cli(['keys', 'list', '--json'], { env })).out.map((line) => JSON.parse(line) as { id: string });
    const old = await login(installation, 'acme/SN000002', installation.token('acme/SN000002'));
    const [{ id }] = (await listed()) as [{ id: string }];

    const rotated = await cli(['keys', 'rotate'], { env });
    const fresh = await login(installation, 'acme/SN000001', await token());
    await old.ping();
    const refused = await cli(['keys', 'retire', rotated.out[0]!], { env });
    const retired = await cli(['keys', 'retire', id], { env });

    await old.closed;
    expect([rotated.code, fresh.returnCode, refused.code, retired.code]).toEqual([0, 0, 1, 0]);
    expect((await login(installation, 'acme/SN000002', installation.token('acme/SN000002'))).returnCode).toBe(4);
    expect((await listed()).map((key) => key.id)).toEqual(rotated.out);
    expect((await cli(['keys', 'retire', id], { env })).said.join()).toContain(`there is no key ${id}`);
    await fresh.disconnect();
  });

  it('import goes through the API, all or nothing', async () => {
    const { installation, env } = await started('collector');
    const good = await registry({
      'merchants.csv': 'acquirer,merchant,terminal_limit\nacme,m-1,5\n',
      'terminals.csv': 'acquirer,merchant,sn\nacme,m-1,SN000001\n',
    });
    const bad = await registry({ 'terminals.csv': 'acquirer,merchant,sn\nacme,m-1,SN000002\nacme,m-1,!\n' });

    const first = await cli(['import', good], { env });
    const second = await cli(['import', bad], { env });

    expect(first).toMatchObject({ code: 0, out: ['merchants: 1 row', 'terminals: 1 row', expect.stringContaining('UTC')] });
    expect(second.code).toBe(1);
    expect(second.said.join('\n')).toContain('terminals.csv, row 3: sn');
    const { items } = await installation.api<{ items: TerminalView[] }>('/v1/terminals');
    expect(items.map(({ sn }) => sn)).toEqual(['SN000001']);
  });

  it('commands reach it from elsewhere by its address and a token, and touch no folder of their own', async () => {
    const { installation, process: running } = await started('collector');
    const token = (await readFile(installation.paths.adminToken, 'utf8')).trim();
    const elsewhere = join(await tempDir(), 'none');
    const env = { TILLWATCH_DATA_DIR: elsewhere, TILLWATCH_API_URL: running.url!, TILLWATCH_API_TOKEN: token };
    const folder = await registry({ 'terminals.csv': 'acquirer,merchant,sn\nacme,m-1,SN000001\n' });

    const said = [await cli(['import', folder], { env }), await cli(['enroll', 'acme/SN000001'], { env })];
    const refused = await cli(['enroll', 'acme/SN000001'], { env: { ...env, TILLWATCH_API_TOKEN: 'another' } });

    expect(said.map(({ code }) => code)).toEqual([0, 0]);
    const { items } = await installation.api<{ items: TerminalView[] }>('/v1/terminals');
    expect(items.map(({ sn }) => sn)).toEqual(['SN000001']);
    expect([refused.code, refused.said.length]).toEqual([1, 1]);
    await expect(stat(elsewhere)).rejects.toMatchObject({ code: 'ENOENT' });
  });

  it('a broker alone still hears of a revocation', async () => {
    const installation = await Installation.create();
    const broker = installation.start('broker');
    await broker.ready();
    const client = await login(installation, 'acme/SN000001', installation.token('acme/SN000001'));

    await cli(['revoke', 'acme/SN000001'], { env: { TILLWATCH_DATA_DIR: installation.paths.root } });

    await client.closed;
    expect((await login(installation, 'acme/SN000001', installation.token('acme/SN000001'))).returnCode).toBe(5);
  });

  it('a killed collector holds up no command', async () => {
    const { process, env } = await started('collector');
    await process.end('SIGKILL');

    expect(await cli(['enroll', 'acme/SN000001'], { env })).toMatchObject({ code: 0, said: [] });
  });
});

describe('a first start', () => {
  it('prints where its admin token is, keeps everything for its own user alone, and shows no secret', async () => {
    const dataDir = join(await tempDir(), 'new', 'data');
    const start = new Process('start', [], {
      TILLWATCH_DATA_DIR: dataDir,
      TILLWATCH_MQTT_LISTEN: '127.0.0.1:0',
      TILLWATCH_HTTP_LISTEN: '127.0.0.1:0',
      TILLWATCH_NODE: 'n1',
    });
    await start.ready();
    const env = { TILLWATCH_DATA_DIR: dataDir };
    const { out } = await cli(['enroll', 'acme/SN000001'], { env });
    const client = await connectMqtt({ port: start.mqttPort!, username: 'acme/SN000001', password: out[0]!, clientId: 'SN000001' });
    await client.publish('pos/v1/acme/SN000001/report', '{');
    const wrong = await connectMqtt({
      port: start.mqttPort!,
      username: 'acme/SN000001',
      password: `${out[0]!.slice(0, -1)}!`,
      clientId: 'SN000001',
    });
    expect(wrong.returnCode).toBe(4);
    await eventually(async () => expect(await readdir(join(dataDir, 'state'))).toHaveLength(4));

    const modes = await modesUnder(dataDir);
    const admin = (await readFile(join(dataDir, 'admin-token'), 'utf8')).trim();
    const [key] = (JSON.parse(await readFile(join(dataDir, 'keys.json'), 'utf8')) as { keys: { secret: string }[] }).keys;
    const shown = await Promise.all(
      ['/metrics', '/readyz', '/healthz', '/v1/quarantine', '/v1/terminals'].map(async (path) => {
        const answer = await fetch(start.url + path, { headers: { authorization: `Bearer ${admin}` } });
        return answer.text();
      }),
    );
    expect(await start.end('SIGTERM')).toBe(0);

    expect(start.said).toContain(`admin token (made now): ${join(dataDir, 'admin-token')}`);
    expect(modes.filter(({ mode }) => mode !== 0o700 && mode !== 0o600)).toEqual([]);
    expect(modes.length).toBeGreaterThan(10);
    for (const secret of [admin, key!.secret, out[0]!]) for (const text of [start.said, ...shown]) expect(text).not.toContain(secret);
  });
});

/** Every file and folder below `dir`, with the rights on it: folders 0700, files 0600. */
async function modesUnder(dir: string): Promise<{ path: string; mode: number }[]> {
  const found: { path: string; mode: number }[] = [];
  for (const entry of await readdir(dir, { withFileTypes: true, recursive: true })) {
    const path = join(entry.parentPath, entry.name);
    const about = await stat(path).catch(() => undefined);
    const expected = entry.isDirectory() ? 0o700 : 0o600;
    if (about) found.push({ path, mode: (about.mode & 0o777) === expected ? expected : 0 });
  }
  return found;
}

describe('a wide-open umask and a data folder that others may enter', () => {
  it('change nothing of that', async () => {
    const dataDir = await tempDir();
    await chmod(dataDir, 0o755);
    const before = process.umask(0);
    const start = new Process('start', [], {
      TILLWATCH_DATA_DIR: dataDir,
      TILLWATCH_MQTT_LISTEN: '127.0.0.1:0',
      TILLWATCH_HTTP_LISTEN: '127.0.0.1:0',
      TILLWATCH_NODE: 'n1',
    });
    process.umask(before);
    await start.ready();
    const modes = await modesUnder(dataDir);
    await start.end('SIGTERM');

    expect(modes.filter(({ mode }) => mode === 0)).toEqual([]);
  });
});
