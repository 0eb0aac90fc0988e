/**
 * How many series the store is given: of each measurement, the sets of tags of the last days. Terminals say some tags themselves (app,
 * model, and merchant and site where nobody registered them), so one that says another each time could fill the store's index, which
 * InfluxDB keeps in memory. Beyond the limits no new series is let in; those that are there go on.
 */
import { createHash } from 'node:crypto';
import { Table } from '../../watch/fold/table.ts';
import type { Draft } from '../store/draft.ts';
import type { Tags } from '../store/point.ts';

const DAY_MS = 86_400_000;

/** Of one terminal, or of one merchant where it is counted by merchant: what no honest one has, so that one alone fills no store. */
const MOST_OF_ONE = 500;

interface Row {
  key: string;
  measurement: string;
  subject: string;
  /** When it was last written, days since the epoch. */
  day: number;
}

export interface SeriesLimits {
  /** Of one measurement. */
  most: number;
  /** A series that was not written for so long counts no more; 0: each counts for ever. */
  days: number;
}

export class Series {
  readonly #rows = new Table<Row>('series');
  readonly tables: readonly Table<object>[] = [this.#rows] as unknown as Table<object>[];
  readonly #limits: SeriesLimits;
  /** How many series measurements have, and subjects within them. */
  readonly #measurements = new Map<string, number>();
  readonly #subjects = new Map<string, number>();
  readonly #byDay = new Map<number, Set<string>>();
  /** Tags that were let in, and the day. */
  readonly #known = new WeakMap<Tags, { measurement: string; day: number }>();
  #day = 0;

  constructor(limits: SeriesLimits) {
    this.#limits = limits;
  }

  /** To be called once the tables are loaded. */
  start(): void {
    for (const row of this.#rows.values()) {
      this.#count(row, 1);
      this.#setOf(row.day).add(row.key);
    }
  }

  /** How many each measurement has. */
  measurements(): Record<string, number> {
    return Object.fromEntries(this.#measurements);
  }

  /** Why the point's series is not let in, null where it is. `now`: the log's time. */
  refusal({ measurement, tags }: Draft, now: number): string | null {
    const day = Math.floor(now / DAY_MS);
    if (day > this.#day) this.#newDay(day);
    const known = this.#known.get(tags);
    if (known?.measurement === measurement && known.day === this.#day) return null;
    const why = this.#look(measurement, tags);
    if (why === null) this.#known.set(tags, { measurement, day: this.#day });
    return why;
  }

  #look(measurement: string, tags: Tags): string | null {
    const key = keyOf(measurement, tags);
    const row = this.#rows.get(key);
    if (row) {
      if (row.day !== this.#day) this.#renew(key, row.day);
      return null;
    }
    const subject = `${measurement} of ${tags.acquirer}/${tags.sn ?? tags.merchant}`;
    const { most } = this.#limits;
    if ((this.#measurements.get(measurement) ?? 0) >= most)
      return `${measurement} has ${most} series, the most that it may have (TILLWATCH_MAX_SERIES)`;
    if ((this.#subjects.get(subject) ?? 0) >= MOST_OF_ONE) return `${subject} has ${MOST_OF_ONE} series: it changes its tags all the time`;
    this.#count(this.#rows.set(key, { key, measurement, subject, day: this.#day }), 1);
    this.#setOf(this.#day).add(key);
    return null;
  }

  #renew(key: string, before: number): void {
    this.#rows.change(key)!.day = this.#day;
    this.#byDay.get(before)!.delete(key);
    this.#setOf(this.#day).add(key);
  }

  #newDay(day: number): void {
    this.#day = day;
    if (this.#limits.days === 0) return;
    for (const [old, keys] of this.#byDay) {
      if (old >= day - this.#limits.days) continue;
      for (const key of keys) {
        this.#count(this.#rows.get(key)!, -1);
        this.#rows.delete(key);
      }
      this.#byDay.delete(old);
    }
  }

  #count({ measurement, subject }: Readonly<Row>, by: number): void {
    addTo(this.#measurements, measurement, by);
    addTo(this.#subjects, subject, by);
  }

  #setOf(day: number): Set<string> {
    const keys = this.#byDay.get(day) ?? new Set();
    this.#byDay.set(day, keys);
    return keys;
  }
}

function addTo(counts: Map<string, number>, of: string, by: number): void {
  const count = (counts.get(of) ?? 0) + by;
  if (count === 0) counts.delete(of);
  else counts.set(of, count);
}

/** Tags come in one order from one place. A row's key is short, so it is their hash. */
function keyOf(measurement: string, tags: Tags): string {
  return createHash('sha256')
    .update(JSON.stringify([measurement, tags]))
    .digest('base64')
    .slice(0, 32);
}
