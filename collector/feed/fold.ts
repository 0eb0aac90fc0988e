/**
 * The feed's fold: entries and the watch's rows in, points out. It is fed the same entries as the watch, so that a point is the same
 * however late or often it is written.
 */
import { createHash } from 'node:crypto';
import type { Entry } from '../../protocol/entries.ts';
import type { Table } from '../../watch/fold/table.ts';
import type { OutboxRow } from '../owner/outbox.ts';
import type { Quarantined } from '../owner/outputs.ts';
import { Draft } from '../store/draft.ts';
import type { Point } from '../store/point.ts';
import type { Batch } from '../store/port.ts';
import { Outcomes } from './outcomes.ts';
import { outboxPoint } from './points.ts';
import { type Fill, Rollups } from './rollups.ts';
import { Series, type SeriesLimits } from './series.ts';
import { draftSample, type TaggedSample, Tagger } from './tagger.ts';

/** What is written at once: points, and those that no write will take. */
export interface Load {
  batch: Batch;
  kept: Quarantined[];
}

export interface FoldDeps {
  series: SeriesLimits;
  classOf(system: string, code: string): string;
  say(line: string): void;
}

export class Fold {
  readonly #tagger = new Tagger();
  readonly #outcomes: Outcomes;
  readonly #rollups = new Rollups();
  readonly #series: Series;
  readonly #say: (line: string) => void;
  readonly #draft = new Draft();
  readonly tables: readonly Table<object>[];
  /** The log's time: of the last entry. */
  now = 0;
  /** For metrics: points whose series was not let in, by measurement. */
  readonly crowded: Record<string, number> = {};

  constructor({ series, classOf, say }: FoldDeps) {
    this.#outcomes = new Outcomes(classOf);
    this.#series = new Series(series);
    this.#say = say;
    this.tables = [...this.#tagger.tables, ...this.#outcomes.tables, ...this.#rollups.tables, ...this.#series.tables];
  }

  /** To be called once the tables are loaded. */
  start(): void {
    this.#rollups.start();
    this.#series.start();
  }

  /** For metrics: how many series each measurement has. */
  seriesCounts(): Record<string, number> {
    return this.#series.measurements();
  }

  /** `load`: null where the store has the entry's points already. */
  take(entry: Entry, load: Load | null): void {
    this.now = Math.max(this.now, entry.at);
    for (const point of this.#outcomes.moveTo(entry.at)) this.#add(this.#draft.of(point), load);
    this.#rollups.moveTo(entry.at, (fill) => this.#put(fill(this.#draft), load));
    for (const sample of this.#tagger.take(entry)) {
      this.#outcomes.add(sample);
      this.#sample(sample, load);
    }
  }

  takeRow(row: OutboxRow, sequence: number, load: Load): void {
    this.#add(this.#draft.of(outboxPoint(row, sequence)), load);
  }

  #sample(sample: TaggedSample, load: Load | null): void {
    const draft = draftSample(sample, this.#draft);
    if (!this.#add(draft, load)) return;
    // There is one draft: what the sample closes is put into it when the sample has been read.
    let closed: Fill | undefined;
    this.#rollups.add(draft, sample.tags, (fill) => {
      closed = fill;
    });
    if (closed) this.#put(closed(draft), load);
  }

  /** Whether the point's series is let in. */
  #add(draft: Draft, load: Load | null): boolean {
    const { measurement } = draft;
    const why = this.#series.refusal(draft, this.now);
    if (why === null) {
      this.#put(draft, load);
      return true;
    }
    if (load) {
      load.kept.push(keptRow(draft.point(), 'cardinality', why));
      if (!this.crowded[measurement]) this.#say(`${why}: points of new series go to quarantine, the others go on`);
      this.crowded[measurement] = (this.crowded[measurement] ?? 0) + 1;
    }
    return false;
  }

  #put(draft: Draft, load: Load | null): void {
    if (!load) return;
    const why = load.batch.add(draft);
    if (why !== null) load.kept.push(keptRow(draft.point(), 'store_rejected', why));
  }
}

/** A point that cannot be written, as it stands in quarantine. */
export function keptRow(point: Point, reason: 'store_rejected' | 'cardinality', detail: string): Quarantined {
  const raw = JSON.stringify(point);
  const mark = createHash('sha256').update(raw).digest('hex').slice(0, 12);
  return {
    id: `store-${point.measurement}-${point.at}-${mark}`,
    at: point.at,
    node: '',
    from: `${point.tags.acquirer ?? ''}/${point.tags.sn ?? ''}`,
    channel: null,
    reason,
    detail,
    raw: Buffer.from(raw).toString('base64'),
  };
}
