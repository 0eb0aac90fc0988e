import type { Point, Tags, Value } from './point.ts';

/**
 * A point as it is put together: one draft is used for all, its fields two lists, since an object with made-up names for each report
 * costs more than all that is done with it.
 */
export class Draft {
  measurement = '';
  tags: Tags = {};
  at = 0;
  nanos = 0;
  /** How many fields it has; what the lists hold beyond them is of another point. */
  size = 0;
  readonly names: string[] = [];
  readonly values: Value[] = [];

  /** Begins another point. Tags that are the same object as before are known again at once, so they must not change. */
  begin(measurement: string, tags: Tags, at: number, nanos = 0): this {
    this.measurement = measurement;
    this.tags = tags;
    this.at = at;
    this.nanos = nanos;
    this.size = 0;
    return this;
  }

  field(name: string, value: Value): void {
    this.names[this.size] = name;
    this.values[this.size] = value;
    this.size++;
  }

  of({ measurement, tags, fields, at, nanos }: Point): this {
    this.begin(measurement, tags, at, nanos);
    for (const name in fields) this.field(name, fields[name]!);
    return this;
  }

  /** To be kept. */
  point(): Point {
    const { measurement, tags, size, names, values, at, nanos } = this;
    const fields = Object.fromEntries(names.slice(0, size).map((name, i) => [name, values[i]!]));
    return { measurement, tags: { ...tags }, fields, at, ...(nanos > 0 && { nanos }) };
  }
}
