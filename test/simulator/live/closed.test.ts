import { expect, it } from 'vitest';
import { hoursOf } from '../../../simulator/hours.ts';
import { closedNow } from '../../../simulator/live/closed.ts';
import { REGIONS } from '../../../simulator/ranges.ts';
import type { Life } from '../../../simulator/state.ts';
import { START } from '../support.ts';

const [SHANGHAI, , KOLKATA] = REGIONS;
const HOUR_MS = 3_600_000;

/** A terminal of a shop that is open so on every day of `days`, 0 being Monday. */
function terminal(region: (typeof REGIONS)[number], open: string, days = [0, 1, 2, 3, 4, 5, 6]): Life {
  const week = Array.from({ length: 7 }, (_, day) => (days.includes(day) ? open : ''));
  return { plan: { site: { hours: hoursOf(week, region.offsetMinutes) } }, merchant: { plan: { town: { region } } } } as unknown as Life;
}

it('counts the terminals in closed shops, and names the first opening in its own time', () => {
  const lives = [terminal(SHANGHAI, '09:00-21:00'), terminal(KOLKATA, '07:00-19:00'), terminal(SHANGHAI, '07:00-19:00')];

  // A Monday, 08:00 in Shanghai and 05:30 in Kolkata.
  expect(closedNow(lives, START)).toBe("2 of 3 terminals' shops are closed now; the first opens at 09:00 (Asia/Shanghai)");
});

it('names the day of an opening that is a day away or more', () => {
  const lives = [terminal(SHANGHAI, '09:00-21:00', [2])];

  expect(closedNow(lives, START)).toBe("1 of 1 terminals' shops are closed now; the first opens on Wednesday at 09:00 (Asia/Shanghai)");
});

it('says nothing where every shop is open', () => {
  expect(closedNow([terminal(SHANGHAI, '09:00-21:00'), terminal(SHANGHAI, '00:00-24:00')], START + 2 * HOUR_MS)).toBeUndefined();
});
