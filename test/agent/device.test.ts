import { spawn } from 'node:child_process';
import { copyFile, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { build } from 'esbuild';
import { beforeAll, describe, expect, onTestFinished, test } from 'vitest';
import { eventually } from '../helpers/eventually.ts';
import { tempDir } from '../helpers/tempdir.ts';
import { startBroker } from './support/broker.ts';

let source: Uint8Array;

beforeAll(async () => {
  const banner = { js: "import{createRequire as tillwatchRequire}from'node:module';const require=tillwatchRequire(import.meta.url);" };
  const result = await build({
    entryPoints: ['agent/device.ts'],
    bundle: true,
    minify: true,
    platform: 'node',
    format: 'esm',
    target: 'node20',
    write: false,
    banner,
  });
  source = result.outputFiles[0]!.contents;
});

async function startDevice(args: string[], env: Record<string, string>) {
  const dir = await tempDir();
  await writeFile(join(dir, 'agent.mjs'), source);
  const child = spawn(process.execPath, [join(dir, 'agent.mjs'), ...args], { cwd: dir, env });
  onTestFinished(() => void child.kill('SIGKILL'));
  let stderr = '';
  child.stderr.on('data', (chunk) => {
    stderr += chunk;
  });
  const closed = new Promise<{ code: number | null; stderr: string }>((resolve) => {
    child.on('close', (code) => resolve({ code, stderr }));
  });
  return { child, closed, dir };
}

const terminal = (port: number) => ({
  TILLWATCH_AGENT_URL: `mqtt://127.0.0.1:${port}`,
  TILLWATCH_AGENT_ACQUIRER: 'acme',
  TILLWATCH_AGENT_SN: 'SN000001',
  TILLWATCH_AGENT_TOKEN: 'tw1.secret',
});

describe('the bundle for a device', () => {
  test('is one small file that runs alone: a trace is sent whole, and it exits 0', async () => {
    const broker = await startBroker();
    const trace = join(await tempDir(), 'trace.csv');
    await copyFile('test/fixtures/traces/made-up.csv', trace);

    const { closed, dir } = await startDevice(['once'], {
      ...terminal(broker.port),
      TILLWATCH_AGENT_TRACE: trace,
      TILLWATCH_AGENT_SPEED: '0',
    });

    expect((await closed).code).toBe(0);
    expect(broker.arrivals.map((a) => a.channel)).toEqual(['birth', 'state', 'report', 'state']);
    expect((await stat(join(dir, 'tillwatch-outbox'))).mode & 0o777).toBe(0o700);
    expect(source.length).toBeLessThan(210_000);
  });

  test('runs until SIGTERM, says goodbye, and exits 0', async () => {
    const broker = await startBroker();
    const { child, closed } = await startDevice([], terminal(broker.port));
    await eventually(() => expect(broker.on('report').length).toBe(1));

    child.kill('SIGTERM');

    expect((await closed).code).toBe(0);
    expect(broker.on('state').at(-1)!.message.body).toMatchObject({ state: 'goodbye' });
  });

  test('names every wrong setting and exits 1', async () => {
    const { code, stderr } = await (await startDevice(['once'], { TILLWATCH_AGENT_URL: 'nonsense' })).closed;

    expect(code).toBe(1);
    expect(stderr.trimEnd().split('\n').length).toBe(4);
  });

  test('knows two commands, and exits 2 on another', async () => {
    const { code, stderr } = await (await startDevice(['dance'], {})).closed;

    expect([code, stderr]).toEqual([2, 'there is no command dance: use run or once\n']);
  });

  test('exits 1 with one line where its token is refused', async () => {
    const broker = await startBroker();
    broker.control.refuseWith = 4;

    const { code, stderr } = await (await startDevice(['once'], terminal(broker.port))).closed;

    expect(code).toBe(1);
    expect(stderr.split('\n').filter((l) => l.startsWith('the broker refuses'))).toHaveLength(1);
    expect(stderr).not.toContain('secret');
  });
});
