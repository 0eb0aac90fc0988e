/** coverage.weakening: the signs that a signal will not hold, as each live sample adds to them. */
import type { Sample } from '../../protocol/schemas/sample.ts';
import { bitOf, type Coverage, type QuantitySet, type Signs } from '../fleet/coverage.ts';
import { edgesOf, QUANTITIES, type Reading } from '../fleet/readings.ts';
import { newestAt, pointsOf, withPoint } from '../fleet/recent.ts';
import { hoursOf, type SignalDay } from '../fleet/signal-day.ts';
import type { CoverageRules } from './defaults.ts';
import { isSpread, lineThrough, timeTo } from './trend.ts';

const MINUTE_MS = 60_000;
/** A trend ends where the level is back up by so many times its hysteresis, or critical is this much farther off than what fired it. */
const BACK_HYSTERESES = 2;
const HOLD_FACTOR = 2;
/** What is foretold for half an hour must have gone on for this part of it. */
const SEEN_OF_HORIZON = 0.4;

/** What the signs need to know of the terminal. */
export interface Setting {
  intervalMs: number;
  /** Steps are looked for where the terminal is known to stand. */
  fixed: boolean;
}

/** How old a sample may be, and how far from the one before it, to say something of now. */
export function freshMs(intervalMs: number, { freshIntervals, freshMinutes }: CoverageRules): number {
  return Math.max(freshIntervals * intervalMs, freshMinutes * MINUTE_MS);
}

/** After a silence, and after history, "in a row" begins anew. What stands goes on standing. */
export function restartRuns(signs: Signs): void {
  signs.run = 0;
  signs.stepRun = 0;
  signs.recent = '';
}

/** Takes in a live reading; `c` is as it was before it. */
export function noteSigns(c: Coverage, at: number, reading: Reading, { intervalMs, fixed }: Setting, rules: CoverageRules): void {
  const { signs, day } = c;
  const isOther = c.reading !== null && c.reading.rat !== reading.rat;
  if (isOther) {
    signs.stepRun = 0;
    signs.recent = '';
  }
  noteBand(signs, reading, isOther, rules);
  noteStep(signs, reading, fixed ? day : null, rules);
  noteTrend(signs, at, reading, intervalMs, rules);
}

/** Any quantity under `fair_from`, in so many samples in a row; then until all are back at it and the table's hysteresis. */
function noteBand(signs: Signs, reading: Reading, isOther: boolean, { bandSamples }: CoverageRules): void {
  let under: QuantitySet = 0;
  let low: QuantitySet = 0;
  let known: QuantitySet = 0;
  for (const quantity of QUANTITIES) {
    const value = reading[quantity];
    const edges = edgesOf(reading.rat, quantity);
    if (value === null || !edges) continue;
    known |= bitOf(quantity);
    if (value < edges.fairFrom) under |= bitOf(quantity);
    else if (value < edges.fairFrom + edges.hysteresis) low |= bitOf(quantity);
  }
  // A quantity that this radio does not have cannot come back.
  const stood = isOther ? signs.weak & known : signs.weak;
  if (under) signs.run = Math.max(0, signs.run) + 1;
  else signs.run = low ? 0 : Math.max(-bandSamples, Math.min(0, signs.run) - 1);
  // What was weak and is not told of any more is not waited for.
  const isGone = signs.run <= -bandSamples || (!signs.band && !under);
  signs.weak = isGone ? 0 : (stood & (~known | low)) | under;
  signs.band = signs.band ? signs.weak !== 0 : signs.run >= bandSamples;
}

/**
 * So many decibels under the median of the day before, in so many samples in a row; back within the table's hysteresis ends it, and so does
 * a level in the fair band where there is no median to hold it against.
 */
function noteStep(signs: Signs, { rat, level }: Reading, day: Readonly<SignalDay> | null, rules: CoverageRules): void {
  if (!day) {
    signs.stepRun = 0;
    signs.step = false;
    return;
  }
  const edges = edgesOf(rat, 'level');
  if (level === null || !edges) return;
  if (day.rat !== rat || day.median === null || hoursOf(day) < rules.stepHistoryHours) {
    signs.step &&= level < edges.fairFrom + edges.hysteresis;
    return;
  }
  const fall = day.median - level;
  signs.stepRun = fall >= rules.stepDb ? signs.stepRun + 1 : 0;
  signs.step = signs.step ? fall > rules.stepDb - edges.hysteresis : signs.stepRun >= rules.stepSamples;
}

/** Falling over so many reports, and on course to be critical soon. Samples of one report are one point: a report is what counts. */
function noteTrend(signs: Signs, at: number, { rat, level }: Reading, intervalMs: number, rules: CoverageRules): void {
  const edges = edgesOf(rat, 'level');
  if (level === null || !edges) return;
  const reports = reportsOfTrend(rules);
  const apart = Math.max(intervalMs / 2, (SEEN_OF_HORIZON * rules.trendMinutes * MINUTE_MS) / (reports - 1));
  const newest = newestAt(signs.recent);
  if (newest !== null && at - newest < apart) return;
  signs.recent = withPoint(signs.recent, reports, at, level);
  const points = pointsOf(signs.recent);
  if (points.length < 2 * reports) {
    signs.trend &&= level < edges.fairFrom + edges.hysteresis;
    return;
  }
  const line = lineThrough(points);
  const soon = timeTo(line, edges.criticalBelow) / MINUTE_MS;
  const back = lowestOf(points) + BACK_HYSTERESES * edges.hysteresis;
  if (signs.trend) signs.trend = soon <= HOLD_FACTOR * rules.trendMinutes && level < back;
  else signs.trend = line.fall >= rules.trendFallDb && line.fit >= rules.trendFit && isSpread(line) && soon <= rules.trendMinutes;
}

/** A line needs three points to be told from noise, whatever the rules say. */
export function reportsOfTrend({ trendReports }: CoverageRules): number {
  return Math.max(3, Math.ceil(trendReports));
}

function lowestOf(points: readonly number[]): number {
  return points.reduce((least, value, i) => (i % 2 === 1 ? Math.min(least, value) : least), Number.POSITIVE_INFINITY);
}

/** Counts connections made anew: of any sample of the last hour, in whatever order they come. */
export function noteReconnects(signs: Signs, samples: readonly Sample[], now: number, rules: CoverageRules): void {
  const from = now - rules.reconnectMinutes * MINUTE_MS;
  const kept: number[] = [];
  let count = 0;
  const add = (at: number, n: number) => {
    if (at <= from) return;
    kept.push(at, n);
    count += n;
  };
  for (let i = 0; signs.reconnects && i < signs.reconnects.length; i += 2) add(signs.reconnects[i]!, signs.reconnects[i + 1]!);
  for (const { at, link } of samples) if (link?.reconnects) add(at, link.reconnects);
  signs.reconnects = kept.length > 0 ? kept : null;
  signs.reconnecting = count >= rules.reconnects;
}
