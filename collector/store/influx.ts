/** The telemetry store on InfluxDB 2. Creating the bucket is not ours: `check` names it where it is missing. */
import { setImmediate as nextTurn } from 'node:timers/promises';
import { InfluxDB, type Transport } from '@influxdata/influxdb-client';
import { storeErrorOf } from './influx-errors.ts';
import { toLine } from './lines.ts';
import { refuseImpossible } from './points.ts';
import { type Point, StoreError, type TelemetryStore } from './port.ts';

export interface InfluxAccess {
  /** http(s)://host[:port][/path] */
  url: string;
  token: string;
  org: string;
  bucket: string;
}

interface Limits {
  /** Milliseconds for one request, its answer included. */
  timeoutMs?: number;
  /** Epoch milliseconds. */
  now?: () => number;
}

/** What one request carries: InfluxDB's own advice for batches. */
const LINES_PER_REQUEST = 5000;
/** Some two milliseconds of work: the broker may share this event loop. */
const LINES_PER_TURN = 500;

/**
 * Opens nothing yet: `check` tells whether it can be written to. Writing a point again changes nothing. A rejected write may have
 * written a part of its points.
 * Errors: a StoreError `unavailable` where the address, `unauthorized` where the token cannot be one.
 */
export function openInfluxStore(access: InfluxAccess, { timeoutMs = 30_000, now = Date.now }: Limits = {}): TelemetryStore {
  const transport = connect(access);
  const path = `/api/v2/write?${new URLSearchParams({ org: access.org, bucket: access.bucket, precision: 'ns' })}`;
  const underWay = new Set<AbortController>();

  /** 204 alone is success. */
  const post = async (body: string) => {
    const abort = new AbortController();
    const limit = setTimeout(() => abort.abort(), timeoutMs);
    underWay.add(abort);
    let status: number | undefined;
    const headers = { 'content-type': 'text/plain; charset=utf-8' };
    try {
      await transport.request(path, body, { method: 'POST', headers, gzipThreshold: 0, signal: abort.signal }, (_, code) => {
        status = code;
      });
    } catch (error) {
      throw abort.signal.aborted ? new StoreError('unavailable', `no answer within ${timeoutMs} ms`) : storeErrorOf(error, now());
    } finally {
      clearTimeout(limit);
      underWay.delete(abort);
    }
    if (status !== 204) throw new StoreError('unavailable', `${access.url} answered ${status} to a write: it is not InfluxDB 2`);
  };

  return {
    name: 'influxdb',
    marks: async () => null,
    async write(points) {
      refuseImpossible(points);
      for (let from = 0; from < points.length; from += LINES_PER_REQUEST) {
        await post(await encode(points.slice(from, from + LINES_PER_REQUEST)));
      }
    },
    /** An empty write passes every check of a real one: address, token, organization, bucket and permission. */
    check: () => post(''),
    async close() {
      for (const abort of underWay) abort.abort();
    },
  };
}

/** The client's own writer is left aside: it keeps what it could not write in memory, and gives up after three minutes. */
function connect({ url, token }: InfluxAccess): Transport {
  // Node refuses such a header where nobody could catch it.
  if (!/^[\x21-\x7E]+$/.test(token)) throw new StoreError('unauthorized', 'the token is empty, or has a character that no token has');
  if (!URL.canParse(url) || !/^https?:/.test(url)) throw new StoreError('unavailable', `INFLUX_URL is no http or https address: ${url}`);
  return new InfluxDB({ url, token }).transport;
}

async function encode(points: readonly Point[]): Promise<string> {
  const lines: string[] = [];
  for (let i = 0; i < points.length; i++) {
    if (i > 0 && i % LINES_PER_TURN === 0) await nextTurn();
    lines.push(toLine(points[i]!));
  }
  return lines.join('\n');
}
