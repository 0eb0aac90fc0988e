/**
 * Installs and builds what is missing or out of date. On a fresh clone there is nothing but Node, so this uses its built-ins alone.
 * npm runs no `pre…` scripts here (.npmrc has ignore-scripts), so what needs a build calls this.
 */
import { spawnSync } from 'node:child_process';
import { existsSync, readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

export const ROOT = fileURLToPath(new URL('..', import.meta.url));
export const MAIN = join(ROOT, 'dist/cli/main.js');
const AGENT = join(ROOT, 'dist/agent/tillwatch-agent.mjs');
const INSTALLED = join(ROOT, 'node_modules/.package-lock.json');
const FOLDERS = ['protocol', 'backbone', 'broker', 'watch', 'collector', 'agent', 'simulator', 'dashboards', 'cli'];
const SOURCES = [...FOLDERS, 'tsconfig.json', 'tsconfig.build.json', 'package.json', 'scripts/bundle-agent.mjs'];

/** Epoch milliseconds; 0 where there is no such file. */
const changedAt = (path) => (existsSync(path) ? statSync(path).mtimeMs : 0);

/** A folder's own time tells of files that were removed. */
function newestUnder(path) {
  if (!existsSync(path) || !statSync(path).isDirectory()) return changedAt(path);
  return Math.max(changedAt(path), ...readdirSync(path).map((name) => newestUnder(join(path, name))));
}

/** npm writes its own lock file last, so an install that was cut off is made again. */
const isInstalled = () => changedAt(INSTALLED) > 0 && changedAt(INSTALLED) >= changedAt(join(ROOT, 'package-lock.json'));

/** The bundle is the last step of the build: what was cut off before it is made again. */
const isBuilt = () => {
  const newestSource = Math.max(changedAt(INSTALLED), ...SOURCES.map((name) => newestUnder(join(ROOT, name))));
  return [MAIN, AGENT].every((output) => changedAt(output) > newestSource);
};

function step(why, args) {
  console.error(`tillwatch: ${why}: npm ${args.join(' ')}`);
  // What npm prints is progress and no data: it goes to stderr.
  const { status } = spawnSync('npm', args, { cwd: ROOT, stdio: ['ignore', 2, 2] });
  if (status === 0) return;
  console.error(`tillwatch: npm ${args.join(' ')} failed: its own lines above say why`);
  process.exit(1);
}

/** Ends the process with 1 where a step fails. */
export function prepare() {
  if (!isInstalled()) step('installing its dependencies', ['ci', '--ignore-scripts']);
  if (!isBuilt()) step('building', ['run', 'build']);
}
