import type { Sample } from '../../protocol/schemas/sample.ts';
import type { Draft } from '../store/draft.ts';

/** A member's whole name, and those of the members within it: put together once, not for each sample. */
interface Name {
  full: string;
  inner: Map<string, Name>;
}

/** Payloads are checked, and what no schema names is left out: these names are a closed set. */
const TOP: Name = { full: '', inner: new Map() };

/**
 * A sample's members as the fields of a point, their path joined by `_`: `signal_rsrp`, `bindings_terminals_bound`,
 * `radio_secondsByRat_lte`. `at` is the point's time and `outcomes` are points of their own.
 */
export function flattenSample(sample: Sample, into: Draft): void {
  for (const member in sample) {
    if (member === 'at' || member === 'outcomes') continue;
    const value = sample[member as Exclude<keyof Sample, 'at' | 'outcomes'>];
    if (value) flatten(value as Record<string, unknown>, inner(TOP, member), into);
  }
}

function flatten(value: Record<string, unknown>, name: Name, into: Draft): void {
  for (const key in value) {
    const member = value[key];
    if (member === undefined || member === null) continue;
    const named = inner(name, key);
    if (typeof member === 'object') flatten(member as Record<string, unknown>, named, into);
    else into.field(named.full, member as number | string | boolean);
  }
}

function inner(name: Name, key: string): Name {
  const known = name.inner.get(key);
  if (known) return known;
  const made: Name = { full: name === TOP ? key : `${name.full}_${key}`, inner: new Map() };
  name.inner.set(key, made);
  return made;
}
