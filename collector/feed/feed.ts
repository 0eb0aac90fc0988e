/**
 * The store feed: reads the same sequence of entries as the watch, at its own pace and offset, and writes points. A slow or dead store
 * delays points and nothing else; what has been written is told by the store's own marks where it has them, else by the offset that is
 * saved every few seconds, and then points may be written again, under the same identity.
 */
import type { LogReader } from '../../backbone/log.ts';
import type { Change, StateStore } from '../../backbone/state.ts';
import { beginSave, loadRow } from '../../watch/fold/table.ts';
import { follow } from '../follow.ts';
import { Follower } from '../log/follower.ts';
import { hasReached, type Position, positionFromText, positionToText, START } from '../log/position.ts';
import { release } from '../log/release.ts';
import { type NumberedRow, outboxAfter } from '../owner/outbox.ts';
import type { Quarantined } from '../owner/outputs.ts';
import type { Clock } from '../owner/owner.ts';
import { Quarantine } from '../owner/quarantine.ts';
import type { Patience } from '../patience.ts';
import { fromBytes, toBytes } from '../rows.ts';
import { stageChanges } from '../saves.ts';
import { Snapshot } from '../snapshot.ts';
import { type Batch, type Marks, StoreError, type TelemetryStore } from '../store/port.ts';
import { Turns } from '../turns.ts';
import { Fold, type FoldDeps, keptRow, type Load } from './fold.ts';

const DAY_MS = 86_400_000;
const BATCH_POINTS = 5_000;
/** A save writes each terminal that has reported since the last one. */
const SAVE_EVERY_MS = 15_000;
const IDLE_MS = 1_000;
const FIRST_RETRY_MS = 500;
const LAST_RETRY_MS = 30_000;
const CONSUMER = 'feed';
const FEED_TABLE = 'feed';
const TALLIES = 'quarantined';
/** The names of its marks in the store. */
const ENTRIES = 'entries';
const OUTBOX = 'outbox';

export interface FeedDeps extends FoldDeps {
  brokersLog: LogReader;
  ownerLog: LogReader;
  /** The feed's own state. */
  state: StateStore;
  /** The watch's state, whose outbox is read. */
  watchState: StateStore;
  store: TelemetryStore;
  /** How long quarantine keeps what it has, milliseconds. */
  quarantineMs: number;
  clock: Clock;
  /** Waits with what cannot be saved for the moment. */
  patience: Patience;
  outboxRead(sequence: number): void;
}

/** How far the feed has come. `outbox`: the last row written. */
interface Saved {
  position: string;
  outbox: number;
}

/** What is written at once, and how far the feed has come with it: `at`, the log's time. */
interface Delivery extends Load, Saved {
  at: number;
  /** Whether the fold as it is with this delivery is saved, too. */
  saves: boolean;
}

export class Feed {
  readonly #deps: FeedDeps;
  readonly fold: Fold;
  readonly #snapshot: Snapshot;
  readonly #logs: Follower;
  readonly #turns: Turns;
  #load: Load;
  readonly quarantine: Quarantine;
  #outbox: number;
  /** What the store says it has: entries up to here are folded, and their points dropped. */
  #written: Position = START;
  #keptUpDay = 0;
  #savedAt = Number.NEGATIVE_INFINITY;
  #saved: Saved;
  /** Since when every attempt has failed, by our monotonic clock; undefined where none was made yet. */
  #failingSince: number | null | undefined;
  /** For metrics. `writtenAt`: the log's time up to which all is written; `failures`: by the error's code. */
  readonly stats = {
    points: 0,
    writes: 0,
    failures: { unavailable: 0, unauthorized: 0 } as Record<string, number>,
    rejected: 0,
    healthy: true,
    writtenAt: 0,
  };

