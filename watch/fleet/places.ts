/** Where terminals are registered, and how far from there they say that they are. */
import type { TerminalRow } from '../../protocol/registry.ts';
import { type Datum, datum } from '../../protocol/schemas/common.ts';
import type { Sample } from '../../protocol/schemas/sample.ts';
import { type DatumPoint, distanceMeters, toWgs84 } from './datums.ts';

/** What a sample says of its place, and when, epoch milliseconds. `accuracy` in metres. */
export type Fix = NonNullable<Sample['place']> & { at: number };

/** What the fixes of a terminal amount to so far. */
export interface Whereabouts {
  /** Of the last fix that counted: nothing older does any more. */
  fixAt: number;
  /** The first and the last of the fixes in a row that were away, and how far the last was; null where the last one was not. */
  awaySince: number | null;
  away: (Fix & { distance: number }) | null;
  /** How many in a row were near. */
  nearFixes: number;
  moved: boolean;
  /** Of a terminal that leaves out what has not changed: what it gave last in this session. */
  carried: Fix | null;
}

export function newWhereabouts(): Whereabouts {
  return { fixAt: 0, awaySince: null, away: null, nearFixes: 0, moved: false, carried: null };
}

/** What stands at 0° N, 0° E, or as near to it as a datum shifts that, is a fix that failed: there is water there. */
const NOWHERE_DEGREES = 0.01;
const DATUMS = Object.values(datum.def.entries);

export function isNowhere({ lat, lon }: DatumPoint): boolean {
  return Math.abs(lat) <= NOWHERE_DEGREES && Math.abs(lon) <= NOWHERE_DEGREES;
}

/** Null where a row gives none: half of one, and nowhere, are none. */
export function registeredPlace({ lat, lon, datum }: Pick<TerminalRow, 'lat' | 'lon' | 'datum'>): DatumPoint | null {
  if (lat === undefined || lon === undefined || isNowhere({ lat, lon })) return null;
  return { lat, lon, ...(datum && { datum }) };
}

export function samePlace(a: DatumPoint | null, b: DatumPoint | null): boolean {
  return a === b || (a !== null && b !== null && a.lat === b.lat && a.lon === b.lon && a.datum === b.datum);
}

/** Metres between two points; of one that names no datum, by the reading that brings them nearest. */
export function leastMeters(a: DatumPoint, b: DatumPoint): number {
  const [ofA, ofB] = [readings(a), readings(b)];
  return Math.min(...ofA.flatMap((p) => ofB.map((q) => distanceMeters(p, q))));
}

function readings(point: DatumPoint) {
  return (point.datum ? [point.datum] : DATUMS).map((datum) => toWgs84({ ...point, datum }));
}

/** The point that was meant where latitude and longitude were taken for each other; null where that is none. */
export function turned({ lat, lon, datum }: DatumPoint): DatumPoint | null {
  return Math.abs(lon) > 90 ? null : { lat: lon, lon: lat, datum };
}

/** In which other datum than it names `a` would be within so many metres of `b`; null where in none. */
export function datumThatFits(a: DatumPoint, b: DatumPoint, meters: number): Datum | null {
  return DATUMS.find((datum) => datum !== a.datum && leastMeters({ ...a, datum }, b) <= meters) ?? null;
}
