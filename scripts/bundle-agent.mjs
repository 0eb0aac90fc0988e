// Bundles the agent into one file for a device, and refuses to let anything of the server side come along.
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { gzipSync } from 'node:zlib';
import { build } from 'esbuild';

const ROOT = fileURLToPath(new URL('..', import.meta.url));
const OUTFILE = 'dist/agent/tillwatch-agent.mjs';
const FOLDERS = ['agent/', 'protocol/'];
const PACKAGES = withWhatTheyNeed(['mqtt-packet', 'zod']);

function withWhatTheyNeed(names, seen = new Set()) {
  for (const name of names) {
    const manifest = join(ROOT, 'node_modules', name, 'package.json');
    if (seen.has(name) || !existsSync(manifest)) continue;
    seen.add(name);
    withWhatTheyNeed(Object.keys(JSON.parse(readFileSync(manifest, 'utf8')).dependencies ?? {}), seen);
  }
  return seen;
}

function mayComeAlong(path) {
  const inPackage = path.lastIndexOf('node_modules/');
  if (inPackage < 0) return FOLDERS.some((folder) => path.startsWith(folder));
  const [scope, name] = path.slice(inPackage + 'node_modules/'.length).split('/');
  return PACKAGES.has(scope.startsWith('@') ? `${scope}/${name}` : scope);
}

const result = await build({
  absWorkingDir: ROOT,
  entryPoints: ['agent/device.ts'],
  outfile: OUTFILE,
  bundle: true,
  minify: true,
  platform: 'node',
  target: 'node20',
  format: 'esm',
  metafile: true,
  write: false,
  logLevel: 'warning',
  // `debug` tries it for colours, and does without.
  external: ['supports-color'],
  // mqtt-packet reads a list of buffers and no stream: Node's own serves what that list is made of, at half the size.
  alias: { 'readable-stream': 'node:stream' },
  // mqtt-packet is CommonJS: an ES module has no `require` of its own for Node's modules.
  banner: { js: "import{createRequire as tillwatchRequire}from'node:module';const require=tillwatchRequire(import.meta.url);" },
});

const strangers = Object.keys(result.metafile.inputs).filter((path) => !mayComeAlong(path));
if (strangers.length > 0) {
  console.error(
    `the agent's bundle may hold ${FOLDERS.join(', ')} and ${[...PACKAGES].join(', ')} alone, but took in:\n  ${strangers.join('\n  ')}`,
  );
  process.exit(1);
}
const bytes = result.outputFiles[0].contents;
mkdirSync(dirname(join(ROOT, OUTFILE)), { recursive: true });
writeFileSync(join(ROOT, OUTFILE), bytes, { mode: 0o755 });
console.log(`${OUTFILE}: ${(bytes.length / 1000).toFixed(1)} kB, ${(gzipSync(bytes).length / 1000).toFixed(1)} kB gzipped`);
