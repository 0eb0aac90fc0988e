import type { Draft } from './draft.ts';
import type { Tags } from './point.ts';

/** What nanoseconds in 64 bits reach: 1677 to 2262. Epoch milliseconds. */
const EARLIEST = -9_223_372_036_854;
const LATEST = 9_223_372_036_853;
const NANOS_PER_MS = 1_000_000;

/** InfluxDB keeps these for itself. */
const RESERVED_TAGS = ['time', '_field', '_measurement'];
const RESERVED_FIELD = 'time';

/** Names that some tag has had: few fields need a look at their point's tags. */
const ofTags = new Set<string>();

/** Why no store can hold points with these tags, or null. To be asked before the first point that has them. */
export function problemOfTags(tags: Tags): string | null {
  for (const name in tags) ofTags.add(name);
  if (Object.hasOwn(tags, '')) return 'a tag has no name';
  const reserved = RESERVED_TAGS.find((name) => Object.hasOwn(tags, name));
  return reserved === undefined ? null : `a tag has the reserved name ${reserved}`;
}

/** Why no store can hold this point, its tags aside, or null. */
export function problemOfPoint({ measurement, tags, size, names, values, at, nanos }: Draft): string | null {
  if (measurement === '') return 'its measurement has no name';
  if (!Number.isInteger(at) || at < EARLIEST || at > LATEST) return `its time ${at} is no epoch milliseconds of 1677 to 2262`;
  if (!Number.isInteger(nanos) || nanos < 0 || nanos >= NANOS_PER_MS) return `its nanos ${nanos} are not 0 to 999999`;
  if (size === 0) return 'it has no fields';
  for (let i = 0; i < size; i++) {
    const name = names[i]!;
    const value = values[i];
    if (name === '' || name === RESERVED_FIELD) return `a field has ${name === '' ? 'no name' : `the reserved name ${name}`}`;
    if (typeof value === 'number' && !Number.isFinite(value)) return `its field ${name} is ${value}`;
    if (ofTags.has(name) && Object.hasOwn(tags, name)) return `a tag and a field share the name ${name}`;
  }
  return null;
}
