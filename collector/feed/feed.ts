/**
 * The store feed: reads the same sequence of entries as the watch, at its own pace and offset, and writes points. A slow or dead store
 * delays points and nothing else; what has been written is told by the store's own marks where it has them, else by the offset that
 * is saved after each write, and then a point may be written again, under the same identity.
 */
import type { LogReader } from '../../backbone/log.ts';
import type { StateStore } from '../../backbone/state.ts';
import { beginSave, loadRow, type SavedRow, type Table, takeSaved } from '../../watch/fold/table.ts';
import { Follower } from '../log/follower.ts';
import { hasReached, type Position, positionFromText, positionToText, START } from '../log/position.ts';
import { fromBytes, newestFirst, numberKey, OUTBOX, type OutboxRow, QUARANTINE, type Quarantined, toBytes } from '../owner/outputs.ts';
import type { Clock } from '../owner/owner.ts';
import { savedRows, stageRows } from '../saves.ts';
import { writeAround } from '../store/around.ts';
import { type Marks, type Point, StoreError, type TelemetryStore } from '../store/port.ts';
import { Outcomes } from './outcomes.ts';
import { outboxPoint } from './points.ts';
import { Tagger, terminalPoint } from './tagger.ts';

const BATCH_POINTS = 5_000;
const IDLE_MS = 1_000;
const FIRST_RETRY_MS = 500;
const LAST_RETRY_MS = 30_000;
const CONSUMER = 'feed';
const FEED_TABLE = 'feed';
const ENTRIES = 'entries';

export interface FeedDeps {
  brokersLog: LogReader;
  ownerLog: LogReader;
  /** The feed's own state. */
  state: StateStore;
  /** The watch's state, whose outbox is read. */
  watchState: StateStore;
  store: TelemetryStore;
  clock: Clock;
  classOf(system: string, code: string): string;
  outboxWritten(sequence: number): void;
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
  }

  get position(): Position {
    return this.#logs.position;
  }

  /** Runs until the signal aborts. Rejects where the logs or the state cannot be used; a store that fails is tried again. */
  async run(signal: AbortSignal): Promise<void> {
    await this.#release();
    const marks = await this.#retry(() => this.#deps.store.marks(), signal);
    if (marks?.[ENTRIES]) this.#written = positionFromText(marks[ENTRIES]);
    if (marks?.[OUTBOX]) this.#outbox = Math.max(this.#outbox, Number(marks[OUTBOX]));
    this.#deps.outboxWritten(this.#outbox);
    while (!signal.aborted) {
      const before = positionToText(this.position);
      const points = await this.#gather();
      const outbox = this.#outboxPoints(points);
      if (points.length === 0 && positionToText(this.position) === before) {
        await this.#idle(signal);
        continue;
      }
      const marksAfter = { [ENTRIES]: positionToText(this.position), [OUTBOX]: String(outbox) };
      if (points.length > 0) await this.#retry(() => this.#write(points, marksAfter), signal);
      if (signal.aborted) return;
      this.#outbox = outbox;
      await this.#save();
    }
  }

  /** The points of the entries from here on, as many as one write takes. */
  async #gather(): Promise<Point[]> {
    const points: Point[] = [];
    while (points.length < BATCH_POINTS) {
      const item = await this.#logs.next();
      if (!item) break;
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
  #outboxPoints(points: Point[]): number {
    let last = this.#outbox;
    for (const { key, value } of this.#deps.watchState.rows(OUTBOX, { after: numberKey(last) })) {
      if (points.length >= 2 * BATCH_POINTS) break;
      last = Number(key);
      points.push(outboxPoint(fromBytes<OutboxRow>(value), last));
    }
    return last;
  }

  async #write(points: readonly Point[], marks: Marks): Promise<void> {
    await writeAround(this.#deps.store, points, marks, (point, error) => this.#reject(point, error));
    this.stats.points += points.length;
    this.stats.writes++;
  }

  /** A point that the store will never take is kept where it can be listed, and does not hold up the others. */
  async #reject(point: Point, error: StoreError): Promise<void> {
    this.stats.rejected++;
    const id = `store-${point.measurement}-${point.at}-${point.tags.sn ?? this.stats.rejected}`;
    const row: Quarantined = {
      id,
      at: point.at,
      node: '',
      from: `${point.tags.acquirer ?? ''}/${point.tags.sn ?? ''}`,
      channel: null,
      reason: 'store_rejected',
      detail: error.message,
      raw: Buffer.from(JSON.stringify(point)).toString('base64'),
    };
    await this.#deps.state.commit([{ table: QUARANTINE, key: newestFirst(row.at, id), value: toBytes(row) }]);
  }

  async #save(): Promise<void> {
    const { state } = this.#deps;
    const saved: Saved = { position: positionToText(this.position), outbox: this.#outbox };
    beginSave(this.#tables);
    await stageRows(state, (limit): SavedRow[] => takeSaved(this.#tables, limit));
    await state.commit([{ table: FEED_TABLE, key: CONSUMER, value: toBytes(saved) }]);
    await this.#release();
    this.#deps.outboxWritten(this.#outbox);
  }

  /** Retention may take what is before the saved position, and nothing after it. */
  async #release(): Promise<void> {
    const { brokers, owner } = this.position;
    await Promise.all([this.#deps.brokersLog.release(CONSUMER, brokers.batch), this.#deps.ownerLog.release(CONSUMER, owner.batch)]);
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
    const stop = new AbortController();
    const either = AbortSignal.any([signal, stop.signal]);
    await Promise.race([this.#logs.owner.grown(either), this.#deps.clock.sleep(IDLE_MS, either)]);
    stop.abort();
  }
}
