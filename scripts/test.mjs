/**
 * Builds, sees to the real servers, then runs the tests against them. `npm test [-- what vitest takes]`
 * TILLWATCH_TEST_REPORT: a file for the results as JSON, for .ci/run (npm cit passes no arguments on).
 */
import { spawn, spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { prepare, ROOT } from './prepare.mjs';

const VARIABLES = {
  influxd: 'INFLUXD',
  'nats-server': 'NATS_SERVER',
  mosquitto_pub: 'MOSQUITTO_PUB',
  faketime: 'FAKETIME_PROGRAM',
  'standardwebhooks-python': 'STANDARDWEBHOOKS_PYTHON',
};

/** The environment with the servers' paths. */
function withServers() {
  const script = join(ROOT, 'scripts/servers.mjs');
  const run = spawnSync(process.execPath, [script, '--json'], { encoding: 'utf8', stdio: ['ignore', 'pipe', 'inherit'] });
  if (run.status !== 0) {
    console.error('servers that the tests need are missing, and under CI=true nothing may be skipped');
    process.exit(1);
  }
  const found = Object.entries(JSON.parse(run.stdout)).filter(([, path]) => path !== null);
  return { ...process.env, ...Object.fromEntries(found.map(([name, path]) => [VARIABLES[name], path])) };
}

prepare();
const env = withServers();
const report = process.env.TILLWATCH_TEST_REPORT;
const reporters = report ? ['--reporter=default', '--reporter=json', `--outputFile.json=${report}`] : [];
const args = [join(ROOT, 'node_modules/vitest/vitest.mjs'), 'run', ...reporters, ...process.argv.slice(2)];
const child = spawn(process.execPath, args, { cwd: ROOT, env, stdio: 'inherit' });
process.on('SIGINT', () => process.stdin.isTTY || child.kill('SIGINT'));
process.on('SIGTERM', () => child.kill('SIGTERM'));
child.once('exit', (code) => {
  process.exitCode = code ?? 1;
});
