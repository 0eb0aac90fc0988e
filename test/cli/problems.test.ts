import { chmod, mkdir, readdir, rm, stat, writeFile } from 'node:fs/promises';
import { createServer as createHttpServer, type ServerResponse } from 'node:http';
import { type AddressInfo, createServer } from 'node:net';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { type Layout, prepareDataDir } from '../../backbone/layout.ts';
import { takeLock } from '../../backbone/lock.ts';
import { readSettings } from '../../cli/config.ts';
import { runningApi } from '../../cli/installation.ts';
import { startInflux } from '../helpers/influx.ts';
import { Process } from '../helpers/installation.ts';
import { lacks } from '../helpers/servers.ts';
import { tempDir } from '../helpers/tempdir.ts';
import { cli, cliProcess, type Said } from './harness.ts';

const SECRET = 'a-secret-that-nobody-may-see';
const FREE = { TILLWATCH_MQTT_LISTEN: '127.0.0.1:0', TILLWATCH_HTTP_LISTEN: '127.0.0.1:0', TILLWATCH_NODE: 'n1' };

async function takenPort(): Promise<string> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => void server.close());
  return `127.0.0.1:${(server.address() as AddressInfo).port}`;
}

/** Exit 1, nothing on the output, and as the last line one that says what to do. */
function expectOneClearLine({ code, out, said }: Said, line: RegExp): void {
  expect([code, out]).toEqual([1, []]);
  expect(said.filter((text) => text.startsWith('tillwatch: '))).toEqual([expect.stringMatching(line)]);
  expect(said.at(-1)).toMatch(line);
  expect(said.join('\n')).not.toMatch(/^\s+at /m);
}

