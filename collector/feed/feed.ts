/**
 * The store feed: reads the same sequence of entries as the watch, at its own pace and offset, and writes points. A slow or dead store
 * delays points and nothing else; what has been written is told by the store's own marks where it has them, else by the offset that
 * is saved after each write, and then a point may be written again, under the same identity.
 */
import { createHash } from 'node:crypto';
import type { LogReader } from '../../backbone/log.ts';
import type { Change, StateStore } from '../../backbone/state.ts';
import { beginSave, loadRow, type SavedRow, type Table, takeSaved } from '../../watch/fold/table.ts';
import { follow } from '../follow.ts';
import { Follower } from '../log/follower.ts';
import { hasReached, type Position, positionFromText, positionToText, START } from '../log/position.ts';
import { fromBytes, numberKey, OUTBOX, type OutboxRow, type Quarantined, toBytes } from '../owner/outputs.ts';
import type { Clock } from '../owner/owner.ts';
import { Quarantine } from '../owner/quarantine.ts';
import { type Patience, throwUnlessItPasses } from '../patience.ts';
import { savedRows, stageChanges, stageRows } from '../saves.ts';
import { writeAround } from '../store/around.ts';
import { type Marks, type Point, StoreError, type TelemetryStore } from '../store/port.ts';
import { Turns } from '../turns.ts';
import { Outcomes } from './outcomes.ts';
import { outboxPoint } from './points.ts';
import { Tagger, terminalPoint } from './tagger.ts';

const BATCH_POINTS = 5_000;
const IDLE_MS = 1_000;
const FIRST_RETRY_MS = 500;
const LAST_RETRY_MS = 30_000;
const CONSUMER = 'feed';
const FEED_TABLE = 'feed';
const TALLIES = 'quarantined';
const ENTRIES = 'entries';

export interface FeedDeps {
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
  classOf(system: string, code: string): string;
  outboxRead(sequence: number): void;
  say(line: string): void;
}

/** How far the feed has come. `outbox`: the last row written. */
interface Saved {
  position: string;
  outbox: number;
}

export class Feed {
  readonly #deps: FeedDeps;
  readonly #tagger = new Tagger();
  readonly #outcomes: Outcomes;
  readonly #tables: readonly Table<object>[];
  readonly #logs: Follower;
  readonly #turns: Turns;
  readonly quarantine: Quarantine;
  /** The log's time: of the last entry. */
  #now = 0;
  #outbox: number;
  /** What the store says it has: entries up to here are folded, and their points dropped. */
  #written: Position = START;
  /** For metrics. */
  readonly stats = { points: 0, writes: 0, failures: 0, rejected: 0, healthy: true };

