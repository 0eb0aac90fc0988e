/** Child processes whose CPU time and memory are measured from outside. Linux: /proc. */
import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, openSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';

export interface Child {
  pid: number;
  /** The next line that it prints, as JSON. */
  next<T = Record<string, number>>(): Promise<T>;
  send(line: string): void;
  /** Resolves when it has ended because its input has. */
  finish(): Promise<void>;
  stop(): Promise<void>;
}

/** Starts a TypeScript program of this folder. */
export function startChild(program: string, args: readonly string[], nodeOptions: readonly string[] = []): Child {
  const path = fileURLToPath(new URL(program, import.meta.url));
  const child: ChildProcess = spawn(process.execPath, [...nodeOptions, '--import', 'tsx', path, ...args], {
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  const exited = endWithUs(child);
  const lines = createInterface({ input: child.stdout! })[Symbol.asyncIterator]();
  return {
    pid: child.pid!,
    next: async () => {
      const { value, done } = await lines.next();
      if (done) throw new Error(`${program} ended early`);
      return JSON.parse(value);
    },
    send: (line) => void child.stdin!.write(`${line}\n`),
    finish: async () => {
      child.stdin!.end();
      await exited;
    },
    stop: async () => {
      child.kill('SIGTERM');
      await exited;
    },
  };
}

/** Resolves when it has ended; it does not outlive this process. */
function endWithUs(child: ChildProcess): Promise<unknown> {
  const kill = () => child.kill('SIGKILL');
  process.once('exit', kill);
  return once(child, 'exit').finally(() => process.off('exit', kill));
}

const TICKS_A_SECOND = Number(execFileSync('getconf', ['CLK_TCK'], { encoding: 'utf8' }));
const PAGE_BYTES = Number(execFileSync('getconf', ['PAGESIZE'], { encoding: 'utf8' }));

/** User and system seconds of a process so far, all its threads. */
export function cpuSeconds(pid: number): number {
  const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  return (Number(fields[11]) + Number(fields[12])) / TICKS_A_SECOND;
}

/** Resident memory, bytes. */
export function residentBytes(pid: number): number {
  return Number(readFileSync(`/proc/${pid}/statm`, 'utf8').split(' ')[1]) * PAGE_BYTES;
}

export interface Program {
  name: string;
  command: string;
  args: readonly string[];
  env?: Record<string, string>;
  /** Rejects, or throws, until it can be used. */
  ready(): Promise<void>;
}

const SAMPLE_MS = 200;
const STOP_MS = 20_000;

/** A server under test, over its restarts. One that is killed loses at most a sample's time of CPU. */
export class Server {
  readonly name: string;
  readonly #program: Program;
  readonly #folder: string;
  #child: ChildProcess | undefined;
  #exited: Promise<unknown> = Promise.resolve();
  #pastCpu = 0;
  #cpu = 0;
  #rss = 0;
  #peakRss = 0;
  #timer: NodeJS.Timeout | undefined;

  /** `folder`: where its output goes, in a file of its name. */
  constructor(program: Program, folder: string) {
    this.name = program.name;
    this.#program = program;
    this.#folder = folder;
  }

  /** Resolves when it can be used. */
  async start(): Promise<void> {
    this.launch();
    await this.#program.ready();
  }

  launch(): void {
    const { command, args, env } = this.#program;
    const log = openSync(join(this.#folder, `${this.name}.log`), 'a');
    this.#child = spawn(command, args, { cwd: this.#folder, env: { ...process.env, ...env }, stdio: ['ignore', log, log] });
    closeSync(log);
    this.#exited = endWithUs(this.#child);
    this.#pastCpu += this.#cpu;
    this.#cpu = 0;
    this.#timer = setInterval(() => this.#sample(), SAMPLE_MS);
  }

  get pid(): number {
    return this.#child!.pid!;
  }

  get runs(): boolean {
    return this.#child !== undefined && this.#child.exitCode === null && this.#child.signalCode === null;
  }

  /** CPU-seconds since its first start. */
  get cpu(): number {
    this.#sample();
    return this.#pastCpu + this.#cpu;
  }

  /** Bytes: now, and at most since the last `watchMemory`. */
  get rss(): number {
    this.#sample();
    return this.#rss;
  }

  get peakRss(): number {
    return this.#peakRss;
  }

  watchMemory(): void {
    this.#peakRss = this.rss;
  }

  signal(signal: NodeJS.Signals): void {
    this.#sample();
    this.#child?.kill(signal);
  }

  /** Ends it by a signal, and resolves when it is gone. */
  async end(signal: NodeJS.Signals): Promise<void> {
    if (!this.runs) return;
    this.signal(signal);
    await this.#exited;
    clearInterval(this.#timer);
  }

  async stop(): Promise<void> {
    this.signal('SIGCONT');
    const late = delay(STOP_MS, undefined, { ref: false }).then(() => this.end('SIGKILL'));
    await Promise.race([this.end('SIGTERM'), late]);
  }

  #sample(): void {
    if (!this.runs) return;
    try {
      this.#cpu = cpuSeconds(this.pid);
      this.#rss = residentBytes(this.pid);
    } catch {
      // It has just ended.
    }
    this.#peakRss = Math.max(this.#peakRss, this.#rss);
  }
}