describe('a start that cannot succeed ends with 1 and one clear line', () => {
  it.each([
    ['start', 'TILLWATCH_MQTT_LISTEN'],
    ['start', 'TILLWATCH_HTTP_LISTEN'],
    ['broker', 'TILLWATCH_MQTT_LISTEN'],
    ['collector', 'TILLWATCH_HTTP_LISTEN'],
  ])('%s, where the port of %s is taken, and the folder is free again', async (command, setting) => {
    const address = await takenPort();
    const dataDir = await tempDir();

    const said = await cliProcess([command], { ...FREE, TILLWATCH_DATA_DIR: dataDir, [setting]: address });

    expectOneClearLine(said, new RegExp(`^tillwatch: (?=.*another program)(?=.*${address}).*${setting}`));
    expect(await readdir(dataDir)).not.toContain('lock');
    expect(await readdir(dataDir)).not.toContain('runtime.json');
  });

  it('where the address is none of this machine', async () => {
    const said = await cliProcess(['broker'], {
      ...FREE,
      TILLWATCH_DATA_DIR: await tempDir(),
      TILLWATCH_MQTT_LISTEN: '203.0.113.7:1883',
      TILLWATCH_INSECURE_LISTEN: '1',
    });

    expectOneClearLine(said, /^tillwatch: .*cannot be listened on: give another one \(TILLWATCH_MQTT_LISTEN, 203\.0\.113\.7:1883/);
  });

  it.each(['start', 'broker', 'collector', 'enroll acme/SN000001'])('%s, where a file stands in place of the folder', async (command) => {
    const path = join(await tempDir(), 'data');
    await writeFile(path, '');

    expectOneClearLine(
      await cliProcess(command.split(' '), { ...FREE, TILLWATCH_DATA_DIR: path }),
      /^tillwatch: the data folder .* cannot be used .*TILLWATCH_DATA_DIR/,
    );
  });

  it.each(['start', 'enroll acme/SN000001'])('%s, where others may write to the folder, which stays as it is', async (command) => {
    const dataDir = await tempDir();
    await chmod(dataDir, 0o777);

    const said = await cliProcess(command.split(' '), { ...FREE, TILLWATCH_DATA_DIR: dataDir });

    expectOneClearLine(
      said,
      /^tillwatch: the data folder .* may be written by others .*chmod 700 it, or give another in TILLWATCH_DATA_DIR$/,
    );
    expect([await readdir(dataDir), (await stat(dataDir)).mode & 0o777]).toEqual([[], 0o777]);
  });

  it('where the folder cannot be made', async () => {
    expectOneClearLine(
      await cliProcess(['start'], { ...FREE, TILLWATCH_DATA_DIR: '/proc/tillwatch' }),
      /^tillwatch: the data folder \/proc\/tillwatch cannot be used/,
    );
  });

  it('where a file stands in place of the store', async () => {
    const dataDir = await tempDir();
    await writeFile(join(dataDir, 'store.duckdb'), 'this is no database'.repeat(1_000));

    expectOneClearLine(await cliProcess(['collector'], { ...FREE, TILLWATCH_DATA_DIR: dataDir }), /^tillwatch: .*store/);
  });

  it('where another collector runs over the folder, named by its process', async () => {
    const env = { ...FREE, TILLWATCH_DATA_DIR: await tempDir() };
    const first = new Process('collector', [], env);
    await first.ready();

    const said = await cliProcess(['start'], env);

    expectOneClearLine(said, /^tillwatch: process \d+ holds .*: stop it first$/);
    expect(await first.end('SIGTERM')).toBe(0);
  });

  it('where another broker runs over the folder', async () => {
    const env = { ...FREE, TILLWATCH_DATA_DIR: await tempDir() };
    const first = new Process('broker', [], env);
    await first.ready();

    expectOneClearLine(await cliProcess(['broker'], env), /^tillwatch: the log has another writer \(process \d+ holds .*/);
    expect(await first.end('SIGTERM')).toBe(0);
  });

  it.each(['start', 'collector'])('%s, where the file to record into cannot be written', async (command) => {
    const folder = await tempDir();
    const dataDir = join(folder, 'data');

    for (const path of [folder, join(folder, 'none', 'log.jsonl')])
      expectOneClearLine(
        await cliProcess([command, '--record', path], { ...FREE, TILLWATCH_DATA_DIR: dataDir }),
        new RegExp(`^tillwatch: --record: ${path} cannot be written `),
      );
    await expect(readdir(dataDir)).rejects.toMatchObject({ code: 'ENOENT' });
  });

  it('where settings are wrong: all of them, before anything starts', async () => {
    const dataDir = join(await tempDir(), 'data');

    const { code, said } = await cliProcess(['start'], {
      TILLWATCH_DATA_DIR: dataDir,
      TILLWATCH_MQTT_LISTEN: 'x',
      INFLUX_URL: 'y',
      INFLUX_TOKEN: SECRET,
    });

    expect([code, said.length]).toEqual([1, 2]);
    expect(said.join('\n')).not.toContain(SECRET);
    await expect(readdir(dataDir)).rejects.toMatchObject({ code: 'ENOENT' });
  });
});

describe('a collector that does not answer ends a command with 1 and one clear line', () => {
  const COMMANDS = ['enroll acme/SN000001', 'revoke acme/SN000001', 'import FOLDER'];

  /** A data folder that this process holds, as a collector would that says it answers at this address. */
  async function heldBy(http: string): Promise<Layout> {
    const paths = await prepareDataDir(await tempDir());
    const lock = await takeLock(paths.lock);
    onTestFinished(() => lock.release());
    await writeFile(paths.runtime, `${JSON.stringify({ pid: process.pid, http })}\n`);
    await writeFile(paths.adminToken, SECRET);
    return paths;
  }

  async function serving(answer: (response: ServerResponse) => void): Promise<string> {
    const server = createHttpServer((request, response) => {
      request.resume();
      answer(response);
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    onTestFinished(() => {
      server.close();
      server.closeAllConnections();
    });
    return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  }

  async function run(command: string, { root }: Layout): Promise<Said> {
    const folder = await tempDir();
    await writeFile(join(folder, 'merchants.csv'), 'acquirer,merchant,terminal_limit\nacme,m-1,5\n');
    return cli(command.replace('FOLDER', folder).split(' '), { env: { TILLWATCH_DATA_DIR: root } });
  }

  it.each(COMMANDS)('%s, where nobody listens though the folder is held', async (command) => {
    const said = await run(command, await heldBy('http://127.0.0.1:1'));

    expectOneClearLine(
      said,
      new RegExp(`^tillwatch: the collector \\(process ${process.pid}\\) at http://127.0.0.1:1 cannot be reached .*try again`),
    );
  });

  it.each(COMMANDS)('%s, where the connection ends without an answer', async (command) => {
    const http = await serving((response) => void response.destroy());

    expectOneClearLine(await run(command, await heldBy(http)), /^tillwatch: the collector .* cannot be reached/);
  });

  it.each([
    [200, 'hello'],
    [502, '<html>'],
    [500, '{}'],
    [200, '7'],
    [404, 'null'],
  ])('where the answer is %i %s', async (status, text) => {
    const http = await serving((response) => void response.writeHead(status).end(text));

    for (const command of COMMANDS)
      expectOneClearLine(
        await run(command, await heldBy(http)),
        new RegExp(`^tillwatch: the collector .* answered ${status} without saying why`),
      );
  });

  it('where the answer is an error that says why', async () => {
    const http = await serving((response) => void response.writeHead(503).end('{"detail":"another import is under way: try again"}'));

    expectOneClearLine(await run('import FOLDER', await heldBy(http)), /^tillwatch: another import is under way: try again$/);
  });

  it.each([
    ['no answer', () => {}],
    ['half an answer', (response: ServerResponse) => void response.writeHead(200).write('{')],
  ])('where there is %s in the time that it has', async (_, answer) => {
    const { root } = await heldBy(await serving(answer));
    const ask = await runningApi(readSettings({ TILLWATCH_DATA_DIR: root }), 50);

    await expect(ask!('POST', '/v1/enrolments', {})).rejects.toMatchObject({
      name: 'CliError',
      message: expect.stringMatching(/^the collector .* has not answered within 0.05 s, and may still do what was asked/),
    });
  });

  it('where its admin token is gone', async () => {
    const paths = await heldBy('http://127.0.0.1:1');
    await rm(paths.adminToken);

    expectOneClearLine(await run('enroll acme/SN000001', paths), /^tillwatch: there is no file .*admin-token$/);
  });

  it('import, where a folder stands in place of a file', async () => {
    const folder = await tempDir();
    await mkdir(join(folder, 'merchants.csv'));

    expectOneClearLine(await cli(['import', folder]), /^tillwatch: .*merchants\.csv is a folder: name a file$/);
  });
});

describe.skipIf(lacks('influxd'))('with an InfluxDB', () => {
  it('a wrong token, organisation or bucket ends the start with 1 and one clear line, and shows no token', async () => {
    const influx = await startInflux();
    onTestFinished(() => influx.stop());
    const right = { INFLUX_URL: influx.url, INFLUX_TOKEN: influx.token, INFLUX_ORG: influx.org, INFLUX_BUCKET: influx.bucket };

    for (const wrong of [{ INFLUX_TOKEN: SECRET }, { INFLUX_ORG: 'nobody' }, { INFLUX_BUCKET: 'none' }]) {
      const said = await cliProcess(['start'], { ...FREE, TILLWATCH_DATA_DIR: await tempDir(), ...right, ...wrong });

      expectOneClearLine(said, /^tillwatch: the store .*INFLUX_/);
      expect(said.said.join('\n')).not.toContain(SECRET);
      expect(said.said.join('\n')).not.toContain(influx.token);
    }
  });

  it('that is away is said and waited for', async () => {
    const start = new Process('start', [], {
      ...FREE,
      TILLWATCH_DATA_DIR: await tempDir(),
      INFLUX_URL: 'http://127.0.0.1:1',
      INFLUX_TOKEN: SECRET,
    });

    await start.ready();

    expect(start.said).toMatch(/the store cannot be reached .*starting all the same, points wait in the log until it is back/);
    expect(await start.end('SIGTERM')).toBe(0);
    expect(start.said).not.toContain(SECRET);
  });
});
