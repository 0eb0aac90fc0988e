import { HttpError } from '@influxdata/influxdb-client';
import { StoreError } from './port.ts';

const DETAIL_CHARACTERS = 300;

/**
 * What an answer of InfluxDB, or its absence, means for a write. `now`: epoch milliseconds, for a Retry-After that is a date.
 * 400, 413 and 422 are of the points; a `partial write` among them means that the others were written.
 */
export function storeErrorOf(error: unknown, now: number): StoreError {
  if (error instanceof StoreError) return error;
  if (!(error instanceof HttpError)) {
    const { message, code } = error as NodeJS.ErrnoException;
    return new StoreError('unavailable', message || code || 'no answer', { cause: error });
  }
  const detail = `InfluxDB answered ${error.statusCode}: ${(error.message || error.statusMessage || '').slice(0, DETAIL_CHARACTERS)}`;
  switch (error.statusCode) {
    case 401:
    case 403:
      return new StoreError('unauthorized', detail, { cause: error });
    case 404:
      return new StoreError('unauthorized', `${detail}: create it, or correct the setting`, { cause: error });
    case 400:
    case 413:
    case 422:
      return new StoreError('rejected', detail, { cause: error, dropped: droppedOf(error.message) });
    default:
      return new StoreError('unavailable', detail, { cause: error, retryAfterMs: retryAfterMs(error.headers?.['retry-after'], now) });
  }
}

/** How many points a partial write left out: "partial write: … dropped=3"; undefined where the others were not written either. */
function droppedOf(message = ''): number | undefined {
  if (!message.includes('partial write')) return undefined;
  const count = /\bdropped[= ](\d+)/.exec(message)?.[1];
  return count === undefined ? 0 : Number(count);
}

/** Retry-After is a number of seconds or a date (RFC 9110, 10.2.3); the client's own reading takes seconds for milliseconds. */
function retryAfterMs(header: string | string[] | undefined, now: number): number {
  const text = Array.isArray(header) ? header[0] : header;
  if (text === undefined) return 0;
  const ms = /^\s*\d+\s*$/.test(text) ? Number(text) * 1000 : Date.parse(text) - now;
  return Number.isFinite(ms) ? Math.max(0, ms) : 0;
}
