import type * as z from 'zod/mini';
import { MAX_SAMPLES } from '../schemas/messages.ts';
import { type Sample, sample } from '../schemas/sample.ts';

/**
 * The columnar form of a report's samples: `at` has one time for each sample, `cols` one array of the same length for each member
 * that any sample has, under its path (`signal.rsrp`, `bindings.terminals.bound`); null where a sample lacks it. `outcomes` is a
 * column of arrays, `radio.secondsByRat` one of objects.
 */
export interface Columns {
  at: number[];
  cols: Record<string, unknown[]>;
}

export type Expanded = { ok: true; value: unknown } | { ok: false; detail: string };

/** The path of each member that may be a column: those of the schema of a sample that are no groups of further members. */
export const COLUMNS: ReadonlyMap<string, readonly string[]> = new Map(
  leaves(sample)
    .filter((path) => path.join() !== 'at')
    .map((path) => [path.join('.'), path]),
);

/**
 * A report's body with `samples` in place of its columns; any other body as it is. Unknown columns are kept out. The values are not
 * looked at: that is the schema's work.
 */
export function expandColumns(body: unknown): Expanded {
  if (!isColumnar(body)) return { ok: true, value: body };
  const { at, cols, ...rest } = body;
  if (!Array.isArray(at)) return { ok: false, detail: 'at: expected array' };
  if (!isObject(cols)) return { ok: false, detail: 'cols: expected object' };
  if (at.length > MAX_SAMPLES) return { ok: false, detail: `at: expected at most ${MAX_SAMPLES} items` };
  const samples: Record<string, unknown>[] = at.map((time) => ({ at: time }));
  for (const [name, path] of COLUMNS) {
    if (!Object.hasOwn(cols, name)) continue;
    const column = cols[name];
    if (!Array.isArray(column)) return { ok: false, detail: `cols.${name}: expected array` };
    if (column.length !== at.length) return { ok: false, detail: `cols.${name}: expected as many items as in at` };
    for (const [i, value] of column.entries()) if (value !== null && value !== undefined) put(samples[i]!, path, value);
  }
  return { ok: true, value: { ...rest, samples } };
}

/** The columns of samples: `expandColumns` gives the same samples back, without groups that hold nothing. */
export function toColumns(samples: readonly Sample[]): Columns {
  const cols: Record<string, unknown[]> = {};
  for (const [name, path] of COLUMNS) {
    const column = samples.map((s) => get(s, path) ?? null);
    if (column.some((value) => value !== null)) cols[name] = column;
  }
  return { at: samples.map((s) => s.at), cols };
}

function isColumnar(body: unknown): body is Record<string, unknown> {
  return isObject(body) && !Object.hasOwn(body, 'samples') && Object.hasOwn(body, 'cols');
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function put(target: Record<string, unknown>, path: readonly string[], value: unknown): void {
  let group = target;
  for (const name of path.slice(0, -1)) {
    group[name] ??= {};
    group = group[name] as Record<string, unknown>;
  }
  group[path.at(-1)!] = value;
}

function get(source: unknown, path: readonly string[]): unknown {
  return path.reduce<unknown>((group, name) => (isObject(group) ? group[name] : undefined), source);
}

/** The paths of a schema's members, through objects and what is optional. */
function leaves(schema: z.core.$ZodType): string[][] {
  const def = (schema as z.core.$ZodTypes)._zod.def;
  if (def.type === 'optional') return leaves(def.innerType);
  if (def.type !== 'object') return [[]];
  return Object.entries(def.shape).flatMap(([name, member]) => leaves(member).map((path) => [name, ...path]));
}
