import { readdir, writeFile } from 'node:fs/promises';
import { type AddressInfo, createServer } from 'node:net';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { startInflux } from '../helpers/influx.ts';
import { Process } from '../helpers/installation.ts';
import { lacks } from '../helpers/servers.ts';
import { tempDir } from '../helpers/tempdir.ts';
import { cliProcess, type Said } from './harness.ts';

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
    const said = await cliProcess(['broker'], { ...FREE, TILLWATCH_DATA_DIR: await tempDir(), TILLWATCH_MQTT_LISTEN: '203.0.113.7:1883' });

    expectOneClearLine(said, /^tillwatch: .*cannot be listened on: correct TILLWATCH_MQTT_LISTEN \(203\.0\.113\.7:1883/);
  });

  it.each(['start', 'broker', 'collector', 'enroll acme/SN000001'])('%s, where a file stands in place of the folder', async (command) => {
    const path = join(await tempDir(), 'data');
    await writeFile(path, '');

    expectOneClearLine(
      await cliProcess(command.split(' '), { ...FREE, TILLWATCH_DATA_DIR: path }),
      /^tillwatch: the data folder .* cannot be used .*TILLWATCH_DATA_DIR/,
    );
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
