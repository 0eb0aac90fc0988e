import * as z from 'zod/mini';

/** The last millisecond of the year 9999: beyond it a date has no four-digit year. */
const LAST_MILLISECOND = 253_402_300_799_999;

/** Epoch milliseconds. A dead clock that says 1970 is possible, and is put right by the session's skew. */
export const epochMs = z.int().check(z.gte(0), z.lte(LAST_MILLISECOND));

export const count = z.int().check(z.gte(0));

/** A short text: names, versions, identifiers. */
export const label = z.string().check(z.minLength(1), z.maxLength(128));

/** Names one connection of a terminal. */
export const session = z.string().check(z.minLength(1), z.maxLength(64));

/** Counts the messages of a session. */
export const seq = z.int().check(z.gte(0));

export const version = z.literal(1);

export const ratio = z.number().check(z.gte(0), z.lte(1));

export const seconds = z.number().check(z.gte(0), z.lte(31_622_400));

/** The datums that coordinates may be in. */
export const datum = z.enum(['wgs84', 'gcj02', 'bd09']);
export type Datum = z.infer<typeof datum>;

/** An IANA time zone that this runtime knows. */
export const timeZone = z.string().check(z.refine(isTimeZone, { error: 'not an IANA time zone, such as Asia/Shanghai' }));

function isTimeZone(name: string): boolean {
  try {
    new Intl.DateTimeFormat('en', { timeZone: name });
    return true;
  } catch {
    return false;
  }
}
