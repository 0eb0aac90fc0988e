import { chmod, mkdir, readdir, readFile, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { loadKeys } from '../../backbone/credentials/keys.ts';
import { verifyToken } from '../../backbone/credentials/tokens.ts';
import { layout } from '../../backbone/layout.ts';
import { takeLock } from '../../backbone/lock.ts';
import { openSegmentReader } from '../../backbone/segments/reader.ts';
import { openSegmentWriter } from '../../backbone/segments/writer.ts';
import { Follower } from '../../collector/log/follower.ts';
import { START } from '../../collector/log/position.ts';
import { type ControlEntry, decodeControl } from '../../protocol/control.ts';
import { encodeRecord } from '../../protocol/record.ts';
import { Watch } from '../../watch/fold/watch.ts';
import { tempDir } from '../helpers/tempdir.ts';
import { cli } from './harness.ts';

const DAY_MS = 86_400_000;

async function folder() {
  const dataDir = join(await tempDir(), 'data');
  return { env: { TILLWATCH_DATA_DIR: dataDir }, paths: layout(dataDir) };
}

/** The entries of both logs in their order, and what a fold makes of them. */
async function fold(paths: ReturnType<typeof layout>) {
  const [brokers, owner] = await Promise.all([openSegmentReader(paths.brokersLog), openSegmentReader(paths.ownerLog)]);
  const follower = new Follower(brokers, owner, START);
  const watch = new Watch();
  const entries = [];
  for (let item = await follower.next(); item; item = await follower.next()) {
    entries.push(item.entry);
    watch.step(item.entry);
  }
  await brokers.close();
  await owner.close();
  return { watch, entries };
}

async function controlEntries(paths: ReturnType<typeof layout>): Promise<ControlEntry[]> {
  const reader = await openSegmentReader(paths.controlLog);
  const entries = (await reader.read(1, 65_536)).flatMap(({ records }) => records.map(decodeControl));
  await reader.close();
  return entries;
}

describe('enroll, while nothing runs', () => {
  it('prints the token alone, good for its user and no other, for two years', async () => {
    const { env, paths } = await folder();

    const { code, out, said } = await cli(['enroll', 'acme/SN000001'], { env });

    const keys = await loadKeys(paths.keys);
    const verdict = verifyToken(keys, 'acme/SN000001', out[0]!, Date.now());
    expect([code, out.length, said]).toEqual([0, 1, []]);
    expect(verdict.ok && Math.round((verdict.expires - verdict.issued) / DAY_MS)).toBe(730);
    expect(verifyToken(keys, 'acme/SN000002', out[0]!, Date.now())).toMatchObject({ ok: false });
  });

  it('takes days, tools, and --json', async () => {
    const { env, paths } = await folder();

    const { out } = await cli(['enroll', '--noc', 'grafana', '--days', '1', '--json'], { env });

    const answer = JSON.parse(out[0]!) as { user: string; token: string; expiresAt: number };
    expect(answer.user).toBe('noc:grafana');
    expect(verifyToken(await loadKeys(paths.keys), 'noc:grafana', answer.token, answer.expiresAt - 1)).toMatchObject({ ok: true });
    expect(verifyToken(await loadKeys(paths.keys), 'noc:grafana', answer.token, answer.expiresAt)).toMatchObject({ reason: 'expired' });
  });

  it('keeps to the keys that are there, and refuses a file that others may read', async () => {
    const { env, paths } = await folder();
    await cli(['enroll', 'acme/SN000001'], { env });
    const before = await readFile(paths.keys, 'utf8');
    await cli(['enroll', 'acme/SN000001'], { env });
    expect(await readFile(paths.keys, 'utf8')).toBe(before);

    await chmod(paths.keys, 0o644);
    const { code, out, said } = await cli(['enroll', 'acme/SN000001'], { env });

    expect([code, out]).toEqual([1, []]);
    expect(said.join('\n')).toContain('chmod 600');
    expect(said.join('\n')).not.toContain(JSON.parse(before).keys[0].secret);
  });
});

describe('revoke, while nothing runs', () => {
  it('is kept for the brokers, and prints no data', async () => {
    const { env, paths } = await folder();

    const { code, out, said } = await cli(['revoke', 'acme/SN000001'], { env });

    const entries = await controlEntries(paths);
    expect([code, out]).toEqual([0, []]);
    expect(said).toEqual(['revoked acme/SN000001: enroll it again for a new token']);
    expect(entries).toEqual([{ kind: 'revocation', at: expect.any(Number), user: 'acme/SN000001' }]);
  });
});

describe('keys, while nothing runs', () => {
  it('are rotated and retired in the files, and the brokers are told in the control log', async () => {
    const { env, paths } = await folder();
    const old = (await cli(['enroll', 'acme/SN000001'], { env })).out[0]!;
    const [{ id }] = await loadKeys(paths.keys);

    const rotated = await cli(['keys', 'rotate'], { env });
    const young = (await cli(['enroll', 'acme/SN000001'], { env })).out[0]!;
    const listed = await cli(['keys', 'list'], { env });
    const both = await loadKeys(paths.keys);
    const retired = await cli(['keys', 'retire', id], { env });

    const [newer] = rotated.out;
    const verdicts = (token: string) => [both, [both[0]] as const].map((keys) => verifyToken(keys, 'acme/SN000001', token, Date.now()).ok);
    expect([rotated.code, listed.out.map((line) => line.split(/ +/))]).toEqual([
      0,
      [
        [newer, expect.any(String), 'signs'],
        [id, expect.any(String), 'verifies'],
      ],
    ]);
    expect([verdicts(old), verdicts(young)]).toEqual([
      [true, false],
      [true, true],
    ]);
    expect([retired.code, retired.out, (await loadKeys(paths.keys)).map((key) => key.id)]).toEqual([0, [], [newer]]);
    expect((await controlEntries(paths)).map(({ kind }) => kind)).toEqual(['keys', 'keys']);
  });

  it('that cannot go are named, with what to do, and no secret is printed', async () => {
    const { env, paths } = await folder();
    await cli(['keys', 'list'], { env });
    const { id, secret } = (await loadKeys(paths.keys))[0];

    const signing = await cli(['keys', 'retire', id], { env });
    const unknown = await cli(['keys', 'retire', 'k0'], { env });
    const json = await cli(['keys', 'list', '--json'], { env });
    const rotated = await cli(['keys', 'rotate', '--json'], { env });

    expect([signing.code, signing.said[0]]).toEqual([1, expect.stringMatching(/rotate the keys first/)]);
    expect([unknown.code, unknown.said[0]]).toEqual([1, expect.stringMatching(/keys list/)]);
    expect(JSON.parse(json.out[0]!)).toEqual({ id, createdAt: expect.any(Number), signs: true });
    expect(JSON.parse(rotated.out[0]!)).toEqual({ id: (await loadKeys(paths.keys))[0].id, createdAt: expect.any(Number), signs: true });
    expect(JSON.stringify([signing, unknown, json])).not.toContain(secret);
  });
});

describe('import, while nothing runs', () => {
  async function files(dir: string, content: Record<string, string | Buffer>) {
    await mkdir(dir, { recursive: true });
    for (const [name, text] of Object.entries(content)) await writeFile(join(dir, name), text);
    return dir;
  }
  const GOOD = {
    'merchants.csv': 'acquirer,merchant,terminal_limit\nacme,m-1,5\n',
    'terminals.csv': 'acquirer,merchant,sn\nacme,m-1,SN000001\nacme,m-1,SN000002\n',
  };

  it('of a folder is one change in the log, and says what was read', async () => {
    const { env, paths } = await folder();
    const registry = await files(await tempDir(), { ...GOOD, 'notes.txt': 'not ours' });

    const { code, out } = await cli(['import', registry], { env });

    const { watch, entries } = await fold(paths);
    expect(code).toBe(0);
    expect(out).toEqual([
      'merchants: 1 row',
      'terminals: 2 rows',
      'note: merchants.csv: 1 of 1 merchants have no tz and are taken to be in UTC',
    ]);
    expect(watch.state.merchants.get('acme/m-1')).toMatchObject({ limit: 5, held: 2 });
    expect(entries.filter(({ kind }) => kind === 'commit')).toHaveLength(1);
  });

  it('of files one by one, as --json', async () => {
    const { env } = await folder();
    const registry = await files(await tempDir(), GOOD);

    const { out } = await cli(['import', join(registry, 'terminals.csv'), join(registry, 'merchants.csv'), '--json'], { env });

    expect(JSON.parse(out[0]!)).toMatchObject({ rows: { merchants: 1, terminals: 2 } });
  });

  it('of bad rows imports nothing and names every one', async () => {
    const { env, paths } = await folder();
    const registry = await files(await tempDir(), {
      ...GOOD,
      'terminals.csv': 'acquirer,merchant,sn\nacme,m-1,SN000001\nacme,,SN000002\nacme,m-1,!\n',
    });

    const { code, out, said } = await cli(['import', registry], { env });

    expect([code, out]).toEqual([1, []]);
    expect(said.join('\n').split('\n')).toEqual([
      'tillwatch: nothing was imported',
      expect.stringMatching(/^ {2}terminals\.csv, row 3: merchant/),
      expect.stringMatching(/^ {2}terminals\.csv, row 4: sn/),
    ]);
    await expect(stat(paths.ownerLog)).rejects.toMatchObject({ code: 'ENOENT' });
  });

  it('of a file that is not UTF-8 imports nothing', async () => {
    const { env } = await folder();
    const gbk = Buffer.concat([Buffer.from('acquirer,merchant,name\nacme,m-1,'), Buffer.from([0xb2, 0xe8, 0xb5, 0xea]), Buffer.from('\n')]);

    const { code, said } = await cli(['import', await files(await tempDir(), { 'merchants.csv': gbk })], { env });

    expect(code).toBe(1);
    expect(said.join('\n')).toContain('merchants.csv, row 2: not UTF-8');
  });

  it('of a folder without a registry file says so', async () => {
    const { env } = await folder();

    expect(await cli(['import', await tempDir()], { env })).toMatchObject({
      code: 1,
      said: [expect.stringContaining('there is no .csv file in')],
    });
  });

  it('comes after what brokers wrote before it, at its own time, and the broker that does not run is down before it', async () => {
    const { env, paths } = await folder();
    const log = await openSegmentWriter(paths.brokersLog);
    const at = Date.now() - 2 * 3_600_000;
    await log.append([encodeRecord({ kind: 'heartbeat', at, node: 'n1', boot: 'b1', uptime: 0 })]);
    await log.close();
    const before = Date.now();

    await cli(['import', await files(await tempDir(), GOOD)], { env });

    const { entries } = await fold(paths);
    const [heartbeat, ...after] = entries.filter(({ kind }) => kind !== 'tick');
    expect(heartbeat).toMatchObject({ kind: 'heartbeat', at });
    expect(after[0]).toMatchObject({ kind: 'platform', at, platform: { part: 'broker', state: 'down', node: 'n1' } });
    expect(after[1]).toMatchObject({ kind: 'registry' });
    expect(after[1]!.at).toBeGreaterThanOrEqual(before);
  });

  it('twice is two changes, the later counts', async () => {
    const { env, paths } = await folder();
    await cli(['import', await files(await tempDir(), GOOD)], { env });

    await cli(['import', await files(await tempDir(), { 'merchants.csv': 'acquirer,merchant,terminal_limit\nacme,m-1,9\n' })], { env });

    expect((await fold(paths)).watch.state.merchants.get('acme/m-1')).toMatchObject({ limit: 9, held: 2 });
  });

  it('waits for nobody: where a collector is just starting it says so', async () => {
    const { env, paths } = await folder();
    await mkdir(paths.root, { recursive: true });
    const lock = await takeLock(paths.lock);

    const { code, said } = await cli(['import', await files(await tempDir(), GOOD)], { env });
    await lock.release();

    expect([code, said]).toEqual([1, ['tillwatch: the collector over this data folder is just starting or stopping: try again']]);
  });

  it('leaves the folder free for the next, and its files for its owner alone', async () => {
    const { env, paths } = await folder();
    await cli(['import', await files(await tempDir(), GOOD)], { env });

    expect(await readdir(paths.root)).not.toContain('lock');
    expect((await stat(paths.root)).mode & 0o777).toBe(0o700);
  });
});
