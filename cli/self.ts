import { existsSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

/** How to type this program again: npm and npx, which run it from a checkout, put it on no PATH. */
export function ownName(env: Record<string, string | undefined>): string {
  return env.npm_execpath ? 'npx tillwatch' : 'tillwatch';
}

/** As package.json has it. */
export function ownVersion(): string {
  // Compiled code lies one folder deeper than its source.
  const path = ['../package.json', '../../package.json'].map((name) => fileURLToPath(new URL(name, import.meta.url))).find(existsSync);
  if (path === undefined) throw new Error('package.json is missing from this installation: install it again');
  return (JSON.parse(readFileSync(path, 'utf8')) as { version: string }).version;
}
