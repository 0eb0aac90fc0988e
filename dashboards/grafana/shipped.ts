/** The built files that come with the product: making them takes the SDK, which only those need who change the dashboards. */
import { existsSync } from 'node:fs';
import { readdir, readFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const FOLDER = join('deploy', 'grafana');

/** Paths within the folder, and what stands there. */
export async function shippedFiles(): Promise<Record<string, string>> {
  const root = shippedFolder(dirname(fileURLToPath(import.meta.url)));
  const entries = await readdir(root, { recursive: true, withFileTypes: true });
  const paths = entries.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name));
  const texts = await Promise.all(paths.sort().map(async (path) => [path.slice(root.length + 1), await readFile(path, 'utf8')] as const));
  return Object.fromEntries(texts);
}

/** Compiled code lies one folder deeper than its source. */
function shippedFolder(from: string): string {
  const folder = join(from, FOLDER);
  if (existsSync(folder)) return folder;
  if (dirname(from) === from) throw new Error(`${FOLDER} is missing from this installation: install it again`);
  return shippedFolder(dirname(from));
}
