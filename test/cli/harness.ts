/** Command lines: in this process with what they say kept, or as processes where a process matters. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { Readable } from 'node:stream';
import { fileURLToPath } from 'node:url';
import { readSettings } from '../../cli/config.ts';
import { runCli } from '../../cli/run.ts';

const MAIN = fileURLToPath(new URL('../../dist/cli/main.js', import.meta.url));

export interface Said {
  code: number | null;
  out: string[];
  said: string[];
}

type Env = Record<string, string>;

/** Runs a command line in this process. */
export async function cli(args: readonly string[], { env = {}, stdin = '' }: { env?: Env; stdin?: string } = {}): Promise<Said> {
  const out: string[] = [];
  const said: string[] = [];
  const code = await runCli(args, {
    out: (line) => void out.push(line),
    pour: async (lines) => void out.push(...lines),
    say: (line) => void said.push(line),
    stdin: Readable.from([stdin]),
    env,
  });
  return { code, out, said };
}

/** Runs a command line as a process of its own, to its end; `code` null after a signal. */
export async function cliProcess(args: readonly string[], env: Env = {}, stdin = ''): Promise<Said> {
  const child = spawn(process.execPath, [MAIN, ...args], { env: { PATH: process.env.PATH, ...env }, stdio: 'pipe' });
  let out = '';
  let said = '';
  child.stdout.on('data', (chunk: Buffer) => {
    out += chunk.toString();
  });
  child.stderr.on('data', (chunk: Buffer) => {
    said += chunk.toString();
  });
  child.stdin.on('error', () => {});
  child.stdin.end(stdin);
  await once(child, 'close');
  return { code: child.exitCode, out: linesOf(out), said: linesOf(said) };
}

/** Runs a line of the shell in which `tillwatch` is our command; its status and all that it printed. */
export async function shell(line: string, env: Env = {}): Promise<{ code: number | null; printed: string }> {
  const child = spawn('bash', ['-c', `set -o pipefail; tillwatch() { '${process.execPath}' '${MAIN}' "$@"; }; ${line}`], {
    env: { PATH: process.env.PATH, ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let printed = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream.on('data', (chunk: Buffer) => {
      printed += chunk.toString();
    });
  }
  await once(child, 'close');
  return { code: child.exitCode, printed };
}

function linesOf(text: string): string[] {
  return text === '' ? [] : text.trimEnd().split('\n');
}

/** What is wrong with settings, a line each. Errors: throws where nothing is. */
export function problemsOf(env: Env): string[] {
  try {
    readSettings(env);
  } catch (error) {
    return (error as Error).message.split('\n');
  }
  throw new Error('these settings were taken');
}
