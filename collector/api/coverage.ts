/** The signal by place: what terminals had over their last day, put together by site, cell, operator or hexagon. */
import type { Coverage } from '../../watch/fleet/coverage.ts';
import { fixOf } from '../../watch/fleet/coverage.ts';
import { type Point, toWgs84 } from '../../watch/fleet/datums.ts';
import { bandsIn, medianOf, valuesOf } from '../../watch/fleet/signal-day.ts';
import { isFixed, placeOf, type Terminal } from '../../watch/fleet/terminals.ts';
import { Turns } from '../turns.ts';

const DAY_MS = 86_400_000;

export const WAYS = ['site', 'cell', 'operator', 'hex'] as const;
export type Way = (typeof WAYS)[number];

/** What a row is of: its key sorts the list, its members stand in the answer. */
export interface Spot {
  key: string;
  members: Record<string, string | number>;
}

/** Quantiles over terminals, each of which counts with the median of its day. */
interface Quantiles {
  p10: number;
  median: number;
  p90: number;
}

/** RSRP in dBm, RSRQ and SINR in dB: of those on LTE and NR, null where there are none. */
export interface CoverageRow {
  [member: string]: unknown;
  terminals: number;
  rsrp: Quantiles | null;
  rsrq: Quantiles | null;
  sinr: Quantiles | null;
  /** Of the hours of all, on whatever radio: in how many something was in the weak band, and in the critical one. */
  weakShare: number;
  criticalShare: number;
}

interface Tally {
  members: Spot['members'];
  terminals: number;
  level: number[];
  quality: number[];
  sinr: number[];
  hours: number;
  weak: number;
  critical: number;
}

/** Where a terminal counts; null where it is not known. */
export type SpotOf = (t: Readonly<Terminal>, c: Readonly<Coverage>) => Spot | null;

/** Goes through all terminals, others having their turns meanwhile. Those that were not heard for a day are left out. */
export async function coverageRows(
  terminals: Iterable<Readonly<Terminal>>,
  acquirer: string | null,
  spotOf: SpotOf,
  now: number,
): Promise<Map<string, CoverageRow>> {
  const tallies = new Map<string, Tally>();
  const turns = new Turns(() => performance.now());
  for (const t of terminals) {
    if (turns.isOver()) await turns.next();
    const c = t.coverage;
    if (!c?.day || now - c.at > DAY_MS || t.binding?.lifecycle === 'deleted') continue;
    const spot = acquirer === null || t.acquirer === acquirer ? spotOf(t, c) : null;
    if (spot) add(tallies, spot, t, c);
  }
  const sorted = [...tallies].sort(([a], [b]) => (a < b ? -1 : 1));
  return new Map(sorted.map(([key, tally]) => [key, rowOf(tally)]));
}

function add(tallies: Map<string, Tally>, { key, members }: Spot, t: Readonly<Terminal>, { day }: Readonly<Coverage>): void {
  const known = tallies.get(key);
  const tally = known ?? { members, terminals: 0, level: [], quality: [], sinr: [], hours: 0, weak: 0, critical: 0 };
  if (!known) tallies.set(key, tally);
  tally.terminals++;
  // The day of one that is carried about was spent in many places: its last hour was here.
  const last = isFixed(t) ? undefined : 1;
  const { hours, weak, critical } = bandsIn(day!, last);
  tally.hours += hours;
  tally.weak += weak;
  tally.critical += critical;
  if (day!.rat !== 'lte' && day!.rat !== 'nr') return;
  for (const quantity of ['level', 'quality', 'sinr'] as const) {
    const median = medianOf(valuesOf(day!, quantity, last));
    if (median !== null) tally[quantity].push(median);
  }
}

function rowOf({ members, terminals, level, quality, sinr, hours, weak, critical }: Tally): CoverageRow {
  const share = (n: number) => (hours > 0 ? Math.round((n / hours) * 1000) / 1000 : 0);
  return {
    ...members,
    terminals,
    rsrp: quantilesOf(level),
    rsrq: quantilesOf(quality),
    sinr: quantilesOf(sinr),
    weakShare: share(weak),
    criticalShare: share(critical),
  };
}

/** By the nearest rank, but for the median. */
function quantilesOf(values: readonly number[]): Quantiles | null {
  const median = medianOf(values);
  if (median === null) return null;
  const sorted = values.toSorted((a, b) => a - b);
  const rank = (part: number) => sorted[Math.max(0, Math.ceil(part * sorted.length) - 1)]!;
  return { p10: rank(0.1), median, p90: rank(0.9) };
}

export function siteSpot(t: Readonly<Terminal>): Spot | null {
  const { merchant, site } = placeOf(t);
  if (merchant === null || site === null) return null;
  return { key: `${t.acquirer}/${merchant}/${site}`, members: { acquirer: t.acquirer, merchant, site } };
}

/** The same id at two operators is two cells. A terminal on Wi-Fi is at none. */
export function cellSpot(_: Readonly<Terminal>, { cell, reading }: Readonly<Coverage>): Spot | null {
  if (cell === null || reading?.rat === 'wifi') return null;
  return { key: cell, members: { operator: operatorOf(cell), cell } };
}

export function operatorSpot(t: Readonly<Terminal>, c: Readonly<Coverage>): Spot | null {
  const spot = cellSpot(t, c);
  return spot && { key: operatorOf(spot.key), members: { operator: operatorOf(spot.key) } };
}

function operatorOf(cell: string): string {
  return cell.split('-', 2).join('-');
}

/** Where it is by its last fix, if that is exact to `withinMeters`; else where one that stands still is registered. */
export function pointOf(t: Readonly<Terminal>, c: Readonly<Coverage>, withinMeters: number): Point | null {
  const place = isFixed(t) ? t.binding?.place : null;
  return fixOf(c, withinMeters) ?? (place ? toWgs84(place) : null);
}
