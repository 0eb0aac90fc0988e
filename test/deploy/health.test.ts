import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { describe, expect, it } from 'vitest';
import { Installation } from '../helpers/installation.ts';
import { service } from './compose.ts';

/** Runs a health check of docker-compose.yml as Docker does, at the port of a process of ours. */
async function check(name: 'broker' | 'collector', port: string): Promise<number | null> {
  const [kind, command, ...args] = service(name).healthcheck!.test;
  expect([kind, command]).toEqual(['CMD', 'node']);
  const [, published] = /:(\d+)$/.exec(service(name).ports![0]!)!;
  expect(args.join(' ')).toContain(published);
  const child = spawn(
    process.execPath,
    args.map((arg) => arg.replace(published!, port)),
    { stdio: 'ignore' },
  );
  await once(child, 'exit');
  return child.exitCode;
}

describe('the health checks of docker-compose.yml', () => {
  it('are well while broker and collector run, and ill when they do not', async () => {
    const installation = await Installation.create();
    const broker = installation.start('broker');
    const collector = installation.start('collector');
    await Promise.all([broker.ready(), collector.ready()]);
    const [mqtt, http] = [String(broker.mqttPort), new URL(collector.url!).port];

    const well = [await check('broker', mqtt), await check('collector', http)];
    const said = broker.said;
    await installation.stopAll();
    const ill = [await check('broker', mqtt), await check('collector', http)];

    expect([well, ill]).toEqual([
      [0, 0],
      [1, 1],
    ]);
    expect(said.trim().split('\n')).toHaveLength(1);
  });
});
