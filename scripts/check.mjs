// The gates, one after another; the first that fails ends the run. `npm run check`
import { spawnSync } from 'node:child_process';

const FOLDERS = ['protocol', 'backbone', 'broker', 'watch', 'collector', 'agent', 'simulator', 'dashboards', 'cli'];

function gate(name, command, args, judge = () => null) {
  const run = spawnSync('npx', ['--no-install', command, ...args], { encoding: 'utf8', maxBuffer: 1 << 28 });
  const complaint = run.status === 0 ? judge(run.stdout) : `exit ${run.status ?? run.signal}`;
  if (complaint === null) return console.log(`ok    ${name}`);
  process.stdout.write(run.stdout);
  process.stderr.write(run.stderr);
  console.error(`FAIL  ${name}: ${complaint}`);
  process.exit(1);
}

/** dependency-cruiser says "no violations" of nothing at all, too: count what it saw. */
function sawEveryFolder(stdout) {
  const { modules, summary } = JSON.parse(stdout);
  if (summary.error > 0) return summary.violations.map((v) => `${v.rule.name}: ${v.from} -> ${v.to}`).join('\n');
  const empty = FOLDERS.filter((folder) => !modules.some((m) => m.source.startsWith(`${folder}/`)));
  return empty.length > 0 ? `saw no module in ${empty.join(', ')}` : null;
}

gate('format and lint', 'biome', ['ci', '--error-on-warnings', '.']);
gate('types', 'tsc', ['-p', 'tsconfig.json']);
gate('watch/ compiles without Node types', 'tsc', ['-p', 'tsconfig.pure.json']);
gate('unused code', 'knip', ['--no-progress']);
gate(
  'import rules',
  'depcruise',
  [...FOLDERS, '--config', '.dependency-cruiser.cjs', '--output-type', 'json', '--no-progress'],
  sawEveryFolder,
);
