/**
 * Writes the documents that come from the code. `tsx scripts/generate.ts`; with `--check` it writes nothing, names each stale file on
 * stderr and exits 1 where there is one.
 */
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { fileURLToPath } from 'node:url';
import { grafanaFiles } from '../dashboards/grafana/files.ts';
import { asyncapi } from '../protocol/asyncapi.ts';
import { limitsPage } from './documents/limits.ts';
import { payloadsPage } from './documents/payloads.ts';
import { settingsPage } from './documents/settings.ts';

const FILES: Readonly<Record<string, () => string>> = {
  'docs/asyncapi.json': () => `${JSON.stringify(asyncapi(), null, 2)}\n`,
  ...Object.fromEntries(Object.entries(grafanaFiles()).map(([path, text]) => [`deploy/grafana/${path}`, () => text])),
  'docs/limits.md': limitsPage,
  'docs/payloads.md': payloadsPage,
  'docs/settings.md': settingsPage,
};

function pathOf(name: string): string {
  return fileURLToPath(new URL(`../${name}`, import.meta.url));
}

function written(name: string): string | undefined {
  try {
    return readFileSync(pathOf(name), 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
}

const stale = Object.entries(FILES).flatMap(([name, make]) => {
  const text = make();
  return written(name) === text ? [] : [{ name, text }];
});

if (process.argv.includes('--check')) {
  for (const { name } of stale) console.error(`${name} is stale: run npm run generate`);
  process.exitCode = stale.length > 0 ? 1 : 0;
} else {
  for (const { name, text } of stale) {
    mkdirSync(dirname(pathOf(name)), { recursive: true });
    writeFileSync(pathOf(name), text);
  }
  console.log(stale.length > 0 ? stale.map(({ name }) => `wrote ${name}`).join('\n') : 'everything is current');
}
