/** A network namespace with one link to this machine, to be cut and put back. Needs iproute2 and the right to make one. */
import { type ChildProcess, execFileSync, spawn, spawnSync } from 'node:child_process';
import { onTestFinished } from 'vitest';

export interface Namespace {
  /** This machine's address as seen from inside. */
  host: string;
  run(command: string, args: readonly string[]): ChildProcess;
  /** Nothing gets through any more, and nobody is told. */
  cut(): void;
  mend(): void;
}

/** Whether to skip what needs namespaces, for `describe.skipIf`: says so in one loud line. */
export function lacksNamespaces(): boolean {
  const name = nameOf('try');
  if (spawnSync('ip', ['netns', 'add', name]).status === 0) {
    ip('netns', 'del', name);
    return false;
  }
  process.stderr.write('SKIPPED: these tests make network namespaces, which needs iproute2 and root\n');
  return true;
}

/** `n`: 0–63; two of one test differ by it. */
export function namespace(n: number): Namespace {
  const [name, outer] = [nameOf(`${n}`), `tw${process.pid % 100_000}-${n}`];
  const subnet = `10.213.${(process.pid % 64) * 4 + Math.floor(n / 16)}.${(n % 16) * 4}`;
  const [host, guest] = [1, 2].map((last) => subnet.replace(/\d+$/, (first) => String(Number(first) + last))) as [string, string];
  ip('netns', 'add', name);
  onTestFinished(() => ip('netns', 'del', name));
  ip('link', 'add', outer, 'type', 'veth', 'peer', 'name', 'eth0', 'netns', name);
  ip('addr', 'add', `${host}/30`, 'dev', outer);
  ip('link', 'set', outer, 'up');
  ip('-n', name, 'addr', 'add', `${guest}/30`, 'dev', 'eth0');
  ip('-n', name, 'link', 'set', 'eth0', 'up');
  return {
    host,
    run: (command, args) => spawn('ip', ['netns', 'exec', name, command, ...args], { stdio: ['pipe', 'pipe', 'inherit'] }),
    cut: () => ip('link', 'set', outer, 'down'),
    mend: () => ip('link', 'set', outer, 'up'),
  };
}

function nameOf(what: string): string {
  return `tillwatch-${process.pid}-${what}`;
}

function ip(...args: string[]): void {
  execFileSync('ip', args, { stdio: ['ignore', 'ignore', 'pipe'] });
}
