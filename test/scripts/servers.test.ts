import { spawnSync } from 'node:child_process';
import { expect, it } from 'vitest';

function servers(...args: string[]) {
  const { status, stdout, stderr } = spawnSync(process.execPath, ['scripts/servers.mjs', ...args], { encoding: 'utf8' });
  return { status, stdout, stderr };
}

it('npm run servers tells how it is used, exit 0', () => {
  expect(servers('--help')).toEqual({ status: 0, stdout: expect.stringMatching(/^Usage: npm run servers.*--local/s), stderr: '' });
});

it.each(['--locale', 'influxd'])('npm run servers refuses %s with what can be given, exit 2', (argument) => {
  const { status, stdout, stderr } = servers(argument);

  expect([status, stdout]).toEqual([2, '']);
  expect(stderr).toContain(argument);
  expect(stderr).toMatch(/^Usage: npm run servers/m);
  expect(stderr).not.toMatch(/^\s+at /m);
});
