/** Whether a level is falling, and when it will be too low: a straight line through the last reports. */
import type { Prediction } from '../../protocol/alerts.ts';

/** A single drop that is more of the fall than this is a step, and no trend. */
const LARGEST_DROP = 0.6;
/** Standard errors on each side of the predicted moment. */
const ERRORS = 2;

export interface Line {
  /** Decibels a millisecond; negative where it falls. */
  slope: number;
  /** The line's level at the newest point, and how far it came down since the oldest. */
  level: number;
  fall: number;
  /** The share of the variance that the line explains, 0–1. */
  fit: number;
  /** The largest drop between two points, as a share of the fall. */
  largestDrop: number;
  /** The standard error of the slope. */
  slopeError: number;
}

/** Ordinary least squares over `points`: times and levels in turns, at least three of them. */
export function lineThrough(points: readonly number[]): Line {
  const n = points.length / 2;
  const origin = points[0]!;
  let [sumX, sumY, sumXX, sumXY, sumYY, drop] = [0, 0, 0, 0, 0, 0];
  for (let i = 0; i < points.length; i += 2) {
    const [x, y] = [points[i]! - origin, points[i + 1]!];
    sumX += x;
    sumY += y;
    sumXX += x * x;
    sumXY += x * y;
    sumYY += y * y;
    if (i > 0) drop = Math.max(drop, points[i - 1]! - y);
  }
  const spreadX = sumXX - (sumX * sumX) / n;
  const spreadY = sumYY - (sumY * sumY) / n;
  const covariance = sumXY - (sumX * sumY) / n;
  const slope = spreadX > 0 ? covariance / spreadX : 0;
  const last = points[points.length - 2]! - origin;
  const fall = -slope * last;
  const residual = Math.max(0, spreadY - slope * covariance);
  return {
    slope,
    level: sumY / n + slope * (last - sumX / n),
    fall,
    fit: spreadY > 0 ? 1 - residual / spreadY : 0,
    largestDrop: fall > 0 ? drop / fall : Number.POSITIVE_INFINITY,
    slopeError: Math.sqrt(residual / (n - 2) / spreadX),
  };
}

/** A fall, and not a step: it is spread over its reports. */
export function isSpread({ largestDrop }: Line): boolean {
  return largestDrop <= LARGEST_DROP;
}

/** Milliseconds until the line is at `floor`; 0 where it is there, Infinity where it does not fall. */
export function timeTo({ level, slope }: Pick<Line, 'level' | 'slope'>, floor: number): number {
  if (level <= floor) return 0;
  return slope < 0 ? (level - floor) / -slope : Number.POSITIVE_INFINITY;
}

/** When it will be at `floor`, if it goes on like this; `latest` is at most `horizonMs` ahead, as a flat line never gets there. */
export function predictionOf(line: Line, at: number, floor: number, horizonMs: number): Prediction {
  const within = (slope: number) => at + Math.round(Math.min(horizonMs, timeTo({ level: line.level, slope }, floor)));
  const error = ERRORS * line.slopeError;
  return { at: within(line.slope), earliest: within(line.slope - error), latest: within(line.slope + error) };
}
