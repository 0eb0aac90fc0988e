/** An installation without its processes: real logs in a folder, a state, a clock moved by hand, and lives that can end at any step. */
import { join } from 'node:path';
import { onTestFinished } from 'vitest';
import type { LogReader, LogWriter } from '../../../backbone/log.ts';
import { openMemoryState } from '../../../backbone/memory.ts';
import { openSegmentReader } from '../../../backbone/segments/reader.ts';
import { openSegmentWriter } from '../../../backbone/segments/writer.ts';
import type { Change, StateStore } from '../../../backbone/state.ts';
import { Follower } from '../../../collector/log/follower.ts';
import { START as LOG_START } from '../../../collector/log/position.ts';
import { type OutboxRow, outboxAfter } from '../../../collector/owner/outbox.ts';
import { COMMAND_LOG } from '../../../collector/owner/outputs.ts';
import { type Clock, Owner, type OwnerDeps } from '../../../collector/owner/owner.ts';
import { Patience } from '../../../collector/patience.ts';
import { fromBytes } from '../../../collector/rows.ts';
import type { Transition } from '../../../protocol/alerts.ts';
import type { OwnerEntry } from '../../../protocol/entries.ts';
import { type BrokerRecord, encodeRecord } from '../../../protocol/record.ts';
import { checkRow, type Table } from '../../../protocol/registry.ts';
import type { UpChannel } from '../../../protocol/topics.ts';
import type { CommandRecord } from '../../../watch/fleet/commands.ts';
import { Watch } from '../../../watch/fold/watch.ts';
import { eventually } from '../../helpers/eventually.ts';
import { tempDir } from '../../helpers/tempdir.ts';

export const T = 1_763_798_400_000;
const SEGMENT_BYTES = 256 * 1024;

/** Time that moves by hand. Wall clock and monotonic clock are apart, as they are where one of them steps. */
export class HandClock implements Clock {
  wall = T;
  mono = 0;
  #sleepers = new Set<{ until: number; wake(): void }>();

  now = () => this.wall;
  monotonic = () => this.mono;

  async sleep(ms: number, signal: AbortSignal): Promise<void> {
    if (ms === 0) return;
    await new Promise<void>((resolve) => {
      const stop = () => {
        this.#sleepers.delete(sleeper);
        signal.removeEventListener('abort', stop);
        resolve();
      };
      const sleeper = { until: this.mono + ms, wake: stop };
      this.#sleepers.add(sleeper);
      if (signal.aborted) stop();
      else signal.addEventListener('abort', stop, { once: true });
    });
  }

  get sleeping(): number {
    return this.#sleepers.size;
  }

  pass(ms: number): void {
    this.wall += ms;
    this.mono += ms;
    for (const sleeper of [...this.#sleepers]) {
      if (sleeper.until > this.mono) continue;
      this.#sleepers.delete(sleeper);
      sleeper.wake();
    }
  }
}

/** A process's life: at step `n` of what it writes it ends, before or after the write, and nothing that it does then counts. */
export class Life {
  #left: number;
  #after: boolean;
  #end!: () => void;
  readonly ended = new Promise<void>((resolve) => {
    this.#end = resolve;
  });
  dead = false;

  constructor(steps = Number.POSITIVE_INFINITY, after = false) {
    this.#left = steps;
    this.#after = after;
  }

  /** It ends at this step from now on. */
  endAt(steps: number, after = false): void {
    this.#left = steps;
    this.#after = after;
  }

  end(): void {
    this.dead = true;
    this.#end();
  }

  /** Does a write, unless this life has ended; one that ends it never answers. */
  async step<R>(write: () => Promise<R>): Promise<R> {
    await new Promise((resolve) => setImmediate(resolve));
    if (this.dead) return new Promise(() => {});
    if (--this.#left > 0) {
      const done = await write();
      return this.dead ? new Promise(() => {}) : done;
    }
    if (this.#after) await write();
    this.end();
    return new Promise(() => {});
  }

  writer(writer: LogWriter): LogWriter {
    const { stats } = writer;
    return {
      append: (records) => this.step(() => writer.append(records)),
      add: writer.add.bind(writer),
      close: () => writer.close(),
      stats,
    };
  }

  state(state: StateStore): StateStore {
    return {
      rows: (table, range) => state.rows(table, range),
      get: (table, key) => state.get(table, key),
      stage: (changes) => this.step(() => state.stage(changes)),
      commit: (changes) => this.step(() => state.commit(changes)),
      close: () => state.close(),
    };
  }
}

/** A state that outlives its process, as on a disk: what a life had staged and not committed is gone with it. */
export class LastingState implements StateStore {
  readonly #state: StateStore;
  #staged: Change[] = [];

