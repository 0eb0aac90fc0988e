import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Reading } from '../../../watch/fleet/readings.ts';
import { bandsIn, hoursOf, medianOf, newSignalDay, noteDay, type SignalDay, valuesOf } from '../../../watch/fleet/signal-day.ts';
import { DAY, HOUR, MINUTE, MONDAY, SEED } from '../support/log.ts';

function reading(level: number | null, more: Partial<Reading> = {}): Reading {
  return { rat: 'lte', level, quality: -9, sinr: 14, cell: null, ...more };
}

function dayOf(levels: readonly (number | null)[], every = HOUR): SignalDay {
  const day = newSignalDay('lte');
  for (const [n, level] of levels.entries()) noteDay(day, MONDAY + n * every, reading(level));
  return day;
}

describe('the day of a signal', () => {
  it('keeps the first reading of each of the last 24 hours', () => {
    expect(valuesOf(dayOf([-80, -81, -82, -83, -84], 30 * MINUTE), 'level')).toEqual([-80, -82, -84]);
    expect(hoursOf(dayOf(Array(100).fill(-80)))).toBe(24);
    expect(valuesOf(dayOf(Array.from({ length: 30 }, (_, n) => -70 - n)), 'level')[0]).toBe(-76);
  });

  it('gives back what it was given, to a decibel', () => {
    const value = (min: number, max: number) => fc.option(fc.double({ min, max, noNaN: true }));

    fc.assert(
      fc.property(fc.array(fc.tuple(value(-157, -1), value(-43.5, 20), value(-24, 40)), { maxLength: 24 }), (hours) => {
        const day = newSignalDay('lte');
        for (const [n, [level, quality, sinr]] of hours.entries()) noteDay(day, MONDAY + n * HOUR, reading(level, { quality, sinr }));

        const known = (i: number) => hours.flatMap((hour) => (hour[i] === null ? [] : [Math.round(hour[i]!) + 0]));
        expect(valuesOf(day, 'level')).toEqual(known(0));
        expect(valuesOf(day, 'quality')).toEqual(known(1));
        expect(valuesOf(day, 'sinr')).toEqual(known(2));
        expect(day.median).toEqual(medianOf(known(0)));
        expect(JSON.parse(JSON.stringify(day))).toEqual(day);
      }),
      { seed: SEED },
    );
  });

  it('is of hours that were heard: a closed Sunday ends none, and a week and a day begin another', () => {
    const day = dayOf(Array(24).fill(-80));

    noteDay(day, MONDAY + 3 * DAY, reading(-90));
    expect(hoursOf(day)).toBe(24);

    noteDay(day, MONDAY + 12 * DAY, reading(-90));
    expect(valuesOf(day, 'level')).toEqual([-90]);
  });

  it('is of one radio: another begins it anew when it has lasted for three hours', () => {
    const day = dayOf([-80, -80]);
    const gsm = reading(-70, { rat: 'gsm', quality: null, sinr: null });

    noteDay(day, MONDAY + 2 * HOUR, gsm);
    noteDay(day, MONDAY + 3 * HOUR, gsm);
    expect(day).toMatchObject({ rat: 'lte', median: -80 });

    noteDay(day, MONDAY + 4 * HOUR, gsm);
    expect(day).toMatchObject({ rat: 'gsm', median: -70 });
    expect(hoursOf(day)).toBe(1);
  });

  it('has no median of levels that are unknown', () => {
    expect(dayOf([null, null]).median).toBeNull();
  });

  it('counts the hours in which something was weak, and critical', () => {
    expect(bandsIn(dayOf([-80, -106, -105, -115, -116, null]))).toEqual({ hours: 6, weak: 2, critical: 1 });
    expect(bandsIn(dayOf([-116, -116, -80]), 1)).toEqual({ hours: 1, weak: 0, critical: 0 });
  });
});
