import { StoreError } from './port.ts';

const DETAIL_CHARACTERS = 300;

/** What InfluxDB, or something before it, answered. */
export interface Answer {
  status: number;
  /** Its body; JSON with a `message` where InfluxDB itself speaks. */
  text: string;
  retryAfter: string | null;
}

/**
 * What an answer means for a write that it does not confirm. `now`: epoch milliseconds, for a Retry-After that is a date.
 * 400, 413 and 422 are of the points; a `partial write` among them means that the others were written.
 */
export function storeErrorOf({ status, text, retryAfter }: Answer, now: number): StoreError {
  const message = messageOf(text);
  const detail = `InfluxDB answered ${status}: ${message.slice(0, DETAIL_CHARACTERS)}`;
  switch (status) {
    case 401:
    case 403:
      return new StoreError('unauthorized', detail);
    case 404:
      return new StoreError('unauthorized', `${detail}: create it, or correct the setting`);
    case 400:
    case 413:
    case 422:
      return new StoreError('rejected', detail, { dropped: droppedOf(message) });
    default:
      return new StoreError('unavailable', detail, { retryAfterMs: retryAfterMs(retryAfter, now) });
  }
}

/** What no answer means: a refused connection, a reset, an answer that broke off. */
export function noAnswer(error: unknown): StoreError {
  const cause = ((error as Error).cause ?? error) as NodeJS.ErrnoException;
  return new StoreError('unavailable', cause.message || cause.code || 'no answer', { cause: error });
}

function messageOf(text: string): string {
  try {
    return String(JSON.parse(text).message ?? text);
  } catch {
    return text;
  }
}

/** How many points a partial write left out: "partial write: … dropped=3"; undefined where the others were not written either. */
function droppedOf(message: string): number | undefined {
  if (!message.includes('partial write')) return undefined;
  const count = /\bdropped[= ](\d+)/.exec(message)?.[1];
  return count === undefined ? 0 : Number(count);
}

/** Retry-After is a number of seconds or a date (RFC 9110, 10.2.3). */
function retryAfterMs(header: string | null, now: number): number {
  if (header === null) return 0;
  const ms = /^\s*\d+\s*$/.test(header) ? Number(header) * 1000 : Date.parse(header) - now;
  return Number.isFinite(ms) ? Math.max(0, ms) : 0;
}
