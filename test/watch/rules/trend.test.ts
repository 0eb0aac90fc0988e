import { describe, expect, it } from 'vitest';
import { isSpread, lineThrough, predictionOf, timeTo } from '../../../watch/rules/trend.ts';
import { MINUTE, MONDAY } from '../support/log.ts';

const points = (levels: readonly number[]) => levels.flatMap((level, n) => [MONDAY + n * MINUTE, level]);

describe('a line through levels', () => {
  it('is the line that they lie on', () => {
    const line = lineThrough(points([-80, -82, -84, -86]));

    expect(line.slope * MINUTE).toBeCloseTo(-2);
    expect(line).toMatchObject({ level: -86, fall: 6, fit: 1 });
    expect(line.slopeError).toBeCloseTo(0);
  });

  it('fits worse and has a larger error, the more they scatter', () => {
    // Sums of squares by hand: 5 of the times, 20 of the levels, -8 of both.
    const line = lineThrough(points([-80, -84, -82, -86]));

    expect(line.slope * MINUTE).toBeCloseTo(-1.6);
    expect(line.fit).toBeCloseTo(0.64);
    expect(line.slopeError * MINUTE).toBeCloseTo(Math.sqrt(7.2 / 2 / 5));
  });

  it('is flat, and explains nothing, where nothing changes', () => {
    const line = lineThrough(points([-90, -90, -90]));

    expect(line.fall).toBeCloseTo(0);
    expect(line).toMatchObject({ fit: 0, largestDrop: Number.POSITIVE_INFINITY });
    expect(timeTo(line, -115)).toBe(Number.POSITIVE_INFINITY);
  });

  it('tells a fall from a step', () => {
    expect(isSpread(lineThrough(points([-80, -83, -86, -88, -91, -94])))).toBe(true);
    expect(isSpread(lineThrough(points([-80, -80, -80, -98, -98, -98])))).toBe(false);
  });

  it('says when it is at a level, and that it is there', () => {
    expect(timeTo(lineThrough(points([-80, -82, -84, -86])), -96)).toBeCloseTo(5 * MINUTE);
    expect(timeTo(lineThrough(points([-80, -82, -84, -86])), -86)).toBe(0);
  });

  it('predicts a moment between two others, none beyond the horizon', () => {
    const now = MONDAY + 5 * MINUTE;
    const prediction = predictionOf(lineThrough(points([-80, -84, -83, -88, -87, -91])), now, -115, 20 * MINUTE);

    expect(prediction.earliest).toBeGreaterThan(now);
    expect(prediction.earliest).toBeLessThan(prediction.at);
    expect(prediction.at).toBeLessThanOrEqual(prediction.latest);
    expect(prediction.latest).toBeLessThanOrEqual(now + 20 * MINUTE);
  });
});
