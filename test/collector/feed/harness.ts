/** A feed over a plant's logs, into a store that can be away, refuse points, or be left in the middle of a write. */

import type { LogReader } from '../../../backbone/log.ts';
import { openMemoryState } from '../../../backbone/memory.ts';
import type { StateStore } from '../../../backbone/state.ts';
import { Feed } from '../../../collector/feed/feed.ts';
import type { SeriesLimits } from '../../../collector/feed/series.ts';
import { positionToText } from '../../../collector/log/position.ts';
import { Patience } from '../../../collector/patience.ts';
import { fromBytes } from '../../../collector/rows.ts';
import type { Point } from '../../../collector/store/point.ts';
import type { Batch, OnRefused, StoreError, TelemetryStore } from '../../../collector/store/port.ts';
import { eventually } from '../../helpers/eventually.ts';
import { HandClock, Life, type Plant, plant } from '../owner/harness.ts';

/** The far side of a network: keeps points by identity, as InfluxDB does, and commits no marks with them. */
export class KeyedStore implements TelemetryStore {
  readonly name = 'influxdb';
  readonly points = new Map<string, Point>();
  /** Writes of a point that was there with other fields. */
  readonly conflicts: Point[] = [];
  readonly writes: number[] = [];
  /** What the next writes answer; undefined for success. */
  readonly answers: (StoreError | undefined)[] = [];
  refuse: (point: Point) => boolean = () => false;
  readonly sentBytes = 0;
  /** The times for which it was asked to remove what is old. */
  readonly keptUp: number[] = [];

  marks = async () => null;
  check = async () => {};
  close = async () => {};
  history = async () => [];
  keepUp = async (now: number) => void this.keptUp.push(now);

  batch(): Batch {
    const points: Point[] = [];
    return {
      get size() {
        return points.length;
      },
      add(draft) {
        points.push(draft.point());
        return null;
      },
      write: (_, onRefused) => this.write(points, onRefused),
    };
  }

  async write(points: readonly Point[], onRefused: OnRefused): Promise<void> {
    const answer = this.answers.shift();
    if (answer) throw answer;
    const refused = points.filter(this.refuse);
    if (refused.length > 0) await onRefused(refused, 'a field has another type');
    this.writes.push(points.length);
    for (const point of points) if (!refused.includes(point)) this.#keep(point);
  }

  of(measurement: string): Point[] {
    return [...this.points.values()].filter((point) => point.measurement === measurement);
  }

  #keep(point: Point): void {
    const key = identityOf(point);
    const before = this.points.get(key);
    if (before && JSON.stringify(before.fields) !== JSON.stringify(point.fields)) this.conflicts.push(point);
    this.points.set(key, point);
  }
}

export function identityOf({ measurement, tags, at, nanos = 0 }: Point): string {
  const set = Object.entries(tags).filter(([, value]) => value !== '');
  return JSON.stringify([measurement, set.sort(([a], [b]) => (a < b ? -1 : 1)), at, nanos]);
}

export interface FeedOptions {
  life?: Life;
  state?: StateStore;
  clock?: HandClock;
  brokersLog?: LogReader;
  said?: string[];
  series?: SeriesLimits;
  classOf?: (system: string, code: string) => string;
}

/** A store whose writes are steps of a life. */
function withLife(store: TelemetryStore, life: Life): TelemetryStore {
  return {
    name: store.name,
    sentBytes: 0,
    marks: () => store.marks(),
    batch() {
      const batch = store.batch();
      return {
        get size() {
          return batch.size;
        },
        add: (draft) => batch.add(draft),
        write: (marks, onRefused) => life.step(() => batch.write(marks, onRefused)),
      };
    },
    history: (query, now) => store.history(query, now),
    keepUp: (now) => store.keepUp(now),
    check: () => store.check(),
    close: () => store.close(),
  };
}

export function startFeed(p: Plant, store: TelemetryStore, options: FeedOptions = {}) {
  const { life = new Life(), state = openMemoryState(), clock = new HandClock(), brokersLog = p.brokersLog, said = [] } = options;
  const { series = { most: 1_000, days: 30 }, classOf = (system: string, code: string) => `class of ${system} ${code}` } = options;
  const written: number[] = [];
  const feed = new Feed({
    brokersLog,
    ownerLog: p.ownerLog,
    state: life.state(state),
    watchState: p.state,
    store: withLife(store, life),
    series,
    quarantineMs: 30 * 86_400_000,
    clock,
    patience: new Patience(clock, (line) => void said.push(line)),
    classOf,
    outboxRead: (sequence) => void written.push(sequence),
    say: (line) => void said.push(line),
  });
  const stopping = new AbortController();
  void life.ended.then(() => stopping.abort());
  p.lives.push(life);
  const run = feed.run(stopping.signal);
  run.catch(() => {});
  return {
    feed,
    run,
    clock,
    said,
    written,
    stop: async () => {
      stopping.abort();
      await run;
    },
    /** Waits until everything that both logs and the outbox hold is written and saved. */
    caughtUp: () =>
      eventually(
        async () => {
          clock.pass(1_000);
          const { owner } = feed.position;
          const bytes = state.get('feed', 'feed');
          const saved = bytes && fromBytes<{ position: string; outbox: number }>(bytes);
          const end = await p.ownerLog.end();
          if (owner.batch < end || (owner.batch === end && owner.index === 0))
            throw new Error(`at ${positionToText(feed.position)} of ${end}`);
          if (saved?.position !== positionToText(feed.position)) throw new Error('not saved');
          const last = Math.max(0, ...[...p.state.rows('outbox')].map(({ key }) => Number(key)));
          if (saved.outbox < last) throw new Error(`outbox at ${saved.outbox} of ${last}`);
        },
        { every: 2 },
      ),
  };
}

/** A plant whose owner runs, and has heard one heartbeat. */
export async function withOwner() {
  const p = await plant();
  const running = await p.start();
  await p.live(running, 1);
  return { p, running };
}