  constructor(deps: FeedDeps) {
    this.#deps = deps;
    this.#outcomes = new Outcomes(deps.classOf);
    this.#tables = [...this.#tagger.tables, ...this.#outcomes.tables];
    for (const row of savedRows(
      deps.state,
      this.#tables.map((t) => t.name),
    ))
      loadRow(this.#tables, row);
    const bytes = deps.state.get(FEED_TABLE, CONSUMER);
    const saved = bytes ? fromBytes<Saved>(bytes) : { position: positionToText(START), outbox: 0 };
    this.#logs = new Follower(deps.brokersLog, deps.ownerLog, positionFromText(saved.position));
    this.#outbox = saved.outbox;
    this.#turns = new Turns(deps.clock.monotonic);
    const tallies = deps.state.get(FEED_TABLE, TALLIES);
    this.quarantine = new Quarantine(deps.state, deps.quarantineMs, tallies && fromBytes(tallies));
  }

  get position(): Position {
    return this.#logs.position;
  }

  /**
   * Runs until the signal aborts. What fails for the moment, the store or the state, is tried again; rejects where the logs, the state
   * or the store cannot be used any more.
   */
  async run(signal: AbortSignal): Promise<void> {
    await this.#release();
    const marks = await this.#retry(() => this.#deps.store.marks(), signal);
    if (marks?.[ENTRIES]) this.#written = positionFromText(marks[ENTRIES]);
    if (marks?.[OUTBOX]) this.#outbox = Math.max(this.#outbox, Number(marks[OUTBOX]));
    this.#deps.outboxRead(this.#outbox);
    while (!signal.aborted) {
      const before = positionToText(this.position);
      const points = await this.#gather();
      const outbox = await this.#outboxPoints(points);
      if (points.length === 0 && positionToText(this.position) === before) {
        await this.#idle(signal);
        continue;
      }
      const marksAfter = { [ENTRIES]: positionToText(this.position), [OUTBOX]: String(outbox) };
      if (points.length > 0) await this.#retry(() => this.#write(points, marksAfter, signal), signal);
      if (signal.aborted) return;
      this.#outbox = outbox;
      await this.#save(signal);
    }
  }

  /** The points of the entries from here on, as many as one write takes. */
  async #gather(): Promise<Point[]> {
    const points: Point[] = [];
    while (points.length < BATCH_POINTS) {
      const item = await this.#logs.next();
      if (!item) break;
      if (this.#turns.isOver()) await this.#turns.next();
      this.#now = Math.max(this.#now, item.entry.at);
      const isNew = !hasReached(this.#written, this.position);
      const flushed = this.#outcomes.moveTo(item.entry.at);
      if (isNew) points.push(...flushed);
      for (const sample of this.#tagger.take(item.entry)) {
        this.#outcomes.add(sample);
        if (isNew) points.push(terminalPoint(sample));
      }
    }
    return points;
  }

  /** Adds the watch's rows that have not been written; the number of the last of them. */
  async #outboxPoints(points: Point[]): Promise<number> {
    let last = this.#outbox;
    for (const { key, value } of this.#outboxRows(2 * BATCH_POINTS - points.length)) {
      if (this.#turns.isOver()) await this.#turns.next();
      last = Number(key);
      points.push(outboxPoint(fromBytes<OutboxRow>(value), last));
    }
    return last;
  }

  #outboxRows(limit: number) {
    const rows = [];
    for (const row of this.#deps.watchState.rows(OUTBOX, { after: numberKey(this.#outbox) })) {
      if (rows.length >= limit) break;
      rows.push(row);
    }
    return rows;
  }

  async #write(points: readonly Point[], marks: Marks, signal: AbortSignal): Promise<void> {
    await writeAround(this.#deps.store, points, marks, (refused, error) => this.#reject(refused, error, signal));
    this.stats.points += points.length;
    this.stats.writes++;
  }

  /** Points that the store will never take are kept where they can be listed, and do not hold up the others. */
  async #reject(points: readonly Point[], error: StoreError, signal: AbortSignal): Promise<void> {
    this.stats.rejected += points.length;
    // After a crash, or where the rest of the batch failed, a point comes again.
    const rows = points.map((point) => refusedRow(point, error)).filter(({ id }) => !this.quarantine.find(id));
    const changes = rows.flatMap((row) => this.quarantine.add(row, 'point', this.#now));
    await this.#commit(changes, signal);
  }

  async #save(signal: AbortSignal): Promise<void> {
    const saved: Saved = { position: positionToText(this.position), outbox: this.#outbox };
    beginSave(this.#tables);
    await stageRows(this.#stage(signal), (limit): SavedRow[] => takeSaved(this.#tables, limit));
    await this.#commit([{ table: FEED_TABLE, key: CONSUMER, value: toBytes(saved) }], signal);
    await this.#release();
    this.#deps.outboxRead(this.#outbox);
  }

  async #commit(changes: readonly Change[], signal: AbortSignal): Promise<void> {
    const { state, patience } = this.#deps;
    await stageChanges(this.#stage(signal), [...changes, ...this.quarantine.prune(this.#now)]);
    const tallies = toBytes(this.quarantine.tallies);
    await patience.outlast(() => state.commit([{ table: FEED_TABLE, key: TALLIES, value: tallies }]), signal);
  }

  #stage(signal: AbortSignal) {
    return (slice: readonly Change[]) => this.#deps.patience.outlast(() => this.#deps.state.stage(slice), signal);
  }

  /** Retention may take what is before the saved position, and nothing after it. What cannot be said now is said after the next save. */
  async #release(): Promise<void> {
    const { brokers, owner } = this.position;
    const said = [this.#deps.brokersLog.release(CONSUMER, brokers.batch), this.#deps.ownerLog.release(CONSUMER, owner.batch)];
    await Promise.all(said.map((saying) => saying.catch(throwUnlessItPasses)));
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
        this.stats.failures++;
        if (this.stats.healthy) this.#deps.say(`${error.message}: points wait in the log, nothing is lost`);
        this.stats.healthy = false;
        await this.#deps.clock.sleep(Math.max(delay, error.retryAfterMs), signal);
      }
    }
    return undefined;
  }

  async #idle(signal: AbortSignal): Promise<void> {
    const { signal: until, end } = follow(signal);
    await Promise.race([this.#logs.owner.grown(until), this.#deps.clock.sleep(IDLE_MS, until)]);
    end();
  }
}

function refusedRow(point: Point, error: StoreError): Quarantined {
  const raw = JSON.stringify(point);
  const mark = createHash('sha256').update(raw).digest('hex').slice(0, 12);
  return {
    id: `store-${point.measurement}-${point.at}-${mark}`,
    at: point.at,
    node: '',
    from: `${point.tags.acquirer ?? ''}/${point.tags.sn ?? ''}`,
    channel: null,
    reason: 'store_rejected',
    detail: error.message,
    raw: Buffer.from(raw).toString('base64'),
  };
}