  constructor(state: StateStore) {
    this.#state = state;
  }

  rows = (table: string, range?: { after: string }) => this.#state.rows(table, range);
  get = (table: string, key: string) => this.#state.get(table, key);
  stage = async (changes: readonly Change[]) => void this.#staged.push(...changes);
  commit = (changes: readonly Change[]) => this.#state.commit([...this.#staged.splice(0), ...changes]);
  close = () => this.#state.close();

  forgetStaged(): void {
    this.#staged = [];
  }
}

export interface RunningOwner {
  owner: Owner;
  /** Ends it cleanly: it saves. */
  stop(): Promise<void>;
  /** Settles with the run. */
  run: Promise<void>;
}

export class Plant {
  readonly clock = new HandClock();
  /** What was to be sent to terminals: whom, what. */
  readonly orders: string[] = [];
  readonly said: string[] = [];
  /** What others see of our parts. */
  seen: ReturnType<OwnerDeps['look']> = {};
  gatherMs = 0;
  readonly patience = new Patience(this.clock, (line) => void this.said.push(line));
  readonly brokers: LogWriter;
  readonly ownerWriter: LogWriter;
  readonly brokersLog: LogReader;
  readonly ownerLog: LogReader;
  state: StateStore;
  readonly lives: Life[] = [];
  /** The brokers' batches so far. */
  batches = 0;

  constructor(logs: { brokers: LogWriter; ownerWriter: LogWriter; brokersLog: LogReader; ownerLog: LogReader }, state: StateStore) {
    this.brokers = logs.brokers;
    this.ownerWriter = logs.ownerWriter;
    this.brokersLog = logs.brokersLog;
    this.ownerLog = logs.ownerLog;
    this.state = state;
  }

  deps(life = new Life()): OwnerDeps {
    return {
      brokersLog: this.brokersLog,
      ownerLog: { writer: life.writer(this.ownerWriter), reader: this.ownerLog },
      state: life.state(this.state),
      quarantineMs: 30 * 86_400_000,
      clock: this.clock,
      patience: this.patience,
      gatherMs: this.gatherMs,
      send: async ({ acquirer, sn, command: { type } }) => void this.orders.push(`${acquirer}/${sn} ${type}`),
      look: () => this.seen,
    };
  }

  async start(life = new Life()): Promise<RunningOwner> {
    if (this.state instanceof LastingState) this.state.forgetStaged();
    const owner = new Owner(this.deps(life));
    await Promise.race([owner.catchUp(), life.ended]);
    const stopping = new AbortController();
    this.lives.push(life);
    void life.ended.then(() => stopping.abort());
    const run = life.dead ? new Promise<void>(() => {}) : owner.run(stopping.signal);
    run.catch(() => {});
    const stop = async () => {
      stopping.abort();
      await run;
    };
    return { owner, run, stop };
  }

  /** Ends all lives as kill -9 does. */
  async crash(): Promise<void> {
    for (const life of this.lives) life.end();
    await Promise.all(this.lives.map(({ ended }) => ended));
  }

  /** Ends all lives, and closes what they shared. */
  async close(): Promise<void> {
    await this.crash();
    for (const part of [this.brokersLog, this.ownerLog, this.brokers, this.ownerWriter, this.state]) await part.close();
  }

  /** Makes records durable in the brokers' log, as one batch. */
  async append(...records: BrokerRecord[]): Promise<void> {
    this.batches = (await this.brokers.append(records.map(encodeRecord))).batch;
  }

  /** Waits until the owner has folded all that is in the brokers' log. */
  async settled({ owner }: RunningOwner): Promise<void> {
    await eventually(
      () => {
        const { batch, index } = owner.position.brokers;
        if (batch <= this.batches && !(batch === this.batches && index > 0)) throw new Error(`at batch ${batch} of ${this.batches}`);
      },
      { every: 1 },
    );
    await owner.submit(() => []);
  }

