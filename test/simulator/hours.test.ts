import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { hoursOf, openingAt } from '../../simulator/hours.ts';
import { PLACES, REGIONS } from '../../simulator/ranges.ts';
import { HoursBook } from '../../watch/fleet/hours.ts';

const WEEKS = Object.values(PLACES).flatMap(({ weeks }) => weeks.map((week) => [...week] as string[]));

describe('opening hours', () => {
  it('are those that the watch understands of the same declaration', () => {
    const book = new HoursBook();
    const from = Date.UTC(2026, 0, 1);
    fc.assert(
      fc.property(
        fc.constantFrom(...WEEKS),
        fc.constantFrom(...REGIONS),
        fc.integer({ min: from, max: from + 365 * 86_400_000 }),
        (week, { tz, offsetMinutes }, at) => {
          const hours = hoursOf(week, offsetMinutes);
          const expected = book.of({ tz, week });
          const opening = openingAt(hours, at);
          const isOpen = opening.from <= at && at < opening.to;

          expect(isOpen).toBe(book.isOpen(expected, at));
          if (hours && isOpen) expect(opening.to).toBe(book.closesAt(expected, at));
          if (!isOpen) expect(opening.from).toBe(book.opensAt(expected, at));
        },
      ),
    );
  });
});
