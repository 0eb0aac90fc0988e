/** The ways to get a server that this machine does not have. Each answers whether it did, and never leaves half a file. */
import { spawn } from 'node:child_process';
import { appendFileSync, chmodSync, copyFileSync, existsSync, mkdtempSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const LINE_EVERY_MS = 60_000;
const MODULES = dirname(fileURLToPath(import.meta.url));

const say = (line) => process.stderr.write(`${line}\n`);

/** Runs a command with its output kept aside; true where it exits with 0. Tells every minute, or each second on a terminal, that it runs. */
function run(label, log, command, args, options = {}) {
  const start = performance.now();
  const seconds = () => Math.round((performance.now() - start) / 1000);
  const onTerminal = process.stderr.isTTY;
  const tell = () => (onTerminal ? process.stderr.write(`\r${label}: ${seconds()} s `) : say(`${label}: ${seconds()} s`));
  const timer = setInterval(tell, onTerminal ? 1000 : LINE_EVERY_MS);
  appendFileSync(log, `$ ${command} ${args.join(' ')}\n`);
  return new Promise((resolve) => {
    const child = spawn(command, args, { ...options, stdio: ['ignore', 'pipe', 'pipe'] });
    const keep = (chunk) => appendFileSync(log, chunk);
    child.stdout.on('data', keep);
    child.stderr.on('data', keep);
    child.once('error', () => resolve(false));
    child.once('close', (code) => resolve(code === 0));
  }).finally(() => {
    clearInterval(timer);
    if (onTerminal) process.stderr.write('\r\x1b[K');
  });
}

/** Works in a folder beside the target, so that two runs at once do not meet and the last step is one rename. */
async function inAFolderBeside(target, runs, make) {
  const folder = mkdtempSync(`${target}.`);
  const log = join(folder, 'log');
  writeFileSync(log, '');
  try {
    const made = join(folder, 'made');
    const done = await make({ folder, log, made });
    if (!done) return false;
    if (existsSync(made)) chmodSync(made, 0o755);
    if (!runs(made)) return false;
    renameSync(made, target);
    return true;
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

const lastLines = (log) => readFileSync(log, 'utf8').trimEnd().split('\n').slice(-8).join('\n');

/** Installs a Debian package, where we may. */
export async function fromAPackage(name) {
  if (process.getuid?.() !== 0 || !existsSync('/usr/bin/apt-get')) return false;
  const folder = mkdtempSync('/tmp/tillwatch-apt-');
  const log = join(folder, 'log');
  const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive' };
  const apt = (...args) => run(`apt-get ${args.join(' ')}`, log, 'apt-get', ['-o', 'DPkg::Lock::Timeout=120', ...args], { env });
  try {
    const installed = (await apt('install', '-y', name)) || ((await apt('update')) && (await apt('install', '-y', name)));
    if (!installed) say(lastLines(log));
    return installed;
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** Copies the program out of the server's own image, where a Docker engine runs and this machine can run what is in it. */
export function fromAnImage({ name, image }, target, runs) {
  return inAFolderBeside(target, runs, async ({ log, made }) => {
    const docker = (...args) => run(`${name} from ${image.reference}`, log, 'docker', args);
    if (!(await docker('info'))) return false;
    const container = `tillwatch-${name}-${process.pid}`;
    if (!(await docker('create', '--name', container, image.reference))) {
      say(`${name}: no image ${image.reference}:\n${lastLines(log)}`);
      return false;
    }
    const copied = await docker('cp', '--follow-link', `${container}:${image.path}`, made);
    await docker('rm', container);
    return copied;
  });
}

/** Builds it with Go from the module of its name in this folder, whose go.sum pins every byte of source. */
export function fromASourceBuild({ name, version, build }, target, runs) {
  return inAFolderBeside(target, runs, async ({ folder, log, made }) => {
    const env = { RUSTUP_TOOLCHAIN: 'stable', ...process.env, GOFLAGS: '-mod=readonly' };
    const go = (args, extra = {}) =>
      run(`building ${name} ${version}`, log, 'go', args, { cwd: join(MODULES, name), env: { ...env, ...extra } });
    if (!(await go(['version']))) return false;
    say(`building ${name} ${version}: this happens once, and may take some minutes`);
    const ready = build.pkgConfig === undefined || (await go(['install', build.pkgConfig], { GOBIN: folder }));
    const pkgConfig = build.pkgConfig === undefined ? {} : { PKG_CONFIG: join(folder, 'pkg-config') };
    const built = ready && (await go(['build', ...build.arguments, '-o', made, build.package], pkgConfig));
    if (!built) say(`${name} could not be built:\n${lastLines(log)}`);
    return built;
  });
}

/**
 * Packs Python packages into one program that runs others with them: those that the folder of its name pins by their hashes. pip puts
 * them into a folder of ours, which Debian's "externally managed" Python allows, and only wheels, so no code of theirs runs for it.
 */
export function fromPyPI({ name, version }, target, runs) {
  return inAFolderBeside(target, runs, async ({ folder, log, made }) => {
    const python = (...args) => run(`${name} ${version}`, log, 'python3', args);
    const hasPip = () => python('-m', 'pip', '--version');
    if (!(await hasPip()) && !((await fromAPackage('python3-pip')) && (await hasPip()))) return false;
    const packed = join(folder, 'packed');
    const wheels = ['--no-deps', '--only-binary', ':all:', '--require-hashes', '-r', join(MODULES, name, 'requirements.txt')];
    const installed = await python('-m', 'pip', 'install', '--no-compile', '--target', packed, ...wheels);
    if (installed) copyFileSync(join(MODULES, name, '__main__.py'), join(packed, '__main__.py'));
    const done = installed && (await python('-m', 'zipapp', packed, '--python', '/usr/bin/env python3', '--output', made));
    if (!done) say(`${name} could not be installed:\n${lastLines(log)}`);
    return done;
  });
}
