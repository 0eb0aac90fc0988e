/** The store that the settings name. */
import type { Layout } from '../../backbone/layout.ts';
import type { Clock } from '../owner/owner.ts';
import { openDuckDbStore } from '../store/duckdb.ts';
import { openInfluxStore } from '../store/influx.ts';
import type { InfluxAccess } from '../store/influx-http.ts';
import { type Kept, StoreError, type TelemetryStore } from '../store/port.ts';

/** How long the start waits for the store. Alerts, and where all is one process the broker, wait with it. */
const CHECK_MS = 3_000;

export interface StoreOptions {
  paths: Layout;
  /** Absent: the embedded store. */
  influx?: InfluxAccess | undefined;
  /** How long it keeps points. */
  kept: Kept;
  clock: Clock;
  say(line: string): void;
}

/** A store that is away, or does not answer, delays points; one that refuses us is a mistake in the settings, and better said at once. */
export async function openStore({ influx, kept, paths, clock, say }: StoreOptions): Promise<TelemetryStore> {
  const store = influx ? openInfluxStore({ ...influx, kept, say }) : await openDuckDbStore(paths.store, kept);
  const answered = new AbortController();
  const late = clock.sleep(CHECK_MS, answered.signal).then(() => {
    throw new StoreError('unavailable', `no answer within ${CHECK_MS} ms`);
  });
  try {
    await Promise.race([store.check(), late]);
  } catch (error) {
    if (!(error instanceof StoreError) || error.code !== 'unavailable') {
      await store.close();
      throw error;
    }
    say(`${error.message}: starting all the same, points wait in the log until it is back`);
  } finally {
    answered.abort();
  }
  return store;
}
