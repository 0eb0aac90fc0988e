import { openingAt } from '../hours.ts';
import type { Life } from '../state.ts';
import { DAY_MS } from '../story.ts';

const WEEKDAYS = ['Sunday', 'Monday', 'Tuesday', 'Wednesday', 'Thursday', 'Friday', 'Saturday'];

/** How many terminals stand in shops that are closed at this time, and when the first of these opens; undefined where none is closed. */
export function closedNow(lives: readonly Life[], at: number): string | undefined {
  const closed = lives
    .map(({ plan, merchant }) => ({ opensAt: openingAt(plan.site.hours, at).from, region: merchant.plan.town.region }))
    .filter(({ opensAt }) => opensAt > at);
  const [first] = closed.sort((a, b) => a.opensAt - b.opensAt);
  if (!first) return undefined;
  const { opensAt, region } = first;
  const local = new Date(opensAt + region.offsetMinutes * 60_000);
  const day = opensAt - at < DAY_MS ? '' : `on ${WEEKDAYS[local.getUTCDay()]} `;
  const time = `${day}at ${local.toISOString().slice(11, 16)} (${region.tz})`;
  return `${closed.length} of ${lives.length} terminals' shops are closed now; the first opens ${time}`;
}
