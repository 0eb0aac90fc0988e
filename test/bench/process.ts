/** Child processes whose CPU time is measured from outside. Linux: /proc. */
import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';

export interface Child {
  pid: number;
  /** The next line that it prints, as JSON. */
  next(): Promise<Record<string, number>>;
  send(line: string): void;
  stop(): Promise<void>;
}

/** Starts a TypeScript program of this folder. */
export function startChild(program: string, args: readonly string[], nodeOptions: readonly string[] = []): Child {
  const path = fileURLToPath(new URL(program, import.meta.url));
  const child: ChildProcess = spawn(process.execPath, [...nodeOptions, '--import', 'tsx', path, ...args], {
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  const lines = createInterface({ input: child.stdout! })[Symbol.asyncIterator]();
  return {
    pid: child.pid!,
    next: async () => {
      const { value, done } = await lines.next();
      if (done) throw new Error(`${program} ended early`);
      return JSON.parse(value);
    },
    send: (line) => void child.stdin!.write(`${line}\n`),
    stop: async () => {
      if (child.exitCode !== null) return;
      const exited = once(child, 'exit');
      child.kill('SIGTERM');
      await exited;
    },
  };
}

const TICKS_A_SECOND = Number(execFileSync('getconf', ['CLK_TCK'], { encoding: 'utf8' }));

/** User and system seconds of a process so far, all its threads. */
export function cpuSeconds(pid: number): number {
  const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  return (Number(fields[11]) + Number(fields[12])) / TICKS_A_SECOND;
}
