/**
 * The telemetry store on InfluxDB 2, in two buckets: the one of the settings, which keeps points as they came for some weeks, and one
 * for a year and more with the roll-ups in place of the samples. All but samples and roll-ups is in both.
 */

import { HttpError, InfluxDB } from '@influxdata/influxdb-client';
import { writeAround } from './around.ts';
import type { Draft } from './draft.ts';
import type { HistoryRow } from './history.ts';
import { prepareBuckets } from './influx-buckets.ts';
import { noAnswer, storeErrorOf } from './influx-errors.ts';
import { historyQueries } from './influx-history.ts';
import { type InfluxAccess, influxHttp } from './influx-http.ts';
import { pointOfLine } from './line-reader.ts';
import { Lines } from './lines.ts';
import { type Batch, type Kept, type OnRefused, StoreError, type TelemetryStore } from './port.ts';
import { ROLLUP, SAMPLES } from './rollup-layout.ts';

export interface InfluxOptions extends InfluxAccess {
  kept: Kept;
  say(line: string): void;
}

interface Limits {
  /** Milliseconds for one request, its answer included. */
  timeoutMs?: number;
  /** Epoch milliseconds. */
  now?: () => number;
}

/** What one request carries: InfluxDB's own advice for batches. */
const LINES_PER_REQUEST = 5000;
const LINES = 'text/plain; charset=utf-8';

/**
 * Opens nothing yet: `check` tells whether it can be written to, and makes the buckets where it may. Writing a point again changes
 * nothing.
 * Errors: a StoreError `unavailable` where the address, `unauthorized` where the token cannot be one.
 */
export function openInfluxStore(options: InfluxOptions, { timeoutMs = 30_000, now = Date.now }: Limits = {}): TelemetryStore {
  const http = influxHttp(options, timeoutMs);
  const pathTo = (bucket: string) => `/api/v2/write?${new URLSearchParams({ org: options.org, bucket, precision: 'ns' })}`;
  const reader = new InfluxDB({ url: options.url, token: options.token, timeout: timeoutMs }).getQueryApi(options.org);

  /** 204 alone is success. An empty one passes every check of a real one: address, token, organization, bucket and permission. */
  const post = async (bucket: string, bytes: Uint8Array) => {
    const answer = await http.request('POST', pathTo(bucket), { type: LINES, bytes, pack: true });
    if (answer.status === 204) return;
    if (answer.status < 400)
      throw new StoreError('unavailable', `${options.url} answered ${answer.status} to a write: it is not InfluxDB 2`);
    throw storeErrorOf(answer, now());
  };

  /** The bucket of the roll-ups, null where there can be none; known once the server has been asked. */
  let rollups: Promise<string | null> | undefined;
  const prepared = () => {
    rollups ??= prepareBuckets(options, http, (bucket) => post(bucket, new Uint8Array()), now()).catch((error: unknown) => {
      rollups = undefined;
      throw error;
    });
    return rollups;
  };

  const writeLines = (bucket: string, lines: Lines, onRefused: OnRefused) =>
    inRequests(lines.size, (all) =>
      writeAround(
        ({ from, to }) => post(bucket, lines.bytes(from, to)),
        all,
        ({ from, to }, detail) =>
          onRefused(
            Array.from({ length: to - from }, (_, i) => pointOfLine(lines.text(from + i))),
            detail,
          ),
      ),
    );

  const batch = (): Batch => {
    const [raw, rolled] = [new Lines(), new Lines()];
    let size = 0;
    return {
      get size() {
        return size;
      },
      add(draft: Draft) {
        const problem = draft.measurement === ROLLUP ? null : raw.add(draft);
        const why = problem ?? (draft.measurement === SAMPLES ? null : rolled.add(draft));
        if (why === null) size++;
        return why;
      },
      async write(_, onRefused) {
        const rollupBucket = await prepared();
        try {
          await writeLines(options.bucket, raw, onRefused);
          if (rollupBucket !== null) await writeLines(rollupBucket, rolled, onRefused);
        } catch (error) {
          // A bucket that is gone is looked for, and made, again.
          if (error instanceof StoreError && error.code === 'unauthorized') rollups = undefined;
          throw error;
        }
      },
    };
  };

  return {
    name: 'influxdb',
    get sentBytes() {
      return http.sentBytes;
    },
    marks: async () => null,
    batch,
    async history(query, now) {
      const queries = historyQueries(query, { samples: options.bucket, rollups: await prepared() }, now);
      const rows: HistoryRow[] = [];
      try {
        for (const flux of queries) rows.push(...(await reader.collectRows<HistoryRow>(flux)));
      } catch (error) {
        throw readError(error);
      }
      return rows.map(({ table: _, result: __, ...row }: HistoryRow & { table?: number; result?: string }) => row);
    },
    keepUp: async () => {},
    async check() {
      await prepared();
      await post(options.bucket, new Uint8Array());
    },
    async close() {
      http.close();
    },
  };
}

function readError(error: unknown): StoreError {
  if (!(error instanceof HttpError)) return noAnswer(error);
  return storeErrorOf({ status: error.statusCode, text: error.body ?? error.message, retryAfter: null }, 0);
}

async function inRequests(size: number, write: (range: { from: number; to: number }) => Promise<void>): Promise<void> {
  for (let from = 0; from < size; from += LINES_PER_REQUEST) await write({ from, to: Math.min(from + LINES_PER_REQUEST, size) });
}