  constructor(deps: FeedDeps) {
    const { state } = deps;
    this.#deps = deps;
    this.fold = new Fold(deps);
    const { tables } = this.fold;
    this.#snapshot = new Snapshot(state, tables);
    for (const row of this.#snapshot.rows()) loadRow(tables, row);
    this.fold.start();
    const bytes = state.get(FEED_TABLE, CONSUMER);
    const saved = bytes ? fromBytes<Saved>(bytes) : { position: positionToText(START), outbox: 0 };
    this.#saved = saved;
    this.#logs = new Follower(deps.brokersLog, deps.ownerLog, positionFromText(saved.position));
    this.#outbox = saved.outbox;
    this.#turns = new Turns(deps.clock.monotonic);
    this.#load = this.#newLoad();
    const tallies = state.get(FEED_TABLE, TALLIES);
    this.quarantine = new Quarantine(state, deps.quarantineMs, tallies && fromBytes(tallies));
  }

  get position(): Position {
    return this.#logs.position;
  }

  /** How long the store has taken nothing that was to be written, milliseconds; undefined before the first attempt has come to an end. */
  get failingMs(): number | undefined {
    const since = this.#failingSince;
    return typeof since === 'number' ? this.#deps.clock.monotonic() - since : since === null ? 0 : undefined;
  }

  /**
   * Runs until the signal aborts. What fails for the moment, the store or the state, is tried again; rejects where the logs, the state
   * or the store cannot be used any more. While one batch is written the next is put together; then the reading waits.
   */
  async run(signal: AbortSignal): Promise<void> {
    await this.#release(this.position);
    const marks = await this.#retry(() => this.#deps.store.marks(), signal);
    if (marks?.[ENTRIES]) this.#written = positionFromText(marks[ENTRIES]);
    if (marks?.[OUTBOX]) this.#outbox = Math.max(this.#outbox, Number(marks[OUTBOX]));
    this.#deps.outboxRead(this.#outbox);
    let writing = Promise.resolve();
    while (!signal.aborted) {
      const before = positionToText(this.position);
      await Promise.all([this.#read(), writing]);
      if (signal.aborted) return;
      await this.#gatherOutbox();
      const delivery = this.#delivery();
      if (delivery.batch.size === 0 && delivery.position === before && !this.#mustSave(delivery)) {
        await this.#idle(signal);
        continue;
      }
      if (delivery.saves) this.#beginSave();
      writing = this.#deliver(delivery, signal);
    }
    await writing;
  }

  /** The watch's rows that have not been written; last, so that what is written up to an entry has what was said before it. */
  async #gatherOutbox(): Promise<void> {
    for (const { sequence, row } of this.#outboxRows(2 * BATCH_POINTS)) {
      if (this.#turns.isOver()) await this.#turns.next();
      this.#outbox = sequence;
      this.fold.takeRow(row, sequence, this.#load);
    }
  }

  /** The points of the entries from here on, as many as one write takes. */
  async #read(): Promise<void> {
    const load = this.#load;
    while (load.batch.size + load.kept.length < BATCH_POINTS) {
      const item = await this.#logs.next();
      if (!item) return;
      if (this.#turns.isOver()) await this.#turns.next();
      this.fold.take(item.entry, hasReached(this.#written, this.position) ? null : load);
    }
  }

  #newLoad(): Load {
    return { batch: this.#deps.store.batch(), kept: [] };
  }

  /** What has gathered; more goes into another load. */
  #delivery(): Delivery {
    const load = this.#load;
    this.#load = this.#newLoad();
    const saves = this.#deps.clock.monotonic() - this.#savedAt >= SAVE_EVERY_MS;
    return { ...load, position: positionToText(this.position), outbox: this.#outbox, at: this.fold.now, saves };
  }

  #outboxRows(limit: number): NumberedRow[] {
    const rows: NumberedRow[] = [];
    for (const row of outboxAfter(this.#deps.watchState, this.#outbox)) {
      if (rows.length >= limit) break;
      rows.push(row);
    }
    return rows;
  }

  /** Writes a batch, and may save that it is written. The save under way stands at the batch's end. */
  async #deliver({ batch, kept, position, outbox, at, saves }: Delivery, signal: AbortSignal): Promise<void> {
    if (kept.length > 0) await this.#keep(kept, signal);
    if (batch.size > 0) await this.#retry(() => this.#write(batch, { [ENTRIES]: position, [OUTBOX]: String(outbox) }, signal), signal);
    await this.#keepUp(at, signal);
    if (signal.aborted) return;
    this.stats.writtenAt = at;
    if (saves) await this.#save({ position, outbox }, signal);
  }

  #mustSave({ saves, position, outbox }: Delivery): boolean {
    return saves && (position !== this.#saved.position || outbox !== this.#saved.outbox);
  }

  #beginSave(): void {
    this.#snapshot.renew();
    beginSave(this.fold.tables);
  }

  async #save(saved: Saved, signal: AbortSignal): Promise<void> {
    this.#savedAt = this.#deps.clock.monotonic();
    await this.#snapshot.stage(this.#stage(signal));
    await this.#commit([{ table: FEED_TABLE, key: CONSUMER, value: toBytes(saved) }], signal);
    this.#saved = saved;
    await this.#release(positionFromText(saved.position));
    this.#deps.outboxRead(saved.outbox);
  }

  /** Once a day of the log's time. */
  async #keepUp(at: number, signal: AbortSignal): Promise<void> {
    const day = Math.floor(at / DAY_MS);
    if (day === this.#keptUpDay) return;
    await this.#retry(() => this.#deps.store.keepUp(at), signal);
    this.#keptUpDay = day;
  }

  async #write(batch: Batch, marks: Marks, signal: AbortSignal): Promise<void> {
    await batch.write(marks, (points, detail) =>
      this.#keep(
        points.map((point) => keptRow(point, 'store_rejected', detail)),
        signal,
      ),
    );
    this.#failingSince = null;
    this.stats.points += batch.size;
    this.stats.writes++;
  }

  /** Points that the store will never take are kept where they can be listed, and do not hold up the others. */
  async #keep(rows: readonly Quarantined[], signal: AbortSignal): Promise<void> {
    // After a crash, where the rest of the batch failed, or where two buckets refuse it, a point comes again.
    const fresh = rows.filter(({ id }) => !this.quarantine.find(id));
    this.stats.rejected += fresh.length;
    const changes = fresh.flatMap((row) => this.quarantine.add(row, 'point', this.fold.now));
    await this.#commit(changes, signal);
  }

