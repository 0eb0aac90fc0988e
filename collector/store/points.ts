import { type Point, StoreError } from './port.ts';

/** What nanoseconds in 64 bits reach: 1677 to 2262. Epoch milliseconds. */
const EARLIEST = -9_223_372_036_854;
const LATEST = 9_223_372_036_853;
const NANOS_PER_MS = 1_000_000;

/** InfluxDB keeps these for itself. */
const RESERVED_TAGS = ['time', '_field', '_measurement'];
const RESERVED_FIELD = 'time';

/** Why no store can hold this point, or null. */
function problemOf({ measurement, tags, fields, at, nanos = 0 }: Point): string | null {
  if (measurement === '') return 'its measurement has no name';
  if (!Number.isInteger(at) || at < EARLIEST || at > LATEST) return `its time ${at} is no epoch milliseconds of 1677 to 2262`;
  if (!Number.isInteger(nanos) || nanos < 0 || nanos >= NANOS_PER_MS) return `its nanos ${nanos} are not 0 to 999999`;
  if (Object.hasOwn(tags, '')) return 'a tag has no name';
  const reserved = RESERVED_TAGS.find((name) => Object.hasOwn(tags, name));
  return reserved === undefined ? problemOfFields(fields, tags) : `a tag has the reserved name ${reserved}`;
}

function problemOfFields(fields: Point['fields'], tags: Point['tags']): string | null {
  let count = 0;
  for (const name in fields) {
    const value = fields[name];
    if (name === '' || name === RESERVED_FIELD) return `a field has ${name === '' ? 'no name' : `the reserved name ${name}`}`;
    if (Object.hasOwn(tags, name)) return `a tag and a field share the name ${name}`;
    if (typeof value === 'number' && !Number.isFinite(value)) return `its field ${name} is ${value}`;
    count++;
  }
  return count === 0 ? 'it has no fields' : null;
}

/** Errors: a StoreError `rejected` that names the points which no store can hold. */
export function refuseImpossible(points: readonly Point[]): void {
  let problem: string | null = null;
  const impossible = points.filter((point) => {
    const its = problemOf(point);
    problem ??= its;
    return its !== null;
  });
  if (problem !== null)
    throw new StoreError('rejected', `${impossible.length} of ${points.length} points; the first: ${problem}`, { points: impossible });
}
