import * as z from 'zod/mini';

const MINUTES_A_DAY = 24 * 60;

/** Opening hours of one day, in minutes after its local midnight; `to` is past 1440 where a range runs past midnight. */
export interface MinuteRange {
  from: number;
  to: number;
}

/**
 * Reads one day of opening hours: `""` is closed, `"09:00-21:00"`, `"08:00-12:00,14:00-20:00"`, `"18:00-02:00"` past midnight,
 * `"00:00-24:00"` the whole day. Undefined where the text is none of these.
 */
export function parseDay(text: string): MinuteRange[] | undefined {
  if (text.trim() === '') return [];
  const ranges = text.split(',').map(parseRange);
  return ranges.every((r) => r !== undefined) ? ranges : undefined;
}

function parseRange(text: string): MinuteRange | undefined {
  const match = /^\s*(\d\d):(\d\d)-(\d\d):(\d\d)\s*$/.exec(text);
  if (!match) return undefined;
  const [h1, m1, h2, m2] = match.slice(1).map(Number) as [number, number, number, number];
  if (h1 > 23 || h2 > 24 || m1 > 59 || m2 > 59 || (h2 === 24 && m2 > 0)) return undefined;
  const from = h1 * 60 + m1;
  const to = h2 * 60 + m2;
  if (from === to) return undefined;
  return { from, to: to > from ? to : to + MINUTES_A_DAY };
}

const day = z.string().check(
  z.maxLength(200),
  z.refine((text) => parseDay(text) !== undefined, { error: 'not opening hours, such as "09:00-21:00" or "08:00-12:00,14:00-20:00"' }),
);

/** Seven days, Monday first. */
export const expectedWeek = z.array(day).check(z.length(7));
