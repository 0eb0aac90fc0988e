import { writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { expect, onTestFinished, test } from 'vitest';
import { takeLock } from '../../backbone/lock.ts';
import { eventually } from '../helpers/eventually.ts';
import { Installation } from '../helpers/installation.ts';
import { tempDir } from '../helpers/tempdir.ts';
import { seeds } from './form.ts';
import { between, seeded } from './random.ts';
import { terminalsCsv } from './registry.ts';

const TEST_MS = 60_000;

test.each(seeds(8_000))(
  'a first start that is killed at any moment leaves a folder that starts, with a token that works (seed %i)',
  { timeout: TEST_MS },
  async (seed) => {
    const random = seeded(seed);
    const installation = await Installation.create();
    for (let kill = 0; kill < 3; kill++) {
      const start = installation.start('start');
      await delay(between(random, 200, 1_500));
      await start.end('SIGKILL');
    }

    await installation.start('start').ready();

    // That the broker was away for a while is one, on a slow machine.
    expect((await installation.alerts()).filter(({ type }) => type !== 'platform.blind')).toEqual([]);
    expect(installation.failures).toEqual([]);
    expect(await installation.stopAll()).toEqual([0]);
  },
);

test('a command never talks to the address of a collector that was killed: another program may listen there', {
  timeout: TEST_MS,
}, async () => {
  const installation = await Installation.create();
  const killed = installation.start('collector');
  await killed.ready();
  const { port } = new URL(killed.url!);
  await killed.end('SIGKILL');
  const heard = await listenOn(Number(port));
  const { name, text } = terminalsCsv(['acme,m-1,SN0001']);
  const path = join(await tempDir(), name);
  await writeFile(path, text);

  const lock = await takeLock(installation.paths.lock);

  const starting = await installation.run('import', [path]);
  await lock.release();
  await installation.start('collector').ready();
  const started = await installation.run('import', [path]);

  expect(heard).toEqual([]);
  expect(starting).toEqual({ exitCode: 1, said: expect.stringContaining('just starting or stopping: try again') });
  expect(started).toEqual({ exitCode: 0, said: 'terminals: 1 row\n' });
});

/** What comes in at this port: the authorization of each request. */
async function listenOn(port: number): Promise<string[]> {
  const heard: string[] = [];
  const server = createServer((request, response) => {
    heard.push(request.headers.authorization ?? '');
    response.end('{}');
  });
  await eventually(() => new Promise<void>((resolve, reject) => server.once('error', reject).listen(port, '127.0.0.1', resolve)));
  onTestFinished(() => new Promise<void>((resolve) => server.close(() => resolve())));
  return heard;
}