  /** A heartbeat each second of the clock, `seconds` times, each taken in before the next. */
  async live(running: RunningOwner, seconds: number, options: Partial<Beat> = {}): Promise<void> {
    for (let i = 0; i < seconds; i++) {
      this.clock.pass(1_000);
      await this.append(this.beat(options));
      await this.settled(running);
    }
  }

  beat({ node = 'n1', boot = 'b1', uptime = this.clock.mono }: Partial<Beat> = {}): BrokerRecord {
    return { kind: 'heartbeat', at: this.clock.wall, node, boot, uptime };
  }

  message(channel: UpChannel, payload: object, { sn = 'SN000001', acquirer = 'acme', node = 'n1' } = {}): BrokerRecord {
    return { kind: 'arrival', at: this.clock.wall, node, acquirer, sn, channel, payload: Buffer.from(JSON.stringify(payload)) };
  }

  /** The outbox as it was committed. */
  outbox(): OutboxRow[] {
    return [...outboxAfter(this.state, 0)].map(({ row }) => row);
  }

  /** The commands as they were committed, by their ids. */
  commands(): Record<string, CommandRecord> {
    const records = [...this.state.rows(COMMAND_LOG)].map(({ value }) => fromBytes<CommandRecord>(value));
    return Object.fromEntries(records.map((record) => [record.command.id, record]));
  }

  announced(): Transition[] {
    return this.outbox().flatMap((row) =>
      row.kind === 'transition' ? [{ at: row.at, transition: row.transition, alert: row.alert } as Transition] : [],
    );
  }

  /** A fold from nothing over both logs, as another machine would make it. */
  async foldAgain() {
    const watch = new Watch();
    const follower = new Follower(this.brokersLog, this.ownerLog, LOG_START);
    const rows: OutboxRow[] = [];
    const commands: Record<string, CommandRecord> = {};
    const entries = [];
    for (let item = await follower.next(); item; item = await follower.next()) {
      entries.push(item.entry);
      const output = watch.step(item.entry);
      for (const transition of output.transitions) rows.push({ kind: 'transition', ...transition });
      for (const row of output.rows) rows.push({ kind: 'row', row });
      for (const record of output.commands) commands[record.command.id] = record;
    }
    return { watch, rows, commands, entries };
  }
}

interface Beat {
  node: string;
  boot: string;
  uptime: number;
}

/** Logs and state of one installation, closed and removed when the test has finished. */
export async function plant(state: StateStore = new LastingState(openMemoryState()), folder?: string): Promise<Plant> {
  const dir = folder ?? (await tempDir());
  const [brokersDir, ownerDir] = [join(dir, 'brokers'), join(dir, 'owner')];
  const brokers = await openSegmentWriter(brokersDir, { segmentBytes: SEGMENT_BYTES });
  const ownerWriter = await openSegmentWriter(ownerDir, { segmentBytes: SEGMENT_BYTES });
  const brokersLog = await openSegmentReader(brokersDir, { pollMs: 2 });
  const ownerLog = await openSegmentReader(ownerDir, { pollMs: 2 });
  const made = new Plant({ brokers, ownerWriter, brokersLog, ownerLog }, state);
  onTestFinished(() => made.close());
  return made;
}

/** A registry entry. Errors: throws on a row that is none. */
export function registry(table: Table, row: Record<string, unknown>, at: number): OwnerEntry {
  const checked = checkRow(table, row);
  if (!checked.ok) throw new Error(checked.problems.join('; '));
  return { kind: 'registry', at, change: checked.value };
}

export function bound(sn = 'SN000001', merchant = 'm-1') {
  return (at: number) => [registry('terminals', { acquirer: 'acme', merchant, sn }, at)];
}

export const birth = (at: number, more: object = {}) => ({ v: 1, session: 's1', at, interval: 60, keepalive: 5, ...more });
export const report = (at: number, seq: number, more: object = {}) => ({ v: 1, session: 's1', seq, samples: [{ at, ...more }] });

/** A plant with a bound terminal SN000001 that was born and reports each minute (interval 60 s, keepalive 5 s). */
export async function withTerminal() {
  const p = await plant();
  const running = await p.start();
  await p.live(running, 1);
  await running.owner.submit(bound());
  await p.append(p.message('birth', birth(p.clock.wall)));
  await p.settled(running);
  return { p, running };
}
