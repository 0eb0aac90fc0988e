import { readFile, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { signedHeaders } from '../../collector/webhooks/signature.ts';
import { eventually } from '../helpers/eventually.ts';
import { Installation, Process } from '../helpers/installation.ts';
import { Receiver } from '../helpers/receiver.ts';
import { tempDir } from '../helpers/tempdir.ts';
import { cli, cliProcess } from './harness.ts';

const KEY = Buffer.alloc(32, 7);
const SECRET = `whsec_${KEY.toString('base64')}`;

async function running(env: Record<string, string> = { TILLWATCH_WEBHOOK_ALLOW: '127.0.0.0/8' }) {
  const installation = await Installation.create(env);
  await installation.start('collector').ready();
  const of = { env: { TILLWATCH_DATA_DIR: installation.paths.root } };
  return { installation, webhook: (...args: string[]) => cli(['webhook', ...args], of) };
}

async function secretFile(text = SECRET): Promise<string> {
  const file = join(await tempDir(), 'secret');
  await writeFile(file, `${text}\n`);
  return file;
}

async function keyIn(file: string): Promise<Buffer> {
  return Buffer.from((await readFile(file, 'utf8')).trim().slice('whsec_'.length), 'base64');
}

describe('webhook', () => {
  it('add, test, resend, list and remove work while the product runs, and the secret is shown once', async () => {
    const { webhook } = await running();
    const receiver = await Receiver.start();

    const added = await webhook('add', receiver.url, '--acquirer', 'acme', '--severity', 'warning', '--types', 'quota.terminals');
    const [id, secret] = added.out.map((line) => line.split(': ')[1]!);
    expect([added.code, id, secret]).toEqual([0, expect.stringMatching(/^we_[0-9a-f]+$/), expect.stringMatching(/^whsec_.{44}$/)]);
    expect((await webhook('test', id!)).code).toBe(0);
    await eventually(() => expect(receiver.told.map(({ type, sequence }) => [type, sequence])).toEqual([['ping', 1]]));
    const resent = await webhook('resend', id!, '--from-sequence', '1');
    expect([resent.code, resent.said]).toEqual([0, ['1 events are on their way']]);
    await eventually(() => expect(receiver.deliveries).toHaveLength(2));

    const listed = await webhook('list');
    expect(listed.out).toEqual([`${id}  acme  ${receiver.url}  1 events, 0 waiting, well`]);
    expect(JSON.stringify([listed, await webhook('list', '--json')])).not.toContain(secret);
    expect((await webhook('enable', id!)).said).toEqual([`enabled ${id}: 0 events are on their way`]);
    expect((await webhook('remove', id!)).code).toBe(0);
    expect((await webhook('list')).out).toEqual([]);
    expect(await webhook('remove', id!)).toMatchObject({ code: 1, said: [`tillwatch: there is no webhook ${id}`] });
  });

  it.each([
    [
      'http://127.0.0.1:9/',
      /127\.0\.0\.1 is not a public address \(loopback\): an operator may allow its range in TILLWATCH_WEBHOOK_ALLOW/,
    ],
    ['http://192.0.2.1/hook', /not a public address/],
    ['http://8.8.8.8/hook', /must be reached over https/],
    ['ftp://bank.example/', /url is an https address/],
    ['https://user:word@bank.example/', /url is an https address without a user or a password/],
  ])('add of %s is refused, with what to do', async (url, why) => {
    const { webhook } = await running({});

    const refused = await webhook('add', url);

    expect([refused.code, refused.out]).toEqual([1, []]);
    expect(refused.said.join('\n')).toMatch(why);
  });

  it('add with a secret that is too short is refused, and the secret is not repeated', async () => {
    const { webhook } = await running();
    const short = `whsec_${Buffer.alloc(23).toString('base64')}`;

    const refused = await webhook('add', 'http://127.0.0.1:9/', '--secret-file', await secretFile(short));

    expect(refused).toMatchObject({ code: 1, said: [expect.stringMatching(/24 to 64 bytes, and this one has 23/)] });
    expect(refused.said.join()).not.toContain(short);
  });

  it.each([[[]], [['--ids', 'msg_1', '--from', '0']], [['--from', 'yesterday']], [['--from-sequence', 'one']]])(
    'resend %j is wrong use, and says what is wanted',
    async (args) => {
      const { code, said } = await cli(['webhook', 'resend', 'we_1', ...args], { env: { TILLWATCH_DATA_DIR: await tempDir() } });

      expect([code, said.length]).toEqual([2, 1]);
    },
  );

  it('commands say that nothing runs where nothing does', async () => {
    const { code, said } = await cli(['webhook', 'list'], { env: { TILLWATCH_DATA_DIR: await tempDir() } });

    expect([code, said]).toEqual([1, [expect.stringMatching(/nothing runs over .*tillwatch start.*TILLWATCH_API_URL/)]]);
  });
});

describe('webhook listen', () => {
  it('makes a secret for its own user alone, verifies what comes, and prints it', async () => {
    const { webhook } = await running();
    const file = join(await tempDir(), 'made', '..', 'webhook-secret');
    const listener = new Process('webhook', ['listen', '--listen', '127.0.0.1:0', '--secret-file', file], {});
    const url = await eventually(() => /listening on (http:\S+),/.exec(listener.said)![1]!);

    const [id] = (await webhook('add', url, '--secret-file', file)).out.map((line) => line.split(': ')[1]!);
    await webhook('test', id!);
    await eventually(() => expect(listener.said).toMatch(/#1 {2}ping$/m));
    const body = '{"hello":1}';
    const own = { ...signedHeaders('msg_own', Math.floor(Date.now() / 1000), Buffer.from(body), [await keyIn(file)]) };
    expect((await fetch(url, { method: 'POST', body, headers: own })).status).toBe(204);
    await eventually(() => expect(listener.said).toContain(`genuine, and no event of ours: ${body}`));
    const forged = await fetch(url, { method: 'POST', body: '{}', headers: { 'webhook-id': 'msg_x' } });

    expect(forged.status).toBe(401);
    await eventually(() => expect(listener.said).toMatch(/NOT GENUINE: it lacks .* \(msg_x\)/));
    expect((await stat(file)).mode & 0o777).toBe(0o600);
    expect(await listener.end('SIGTERM')).toBe(0);
  });

  it.each([
    [['--listen', 'nowhere'], 2, /--listen: "nowhere" is not host:port/],
    [['--listen', '192.0.2.1:1'], 1, /cannot be listened on \(EADDRNOTAVAIL\): give another address/],
  ])('%j ends with one clear line', async (args, exit, why) => {
    const { code, said } = await cli(['webhook', 'listen', ...args, '--secret-file', await secretFile()]);

    expect([code, said.join('\n')]).toEqual([exit, expect.stringMatching(why)]);
  });
});

describe('webhook verify', () => {
  const body = '{"type":"ping","timestamp":"2026-01-01T00:00:00.000Z","sequence":1,"data":{}}';
  const flagsOf = (text: string) => {
    const headers = signedHeaders('msg_1', 1_763_798_400, Buffer.from(text), [KEY]);
    return ['--id', 'msg_1', '--timestamp', headers['webhook-timestamp'], '--signature', headers['webhook-signature']];
  };

  it('says that a delivery is genuine, from a file and from standard input', async () => {
    const secret = await secretFile();
    const file = join(await tempDir(), 'body.json');
    await writeFile(file, body);
    const flags = [...flagsOf(body), '--secret-file', secret, '--tolerance', '0'];

    expect(await cli(['webhook', 'verify', file, ...flags])).toEqual({ code: 0, out: ['genuine'], said: [] });
    expect(await cliProcess(['webhook', 'verify', ...flags], {}, body)).toEqual({ code: 0, out: ['genuine'], said: [] });
  });

  it.each([
    ['a body of other bytes', `${body} `, ['--tolerance', '0'], /not genuine: no signature fits/],
    ['an old timestamp', body, [], /not genuine: its timestamp is \d+ s off/],
  ])('refuses %s', async (_, text, more, why) => {
    const said = await cli(['webhook', 'verify', ...flagsOf(body), '--secret-file', await secretFile(), ...more], { stdin: text });

    expect([said.code, said.said.join()]).toEqual([1, expect.stringMatching(why)]);
  });
});