  async #commit(changes: readonly Change[], signal: AbortSignal): Promise<void> {
    const { state, patience } = this.#deps;
    await stageChanges(this.#stage(signal), [...changes, ...this.quarantine.prune(this.fold.now)]);
    const tallies = toBytes(this.quarantine.tallies);
    await patience.outlast(() => state.commit([{ table: FEED_TABLE, key: TALLIES, value: tallies }]), signal);
  }

  #stage(signal: AbortSignal) {
    return (slice: readonly Change[]) => this.#deps.patience.outlast(() => this.#deps.state.stage(slice), signal);
  }

  #release(position: Position): Promise<void> {
    const { brokersLog, ownerLog } = this.#deps;
    return release(brokersLog, ownerLog, CONSUMER, position);
  }

  /** Tries until it succeeds or the signal aborts, more slowly each time; says when the store fails and when it is back. */
  async #retry<T>(attempt: () => Promise<T>, signal: AbortSignal): Promise<T | undefined> {
    for (let delay = FIRST_RETRY_MS; !signal.aborted; delay = Math.min(2 * delay, LAST_RETRY_MS)) {
      try {
        const result = await attempt();
        if (!this.stats.healthy) this.#deps.say(`the store (${this.#deps.store.name}) is back: points are written again`);
        this.stats.healthy = true;
        return result;
      } catch (error) {
        if (!(error instanceof StoreError && error.retry)) throw error;
        this.#failingSince ??= this.#deps.clock.monotonic();
        this.stats.failures[error.code] = (this.stats.failures[error.code] ?? 0) + 1;
        if (this.stats.healthy) this.#deps.say(`${error.message}: points wait in the log, nothing is lost`);
        this.stats.healthy = false;
        await this.#deps.clock.sleep(Math.max(delay, error.retryAfterMs), signal);
      }
    }
    return undefined;
  }

  /** Until there may be more to read, or for a while. */
  async #idle(signal: AbortSignal): Promise<void> {
    const { signal: until, end } = follow(signal);
    await Promise.race([this.#logs.owner.grown(until), this.#deps.clock.sleep(IDLE_MS, until)]);
    end();
  }
}
