/** A data folder, and the real processes that run over it: started as users start them, killed by their pids. */
import { type ChildProcess, spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { loadOrCreateKeys } from '../../backbone/credentials/keys.ts';
import { issueToken } from '../../backbone/credentials/tokens.ts';
import { type Layout, prepareDataDir } from '../../backbone/layout.ts';
import { DurableFile } from '../../backbone/segments/durable.ts';
import type { Alert } from '../../protocol/alerts.ts';
import { eventually } from './eventually.ts';
import { onTestFinished } from './side-by-side.ts';
import { tempDir } from './tempdir.ts';

const MAIN = fileURLToPath(new URL('../../dist/cli/main.js', import.meta.url));
const YEAR_MS = 365 * 86_400_000;
const READY_WITHIN_MS = 20_000;

export type Command = 'start' | 'broker' | 'collector';
type Env = Record<string, string>;

/** One process, from its start to its end. */
export class Process {
  readonly command: string;
  readonly #child: ChildProcess;
  readonly #exited: Promise<unknown>;
  #said = '';
  #ending = false;

  constructor(command: string, args: readonly string[], env: Env) {
    this.command = command;
    this.#child = spawn(process.execPath, [MAIN, command, ...args], { env: { PATH: process.env.PATH, ...env }, stdio: 'pipe' });
    this.#exited = once(this.#child, 'exit');
    for (const stream of [this.#child.stdout, this.#child.stderr]) stream?.on('data', (chunk: Buffer) => this.#hear(chunk));
    onTestFinished(async () => void (await this.end('SIGKILL')));
  }

  get said(): string {
    return this.#said;
  }

  get pid(): number {
    return this.#child.pid!;
  }

  get runs(): boolean {
    return this.#child.exitCode === null && this.#child.signalCode === null;
  }

  /** Why it is gone though nobody ended it. */
  get failure(): string | undefined {
    if (this.runs || this.#ending) return undefined;
    return `${this.command} ended by itself, exit ${this.#child.exitCode ?? this.#child.signalCode}: ${this.#said}`;
  }

  get mqttPort(): number | undefined {
    const port = /^broker: mqtt:\/\/(?:127|0)\.0\.0\.[01]:(\d+)$/m.exec(this.#said)?.[1];
    return port === undefined || !this.runs ? undefined : Number(port);
  }

  get url(): string | undefined {
    return this.runs ? /^collector: (http:\/\/127\.0\.0\.1:\d+),/m.exec(this.#said)?.[1] : undefined;
  }

  get isReady(): boolean {
    return (this.command === 'collector' || this.mqttPort !== undefined) && (this.command === 'broker' || this.url !== undefined);
  }

  ready(): Promise<void> {
    return eventually(
      () => {
        if (!this.isReady) throw new Error(`${this.command} is not ready: ${this.#said}`);
      },
      { within: READY_WITHIN_MS },
    );
  }

  /** Its exit code; null after a signal that it did not take. */
  async end(signal: NodeJS.Signals): Promise<number | null> {
    if (this.runs) {
      this.#ending = true;
      this.#child.kill(signal);
      await this.#exited;
    }
    return this.#child.exitCode;
  }

  /** Stands still until `resume`, as in a machine that is suspended. */
  pause(): void {
    this.#child.kill('SIGSTOP');
  }

  resume(): void {
    this.#child.kill('SIGCONT');
  }

  async exit(): Promise<number | null> {
    this.#ending = true;
    await this.#exited;
    return this.#child.exitCode;
  }

  #hear(chunk: Buffer): void {
    this.#said += chunk.toString();
  }
}

export class Installation {
  readonly paths: Layout;
  readonly #env: Env;
  readonly #key: Parameters<typeof issueToken>[0];
  readonly #durable: DurableFile;
  readonly #tokens = new Map<string, string>();
  readonly #processes: Process[] = [];

  private constructor(paths: Layout, key: Parameters<typeof issueToken>[0], env: Env) {
    this.paths = paths;
    this.#key = key;
    this.#env = env;
    this.#durable = new DurableFile(paths.brokersLog);
    onTestFinished(() => this.#durable.close());
  }

  /** `env`: settings beyond those that every installation of these tests has; `root`: the data folder, by default a new one. */
  static async create(env: Env = {}, root?: string): Promise<Installation> {
    if (!existsSync(MAIN)) throw new Error('there is no build to start: npm run build');
    const paths = await prepareDataDir(root ?? (await tempDir()));
    const [key] = await loadOrCreateKeys(paths.keys, randomBytes, Date.now);
    const own = { TILLWATCH_MQTT_LISTEN: '127.0.0.1:0', TILLWATCH_HTTP_LISTEN: '127.0.0.1:0', TILLWATCH_NODE: 'node-1' };
    return new Installation(paths, key, { ...own, TILLWATCH_DATA_DIR: paths.root, ...env });
  }

  start(command: Command, env: Env = {}, args: readonly string[] = []): Process {
    const started = new Process(command, args, { ...this.#env, ...env });
    this.#processes.push(started);
    return started;
  }

  /** Runs a command to its end. */
  async run(command: 'import', args: readonly string[]): Promise<{ exitCode: number | null; said: string }> {
    const run = new Process(command, args, this.#env);
    return { exitCode: await run.exit(), said: run.said };
  }

  /** Where terminals find the broker now. */
  readonly mqttPort = (): number | undefined => this.#processes.findLast((one) => one.mqttPort !== undefined)?.mqttPort;

  /** The last batch of the brokers' log that is durable at this moment. */
  readonly durable = (): number => this.#durable.read().batch;

  readonly token = (user: string): string => {
    const known = this.#tokens.get(user);
    if (known) return known;
    const now = Date.now();
    const token = issueToken(this.#key, user, { now, expiresAt: now + YEAR_MS });
    this.#tokens.set(user, token);
    return token;
  };

  /** What ended without being told to, and why. */
  get failures(): string[] {
    return this.#processes.flatMap(({ failure }) => (failure === undefined ? [] : [failure]));
  }

  /** Stops what runs, as an operator does; the exit codes. */
  async stopAll(): Promise<(number | null)[]> {
    const codes: (number | null)[] = [];
    for (const one of this.#processes.toReversed()) if (one.runs) codes.push(await one.end('SIGTERM'));
    return codes;
  }

  get url(): string | undefined {
    return this.#processes.findLast((one) => one.url !== undefined)?.url;
  }

  /** Errors: throws where no collector answers, or where it answers with an error. */
  async api<T>(path: string, body?: unknown): Promise<T> {
    if (this.url === undefined) throw new Error('no collector is up');
    const authorization = `Bearer ${(await readFile(this.paths.adminToken, 'utf8')).trim()}`;
    const post = { method: 'POST', body: JSON.stringify(body) };
    const headers = { authorization, 'content-type': 'application/json' };
    const answer = await fetch(this.url + path, { headers, ...(body === undefined ? {} : post) });
    if (!answer.ok) throw new Error(`${path} answered ${answer.status}: ${await answer.text()}`);
    return (await answer.json()) as T;
  }

  /** All alerts that the API lists. */
  async alerts(): Promise<Alert[]> {
    const alerts: Alert[] = [];
    for (let cursor: string | null = ''; cursor !== null; ) {
      const page: { items: Alert[]; next: string | null } = await this.api(`/v1/alerts?limit=500${cursor && `&cursor=${cursor}`}`);
      alerts.push(...page.items);
      cursor = page.next;
    }
    return alerts;
  }

  /**
   * Resolves when everything in the brokers' log up to now is in the store. What the watch said of it a while before is there, too; what it
   * said last may be with its next save.
   */
  async settled(withinMs: number): Promise<void> {
    await this.#fed(withinMs);
    // What the watch said meanwhile follows with the next heartbeat.
    await this.#fed(withinMs);
  }

  /** By the log's time, which the heartbeats move: what the feed has saved says the same seconds later. */
  async #fed(withinMs: number): Promise<void> {
    const target = this.durable();
    const said = () => this.failures.join('\n');
    const passedAt = await eventually(
      async () => {
        const { watched, watchedAt } = await this.#progress();
        if (!(watched > target)) throw new Error(`the watch has come to batch ${watched} of ${target}: ${said()}`);
        return watchedAt;
      },
      { within: withinMs, every: 50 },
    );
    await eventually(
      async () => {
        const { fedAt } = await this.#progress();
        // Of the same time there may be more.
        if (!(fedAt > passedAt)) throw new Error(`the feed has come to ${fedAt}, and batch ${target} is of ${passedAt}: ${said()}`);
      },
      { within: withinMs, every: 50 },
    );
  }

  /** The batch that the watch reads next, its time, and the time up to which all is in the store (NaN: nothing yet). */
  async #progress(): Promise<{ watched: number; watchedAt: number; fedAt: number }> {
    const end = this.durable();
    const page = await (await fetch(`${this.url}/metrics`)).text();
    const metric = (name: string) => Number(new RegExp(`^tillwatch_${name} (\\S+)$`, 'm').exec(page)?.[1]);
    const watchedAt = Math.round(1000 * metric('watch_time_seconds'));
    const fedAt = watchedAt - Math.round(1000 * metric('feed_lag_seconds'));
    return { watched: end + 1 - metric('watch_lag_batches'), watchedAt, fedAt };
  }
}
